//! The rows of one table, before and after a commit.

use std::cmp::Ordering;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::cell::Cell;
use crate::change::{Change, Row, RowChange};
use crate::error::Error;
use crate::index_diff;
use crate::node::Tree;
use crate::payload::{self, Sides};
use crate::plan::{Plan, Root};
use crate::row_diff::Sink;
use crate::table::Table;
use crate::walk::Walk;

/// A table at one commit.
#[derive(Clone)]
pub(crate) struct Side<'a> {
    pub(crate) root: Root<'a>,
    pub(crate) table: Arc<Table>,
}

/// A table at two commits; both sides have trees of the same kind.
pub(crate) struct TableDiff<'a> {
    pub(crate) before: Side<'a>,
    pub(crate) after: Side<'a>,
    pub(crate) plan: &'a Plan,
    pub(crate) busy: &'a FxHashSet<u32>,
    /// VACUUM may have been at work.
    pub(crate) may_be_renumbered: bool,
}

impl<'a> TableDiff<'a> {
    pub(crate) fn run(&self, sink: &mut Sink<'_>) -> Result<(), Error> {
        if self.after.root.tree == Tree::Index {
            return index_diff::run(self, sink);
        }
        let has_column = self.after.table.rowid_column.is_some();
        if self.may_be_renumbered && !has_column && self.only_renumbered()? {
            return sink(Change::Renumbered(Arc::clone(&self.after.table)));
        }
        self.merge(sink)
    }

    pub(crate) fn old_rows(&self) -> Result<Walk<'a>, Error> {
        Walk::new(self.before.root, self.plan, self.busy)
    }

    pub(crate) fn new_rows(&self) -> Result<Walk<'a>, Error> {
        Walk::new(self.after.root, self.plan, self.busy)
    }

    pub(crate) fn sides(&self) -> Sides<'a> {
        Sides {
            before: self.before.root.pages,
            after: self.after.root.pages,
            busy: self.busy,
        }
    }

    /// Whether the rows are the same in the same order, numbered anew from 1, as VACUUM does it.
    fn only_renumbered(&self) -> Result<bool, Error> {
        let (mut olds, mut news) = (self.old_rows()?, self.new_rows()?);
        let mut moved = false;
        for number in 1.. {
            match (olds.next()?, news.next()?) {
                (Some(old), Some(new))
                    if new.rowid == number && self.sides().same(&old, &new)? =>
                {
                    moved |= old.rowid != new.rowid;
                }
                (None, None) => return Ok(moved),
                _ => break,
            }
        }
        Ok(false)
    }

    fn merge(&self, sink: &mut Sink<'_>) -> Result<(), Error> {
        let (mut olds, mut news) = (self.old_rows()?, self.new_rows()?);
        let (mut old, mut new) = (olds.next()?, news.next()?);
        loop {
            let order = match (&old, &new) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => old.rowid.cmp(&new.rowid),
            };
            let gone = old.as_ref().filter(|_| order.is_le());
            let come = new.as_ref().filter(|_| order.is_ge());
            self.compare(gone, come, sink)?;
            let (gone, come) = (gone.is_some(), come.is_some());
            if gone {
                old = following(&mut olds, old)?;
            }
            if come {
                new = following(&mut news, new)?;
            }
        }
    }

    fn compare(
        &self,
        old: Option<&Cell>,
        new: Option<&Cell>,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        if let (Some(old), Some(new)) = (old, new)
            && self.sides().same(old, new)?
        {
            return Ok(());
        }
        let rowid = new.or(old).map(|cell| cell.rowid);
        let before = old.map(|cell| self.before.row(cell)).transpose()?;
        let after = new.map(|cell| self.after.row(cell)).transpose()?;
        tell(self, rowid, (before, after), sink)
    }
}

impl Side<'_> {
    pub(crate) fn row(&self, cell: &Cell) -> Result<Row, Error> {
        let payload = payload::read(cell, self.root.pages)?;
        self.row_of(cell.page, cell.rowid, &payload)
    }

    pub(crate) fn row_of(&self, page: u32, rowid: i64, payload: &[u8]) -> Result<Row, Error> {
        Ok(Row {
            table: Arc::clone(&self.table),
            values: self.table.values(page, rowid, payload)?,
        })
    }
}

/// Hands a change over, unless the row was only written in another way.
pub(crate) fn tell(
    diff: &TableDiff<'_>,
    rowid: Option<i64>,
    (before, after): (Option<Row>, Option<Row>),
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    if let (Some(old), Some(new)) = (&before, &after)
        && says_the_same(old, new)
    {
        return Ok(());
    }
    sink(Change::Row(RowChange {
        table: Arc::clone(&diff.after.table),
        rowid,
        before,
        after,
    }))
}

/// The next row; the order of the rowids is what the merge relies on.
fn following(walk: &mut Walk<'_>, last: Option<Cell>) -> Result<Option<Cell>, Error> {
    let next = walk.next()?;
    if let (Some(last), Some(next)) = (last, &next)
        && next.rowid <= last.rowid
    {
        return Err(Error::Damaged {
            page: next.page,
            what: "its rows are not in order",
        });
    }
    Ok(next)
}

/// Whether the columns that both definitions have are the same, and new ones have their default. Under one
/// definition it may be that SQLite has written a row anew that was older than a column.
fn says_the_same(old: &Row, new: &Row) -> bool {
    let mut columns = new.table.columns.iter().zip(&new.values).enumerate();
    columns.all(|(index, (column, value))| {
        let Some(index) = new.table.counterpart(index, &old.table) else {
            return column.default.as_ref() == Some(value);
        };
        let was = old.table.columns.get(index);
        // A column that takes values in another way may have made this one of them.
        was.is_some_and(|was| was.affinity == column.affinity)
            && old.values.get(index) == Some(value)
    })
}
