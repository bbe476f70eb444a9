//! From a value's form on the wire to its stored form.

use std::fmt::Display;

use bytes::Buf;

use crate::array_binary;
use crate::encode_binary::JSONB_VERSION;
use crate::json::{self, Json};
use crate::text::{checked_utf8, within_limit};
use crate::{
    Context, Date, Format, Inet, Interval, PgType, SqlValue, Time, Timestamp, Timestamptz, Timetz,
    ValueError, bytea, float, integer, numeric, numeric_binary, single_byte, uuid,
};

/// Longest identifier, in bytes.
const NAME_BYTES: usize = 63;

/// Reads a value of type `ty` and gives it in stored form (see the crate's table), with
/// PostgreSQL's default settings, in UTC.
///
/// Limits of the type (characters, digits, scale) are applied as PostgreSQL applies them when it
/// assigns to a column. Errors: 22P02, 22P03, 22P05, 22003, 22007, 22008, 22015, 22001, 22021,
/// 22023.
pub fn decode(bytes: &[u8], ty: &PgType, format: Format) -> Result<SqlValue, ValueError> {
    decode_in(bytes, ty, format, Context::standard())
}

/// The same with the settings of a session.
pub fn decode_in(
    bytes: &[u8],
    ty: &PgType,
    format: Format,
    context: &Context,
) -> Result<SqlValue, ValueError> {
    match format {
        Format::Text => decode_text(checked_utf8(bytes)?, ty, context),
        Format::Binary => match ty {
            PgType::Composed(..) => array_binary::read(bytes, *ty, context),
            _ => decode_binary(bytes, ty),
        },
    }
}

pub(crate) fn decode_text(
    text: &str,
    ty: &PgType,
    context: &Context,
) -> Result<SqlValue, ValueError> {
    match ty {
        PgType::Bool => match integer::parse_bool(text) {
            Some(truth) => Ok(SqlValue::Integer(i64::from(truth))),
            None => Err(ValueError::syntax(ty.name(), text)),
        },
        PgType::Int2 | PgType::Int4 | PgType::Int8 | PgType::Oid => whole(text, ty),
        PgType::Float4 => float::parse_single(text).map(f64::from).map(stored_real),
        PgType::Float8 => float::parse_double(text).map(stored_real),
        PgType::Numeric { .. } => numeric::from_text(text, ty.numeric_limits()),
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Bpchar(_)
        | PgType::Name
        | PgType::Unknown
        | PgType::Enum(_)
        | PgType::Opaque(_) => characters(text, ty),
        PgType::Composed(..) => array_binary::checked(text, *ty, context),
        PgType::Char => Ok(SqlValue::Text(single_byte::from_text(text))),
        PgType::Bytea => bytea::parse(text).map(SqlValue::Blob),
        PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval(_) => moment(text, ty, context),
        PgType::Uuid if uuid::is_printed(text) => Ok(SqlValue::Text(text.to_owned())),
        PgType::Uuid => uuid::parse(text).map(uuid::text).map(SqlValue::Text),
        PgType::Json => json::check(text).map(|()| SqlValue::Text(text.to_owned())),
        PgType::Jsonb => Json::parse(text).map(printed),
        PgType::Inet => Inet::parse(text).map(printed),
        PgType::Cidr => {
            Inet::parse_network(text).map(|network| SqlValue::Text(network.network_text()))
        }
        PgType::Void => Ok(SqlValue::Null),
    }
}

