//! `pg_catalog` and `information_schema` as tables of the session's temp schema.
//!
//! A statement that reads them says so in [`crate::Statement::catalog`]. The server then makes [`tables`] on that
//! connection and fills them with [`rows`], again whenever the schema changed. Qualifiers are stripped from
//! `pg_catalog.pg_class`; `information_schema.tables` becomes `information_schema_tables`.

mod definitions;
mod describe;
mod fill;
mod fill_comment;
mod fill_constraint;
mod fill_fixed;
mod fill_sequence;

use crate::ddl::comment::Comment;
use crate::functions::Value;
use crate::sequence::SequenceInfo;
use crate::source::Source;
use crate::table_info::{TableInfo, parse_create_table};
use crate::translator::Column;

pub use describe::identifier;
pub use fill::rows;

/// A table of the catalog.
#[derive(Debug, Clone, Copy)]
pub struct CatalogTable {
    /// Its name in the temp schema: `pg_class`, `information_schema_tables`.
    pub name: &'static str,
    /// CREATE TEMP TABLE IF NOT EXISTS …
    pub create: &'static str,
    /// Its columns, separated by commas: name and type.
    pub columns: &'static str,
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
    /// Its sequences, at the numbers where they are now.
    pub sequences: Vec<SequenceInfo>,
    /// The comments on what is in it.
    pub comments: Vec<Comment>,
    /// Settings as SHOW ALL gives them: name, value, description.
    pub settings: Vec<(String, String, String)>,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogRows {
    /// [`CatalogTable::name`]
    pub table: &'static str,
    /// Each with as many values as the table has columns.
    pub rows: Vec<Vec<Value>>,
}

/// Tables about things that no database here has. What psql asks about them uses arrays and functions over sets; the
/// answer is an empty result with the right number of columns.
const NOTHING_IN_IT: &[&str] = &[
    "pg_publication",
    "pg_publication_rel",
    "pg_publication_namespace",
    "pg_statistic_ext",
    "pg_policy",
    "pg_inherits",
    "pg_trigger",
    "pg_foreign_table",
    "pg_foreign_server",
    "pg_foreign_data_wrapper",
    "pg_subscription",
    "pg_event_trigger",
    "pg_partitioned_table",
    "pg_rewrite",
    "pg_aggregate",
    "pg_operator",
    "pg_cast",
    "pg_conversion",
    "pg_ts_config",
    "pg_ts_dict",
    "pg_default_acl",
    "pg_largeobject_metadata",
    "pg_db_role_setting",
    "pg_language",
    "pg_opclass",
    "pg_opfamily",
    "pg_amop",
    "pg_amproc",
    "pg_transform",
    "pg_seclabels",
    "pg_init_privs",
];

/// Definitions, in the order to create them.
pub fn tables() -> &'static [CatalogTable] {
    definitions::TABLES
}

/// Whether a name is one of [`tables`], or of those that are always empty.
pub(crate) fn has_table(name: &str) -> bool {
    definitions::TABLES.iter().any(|table| table.name == name) || is_empty_table(name)
}

pub(crate) fn is_empty_table(name: &str) -> bool {
    NOTHING_IN_IT.contains(&name)
}

/// The columns of a catalog table.
pub(crate) fn columns(name: &str) -> Option<Vec<Column>> {
    let table = definitions::TABLES
        .iter()
        .find(|table| table.name == name)?;
    let info = parse_create_table(table.create)?;
    Some(
        info.columns
            .into_iter()
            .map(|column| Column {
                name: Some(column.name),
                ty: column.type_name,
                not_null: false,
            })
            .collect(),
    )
}

/// Whether a statement reads the catalog, by the names in it. [`crate::Statement::catalog`] says the same of a
/// translated one.
pub fn is_catalog_query(sql: &str) -> bool {
    let Ok(src) = Source::new(sql) else {
        return false;
    };
    (0..src.len()).any(|at| {
        src.name(at).is_some_and(|name| {
            has_table(&name)
                || name == "information_schema"
                || (src.sign(at + 1, "(") && reads_objects(&name))
        })
    })
}

/// Functions that look objects up in the catalog.
fn reads_objects(function: &str) -> bool {
    matches!(
        function,
        "pg_get_indexdef"
            | "pg_get_constraintdef"
            | "pg_get_viewdef"
            | "pg_get_userbyid"
            | "to_regclass"
            | "obj_description"
            | "col_description"
            | "shobj_description"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalog_queries_are_known_by_the_names_in_them() {
        assert!(is_catalog_query("SELECT 1 FROM pg_catalog.pg_class"));
        assert!(is_catalog_query("SELECT 1 FROM information_schema.tables"));
        assert!(!is_catalog_query("SELECT 'pg_class' FROM t"));
    }

    #[test]
    fn rows_are_as_wide_as_their_tables() {
        let table = parse_create_table("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE CHECK (a > ''), b INT REFERENCES t)").unwrap();
        let index = "CREATE INDEX t_b ON t (b)".to_owned();
        let input = CatalogInput {
            database: "d".to_owned(),
            databases: vec!["d".to_owned()],
            users: vec!["dba".to_owned()],
            tables: vec![TableInfo {
                indexes: vec![index],
                ..table
            }],
            sequences: Vec::new(),
            comments: Vec::new(),
            settings: vec![("a".to_owned(), "b".to_owned(), "c".to_owned())],
        };
        for rows in rows(&input) {
            let width = columns(rows.table).unwrap().len();
            assert!(!rows.rows.is_empty() || rows.table != "pg_class");
            for row in rows.rows {
                assert_eq!(row.len(), width, "{}", rows.table);
            }
        }
    }
}
