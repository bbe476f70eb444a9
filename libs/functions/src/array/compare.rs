//! Arrays compared, element by element, in the order of the elements' type.

use std::cmp::Ordering;

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, count, integer, text, whole};
use crate::array::Array;
use crate::collation::collations;
use crate::error::fail;
use crate::io::{input, oid};
use crate::registry::Scalar;
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::session("pg_array_compare", 3, |session, a| {
        let order = compared(session, a)?;
        whole(order as i64)
    }),
    Scalar::session("pg_width_bucket_array", 3, bucket),
];

/// Elements first, NULL behind every value; then the number of elements, of dimensions, and their bounds.
fn compared(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Result<Ordering, ValueError> {
    let ty = integer(arguments, 2)?;
    let a = Array::parse(text(arguments, 0)?)?;
    let b = Array::parse(text(arguments, 1)?)?;
    for (a, b) in a.leaves().zip(b.leaves()) {
        let order = match (a, b) {
            (Some(a), Some(b)) => order_of(session, ty, a, b)?,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    let lower = |array: &Array| -> Vec<i64> {
        (0..array.lengths().len())
            .map(|dimension| array.lower_bound(dimension))
            .collect()
    };
    Ok(a.leaves()
        .count()
        .cmp(&b.leaves().count())
        .then_with(|| a.lengths().len().cmp(&b.lengths().len()))
        .then_with(|| a.lengths().cmp(&b.lengths()))
        .then_with(|| lower(&a).cmp(&lower(&b))))
}

/// Two values of a type by their texts.
fn order_of(session: &dyn Session, ty: i64, a: &str, b: &str) -> Result<Ordering, ValueError> {
    let name = match ty {
        oid::NUMERIC => "pg_numeric",
        oid::INTERVAL => "pg_interval",
        oid::TIMETZ => "pg_timetz",
        oid::JSONB => "pg_jsonb",
        oid::INET | oid::CIDR => "pg_inet",
        _ => "",
    };
    let known = collations().iter().find(|collation| collation.name == name);
    let (a, b) = (input(session, a, ty, -1)?, input(session, b, ty, -1)?);
    Ok(match (&a, &b, known) {
        (SqlValue::Text(a), SqlValue::Text(b), Some(known)) => (known.compare)(a, b),
        (SqlValue::Integer(a), SqlValue::Integer(b), _) => a.cmp(b),
        (SqlValue::Real(a), SqlValue::Real(b), _) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (SqlValue::Blob(a), SqlValue::Blob(b), _) => a.cmp(b),
        (SqlValue::Text(a), SqlValue::Text(b), _) => a.cmp(b),
        // NaN, which is a text, is greater than every number.
        (SqlValue::Text(_), _, _) => Ordering::Greater,
        (_, SqlValue::Text(_), _) => Ordering::Less,
        _ => Ordering::Equal,
    })
}

/// `width_bucket(operand, thresholds)`: how many of the sorted thresholds are not greater.
fn bucket(session: &dyn Session, arguments: &[SqlValueRef<'_>]) -> Answer {
    let operand = text(arguments, 0)?;
    let thresholds = Array::parse(text(arguments, 1)?)?;
    let ty = integer(arguments, 2)?;
    if thresholds.lengths().len() > 1 {
        return fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "thresholds must be one-dimensional array",
        );
    }
    let (mut low, mut high) = (0, thresholds.leaves().count());
    let leaves: Vec<Option<&str>> = thresholds.leaves().collect();
    if leaves.iter().any(Option::is_none) {
        return fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "thresholds array must not contain NULLs",
        );
    }
    while low < high {
        let middle = usize::midpoint(low, high);
        let threshold = leaves.get(middle).copied().flatten().unwrap_or_default();
        if order_of(session, ty, operand, threshold)?.is_lt() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    count(low)
}
