//! Functions that catalog queries call.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::{Oid, PgType, SqlState};

use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;
use crate::functions::text::integer;

type Result = std::result::Result<Value, DialectError>;

fn by_oid(oid: i64, typmod: i32) -> Option<PgType> {
    let oid = u32::try_from(oid).ok().filter(|oid| *oid != 0)?;
    PgType::from_oid(Oid::new(oid), typmod)
}

/// The first argument.
pub(crate) fn first(arguments: &[Value]) -> Result {
    Ok(arguments.first().cloned().unwrap_or(Value::Null))
}

pub(crate) fn yes(_: &[Value]) -> Result {
    Ok(Value::Integer(1))
}

pub(crate) fn no(_: &[Value]) -> Result {
    Ok(Value::Integer(0))
}

pub(crate) fn nothing(_: &[Value]) -> Result {
    Ok(Value::Null)
}

/// The sequence behind a serial column: `public.<table>_<column>_seq`.
pub(crate) fn serial_sequence(arguments: &[Value]) -> Result {
    let part = |at: usize| arguments.get(at).map(text_of).unwrap_or_default();
    let table = part(0).replace('"', "");
    let table = table.rsplit('.').next().unwrap_or_default();
    Ok(Value::Text(format!("public.{table}_{}_seq", part(1))))
}

pub(crate) fn empty(_: &[Value]) -> Result {
    Ok(Value::Text(String::new()))
}

pub(crate) fn utf8(_: &[Value]) -> Result {
    Ok(Value::Text("UTF8".to_owned()))
}

/// The number of UTF8 among PostgreSQL's encodings.
pub(crate) fn utf8_number(_: &[Value]) -> Result {
    Ok(Value::Integer(6))
}

/// `format_type(oid, typmod)`
pub(crate) fn format_type(arguments: &[Value]) -> Result {
    let Some(Value::Integer(oid)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let oid = u32::try_from(*oid).unwrap_or_default();
    let id = TypeId::new(oid);
    let name = match (oid, id.info(), arguments.get(1)) {
        (0, ..) => "-".to_owned(),
        (_, None, _) => "???".to_owned(),
        (_, _, Some(Value::Integer(typmod))) => {
            let typmod = i32::try_from(*typmod).unwrap_or(-1);
            Type { id, typmod }.to_string()
        }
        _ => id.name(),
    };
    Ok(Value::Text(name))
}

pub(crate) fn to_regtype(arguments: &[Value]) -> Result {
    let value = arguments.first().unwrap_or(&Value::Null);
    if let Value::Integer(oid) = value {
        return Ok(Value::Text(
            by_oid(*oid, -1).map_or_else(|| oid.to_string(), |ty| ty.name().to_owned()),
        ));
    }
    let name = text_of(value);
    let known = PgType::parse(&name).map(|ty| ty.name().to_owned());
    Ok(Value::Text(known.unwrap_or(name)))
}

pub(crate) fn type_oid(arguments: &[Value]) -> Result {
    if let Some(Value::Integer(_)) = arguments.first() {
        return Ok(Value::Integer(integer(arguments, 0)));
    }
    let name = arguments.first().map(text_of).unwrap_or_default();
    match PgType::parse(&name) {
        Some(ty) => Ok(Value::Integer(i64::from(ty.oid().get()))),
        None => Err(DialectError::new(
            SqlState::UNDEFINED_OBJECT,
            format!("type \"{name}\" does not exist"),
        )),
    }
}

/// `to_regtype(name)`: the oid, or NULL for a type that there is not.
pub(crate) fn known_type(arguments: &[Value]) -> Result {
    Ok(type_oid(arguments).unwrap_or(Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_in_the_catalog() {
        assert_eq!(
            format_type(&[Value::Integer(1043), Value::Integer(24)]),
            Ok(Value::Text("character varying(20)".into()))
        );
        assert_eq!(
            format_type(&[Value::Integer(1700), Value::Integer(655_366)]),
            Ok(Value::Text("numeric(10,2)".into()))
        );
        assert_eq!(
            format_type(&[Value::Integer(23), Value::Null]),
            Ok(Value::Text("integer".into()))
        );
        assert_eq!(
            type_oid(&[Value::Text("bigint".into())]),
            Ok(Value::Integer(20))
        );
        assert!(type_oid(&[Value::Text("mood".into())]).is_err());
    }
}
