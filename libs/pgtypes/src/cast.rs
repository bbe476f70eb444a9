//! From a stored value of any type to the stored form of another.

use bytes::BytesMut;

use crate::decode::{decode_text, stored_real};
use crate::encode::{put_own_text, truth};
use crate::{Decimal, PgType, SqlState, SqlValue, SqlValueRef, ValueError, float, numeric};

/// Casts a stored value to type `ty`.
///
/// Text is read as [`decode`](crate::decode) reads it; a number becomes a number of the other type,
/// rounded half away from zero, or a boolean; all else goes by the value's own text. A numeric that
/// only text keeps exactly becomes the nearest double. NULL stays.
pub fn cast(value: SqlValueRef<'_>, ty: &PgType) -> Result<SqlValue, ValueError> {
    match (value, ty) {
        (SqlValueRef::Null, _) => Ok(SqlValue::Null),
        (SqlValueRef::Blob(bytes), PgType::Bytea) => Ok(SqlValue::Blob(bytes.to_vec())),
        (SqlValueRef::Integer(_) | SqlValueRef::Real(_), _) => number(value, ty),
        (SqlValueRef::Text(text), PgType::Numeric { .. }) => {
            numeric::computed(Decimal::parse(text)?, ty.numeric_limits())
        }
        (SqlValueRef::Text(text), _) => decode_text(text, ty),
        (SqlValueRef::Blob(_), _) => decode_text(&value.own_text(), ty),
    }
}

fn number(value: SqlValueRef<'_>, ty: &PgType) -> Result<SqlValue, ValueError> {
    let real = match value {
        SqlValueRef::Integer(number) => float::double_of_integer(number),
        SqlValueRef::Real(number) => number,
        _ => return decode_text(&value.own_text(), ty),
    };
    match ty {
        PgType::Bool => Ok(SqlValue::Integer(truth(value).unwrap_or(false).into())),
        PgType::Int2 => whole::<i16>(value, ty),
        PgType::Int4 => whole::<i32>(value, ty),
        PgType::Int8 => whole::<i64>(value, ty),
        PgType::Oid => whole::<u32>(value, ty),
        PgType::Float8 => Ok(stored_real(real)),
        PgType::Float4 => float::single(real)
            .map(|single| stored_real(float::double_of_single(single)))
            .ok_or_else(|| out_of_range(ty)),
        PgType::Numeric { .. } => match ty.numeric_limits() {
            None => Ok(value.to_owned()),
            limits => numeric::computed(numeric::decimal(value)?, limits),
        },
        _ => decode_text(&value.own_text(), ty),
    }
}

fn whole<T: TryFrom<i64>>(value: SqlValueRef<'_>, ty: &PgType) -> Result<SqlValue, ValueError> {
    let number = match value {
        SqlValueRef::Integer(number) => Some(number),
        SqlValueRef::Real(number) => float::exact_integer(number.round()),
        _ => None,
    };
    number
        .filter(|number| T::try_from(*number).is_ok())
        .map(SqlValue::Integer)
        .ok_or_else(|| out_of_range(ty))
}

fn out_of_range(ty: &PgType) -> ValueError {
    ValueError::new(
        SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
        format!("{} out of range", ty.name()),
    )
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
