//! Values on their way into a text or into JSON, inside a statement.

use bytes::BytesMut;

use crate::encode::truth;
use crate::{Format, PgType, SqlValueRef, encode};

/// The text that goes over the wire for a value, as PostgreSQL's output functions give it.
pub fn to_text(value: SqlValueRef<'_>, ty: &PgType) -> String {
    let mut out = BytesMut::new();
    match encode(value, ty, Format::Text, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        // Text form has room for any value.
        Err(error) => error.message,
    }
}

/// A value as JSON, as PostgreSQL's `to_json` gives it: truth and numbers bare, timestamps with a T, JSON as it is, all
/// else as a string.
pub fn to_json(value: SqlValueRef<'_>, ty: &PgType) -> String {
    let text = to_text(value, ty);
    match ty {
        _ if value.is_null() => "null".to_owned(),
        PgType::Bool => match truth(value) {
            Some(truth) => truth.to_string(),
            None => quoted(&text),
        },
        PgType::Json | PgType::Jsonb => text,
        // NaN and the infinities are no numbers in JSON.
        _ if ty.is_number() && text.ends_with(|last: char| last.is_ascii_digit()) => text,
        PgType::Timestamp(_) => quoted(&text.replacen(' ', "T", 1)),
        PgType::Timestamptz(_) => quoted(&text.replacen(' ', "T", 1).replacen("+00", "+00:00", 1)),
        _ => quoted(&text),
    }
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
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
