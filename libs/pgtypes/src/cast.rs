//! From a stored value of one type to the stored form of another.

use bytes::BytesMut;

use crate::decode::{characters, decode_text, stored_real};
use crate::encode::{put_own_text, truth};
use crate::{
    Context, Date, Decimal, Interval, PgType, SqlState, SqlValue, SqlValueRef, Time, Timestamp,
    Timetz, ValueError, float, numeric, to_text_in,
};

/// Decimal digits that become of a double and of a single.
const DOUBLE_DIGITS: i32 = 15;
const SINGLE_DIGITS: i32 = 6;

/// Casts a value to type `ty`, taking it for what SQLite has it: a whole number, a double, a text or
/// bytes, with PostgreSQL's default settings, in UTC. NULL stays.
pub fn cast(value: SqlValueRef<'_>, ty: &PgType) -> Result<SqlValue, ValueError> {
    cast_in(value, &PgType::of_value(value), ty, Context::standard())
}

/// Casts a value that is stored as type `from` to type `to`, with the settings of a session.
///
/// Numbers become numbers, moments become moments, a number becomes a boolean and the other way
/// round; all else goes by the value's text, read as [`decode`](crate::decode) reads it. Limits are
/// those of an assignment to a column: what is too long is refused. NULL stays.
pub fn cast_in(
    value: SqlValueRef<'_>,
    from: &PgType,
    to: &PgType,
    context: &Context,
) -> Result<SqlValue, ValueError> {
    if value.is_null() {
        return Ok(SqlValue::Null);
    }
    if from.base() == to.base() && from.typmod() == to.typmod() {
        return Ok(value.to_owned());
    }
    let is_number = from.is_number() || *from == PgType::Oid;
    match (value, to) {
        (SqlValueRef::Blob(bytes), PgType::Bytea) => return Ok(SqlValue::Blob(bytes.to_vec())),
        (SqlValueRef::Integer(_) | SqlValueRef::Real(_), PgType::Bool) if is_number => {
            return Ok(SqlValue::Integer(truth(value).unwrap_or(false).into()));
        }
        (SqlValueRef::Integer(truth), _) if *from == PgType::Bool => {
            if to.is_integer() {
                return Ok(SqlValue::Integer(truth));
            }
            // A boolean among characters is a word.
            let word = if truth == 0 { "false" } else { "true" };
            return decode_text(word, to, context);
        }
        _ if is_number && (to.is_number() || *to == PgType::Oid) => {
            return number(value, from, to);
        }
        _ => {}
    }
    if let SqlValueRef::Integer(stored) = value
        && let Some(cast) = moment(stored, from, to, context)?
    {
        return Ok(cast);
    }
    let text = to_text_in(value, &from.base(), context);
    if to.is_text() {
        return characters(&text, to);
    }
    decode_text(&text, to, context)
}

fn number(value: SqlValueRef<'_>, from: &PgType, to: &PgType) -> Result<SqlValue, ValueError> {
    match to {
        PgType::Float8 => double(value).map(stored_real),
        PgType::Float4 => single(value),
        PgType::Numeric { .. } => {
            let digits = if *from == PgType::Float4 {
                SINGLE_DIGITS
            } else {
                DOUBLE_DIGITS
            };
            let decimal = match value {
                SqlValueRef::Real(real) => {
                    Decimal::from_real(real).map(|number| number.rounded_to_significant(digits))
                }
                _ => numeric::decimal(value)?,
            };
            numeric::stored(decimal, to.numeric_limits())
        }
        PgType::Int2 => whole::<i16>(value, from, to),
        PgType::Int4 => whole::<i32>(value, from, to),
        PgType::Oid => whole::<u32>(value, from, to),
        _ => whole::<i64>(value, from, to),
    }
}

fn double(value: SqlValueRef<'_>) -> Result<f64, ValueError> {
    match value {
        SqlValueRef::Integer(number) => Ok(float::double_of_integer(number)),
        SqlValueRef::Real(number) => Ok(number),
        _ => float::parse_double(&value.own_text()),
    }
}

fn single(value: SqlValueRef<'_>) -> Result<SqlValue, ValueError> {
    let outside = |what| {
        ValueError::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("value out of range: {what}"),
        )
    };
    let single = if let SqlValueRef::Text(text) = value {
        float::parse_single(text)?
    } else {
        let double = double(value)?;
        let single = float::single(double).ok_or_else(|| outside("overflow"))?;
        if single == 0.0 && double != 0.0 {
            return Err(outside("underflow"));
        }
        single
    };
    Ok(stored_real(single.into()))
}

