//! Dates, times and timestamps.

mod arithmetic;
pub(crate) mod casts;
mod clock;
mod comparison;
mod extract;
mod field;
mod make;
mod overlaps;
mod text;
mod time;
mod trunc;
mod zone;

pub(crate) use crate::timestamp::arithmetic::moved;
pub(crate) use crate::timestamp::extract::{day_of_year, iso_week, iso_weekday};
pub(crate) use crate::timestamp::text::{date_text, offset_text, text, zoned_text};

use crate::registry::Scalar;

/// The functions of dates, times and timestamps.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    arithmetic::FUNCTIONS,
    casts::FUNCTIONS,
    clock::FUNCTIONS,
    comparison::FUNCTIONS,
    extract::FUNCTIONS,
    make::FUNCTIONS,
    overlaps::FUNCTIONS,
    time::FUNCTIONS,
    trunc::FUNCTIONS,
    zone::FUNCTIONS,
];
