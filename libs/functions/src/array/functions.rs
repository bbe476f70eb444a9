//! Functions of arrays whose result does not depend on the type of the elements. An element that
//! is an argument is given as the text that its type's output function makes of it.

use pgtypes::json::quoted;
use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, count, integer, text, value, whole, written};
use crate::array::{Array, Element};
use crate::error::fail;
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_array_make", -1, made).loose(),
    Scalar::pure("pg_array_nest", -1, nested).loose(),
    Scalar::pure("pg_array_length", 2, |a| match dimension(a)? {
        Some((array, at)) => count(array.lengths().get(at).copied().unwrap_or(0)),
        None => Ok(SqlValue::Null),
    }),
    Scalar::pure("pg_array_lower", 2, |a| match dimension(a)? {
        Some((array, at)) => whole(array.lower_bound(at)),
        None => Ok(SqlValue::Null),
    }),
    Scalar::pure("pg_array_upper", 2, |a| match dimension(a)? {
        Some((array, at)) => {
            let length = array.lengths().get(at).copied().unwrap_or(0);
            whole(array.lower_bound(at) + i64::try_from(length).unwrap_or(0) - 1)
        }
        None => Ok(SqlValue::Null),
    }),
    Scalar::pure("pg_array_ndims", 1, |a| {
        match Array::parse(text(a, 0)?)?.lengths().len() {
            0 => Ok(SqlValue::Null),
            dimensions => count(dimensions),
        }
    }),
    Scalar::pure("pg_array_cardinality", 1, |a| {
        count(Array::parse(text(a, 0)?)?.leaves().count())
    }),
    Scalar::pure("pg_array_dims", 1, dimensions),
    Scalar::pure("pg_array_append", 2, |a| put_at_end(a, 0, 1, false)).loose(),
    Scalar::pure("pg_array_prepend", 2, |a| put_at_end(a, 1, 0, true)).loose(),
    Scalar::pure("pg_array_cat", 2, joined).loose(),
    Scalar::pure("pg_array_to_text", 2, |a| to_text(a, None)),
    Scalar::pure("pg_array_to_text_null", 3, |a| {
        if value(a, 0).is_null() || value(a, 1).is_null() {
            return Ok(SqlValue::Null);
        }
        let null = match value(a, 2) {
            SqlValueRef::Null => None,
            _ => Some(text(a, 2)?),
        };
        to_text(a, null)
    })
    .loose(),
    Scalar::pure("pg_array_element", -1, element),
    Scalar::pure("pg_set_array_unnest", 1, |a| {
        let array = Array::parse(text(a, 0)?)?;
        let rows = array
            .leaves()
            .map(|leaf| leaf.map_or_else(|| "null".to_owned(), quoted));
        written(format!("[{}]", rows.collect::<Vec<_>>().join(",")))
    }),
];

