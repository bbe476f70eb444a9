//! Values as JSON: by the type of their column where they are values of it, else as they are stored.
//!
//! | column | JSON |
//! | --- | --- |
//! | whole numbers | number; beyond 2^53 `{"i":"9007199254740993"}` |
//! | `real`, `double precision` | number with a point or an exponent; `"NaN"` |
//! | `boolean` | `true`, `false` |
//! | `bytea` | `{"b":"base64"}` |
//! | all others | text as PostgreSQL prints it in UTC, in ISO style |
//! | what is no value of its column's type | `{"stored":…}`: number, text, or `{"i"}`, `{"b"}`, `{"r":"Infinity"}`, `{"t":"base64"}` for text that is no UTF-8 |

use bytes::BytesMut;
use pgtypes::{Context, Format, PgType, SqlValue, SqlValueRef, decode_in, encode_in};
use rowdiff::Value;
use serde_json::{Number, Value as Json, json};

use crate::base64_text;

/// Whole numbers up to here are exact in every program that reads JSON.
const MOST_EXACT: u64 = 1 << 53;

/// The type that a column is declared with.
pub(crate) fn type_of(declared: &str) -> PgType {
    PgType::from_declared(declared).unwrap_or(PgType::Text)
}

/// A value of a column of this type.
pub(crate) fn to_json(value: &Value, ty: &PgType) -> Json {
    if let Value::Null = value {
        return Json::Null;
    }
    match typed_text(value, ty) {
        Some(text) => typed_json(value, ty, text),
        None => json!({ "stored": stored_json(value) }),
    }
}

/// The value that was written as this; `None`: nothing is written so.
pub(crate) fn from_json(json: &Json, ty: &PgType) -> Option<Value> {
    if let Some(stored) = json.get("stored") {
        return from_stored(stored);
    }
    Some(match (json, ty) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(value), PgType::Bool) => Value::Integer(i64::from(*value)),
        (Json::Number(number), PgType::Float4 | PgType::Float8) => Value::Real(number.as_f64()?),
        (Json::Number(number), _) => Value::Integer(number.as_i64()?),
        (Json::Object(object), _) => match (object.get("i"), object.get("b")) {
            (Some(Json::String(digits)), _) => Value::Integer(digits.parse().ok()?),
            (_, Some(Json::String(text))) => Value::Blob(base64_text::decode(text)?),
            _ => return None,
        },
        (Json::String(text), ty) if is_kept_as_text(ty) => Value::Text(text.clone().into_bytes()),
        (Json::String(text), ty) => read_typed(text, ty)?,
        _ => return None,
    })
}

/// The text of a value that is one of its column's type; `None` for NULL, and for what is none.
///
/// A value is one of a type where the text, read again, is that very value.
pub(crate) fn typed_text(value: &Value, ty: &PgType) -> Option<String> {
    if let (Value::Text(bytes), true) = (value, is_kept_as_text(ty)) {
        let text = std::str::from_utf8(bytes).ok()?;
        let same = read_typed(text, ty)? == *value && !text.contains('\0');
        return same.then(|| text.to_owned());
    }
    let mut out = BytesMut::new();
    encode_in(
        borrowed(value)?,
        ty,
        Format::Text,
        Context::standard(),
        &mut out,
    )
    .ok()?;
    let text = String::from_utf8(out.to_vec()).ok()?;
    let same = read_typed(&text, ty).is_some_and(|read| is_same(&read, value));
    same.then_some(text)
}

/// Types whose stored form is text, which is what people read.
fn is_kept_as_text(ty: &PgType) -> bool {
    !matches!(
        ty,
        PgType::Bool
            | PgType::Int2
            | PgType::Int4
            | PgType::Int8
            | PgType::Oid
            | PgType::Float4
            | PgType::Float8
            | PgType::Bytea
            | PgType::Date
            | PgType::Time(_)
            | PgType::Timestamp(_)
            | PgType::Timestamptz(_)
    )
}

