//! What a commit has changed.

use std::fmt;
use std::sync::Arc;

use crate::table::Table;
use crate::value::Value;

/// One change.
///
/// The schema comes first, then table by table the rows. The rows of one commit have no order: to do the changes again,
/// remove all rows `before`, then put all rows `after`, so that no unique key is there twice meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An object of the schema.
    Schema(SchemaChange),
    /// A row.
    Row(RowChange),
    /// VACUUM has given new rowids, from 1 on, to the rows of a table that has no column for them.
    Renumbered(Arc<Table>),
}

/// An object that was created, dropped, renamed, or defined anew. The rows of a dropped table are gone with it, and
/// are not told one by one.
///
/// The rows of a table that is defined anew keep their values as [`Table::counterpart`] says; a column that is new has
/// its default in them. Rows for which that is not so are told. Where the keys are of another kind
/// ([`Table::has_keys_of`]) all rows are told, as deleted and inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name; of a dropped object the one it had.
    pub name: String,
    /// The table that it belongs to.
    pub table: String,
    /// Its definition and name before; `None`: it was created.
    pub before: Option<Definition>,
    /// Its definition and name after; `None`: it was dropped.
    pub after: Option<Definition>,
}

/// How an object is defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The text; empty for an index that belongs to a constraint.
    pub sql: String,
}

/// The kinds of objects of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A trigger.
    Trigger,
}

impl ObjectKind {
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        match name {
            b"table" => Some(Self::Table),
            b"index" => Some(Self::Index),
            b"view" => Some(Self::View),
            b"trigger" => Some(Self::Trigger),
            _ => None,
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Trigger => "trigger",
        })
    }
}

/// A row that was inserted, updated or deleted. A row whose key has changed is deleted and inserted.
#[derive(Clone, Debug, PartialEq)]
pub struct RowChange {
    /// The table as it is after the commit; its rows before may have had another definition.
    pub table: Arc<Table>,
    /// Its number, of a table that has them.
    pub rowid: Option<i64>,
    /// As it was; `None`: it is new.
    pub before: Option<Row>,
    /// As it is; `None`: it is gone.
    pub after: Option<Row>,
}

/// A row under the definition that its table had at the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The table.
    pub table: Arc<Table>,
    /// One value a column, in the order of the columns.
    pub values: Vec<Value>,
}

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// It is new.
    Insert,
    /// It has other values.
    Update,
    /// It is gone.
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

impl RowChange {
    /// What was done to it.
    pub fn operation(&self) -> Operation {
        match (&self.before, &self.after) {
            (None, _) => Operation::Insert,
            (Some(_), Some(_)) => Operation::Update,
            (Some(_), None) => Operation::Delete,
        }
    }
}
