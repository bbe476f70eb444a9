//! `array_agg`: takes the text of each element, as an array keeps it, or arrays, of which it makes one of more
//! dimensions.

use std::collections::VecDeque;

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::{text, value};
use crate::array::{self, Array, Element};
use crate::error::fail;
use crate::registry::{Aggregate, AggregateSpec};

pub(super) const AGGREGATES: &[AggregateSpec] = &[
    AggregateSpec {
        name: "pg_array_agg",
        arguments: 1,
        inverse: true,
        new: || Box::new(Elements::default()),
    },
    AggregateSpec {
        name: "pg_array_agg_array",
        arguments: 1,
        inverse: true,
        new: || Box::new(Arrays::default()),
    },
];

#[derive(Debug, Default)]
struct Elements {
    elements: VecDeque<Option<String>>,
}

impl Aggregate for Elements {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.elements.push_back(match value(arguments, 0) {
            SqlValueRef::Null => None,
            _ => Some(text(arguments, 0)?.to_owned()),
        });
        Ok(())
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.elements.pop_front();
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if self.elements.is_empty() {
            return Ok(SqlValue::Null);
        }
        let elements = self.elements.iter().map(Option::as_deref);
        Ok(SqlValue::Text(array::text_of(elements)))
    }
}

/// Arrays of one shape.
#[derive(Debug, Default)]
struct Arrays {
    arrays: VecDeque<Array>,
}

impl Aggregate for Arrays {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if value(arguments, 0).is_null() {
            return fail(
                SqlState::NULL_VALUE_NOT_ALLOWED,
                "cannot accumulate null arrays",
            );
        }
        let array = Array::parse(text(arguments, 0)?)?;
        let lengths = array.lengths();
        let message = if lengths.is_empty() {
            "cannot accumulate empty arrays"
        } else if self
            .arrays
            .front()
            .is_some_and(|first| first.lengths() != lengths)
        {
            "cannot accumulate arrays of different dimensionality"
        } else {
            self.arrays.push_back(array);
            return Ok(());
        };
        fail(SqlState::ARRAY_SUBSCRIPT_ERROR, message)
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.arrays.pop_front();
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        let Some(first) = self.arrays.front() else {
            return Ok(SqlValue::Null);
        };
        let inner = (0..first.lengths().len()).map(|dimension| first.lower_bound(dimension));
        let lower = std::iter::once(1).chain(inner).collect();
        let arrays = self
            .arrays
            .iter()
            .map(|array| Element::Array(array.elements.clone()));
        let elements = arrays.collect();
        Ok(SqlValue::Text(Array { elements, lower }.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arrays: &[&str]) -> Result<SqlValue, ValueError> {
        let mut collected = Arrays::default();
        for array in arrays {
            collected.step(&[SqlValueRef::Text(array)])?;
        }
        collected.value()
    }

    #[test]
    fn arrays_of_one_shape_become_one_of_more_dimensions() {
        let two = of(&["{1,NULL}", "{3,4}"]).unwrap();
        assert_eq!(two, SqlValue::Text("{{1,NULL},{3,4}}".to_owned()));
        assert_eq!(of(&[]).unwrap(), SqlValue::Null);
        for wrong in [&["{1}", "{1,2}"][..], &["{}"]] {
            assert_eq!(
                of(wrong).unwrap_err().sqlstate,
                SqlState::ARRAY_SUBSCRIPT_ERROR
            );
        }
    }
}
