//! Values within the limits of numeric(p,s), varchar(n) and char(n), as PostgreSQL assigns them.

use pgtypes::PgType;
use pgtypes::text::within_limit;

use crate::error::DialectError;
use crate::functions::Value;
use crate::functions::text::{argument, integer, text};

type Result = std::result::Result<Value, DialectError>;

/// A text within the length of `ty`. Blanks beyond it are cut off silently; char(n) loses all at the end, the padding
/// is added on the way out.
pub(crate) fn characters<'t>(
    text: &'t str,
    ty: &PgType,
) -> std::result::Result<&'t str, DialectError> {
    let (text, shown) = if matches!(ty, PgType::Bpchar(_)) {
        (text.trim_end_matches(' '), "character")
    } else {
        (text, "character varying")
    };
    Ok(within_limit(text, ty.length(), shown)?)
}

/// `eq_fit_numeric(value, precision, scale)`
pub(crate) fn fit_numeric(arguments: &[Value]) -> Result {
    let (precision, scale) = (integer(arguments, 1), integer(arguments, 2));
    let ty = PgType::Numeric {
        precision: u16::try_from(precision).ok(),
        scale: i16::try_from(scale).ok(),
    };
    let value = arguments.first().unwrap_or(&Value::Null);
    Ok(pgtypes::cast(value.as_ref(), &ty)?)
}

/// `eq_fit_varchar(value, length)`
pub(crate) fn fit_varchar(arguments: &[Value]) -> Result {
    let length = u32::try_from(integer(arguments, 1)).ok();
    text(within_limit(
        &argument(arguments, 0),
        length,
        "character varying",
    )?)
}

/// `eq_fit_bpchar(value, length)`
pub(crate) fn fit_bpchar(arguments: &[Value]) -> Result {
    let length = u32::try_from(integer(arguments, 1)).ok();
    let value = argument(arguments, 0);
    text(within_limit(
        value.trim_end_matches(' '),
        length,
        "character",
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_may_be_cut_off() {
        let varchar = PgType::Varchar(Some(3));
        assert_eq!(characters("äöü  ", &varchar), Ok("äöü"));
        let error = characters("abcd", &varchar).unwrap_err();
        assert_eq!(
            error.message,
            "value too long for type character varying(3)"
        );
        let char = PgType::Bpchar(Some(3));
        assert_eq!(characters("a  ", &char), Ok("a"));
    }
}
