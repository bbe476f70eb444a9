//! Values on their way into a text or into JSON, inside a statement.

use bytes::BytesMut;

use crate::encode::truth;
use crate::json::quoted;
use crate::line::Line;
use crate::{Context, Date, Format, PgType, SqlValueRef, Timestamp, encode_in, moment_line};

/// The text that goes over the wire for a value, as PostgreSQL's output functions give it with
/// PostgreSQL's default settings, in UTC.
pub fn to_text(value: SqlValueRef<'_>, ty: &PgType) -> String {
    to_text_in(value, ty, Context::standard())
}

/// The same with the settings of a session.
pub fn to_text_in(value: SqlValueRef<'_>, ty: &PgType, context: &Context) -> String {
    let mut out = BytesMut::new();
    match encode_in(value, ty, Format::Text, context, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        // Text form has room for any value.
        Err(error) => error.message,
    }
}

/// A value as JSON, as PostgreSQL's `to_json` gives it: truth and numbers bare, dates in ISO style,
/// timestamps with a T, JSON as it is, all else as a string.
pub fn to_json(value: SqlValueRef<'_>, ty: &PgType) -> String {
    to_json_in(value, ty, Context::standard())
}

/// The same with the settings of a session.
pub fn to_json_in(value: SqlValueRef<'_>, ty: &PgType, context: &Context) -> String {
    if value.is_null() {
        return "null".to_owned();
    }
    if let Some(line) = moment(value, ty, context) {
        return quoted(&line.to_string());
    }
    let text = to_text_in(value, ty, context);
    match ty {
        PgType::Bool => match truth(value) {
            Some(truth) => truth.to_string(),
            None => quoted(&text),
        },
        PgType::Json | PgType::Jsonb => text,
        // NaN and the infinities are no numbers in JSON.
        _ if ty.is_number() && text.ends_with(|last: char| last.is_ascii_digit()) => text,
        _ => quoted(&text),
    }
}

fn moment(value: SqlValueRef<'_>, ty: &PgType, context: &Context) -> Option<Line> {
    let SqlValueRef::Integer(number) = value else {
        return None;
    };
    let timestamp = || Timestamp::new(number, None).ok();
    let style = Context::standard();
    match ty {
        PgType::Date => Date::new(number)
            .ok()
            .map(|date| moment_line::date(date, style.date_style, style.date_order)),
        PgType::Timestamp(_) => Some(moment_line::json(timestamp()?, None)),
        PgType::Timestamptz(_) => Some(moment_line::json(timestamp()?, Some(&context.zone))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{to_json, to_text};
    use crate::{Format, PgType, SqlValueRef, decode};

    /// Texts and JSON of PostgreSQL 15.
    #[test]
    fn values_are_shown_as_postgresql_shows_them() {
        for (ty, input, text, json) in [
            ("bool", "yes", "t", "true"),
            ("int4", "7", "7", "7"),
            ("oid", "7", "7", "\"7\""),
            ("numeric(10,2)", "5", "5.00", "5.00"),
            ("numeric", "1.50", "1.50", "1.50"),
            ("numeric", "-inf", "-Infinity", "\"-Infinity\""),
            ("numeric", "NaN", "NaN", "\"NaN\""),
            ("float8", "2.0", "2", "2"),
            ("float8", "1e300", "1e+300", "1e+300"),
            ("float4", "0.1", "0.1", "0.1"),
            ("float8", "-inf", "-Infinity", "\"-Infinity\""),
            ("char(3)", "a", "a  ", "\"a  \""),
            ("text", "a\"\n\u{1}", "a\"\n\u{1}", "\"a\\\"\\n\\u0001\""),
            ("bytea", "\\x00ff", "\\x00ff", "\"\\\\x00ff\""),
            ("date", "2024-01-31", "2024-01-31", "\"2024-01-31\""),
            (
                "timestamp",
                "2024-01-31 10:00",
                "2024-01-31 10:00:00",
                "\"2024-01-31T10:00:00\"",
            ),
            (
                "timestamptz",
                "0044-03-15 10:00+02 BC",
                "0044-03-15 08:00:00+00 BC",
                "\"0044-03-15T08:00:00+00:00 BC\"",
            ),
            ("timestamp", "infinity", "infinity", "\"infinity\""),
            ("interval", "90 minutes", "01:30:00", "\"01:30:00\""),
            ("timetz", "10:00+02", "10:00:00+02", "\"10:00:00+02\""),
            (
                "jsonb",
                "{\"b\":1,\"a\":2}",
                "{\"a\": 2, \"b\": 1}",
                "{\"a\": 2, \"b\": 1}",
            ),
            ("json", "{\"a\": 1}", "{\"a\": 1}", "{\"a\": 1}"),
        ] {
            let ty = PgType::parse(ty).unwrap();
            let value = decode(input.as_bytes(), &ty, Format::Text).unwrap();
            assert_eq!(to_text(value.as_ref(), &ty), text, "{ty}");
            assert_eq!(to_json(value.as_ref(), &ty), json, "{ty}");
        }
        assert_eq!(to_json(SqlValueRef::Null, &PgType::Text), "null");
    }
}
