//! From a stored value to its form on the wire.

use std::fmt::Write;

use bytes::{BufMut, BytesMut};

use crate::encode_binary::encode_binary;
use crate::numeric::Limits;
use crate::timestamp::plain;
use crate::{
    Date, Format, Interval, PgType, SqlValueRef, Time, Timestamp, Timestamptz, Timetz, ValueError,
    bytea, float, integer, numeric, uuid,
};

/// Appends a value's text or binary form to `out`, without a length in front.
///
/// NULL has no form, the protocol says it by a length of -1: the caller sees to it, here it adds
/// nothing. SQLite lets any column hold any value. In text form a value that is none of `ty` goes
/// out as its own text; in binary form it is an error (22003, 22P02, 22007, 22008) that names value
/// and type. After an error `out` is as long as before.
pub fn encode(
    value: SqlValueRef<'_>,
    ty: &PgType,
    format: Format,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    if value.is_null() {
        return Ok(());
    }
    match format {
        Format::Text => {
            encode_text(value, ty, out);
            Ok(())
        }
        Format::Binary => {
            let length = out.len();
            encode_binary(value, ty, out).inspect_err(|_| out.truncate(length))
        }
    }
}

impl PgType {
    /// The limits of a numeric type that has some.
    pub(crate) fn numeric_limits(&self) -> Option<Limits> {
        match *self {
            Self::Numeric {
                precision: Some(precision),
                scale,
            } => Some(Limits {
                precision,
                scale: scale.unwrap_or(0),
            }),
            _ => None,
        }
    }

    /// The digits behind the point that a numeric type shows; `None`: as many as there are.
    pub(crate) fn shown_scale(&self) -> Option<i16> {
        match *self {
            Self::Numeric {
                precision: None,
                scale: Some(0),
            } => None,
            Self::Numeric { scale, .. } => scale,
            _ => None,
        }
    }
}

fn encode_text(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) {
    let written = match ty {
        PgType::Bool => put_bool(value, out),
        PgType::Int2 | PgType::Int4 | PgType::Int8 | PgType::Oid => put_whole(value, out),
        PgType::Float4 => put_single(value, out),
        PgType::Float8 => put_double(value, out),
        PgType::Numeric { .. } => numeric::put_text(value, ty.shown_scale(), out),
        PgType::Bpchar(length) => {
            put_padded(value, *length, out);
            true
        }
        PgType::Bytea => put_bytes(value, out),
        PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval => put_moment(value, ty, out),
        PgType::Uuid => put_uuid(value, out),
        PgType::Void => true,
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Name
        | PgType::Char
        | PgType::Json
        | PgType::Jsonb
        | PgType::Unknown
        | PgType::Opaque(_) => false,
    };
    if !written {
        put_own_text(value, out);
    }
}

/// Appends the text that a value has by itself, whatever its column was declared as.
pub(crate) fn put_own_text(value: SqlValueRef<'_>, out: &mut BytesMut) {
    match value {
        SqlValueRef::Null => {}
        SqlValueRef::Integer(number) => integer::put(number, out),
        SqlValueRef::Real(number) => float::put_double(number, out),
        SqlValueRef::Text(text) => out.extend_from_slice(text.as_bytes()),
        SqlValueRef::Blob(bytes) => bytea::put_text(bytes, out),
    }
}

/// The truth of a value: a number is true unless it is 0, as in SQLite's own conditions.
pub(crate) fn truth(value: SqlValueRef<'_>) -> Option<bool> {
    match value {
        SqlValueRef::Integer(number) => Some(number != 0),
        SqlValueRef::Real(number) => Some(number != 0.0),
        SqlValueRef::Text(text) => integer::parse_bool(text),
        SqlValueRef::Null | SqlValueRef::Blob(_) => None,
    }
}

fn put_bool(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let truth = truth(value);
    if let Some(truth) = truth {
        out.put_u8(if truth { b't' } else { b'f' });
    }
    truth.is_some()
}

fn put_whole(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let whole = match value {
        SqlValueRef::Real(number) => float::exact_integer(number),
        SqlValueRef::Integer(number) => Some(number),
        _ => None,
    };
    if let Some(number) = whole {
        integer::put(number, out);
    }
    whole.is_some()
}

fn put_single(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let single = match value {
        SqlValueRef::Real(number) => float::single(number),
        SqlValueRef::Integer(number) => float::single(float::double_of_integer(number)),
        _ => None,
    };
    if let Some(single) = single {
        float::put_single(single, out);
    }
    single.is_some()
}

fn put_double(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let double = match value {
        SqlValueRef::Real(number) => Some(number),
        SqlValueRef::Integer(number) => Some(float::double_of_integer(number)),
        _ => None,
    };
    if let Some(double) = double {
        float::put_double(double, out);
    }
    double.is_some()
}

/// Appends a `character(n)` with the blanks that are not stored.
pub(crate) fn put_padded(value: SqlValueRef<'_>, length: Option<u32>, out: &mut BytesMut) {
    let start = out.len();
    put_own_text(value, out);
    let length = usize::try_from(length.unwrap_or(0)).unwrap_or(0);
    let written = out.get(start..).unwrap_or_default();
    // Characters are the bytes that do not continue one.
    let characters = written.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    out.put_bytes(b' ', length.saturating_sub(characters));
}

/// Text in a bytea column is taken for the literal of a client that wrote it without a type.
fn put_bytes(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    match value {
        SqlValueRef::Text(text) if text.starts_with("\\x") => false,
        SqlValueRef::Text(text) => {
            bytea::put_text(text.as_bytes(), out);
            true
        }
        _ => false,
    }
}

fn put_moment(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> bool {
    let SqlValueRef::Text(text) = value else {
        return false;
    };
    moment_text(text, ty, out).is_ok_and(|written| written.is_ok())
}

/// Appends a stored date or time in PostgreSQL's form; most of them have that form already.
fn moment_text(
    text: &str,
    ty: &PgType,
    out: &mut BytesMut,
) -> Result<std::fmt::Result, ValueError> {
    Ok(match ty {
        PgType::Date if !Date::is_plain(text) => write!(out, "{}", Date::parse(text)?),
        PgType::Time(digits) => write!(out, "{}", Time::parse(text, *digits)?),
        PgType::Timetz(digits) => write!(out, "{}", Timetz::parse(text, *digits)?),
        PgType::Timestamp(digits) if plain(text) != Some("") => {
            write!(out, "{}", Timestamp::parse(text, *digits)?)
        }
        PgType::Timestamptz(digits) => match plain(text) {
            Some("+00") => out.write_str(text),
            Some("") => write!(out, "{text}+00"),
            _ => write!(out, "{}", Timestamptz::parse(text, *digits)?),
        },
        PgType::Interval => write!(out, "{}", Interval::parse(text)?),
        _ => out.write_str(text),
    })
}

fn put_uuid(value: SqlValueRef<'_>, out: &mut BytesMut) -> bool {
    let uuid = match value {
        SqlValueRef::Text(text) => uuid::parse(text).ok(),
        SqlValueRef::Blob(bytes) => bytes.try_into().ok(),
        _ => None,
    };
    if let Some(uuid) = uuid {
        uuid::put(uuid, out);
    }
    uuid.is_some()
}
