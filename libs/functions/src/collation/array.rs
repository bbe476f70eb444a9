//! The order of arrays: by their elements, then by their number, then by their dimensions.

use std::cmp::Ordering;

use crate::array::Array;

/// Compares two arrays whose elements compare so. NULL is behind every value.
pub(super) fn compare(a: &str, b: &str, elements: impl Fn(&str, &str) -> Ordering) -> Ordering {
    let (Ok(left), Ok(right)) = (Array::parse(a), Array::parse(b)) else {
        return a.cmp(b);
    };
    let pairs = left.leaves().zip(right.leaves());
    let first = pairs
        .map(|pair| match pair {
            (Some(a), Some(b)) => elements(a, b),
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
        })
        .find(|order| order.is_ne());
    let shape = |array: &Array| {
        let lengths = array.lengths();
        let bounds = (0..lengths.len()).map(|dimension| array.lower_bound(dimension));
        (
            array.leaves().count(),
            lengths.len(),
            lengths.clone(),
            bounds.collect::<Vec<i64>>(),
        )
    };
    first.unwrap_or_else(|| shape(&left).cmp(&shape(&right)))
}
