//! Casts between types: values to their stored form.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::functions::Value;

/// Types whose text has one stored form, to which literals are brought.
pub(crate) fn has_canonical_text(ty: &str) -> bool {
    matches!(
        ty,
        "bool"
            | "date"
            | "time"
            | "timetz"
            | "timestamp"
            | "timestamptz"
            | "interval"
            | "uuid"
            | "bytea"
            | "int2"
            | "int4"
            | "int8"
    )
}

/// The text of a value, as it is stored.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_ref().own_text()
}

/// Brings a value to the stored form of a type.
pub(crate) fn to_type(value: &Value, ty: &str) -> Result<Value, DialectError> {
    Ok(pgtypes::cast(value.as_ref(), &PgType::from_typname(ty))?)
}

macro_rules! casts {
    ($($name:ident $ty:literal),* $(,)?) => {$(
        #[doc = concat!("A cast to ", $ty, ".")]
        pub(crate) fn $name(arguments: &[Value]) -> Result<Value, DialectError> {
            to_type(arguments.first().unwrap_or(&Value::Null), $ty)
        }
    )*};
}

casts! {
    to_bool "bool", to_int2 "int2", to_int4 "int4", to_int8 "int8", to_float8 "float8", to_date "date", to_time "time",
    to_timetz "timetz", to_timestamp "timestamp", to_timestamptz "timestamptz", to_interval "interval", to_uuid "uuid",
    to_bytea "bytea",
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlState;

    use super::*;

    #[test]
    fn numbers_are_rounded_and_checked_against_their_range() {
        assert_eq!(to_int4(&[Value::Real(2.5)]), Ok(Value::Integer(3)));
        assert_eq!(to_int4(&[Value::Real(-2.5)]), Ok(Value::Integer(-3)));
        assert_eq!(to_bool(&[Value::Real(0.5)]), Ok(Value::Integer(1)));
        let error = to_int2(&[Value::Integer(70_000)]).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::NUMERIC_VALUE_OUT_OF_RANGE);
        assert_eq!(error.message, "smallint out of range");
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said_as_postgresql_says_it() {
        let text = |text: &str| Value::Text(text.to_owned());
        let error = to_type(&text("maybe"), "bool").unwrap_err();
        assert_eq!(
            error.message,
            "invalid input syntax for type boolean: \"maybe\""
        );
        let error = to_type(&text("100"), "numeric(4,2)").unwrap_err();
        assert!(
            error
                .hint
                .is_some_and(|hint| hint.contains("less than 10^2"))
        );
    }
}
