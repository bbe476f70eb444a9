//! Values within the limits of numeric(p,s), varchar(n) and char(n), as PostgreSQL assigns them.

use pgtypes::SqlState;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::convert::text_of;
use crate::functions::number;
use crate::functions::text::integer;
use crate::types::TypeName;

type Result = std::result::Result<Value, DialectError>;

/// A number rounded to the scale of `ty`; 22003 when it has too many digits before the point.
pub(crate) fn numeric(value: &Value, ty: &TypeName) -> Result {
    let number = number::to_numeric(std::slice::from_ref(value))?;
    match (ty.precision(), ty.scale()) {
        (Some(precision), Some(scale)) => within(number, i64::from(precision), i64::from(scale)),
        _ => Ok(number),
    }
}

fn within(value: Value, precision: i64, scale: i64) -> Result {
    let rounded = match value {
        Value::Integer(_) if scale >= 0 => value,
        _ => number::round(&[value, Value::Integer(scale)])?,
    };
    let digits = i32::try_from((precision - scale).clamp(0, 400)).unwrap_or(400);
    if number::real(&rounded).abs() < 10_f64.powi(digits) {
        Ok(rounded)
    } else {
        Err(DialectError::new(SqlState::NUMERIC_VALUE_OUT_OF_RANGE, "numeric field overflow").hint(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than 10^{digits}."
        )))
    }
}

/// A text within the length of `ty`. Blanks beyond it are cut off silently; char(n) loses all at the end, the padding
/// is added on the way out.
pub(crate) fn characters<'t>(
    text: &'t str,
    ty: &TypeName,
) -> std::result::Result<&'t str, DialectError> {
    let (text, shown) = if ty.base() == "bpchar" {
        (text.trim_end_matches(' '), "character")
    } else {
        (text, "character varying")
    };
    within_length(text, ty.length(), shown)
}

fn within_length<'t>(
    text: &'t str,
    length: Option<u32>,
    shown: &str,
) -> std::result::Result<&'t str, DialectError> {
    let Some(length) = length else {
        return Ok(text);
    };
    let limit = usize::try_from(length).unwrap_or(usize::MAX);
    if text.len() <= limit {
        return Ok(text);
    }
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return Ok(text);
    };
    let (kept, beyond) = text.split_at(end);
    if beyond.bytes().all(|byte| byte == b' ') {
        Ok(kept)
    } else {
        let message = format!("value too long for type {shown}({length})");
        Err(DialectError::new(
            SqlState::STRING_DATA_RIGHT_TRUNCATION,
            message,
        ))
    }
}

/// `eq_fit_numeric(value, precision, scale)`
pub(crate) fn fit_numeric(arguments: &[Value]) -> Result {
    let [value, _, _] = arguments else {
        return Ok(Value::Null);
    };
    let number = number::to_numeric(std::slice::from_ref(value))?;
    within(number, integer(arguments, 1), integer(arguments, 2))
}

/// `eq_fit_varchar(value, length)`
pub(crate) fn fit_varchar(arguments: &[Value]) -> Result {
    let text = arguments.first().map(text_of).unwrap_or_default();
    let length = u32::try_from(integer(arguments, 1)).ok();
    within_length(&text, length, "character varying").map(|text| Value::Text(text.to_owned()))
}

/// `eq_fit_bpchar(value, length)`
pub(crate) fn fit_bpchar(arguments: &[Value]) -> Result {
    let text = arguments.first().map(text_of).unwrap_or_default();
    let length = u32::try_from(integer(arguments, 1)).ok();
    within_length(text.trim_end_matches(' '), length, "character")
        .map(|text| Value::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_to_the_scale_and_refused_beyond_the_precision() {
        let ty = TypeName::internal("numeric(4,2)");
        assert_eq!(numeric(&Value::Real(19.995), &ty), Ok(Value::Integer(20)));
        assert_eq!(
            numeric(&Value::Text("1.005".into()), &ty),
            Ok(Value::Real(1.01))
        );
        assert_eq!(numeric(&Value::Integer(99), &ty), Ok(Value::Integer(99)));
        for value in [
            Value::Integer(100),
            Value::Real(99.995),
            Value::Real(-100.0),
        ] {
            assert_eq!(
                numeric(&value, &ty).unwrap_err().sqlstate,
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                "{value:?}"
            );
        }
    }

    #[test]
    fn only_blanks_may_be_cut_off() {
        let varchar = TypeName::internal("varchar(3)");
        assert_eq!(characters("äöü  ", &varchar), Ok("äöü"));
        let error = characters("abcd", &varchar).unwrap_err();
        assert_eq!(
            error.message,
            "value too long for type character varying(3)"
        );
        let char = TypeName::internal("bpchar(3)");
        assert_eq!(characters("a  ", &char), Ok("a"));
    }
}
