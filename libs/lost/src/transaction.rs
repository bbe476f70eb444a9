//! A transaction as a line of `lost.jsonl`.

use std::fmt;

use pgtypes::PgType;
use rowdiff::Value;
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::value;

/// A transaction, with all that it has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// The id of its generation, and its commit number in it: what it is known by everywhere.
    pub id: String,
    /// When it was committed, in UTC.
    pub time: String,
    /// The database that it was in.
    pub database: String,
    /// Where its block begins in the log.
    pub block: String,
    /// Why what it has changed can't be told; then nothing of it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<String>,
    /// Who has done what, where audit records tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audit: Vec<AuditLine>,
    /// Objects that were created, dropped, renamed or defined anew, in the order in which that can be done again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ddl: Vec<DdlLine>,
    /// Tables without a key whose rows VACUUM has numbered anew; no row has changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renumbered: Vec<String>,
    /// The tables of the changes, as they were defined.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableLine>,
    /// The rows. They have no order: to do them again, remove all that was `before`, then put all that is `after`.
    #[serde(default)]
    pub changes: Vec<ChangeLine>,
}

/// Who has done what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// The user.
    pub user: String,
    /// Address and program.
    pub client: String,
    /// The statement, after its kind and a line break.
    pub statement: String,
}

/// An object of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DdlLine {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name; of a dropped object the one it had.
    pub name: String,
    /// The table that it belongs to.
    pub table: String,
    /// What it was called before; left out where that is its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formerly: Option<String>,
    /// Its definition before; `None`: it was created. Empty for an index of a constraint.
    pub before: Option<String>,
    /// Its definition after; `None`: it was dropped.
    pub after: Option<String>,
}

/// A table as it was defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableLine {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<ColumnLine>,
    /// Whether another table, or definition, has its name after the transaction. Only rows as they were are rows of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub former: bool,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnLine {
    /// Its name.
    pub name: String,
    /// The type that it is declared with; empty for none.
    #[serde(rename = "type")]
    pub declared: String,
    /// Whether it is part of the primary key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// Whether it is computed from others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
}

/// What was done to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Op {
    /// It is new.
    Insert,
    /// It has other values.
    Update,
    /// It is gone.
    Delete,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

/// A row that was inserted, updated or deleted. One whose key has changed is deleted and inserted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeLine {
    /// The table, as it is called after the transaction.
    pub table: String,
    /// What was done.
    pub op: Op,
    /// The number of the row in the database that it was in; of a table that has no column for it. Elsewhere the row has
    /// another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rowid: Option<i64>,
    /// Its primary key; left out where the table has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RowLine>,
    /// As it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<RowLine>,
    /// As it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RowLine>,
    /// The place in `tables` of the definition that `before` has, where that is not the one called `table`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<usize>,
}

/// Columns and their values, in the order of the columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowLine(pub Vec<(String, Json)>);

impl Transaction {
    /// The definition that a change has its row `after` by.
    pub fn table(&self, name: &str) -> Option<&TableLine> {
        self.tables.get(self.place_of(name)?)
    }

    pub(crate) fn place_of(&self, name: &str) -> Option<usize> {
        let called = |table: &TableLine| table.name == name && !table.former;
        self.tables.iter().position(called)
    }

    /// The definition that a change has its row `before` by.
    pub fn table_before(&self, change: &ChangeLine) -> Option<&TableLine> {
        match change.was {
            Some(at) => self.tables.get(at),
            None => self.table(&change.table),
        }
    }
}

impl TableLine {
    /// The columns that a client gives values to.
    pub fn given(&self) -> impl Iterator<Item = &ColumnLine> {
        self.columns.iter().filter(|column| !column.generated)
    }

    /// The columns of the primary key.
    pub fn key(&self) -> impl Iterator<Item = &ColumnLine> {
        self.columns.iter().filter(|column| column.key)
    }
}

/// Whether a table of this name is the server's, or SQLite's own: what is in it follows from what is done to others.
fn is_internal(name: &str) -> bool {
    dialect::is_own_table(name) || name.starts_with("sqlite_")
}

impl ChangeLine {
    /// Whether its table is the server's, or SQLite's own: no client writes it.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.table)
    }
}

impl DdlLine {
    /// Whether it, or its table, is the server's, or SQLite's own.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name) || is_internal(&self.table)
    }
}

impl ColumnLine {
    /// The type of its values.
    pub fn ty(&self) -> PgType {
        value::type_of(&self.declared)
    }
}

impl RowLine {
    /// The value of a column, as it was written.
    pub fn get(&self, column: &str) -> Option<&Json> {
        let found = self.0.iter().find(|(name, _)| name == column);
        found.map(|(_, value)| value)
    }

    /// The values as they were stored, in the order of a table's columns; `None`: the row is none of the table.
    pub fn values(&self, table: &TableLine) -> Option<Vec<Value>> {
        if self.0.len() != table.columns.len() {
            return None;
        }
        let columns = table.columns.iter().zip(&self.0);
        columns
            .map(|(column, (name, json))| {
                let own = *name == column.name;
                own.then(|| value::from_json(json, &column.ty())).flatten()
            })
            .collect()
    }
}

impl Serialize for RowLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RowLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RowLine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a member for each column")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RowLine, A::Error> {
                let mut row = Vec::new();
                while let Some(member) = map.next_entry()? {
                    row.push(member);
                }
                Ok(RowLine(row))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
