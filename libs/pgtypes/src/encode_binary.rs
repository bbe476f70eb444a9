//! Binary forms: numbers with the high byte first, as the types' `send` functions give them.

use bytes::{BufMut, BytesMut};

use crate::encode::{put_own_text, put_padded, truth};
use crate::error::{EXCERPT_CHARS, excerpt};
use crate::{
    Date, Inet, Interval, PgType, SqlState, SqlValueRef, Time, Timestamp, Timetz, ValueError,
    bytea, float, integer, numeric_binary, single_byte, uuid,
};

/// The version that stands in front of a jsonb value.
pub(crate) const JSONB_VERSION: u8 = 1;

pub(crate) fn encode_binary(
    value: SqlValueRef<'_>,
    ty: &PgType,
    out: &mut BytesMut,
) -> Result<(), ValueError> {
    match ty {
        PgType::Bool => out.put_u8(u8::from(truth(value).ok_or_else(|| unfit(value, ty))?)),
        PgType::Int2 => out.put_i16(whole(value, ty)?),
        PgType::Int4 => out.put_i32(whole(value, ty)?),
        PgType::Int8 => out.put_i64(whole(value, ty)?),
        PgType::Oid => out.put_u32(whole(value, ty)?),
        PgType::Float4 => {
            let single = float::single(real(value, ty)?);
            out.put_f32(single.ok_or_else(|| ValueError::range(ty.name(), &shown(value)))?);
        }
        PgType::Float8 => out.put_f64(real(value, ty)?),
        PgType::Numeric { .. } => match value {
            SqlValueRef::Blob(_) => return Err(unfit(value, ty)),
            _ => numeric_binary::put_binary(value, ty.shown_scale(), out)?,
        },
        PgType::Bpchar(length) => put_padded(value, *length, out),
        PgType::Opaque(opaque) if opaque.is_oid() => match value {
            SqlValueRef::Integer(_) => out.put_u32(whole(value, ty)?),
            _ => {
                return Err(ValueError::new(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("{} is not supported in binary format", ty.name()),
                ));
            }
        },
        PgType::Text
        | PgType::Varchar(_)
        | PgType::Name
        | PgType::Unknown
        | PgType::Enum(_)
        | PgType::Opaque(_) => {
            put_own_text(value, out);
        }
        PgType::Json => put_json(value, ty, out)?,
        PgType::Jsonb => {
            out.put_u8(JSONB_VERSION);
            put_json(value, ty, out)?;
        }
        PgType::Char => put_char(value, ty, out)?,
        PgType::Bytea => put_bytes(value, ty, out)?,
        PgType::Uuid => put_uuid(value, ty, out)?,
        PgType::Inet | PgType::Cidr => put_inet(value, ty, out)?,
        PgType::Void => {}
        PgType::Composed(..) => {
            return Err(ValueError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "arrays and rows are not supported in binary format",
            ));
        }
        PgType::Date
        | PgType::Time(_)
        | PgType::Timetz(_)
        | PgType::Timestamp(_)
        | PgType::Timestamptz(_)
        | PgType::Interval(_) => put_moment(value, ty, out)?,
    }
    Ok(())
}

/// A value that is none of its column's type.
fn unfit(value: SqlValueRef<'_>, ty: &PgType) -> ValueError {
    ValueError::syntax(ty.name(), &shown(value))
}

/// A value's own text, for a message.
fn shown(value: SqlValueRef<'_>) -> String {
    let mut text = BytesMut::new();
    match value {
        // No message needs the megabytes of a large blob.
        SqlValueRef::Blob(bytes) => {
            bytea::put_text(bytes.get(..EXCERPT_CHARS).unwrap_or(bytes), &mut text);
        }
        SqlValueRef::Text(text) => return excerpt(text, EXCERPT_CHARS),
        other => put_own_text(other, &mut text),
    }
    excerpt(&String::from_utf8_lossy(&text), EXCERPT_CHARS)
}

