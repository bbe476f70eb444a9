//! The value of a query that may have one row only.

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::arguments::value;
use crate::error::fail;
use crate::registry::{Aggregate, AggregateSpec};

pub(super) const AGGREGATES: &[AggregateSpec] = &[AggregateSpec {
    name: "pg_one_row",
    arguments: 1,
    inverse: false,
    new: || Box::new(OneRow::default()),
}];

#[derive(Debug, Default)]
struct OneRow {
    value: Option<SqlValue>,
}

impl Aggregate for OneRow {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        if self.value.is_some() {
            return fail(
                SqlState::CARDINALITY_VIOLATION,
                "more than one row returned by a subquery used as an expression",
            );
        }
        self.value = Some(value(arguments, 0).to_owned());
        Ok(())
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.value = None;
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        Ok(self.value.clone().unwrap_or(SqlValue::Null))
    }
}
