//! Schema changes.

mod access;
mod alter;
mod alter_column;
mod alter_constraint;
mod alter_domain;
mod alter_drop;
mod alter_identity;
mod alter_rename;
pub(crate) mod column;
mod column_type;
pub(crate) mod comment;
mod composite_type;
pub(crate) mod counting;
mod create_table;
mod database;
mod definition;
pub(crate) mod dependents;
mod domain_type;
mod drop;
mod enum_type;
pub(crate) mod grant;
mod index;
pub(crate) mod layout;
mod like;
pub(crate) mod names;
pub(crate) mod namespace;
mod object;
pub(crate) mod owner;
mod place;
mod rebuild;
pub(crate) mod role;
pub(crate) mod role_options;
pub(crate) mod source_note;
pub(crate) mod stored;
pub(crate) mod stored_rights;
mod truncate;
mod typed;
mod view;
pub(crate) mod view_note;
pub(crate) mod view_query;
mod view_rename;

use crate::access::Access;
use crate::error::DialectError;
use crate::own_tables;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::statement::{Statement, StatementKind};

pub(crate) use truncate::truncate;

/// CREATE, ALTER, DROP, and what goes with schemas: COMMENT, GRANT, REVOKE …
pub(crate) fn ddl(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    word: &str,
) -> Result<Statement, DialectError> {
    let mut statement = match word {
        "create" => create(src, schema),
        "alter" => alter_any(src, schema),
        "drop" => object::drop(src, schema),
        "comment" => comment::comment(src, schema),
        "grant" => grant::grant(src, schema),
        "revoke" => grant::revoke(src, schema),
        "security" => Err(src.unsupported(0, "SECURITY LABEL")),
        "import" => Err(src.unsupported(0, "IMPORT FOREIGN SCHEMA")),
        "refresh" => Err(src.unsupported(0, "REFRESH MATERIALIZED VIEW")),
        _ => Err(src.unsupported(0, &word.to_ascii_uppercase())),
    }?;
    if statement.kind != StatementKind::Ddl {
        return Ok(statement);
    }
    let mut access = access::of(src, schema, word);
    access.append(&mut statement.access);
    refuse_reserved(&access)?;
    statement.access = access;
    if !["create", "alter", "drop"].contains(&word) {
        return Ok(statement);
    }
    Ok(Statement {
        tables: defined_tables(src, schema),
        ..statement
    })
}

/// The names of tables that hold what the server itself knows.
fn refuse_reserved(access: &[Access]) -> Result<(), DialectError> {
    for access in access {
        if let Access::Create { relation, .. } = access {
            own_tables::refuse_reserved(relation)?;
        }
    }
    Ok(())
}

fn create(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let mut at = 1;
    let replace = src.are(at, &["OR", "REPLACE"]);
    if replace {
        at += 2;
    }
    let start = at;
    while src.is_any(
        at,
        &[
            "GLOBAL",
            "LOCAL",
            "TEMP",
            "TEMPORARY",
            "UNLOGGED",
            "UNIQUE",
            "VIRTUAL",
        ],
    ) {
        at += 1;
    }
    match src.text(at).to_ascii_lowercase().as_str() {
        "table" if src.is(start, "VIRTUAL") => Err(src.unsupported(start, "a virtual table")),
        "table" => create_table(src, schema, start, at),
        "index" => index::create(src, schema, at),
        "view" | "recursive" => view::create(src, schema, replace, start, at),
        "sequence" => crate::sequence::create(src, schema, at + 1),
        "database" => database::create(src, at),
        "user" | "role" | "group" => database::create_user(src, at),
        "type" => enum_type::create(src, schema, at + 1),
        "domain" => domain_type::create(src, schema, at + 1),
        "schema" => namespace::create(src, schema, at),
        _ => object::create(src, at),
    }
}

/// CREATE TABLE, with the columns of other tables where it says LIKE.
fn create_table(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    start: usize,
    at: usize,
) -> Result<Statement, DialectError> {
    let Some(like) = like::expanded(src, schema, at)? else {
        return create_table::create_table(src, schema, start, at);
    };
    let without_place = |error: DialectError| DialectError {
        position: None,
        ..error
    };
    let expanded = Source::new(&like.text)?;
    let made = create_table::create_table(&expanded, schema, start, at);
    let mut statement = made.map_err(without_place)?;
    if statement.kind == StatementKind::Ddl {
        statement.sqlite.extend(like.after);
        statement.access.extend(like.access);
    }
    Ok(statement)
}

fn alter_any(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    match src.text(1).to_ascii_lowercase().as_str() {
        "table" => alter::alter_table(src, schema),
        "sequence" => crate::sequence::alter(src, schema),
        "type" => enum_type::alter(src, schema),
        "domain" => alter_domain::alter(src, schema),
        "schema" => namespace::alter(src, schema),
        "database" => database::alter(src),
        "user" | "role" | "group" => database::alter_user(src),
        "default" if src.is(2, "PRIVILEGES") => grant::alter_defaults(src, schema),
        _ => object::alter(src, schema),
    }
}

/// The tables that an understood CREATE INDEX, or ALTER or DROP of a table or an index, is about.
fn defined_tables(src: &Source<'_>, schema: &dyn SchemaView) -> Vec<String> {
    let creates = src.is(0, "CREATE");
    let table = src.is(1, "TABLE") && !creates;
    let index = (1..4).find(|at| src.is(*at, "INDEX") && !table);
    let mut at = match index {
        Some(index) if creates => (index..src.len())
            .find(|at| src.is(*at, "ON"))
            .map_or(src.len(), |on| on + 1),
        Some(index) => index + 1,
        None if table => 2,
        None => return Vec::new(),
    };
    let named = index.filter(|_| !creates);
    at += usize::from(src.is(at, "CONCURRENTLY"));
    at += if src.are(at, &["IF", "EXISTS"]) { 2 } else { 0 };
    at += usize::from(src.is(at, "ONLY"));
    let mut tables = Vec::new();
    while let Ok((_, name, to)) = object_name(src, at) {
        let table = match named {
            Some(_) => schema.index_table(&name),
            None => Some(name).filter(|name| schema.columns(name).is_some()),
        };
        tables.extend(table);
        if !src.sign(to, ",") {
            break;
        }
        at = to + 1;
    }
    tables
}

/// `[IF EXISTS] [schema.]name`: whether IF EXISTS was said, the name, the token after it.
pub(crate) fn object_name(
    src: &Source<'_>,
    at: usize,
) -> Result<(bool, String, usize), DialectError> {
    let exists = src.are(at, &["IF", "EXISTS"]);
    let mut at = at + if exists { 2 } else { 0 };
    while src.sign(at + 1, ".") {
        if let Some(schema) = src.name(at)
            && !matches!(schema.as_str(), "public" | "pg_catalog" | "pg_temp")
        {
            let message = format!("schema \"{schema}\" does not exist");
            return Err(DialectError::new(
                pgtypes::SqlState::INVALID_SCHEMA_NAME,
                message,
            ));
        }
        at += 2;
    }
    let name = src.name(at).ok_or_else(|| src.syntax(at))?;
    Ok((exists, name, at + 1))
}
