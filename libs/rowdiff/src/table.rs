//! A table as its definition says.

use crate::affinity::Affinity;
use crate::definition;
use crate::error::Error;
use crate::node::Tree;
use crate::record;
use crate::value::Value;

/// A column that has values in the rows of its table. Virtual generated columns have none and are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Without quotes.
    pub name: String,
    /// The type as it was declared; empty for none.
    pub declared_type: String,
    /// Whether it is part of the primary key.
    pub in_key: bool,
    /// Whether it is computed from others, and stored.
    pub generated: bool,
    pub(crate) affinity: Affinity,
    /// What rows have that are older than the column; `None`: it can't be told.
    pub(crate) default: Option<Value>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Without quotes.
    pub name: String,
    /// In the order of the definition.
    pub columns: Vec<Column>,
    /// Whether its rows have no rowid, and stand in the order of the primary key.
    pub without_rowid: bool,
    /// The column that is the rowid itself (`INTEGER PRIMARY KEY`), by its index.
    pub rowid_column: Option<usize>,
    /// Indexes of columns, in the order in which a record has them.
    pub(crate) stored: Vec<usize>,
    /// So many columns of a record are the key; only WITHOUT ROWID.
    pub(crate) key_length: usize,
}

impl Table {
    /// From the text of `CREATE TABLE`, as `sqlite_schema` has it.
    ///
    /// Errors: it is none.
    pub fn parse(name: &str, sql: &str) -> Result<Self, Error> {
        definition::parse(name, sql)
    }

    /// The place of a column, by its name.
    pub fn column(&self, name: &str) -> Option<usize> {
        let named = |column: &Column| column.name.eq_ignore_ascii_case(name);
        self.columns.iter().position(named)
    }

    /// `sqlite_schema` itself (section 2.6).
    pub(crate) fn schema() -> Self {
        let column = |name: &str, declared: &str| Column {
            name: name.to_owned(),
            declared_type: declared.to_owned(),
            in_key: false,
            generated: false,
            affinity: Affinity::of(declared, false),
            default: Some(Value::Null),
        };
        Self {
            name: "sqlite_schema".to_owned(),
            columns: vec![
                column("type", "TEXT"),
                column("name", "TEXT"),
                column("tbl_name", "TEXT"),
                column("rootpage", "INT"),
                column("sql", "TEXT"),
            ],
            without_rowid: false,
            rowid_column: None,
            stored: (0..5).collect(),
            key_length: 0,
        }
    }

    pub(crate) fn tree(&self) -> Tree {
        if self.without_rowid {
            Tree::Index
        } else {
            Tree::Table
        }
    }

    /// The column of an older definition whose values a column has now, by its place there; `None`: it is new, and rows
    /// that are older have its default.
    ///
    /// Columns keep their place unless there are fewer than before: only to drop one writes all rows anew, and then
    /// they are known by their names.
    pub fn counterpart(&self, index: usize, older: &Self) -> Option<usize> {
        if self.columns.len() >= older.columns.len() {
            return Some(index).filter(|index| *index < older.columns.len());
        }
        older.column(&self.columns.get(index)?.name)
    }

    /// Whether a row keeps its identity from an older definition to this one: both have rowids or both have none,
    /// and the same columns are the rowid, or the key.
    pub fn has_keys_of(&self, older: &Self) -> bool {
        let key = |table: &Self| match table.rowid_column {
            Some(index) => vec![index],
            None => table
                .stored
                .iter()
                .take(table.key_length)
                .copied()
                .collect(),
        };
        let (new, old) = (key(self), key(older));
        let mut columns = new.iter().zip(&old);
        self.without_rowid == older.without_rowid
            && new.len() == old.len()
            && columns.all(|(new, old)| self.counterpart(*new, older) == Some(*old))
    }

    /// The values of a record, in the order of the columns.
    ///
    /// Errors: the record, which is on this page, is none of this table.
    pub(crate) fn values(
        &self,
        page: u32,
        rowid: i64,
        payload: &[u8],
    ) -> Result<Vec<Value>, Error> {
        let stored = record::values(payload, self.stored.len()).ok_or(Error::Damaged {
            page,
            what: "a row of it is no record of its table",
        })?;
        let mut values = vec![None; self.columns.len()];
        let mut stored = stored.into_iter();
        for index in &self.stored {
            let (Some(column), Some(place)) = (self.columns.get(*index), values.get_mut(*index))
            else {
                continue;
            };
            let value = if let Some(value) = stored.next() {
                column.affinity.read(value)
            } else {
                self.default(column)?
            };
            *place = Some(value);
        }
        if let Some(place) = self.rowid_column.and_then(|index| values.get_mut(index)) {
            *place = Some(Value::Integer(rowid));
        }
        let all = values.into_iter();
        Ok(all.map(|value| value.unwrap_or(Value::Null)).collect())
    }

    fn default(&self, column: &Column) -> Result<Value, Error> {
        column.default.clone().ok_or_else(|| Error::Definition {
            table: self.name.clone(),
            what: format!(
                "a row is older than column {}, whose default is no constant",
                column.name
            ),
        })
    }

    /// The bytes that tell a row of a table WITHOUT ROWID from others.
    pub(crate) fn key(&self, values: &[Value]) -> Vec<u8> {
        let mut key = Vec::new();
        for index in self.stored.iter().take(self.key_length) {
            if let Some(value) = values.get(*index) {
                value.put_identity(&mut key);
            }
        }
        key
    }
}