fn whole<T: TryFrom<i64>>(value: SqlValueRef<'_>, ty: &PgType) -> Result<T, ValueError> {
    let number = match value {
        SqlValueRef::Integer(number) => number,
        SqlValueRef::Real(number) => float::exact_integer(number).ok_or_else(|| {
            if number.fract() == 0.0 {
                ValueError::range(ty.name(), &shown(value))
            } else {
                unfit(value, ty)
            }
        })?,
        SqlValueRef::Text(text) => integer::parse(text, ty.name(), i64::MIN, i64::MAX)?,
        SqlValueRef::Null | SqlValueRef::Blob(_) => return Err(unfit(value, ty)),
    };
    T::try_from(number).map_err(|_| ValueError::range(ty.name(), &shown(value)))
}

fn real(value: SqlValueRef<'_>, ty: &PgType) -> Result<f64, ValueError> {
    match value {
        SqlValueRef::Integer(number) => Ok(float::double_of_integer(number)),
        SqlValueRef::Real(number) => Ok(number),
        SqlValueRef::Text(text) => float::parse_double(text),
        SqlValueRef::Null | SqlValueRef::Blob(_) => Err(unfit(value, ty)),
    }
}

fn put_json(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    if matches!(value, SqlValueRef::Blob(_)) {
        return Err(unfit(value, ty));
    }
    put_own_text(value, out);
    Ok(())
}

fn put_char(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    let byte = match value {
        SqlValueRef::Text(text) => single_byte::byte(text),
        SqlValueRef::Integer(digit @ 0..=9) => b'0' + u8::try_from(digit).unwrap_or(0),
        _ => return Err(unfit(value, ty)),
    };
    out.put_u8(byte);
    Ok(())
}

fn put_bytes(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    match value {
        SqlValueRef::Blob(bytes) => out.extend_from_slice(bytes),
        SqlValueRef::Text(text) if text.starts_with("\\x") => {
            out.extend_from_slice(&bytea::parse(text)?);
        }
        SqlValueRef::Text(text) => out.extend_from_slice(text.as_bytes()),
        _ => return Err(unfit(value, ty)),
    }
    Ok(())
}

fn put_uuid(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    match value {
        SqlValueRef::Text(text) => out.extend_from_slice(&uuid::parse(text)?),
        SqlValueRef::Blob(bytes) if bytes.len() == 16 => out.extend_from_slice(bytes),
        _ => return Err(unfit(value, ty)),
    }
    Ok(())
}

fn put_moment(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    match (value, ty) {
        (SqlValueRef::Integer(number), PgType::Date) => out.put_i32(Date::new(number)?.days()),
        (SqlValueRef::Integer(number), PgType::Time(_)) => {
            out.put_i64(Time::new(number, None)?.micros());
        }
        (SqlValueRef::Integer(number), PgType::Timestamp(_) | PgType::Timestamptz(_)) => {
            out.put_i64(Timestamp::new(number, None)?.micros());
        }
        (SqlValueRef::Text(text), PgType::Timetz(_)) => {
            let timetz = Timetz::parse(text, None)?;
            out.put_i64(timetz.time.micros());
            // On the wire a zone counts seconds west of Greenwich.
            out.put_i32(-timetz.offset_seconds);
        }
        (SqlValueRef::Text(text), PgType::Interval(_)) => {
            let interval = Interval::parse(text)?;
            out.put_i64(interval.micros);
            out.put_i32(interval.days);
            out.put_i32(interval.months);
        }
        _ => return Err(unfit(value, ty)),
    }
    Ok(())
}

fn put_inet(value: SqlValueRef<'_>, ty: &PgType, out: &mut BytesMut) -> Result<(), ValueError> {
    let SqlValueRef::Text(text) = value else {
        return Err(unfit(value, ty));
    };
    if *ty == PgType::Cidr {
        Inet::parse_network(text)?.put_binary(true, out);
    } else {
        Inet::parse(text)?.put_binary(false, out);
    }
    Ok(())
}
