//! Type interval.

mod fields;
mod style;

pub(crate) use crate::interval::fields::{coerced, read};
pub(crate) use crate::interval::style::styled;
