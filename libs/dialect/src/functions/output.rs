//! Values as clients see them, inside texts and JSON.
#![expect(clippy::unnecessary_wraps, reason = "all have the signature of Pure")]

use pgtypes::{PgType, to_json, to_text};

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::to_type;

type Result = std::result::Result<Value, DialectError>;

/// `eq_text(value, type)`
pub(crate) fn text(arguments: &[Value]) -> Result {
    shown(arguments, to_text)
}

/// `eq_json(value, type)`
pub(crate) fn json(arguments: &[Value]) -> Result {
    shown(arguments, to_json)
}

/// `eq_cast(value, type)`
pub(crate) fn cast(arguments: &[Value]) -> Result {
    let [value, Value::Text(name)] = arguments else {
        return Ok(Value::Null);
    };
    let ty = PgType::parse(name).unwrap_or(PgType::Text);
    to_type(value, &ty)
}

fn shown(arguments: &[Value], show: fn(pgtypes::SqlValueRef<'_>, &PgType) -> String) -> Result {
    let [value, Value::Text(name)] = arguments else {
        return Ok(Value::Null);
    };
    let ty = PgType::parse(name).unwrap_or(PgType::Text);
    Ok(Value::Text(show(value.as_ref(), &ty)))
}
