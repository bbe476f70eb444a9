//! Aggregates of doubles over frames whose start moves: a sum of doubles can't be undone, so the
//! rows are kept and added up again.

use std::collections::VecDeque;

use pgtypes::{SqlState, SqlValue, SqlValueRef, ValueError};

use crate::registry::Aggregate;

/// The rows of a frame.
pub(super) struct Replayed {
    new: fn() -> Box<dyn Aggregate>,
    rows: VecDeque<Vec<SqlValue>>,
    /// The rows added up, as long as none was taken out.
    sum: Option<Box<dyn Aggregate>>,
}

impl Replayed {
    pub(super) fn boxed(new: fn() -> Box<dyn Aggregate>) -> Box<dyn Aggregate> {
        Box::new(Self {
            new,
            rows: VecDeque::new(),
            sum: Some(new()),
        })
    }
}

impl Aggregate for Replayed {
    fn step(&mut self, arguments: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        let row = arguments.iter().map(|value| SqlValueRef::to_owned(*value));
        self.rows.push_back(row.collect());
        match &mut self.sum {
            Some(sum) => sum.step(arguments),
            None => Ok(()),
        }
    }

    fn inverse(&mut self, _: &[SqlValueRef<'_>]) -> Result<(), ValueError> {
        self.rows.pop_front();
        self.sum = None;
        Ok(())
    }

    fn value(&self) -> Result<SqlValue, ValueError> {
        if let Some(sum) = &self.sum {
            return sum.value();
        }
        let mut sum = (self.new)();
        for row in &self.rows {
            let row: Vec<SqlValueRef<'_>> = row.iter().map(SqlValue::as_ref).collect();
            sum.step(&row)?;
        }
        sum.value()
    }
}

/// The error of an aggregate from which no row can be taken out.
pub(super) fn not_here() -> ValueError {
    ValueError::new(
        SqlState::INTERNAL_ERROR,
        "rows can't be taken out of this aggregate",
    )
}
