//! ALTER TABLE and ALTER VIEW … RENAME.

use pgtypes::SqlState;

use crate::ddl::alter::{case_only, column_exists};
use crate::ddl::place::Object;
use crate::ddl::view_rename::{self, Around, Rename};
use crate::ddl::{comment, stored_rights};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::schema::SchemaView;
use crate::sequence::stored;
use crate::source::Source;
use crate::statement::Statement;

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

fn rename_relation(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    object: &Object,
    new: &str,
    tag: &'static str,
) -> Result<Statement, DialectError> {
    let name = object.name.as_str();
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