/// An array of the texts of its elements; an element that is itself an array is not given here.
fn made(arguments: &[SqlValueRef<'_>]) -> Answer {
    let elements = (0..arguments.len()).map(|at| argument(arguments, at));
    written(Array::new(elements.collect::<Result<_, _>>()?))
}

/// An array of arrays, which must have the same bounds; the result keeps them.
fn nested(arguments: &[SqlValueRef<'_>]) -> Answer {
    let mut bounds: Option<Vec<(i64, usize)>> = None;
    let mut elements = Vec::with_capacity(arguments.len());
    for at in 0..arguments.len() {
        let array = if value(arguments, at).is_null() {
            Array::new(Vec::new())
        } else {
            Array::parse(text(arguments, at)?)?
        };
        let own: Vec<(i64, usize)> = bounds_of(&array);
        if bounds.get_or_insert_with(|| own.clone()) != &own {
            return fail(
                SqlState::ARRAY_SUBSCRIPT_ERROR,
                "multidimensional arrays must have array expressions with matching dimensions",
            );
        }
        elements.push(Element::Array(array.elements));
    }
    // Empty arrays make an empty array.
    let bounds = bounds.unwrap_or_default();
    if bounds.is_empty() {
        elements.clear();
        return written(Array::new(elements));
    }
    let inner = bounds.into_iter().map(|(lower, _)| lower);
    written(Array {
        elements,
        lower: std::iter::once(1).chain(inner).collect(),
    })
}

/// Lower bound and length of each dimension.
fn bounds_of(array: &Array) -> Vec<(i64, usize)> {
    let lengths = array.lengths().into_iter().enumerate();
    lengths
        .map(|(at, length)| (array.lower_bound(at), length))
        .collect()
}

pub(super) fn argument(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Element, ValueError> {
    Ok(match value(arguments, at) {
        SqlValueRef::Null => Element::Null,
        _ => Element::Value(text(arguments, at)?.to_owned()),
    })
}

/// The array and a dimension that it has, counted from 0.
fn dimension(arguments: &[SqlValueRef<'_>]) -> Result<Option<(Array, usize)>, ValueError> {
    let array = Array::parse(text(arguments, 0)?)?;
    let at = integer(arguments, 1)?.checked_sub(1);
    let at = at.and_then(|at| usize::try_from(at).ok());
    Ok(at
        .filter(|at| *at < array.lengths().len())
        .map(|at| (array, at)))
}

fn dimensions(arguments: &[SqlValueRef<'_>]) -> Answer {
    let array = Array::parse(text(arguments, 0)?)?;
    let lengths = array.lengths();
    if lengths.is_empty() {
        return Ok(SqlValue::Null);
    }
    let bounds = lengths.iter().enumerate().map(|(at, length)| {
        let lower = array.lower_bound(at);
        let upper = lower + i64::try_from(*length).unwrap_or(0) - 1;
        format!("[{lower}:{upper}]")
    });
    written(bounds.collect::<String>())
}

/// The array of an argument; NULL is an empty one.
fn or_empty(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Array, ValueError> {
    match value(arguments, at) {
        SqlValueRef::Null => Ok(Array::new(Vec::new())),
        _ => Array::parse(text(arguments, at)?),
    }
}

fn one_dimension(array: &Array) -> Result<(), ValueError> {
    if array.lengths().len() > 1 {
        return fail(
            SqlState::DATA_EXCEPTION,
            "argument must be empty or one-dimensional array",
        );
    }
    Ok(())
}

fn put_at_end(
    arguments: &[SqlValueRef<'_>],
    array_at: usize,
    element_at: usize,
    before: bool,
) -> Answer {
    let mut array = or_empty(arguments, array_at)?;
    one_dimension(&array)?;
    let element = argument(arguments, element_at)?;
    if before {
        array.elements.insert(0, element);
    } else {
        array.elements.push(element);
    }
    written(array)
}

fn joined(arguments: &[SqlValueRef<'_>]) -> Answer {
    match (value(arguments, 0), value(arguments, 1)) {
        (SqlValueRef::Null, other) | (other, SqlValueRef::Null) => return Ok(other.to_owned()),
        _ => {}
    }
    let (mut a, mut b) = (
        Array::parse(text(arguments, 0)?)?,
        Array::parse(text(arguments, 1)?)?,
    );
    let (a_lengths, b_lengths) = (a.lengths(), b.lengths());
    if b_lengths.is_empty() {
        return written(a);
    }
    if a_lengths.is_empty() {
        return written(b);
    }
    let inner = |lengths: &[usize]| lengths.get(1..).unwrap_or_default().to_vec();
    let incompatible = || {
        fail(
            SqlState::ARRAY_SUBSCRIPT_ERROR,
            "cannot concatenate incompatible arrays",
        )
    };
    match a_lengths.len().cmp(&b_lengths.len()) {
        std::cmp::Ordering::Equal if inner(&a_lengths) == inner(&b_lengths) => {
            a.elements.append(&mut b.elements);
            written(a)
        }
        std::cmp::Ordering::Greater
            if inner(&a_lengths) == b_lengths && a.lower_bound(1) == b.lower_bound(0) =>
        {
            a.elements.push(Element::Array(b.elements));
            written(a)
        }
        std::cmp::Ordering::Less
            if inner(&b_lengths) == a_lengths && b.lower_bound(1) == a.lower_bound(0) =>
        {
            b.elements.insert(0, Element::Array(a.elements));
            written(b)
        }
        _ => incompatible(),
    }
}

fn to_text(arguments: &[SqlValueRef<'_>], null: Option<&str>) -> Answer {
    let array = Array::parse(text(arguments, 0)?)?;
    let parts: Vec<&str> = array.leaves().filter_map(|leaf| leaf.or(null)).collect();
    written(parts.join(text(arguments, 1)?))
}

/// An element, by its place in each dimension; NULL where there is none, or another number of dimensions.
fn element(arguments: &[SqlValueRef<'_>]) -> Answer {
    let array = Array::parse(text(arguments, 0)?)?;
    let mut elements = array.elements.as_slice();
    let mut found = None;
    for dimension in 0..arguments.len() - 1 {
        let at = integer(arguments, dimension + 1)?.checked_sub(array.lower_bound(dimension));
        let at = at.and_then(|at| usize::try_from(at).ok());
        found = at.and_then(|at| elements.get(at));
        elements = match found {
            Some(Element::Array(inner)) => inner,
            _ => &[],
        };
    }
    match found {
        Some(Element::Value(text)) => written(text),
        _ => Ok(SqlValue::Null),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: impl Fn(&[SqlValueRef<'_>]) -> Answer, arguments: &[&str]) -> Answer {
        let arguments: Vec<_> = arguments
            .iter()
            .map(|text| SqlValueRef::Text(text))
            .collect();
        of(&arguments)
    }

    #[test]
    fn an_array_of_arrays_keeps_their_bounds() {
        let kept = texts(nested, &["[0:1]={7,8}", "[0:1]={7,9}"]).unwrap();
        assert_eq!(kept, SqlValue::Text("[1:2][0:1]={{7,8},{7,9}}".to_owned()));
        let error = texts(nested, &["[0:1]={7,8}", "{7,9}"]).unwrap_err();
        assert_eq!(error.sqlstate, SqlState::ARRAY_SUBSCRIPT_ERROR);
    }

    #[test]
    fn an_element_has_a_place_in_each_dimension() {
        let at = |places: &[i64]| {
            let mut arguments = vec![SqlValueRef::Text("[0:1][1:2]={{1,2},{3,4}}")];
            arguments.extend(places.iter().map(|place| SqlValueRef::Integer(*place)));
            element(&arguments).unwrap()
        };
        assert_eq!(at(&[1, 2]), SqlValue::Text("4".to_owned()));
        for none in [&[1][..], &[2, 1], &[0, 1, 1]] {
            assert_eq!(at(none), SqlValue::Null, "{none:?}");
        }
    }
}