/// Bit for bit: -0 is not 0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

fn read_typed(text: &str, ty: &PgType) -> Option<Value> {
    let read = decode_in(text.as_bytes(), ty, Format::Text, Context::standard()).ok()?;
    Some(match read {
        SqlValue::Null => Value::Null,
        SqlValue::Integer(value) => Value::Integer(value),
        SqlValue::Real(value) => Value::Real(value),
        SqlValue::Text(text) => Value::Text(text.into_bytes()),
        SqlValue::Blob(bytes) => Value::Blob(bytes),
    })
}

fn borrowed(value: &Value) -> Option<SqlValueRef<'_>> {
    Some(match value {
        Value::Null => SqlValueRef::Null,
        Value::Integer(value) => SqlValueRef::Integer(*value),
        Value::Real(value) => SqlValueRef::Real(*value),
        Value::Text(bytes) => SqlValueRef::Text(std::str::from_utf8(bytes).ok()?),
        Value::Blob(bytes) => SqlValueRef::Blob(bytes),
    })
}

fn typed_json(value: &Value, ty: &PgType, text: String) -> Json {
    match (value, ty) {
        (Value::Integer(value), PgType::Bool) => Json::Bool(*value != 0),
        (Value::Integer(value), PgType::Int2 | PgType::Int4 | PgType::Int8 | PgType::Oid) => {
            integer(*value)
        }
        (Value::Real(value), PgType::Float4 | PgType::Float8) => real(*value),
        (Value::Blob(bytes), _) => json!({ "b": base64_text::encode(bytes) }),
        _ => Json::String(text),
    }
}

fn stored_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(value) => integer(*value),
        Value::Real(value) => real(*value),
        Value::Blob(bytes) => json!({ "b": base64_text::encode(bytes) }),
        Value::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Json::String(text.to_owned()),
            Err(_) => json!({ "t": base64_text::encode(bytes) }),
        },
    }
}

fn from_stored(json: &Json) -> Option<Value> {
    let member = |name: &str| json.get(name).and_then(Json::as_str);
    Some(match json {
        Json::Null => Value::Null,
        Json::Number(number) if number.is_f64() => Value::Real(number.as_f64()?),
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone().into_bytes()),
        Json::Object(_) => match (member("i"), member("b"), member("t"), member("r")) {
            (Some(digits), ..) => Value::Integer(digits.parse().ok()?),
            (_, Some(bytes), ..) => Value::Blob(base64_text::decode(bytes)?),
            (_, _, Some(bytes), _) => Value::Text(base64_text::decode(bytes)?),
            (_, _, _, Some(real)) => Value::Real(real.parse().ok()?),
            _ => return None,
        },
        _ => return None,
    })
}

fn integer(value: i64) -> Json {
    if value.unsigned_abs() <= MOST_EXACT {
        return Json::from(value);
    }
    json!({ "i": value.to_string() })
}

