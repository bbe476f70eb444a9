//! `pg_catalog` and `information_schema` as tables of the session's temp schema.
//!
//! A statement that reads them says so in [`crate::Statement::catalog`]. The server then makes [`tables`] on that
//! connection and fills them with [`fixed_rows`] once and with [`contents`] whenever the schema changed. Tables without
//! rows in any database are none of SQLite's: the printer writes an empty query in their place.

mod built_in;
mod describe;
mod fill;
mod fill_column;
mod fill_comment;
mod fill_constraint;
mod fill_domain;
mod fill_fixed;
mod fill_index;
mod fill_information_column;
mod fill_rights;
mod fill_sequence;
mod fill_user_type;
mod functions;
mod index;
mod namespace;
mod number;
mod objects;
mod support;
mod tables;
mod type_names;
mod view_text;
mod visible;
mod written;

use acl::{Acl, Authority, Kind};
use pgtypes::SqlValue;

use crate::ddl::comment::Comment;
use crate::domain::Domain;
use crate::sequence::SequenceInfo;
use crate::table_info::TableInfo;
use crate::user_type::UserType;

pub(crate) use self::functions::find as find_function;
pub use self::functions::{CatalogFunction, Lookup, functions};
pub use built_in::{Rows, built_in_rows};
pub use describe::identifier;
pub use fill::{contents, fixed_rows, relation_numbers};
pub use fill_fixed::EXTENSIONS;
pub(crate) use index::condition as index_condition;
pub use index::{IndexTerm, index_terms};
pub(crate) use number::number_of_type;
pub use objects::{Objects, Relation};
pub(crate) use objects::{TEMPORARY, names as name_parts};
pub(crate) use tables::find as find_table;
pub(crate) use tables::{COMPUTED_ROWS, is_computed};
pub use tables::{CatalogTable, tables};
pub(crate) use type_names::type_number;
pub(crate) use visible::Visible;

/// Whether a table of `pg_catalog` has that name.
pub fn is_catalog_table(name: &str) -> bool {
    find_table(Some("pg_catalog"), name).is_some()
}

/// Everything that rows are made of.
#[derive(Debug, Clone, Default)]
pub struct CatalogInput {
    /// The session's database.
    pub database: String,
    /// All databases, with who owns and may use them.
    pub databases: Vec<(String, Owned)>,
    /// The session's role.
    pub user: String,
    /// All roles.
    pub roles: Vec<CatalogRole>,
    /// Who may do what in the session's database.
    pub authority: Authority,
    /// What is granted on what roles will make: tables or sequences.
    pub future: Vec<(String, Kind, Acl)>,
    /// Tables and views of the session's database.
    pub tables: Vec<TableInfo>,
    /// Its sequences, at the numbers where they are now.
    pub sequences: Vec<SequenceInfo>,
    /// The comments on what is in it.
    pub comments: Vec<Comment>,
    /// Its enums.
    pub types: Vec<UserType>,
    /// Its domains.
    pub domains: Vec<Domain>,
    /// The schemas in which a name without one is looked up, in their order.
    pub search_path: Vec<String>,
    /// The schemas that users have made.
    pub schemas: Vec<String>,
    /// The settings that SHOW ALL gives.
    pub settings: Vec<CatalogSetting>,
    /// What sessions begin with.
    pub defaults: Vec<CatalogDefaults>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "attributes that are independent of each other"
)]
pub struct CatalogRole {
    /// Its name.
    pub name: String,
    /// SUPERUSER
    pub superuser: bool,
    /// INHERIT
    pub inherit: bool,
    /// CREATEDB
    pub create_databases: bool,
    /// LOGIN
    pub login: bool,
    /// REPLICATION
    pub replication: bool,
    /// CONNECTION LIMIT; -1: none.
    pub connection_limit: i64,
    /// VALID UNTIL: a stored timestamp.
    pub valid_until: Option<i64>,
}

/// A setting as `pg_settings` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogSetting {
    /// Its name.
    pub name: &'static str,
    /// Its value, in units of its own.
    pub value: String,
    /// The value that sessions begin with.
    pub default: String,
    /// What it is for.
    pub meaning: &'static str,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// `bool`, `integer`, `enum` or `string`.
    pub kind: &'static str,
    /// The least and the largest value of a number.
    pub range: Option<(i64, i64)>,
    /// The values of an enum.
    pub words: &'static [&'static str],
    /// Nobody can change it in the running server.
    pub fixed: bool,
}

/// Who owns a database, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// `None`: it is everybody's.
    pub owner: Option<String>,
    /// What was granted on it.
    pub acl: Option<Acl>,
    /// CONNECTION LIMIT; -1: none.
    pub connection_limit: i64,
}

impl Default for Owned {
    fn default() -> Self {
        Self {
            owner: None,
            acl: None,
            connection_limit: -1,
        }
    }
}

/// What the sessions of a role in a database begin with; `None`: of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogDefaults {
    /// The database.
    pub database: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// `name=value`
    pub settings: Vec<String>,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogRows {
    /// [`CatalogTable::name`]
    pub table: &'static str,
    /// Each with as many values as the table has columns.
    pub rows: Vec<Vec<SqlValue>>,
}

/// What the catalog says about a database, beside what is the same in all.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// The rows of tables that have some.
    pub rows: Vec<CatalogRows>,
    /// For the functions that look objects up.
    pub objects: Objects,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table_info::parse_create_table;

    #[test]
    fn rows_are_as_wide_as_their_tables() {
        let table = parse_create_table("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT UNIQUE CHECK (a > ''), b INT REFERENCES t)").unwrap();
        let index = "CREATE INDEX t_b ON t (b)".to_owned();
        let input = CatalogInput {
            database: "d".to_owned(),
            databases: vec![("d".to_owned(), Owned::default())],
            user: "dba".to_owned(),
            roles: Vec::new(),
            authority: Authority::default(),
            future: vec![("dba".to_owned(), Kind::Table, Acl::default())],
            tables: vec![TableInfo {
                indexes: vec![index],
                ..table
            }],
            sequences: Vec::new(),
            comments: Vec::new(),
            types: Vec::new(),
            domains: Vec::new(),
            search_path: ["pg_catalog", "public"].map(str::to_owned).to_vec(),
            schemas: vec!["app".to_owned()],
            settings: vec![CatalogSetting::default()],
            defaults: Vec::new(),
        };
        let contents = contents(&input);
        assert!(contents.rows.iter().any(|rows| rows.table == "pg_class"));
        for rows in contents.rows.iter().chain(fixed_rows()) {
            let width = tables::by_name(rows.table).unwrap().columns.len();
            for row in &rows.rows {
                assert_eq!(row.len(), width, "{}", rows.table);
            }
        }
    }
}
