//! A statement that changes or locks rows, as its transaction runs it.

use crate::session::prepared::Prepared;

/// What came of one run of a statement.
pub(super) enum Attempt {
    /// It is done, with so many rows.
    Done(u64),
    /// It was undone, and runs again on a newer state.
    Again,
    /// It was undone, and needs the permit.
    NeedsPermit,
}

/// A statement as the loop around its runs sees it.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    /// The tables that it is about.
    pub(super) tables: &'a [String],
    /// It needs no newer snapshot, unless somebody has changed the very rows that it names.
    pub(super) by_key: bool,
    /// The rows that the transaction has changed before stay as they are.
    pub(super) only_inserts: bool,
    /// It does what can't be told by rows.
    pub(super) opaque: bool,
}

impl<'a> Change<'a> {
    /// What a statement is in these words.
    pub(super) fn of(prepared: &'a Prepared) -> Self {
        let statement = &prepared.statement;
        Self {
            tables: &statement.tables,
            by_key: statement.by_key,
            only_inserts: statement.only_inserts,
            opaque: prepared.is_opaque(),
        }
    }
}

/// What came of a statement that changes rows.
pub enum Changed {
    /// It has changed, or locked, so many.
    Rows(u64),
    /// It has done nothing: it was translated for definitions that are others in the transaction that it runs in.
    SchemaMoved,
}
