//! `array_agg`: takes the text of each element, as its type's output function gives it.

use std::collections::VecDeque;

use pgtypes::{SqlValue, SqlValueRef, ValueError};

use crate::arguments::{text, value};
use crate::array;
use crate::registry::{Aggregate, AggregateSpec};

pub(super) const AGGREGATES: &[AggregateSpec] = &[AggregateSpec {
    name: "pg_array_agg",
    arguments: 1,
    inverse: true,
    new: || Box::new(Elements::default()),
}];

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
