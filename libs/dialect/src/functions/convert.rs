//! Casts between types: values to their stored form.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::functions::Value;

/// Types whose values have one stored form, to which literals are brought: all but texts, which are stored as they are,
/// and JSON, which is checked when the statement runs.
pub(crate) const fn has_canonical_form(ty: &PgType) -> bool {
    match ty {
        PgType::Bool
        | PgType::Int2
        | PgType::Int4
        | PgType::Int8
        | PgType::Oid
        | PgType::Float4
        | PgType::Float8
        | PgType::Numeric { .. }
        | PgType::Name
        | PgType::Bytea
        | PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval
        | PgType::Inet
        | PgType::Cidr
        | PgType::Uuid => true,
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Bpchar(_)
        | PgType::Char
        | PgType::Json
        | PgType::Jsonb
        | PgType::Void
        | PgType::Unknown
        | PgType::Opaque(_)
        | PgType::Composed(_) => false,
    }
}

/// The text of a value, as it is stored.
pub(crate) fn text_of(value: &Value) -> String {
    value.as_ref().own_text()
}

/// Brings a value to the stored form of a type.
pub(crate) fn to_type(value: &Value, ty: &PgType) -> Result<Value, DialectError> {
    Ok(pgtypes::cast(value.as_ref(), ty)?)
}

macro_rules! casts {
    ($($name:ident $ty:expr),* $(,)?) => {$(
        #[doc = concat!("A cast to ", stringify!($ty), ".")]
        pub(crate) fn $name(arguments: &[Value]) -> Result<Value, DialectError> {
            to_type(arguments.first().unwrap_or(&Value::Null), &$ty)
        }
    )*};
}

casts! {
    to_bool PgType::Bool,
    to_int2 PgType::Int2,
    to_int4 PgType::Int4,
    to_int8 PgType::Int8,
    to_float8 PgType::Float8,
    to_date PgType::Date,
    to_time PgType::Time(None),
    to_timetz PgType::Timetz(None),
    to_timestamp PgType::Timestamp(None),
    to_timestamptz PgType::Timestamptz(None),
    to_interval PgType::Interval,
    to_uuid PgType::Uuid,
    to_bytea PgType::Bytea,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_value_is_said_as_postgresql_says_it() {
        let text = |text: &str| Value::Text(text.to_owned());
        let error = to_type(&text("maybe"), &PgType::Bool).unwrap_err();
        assert_eq!(
            error.message,
            "invalid input syntax for type boolean: \"maybe\""
        );
        let error = to_type(&text("100"), &PgType::parse("numeric(4,2)").unwrap()).unwrap_err();
        assert!(
            error
                .detail
                .is_some_and(|detail| detail.contains("less than 10^2"))
        );
    }
}
