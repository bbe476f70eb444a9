//! What analysis asks of a database's schema.

use std::rc::Rc;

use crate::catalog::Type;
use crate::domain::Domain;
use crate::stored_name::{self, PUBLIC};
use crate::user_type::UserType;

/// The tables and views that a session sees.
pub trait Schema {
    /// The settings of the session by which literals are read.
    fn context(&self) -> pgtypes::Context {
        pgtypes::Context::default()
    }

    /// The relation of that name: in a schema, or the first on the search path. `None`: there is none. What users have
    /// made is in `public` under its stored name, or in `pg_temp`.
    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>>;

    /// The conditions of a table's partial indexes, as the client wrote them.
    fn index_conditions(&self, _table: &Relation) -> Vec<String> {
        Vec::new()
    }

    /// The enums of the database.
    fn user_types(&self) -> Vec<UserType> {
        Vec::new()
    }

    /// A domain: in a schema, or the first on the search path.
    fn domain(&self, _schema: Option<&str>, _name: &str) -> Option<Domain> {
        None
    }

    /// The stored name of a sequence: in a schema, or the first on the search path. `None`: there is none.
    fn sequence(&self, _schema: Option<&str>, _name: &str) -> Option<String> {
        None
    }

    /// The stored name of a type that a user has made: in a schema, or the first on the search path.
    fn user_type(&self, schema: Option<&str>, name: &str) -> Option<String> {
        Some(stored_name::join(schema.unwrap_or(PUBLIC), name))
    }

    /// Whether users have made a schema of that name.
    fn has_schema(&self, _name: &str) -> bool {
        false
    }
}

/// A table, a view, or a catalog table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// SQLite's schema: `main` or `temp`.
    pub schema: &'static str,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: RelationKind,
    /// In their order.
    pub columns: Vec<Column>,
    /// Primary key, unique constraints and unique indexes over columns.
    pub keys: Vec<Key>,
    /// SQLite's WITHOUT ROWID: its rows are known by their primary key only.
    pub without_rowid: bool,
}

/// Where [`Schema::relation`] finds what SQLite has in one of its schemas.
pub(crate) fn place_of(sqlite: &str) -> &'static str {
    if sqlite == "temp" { "pg_temp" } else { PUBLIC }
}

/// PostgreSQL's name of the schema of a relation.
pub(crate) fn shown_schema<'n>(sqlite: &str, name: &'n str) -> &'n str {
    if sqlite == "temp" {
        "pg_temp"
    } else {
        stored_name::schema(name)
    }
}

impl Relation {
    /// Its name without a schema.
    pub(crate) fn shown_name(&self) -> &str {
        if self.schema == "temp" {
            &self.name
        } else {
            stored_name::base(&self.name)
        }
    }
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    /// A table.
    Table,
    /// A view.
    View,
    /// A table of `pg_catalog` or `information_schema`.
    Catalog {
        /// Its number in `pg_class`.
        oid: u32,
        /// The name of the temp table that is filled before the statement runs; `None`: it never has rows.
        stored: Option<&'static str>,
    },
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// NOT NULL, or in the primary key.
    pub not_null: bool,
    /// SQLite's expression text of the default.
    pub default: Option<String>,
    /// SQLite's rowid, which is never NULL: for NULL it takes a number of its own.
    pub rowid: bool,
    /// How it gets its value by itself.
    pub generated: Generated,
}

/// How a column gets its value by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// Not at all.
    No,
    /// The next number; one may be given.
    ByDefault,
    /// The next number, always.
    Always,
    /// Computed from other columns.
    Computed,
}

/// Columns whose values are together unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The constraint's or the index's name.
    pub name: String,
    /// Places of the columns.
    pub columns: Vec<usize>,
    /// PRIMARY KEY.
    pub primary: bool,
}
