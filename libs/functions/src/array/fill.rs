//! Arrays that are one value in every place.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{Answer, text, value, written};
use crate::array::{Array, Element};
use crate::error::fail;
use crate::registry::Scalar;

/// PostgreSQL's limits.
const MOST_DIMENSIONS: usize = 6;
const MOST_ELEMENTS: usize = 134_217_727;
/// Bytes.
const LONGEST: usize = 0x1fff_ffff;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_array_fill", 2, |a| filled(a, None)).loose(),
    Scalar::pure("pg_array_fill_with_lower_bounds", 3, |a| filled(a, Some(2))).loose(),
];

/// `array_fill(value, lengths [, lower bounds])`; the place of the bounds.
fn filled(arguments: &[SqlValueRef<'_>], bounds: Option<usize>) -> Answer {
    if [Some(1), bounds]
        .into_iter()
        .flatten()
        .any(|at| value(arguments, at).is_null())
    {
        return fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "dimension array or low bound array cannot be null",
        );
    }
    let lengths = dimensions(arguments, 1)?;
    if lengths.len() > MOST_DIMENSIONS {
        return fail(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!(
                "number of array dimensions ({}) exceeds the maximum allowed ({MOST_DIMENSIONS})",
                lengths.len()
            ),
        );
    }
    let lower = match bounds {
        Some(at) => dimensions(arguments, at)?,
        None => vec![1; lengths.len()],
    };
    if lower.len() != lengths.len() {
        return Err(wrong_subscripts(
            "Low bound array has different size than dimensions array.",
        ));
    }
    let Some(lengths) = allowed_lengths(&lengths, value(arguments, 0)) else {
        return fail(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            format!("array size exceeds the maximum allowed ({MOST_ELEMENTS})"),
        );
    };
    for (bound, length) in lower.iter().zip(&lengths) {
        let end = bound.saturating_add(i64::try_from(*length).unwrap_or(i64::MAX));
        if end > i64::from(i32::MAX) {
            return fail(
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                format!("array lower bound is too large: {bound}"),
            );
        }
    }
    if lengths.is_empty() || lengths.contains(&0) {
        return written(Array::new(Vec::new()));
    }
    let element = match value(arguments, 0) {
        SqlValueRef::Null => Element::Null,
        _ => Element::Value(text(arguments, 0)?.to_owned()),
    };
    let array = lengths.iter().rev().fold(element, |inner, length| {
        Element::Array(vec![inner; *length])
    });
    match array {
        Element::Array(elements) => written(Array { elements, lower }),
        _ => Ok(SqlValue::Null),
    }
}

/// The numbers of an array of one dimension.
fn dimensions(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Vec<i64>, ValueError> {
    let array = Array::parse(text(arguments, at)?)?;
    if array.lengths().len() > 1 {
        return Err(wrong_subscripts("Dimension array must be one dimensional."));
    }
    let numbers = array
        .leaves()
        .map(|number| number.and_then(|number| number.parse().ok()));
    match numbers.collect() {
        Some(numbers) => Ok(numbers),
        None => fail(
            SqlState::NULL_VALUE_NOT_ALLOWED,
            "dimension values cannot be null",
        ),
    }
}

fn wrong_subscripts(detail: &str) -> ValueError {
    ValueError::new(
        SqlState::ARRAY_SUBSCRIPT_ERROR,
        "wrong number of array subscripts",
    )
    .with_detail(detail)
}

/// The lengths, if an array of them may be made.
fn allowed_lengths(lengths: &[i64], element: SqlValueRef<'_>) -> Option<Vec<usize>> {
    let lengths: Vec<usize> = lengths
        .iter()
        .map(|length| usize::try_from(*length).ok())
        .collect::<Option<_>>()?;
    let total = lengths
        .iter()
        .try_fold(1_usize, |total, length| total.checked_mul(*length))?;
    let length = match element {
        SqlValueRef::Text(text) => text.len(),
        _ => 0,
    };
    // What it takes while it is made counts, too.
    let size = total.checked_mul(length + size_of::<Element>())?;
    (size <= LONGEST).then_some(lengths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(one: &str, lengths: &str, lower: Option<&str>) -> Result<String, String> {
        let mut arguments = vec![SqlValueRef::Text(one), SqlValueRef::Text(lengths)];
        arguments.extend(lower.map(SqlValueRef::Text));
        match filled(&arguments, lower.map(|_| 2)) {
            Ok(SqlValue::Text(text)) => Ok(text),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.message),
        }
    }

    #[test]
    fn places_are_counted_from_the_lower_bounds() {
        assert_eq!(answer("7", "{2,2}", None).unwrap(), "{{7,7},{7,7}}");
        assert_eq!(answer("7", "{3}", Some("{1}")).unwrap(), "{7,7,7}");
        assert_eq!(
            answer("7", "{2,1}", Some("{0,-3}")).unwrap(),
            "[0:1][-3:-3]={{7},{7}}"
        );
        assert_eq!(answer("7", "{}", Some("{}")).unwrap(), "{}");
        assert_eq!(answer("7", "{0,2}", Some("{1,1}")).unwrap(), "{}");
    }

    #[test]
    fn bounds_fit_the_lengths() {
        let wrong = Err("wrong number of array subscripts".to_owned());
        assert_eq!(answer("7", "{2}", Some("{1,2}")), wrong);
        assert_eq!(answer("7", "{{2}}", None), wrong);
        assert_eq!(answer("7", "{2}", Some("{{1}}")), wrong);
        let null = Err("dimension values cannot be null".to_owned());
        assert_eq!(answer("7", "{NULL}", Some("{1}")), null);
        assert_eq!(answer("7", "{2}", Some("{NULL}")), null);
        assert_eq!(
            answer("7", "{-1}", None),
            Err("array size exceeds the maximum allowed (134217727)".to_owned())
        );
        assert_eq!(
            answer("7", "{2}", Some("{2147483647}")),
            Err("array lower bound is too large: 2147483647".to_owned())
        );
    }
}
