//! PostgreSQL's spellings of SQL, translated into SQLite's.
//!
//! [`split`] cuts a simple query into statements, [`analyze`] translates one of them and says what it is. Translation
//! works on tokens: what SQLite understands already passes through byte for byte, the rest is spliced. It runs once for
//! each prepared statement, takes time in proportion to the text, and never panics.
//!
//! The connection that runs the result must have [`REQUIRED_PRAGMAS`] set and [`REQUIRED_FUNCTIONS`] registered.

pub mod analysis;
mod analyze;
pub mod catalog;
mod copy;
mod ddl;
mod dml;
mod error;
mod expr;
mod front;
pub mod functions;
mod known_schema;
mod lexer;
mod literal;
mod lock;
mod maintenance;
mod names;
pub mod pg_catalog;
mod query;
mod schema;
mod sequence;
mod session;
mod source;
mod split;
pub mod sqlite;
mod statement;
pub mod syntax;
mod table_info;
mod translator;

pub use crate::functions::{FunctionSpec, Implementation, REQUIRED_FUNCTIONS, REQUIRED_PRAGMAS};
pub use analyze::{analyze, analyze_with};
pub use ddl::view_note::read as read_view_note;
pub use error::DialectError;
pub use pg_catalog::identifier;
pub use schema::{ColumnInfo, NoSchema, SchemaView};
pub use sequence::{
    SequenceInfo, Sequences, bare as bare_name, default_name as default_sequence, sequences_of,
};
pub use split::split;
pub use statement::{
    ColumnSet, CommandTag, CopyFormat, CopyHeader, CopyOptions, FetchCount, Isolation, LockMode,
    Needs, Notice, Reindex, Statement, StatementKind, TransactionModes,
};
pub use table_info::{
    Constraint, ConstraintKind, Identity, TableColumn, TableInfo, parse_create_table,
};
