//! Arrays made of others or of one value: parts, what fills them, and the numbers of their places.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, integer, text, truth, value, written};
use crate::array::{Array, Element};
use crate::error::fail;
use crate::registry::Scalar;

/// PostgreSQL's limits.
const MOST_DIMENSIONS: usize = 6;
const MOST_ELEMENTS: usize = 134_217_727;
/// Bytes.
const LONGEST: usize = 0x1fff_ffff;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_array_slice", 3, slice),
    Scalar::pure("pg_array_fill", 2, filled).loose(),
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

/// `array_fill(value, lengths)`
fn filled(arguments: &[SqlValueRef<'_>]) -> Answer {
    if value(arguments, 1).is_null() {
        return fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "dimension array or low bound array cannot be null",
        );
    }
    let lengths = Array::parse(text(arguments, 1)?)?;
    if lengths.lengths().len() > 1 {
        return Err(ValueError::new(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "wrong number of array subscripts",
        )
        .with_detail("Dimension array must be one dimensional."));
    }
    let mut numbers = Vec::new();
    for length in lengths.leaves() {
        let Some(length) = length else {
            return fail(
                SqlState::NULL_VALUE_NOT_ALLOWED,
                "dimension values cannot be null",
            );
        };
        numbers.push(length.parse::<usize>().unwrap_or(0));
    }
    if numbers.len() > MOST_DIMENSIONS {
        return fail(
            SqlState::STATEMENT_TOO_COMPLEX,
            format!(
                "number of array dimensions ({}) exceeds the maximum allowed ({MOST_DIMENSIONS})",
                numbers.len()
            ),
        );
    }
    let total = numbers
        .iter()
        .try_fold(1_usize, |total, length| total.checked_mul(*length));
    let length = match value(arguments, 0) {
        SqlValueRef::Text(text) => text.len(),
        _ => 0,
    };
    // What it takes while it is made counts, too.
    let size = total.and_then(|total| total.checked_mul(length + size_of::<Element>()));
    if size.is_none_or(|size| size > LONGEST) {
        return fail(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!("array size exceeds the maximum allowed ({MOST_ELEMENTS})"),
        );
    }
    if numbers.is_empty() || total == Some(0) {
        return written(Array::new(Vec::new()));
    }
    let element = match value(arguments, 0) {
        SqlValueRef::Null => Element::Null,
        _ => Element::Value(text(arguments, 0)?.to_owned()),
    };
    let array = numbers.iter().rev().fold(element, |inner, length| {
        Element::Array(vec![inner; *length])
    });
    match array {
        Element::Array(elements) => written(Array::new(elements)),
        _ => Ok(SqlValue::Null),
    }
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
