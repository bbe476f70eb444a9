//! Finding and replacing.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, boolean, count, text, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_textpos", 2, |a| {
        let value = text(a, 0)?;
        let before = value.find(text(a, 1)?).and_then(|at| value.get(..at));
        count(before.map_or(0, |before| before.chars().count() + 1))
    }),
    Scalar::pure("pg_text_starts_with", 2, |a| {
        boolean(text(a, 0)?.starts_with(text(a, 1)?))
    }),
    Scalar::pure("pg_replace_text", 3, replaced),
    Scalar::pure("pg_translate", 3, translated),
];

fn replaced(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (value, from) = (text(arguments, 0)?, text(arguments, 1)?);
    if from.is_empty() {
        return written(value);
    }
    written(value.replace(from, text(arguments, 2)?))
}

fn translated(arguments: &[SqlValueRef<'_>]) -> Answer {
    let from: Vec<char> = text(arguments, 1)?.chars().collect();
    let to: Vec<char> = text(arguments, 2)?.chars().collect();
    let map = |c: char| match from.iter().position(|known| *known == c) {
        Some(at) => to.get(at).copied(),
        None => Some(c),
    };
    let value = text(arguments, 0)?.chars().filter_map(map);
    written(value.collect::<String>())
}
