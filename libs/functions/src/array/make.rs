//! Arrays made of others: parts, and the numbers of their places.

use pgtypes::{SqlState, SqlValueRef};

use crate::arguments::{Answer, integer, text, truth, value, written};
use crate::array::Array;
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_array_slice", 3, slice),
    Scalar::pure("pg_trim_array", 2, trimmed),
    Scalar::pure("pg_set_generate_subscripts_nodir", 2, |a| {
        subscripts(a, false)
    }),
    Scalar::pure("pg_set_generate_subscripts", 3, |a| {
        subscripts(a, truth(a, 2)?)
    }),
];

/// `array[low:high]`; a bound that was left out is the text `all`.
fn slice(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut array = Array::parse(text(arguments, 0)?)?;
    let first = array.lower_bound(0);
    let bound = |at: usize| match value(arguments, at) {
        SqlValueRef::Integer(bound) => Some(bound),
        _ => None,
    };
    let low = bound(1).unwrap_or(first).max(first) - first;
    let high = bound(2).map_or(i64::MAX, |high| high.saturating_sub(first) + 1);
    let length = i64::try_from(array.elements.len()).unwrap_or(i64::MAX);
    let (low, high) = (low, high.min(length));
    if low >= high {
        return written(Array::new(Vec::new()));
    }
    let low = usize::try_from(low).unwrap_or(0);
    let high = usize::try_from(high).unwrap_or(0);
    array.elements.truncate(high);
    let rest = array.elements.split_off(low.min(array.elements.len()));
    written(Array::new(rest))
}

/// `trim_array(array, n)`: without its last elements.
fn trimmed(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut array = Array::parse(text(arguments, 0)?)?;
    let length = array.elements.len();
    let number = integer(arguments, 1)?;
    match usize::try_from(number) {
        Ok(number) if number <= length => {
            array.elements.truncate(length - number);
            written(Array::new(array.elements))
        }
        _ => fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            format!("number of elements to trim must be between 0 and {length}"),
        ),
    }
}

/// The places of a dimension as a JSON array of rows.
fn subscripts(arguments: &[SqlValueRef<'_>], reverse: bool) -> Answer {
    let array = Array::parse(text(arguments, 0)?)?;
    let dimension = integer(arguments, 1)?.checked_sub(1);
    let lengths = array.lengths();
    let found = dimension
        .and_then(|dimension| usize::try_from(dimension).ok())
        .and_then(|dimension| Some((dimension, *lengths.get(dimension)?)));
    let Some((dimension, length)) = found else {
        return written("[]");
    };
    let first = array.lower_bound(dimension);
    let mut places: Vec<String> = (0..length)
        .map(|place| (first + i64::try_from(place).unwrap_or(0)).to_string())
        .collect();
    if reverse {
        places.reverse();
    }
    written(format!("[{}]", places.join(",")))
}
