//! Elements looked for in arrays: two are equal as values of their type, whatever their texts.

use std::cmp::Ordering;

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, integer, text, value, whole, written};
use crate::array::functions::argument;
use crate::array::{Array, Element};
use crate::collation;
use crate::error::fail;
use crate::registry::Scalar;

macro_rules! searches {
    ($($equal:ident $position:literal $start:literal $all:literal $remove:literal $replace:literal
        $contains:literal $contained:literal $overlap:literal;)*) => {
        &[$(
            Scalar::pure($position, 2, |a| position(a, None, $equal)).loose(),
            Scalar::pure($start, 3, |a| position_from(a, $equal)).loose(),
            Scalar::pure($all, 2, |a| positions(a, $equal)).loose(),
            Scalar::pure($remove, 2, |a| removed(a, $equal)).loose(),
            Scalar::pure($replace, 3, |a| replaced(a, $equal)).loose(),
            Scalar::pure($contains, 2, |a| boolean(contains(a, 0, 1, $equal)?)),
            Scalar::pure($contained, 2, |a| boolean(contains(a, 1, 0, $equal)?)),
            Scalar::pure($overlap, 2, |a| boolean(overlaps(a, $equal)?)),
        )*]
    };
}

pub(crate) const FUNCTIONS: &[Scalar] = searches! {
    same_text "pg_array_position" "pg_array_position_start" "pg_array_positions" "pg_array_remove" "pg_array_replace" "pg_arraycontains" "pg_arraycontained" "pg_arrayoverlap";
    same_numeric "pg_array_position_numeric" "pg_array_position_start_numeric" "pg_array_positions_numeric" "pg_array_remove_numeric" "pg_array_replace_numeric" "pg_arraycontains_numeric" "pg_arraycontained_numeric" "pg_arrayoverlap_numeric";
    same_interval "pg_array_position_interval" "pg_array_position_start_interval" "pg_array_positions_interval" "pg_array_remove_interval" "pg_array_replace_interval" "pg_arraycontains_interval" "pg_arraycontained_interval" "pg_arrayoverlap_interval";
    same_bpchar "pg_array_position_bpchar" "pg_array_position_start_bpchar" "pg_array_positions_bpchar" "pg_array_remove_bpchar" "pg_array_replace_bpchar" "pg_arraycontains_bpchar" "pg_arraycontained_bpchar" "pg_arrayoverlap_bpchar";
    same_timetz "pg_array_position_timetz" "pg_array_position_start_timetz" "pg_array_positions_timetz" "pg_array_remove_timetz" "pg_array_replace_timetz" "pg_arraycontains_timetz" "pg_arraycontained_timetz" "pg_arrayoverlap_timetz";
    same_jsonb "pg_array_position_jsonb" "pg_array_position_start_jsonb" "pg_array_positions_jsonb" "pg_array_remove_jsonb" "pg_array_replace_jsonb" "pg_arraycontains_jsonb" "pg_arraycontained_jsonb" "pg_arrayoverlap_jsonb";
};

/// Whether two elements' texts mean the same value.
type Equal = fn(&str, &str) -> bool;

fn same_text(a: &str, b: &str) -> bool {
    a == b
}

fn same_numeric(a: &str, b: &str) -> bool {
    crate::numeric::compare(a, b) == Ordering::Equal
}

fn same_bpchar(a: &str, b: &str) -> bool {
    collation::by_bpchar(a, b) == Ordering::Equal
}

fn same_interval(a: &str, b: &str) -> bool {
    collation::by_interval(a, b) == Ordering::Equal
}

fn same_timetz(a: &str, b: &str) -> bool {
    collation::by_timetz(a, b) == Ordering::Equal
}

fn same_jsonb(a: &str, b: &str) -> bool {
    collation::by_jsonb(a, b) == Ordering::Equal
}

/// NULLs are alike here.
fn alike(a: &Element, b: &Element, equal: Equal) -> bool {
    match (a, b) {
        (Element::Value(a), Element::Value(b)) => equal(a, b),
        (a, b) => a == b,
    }
}

