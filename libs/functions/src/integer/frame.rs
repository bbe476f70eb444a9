//! Offsets of the frames of windows.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, text};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_frame_offset", 3, offset).loose()];

/// The offset, which of the frame's ends it is for (`starting`, `ending`), and the frame's unit.
fn offset(arguments: &[SqlValueRef<'_>]) -> Answer {
    let end = text(arguments, 1)?;
    let negative = match arguments.first() {
        Some(SqlValueRef::Integer(number)) => *number < 0,
        Some(SqlValueRef::Real(number)) => *number < 0.0,
        _ => {
            return Err(ValueError::new(
                SqlState::NULL_VALUE_NOT_ALLOWED,
                format!("frame {end} offset must not be null"),
            ));
        }
    };
    if negative {
        let message = if text(arguments, 2)? == "RANGE" {
            "invalid preceding or following size in window function".to_owned()
        } else {
            format!("frame {end} offset must not be negative")
        };
        return Err(ValueError::new(
            SqlState::INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            message,
        ));
    }
    Ok(arguments
        .first()
        .map_or(SqlValue::Null, |value| (*value).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(value: SqlValueRef<'_>, unit: &str) -> Result<SqlValue, String> {
        let arguments = [
            value,
            SqlValueRef::Text("starting"),
            SqlValueRef::Text(unit),
        ];
        offset(&arguments).map_err(|fault| fault.to_string())
    }

    #[test]
    fn an_offset_is_neither_null_nor_negative() {
        assert_eq!(
            asked(SqlValueRef::Integer(2), "ROWS"),
            Ok(SqlValue::Integer(2))
        );
        for (value, unit, message) in [
            (
                SqlValueRef::Null,
                "RANGE",
                "frame starting offset must not be null",
            ),
            (
                SqlValueRef::Integer(-1),
                "ROWS",
                "frame starting offset must not be negative",
            ),
            (
                SqlValueRef::Integer(-1),
                "RANGE",
                "invalid preceding or following size in window function",
            ),
        ] {
            assert_eq!(asked(value, unit), Err(message.to_owned()));
        }
    }
}
