//! Type bytea.

mod bits;
mod convert;
mod cut;

use crate::registry::Scalar;

/// The functions of bytes.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[bits::FUNCTIONS, convert::FUNCTIONS, cut::FUNCTIONS];
