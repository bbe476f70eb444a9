//! Type interval.

mod style;

pub(crate) use crate::interval::style::styled;
