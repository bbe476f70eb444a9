//! Arrays made of others: parts, and the numbers of their places.

use pgtypes::{SqlState, SqlValueRef};

use crate::arguments::{Answer, integer, text, truth, written};
use crate::array::Array;
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_trim_array", 2, trimmed),
    Scalar::pure("pg_set_generate_subscripts_nodir", 2, |a| {
        subscripts(a, false)
    }),
    Scalar::pure("pg_set_generate_subscripts", 3, |a| {
        subscripts(a, truth(a, 2)?)
    }),
];

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
