//! Functions over text.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::SqlState;
use pgtypes::float::{double_of_integer, exact_integer};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;

type Result = std::result::Result<Value, DialectError>;

pub(crate) fn text(value: impl Into<String>) -> Result {
    Ok(Value::Text(value.into()))
}

pub(crate) fn argument(arguments: &[Value], at: usize) -> String {
    arguments.get(at).map(text_of).unwrap_or_default()
}

pub(crate) fn integer(arguments: &[Value], at: usize) -> i64 {
    match arguments.get(at) {
        Some(Value::Integer(value)) => *value,
        Some(Value::Real(value)) => exact_integer(value.round()).unwrap_or(0),
        Some(other) => text_of(other).trim().parse().unwrap_or(0),
        None => 0,
    }
}

/// A count of characters from an argument; negative counts are 0.
fn count(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// Results are limited like SQLite's own.
const MAX_RESULT: usize = 256 * 1024 * 1024;

fn bounded(length: usize) -> std::result::Result<(), DialectError> {
    if length > MAX_RESULT {
        return Err(DialectError::new(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            "requested length too large",
        ));
    }
    Ok(())
}

pub(crate) fn left(arguments: &[Value]) -> Result {
    let (value, n) = (argument(arguments, 0), integer(arguments, 1));
    let keep = if n < 0 {
        value
            .chars()
            .count()
            .saturating_sub(count(n.saturating_neg()))
    } else {
        count(n)
    };
    text(value.chars().take(keep).collect::<String>())
}

pub(crate) fn right(arguments: &[Value]) -> Result {
    let (value, n) = (argument(arguments, 0), integer(arguments, 1));
    let length = value.chars().count();
    let drop = if n < 0 {
        count(n.saturating_neg())
    } else {
        length.saturating_sub(count(n))
    };
    text(value.chars().skip(drop).collect::<String>())
}

/// substring(text, start [, length]): positions before 1 count against the length.
pub(crate) fn substring(arguments: &[Value]) -> Result {
    let start = integer(arguments, 1);
    let end = if arguments.len() > 2 {
        let length = integer(arguments, 2);
        if length < 0 {
            return Err(DialectError::new(
                SqlState::SUBSTRING_ERROR,
                "negative substring length not allowed",
            ));
        }
        start.saturating_add(length)
    } else {
        i64::MAX
    };
    let (from, to) = (start.max(1), end.max(1));
    if let Some(Value::Blob(bytes)) = arguments.first() {
        let slice = bytes
            .iter()
            .copied()
            .skip(count(from - 1))
            .take(count(to.saturating_sub(from)));
        return Ok(Value::Blob(slice.collect()));
    }
    let value = argument(arguments, 0);
    text(
        value
            .chars()
            .skip(count(from - 1))
            .take(count(to.saturating_sub(from)))
            .collect::<String>(),
    )
}

pub(crate) fn position(arguments: &[Value]) -> Result {
    let (needle, hay) = (argument(arguments, 0), argument(arguments, 1));
    let found = hay
        .find(&needle)
        .and_then(|at| hay.get(..at))
        .map_or(0, |before| before.chars().count() + 1);
    Ok(Value::Integer(i64::try_from(found).unwrap_or(0)))
}

fn trimmed(arguments: &[Value], start: bool, end: bool) -> Result {
    let (set, value) = (argument(arguments, 0), argument(arguments, 1));
    let strip = |c: char| set.contains(c);
    let value = if start {
        value.trim_start_matches(strip)
    } else {
        &value
    };
    text(if end {
        value.trim_end_matches(strip)
    } else {
        value
    })
}

pub(crate) fn trim(arguments: &[Value]) -> Result {
    trimmed(arguments, true, true)
}

pub(crate) fn ltrim(arguments: &[Value]) -> Result {
    trimmed(arguments, true, false)
}

pub(crate) fn rtrim(arguments: &[Value]) -> Result {
    trimmed(arguments, false, true)
}

pub(crate) fn overlay(arguments: &[Value]) -> Result {
    let (value, with, from) = (
        argument(arguments, 0),
        argument(arguments, 1),
        integer(arguments, 2),
    );
    let length = if arguments.len() > 3 {
        count(integer(arguments, 3))
    } else {
        with.chars().count()
    };
    let before = count(from.saturating_sub(1));
    let head: String = value.chars().take(before).collect();
    let tail: String = value.chars().skip(before.saturating_add(length)).collect();
    text(format!("{head}{with}{tail}"))
}

pub(crate) fn initcap(arguments: &[Value]) -> Result {
    let mut inside = false;
    let mut out = String::new();
    for c in argument(arguments, 0).chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    text(out)
}

fn padded(arguments: &[Value], before: bool) -> Result {
    let value = argument(arguments, 0);
    let length = count(integer(arguments, 1));
    bounded(length)?;
    let fill = if arguments.len() > 2 {
        argument(arguments, 2)
    } else {
        " ".to_owned()
    };
    let have = value.chars().count();
    if have >= length || fill.is_empty() {
        return text(value.chars().take(length).collect::<String>());
    }
    let pad: String = fill.chars().cycle().take(length - have).collect();
    text(if before { pad + &value } else { value + &pad })
}

pub(crate) fn lpad(arguments: &[Value]) -> Result {
    padded(arguments, true)
}

pub(crate) fn rpad(arguments: &[Value]) -> Result {
    padded(arguments, false)
}

pub(crate) fn repeat(arguments: &[Value]) -> Result {
    let (value, times) = (argument(arguments, 0), count(integer(arguments, 1)));
    bounded(value.len().saturating_mul(times))?;
    text(value.repeat(times))
}

pub(crate) fn reverse(arguments: &[Value]) -> Result {
    text(argument(arguments, 0).chars().rev().collect::<String>())
}

pub(crate) fn split_part(arguments: &[Value]) -> Result {
    let (value, separator, n) = (
        argument(arguments, 0),
        argument(arguments, 1),
        integer(arguments, 2),
    );
    if n == 0 {
        return Err(DialectError::new(
            SqlState::INVALID_PARAMETER_VALUE,
            "field position must not be zero",
        ));
    }
    let parts: Vec<&str> = if separator.is_empty() {
        vec![value.as_str()]
    } else {
        value.split(separator.as_str()).collect()
    };
    let index = if n > 0 {
        count(n - 1)
    } else {
        parts.len().wrapping_sub(count(n.saturating_neg()))
    };
    text(parts.get(index).copied().unwrap_or(""))
}

pub(crate) fn translate(arguments: &[Value]) -> Result {
    let from: Vec<char> = argument(arguments, 1).chars().collect();
    let to: Vec<char> = argument(arguments, 2).chars().collect();
    let map = |c: char| match from.iter().position(|known| *known == c) {
        Some(at) => to.get(at).copied(),
        None => Some(c),
    };
    text(
        argument(arguments, 0)
            .chars()
            .filter_map(map)
            .collect::<String>(),
    )
}

pub(crate) fn md5(arguments: &[Value]) -> Result {
    let digest = match arguments.first() {
        Some(Value::Blob(bytes)) => md5::compute(bytes),
        _ => md5::compute(argument(arguments, 0)),
    };
    text(format!("{digest:x}"))
}

pub(crate) fn starts_with(arguments: &[Value]) -> Result {
    Ok(Value::Integer(i64::from(
        argument(arguments, 0).starts_with(&argument(arguments, 1)),
    )))
}

pub(crate) fn to_hex(arguments: &[Value]) -> Result {
    let value = integer(arguments, 0);
    text(i32::try_from(value).map_or_else(|_| format!("{value:x}"), |value| format!("{value:x}")))
}

pub(crate) fn bit_length(arguments: &[Value]) -> Result {
    let bytes = match arguments.first() {
        Some(Value::Blob(bytes)) => bytes.len(),
        _ => argument(arguments, 0).len(),
    };
    Ok(Value::Integer(
        i64::try_from(bytes.saturating_mul(8)).unwrap_or(i64::MAX),
    ))
}

pub(crate) fn quote_ident(arguments: &[Value]) -> Result {
    let name = argument(arguments, 0);
    let plain = name
        .bytes()
        .enumerate()
        .all(|(at, c)| c.is_ascii_lowercase() || c == b'_' || (at > 0 && c.is_ascii_digit()));
    text(if plain && !name.is_empty() {
        name
    } else {
        crate::literal::quote_name(&name)
    })
}

pub(crate) fn quote_literal(arguments: &[Value]) -> Result {
    match arguments.first() {
        Some(Value::Null) | None => text("NULL"),
        Some(value) => text(crate::literal::quote(&text_of(value))),
    }
}

/// The name without schema and quotes: what regclass looks up.
pub(crate) fn unqualified(arguments: &[Value]) -> Result {
    text(crate::sequence::bare(&argument(arguments, 0)))
}

pub(crate) fn bool_text(arguments: &[Value]) -> Result {
    match arguments.first() {
        Some(Value::Integer(0)) => text("false"),
        Some(Value::Integer(_)) => text("true"),
        Some(other) => text(text_of(other)),
        None => Ok(Value::Null),
    }
}

pub(crate) fn plain_text(arguments: &[Value]) -> Result {
    text(argument(arguments, 0))
}

/// greatest and least do not mind NULLs, unlike SQLite's max and min.
fn extreme(arguments: &[Value], greatest: bool) -> Value {
    let mut best = Value::Null;
    for value in arguments.iter().filter(|value| **value != Value::Null) {
        let better = match compare(value, &best) {
            std::cmp::Ordering::Greater => greatest,
            std::cmp::Ordering::Less => !greatest,
            std::cmp::Ordering::Equal => false,
        };
        if best == Value::Null || better {
            best = value.clone();
        }
    }
    best
}

fn compare(a: &Value, b: &Value) -> std::cmp::Ordering {
    let number = |value: &Value| match value {
        Value::Integer(value) => Some(double_of_integer(*value)),
        Value::Real(value) => Some(*value),
        _ => None,
    };
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        _ => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => text_of(a).cmp(&text_of(b)),
        },
    }
}

