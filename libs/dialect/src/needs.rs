//! What must hold around the execution of a statement's texts.

use pgtypes::SqlState;

/// What is told when a check finds a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What kind of error.
    pub sqlstate: SqlState,
    /// The message.
    pub message: String,
    /// The table that it is about.
    pub table: String,
    /// The column, where it is about one.
    pub column: Option<String>,
    /// The constraint, where it is about one.
    pub constraint: Option<String>,
}

/// A query that must give no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// SQLite's text.
    pub query: String,
    /// What is wrong if it gives one.
    pub violation: Violation,
}

/// Conditions around the execution of [`Statement::sqlite`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// The table is made anew: the statements create [`Needs::NEW`]`<table>`, fill it, and drop the indexes and triggers
    /// of the old one. Then `swap` gives both other names in `sqlite_schema`, as in [`Needs::SchemaEdit`], so that what
    /// refers to the table by its name refers to the new one; `after` drops the old one and makes indexes and
    /// triggers again. Each of `checks` must give no row then.
    SchemaRebuild {
        /// The table.
        table: String,
        /// Changes of `sqlite_schema`.
        swap: Vec<String>,
        /// What runs then.
        after: Vec<String>,
        /// Queries that find offending rows.
        checks: Vec<Check>,
    },
    /// The text in `sqlite_schema` changes and nothing on disk does: FOREIGN KEY, CHECK, NOT NULL, DEFAULT. What
    /// [`Statement::sqlite`] has runs first; the server replaces the text with [`Needs::schema_edit`] (`?1` the text,
    /// `?2` the table) between `PRAGMA writable_schema = ON` and `= RESET`, with defensive mode off on that connection,
    /// and raises `PRAGMA schema_version` by one, all in one transaction. Then `checks` as above.
    SchemaEdit {
        /// SQLite's schema: `main` or `temp`.
        place: &'static str,
        /// The table.
        table: String,
        /// The new `CREATE TABLE` text.
        sql: String,
        /// Queries that find offending rows.
        checks: Vec<Check>,
    },
}

impl Needs {
    /// What stands before the name of a table that takes another's place.
    pub const NEW: &'static str = "eloqdb_rebuild_";
    /// What stands before the name of a table whose place is taken.
    pub const OLD: &'static str = "eloqdb_old_";

    /// The statement of a schema edit.
    pub fn schema_edit(place: &str) -> String {
        format!(
            "UPDATE {place}.sqlite_schema SET sql = ?1 WHERE type = 'table' AND name = ?2 COLLATE NOCASE"
        )
    }
}
