//! Arrays as ones of another type, and elements within the limits of their type.

use pgtypes::{Format, Oid, PgType, SqlState, SqlValueRef, ValueError, cast_in, decode, to_text};

use crate::arguments::{Answer, integer, text, truth, written};
use crate::array::{Array, Element};
use crate::error::fail;
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_array_cast", 4, converted),
    Scalar::pure("pg_array_limit", 4, limited),
];

/// The type of the elements of an array of this type and modifier.
fn element(arguments: &[SqlValueRef<'_>], at: usize) -> Result<PgType, ValueError> {
    let array = u32::try_from(integer(arguments, at)?).unwrap_or_default();
    let typmod = i32::try_from(integer(arguments, at + 1)?).unwrap_or(-1);
    match PgType::Composed(Oid::new(array), typmod).element() {
        Some(element) => Ok(element),
        None => fail(
            SqlState::FEATURE_NOT_SUPPORTED,
            format!("arrays of the type with OID {array} are not supported"),
        ),
    }
}

/// `pg_array_cast(array, type of its elements, type of the result, modifier)`
fn converted(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let from = u32::try_from(integer(arguments, 1)?).unwrap_or_default();
    let from = PgType::from_oid(Oid::new(from), -1).unwrap_or(PgType::Text);
    let to = element(arguments, 2)?;
    let mut array = Array::parse(text(arguments, 0)?)?;
    array.each_value(&mut |text| {
        let stored = decode(text.as_bytes(), &from, Format::Text)?;
        let value = cast_in(stored.as_ref(), &from, &to, session.context())?;
        Ok(if value.is_null() {
            Element::Null
        } else {
            Element::Value(to_text(value.as_ref(), &to))
        })
    })?;
    written(array)
}

/// `pg_array_limit(array, its type, modifier, explicit)`: a cast that was written cuts what is too long.
fn limited(arguments: &[SqlValueRef<'_>]) -> Answer {
    let ty = element(arguments, 1)?;
    let length = match ty.length().filter(|_| truth(arguments, 3).unwrap_or(false)) {
        Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
        None => usize::MAX,
    };
    let mut array = Array::parse(text(arguments, 0)?)?;
    array.each_value(&mut |text| {
        let cut = text.char_indices().nth(length);
        let kept = cut.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
        let value = decode(kept.as_bytes(), &ty, Format::Text)?;
        Ok(Element::Value(to_text(value.as_ref(), &ty)))
    })?;
    written(array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(array: &str, ty: &str, explicit: i64) -> Answer {
        let ty = PgType::parse(ty).unwrap();
        limited(&[
            SqlValueRef::Text(array),
            SqlValueRef::Integer(ty.oid().get().into()),
            SqlValueRef::Integer(ty.typmod().into()),
            SqlValueRef::Integer(explicit),
        ])
    }

    #[test]
    fn only_a_cast_cuts_what_is_too_long() {
        let cut = limit("{abcd,NULL,ä}", "varchar(3)[]", 1).unwrap();
        assert_eq!(cut, pgtypes::SqlValue::Text("{abc,NULL,ä}".to_owned()));
        let error = limit("{abcd}", "varchar(3)[]", 0).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::STRING_DATA_RIGHT_TRUNCATION);
        let rounded = limit("{{1.005},{2}}", "numeric(6,2)[]", 0).unwrap();
        assert_eq!(
            rounded,
            pgtypes::SqlValue::Text("{{1.01},{2.00}}".to_owned())
        );
        let padded = limit("{a}", "char(3)[]", 0).unwrap();
        assert_eq!(padded, pgtypes::SqlValue::Text("{\"a  \"}".to_owned()));
    }
}
