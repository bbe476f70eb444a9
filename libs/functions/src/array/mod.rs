//! Arrays: their text form `{1,"a b",NULL}`, one element after the other.

mod comparison;
mod functions;
mod search;

pub(crate) use pgtypes::array::{Array, Element, text_of};
use pgtypes::{SqlState, ValueError};

/// The functions of arrays.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    comparison::FUNCTIONS,
    functions::FUNCTIONS,
    search::FUNCTIONS,
];
use crate::error::fail;
use crate::registry::Scalar;

/// Elements of an array that must not be NULL and have one dimension.
pub(crate) fn keys(text: &str) -> Result<Vec<String>, ValueError> {
    let array = Array::parse(text)?;
    if array.lengths().len() > 1 {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "wrong number of array subscripts",
        );
    }
    Ok(array.texts())
}
