//! Parts of arrays by the places of their elements, and arrays with other elements there.

use pgtypes::{SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, integer, text, value, written};
use crate::array::functions::argument;
use crate::array::{Array, Element};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_array_slice", -1, slice),
    Scalar::pure("pg_array_set_element", -1, with_element).loose(),
    Scalar::pure("pg_array_set_slice", -1, with_slice).loose(),
];

/// An array has no more elements.
const MOST_ELEMENTS: i64 = 134_217_727;

/// First and last place in a dimension; one that was left out is that of the array.
type Bounds = (Option<i64>, Option<i64>);

/// The bounds that stand from an argument on.
fn bounds(arguments: &[SqlValueRef<'_>], from: usize) -> Vec<Bounds> {
    let bound = |at: usize| match value(arguments, at) {
        SqlValueRef::Integer(bound) => Some(bound),
        _ => None,
    };
    let dimensions = (from..arguments.len()).step_by(2);
    dimensions.map(|at| (bound(at), bound(at + 1))).collect()
}

fn wrong_number<T>() -> Result<T, ValueError> {
    fail(
        SqlState::ARRAY_SUBSCRIPT_ERROR,
        "wrong number of array subscripts",
    )
}

fn out_of_range<T>() -> Result<T, ValueError> {
    fail(
        SqlState::ARRAY_SUBSCRIPT_ERROR,
        "array subscript out of range",
    )
}

/// `array[low:high]…`: what of the array is within; all of the dimensions that are not said.
fn slice(arguments: &[SqlValueRef<'_>]) -> Answer {
    fn cut(elements: Vec<Element>, within: &[(usize, usize)]) -> Vec<Element> {
        let Some(((from, to), inner)) = within.split_first() else {
            return elements;
        };
        let taken = elements.into_iter().take(*to).skip(*from);
        taken
            .map(|element| match element {
                Element::Array(elements) => Element::Array(cut(elements, inner)),
                other => other,
            })
            .collect()
    }
    let array = Array::parse(text(arguments, 0)?)?;
    let wanted = bounds(arguments, 1);
    let lengths = array.lengths();
    if lengths.len() < wanted.len() {
        return written(Array::new(Vec::new()));
    }
    let mut within = Vec::with_capacity(wanted.len());
    for (dimension, ((low, high), length)) in wanted.iter().zip(&lengths).enumerate() {
        let first = array.lower_bound(dimension);
        let end = first + i64::try_from(*length).unwrap_or(i64::MAX);
        let low = low.unwrap_or(first).max(first);
        let end = high.map_or(end, |high| high.saturating_add(1)).min(end);
        if low >= end {
            return written(Array::new(Vec::new()));
        }
        let place = |at: i64| usize::try_from(at - first).unwrap_or(0);
        within.push((place(low), place(end)));
    }
    written(Array::new(cut(array.elements, &within)))
}

/// The array that is assigned to; NULL is an empty one.
fn assigned(arguments: &[SqlValueRef<'_>]) -> Result<Array, ValueError> {
    match value(arguments, 0) {
        SqlValueRef::Null => Ok(Array::new(Vec::new())),
        _ => Array::parse(text(arguments, 0)?),
    }
}

/// 22004 for a place that is NULL.
fn check_places(arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
    if (2..arguments.len()).any(|at| value(arguments, at).is_null()) {
        return fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "array subscript in assignment must not be null",
        );
    }
    Ok(())
}

/// `pg_array_set_element(array, element, place…)`
fn with_element(arguments: &[SqlValueRef<'_>]) -> Answer {
    check_places(arguments)?;
    let mut array = assigned(arguments)?;
    let element = argument(arguments, 1)?;
    let mut places = Vec::new();
    for at in 2..arguments.len() {
        places.push(integer(arguments, at)?);
    }
    let lengths = array.lengths();
    if lengths.is_empty() {
        array.lower.clone_from(&places);
        let wrapped = places
            .iter()
            .skip(1)
            .fold(element, |element, _| Element::Array(vec![element]));
        array.elements = vec![wrapped];
        return written(array);
    }
    if lengths.len() != places.len() {
        return wrong_number();
    }
    if let [place] = places.as_slice() {
        make_room(&mut array, *place, *place)?;
    }
    let mut elements = &mut array.elements;
    let lower = array.lower.clone();
    for (dimension, place) in places.iter().enumerate() {
        let first = lower.get(dimension).copied().unwrap_or(1);
        let at = place
            .checked_sub(first)
            .and_then(|at| usize::try_from(at).ok());
        let found = at.and_then(|at| elements.get_mut(at));
        match found {
            None => return out_of_range(),
            Some(Element::Array(inner)) => elements = inner,
            Some(leaf) => {
                *leaf = element;
                break;
            }
        }
    }
    written(array)
}

/// Makes an array of one dimension reach from one place to another, with NULLs in between.
fn make_room(array: &mut Array, low: i64, high: i64) -> Result<(), ValueError> {
    let first = array.lower_bound(0);
    let length = i64::try_from(array.elements.len()).unwrap_or(i64::MAX);
    let before = first.saturating_sub(low).max(0);
    let behind = high.saturating_sub(first.saturating_add(length) - 1).max(0);
    let whole = length.saturating_add(before).saturating_add(behind);
    if whole > MOST_ELEMENTS {
        return fail(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!("array size exceeds the maximum allowed ({MOST_ELEMENTS})"),
        );
    }
    let nulls = |number: i64| vec![Element::Null; usize::try_from(number).unwrap_or(0)];
    if before > 0 {
        array.elements.splice(0..0, nulls(before));
        array.lower = vec![low];
    }
    array.elements.extend(nulls(behind));
    Ok(())
}

/// `pg_array_set_slice(array, elements, low, high…)`
fn with_slice(arguments: &[SqlValueRef<'_>]) -> Answer {
    check_places(arguments)?;
    if value(arguments, 1).is_null() {
        return Ok(value(arguments, 0).to_owned());
    }
    let mut array = assigned(arguments)?;
    let source = Array::parse(text(arguments, 1)?)?;
    let mut others = source.leaves().map(|leaf| match leaf {
        Some(text) => Element::Value(text.to_owned()),
        None => Element::Null,
    });
    let available = source.leaves().count();
    let wanted = bounds(arguments, 2);
    let lengths = array.lengths();
    if lengths.is_empty() {
        return new_of_slice(&wanted, &mut others, available);
    }
    if lengths.len() < wanted.len() {
        return wrong_number();
    }
    let single = lengths.len() == 1;
    let mut places = Vec::with_capacity(lengths.len());
    for (dimension, length) in lengths.iter().enumerate() {
        let first = array.lower_bound(dimension);
        let last = first + i64::try_from(*length).unwrap_or(i64::MAX) - 1;
        let (low, high) = wanted.get(dimension).copied().unwrap_or_default();
        let (low, high) = (low.unwrap_or(first), high.unwrap_or(last));
        if low > high {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "upper bound cannot be less than lower bound",
            );
        }
        if !single && (low < first || high > last) {
            return out_of_range();
        }
        places.push((low, high));
    }
    if available < elements_of(&places) {
        return too_small();
    }
    if let [(low, high)] = places.as_slice() {
        make_room(&mut array, *low, *high)?;
    }
    let from_zero: Vec<(i64, i64)> = places
        .iter()
        .enumerate()
        .map(|(dimension, (low, high))| {
            let first = array.lower_bound(dimension);
            (low - first, high - first)
        })
        .collect();
    fill(&mut array.elements, &from_zero, &mut others);
    written(array)
}

fn too_small<T>() -> Result<T, ValueError> {
    fail(SqlState::ARRAY_SUBSCRIPT_ERROR, "source array too small")
}

fn elements_of(places: &[(i64, i64)]) -> usize {
    let lengths = places
        .iter()
        .map(|(low, high)| high.saturating_sub(*low).saturating_add(1));
    let all = lengths.fold(1_i64, i64::saturating_mul);
    usize::try_from(all).unwrap_or(0)
}

/// An array that is nothing but the slice.
fn new_of_slice(
    wanted: &[Bounds],
    others: &mut dyn Iterator<Item = Element>,
    available: usize,
) -> Answer {
    let mut places = Vec::with_capacity(wanted.len());
    for bounds in wanted {
        let (Some(low), Some(high)) = bounds else {
            let error = ValueError::new(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "array slice subscript must provide both boundaries",
            );
            return Err(error.with_detail(
                "When assigning to a slice of an empty array value, slice boundaries must be fully specified.",
            ));
        };
        if low > high {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "upper bound cannot be less than lower bound",
            );
        }
        places.push((*low, *high));
    }
    if available < elements_of(&places) {
        return too_small();
    }
    let mut array = Array::new(build(&places, others));
    array.lower = places.iter().map(|(low, _)| *low).collect();
    written(array)
}

/// The elements of a slice as arrays of its dimensions.
fn build(places: &[(i64, i64)], others: &mut dyn Iterator<Item = Element>) -> Vec<Element> {
    let Some(((low, high), inner)) = places.split_first() else {
        return Vec::new();
    };
    (*low..=*high)
        .filter_map(|_| {
            if inner.is_empty() {
                others.next()
            } else {
                Some(Element::Array(build(inner, others)))
            }
        })
        .collect()
}

/// Puts elements between places that are counted from 0.
fn fill(
    elements: &mut [Element],
    places: &[(i64, i64)],
    others: &mut dyn Iterator<Item = Element>,
) {
    let Some(((low, high), inner)) = places.split_first() else {
        return;
    };
    let low = usize::try_from(*low).unwrap_or(0);
    let count = usize::try_from(*high).unwrap_or(0).saturating_sub(low) + 1;
    for element in elements.iter_mut().skip(low).take(count) {
        if let Element::Array(within) = element {
            fill(within, inner, others);
        } else if let Some(other) = others.next() {
            *element = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use pgtypes::SqlValue;

    use super::*;

    fn numbers<'a>(first: &[&'a str], numbers: &[i64]) -> Vec<SqlValueRef<'a>> {
        let texts = first.iter().map(|text| match *text {
            "" => SqlValueRef::Null,
            text => SqlValueRef::Text(text),
        });
        let numbers = numbers.iter().map(|number| match number {
            999 => SqlValueRef::Text("all"),
            -999 => SqlValueRef::Null,
            number => SqlValueRef::Integer(*number),
        });
        texts.chain(numbers).collect()
    }

    fn shown(answer: Answer) -> String {
        match answer {
            Ok(SqlValue::Text(text)) => text,
            Ok(other) => format!("{other:?}"),
            Err(error) => format!("{} {}", error.sqlstate, error.message),
        }
    }

    /// Answers of PostgreSQL 15.
    #[test]
    fn slices_are_postgresqls() {
        for (array, bounds, wanted) in [
            ("{1,2,3}", &[2, 3][..], "{2,3}"),
            ("{1,2,3}", &[-5, 1], "{1}"),
            ("{1,2,3}", &[3, 2], "{}"),
            ("{1,2,3}", &[999, 2], "{1,2}"),
            ("{1,2,3}", &[2, 999], "{2,3}"),
            ("[0:2]={1,2,3}", &[0, 1], "{1,2}"),
            ("{{1,2},{3,4}}", &[1, 1], "{{1,2}}"),
            ("{{1,2},{3,4}}", &[1, 2, 2, 2], "{{2},{4}}"),
            ("{{1,2},{3,4}}", &[1, 2, 3, 4], "{}"),
            ("{1,2}", &[1, 1, 1, 1], "{}"),
        ] {
            assert_eq!(
                shown(slice(&numbers(&[array], bounds))),
                wanted,
                "{array}{bounds:?}"
            );
        }
    }

    /// Answers of PostgreSQL 15.
    #[test]
    fn elements_are_set_as_postgresql_sets_them() {
        for (array, places, wanted) in [
            ("{1,2,3}", &[2][..], "{1,9,3}"),
            ("{1,2,3}", &[5], "{1,2,3,NULL,9}"),
            ("{1,2,3}", &[-1], "[-1:3]={9,NULL,1,2,3}"),
            ("", &[1], "{9}"),
            ("{}", &[3], "[3:3]={9}"),
            ("", &[2, 2], "[2:2][2:2]={{9}}"),
            ("{{1,2},{3,4}}", &[2, 1], "{{1,2},{9,4}}"),
            (
                "{{1,2},{3,4}}",
                &[3, 1],
                "2202E array subscript out of range",
            ),
            (
                "{{1,2},{3,4}}",
                &[1],
                "2202E wrong number of array subscripts",
            ),
            (
                "{1}",
                &[-999],
                "22004 array subscript in assignment must not be null",
            ),
            (
                "{1}",
                &[2_147_483_647],
                "54000 array size exceeds the maximum allowed (134217727)",
            ),
        ] {
            let answer = with_element(&numbers(&[array, "9"], places));
            assert_eq!(shown(answer), wanted, "{array}{places:?}");
        }
        let nothing = with_element(&numbers(&["{1,2}", ""], &[1]));
        assert_eq!(shown(nothing), "{NULL,2}");
    }

    /// Answers of PostgreSQL 15.
    #[test]
    fn slices_are_set_as_postgresql_sets_them() {
        for (array, source, bounds, wanted) in [
            ("{1,2,3}", "{8,9}", &[1, 2][..], "{8,9,3}"),
            ("{1,2,3}", "{8,9}", &[5, 6], "{1,2,3,NULL,8,9}"),
            ("{1,2,3}", "{8,9}", &[-1, 0], "[-1:3]={8,9,1,2,3}"),
            ("{1,2,3}", "{7,8,9}", &[999, 999], "{7,8,9}"),
            ("{1,2,3}", "{8}", &[1, 2], "2202E source array too small"),
            (
                "{1,2,3}",
                "{8}",
                &[3, 1],
                "2202E upper bound cannot be less than lower bound",
            ),
            ("", "{8,9}", &[2, 3], "[2:3]={8,9}"),
            (
                "{}",
                "{8,9}",
                &[999, 2],
                "2202E array slice subscript must provide both boundaries",
            ),
            ("{{1,2},{3,4}}", "{8,9}", &[1, 2, 2, 2], "{{1,8},{3,9}}"),
            ("{{1,2},{3,4}}", "{8,9}", &[1, 1], "{{8,9},{3,4}}"),
            (
                "{{1,2},{3,4}}",
                "{8,9}",
                &[3, 3],
                "2202E array subscript out of range",
            ),
            ("{1,2}", "", &[1, 1], "{1,2}"),
        ] {
            let answer = with_slice(&numbers(&[array, source], bounds));
            assert_eq!(shown(answer), wanted, "{array}{bounds:?} {source}");
        }
    }
}
