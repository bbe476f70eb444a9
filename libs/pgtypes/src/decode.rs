//! From a value's form on the wire to its stored form.

use bytes::{Buf, BytesMut};

use crate::datetime::{
    Zone, checked_date, checked_time, checked_timestamp, is_plain_date, parse_date,
    parse_time_of_day, parse_timestamp, parse_timetz, put_date, put_time, put_timestamp,
    put_timetz,
};
use crate::encode_binary::JSONB_VERSION;
use crate::text::{checked_utf8, within_limit};
use crate::{
    Format, PgType, SqlState, SqlValue, ValueError, bytea, float, integer, interval, json, numeric,
    uuid,
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

fn decode_text(text: &str, ty: &PgType) -> Result<SqlValue, ValueError> {
    let whole = |min, max| integer::parse(text, ty.name(), min, max).map(SqlValue::Integer);
    match ty {
        PgType::Bool => match integer::parse_bool(text) {
            Some(truth) => Ok(SqlValue::Integer(i64::from(truth))),
            None => Err(ValueError::syntax(ty.name(), text)),
        },
        PgType::Int2 => whole(i64::from(i16::MIN), i64::from(i16::MAX)),
        PgType::Int4 => whole(i64::from(i32::MIN), i64::from(i32::MAX)),
        PgType::Int8 => whole(i64::MIN, i64::MAX),
        PgType::Oid => whole(0, i64::from(u32::MAX)),
        PgType::Float4 => float::parse_single(text)
            .map(float::double_of_single)
            .map(stored_real),
        PgType::Float8 => float::parse_double(text).map(stored_real),
        PgType::Numeric { .. } => numeric::from_text(text, ty.numeric_limits()),
        PgType::Text | PgType::Varchar(_) | PgType::Bpchar(_) | PgType::Name | PgType::Unknown => {
            characters(text, ty)
        }
        PgType::Char => {
            let first = text.chars().next().map(String::from).unwrap_or_default();
            Ok(SqlValue::Text(first))
        }
        PgType::Bytea => bytea::parse(text).map(SqlValue::Blob),
        PgType::Date if is_plain_date(text) => {
            parse_date(text).map(|_| SqlValue::Text(text.into()))
        }
        PgType::Date => parse_date(text).map(|days| written(|out| put_date(days, out))),
        PgType::Time(digits) => parse_time_of_day(text, *digits).map(stored_time),
        PgType::Timetz(digits) => {
            parse_timetz(text, *digits).map(|(micros, zone)| stored_timetz(micros, zone))
        }
        PgType::Timestamp(digits) => parse_timestamp(text, Zone::Without, *digits)
            .map(|micros| stored_timestamp(micros, Zone::Without)),
        PgType::Timestamptz(digits) => parse_timestamp(text, Zone::Utc, *digits)
            .map(|micros| stored_timestamp(micros, Zone::Utc)),
        PgType::Interval => interval::parse(text).map(stored_interval),
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
        PgType::Text | PgType::Varchar(_) | PgType::Bpchar(_) | PgType::Name | PgType::Unknown => {
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
        PgType::Date => {
            let days = checked_date(read(rest.try_get_i32(), ty)?)?;
            written(|out| put_date(days, out))
        }
        PgType::Time(digits) => stored_time(checked_time(read(rest.try_get_i64(), ty)?, *digits)?),
        PgType::Timetz(digits) => {
            let micros = checked_time(read(rest.try_get_i64(), ty)?, *digits)?;
            let west = read(rest.try_get_i32(), ty)?;
            if west.unsigned_abs() >= 16 * 3600 {
                return Err(ValueError::new(
                    SqlState::INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
                    "time zone displacement out of range",
                ));
            }
            stored_timetz(micros, -i64::from(west))
        }
        PgType::Timestamp(digits) => {
            let micros = checked_timestamp(read(rest.try_get_i64(), ty)?, *digits)?;
            stored_timestamp(micros, Zone::Without)
        }
        PgType::Timestamptz(digits) => {
            let micros = checked_timestamp(read(rest.try_get_i64(), ty)?, *digits)?;
            stored_timestamp(micros, Zone::Utc)
        }
        _ => {
            let micros = read(rest.try_get_i64(), ty)?;
            let days = read(rest.try_get_i32(), ty)?;
            let months = read(rest.try_get_i32(), ty)?;
            stored_interval(interval::Interval {
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
fn stored_real(value: f64) -> SqlValue {
    if value.is_nan() {
        SqlValue::Text("NaN".to_owned())
    } else {
        SqlValue::Real(value)
    }
}

fn stored_time(micros: i64) -> SqlValue {
    written(|out| put_time(micros, out))
}

fn stored_timetz(micros: i64, zone_seconds: i64) -> SqlValue {
    written(|out| put_timetz(micros, zone_seconds, out))
}

fn stored_timestamp(micros: i64, zone: Zone) -> SqlValue {
    written(|out| put_timestamp(micros, zone, out))
}

fn stored_interval(interval: interval::Interval) -> SqlValue {
    written(|out| interval::put_text(interval, out))
}

fn stored_uuid(uuid: [u8; 16]) -> SqlValue {
    written(|out| uuid::put(uuid, out))
}

/// The text that a writer of canonical forms, which are ASCII, appends.
fn written(put: impl FnOnce(&mut BytesMut)) -> SqlValue {
    let mut out = BytesMut::with_capacity(40);
    put(&mut out);
    SqlValue::Text(String::from_utf8_lossy(&out).into_owned())
}
