//! `width_bucket` over an array of thresholds.

use pgtypes::{SqlState, SqlValueRef};

use crate::arguments::{Answer, count, integer, text};
use crate::array::Array;
use crate::array::comparison::elements_order;
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::pure("pg_width_bucket_array", 3, bucket)];

/// How many of the sorted thresholds are not greater than the operand: its text, theirs, and their type.
fn bucket(arguments: &[SqlValueRef<'_>]) -> Answer {
    let operand = text(arguments, 0)?;
    let thresholds = Array::parse(text(arguments, 1)?)?;
    let ty = integer(arguments, 2)?;
    if thresholds.lengths().len() > 1 {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "thresholds must be one-dimensional array",
        );
    }
    let leaves: Vec<Option<&str>> = thresholds.leaves().collect();
    let Some(known) = leaves.into_iter().collect::<Option<Vec<&str>>>() else {
        return fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "thresholds array must not contain NULLs",
        );
    };
    count(known.partition_point(|threshold| !elements_order(operand, threshold, ty).is_lt()))
}
