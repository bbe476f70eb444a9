//! What the library says a value is.

use bytes::BytesMut;
use pgtypes::{Format, PgType, SqlValue, ValueError, decode, encode};

use crate::kinds::Kind;

/// A value's forms.
#[derive(Debug)]
pub(crate) struct Expected {
    /// On the wire, as text.
    pub(crate) text: String,
    /// On the wire, in binary.
    pub(crate) binary: Vec<u8>,
    /// Cast to text.
    pub(crate) cast: String,
    /// As a part of JSON.
    pub(crate) json: serde_json::Value,
    /// As a part of JSON, where each character counts: numbers keep their digits.
    pub(crate) number: Option<String>,
}

pub(crate) fn ty(kind: &Kind) -> PgType {
    PgType::parse(kind.declared).expect(kind.declared)
}

fn form(value: &SqlValue, ty: &PgType, format: Format) -> Vec<u8> {
    let mut out = BytesMut::new();
    encode(value.as_ref(), ty, format, &mut out).expect("a value of its type");
    out.to_vec()
}

impl Expected {
    pub(crate) fn new(kind: &Kind, input: &str) -> Result<Self, ValueError> {
        let ty = ty(kind);
        let value = decode(input.as_bytes(), &ty, Format::Text)?;
        let text = String::from_utf8(form(&value, &ty, Format::Text)).expect("UTF-8");
        let cast = match (&ty, text.as_str()) {
            (PgType::Bool, "t") => "true".to_owned(),
            (PgType::Bool, _) => "false".to_owned(),
            (PgType::Bpchar(_), text) => text.trim_end_matches(' ').to_owned(),
            (_, text) => text.to_owned(),
        };
        let finite = text.ends_with(|last: char| last.is_ascii_digit());
        Ok(Self {
            binary: form(&value, &ty, Format::Binary),
            number: (ty.is_number() && finite).then(|| text.clone()),
            json: json(&ty, &text, &cast),
            cast,
            text,
        })
    }
}

/// What `to_json` makes of a value.
fn json(ty: &PgType, text: &str, cast: &str) -> serde_json::Value {
    let string = |text: &str| serde_json::Value::String(text.to_owned());
    match ty {
        PgType::Bool => serde_json::Value::Bool(cast == "true"),
        PgType::Json | PgType::Jsonb => serde_json::from_str(text).expect("JSON"),
        PgType::Timestamp(_) => string(&text.replacen(' ', "T", 1)),
        PgType::Timestamptz(_) => string(&text.replacen(' ', "T", 1).replacen("+00", "+00:00", 1)),
        _ => string(text),
    }
}

/// SQLSTATE and message of the library's refusal.
pub(crate) fn refusal(kind: &Kind, text: &str) -> String {
    match decode(text.as_bytes(), &ty(kind), Format::Text) {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{} {}", error.sqlstate, error.message),
    }
}
