//! Upper and lower case, of any alphabet.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, text, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_lower", 1, |a| {
        written(mapped(text(a, 0)?, char::to_lowercase))
    }),
    Scalar::pure("pg_upper", 1, |a| {
        written(mapped(text(a, 0)?, char::to_uppercase))
    }),
    Scalar::pure("pg_initcap", 1, capitalized),
];

/// One character becomes one, as in the C library: `ß` has no upper case.
fn mapped<I: ExactSizeIterator<Item = char>>(text: &str, map: fn(char) -> I) -> String {
    text.chars().map(|c| one(c, map(c))).collect()
}

fn one(c: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 {
        mapped.next().unwrap_or(c)
    } else {
        c
    }
}

fn capitalized(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut inside = false;
    let mut out = String::new();
    for c in text(arguments, 0)?.chars() {
        out.push(if inside {
            one(c, c.to_lowercase())
        } else {
            one(c, c.to_uppercase())
        });
        inside = c.is_alphanumeric();
    }
    written(out)
}
