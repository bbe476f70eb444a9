//! Arguments in the form in which a function needs them, and results in their stored form.

use pgtypes::{Date, Decimal, Interval, SqlState, SqlValue, SqlValueRef, Timestamp, ValueError};

/// What a function gives.
pub(crate) type Answer = Result<SqlValue, ValueError>;

fn mismatch(value: Option<SqlValueRef<'_>>, wanted: &str) -> ValueError {
    let found = match value {
        None => "nothing",
        Some(SqlValueRef::Null) => "NULL",
        Some(SqlValueRef::Integer(_)) => "an integer",
        Some(SqlValueRef::Real(_)) => "a real",
        Some(SqlValueRef::Text(_)) => "text",
        Some(SqlValueRef::Blob(_)) => "a blob",
    };
    ValueError::new(
        SqlState::DATATYPE_MISMATCH,
        format!("a function that takes {wanted} was called with {found}"),
    )
}

/// The argument at a place, NULL beyond the last.
pub(crate) fn value<'a>(arguments: &[SqlValueRef<'a>], at: usize) -> SqlValueRef<'a> {
    arguments.get(at).copied().unwrap_or(SqlValueRef::Null)
}

/// An integer, or a boolean.
pub(crate) fn integer(arguments: &[SqlValueRef<'_>], at: usize) -> Result<i64, ValueError> {
    match arguments.get(at).copied() {
        Some(SqlValueRef::Integer(value)) => Ok(value),
        Some(SqlValueRef::Real(value)) => pgtypes::float::exact_integer(value)
            .ok_or_else(|| mismatch(Some(SqlValueRef::Real(value)), "an integer")),
        other => Err(mismatch(other, "an integer")),
    }
}

/// A boolean.
pub(crate) fn truth(arguments: &[SqlValueRef<'_>], at: usize) -> Result<bool, ValueError> {
    integer(arguments, at).map(|value| value != 0)
}

/// A double; NaN is stored as text.
pub(crate) fn real(arguments: &[SqlValueRef<'_>], at: usize) -> Result<f64, ValueError> {
    match arguments.get(at).copied() {
        Some(SqlValueRef::Real(value)) => Ok(value),
        Some(SqlValueRef::Integer(value)) => Ok(pgtypes::float::double_of_integer(value)),
        Some(SqlValueRef::Text(text)) if text.eq_ignore_ascii_case("nan") => Ok(f64::NAN),
        other => Err(mismatch(other, "a double")),
    }
}

/// Text.
pub(crate) fn text<'a>(arguments: &[SqlValueRef<'a>], at: usize) -> Result<&'a str, ValueError> {
    match arguments.get(at).copied() {
        Some(SqlValueRef::Text(text)) => Ok(text),
        other => Err(mismatch(other, "text")),
    }
}

/// Bytes.
pub(crate) fn bytes<'a>(arguments: &[SqlValueRef<'a>], at: usize) -> Result<&'a [u8], ValueError> {
    match arguments.get(at).copied() {
        Some(SqlValueRef::Blob(bytes)) => Ok(bytes),
        other => Err(mismatch(other, "bytes")),
    }
}

/// A numeric.
pub(crate) fn decimal(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Decimal, ValueError> {
    match arguments.get(at).copied() {
        Some(SqlValueRef::Text(text)) => Decimal::parse(text),
        Some(SqlValueRef::Integer(value)) => Ok(Decimal::from(value)),
        Some(SqlValueRef::Real(value)) => Ok(Decimal::from_real(value)),
        other => Err(mismatch(other, "a numeric")),
    }
}

/// A date.
pub(crate) fn date(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Date, ValueError> {
    Date::new(integer(arguments, at)?)
}

/// A timestamp with or without time zone.
pub(crate) fn timestamp(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Timestamp, ValueError> {
    Timestamp::new(integer(arguments, at)?, None)
}

/// An interval.
pub(crate) fn interval(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Interval, ValueError> {
    Interval::parse(text(arguments, at)?)
}

/// A result of type boolean.
#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
pub(crate) fn boolean(value: bool) -> Answer {
    Ok(SqlValue::Integer(i64::from(value)))
}

/// A result of a type that is stored as an integer.
#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
pub(crate) fn whole(value: i64) -> Answer {
    Ok(SqlValue::Integer(value))
}

/// The length or the place of something in memory.
pub(crate) fn count(value: usize) -> Answer {
    whole(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A result of type double precision or real.
#[expect(clippy::unnecessary_wraps, reason = "it ends a function")]
pub(crate) fn double(value: f64) -> Answer {
    Ok(if value.is_nan() {
        SqlValue::Text("NaN".to_owned())
    } else {
        SqlValue::Real(value)
    })
}

/// A result that is stored as text.
#[expect(
    clippy::unnecessary_wraps,
    clippy::needless_pass_by_value,
    reason = "it ends a function, and what it is given is made for it"
)]
pub(crate) fn written(value: impl ToString) -> Answer {
    Ok(SqlValue::Text(value.to_string()))
}
