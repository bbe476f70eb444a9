//! Values of enums: numbers, to which a definition gives labels: `{1,sad,2,happy}`.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, value, whole, written};
use crate::array::Array;
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_enum_in", 3, read),
    Scalar::pure("pg_enum_out", 2, shown),
    Scalar::pure("pg_enum_first_of", 1, |a| edge(a, false)),
    Scalar::pure("pg_enum_last_of", 1, |a| edge(a, true)),
];

/// Position and label of each value.
fn values(definition: &str) -> Result<Vec<(f64, String)>, ValueError> {
    let texts = Array::parse(definition)?.texts();
    let pairs = texts.chunks_exact(2).filter_map(|pair| match pair {
        [position, label] => Some((position.parse().ok()?, label.clone())),
        _ => None,
    });
    Ok(pairs.collect())
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers of that size stay"
)]
fn stored(position: f64) -> Answer {
    if position.fract() == 0.0 {
        whole(position as i64)
    } else {
        Ok(SqlValue::Real(position))
    }
}

/// `pg_enum_in(label, definition, name of the type)`
fn read(arguments: &[SqlValueRef<'_>]) -> Answer {
    let label = text(arguments, 0)?;
    let known = values(text(arguments, 1)?)?;
    match known.iter().find(|(_, known)| known == label) {
        Some((position, _)) => stored(*position),
        None => {
            let name = text(arguments, 2)?;
            fail(
                SqlState::INVALID_TEXT_REPRESENTATION,
                format!("invalid input value for enum {name}: \"{label}\""),
            )
        }
    }
}

/// `pg_enum_out(value, definition)`
fn shown(arguments: &[SqlValueRef<'_>]) -> Answer {
    #[expect(clippy::cast_precision_loss, reason = "positions are small")]
    let position = match value(arguments, 0) {
        SqlValueRef::Integer(number) => number as f64,
        SqlValueRef::Real(number) => number,
        other => return Ok(other.to_owned()),
    };
    let known = values(text(arguments, 1)?)?;
    let found = known.into_iter().find(|(known, _)| {
        let order = known.partial_cmp(&position);
        order == Some(std::cmp::Ordering::Equal)
    });
    match found {
        Some((_, label)) => written(label),
        None => fail(
            SqlState::DATA_CORRUPTED,
            format!("no value of its enum is stored as {position}"),
        ),
    }
}

fn edge(arguments: &[SqlValueRef<'_>], last: bool) -> Answer {
    let known = values(text(arguments, 0)?)?;
    let found = if last { known.last() } else { known.first() };
    match found {
        Some((position, _)) => stored(*position),
        None => Ok(SqlValue::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOODS: SqlValueRef<'_> = SqlValueRef::Text("{1,sad,1.5,\"so so\",2,happy}");

    #[test]
    fn labels_and_numbers_belong_together() {
        for (label, number) in [
            ("sad", SqlValueRef::Integer(1)),
            ("so so", SqlValueRef::Real(1.5)),
            ("happy", SqlValueRef::Integer(2)),
        ] {
            let name = SqlValueRef::Text("mood");
            let stored = read(&[SqlValueRef::Text(label), MOODS, name]).unwrap();
            assert_eq!(stored.as_ref(), number);
            let text = shown(&[number, MOODS]).unwrap();
            assert_eq!(text, SqlValue::Text(label.to_owned()));
        }
        assert_eq!(edge(&[MOODS], true).unwrap(), SqlValue::Integer(2));
    }

    #[test]
    fn what_is_no_value_is_told() {
        let arguments = [SqlValueRef::Text("glad"), MOODS, SqlValueRef::Text("mood")];
        let error = read(&arguments).unwrap_err();
        assert_eq!(error.message, "invalid input value for enum mood: \"glad\"");
        let error = shown(&[SqlValueRef::Integer(7), MOODS]).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::DATA_CORRUPTED);
    }
}