pub(crate) fn greatest(arguments: &[Value]) -> Result {
    Ok(extreme(arguments, true))
}

pub(crate) fn least(arguments: &[Value]) -> Result {
    Ok(extreme(arguments, false))
}

pub(crate) fn upper(arguments: &[Value]) -> Result {
    text(argument(arguments, 0).to_uppercase())
}

pub(crate) fn lower(arguments: &[Value]) -> Result {
    text(argument(arguments, 0).to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: fn(&[Value]) -> Result, arguments: &[&str]) -> String {
        let values: Vec<Value> = arguments
            .iter()
            .map(|text| {
                text.parse()
                    .map_or_else(|_| Value::Text((*text).to_owned()), Value::Integer)
            })
            .collect();
        text_of(&function(&values).unwrap())
    }

    #[test]
    fn text_functions_answer_as_postgresql_does() {
        assert_eq!(call(left, &["abcde", "-2"]), "abc");
        assert_eq!(call(right, &["abcde", "2"]), "de");
        assert_eq!(call(substring, &["abcde", "-1", "4"]), "ab");
        assert_eq!(call(substring, &["abcde", "2"]), "bcde");
        assert_eq!(call(position, &["c", "abc"]), "3");
        assert_eq!(call(initcap, &["hello wORLD"]), "Hello World");
        assert_eq!(call(lpad, &["7", "3", "0"]), "007");
        assert_eq!(call(rpad, &["abc", "2"]), "ab");
        assert_eq!(call(split_part, &["a,b,c", ",", "-1"]), "c");
        assert_eq!(call(translate, &["12345", "143", "ax"]), "a2x5");
        assert_eq!(call(md5, &["abc"]), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(call(overlay, &["Txxxxas", "hom", "2", "4"]), "Thomas");
        assert_eq!(call(greatest, &["1", "3", "2"]), "3");
    }

    #[test]
    fn huge_results_are_refused() {
        assert!(repeat(&[Value::Text("x".into()), Value::Integer(i64::MAX)]).is_err());
        assert!(lpad(&[Value::Text("x".into()), Value::Integer(i64::MAX)]).is_err());
    }
}