fn position_from(arguments: &[SqlValueRef<'_>], equal: Equal) -> Answer {
    if !value(arguments, 2).is_null() {
        return position(arguments, Some(integer(arguments, 2)?), equal);
    }
    // What else there is to say comes first.
    position(arguments, None, equal)?;
    let may_be_found = |array: &Array| {
        let nulls = array.elements.contains(&Element::Null);
        !array.elements.is_empty() && (nulls || !value(arguments, 1).is_null())
    };
    match value(arguments, 0) {
        SqlValueRef::Text(array) if may_be_found(&Array::parse(array)?) => fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "initial position must not be null",
        ),
        _ => Ok(SqlValue::Null),
    }
}

/// The place of an element of an array of one dimension.
fn position(arguments: &[SqlValueRef<'_>], start: Option<i64>, equal: Equal) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let array = Array::parse(text(arguments, 0)?)?;
    if array.lengths().len() > 1 {
        return fail(
            SqlState::FEATURE_NOT_SUPPORTED,
            "searching for elements in multidimensional arrays is not supported",
        );
    }
    let wanted = argument(arguments, 1)?;
    let first = array.lower_bound(0);
    let skipped = start.map_or(0, |start| {
        usize::try_from(start.saturating_sub(first)).unwrap_or(0)
    });
    let found = array
        .elements
        .iter()
        .enumerate()
        .skip(skipped)
        .find(|(_, element)| alike(element, &wanted, equal));
    match found {
        Some((at, _)) => whole(first + i64::try_from(at).unwrap_or(0)),
        None => Ok(SqlValue::Null),
    }
}

fn positions(arguments: &[SqlValueRef<'_>], equal: Equal) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let array = Array::parse(text(arguments, 0)?)?;
    if array.lengths().len() > 1 {
        return fail(
            SqlState::FEATURE_NOT_SUPPORTED,
            "searching for elements in multidimensional arrays is not supported",
        );
    }
    let wanted = argument(arguments, 1)?;
    let first = array.lower_bound(0);
    let found = array
        .elements
        .iter()
        .enumerate()
        .filter(|(_, element)| alike(element, &wanted, equal))
        .map(|(at, _)| Element::Value((first + i64::try_from(at).unwrap_or(0)).to_string()));
    written(Array::new(found.collect()))
}

fn removed(arguments: &[SqlValueRef<'_>], equal: Equal) -> Answer {
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let mut array = Array::parse(text(arguments, 0)?)?;
    if array.lengths().len() > 1 {
        return fail(
            SqlState::FEATURE_NOT_SUPPORTED,
            "removing elements from multidimensional arrays is not supported",
        );
    }
    let unwanted = argument(arguments, 1)?;
    array
        .elements
        .retain(|element| !alike(element, &unwanted, equal));
    written(array)
}

fn replaced(arguments: &[SqlValueRef<'_>], equal: Equal) -> Answer {
    fn replace(elements: &mut [Element], from: &Element, to: &Element, equal: Equal) {
        for element in elements {
            if let Element::Array(inner) = element {
                replace(inner, from, to, equal);
            } else if alike(element, from, equal) {
                *element = to.clone();
            }
        }
    }
    if value(arguments, 0).is_null() {
        return Ok(SqlValue::Null);
    }
    let mut array = Array::parse(text(arguments, 0)?)?;
    let (from, to) = (argument(arguments, 1)?, argument(arguments, 2)?);
    replace(&mut array.elements, &from, &to, equal);
    written(array)
}

/// NULL is contained in nothing.
fn contains(
    arguments: &[SqlValueRef<'_>],
    outer: usize,
    inner: usize,
    equal: Equal,
) -> Result<bool, ValueError> {
    let (outer, inner) = (
        Array::parse(text(arguments, outer)?)?,
        Array::parse(text(arguments, inner)?)?,
    );
    Ok(inner.leaves().all(|wanted| {
        wanted.is_some_and(|wanted| outer.leaves().flatten().any(|leaf| equal(leaf, wanted)))
    }))
}

fn overlaps(arguments: &[SqlValueRef<'_>], equal: Equal) -> Result<bool, ValueError> {
    let (a, b) = (
        Array::parse(text(arguments, 0)?)?,
        Array::parse(text(arguments, 1)?)?,
    );
    Ok(a.leaves()
        .flatten()
        .any(|x| b.leaves().flatten().any(|y| equal(x, y))))
}
