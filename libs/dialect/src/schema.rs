//! What translation asks of a database's schema.

use std::rc::Rc;

use pgtypes::PgType;

use crate::domain::Domain;
use crate::sequence::SequenceInfo;
use crate::stored_name::PUBLIC;
use crate::table_info::{Identity, TableInfo};
use crate::user_type::UserType;

/// One column of a table or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// As stored, without quotes.
    pub name: String,
    /// The PostgreSQL type, or `None` where the schema declares none.
    pub type_name: Option<PgType>,
    /// NOT NULL, or part of the primary key.
    pub not_null: bool,
    /// The default as SQLite's expression text.
    pub default: Option<String>,
    /// GENERATED … AS IDENTITY.
    pub identity: Option<Identity>,
}

impl ColumnInfo {
    /// A nullable column without a default.
    pub fn new(name: impl Into<String>, type_name: Option<PgType>) -> Self {
        Self {
            name: name.into(),
            type_name,
            not_null: false,
            default: None,
            identity: None,
        }
    }
}

/// A view that reads a table or another view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// The view.
    pub view: String,
    /// The columns that it reads.
    pub columns: Vec<String>,
    /// Views and tables in the order in which they were made.
    pub made: i64,
}

/// A read-only view of the schema that a statement is translated against.
///
/// Names come without quotes and without a schema prefix, in lower case when the client did not
/// quote them; implementations compare ignoring ASCII case, as SQLite does. Every answer is taken
/// from one state of the schema: a translation that was made against an older one has to be
/// thrown away when `schema_version` moves.
pub trait SchemaView {
    /// The settings of the session by which literals are read.
    fn context(&self) -> pgtypes::Context {
        pgtypes::Context::default()
    }

    /// The schemas that users have made.
    fn schemas(&self) -> Rc<[String]> {
        Rc::default()
    }

    /// The schemas in which a name of a user's is looked up, in their order: those of the search path that there are.
    fn search_path(&self) -> Rc<[String]> {
        Rc::from([PUBLIC.to_owned()])
    }

    /// The session's database.
    fn database(&self) -> String {
        String::new()
    }

    /// All databases.
    fn databases(&self) -> Vec<String> {
        Vec::new()
    }

    /// Columns of a table or view in their order; `None` if there is no such table or it is not known here.
    fn columns(&self, table: &str) -> Option<Vec<ColumnInfo>>;

    /// All that is known of a table or view, where the implementation keeps it; `None` does not say that there is none.
    fn table_info(&self, _table: &str) -> Option<Rc<TableInfo>> {
        None
    }

    /// The same of a table of the database that one of the session's own hides.
    fn hidden_table(&self, _table: &str) -> Option<Rc<TableInfo>> {
        None
    }

    /// The text of `sqlite_schema.sql` for a table; `None` if there is no such table.
    fn create_sql(&self, _table: &str) -> Option<String> {
        None
    }

    /// The same in one of SQLite's schemas: `main` or `temp`.
    fn create_sql_in(&self, _place: &str, table: &str) -> Option<String> {
        self.create_sql(table)
    }

    /// Whether the name is that of a table or view of the session's own.
    fn is_temporary(&self, table: &str) -> bool {
        self.table_info(table).is_some_and(|info| info.temporary)
    }

    /// `sqlite_schema.sql` of each index and trigger of a table that has a text (automatic indexes have none).
    fn dependents(&self, _table: &str) -> Vec<String> {
        Vec::new()
    }

    /// The same in one of SQLite's schemas.
    fn dependents_in(&self, _place: &str, table: &str) -> Vec<String> {
        self.dependents(table)
    }

    /// The views that read a table or a view.
    fn readers(&self, _relation: &str) -> Vec<Reader> {
        Vec::new()
    }

    /// The tables with foreign keys that refer to this one, itself included, and when they were made.
    fn referrers(&self, _table: &str) -> Vec<(i64, Rc<TableInfo>)> {
        Vec::new()
    }

    /// The stored names of all tables, views and sequences of the database.
    fn relations(&self) -> Vec<String> {
        Vec::new()
    }

    /// The sequence of that name, at the number where it is now.
    fn sequence(&self, _name: &str) -> Option<SequenceInfo> {
        None
    }

    /// Tables and columns whose defaults take values from the sequence.
    fn sequence_users(&self, _name: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The sequences that a table's columns own: their names, and the columns.
    fn owned_sequences(&self, _table: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    /// The table that an index belongs to; `None` if there is no such index.
    fn index_table(&self, _index: &str) -> Option<String> {
        None
    }

    /// The enums of the database.
    fn user_types(&self) -> Vec<UserType> {
        Vec::new()
    }

    /// The domains of the database.
    fn domains(&self) -> Vec<Domain> {
        Vec::new()
    }

    /// Tables and columns of a domain.
    fn columns_of_domain(&self, _domain: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Tables and columns whose types are such.
    fn columns_of_type(&self, _such: &dyn Fn(&PgType) -> bool) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether a primary key or a unique constraint has that name, and its index.
    fn is_key(&self, _name: &str) -> bool {
        false
    }

    /// The table that a trigger belongs to; `None` if there is no such trigger.
    fn trigger_table(&self, _trigger: &str) -> Option<String> {
        None
    }
}

/// A schema without tables, for statements that need none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSchema;

impl SchemaView for NoSchema {
    fn columns(&self, _table: &str) -> Option<Vec<ColumnInfo>> {
        None
    }
}
