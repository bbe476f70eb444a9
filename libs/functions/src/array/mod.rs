//! Arrays: their text form `{1,"a b",NULL}`, one element after the other.

mod bucket;
mod comparison;
mod elements;
mod fill;
mod functions;
mod limit;
mod make;
mod part;
mod search;

pub(crate) use pgtypes::array::{Array, Element, text_of};
use pgtypes::{SqlState, ValueError};

use crate::error::fail;
use crate::registry::Scalar;

/// The functions of arrays.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    bucket::FUNCTIONS,
    elements::FUNCTIONS,
    fill::FUNCTIONS,
    functions::FUNCTIONS,
    limit::FUNCTIONS,
    make::FUNCTIONS,
    part::FUNCTIONS,
    search::FUNCTIONS,
];

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
