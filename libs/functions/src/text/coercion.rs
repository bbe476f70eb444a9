//! Types of characters into each other, and to the lengths that they are declared with.

use pgtypes::{SqlState, SqlValueRef, single_byte};

use crate::arguments::{integer, text, truth, written};
use crate::error::fail;
use crate::io::cut_name;
use crate::registry::Scalar;
use crate::text::{between, byte_of};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_varchar", 3, |a| {
        limited(a, "character varying").and_then(written)
    }),
    Scalar::pure("pg_bpchar", 3, |a| {
        written(limited(a, "character")?.trim_end_matches(' '))
    }),
    Scalar::pure("pg_rtrim1", 1, |a| {
        written(text(a, 0)?.trim_end_matches(' '))
    }),
    Scalar::pure("pg_text_bpchar", 1, |a| {
        written(text(a, 0)?.trim_end_matches(' '))
    }),
    Scalar::pure("pg_text_name", 1, |a| written(cut_name(text(a, 0)?))),
    Scalar::pure("pg_bpchar_name", 1, |a| {
        written(cut_name(text(a, 0)?).trim_end_matches(' '))
    }),
    Scalar::pure("pg_name_text", 1, |a| written(text(a, 0)?)),
    Scalar::pure("pg_name_bpchar", 1, |a| {
        written(text(a, 0)?.trim_end_matches(' '))
    }),
    Scalar::pure("pg_char_text", 1, |a| written(text(a, 0)?)),
    Scalar::pure("pg_char_bpchar", 1, |a| {
        written(text(a, 0)?.trim_end_matches(' '))
    }),
    Scalar::pure("pg_text_char", 1, |a| {
        written(single_byte::stored(single_byte::byte(text(a, 0)?)))
    }),
    Scalar::pure("pg_booltext", 1, |a| {
        written(if truth(a, 0)? { "true" } else { "false" })
    }),
    Scalar::pure("pg_nameconcatoid", 2, |a| {
        let number = integer(a, 1)?.to_string();
        let room = 62_usize.saturating_sub(number.len());
        let name = text(a, 0)?;
        let name = name.get(..name.floor_char_boundary(room)).unwrap_or(name);
        written(format!("{name}_{number}"))
    }),
];

/// The text as a column of a length holds it: value, type modifier, and whether the cast is
/// explicit, which cuts it silently.
fn limited<'a>(
    arguments: &[SqlValueRef<'a>],
    type_name: &str,
) -> Result<&'a str, pgtypes::ValueError> {
    let value = text(arguments, 0)?;
    let Some(limit) = integer(arguments, 1)?.checked_sub(4).filter(|n| *n >= 0) else {
        return Ok(value);
    };
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let kept = between(value, 0, length);
    let beyond = value.get(byte_of(value, length)..).unwrap_or_default();
    if !truth(arguments, 2)? && beyond.bytes().any(|byte| byte != b' ') {
        return fail(
            SqlState::STRING_DATA_RIGHT_TRUNCATION,
            format!("value too long for type {type_name}({limit})"),
        );
    }
    Ok(kept)
}
