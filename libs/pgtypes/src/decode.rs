//! From a value's form on the wire to its stored form.

use std::fmt::Display;

use bytes::{Buf, BytesMut};

use crate::encode_binary::JSONB_VERSION;
use crate::text::{checked_utf8, within_limit};
use crate::{
    Date, Format, Interval, PgType, SqlValue, Time, Timestamp, Timestamptz, Timetz, ValueError,
    bytea, float, integer, json, numeric, uuid,
};

/// Longest identifier, in bytes.
const NAME_BYTES: usize = 63;

/// Reads a value of type `ty` and gives it in stored form (see the crate's table).
///
/// Limits of the type (characters, digits, scale) are applied as PostgreSQL applies them when it
/// assigns to a column. Errors: 22P02, 22P03, 22003, 22007, 22008, 22015, 22001, 22021, 22023.
pub fn decode(bytes: &[u8], ty: &PgType, format: Format) -> Result<SqlValue, ValueError> {
    match format {
        Format::Text if *ty == PgType::Bytea => {
            bytea::parse(checked_utf8(bytes)?).map(SqlValue::Blob)
        }
        Format::Text => decode_text(checked_utf8(bytes)?, ty),
        Format::Binary => decode_binary(bytes, ty),
    }
}

pub(crate) fn decode_text(text: &str, ty: &PgType) -> Result<SqlValue, ValueError> {
    let whole = |min, max| integer::parse(text, ty.name(), min, max).map(SqlValue::Integer);
    match ty {
        PgType::Bool => match integer::parse_bool(text) {
            Some(truth) => Ok(SqlValue::Integer(i64::from(truth))),
            None => Err(ValueError::syntax(ty.name(), text)),
        },
        PgType::Int2 => whole(i64::from(i16::MIN), i64::from(i16::MAX)),
        PgType::Int4 => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
        PgType::Int8 => whole(i64::MIN, i64::MAX),
        // A negative number of 32 bits has an oid's bits, too.
        PgType::Oid => integer::parse(text, ty.name(), i32::MIN.into(), u32::MAX.into())
            .map(|oid| SqlValue::Integer(oid & i64::from(u32::MAX))),
        PgType::Float4 => float::parse_single(text)
            .map(float::double_of_single)
            .map(stored_real),
        PgType::Float8 => float::parse_double(text).map(stored_real),
        PgType::Numeric { .. } => numeric::from_text(text, ty.numeric_limits()),
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Bpchar(_)
        | PgType::Name
        | PgType::Unknown
        | PgType::Opaque(_) => characters(text, ty),
        PgType::Char => {
            let first = text.chars().next().map(String::from).unwrap_or_default();
            Ok(SqlValue::Text(first))
        }
        PgType::Bytea => bytea::parse(text).map(SqlValue::Blob),
        PgType::Date if Date::is_plain(text) => {
            Date::parse(text).map(|_| SqlValue::Text(text.into()))
        }
        PgType::Date => Date::parse(text).map(printed),
        PgType::Time(digits) => Time::parse(text, *digits).map(printed),
        PgType::Timetz(digits) => Timetz::parse(text, *digits).map(printed),
        PgType::Timestamp(digits) => Timestamp::parse(text, *digits).map(printed),
        PgType::Timestamptz(digits) => Timestamptz::parse(text, *digits).map(printed),
        PgType::Interval => Interval::parse(text).map(printed),
        PgType::Uuid => uuid::parse(text).map(stored_uuid),
        PgType::Json | PgType::Jsonb => json::check(text).map(|()| SqlValue::Text(text.to_owned())),
        PgType::Void => Ok(SqlValue::Null),
    }
}

