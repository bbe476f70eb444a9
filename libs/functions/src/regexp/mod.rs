//! Regular expressions, PostgreSQL's advanced ones, run by the crate regex: in linear time, without
//! references back to groups and without looking around, which are refused (0A000). Of several
//! ways to match from one place, the first in the pattern is taken.

mod cache;
mod flags;
mod functions;
mod matches;
mod similar;
mod translate;

use crate::registry::Scalar;

/// The functions of regular expressions.
pub(crate) const FUNCTIONS: &[&[Scalar]] =
    &[functions::FUNCTIONS, matches::FUNCTIONS, similar::FUNCTIONS];
