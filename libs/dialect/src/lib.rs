//! PostgreSQL's SQL, made into SQLite's.
//!
//! [`split`] cuts a simple query into statements, [`analyze`] makes one of them ready for SQLite and says what it is. A
//! query or a change of rows goes through layers: [`syntax`] parses it, [`analysis`] resolves its names and types by
//! PostgreSQL's rules as [`catalog`] has them, [`sqlite`] prints it. Definitions and utility statements are read by
//! their tokens; the expressions in them go the same way as queries. It runs once for each prepared statement, takes
//! time in proportion to the text, and never panics.
//!
//! The connection that runs the result must have [`REQUIRED_PRAGMAS`] set, and registered: the functions of the crate
//! `functions`, [`pg_catalog::functions`] and [`sqlite::session_functions`].

mod access;
pub mod analysis;
mod analyze;
pub mod catalog;
mod changing_with;
mod copy;
mod copy_options;
mod copy_query;
mod cursor;
mod ddl;
mod defaults;
mod deparse;
mod domain;
mod error;
mod explain;
mod front;
mod known_schema;
mod lexer;
mod literal;
mod lock;
mod maintenance;
mod names;
mod needs;
mod normalise;
mod notice;
mod own_tables;
pub mod pg_catalog;
mod prepare;
mod qualify;
mod schema;
mod sequence;
mod session;
mod source;
mod split;
pub mod sqlite;
mod statement;
mod stored_name;
pub mod syntax;
mod table_info;
mod template;
mod translator;
mod user_type;

pub use access::Access;
pub use analyze::{analyze, analyze_with};
pub use ddl::comment::Comment;
pub use ddl::grant::{Grant, Granted, Membership, Who};
pub use ddl::namespace::StoredSchema;
pub use ddl::role_options::{PasswordChange, RoleOptions};
pub use ddl::stored::{has_rowid, stored_table};
pub use ddl::stored_rights::StoredRight;
pub use ddl::view_note::{ViewNote, ViewRead, read as read_view_note};
pub use defaults::{DefaultChange, DefaultRole};
pub use domain::Domain;
pub use error::DialectError;
pub use explain::Explain;
pub use literal::quoted_part;
pub use normalise::normalised;
pub use own_tables::{LOST_TABLE, OWN_TABLES, is_own_table};
pub use pg_catalog::identifier;
pub use schema::{ColumnInfo, NoSchema, Reader, SchemaView};
pub use sequence::{
    SequenceInfo, Sequences, bare as bare_name, default_name as default_sequence, sequences_of,
};
pub use split::split;
pub use sqlite::REQUIRED_PRAGMAS;
pub use statement::{
    Before, Check, ColumnSet, CommandTag, CopyFormat, CopyHeader, CopyOptions, FetchCount,
    Isolation, LockMode, Needs, Notice, Origin, OriginTable, Owned, Reindex, Role, Statement,
    StatementKind, TransactionModes, Violation,
};
pub use stored_name::{
    base as base_name, join as stored_name, qualified as qualified_name, schema as schema_name,
    split as split_name, told as told_message,
};
pub use table_info::{
    Constraint, ConstraintKind, Identity, TableColumn, TableInfo, Written, parse_create_table,
};
pub use template::{Template, stands_for};
pub use user_type::{Label, UserType, bound_place, shown_place};
