//! Errors that several functions give.

use pgtypes::{SqlState, ValueError};

/// An error of any kind.
pub(crate) fn fail<T>(state: SqlState, message: impl Into<String>) -> Result<T, ValueError> {
    Err(ValueError::new(state, message))
}

/// `integer out of range`, 22003.
pub(crate) fn out_of_range(type_name: &str) -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("{type_name} out of range"),
    )
}

/// `division by zero`, 22012.
pub(crate) fn division_by_zero() -> ValueError {
    ValueError::new(SqlState::DIVISION_BY_ZERO, "division by zero")
}

/// A result larger than a double, 22003.
pub(crate) fn overflow() -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "value out of range: overflow",
    )
}

/// A result nearer to zero than any double, 22003.
pub(crate) fn underflow() -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        "value out of range: underflow",
    )
}

/// 22023.
pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, ValueError> {
    fail(SqlState::INVALID_PARAMETER_VALUE, message)
}
