//! The statement of each number.

use crate::expressions::Generator;
use crate::queries::Statement;
use crate::signatures::Signatures;

/// The statement of a number: always the same for the same catalog.
pub(crate) fn statement(number: u64, signatures: &Signatures) -> Statement {
    let mut generator = Generator::new(number, signatures);
    let turn = usize::try_from(number / 24).expect("small");
    let mut statement = match number % 24 {
        kind @ 0..=6 => generator.one_call(turn * 7 + usize::try_from(kind).expect("small")),
        7 | 8 => generator.values_alone(),
        9..=11 => generator.query(),
        12 | 13 => generator.grouped(),
        14 => generator.windowed(),
        15 => generator.combined(),
        16 => generator.rows_of(),
        17 | 18 => generator.change(),
        19 => generator.wrong(),
        20..=22 => generator.shaped(),
        _ => generator.other_change(),
    };
    // What is left of an array that had a NULL is said to have one, which its text does not show.
    let says_nulls = statement.node.text().contains("trim_array");
    statement.binary =
        statement.changes.is_none() && (number / 24).is_multiple_of(10) && !says_nulls;
    statement
}
