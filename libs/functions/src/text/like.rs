//! `LIKE` and `ILIKE`.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, bytes, text, written};
use crate::error::fail;
use crate::registry::Scalar;
use crate::text::cut::one_character;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_textlike", 2, |a| boolean(matched(a)?)),
    Scalar::pure("pg_textnlike", 2, |a| boolean(!matched(a)?)),
    Scalar::pure("pg_namelike", 2, |a| boolean(matched(a)?)),
    Scalar::pure("pg_namenlike", 2, |a| boolean(!matched(a)?)),
    Scalar::pure("pg_texticlike", 2, |a| boolean(matched_in_any_case(a)?)),
    Scalar::pure("pg_texticnlike", 2, |a| boolean(!matched_in_any_case(a)?)),
    Scalar::pure("pg_nameiclike", 2, |a| boolean(matched_in_any_case(a)?)),
    Scalar::pure("pg_nameicnlike", 2, |a| boolean(!matched_in_any_case(a)?)),
    Scalar::pure("pg_bytealike", 2, |a| {
        boolean(like(bytes(a, 0)?, bytes(a, 1)?, false)?)
    }),
    Scalar::pure("pg_byteanlike", 2, |a| {
        boolean(!like(bytes(a, 0)?, bytes(a, 1)?, false)?)
    }),
    Scalar::pure("pg_like_escape", 2, escaped),
];

fn matched(arguments: &[SqlValueRef<'_>]) -> Result<bool, ValueError> {
    let (value, pattern) = (text(arguments, 0)?, text(arguments, 1)?);
    like(value.as_bytes(), pattern.as_bytes(), true)
}

fn matched_in_any_case(arguments: &[SqlValueRef<'_>]) -> Result<bool, ValueError> {
    let [value, pattern] = [text(arguments, 0)?, text(arguments, 1)?].map(str::to_lowercase);
    like(value.as_bytes(), pattern.as_bytes(), true)
}

/// The bytes of the first character.
fn width(text: &[u8], in_characters: bool) -> usize {
    match text.first() {
        Some(0xf0..) if in_characters => 4,
        Some(0xe0..) if in_characters => 3,
        Some(0xc0..) if in_characters => 2,
        _ => 1,
    }
}

/// Whether a text or bytes match a pattern, whose escape character is the backslash.
///
/// Greedy, with one point of return: the last `%`. So it takes no more than time in proportion to
/// both lengths multiplied.
pub(crate) fn like(text: &[u8], pattern: &[u8], in_characters: bool) -> Result<bool, ValueError> {
    let (mut at, mut text_at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    loop {
        let rest = text.get(text_at..).unwrap_or_default();
        let fits = match pattern.get(at) {
            Some(b'%') => {
                at += 1;
                back = Some((at, text_at));
                continue;
            }
            Some(b'_' | b'\\') if rest.is_empty() => false,
            Some(b'_') => {
                text_at += width(rest, in_characters);
                at += 1;
                continue;
            }
            Some(b'\\') => {
                let Some(wanted) = pattern.get(at + 1) else {
                    return fail(
                        SqlState::INVALID_ESCAPE_SEQUENCE,
                        "LIKE pattern must not end with escape character",
                    );
                };
                let fits = rest.first() == Some(wanted);
                at += usize::from(fits);
                fits
            }
            Some(wanted) => rest.first() == Some(wanted),
            None if rest.is_empty() => return Ok(true),
            None => false,
        };
        if fits {
            at += 1;
            text_at += 1;
            continue;
        }
        // An end of the text is no match for what is left of the pattern, wherever it began.
        match back {
            Some((pattern_at, from)) if from < text.len() && !rest.is_empty() => {
                let from = from + width(text.get(from..).unwrap_or_default(), in_characters);
                (at, text_at) = (pattern_at, from);
                back = Some((pattern_at, from));
            }
            _ => return Ok(false),
        }
    }
}

/// `like_escape`: the same pattern with the backslash as its escape character.
/// The same of bytes: every backslash that escapes nothing is doubled.
fn escaped_bytes(pattern: &[u8], escape: &[u8]) -> Answer {
    let escape = match escape {
        [] => None,
        [b'\\'] => return Ok(SqlValue::Blob(pattern.to_vec())),
        [one] => Some(*one),
        _ => {
            return Err(ValueError::new(
                SqlState::INVALID_ESCAPE_SEQUENCE,
                "invalid escape string",
            )
            .with_hint("Escape string must be empty or one character."));
        }
    };
    let mut out = Vec::with_capacity(pattern.len());
    let mut after_escape = false;
    for byte in pattern {
        if Some(*byte) == escape && !after_escape {
            out.push(b'\\');
            after_escape = true;
            continue;
        }
        if *byte == b'\\' && !after_escape {
            out.push(b'\\');
        }
        out.push(*byte);
        after_escape = false;
    }
    Ok(SqlValue::Blob(out))
}

fn escaped(arguments: &[SqlValueRef<'_>]) -> Answer {
    if let SqlValueRef::Blob(pattern) = crate::arguments::value(arguments, 0) {
        return escaped_bytes(pattern, bytes(arguments, 1)?);
    }
    let (pattern, escape) = (text(arguments, 0)?, text(arguments, 1)?);
    let escape = one_character(escape, "invalid escape string")?;
    if escape == Some('\\') {
        return written(pattern);
    }
    let mut out = String::new();
    let mut after_escape = false;
    for c in pattern.chars() {
        if Some(c) == escape && !after_escape {
            out.push('\\');
            after_escape = true;
        } else {
            if c == '\\' && !after_escape {
                out.push('\\');
            }
            out.push(c);
            after_escape = false;
        }
    }
    written(out)
}