/// A number with a point or an exponent; SQLite has infinities, and JSON has none.
fn real(value: f64) -> Json {
    match Number::from_f64(value) {
        Some(number) => Json::Number(number),
        None => json!({ "r": value.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.as_bytes().to_vec())
    }

    #[test]
    fn values_are_written_by_their_types_and_read_back() {
        let cases = [
            ("bigint", Value::Integer(17), json!(17)),
            (
                "bigint",
                Value::Integer(9_007_199_254_740_993),
                json!({"i": "9007199254740993"}),
            ),
            (
                "bigint",
                Value::Integer(i64::MIN),
                json!({"i": "-9223372036854775808"}),
            ),
            ("boolean", Value::Integer(1), json!(true)),
            ("double precision", Value::Real(0.1), json!(0.1)),
            ("double precision", Value::Real(5.0), json!(5.0)),
            ("double precision", text("NaN"), json!("NaN")),
            ("numeric(10,2)", text("1.50"), json!("1.50")),
            ("text", text("a'b\n"), json!("a'b\n")),
            ("varchar(3)", text("abc"), json!("abc")),
            ("char(3)", text("a"), json!("a")),
            ("bytea", Value::Blob(vec![0, 255]), json!({"b": "AP8="})),
            ("date", Value::Integer(9830), json!("2026-11-30")),
            (
                "timestamp",
                Value::Integer(1_500_000),
                json!("2000-01-01 00:00:01.5"),
            ),
            (
                "timestamptz",
                Value::Integer(0),
                json!("2000-01-01 00:00:00+00"),
            ),
            (
                "uuid",
                text("00000000-0000-0000-0000-00000000000f"),
                json!("00000000-0000-0000-0000-00000000000f"),
            ),
            ("json", text("{\"a\":  1}"), json!("{\"a\":  1}")),
            ("interval", text("1 day 02:03:04"), json!("1 day 02:03:04")),
            ("bigint", Value::Null, Json::Null),
        ];
        for (declared, value, expected) in cases {
            let ty = type_of(declared);
            assert_eq!(to_json(&value, &ty), expected, "{declared} {value:?}");
            assert_eq!(from_json(&expected, &ty), Some(value), "{declared}");
        }
    }

    #[test]
    fn what_is_no_value_of_its_type_is_written_as_it_is_stored() {
        let cases = [
            ("integer", text("abc"), json!({"stored": "abc"})),
            (
                "integer",
                Value::Integer(1 << 40),
                json!({"stored": 1_i64 << 40}),
            ),
            ("smallint", Value::Real(1.5), json!({"stored": 1.5})),
            ("text", Value::Integer(5), json!({"stored": 5})),
            (
                "text",
                Value::Integer(i64::MAX),
                json!({"stored": {"i": "9223372036854775807"}}),
            ),
            (
                "text",
                Value::Blob(vec![1]),
                json!({"stored": {"b": "AQ=="}}),
            ),
            (
                "text",
                Value::Text(vec![0xff]),
                json!({"stored": {"t": "/w=="}}),
            ),
            ("varchar(2)", text("abc"), json!({"stored": "abc"})),
            (
                "",
                Value::Real(f64::NEG_INFINITY),
                json!({"stored": {"r": "-inf"}}),
            ),
            ("boolean", Value::Integer(7), json!({"stored": 7})),
            ("date", text("today"), json!({"stored": "today"})),
            ("numeric", text("01.5"), json!({"stored": "01.5"})),
        ];
        for (declared, value, expected) in cases {
            let ty = type_of(declared);
            assert_eq!(to_json(&value, &ty), expected, "{declared} {value:?}");
            assert_eq!(from_json(&expected, &ty), Some(value), "{declared}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            (-3_i64..30_000).prop_map(Value::Integer),
            any::<f64>()
                .prop_filter("SQLite has NULL for it", |value| !value.is_nan())
                .prop_map(Value::Real),
            ".{0,12}".prop_map(|text| Value::Text(text.into_bytes())),
            "-?[0-9]{1,20}([.][0-9]{0,9})?".prop_map(|text| Value::Text(text.into_bytes())),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Text),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Blob),
        ]
    }

    proptest! {
        #[test]
        fn any_value_in_any_column_reads_back(
            value in any_value(),
            declared in prop::sample::select(vec![
                "", "smallint", "integer", "bigint", "oid", "real", "double precision", "numeric", "numeric(9,3)",
                "boolean", "text", "varchar(5)", "char(4)", "name", "\"char\"", "bytea", "date", "time", "timetz",
                "timestamp", "timestamp(3)", "timestamptz", "interval", "uuid", "json", "jsonb", "inet", "cidr",
            ]),
        ) {
            let ty = type_of(declared);
            let text = to_json(&value, &ty).to_string();
            let read = from_json(&serde_json::from_str(&text).unwrap(), &ty);
            prop_assert!(read.as_ref().is_some_and(|read| is_same(read, &value)), "{declared} {value:?} {text} {read:?}");
        }
    }
}
