//! Stored values as text, as the wire shows them.

use std::fmt::Write;

use pgtypes::{Date, Interval, Oid, PgType, SqlState, SqlValueRef, Time, Timestamp, ValueError};

use crate::arguments::{real, text};
use crate::float::nearest_single;
use crate::io::oid;
use crate::session::{IntervalStyle, Session};
use crate::timestamp;

/// The text of a value that is not NULL.
pub(crate) fn output(
    session: &dyn Session,
    value: SqlValueRef<'_>,
    ty: i64,
    typmod: i64,
) -> Result<String, ValueError> {
    let number = || match value {
        SqlValueRef::Integer(number) => Ok(number),
        _ => Err(mismatch(ty)),
    };
    Ok(match ty {
        oid::BOOL => if number()? == 0 { "f" } else { "t" }.to_owned(),
        oid::FLOAT4 if session.extra_float_digits() > 0 => {
            pgtypes::float::single_text(nearest_single(real(&[value], 0)?))
        }
        oid::FLOAT8 if session.extra_float_digits() > 0 => {
            pgtypes::float::double_text(real(&[value], 0)?)
        }
        oid::FLOAT4 => in_context(session, value, PgType::Float4),
        oid::FLOAT8 => in_context(session, value, PgType::Float8),
        oid::BYTEA => in_context(session, value, PgType::Bytea),
        oid::DATE => timestamp::date_text(session, Date::new(number()?)?),
        oid::TIME => Time::new(number()?, None)?.to_string(),
        oid::TIMESTAMP => timestamp::text(session, Timestamp::new(number()?, None)?),
        oid::TIMESTAMPTZ => timestamp::zoned_text(session, Timestamp::new(number()?, None)?)?,
        oid::INTERVAL => {
            let stored = text(&[value], 0)?;
            if session.interval_style() == IntervalStyle::Postgres {
                stored.to_owned()
            } else {
                Interval::parse(stored)?.text_in(session.interval_style())
            }
        }
        oid::INT2VECTOR | oid::OIDVECTOR => pgtypes::array::vector_text(text(&[value], 0)?)?,
        oid::BPCHAR => padded(text(&[value], 0)?, typmod),
        _ => match u32::try_from(ty).map(|ty| PgType::Composed(Oid::new(ty), -1)) {
            Ok(array) if array.element().is_some() => in_context(session, value, array),
            _ => own_text(value),
        },
    })
}

/// The text of a value whose digits or bytes are written as a setting says.
fn in_context(session: &dyn Session, value: SqlValueRef<'_>, ty: PgType) -> String {
    pgtypes::to_text_in(value, &ty, session.context())
}

fn mismatch(ty: i64) -> ValueError {
    ValueError::new(
        SqlState::DATATYPE_MISMATCH,
        format!("a stored value is none of the type with OID {ty}"),
    )
}

/// The text of a type that needs no more than the value itself.
fn own_text(value: SqlValueRef<'_>) -> String {
    match value {
        SqlValueRef::Null => String::new(),
        SqlValueRef::Integer(number) => number.to_string(),
        SqlValueRef::Real(number) => pgtypes::float::double_text(number),
        SqlValueRef::Text(text) => text.to_owned(),
        SqlValueRef::Blob(bytes) => {
            let mut out = String::with_capacity(bytes.len() * 2 + 2);
            out.push_str("\\x");
            for byte in bytes {
                // A string takes whatever is written to it.
                if write!(out, "{byte:02x}").is_err() {
                    break;
                }
            }
            out
        }
    }
}

/// With the blanks that a `character(n)` is stored without.
fn padded(text: &str, typmod: i64) -> String {
    let length = usize::try_from(typmod - 4).unwrap_or(0);
    let missing = length.saturating_sub(text.chars().count());
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', missing));
    out
}
