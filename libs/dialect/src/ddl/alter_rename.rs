//! ALTER TABLE and ALTER VIEW … RENAME.

use pgtypes::SqlState;

use crate::access::Access;
use crate::ddl::alter::{case_only, column_exists};
use crate::ddl::namespace;
use crate::ddl::place::Object;
use crate::ddl::view_rename::{self, Around, Rename};
use crate::ddl::{comment, stored_rights};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::own_tables::refuse_reserved;
use crate::schema::SchemaView;
use crate::sequence::stored;
use crate::source::Source;
use crate::statement::Statement;
use crate::stored_name;

/// RENAME TO new | RENAME [COLUMN] a TO b; RENAME at the place, and the statement's tag.
pub(crate) fn rename(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    (at, tag): (usize, &'static str),
) -> Result<Statement, DialectError> {
    if src.is(at + 1, "TO") {
        let new = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
        crate::session::end_at(src, at + 3)?;
        return rename_relation(src, schema, object, &new, tag);
    }
    let at = at + 1 + usize::from(src.is(at + 1, "COLUMN"));
    let old = src.name(at).ok_or_else(|| src.syntax(at))?;
    let new = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
    if !src.is(at + 1, "TO") {
        return Err(src.syntax(at + 1));
    }
    crate::session::end_at(src, at + 3)?;
    rename_column(src, schema, object, [&old, &new], tag)
}

/// SET SCHEMA new, SET at `at`: the relation, its indexes and the sequences of its columns get names of that schema.
pub(crate) fn set_schema(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    (at, tag): (usize, &'static str),
) -> Result<Statement, DialectError> {
    let to = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
    crate::session::end_at(src, at + 3)?;
    if !namespace::exists(schema, &to) {
        return Err(namespace::missing(&to));
    }
    if object.place == "temp" || ["pg_catalog", "information_schema"].contains(&to.as_str()) {
        return Err(src.unsupported(at, "SET SCHEMA from or to a schema of the system's"));
    }
    let (from, name) = stored_name::split(&object.name);
    if from == to {
        return Ok(Statement::accepted(tag));
    }
    let moved = stored_name::join(&to, name);
    if schema.columns(&moved).is_some() || schema.index_table(&moved).is_some() {
        let message = format!("relation \"{name}\" already exists in schema \"{to}\"");
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    if let Some((sequence, _)) = schema.owned_sequences(&object.name).first() {
        let what = format!(
            "SET SCHEMA of a table whose column counts by the sequence \"{}\"",
            stored_name::base(sequence)
        );
        return Err(src.unsupported(at, &what));
    }
    let mut statement = rename_relation(src, schema, object, &moved, tag)?;
    for text in schema.dependents(&object.name) {
        statement
            .sqlite
            .extend(moved_index(&text, (&object.name, &moved), &to)?);
    }
    statement.access.push(Access::CreateIn { schema: to });
    Ok(statement)
}

/// The statements that give an index of a table that was moved a name of its schema.
fn moved_index(
    text: &str,
    (_, table): (&str, &str),
    to: &str,
) -> Result<Vec<String>, DialectError> {
    let index = Source::new(text)?;
    let at = 2 + usize::from(index.is(1, "UNIQUE"));
    let (true, Some(name)) = (index.is(at - 1, "INDEX"), index.name(at)) else {
        return Ok(Vec::new());
    };
    let open = (at..index.len()).find(|token| index.sign(*token, "("));
    let open = open.unwrap_or(index.len());
    let moved = stored_name::join(to, stored_name::base(&name));
    Ok(vec![
        format!("DROP INDEX main.{}", quote_name(&name)),
        format!(
            "{} main.{} ON {} {}",
            index.slice(0, at),
            quote_name(&moved),
            quote_name(table),
            index.slice(open, index.len())
        ),
    ])
}

fn rename_relation(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    new: &str,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let name = object.name.as_str();
    refuse_reserved(new)?;
    if schema.columns(new).is_some() || schema.index_table(new).is_some() {
        let message = format!("relation \"{new}\" already exists");
        return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
    }
    let rename = Rename {
        temporary: object.place == "temp",
        relation: name,
        column: None,
        to: new,
    };
    let own = format!(
        "ALTER TABLE {} RENAME TO {}",
        object.quoted(),
        quote_name(new)
    );
    let (mut sqlite, around) = begin(src, schema, object, &rename, own)?;
    sqlite.extend(around.after);
    if object.place == "main" {
        if !schema.owned_sequences(name).is_empty() {
            sqlite.push(stored::rename_table(name, new));
        }
        sqlite.extend(comment::rename_relation(schema, name, new));
        sqlite.extend(stored_rights::rename(schema, name, new));
    }
    Ok(Statement::ddl(tag, sqlite))
}

fn rename_column(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    [old, new]: [&str; 2],
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let name = object.name.as_str();
    let columns = schema.columns(name).unwrap_or_default();
    if !columns.iter().any(|column| column.name == old) {
        let message = format!("column \"{old}\" does not exist");
        return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
    }
    let mut others = columns.iter().filter(|column| column.name != old);
    if old == new || others.clone().any(|column| column.name == new) {
        return Err(column_exists(new, name));
    }
    if others.any(|column| column.name.eq_ignore_ascii_case(new)) {
        return Err(case_only(new));
    }
    let rename = Rename {
        temporary: object.place == "temp",
        relation: name,
        column: Some(old),
        to: new,
    };
    let own = format!(
        "ALTER TABLE {} RENAME COLUMN {} TO {}",
        object.quoted(),
        quote_name(old),
        quote_name(new)
    );
    let (mut sqlite, around) = begin(src, schema, object, &rename, own)?;
    sqlite.extend(around.after);
    if object.place == "main" {
        if !schema.owned_sequences(name).is_empty() {
            sqlite.push(stored::rename_column(name, old, new));
        }
        sqlite.extend(comment::rename_column(schema, name, old, new));
    }
    Ok(Statement::ddl(tag, sqlite))
}

/// The statements up to the rename itself; a view is made anew, which needs none.
fn begin(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    rename: &Rename<'_>,
    own: String,
) -> Result<(Vec<String>, Around), DialectError> {
    let info = schema.table_info(&object.name);
    let view = info.filter(|info| info.view.is_some() && info.temporary == rename.temporary);
    let mut around = match &view {
        Some(view) => view_rename::around_view(schema, view, rename)?.ok_or_else(|| {
            src.unsupported(1, "renaming a view that reads no table, or its columns")
        })?,
        None => view_rename::around(schema, rename)?,
    };
    let mut sqlite = std::mem::take(&mut around.before);
    if view.is_none() {
        sqlite.push(own);
    }
    Ok((sqlite, around))
}
