//! The rows of a cursor that is read in any order.

use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use dialect::FetchCount;
use pgtypes::{Format, SqlValue};

use crate::failure::Failure;
use crate::session::prepared::Column;
use crate::session::row;

/// All rows, and the place among them.
pub(super) struct Scrolled {
    rows: Vec<Vec<SqlValue>>,
    context: Arc<pgtypes::Context>,
    /// 0 before the first row, then the number of the row, and one more than there are behind the last.
    at: usize,
}

impl Scrolled {
    /// At the place before the first row.
    pub(super) fn new(rows: Vec<Vec<SqlValue>>, context: Arc<pgtypes::Context>) -> Self {
        Self {
            rows,
            context,
            at: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Moves; gives the rows that are passed, in their order, by their places in the list.
    pub(super) fn go(&mut self, count: &FetchCount) -> Vec<usize> {
        let behind = self.rows.len() + 1;
        let large = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        match count {
            FetchCount::Forward(0) | FetchCount::Backward(0) => self.only(self.at),
            FetchCount::Forward(rows) => self.forward(large(*rows)),
            FetchCount::All => self.forward(usize::MAX),
            FetchCount::Backward(rows) => self.backward(large(*rows)),
            FetchCount::BackwardAll => self.backward(usize::MAX),
            FetchCount::Absolute(number) => {
                let distance = large(number.unsigned_abs());
                self.only(if *number < 0 {
                    behind.saturating_sub(distance)
                } else {
                    distance
                })
            }
            FetchCount::Relative(number) => {
                let distance = large(number.unsigned_abs());
                self.only(if *number < 0 {
                    self.at.saturating_sub(distance)
                } else {
                    self.at.saturating_add(distance)
                })
            }
        }
    }

    /// To one place, and the row there.
    fn only(&mut self, place: usize) -> Vec<usize> {
        self.at = place.min(self.rows.len() + 1);
        let row = self.at.checked_sub(1);
        row.filter(|row| *row < self.rows.len())
            .into_iter()
            .collect()
    }

    fn forward(&mut self, rows: usize) -> Vec<usize> {
        let from = self.at.min(self.rows.len());
        let end = from.saturating_add(rows);
        self.at = end.min(self.rows.len() + 1);
        (from..end.min(self.rows.len())).collect()
    }

    fn backward(&mut self, rows: usize) -> Vec<usize> {
        let last = self.at.saturating_sub(1);
        let first = last.saturating_sub(rows);
        // One more than there are leads before the first.
        self.at = if rows > last { 0 } else { first + 1 };
        (first..last).rev().collect()
    }

    /// Appends a row.
    pub(super) fn write(
        &self,
        out: &mut BytesMut,
        columns: &[Column],
        formats: &Rc<[Format]>,
        row: usize,
    ) -> Result<(), Failure> {
        match self.rows.get(row) {
            Some(values) => row::write(out, columns, formats, values, &self.context),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_in_both_directions() {
        let rows = (0..3).map(|n| vec![SqlValue::Integer(n)]).collect();
        let mut scrolled = Scrolled::new(rows, Arc::default());
        for (count, passed) in [
            (FetchCount::Backward(1), vec![]),
            (FetchCount::Forward(2), vec![0, 1]),
            (FetchCount::Forward(0), vec![1]),
            (FetchCount::Forward(2), vec![2]),
            (FetchCount::Forward(1), vec![]),
            (FetchCount::Backward(1), vec![2]),
            (FetchCount::BackwardAll, vec![1, 0]),
            (FetchCount::Backward(1), vec![]),
            (FetchCount::All, vec![0, 1, 2]),
            (FetchCount::Absolute(2), vec![1]),
            (FetchCount::Relative(-1), vec![0]),
            (FetchCount::Absolute(-1), vec![2]),
            (FetchCount::Absolute(9), vec![]),
            (FetchCount::Relative(-1), vec![2]),
            (FetchCount::Absolute(0), vec![]),
            (FetchCount::Forward(1), vec![0]),
        ] {
            assert_eq!(scrolled.go(&count), passed, "{count:?}");
        }
    }
}
