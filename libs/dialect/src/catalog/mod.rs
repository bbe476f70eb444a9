//! `pg_catalog` and `information_schema` as tables of the session's temp schema.

use crate::functions::Value;
use crate::table_info::TableInfo;

/// A table of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct CatalogTable {
    /// Its name in the temp schema: `pg_class`, `information_schema_tables`.
    pub name: &'static str,
    /// The statement that makes it: CREATE TEMP TABLE or VIEW IF NOT EXISTS.
    pub create: &'static str,
    /// The number of columns; 0 for a view, which has no rows to insert.
    pub columns: usize,
}

/// Everything that rows are made of.
#[derive(Debug, Clone, Default)]
pub struct CatalogInput {
    /// The session's database.
    pub database: String,
    /// All databases.
    pub databases: Vec<String>,
    /// All users; the first is the owner of everything.
    pub users: Vec<String>,
    /// Tables and views of the session's database.
    pub tables: Vec<TableInfo>,
    /// Settings as SHOW ALL gives them: name, value, description.
    pub settings: Vec<(String, String, String)>,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogRows {
    /// [`CatalogTable::name`]
    pub table: &'static str,
    /// Each as long as [`CatalogTable::columns`].
    pub rows: Vec<Vec<Value>>,
}

/// Whether a statement reads the catalog (by a name, cheaply; [`crate::Statement::catalog`] is exact).
pub fn is_catalog_query(_sql: &str) -> bool {
    false
}

/// Definitions, in the order to create them.
pub fn tables() -> &'static [CatalogTable] {
    &[]
}

/// The rows of every table that has columns.
pub fn rows(_input: &CatalogInput) -> Vec<CatalogRows> {
    Vec::new()
}

/// Whether a name is one of [`tables`].
pub(crate) fn has_table(_name: &str) -> bool {
    false
}