fn whole(text: &str, ty: &PgType) -> Result<SqlValue, ValueError> {
    let (min, max) = match ty {
        PgType::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
        PgType::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
        PgType::Oid => (i64::from(i32::MIN), i64::from(u32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let number = integer::parse(text, ty.name(), min, max)?;
    // A negative number of 32 bits has an oid's bits, too.
    let is_oid = *ty == PgType::Oid;
    Ok(SqlValue::Integer(if is_oid {
        number & i64::from(u32::MAX)
    } else {
        number
    }))
}

fn moment(text: &str, ty: &PgType, context: &Context) -> Result<SqlValue, ValueError> {
    Ok(match ty {
        PgType::Date => SqlValue::Integer(Date::parse_in(text, context)?.days().into()),
        PgType::Time(digits) => SqlValue::Integer(Time::parse_in(text, *digits, context)?.micros()),
        PgType::Timetz(digits) => printed(Timetz::parse_in(text, *digits, context)?),
        PgType::Timestamp(digits) => {
            SqlValue::Integer(Timestamp::parse_in(text, *digits, context)?.micros())
        }
        PgType::Timestamptz(digits) => {
            SqlValue::Integer(Timestamptz::parse_in(text, *digits, context)?.0.micros())
        }
        _ => printed(Interval::parse_for(text, ty.typmod().into(), context)?),
    })
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
        PgType::Opaque(opaque) if opaque.is_oid() && bytes.len() == 4 => {
            SqlValue::Integer(read(rest.try_get_u32(), ty)?.into())
        }
        PgType::Float4 => stored_real(read(rest.try_get_f32(), ty)?.into()),
        PgType::Float8 => stored_real(read(rest.try_get_f64(), ty)?),
        PgType::Char => SqlValue::Text(single_byte::stored(read(rest.try_get_u8(), ty)?)),
        PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval(_) => binary_moment(&mut rest, ty)?,
        _ => return decode_whole(bytes, ty),
    };
    // What was not read shows that the client means another type.
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(wrong_length(ty))
    }
}

/// The types of any length, and those whose length is that of the value.
fn decode_whole(bytes: &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    match ty {
        PgType::Numeric { .. } => numeric_binary::from_binary(bytes, ty.numeric_limits()),
        PgType::Bytea => Ok(SqlValue::Blob(bytes.to_vec())),
        PgType::Uuid => match bytes.try_into() {
            Ok(uuid) => Ok(SqlValue::Text(uuid::text(uuid))),
            Err(_) => Err(wrong_length(ty)),
        },
        PgType::Jsonb => jsonb(bytes, ty),
        PgType::Inet => Inet::from_binary(bytes, false).map(printed),
        PgType::Cidr => {
            let network = Inet::from_binary(bytes, true)?;
            Ok(SqlValue::Text(network.network_text()))
        }
        PgType::Void => Ok(SqlValue::Null),
        // What is left has the same form in text.
        _ => decode_text(checked_utf8(bytes)?, ty, Context::standard()),
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

fn binary_moment(rest: &mut &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    Ok(match ty {
        PgType::Date => {
            let date = Date::new(read(rest.try_get_i32(), ty)?.into())?;
            SqlValue::Integer(date.days().into())
        }
        PgType::Time(digits) => {
            SqlValue::Integer(Time::new(read(rest.try_get_i64(), ty)?, *digits)?.micros())
        }
        PgType::Timetz(digits) => {
            let time = Time::new(read(rest.try_get_i64(), ty)?, *digits)?;
            // On the wire a zone counts seconds west of Greenwich.
            let west = read(rest.try_get_i32(), ty)?;
            printed(Timetz::new(time, west.saturating_neg())?)
        }
        PgType::Timestamp(digits) | PgType::Timestamptz(digits) => {
            SqlValue::Integer(Timestamp::new(read(rest.try_get_i64(), ty)?, *digits)?.micros())
        }
        _ => {
            let micros = read(rest.try_get_i64(), ty)?;
            let days = read(rest.try_get_i32(), ty)?;
            let months = read(rest.try_get_i32(), ty)?;
            let span = Interval {
                months,
                days,
                micros,
            };
            printed(span.kept(ty.typmod().into())?)
        }
    })
}

/// Text of a character type, within its limit; an object's oid where it is given as such.
pub(crate) fn characters(text: &str, ty: &PgType) -> Result<SqlValue, ValueError> {
    let kept = match ty {
        PgType::Varchar(limit) => within_limit(text, *limit, ty.name())?,
        PgType::Bpchar(length) => within_limit(text.trim_end_matches(' '), *length, ty.name())?,
        PgType::Name => text
            .get(..text.floor_char_boundary(NAME_BYTES))
            .unwrap_or(text),
        PgType::Opaque(opaque) if opaque.is_oid() => match text {
            "-" => return Ok(SqlValue::Integer(0)),
            _ if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                return whole(text, &PgType::Oid);
            }
            name => name,
        },
        _ => text,
    };
    Ok(SqlValue::Text(kept.to_owned()))
}

fn jsonb(bytes: &[u8], ty: &PgType) -> Result<SqlValue, ValueError> {
    match bytes.split_first() {
        Some((&JSONB_VERSION, text)) => Json::parse(checked_utf8(text)?).map(printed),
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
