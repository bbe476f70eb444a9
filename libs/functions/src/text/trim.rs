//! Characters taken off the ends of text.

use pgtypes::SqlValueRef;

use crate::arguments::{Answer, text, written};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_btrim", 2, |a| trimmed(a, text(a, 1)?, true, true)),
    Scalar::pure("pg_btrim1", 1, |a| trimmed(a, " ", true, true)),
    Scalar::pure("pg_ltrim", 2, |a| trimmed(a, text(a, 1)?, true, false)),
    Scalar::pure("pg_ltrim1", 1, |a| trimmed(a, " ", true, false)),
    Scalar::pure("pg_rtrim", 2, |a| trimmed(a, text(a, 1)?, false, true)),
];

fn trimmed(arguments: &[SqlValueRef<'_>], set: &str, start: bool, end: bool) -> Answer {
    let mut value = text(arguments, 0)?;
    if start {
        value = value.trim_start_matches(|c| set.contains(c));
    }
    if end {
        value = value.trim_end_matches(|c| set.contains(c));
    }
    written(value)
}
