//! What a `CREATE TABLE` text of `sqlite_schema` says, in PostgreSQL's terms.

use crate::types::TypeName;

/// A table or view as the catalog shows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableInfo {
    /// Without quotes.
    pub name: String,
    /// Set for a view: the text after AS.
    pub view: Option<String>,
    /// In their order.
    pub columns: Vec<TableColumn>,
    /// Primary key, unique, foreign keys, checks, in the order of the text.
    pub constraints: Vec<Constraint>,
    /// Filled in by the caller: `sqlite_schema.sql` of the table's indexes.
    pub indexes: Vec<String>,
    /// Filled in by the caller: `sqlite_schema.sql` of the table's triggers.
    pub triggers: Vec<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// Without quotes.
    pub name: String,
    /// The PostgreSQL type; `None` = no declared type.
    pub type_name: Option<TypeName>,
    /// NOT NULL, or in the primary key.
    pub not_null: bool,
    /// SQLite's expression text of the default.
    pub default: Option<String>,
    /// The rowid alias of a serial or identity column.
    pub generated: bool,
    /// `INTEGER PRIMARY KEY`: the rowid itself.
    pub rowid_alias: bool,
}

/// A table constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// As given, else as PostgreSQL would name it: `t_pkey`, `t_a_key`, `t_a_fkey`, `t_a_check`.
    pub name: String,
    /// What it says.
    pub kind: ConstraintKind,
    /// The columns it is over (empty for CHECK).
    pub columns: Vec<String>,
}

/// What a constraint says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the clauses of the constraint")]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
    ForeignKey {
        table: String,
        columns: Vec<String>,
        on_delete: String,
        on_update: String,
        deferrable: bool,
        deferred: bool,
    },
    Check {
        expression: String,
    },
}

/// Reads a `CREATE TABLE` text of `sqlite_schema`; `None` if it is not one.
pub fn parse_create_table(_sql: &str) -> Option<TableInfo> {
    None
}
