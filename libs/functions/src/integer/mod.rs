//! Integers of two, four and eight bytes.

mod arithmetic;
mod bits;
mod casts;
mod size;

use pgtypes::ValueError;

use crate::error::out_of_range;
use crate::registry::Scalar;

/// The functions of integers.
pub(crate) const FUNCTIONS: &[&[Scalar]] = &[
    arithmetic::FUNCTIONS,
    bits::FUNCTIONS,
    casts::FUNCTIONS,
    size::FUNCTIONS,
];

/// A type of integers.
pub(crate) trait Width {
    /// Its name in messages.
    const NAME: &'static str;
    /// Its least number.
    const MIN: i64;
    /// Its largest number.
    const MAX: i64;

    /// The number, if the type has it; else 22003.
    fn fitted(value: Option<i64>) -> Result<i64, ValueError> {
        value
            .filter(|value| (Self::MIN..=Self::MAX).contains(value))
            .ok_or_else(|| out_of_range(Self::NAME))
    }
}

/// `smallint`
pub(crate) struct Int2;
/// `integer`
pub(crate) struct Int4;
/// `bigint`
pub(crate) struct Int8;
/// `oid`
pub(crate) struct Oid;

impl Width for Int2 {
    const NAME: &'static str = "smallint";
    const MIN: i64 = i16::MIN as i64;
    const MAX: i64 = i16::MAX as i64;
}

impl Width for Int4 {
    const NAME: &'static str = "integer";
    const MIN: i64 = i32::MIN as i64;
    const MAX: i64 = i32::MAX as i64;
}

impl Width for Int8 {
    const NAME: &'static str = "bigint";
    const MIN: i64 = i64::MIN;
    const MAX: i64 = i64::MAX;
}

impl Width for Oid {
    const NAME: &'static str = "OID";
    const MIN: i64 = 0;
    const MAX: i64 = u32::MAX as i64;
}
