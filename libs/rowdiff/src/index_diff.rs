//! The rows of a table WITHOUT ROWID, which are the records of an index (section 1.6).
//!
//! Their order is that of the collations of the key, which nobody here knows. Both sides have the same order, though,
//! so equal records come soon after one another: what waits for its equal is what is different, and what lies between.

use rustc_hash::FxHashMap;

use crate::cell::Cell;
use crate::error::Error;
use crate::pages::Pages;
use crate::payload;
use crate::row_diff::Sink;
use crate::table_diff::{self, Side, TableDiff};

/// Records without an equal one so far, and the pages that they are on. A key is there once, so a record is, too.
type Waiting = FxHashMap<Vec<u8>, u32>;

pub(crate) fn run(diff: &TableDiff<'_>, sink: &mut Sink<'_>) -> Result<(), Error> {
    let (mut olds, mut news) = (diff.old_rows()?, diff.new_rows()?);
    let (mut gone, mut come) = (Waiting::default(), Waiting::default());
    loop {
        let (old, new) = (olds.next()?, news.next()?);
        if old.is_none() && new.is_none() {
            break;
        }
        if let (Some(old), Some(new)) = (&old, &new)
            && diff.sides().same(old, new)?
        {
            continue;
        }
        cancel(old, diff.before.root.pages, &mut gone, &mut come)?;
        cancel(new, diff.after.root.pages, &mut come, &mut gone)?;
    }
    tell(diff, gone, come, sink)
}

/// Takes a record's equal out of the other side, or has it wait on its own.
fn cancel(
    cell: Option<Cell>,
    pages: &dyn Pages,
    own: &mut Waiting,
    other: &mut Waiting,
) -> Result<(), Error> {
    let Some(cell) = cell else { return Ok(()) };
    let payload = payload::read(&cell, pages)?;
    if other.remove(&payload).is_none() && own.insert(payload, cell.page).is_some() {
        return Err(Error::Damaged {
            page: cell.page,
            what: "a row of it is there twice",
        });
    }
    Ok(())
}

/// Pairs what is left by key.
fn tell(
    diff: &TableDiff<'_>,
    gone: Waiting,
    come: Waiting,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let mut olds = FxHashMap::default();
    for (payload, page) in gone {
        let row = diff.before.row_of(page, 0, &payload)?;
        olds.insert(diff.before.table.key(&row.values), row);
    }
    for (payload, page) in come {
        let side: &Side<'_> = &diff.after;
        let row = side.row_of(page, 0, &payload)?;
        let old = olds.remove(&side.table.key(&row.values));
        table_diff::tell(diff, None, (old, Some(row)), sink)?;
    }
    for old in olds.into_values() {
        table_diff::tell(diff, None, (Some(old), None), sink)?;
    }
    Ok(())
}
