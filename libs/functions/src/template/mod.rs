//! Templates: `to_char`, `to_date`, `to_timestamp` and `to_number`.

mod date_input;
mod date_output;
mod date_parts;
mod number;
mod number_input;
mod number_template;
mod words;

pub(crate) use crate::template::words::Template;

use crate::registry::Scalar;

/// The functions that take templates.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    date_input::FUNCTIONS,
    date_output::FUNCTIONS,
    number::FUNCTIONS,
    number_input::FUNCTIONS,
];