fn decode_binary(bytes: &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    let mut rest = bytes;
    let value = match ty {
        PgType::Bool => {
            read(rest.try_get_u8(), ty).map(|byte| SqlValue::Integer(i64::from(byte != 0)))?
        }
        PgType::Int2 => SqlValue::Integer(read(rest.try_get_i16(), ty)?.into()),
        PgType::Int4 => SqlValue::Integer(read(rest.try_get_i32(), ty)?.into()),
        PgType::Int8 => SqlValue::Integer(read(rest.try_get_i64(), ty)?),
        PgType::Oid => SqlValue::Integer(read(rest.try_get_u32(), ty)?.into()),
        PgType::Float4 => stored_real(float::double_of_single(read(rest.try_get_f32(), ty)?)),
        PgType::Float8 => stored_real(read(rest.try_get_f64(), ty)?),
        PgType::Numeric { .. } => return numeric::from_binary(bytes, ty.numeric_limits()),
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Bpchar(_)
        | PgType::Name
        | PgType::Unknown
        | PgType::Opaque(_) => {
            return characters(checked_utf8(bytes)?, ty);
        }
        PgType::Char => {
            let byte = read(rest.try_get_u8(), ty)?;
            let one = bytes.get(..usize::from(byte != 0)).unwrap_or_default();
            SqlValue::Text(checked_utf8(one)?.to_owned())
        }
        PgType::Bytea => return Ok(SqlValue::Blob(bytes.to_vec())),
        PgType::Json => return decode_text(checked_utf8(bytes)?, ty),
        PgType::Jsonb => return jsonb(bytes, ty),
        PgType::Void => return Ok(SqlValue::Null),
        PgType::Uuid => {
            let Ok(uuid) = bytes.try_into() else {
                return Err(wrong_length(ty));
            };
            return Ok(stored_uuid(uuid));
        }
        PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval => moment(&mut rest, ty)?,
    };
    // What was not read shows that the client means another type.
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(wrong_length(ty))
    }
}

fn wrong_length(ty: &PgType) -> ValueError {
    ValueError::binary(format!(
        "incorrect binary data format for type {}",
        ty.name()
    ))
}

fn read<T>(got: Result<T, bytes::TryGetError>, ty: &PgType) -> Result<T, ValueError> {
    got.map_err(|_| wrong_length(ty))
}

fn moment(rest: &mut &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    Ok(match ty {
        PgType::Date => printed(Date::new(read(rest.try_get_i32(), ty)?.into())?),
        PgType::Time(digits) => printed(Time::new(read(rest.try_get_i64(), ty)?, *digits)?),
        PgType::Timetz(digits) => {
            let time = Time::new(read(rest.try_get_i64(), ty)?, *digits)?;
            // On the wire a zone counts seconds west of Greenwich.
            let west = read(rest.try_get_i32(), ty)?;
            printed(Timetz::new(time, west.saturating_neg())?)
        }
        PgType::Timestamp(digits) => {
            printed(Timestamp::new(read(rest.try_get_i64(), ty)?, *digits)?)
        }
        PgType::Timestamptz(digits) => {
            let moment = Timestamp::new(read(rest.try_get_i64(), ty)?, *digits)?;
            printed(moment.with_zone())
        }
        _ => {
            let micros = read(rest.try_get_i64(), ty)?;
            let days = read(rest.try_get_i32(), ty)?;
            let months = read(rest.try_get_i32(), ty)?;
            printed(Interval {
                months,
                days,
                micros,
            })
        }
    })
}

/// Text of a character type, within its limit.
fn characters(text: &str, ty: &PgType) -> Result<SqlValue, ValueError> {
    let kept = match ty {
        PgType::Varchar(limit) => within_limit(text, *limit, ty.name())?,
        PgType::Bpchar(length) => within_limit(text.trim_end_matches(' '), *length, ty.name())?,
        PgType::Name if text.len() > NAME_BYTES => {
            let end = (0..=NAME_BYTES)
                .rev()
                .find(|end| text.is_char_boundary(*end));
            text.get(..end.unwrap_or(0)).unwrap_or_default()
        }
        _ => text,
    };
    Ok(SqlValue::Text(kept.to_owned()))
}

fn jsonb(bytes: &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    match bytes.split_first() {
        Some((&JSONB_VERSION, text)) => decode_text(checked_utf8(text)?, ty),
        Some((version, _)) => Err(ValueError::binary(format!(
            "unsupported jsonb version number {version}"
        ))),
        None => Err(wrong_length(ty)),
    }
}

/// SQLite would turn NaN into NULL: it is kept as text, which sorts behind every number.
pub(crate) fn stored_real(value: f64) -> SqlValue {
    if value.is_nan() {
        SqlValue::Text("NaN".to_owned())
    } else {
        // SQLite's records have no negative zero.
        SqlValue::Real(value + 0.0)
    }
}

fn printed(value: impl Display) -> SqlValue {
    SqlValue::Text(value.to_string())
}

fn stored_uuid(uuid: [u8; 16]) -> SqlValue {
    let mut out = BytesMut::with_capacity(36);
    uuid::put(uuid, &mut out);
    SqlValue::Text(String::from_utf8_lossy(&out).into_owned())
}