fn whole<T: TryFrom<i64>>(
    value: SqlValueRef<'_>,
    from: &PgType,
    ty: &PgType,
) -> Result<SqlValue, ValueError> {
    let number = match value {
        SqlValueRef::Integer(number) => Some(number),
        SqlValueRef::Real(number) => float::exact_integer(number.round_ties_even()),
        // A double that is no number.
        _ if from.is_float() => None,
        _ => match numeric::decimal(value)?.rounded(0) {
            Decimal::NotANumber => return Err(no_whole("NaN", ty)),
            Decimal::Infinity { .. } => return Err(no_whole("infinity", ty)),
            rounded @ Decimal::Finite(_) => rounded.to_string().parse().ok(),
        },
    };
    number
        .filter(|number| T::try_from(*number).is_ok())
        .map(SqlValue::Integer)
        .ok_or_else(|| {
            let name = if *ty == PgType::Oid { "OID" } else { ty.name() };
            ValueError::new(
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                format!("{name} out of range"),
            )
        })
}

fn no_whole(what: &str, ty: &PgType) -> ValueError {
    ValueError::new(
        SqlState::FEATURE_NOT_SUPPORTED,
        format!("cannot convert {what} to {}", ty.name()),
    )
}

/// Between dates, times and timestamps; `None` where there is no such cast.
fn moment(
    stored: i64,
    from: &PgType,
    to: &PgType,
    context: &Context,
) -> Result<Option<SqlValue>, ValueError> {
    let zone = &context.zone;
    // What clocks show.
    let local = match from {
        PgType::Date => Date::new(stored)?.midnight()?,
        PgType::Timestamp(_) => Timestamp::new(stored, None)?,
        PgType::Timestamptz(_) => Timestamp::new(stored, None)?.to_local(zone)?,
        PgType::Time(_) => return time(stored, to, context),
        _ => return Ok(None),
    };
    let micros = || Time::new(local.micros_of_day(), None);
    Ok(Some(match to {
        PgType::Date => SqlValue::Integer(local.date().days().into()),
        PgType::Timestamp(digits) => {
            SqlValue::Integer(Timestamp::new(local.micros(), *digits)?.micros())
        }
        PgType::Timestamptz(digits) => {
            let utc = match from {
                PgType::Timestamptz(_) => Timestamp::new(stored, None)?,
                _ => local.to_utc(zone)?,
            };
            SqlValue::Integer(Timestamp::new(utc.micros(), *digits)?.micros())
        }
        PgType::Time(_) | PgType::Timetz(_) if *from == PgType::Date => return Ok(None),
        PgType::Time(_) | PgType::Timetz(_) if local.is_infinite() => SqlValue::Null,
        PgType::Time(digits) => SqlValue::Integer(Time::new(micros()?.micros(), *digits)?.micros()),
        PgType::Timetz(digits) if matches!(from, PgType::Timestamptz(_)) => {
            let offset = i32::try_from(zone.offset_at(stored)).unwrap_or(0);
            let time = Time::new(micros()?.micros(), *digits)?;
            SqlValue::Text(Timetz::new(time, offset)?.to_string())
        }
        _ => return Ok(None),
    }))
}

fn time(stored: i64, to: &PgType, context: &Context) -> Result<Option<SqlValue>, ValueError> {
    Ok(Some(match to {
        PgType::Time(digits) => SqlValue::Integer(Time::new(stored, *digits)?.micros()),
        PgType::Timetz(digits) => {
            let (now, _) = context.local_now();
            let today = now.div_euclid(crate::calendar::DAY);
            let offset = context.zone.offset_of_local(today, stored);
            let time = Time::new(stored, *digits)?;
            let timetz = Timetz::new(time, i32::try_from(offset).unwrap_or(0))?;
            SqlValue::Text(timetz.to_string())
        }
        PgType::Interval(_) => {
            let span = Interval {
                micros: Time::new(stored, None)?.micros(),
                ..Interval::default()
            };
            SqlValue::Text(span.to_string())
        }
        _ => return Ok(None),
    }))
}

impl SqlValueRef<'_> {
    /// The text that a value has by itself, whatever its type.
    pub fn own_text(self) -> String {
        match self {
            Self::Text(text) => text.to_owned(),
            other => {
                let mut out = BytesMut::new();
                put_own_text(other, &mut out);
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }
}
