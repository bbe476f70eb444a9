//! What stands in the way of a lost transaction: lines of `conflicts.jsonl`.

use std::collections::BTreeMap;

use lost::{Op, RowLine};
use serde::Serialize;

/// A transaction that was left.
#[derive(Debug, Serialize)]
pub(super) struct Conflict {
    /// Its number in the file, from 1 on.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) time: String,
    pub(super) database: String,
    /// In words.
    pub(super) why: String,
    /// The rows that are not as it had found them.
    pub(super) rows: Vec<ConflictRow>,
}

/// A row that is not as the transaction had found it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ConflictRow {
    pub(super) table: String,
    pub(super) op: Op,
    pub(super) key: Option<RowLine>,
    pub(super) before: Option<RowLine>,
    pub(super) after: Option<RowLine>,
    /// As it is now, as PostgreSQL prints it; `None`: there is none.
    pub(super) current: Option<BTreeMap<String, Option<String>>>,
}
