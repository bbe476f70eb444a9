//! Arrays: their text form `{1,"a b",NULL}`, one element after the other.

mod functions;
pub(crate) mod text;

pub(crate) use crate::array::functions::FUNCTIONS;
pub(crate) use crate::array::text::{Array, Element, keys, text_of};
