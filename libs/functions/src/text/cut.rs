//! Parts of text, and text put into text.

use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, integer, text, written};
use crate::error::{fail, invalid, out_of_range};
use crate::registry::Scalar;
use crate::text::{between, bounded, byte_of, length};

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_text_substr", 3, |a| {
        let (from, to) = bounds(integer(a, 1)?, Some(integer(a, 2)?))?;
        written(between(text(a, 0)?, from, to))
    }),
    Scalar::pure("pg_text_substr_no_len", 2, |a| {
        let (from, to) = bounds(integer(a, 1)?, None)?;
        written(between(text(a, 0)?, from, to))
    }),
    Scalar::pure("pg_text_left", 2, |a| {
        let value = text(a, 0)?;
        let end = from_either_end(value, integer(a, 1)?);
        written(value.get(..end).unwrap_or_default())
    }),
    Scalar::pure("pg_text_right", 2, |a| {
        let value = text(a, 0)?;
        let start = match integer(a, 1)? {
            0 => value.len(),
            // Its opposite is no integer: nothing is left out.
            number if number == i64::from(i32::MIN) => 0,
            number => from_either_end(value, -number),
        };
        written(value.get(start..).unwrap_or_default())
    }),
    Scalar::pure("pg_textoverlay", 4, |a| {
        overlaid(text(a, 0)?, text(a, 1)?, integer(a, 2)?, integer(a, 3)?)
    }),
    Scalar::pure("pg_textoverlay_no_len", 3, |a| {
        let with = text(a, 1)?;
        let length = i64::try_from(with.chars().count()).unwrap_or(i64::MAX);
        overlaid(text(a, 0)?, with, integer(a, 2)?, length)
    }),
    Scalar::pure("pg_lpad", 3, |a| padded(text(a, 0)?, a, text(a, 2)?, true)),
    Scalar::pure("pg_lpad_text_int4", 2, |a| {
        padded(text(a, 0)?, a, " ", true)
    }),
    Scalar::pure("pg_rpad", 3, |a| padded(text(a, 0)?, a, text(a, 2)?, false)),
    Scalar::pure("pg_rpad_text_int4", 2, |a| {
        padded(text(a, 0)?, a, " ", false)
    }),
    Scalar::pure("pg_repeat", 2, |a| {
        let (value, times) = (text(a, 0)?, length(integer(a, 1)?));
        bounded(value.len().checked_mul(times))?;
        written(value.repeat(times))
    }),
    Scalar::pure("pg_split_part", 3, part),
];

/// The first character and the one behind the last, counted from 0.
pub(crate) fn bounds(start: i64, length: Option<i64>) -> Result<(usize, usize), ValueError> {
    let end = match length {
        None => i64::MAX,
        Some(..0) => return Err(negative_length()),
        Some(length) => start.saturating_add(length),
    };
    let place = |at: i64| usize::try_from(at.max(1) - 1).unwrap_or(usize::MAX);
    Ok((place(start), place(end)))
}

/// `negative substring length not allowed`, 22011.
pub(crate) fn negative_length() -> ValueError {
    ValueError::new(
        SqlState::SUBSTRING_ERROR,
        "negative substring length not allowed",
    )
}

/// The byte behind so many characters, or before so many of the last.
fn from_either_end(value: &str, characters: i64) -> usize {
    if characters >= 0 {
        return byte_of(value, length(characters));
    }
    let all = value.chars().count();
    byte_of(
        value,
        all.saturating_sub(length(characters.saturating_neg())),
    )
}

/// Where the part that is replaced begins, and where what is left behind it does, counted from 1.
pub(crate) fn overlay_bounds(start: i64, length: i64) -> Result<(i64, i64), ValueError> {
    if start <= 0 {
        return Err(negative_length());
    }
    let behind = start
        .checked_add(length)
        .filter(|behind| i32::try_from(*behind).is_ok())
        .ok_or_else(|| out_of_range("integer"))?;
    Ok((start, behind))
}

fn overlaid(value: &str, with: &str, start: i64, length: i64) -> Answer {
    let (start, behind) = overlay_bounds(start, length)?;
    let (_, before) = bounds(1, Some(start - 1))?;
    let (from, to) = bounds(behind, None)?;
    written(format!(
        "{}{with}{}",
        between(value, 0, before),
        between(value, from, to)
    ))
}

fn padded(value: &str, arguments: &[SqlValueRef<'_>], fill: &str, before: bool) -> Answer {
    let wanted = length(integer(arguments, 1)?);
    bounded(wanted.checked_mul(4))?;
    let have = value.chars().count();
    if have >= wanted || fill.is_empty() {
        return written(between(value, 0, wanted));
    }
    let pad: String = fill.chars().cycle().take(wanted - have).collect();
    written(if before {
        pad + value
    } else {
        value.to_owned() + &pad
    })
}

fn part(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (value, separator) = (text(arguments, 0)?, text(arguments, 1)?);
    let number = integer(arguments, 2)?;
    if number == 0 {
        return invalid("field position must not be zero");
    }
    let parts: Vec<&str> = if separator.is_empty() {
        vec![value]
    } else {
        value.split(separator).collect()
    };
    let at = if number > 0 {
        usize::try_from(number - 1).ok()
    } else {
        usize::try_from(number.unsigned_abs())
            .ok()
            .and_then(|back| parts.len().checked_sub(back))
    };
    written(at.and_then(|at| parts.get(at)).copied().unwrap_or_default())
}

/// 22023 in the words of a function that takes one character.
pub(crate) fn one_character(text: &str, message: &str) -> Result<Option<char>, ValueError> {
    let mut chars = text.chars();
    let first = chars.next();
    if chars.next().is_some() {
        return fail(SqlState::INVALID_ESCAPE_SEQUENCE, message);
    }
    Ok(first)
}
