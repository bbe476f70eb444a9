//! Schema changes that SQLite has no statement for: a table made anew, or its text edited.

use dialect::{Check, Needs, Violation};
use pgtypes::SqlState;
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::prepared::Prepared;
use crate::session::sqlite::Sqlite;

/// Runs a statement with what must hold around it.
pub(super) fn rebuild(
    session: &mut Session,
    prepared: &Prepared,
    needs: &Needs,
) -> Result<(), Failure> {
    let sqlite = session.backend().sqlite();
    let texts = &prepared.statement.sqlite;
    match needs {
        Needs::SchemaEdit {
            place,
            table,
            sql,
            checks,
        } => {
            run(sqlite, texts)?;
            let edit = Needs::schema_edit(place);
            change_schema(sqlite, |connection| {
                connection.execute(&edit, (sql, table)).map(drop)
            })?;
            check_rows(sqlite, checks)
        }
        Needs::SchemaRebuild {
            table,
            swap,
            after,
            checks,
        } => {
            run(sqlite, texts).map_err(|failure| named(failure, table))?;
            change_schema(sqlite, |connection| {
                swap.iter()
                    .try_for_each(|text| connection.execute(text, []).map(drop))
            })?;
            run(sqlite, after)?;
            sqlite.schema().clear();
            check_rows(sqlite, checks)
        }
    }
}

fn run(sqlite: &Sqlite, texts: &[String]) -> Result<(), Failure> {
    texts.iter().try_for_each(|text| sqlite.run_part(text))
}

/// A row that does not go into the new table is told of under the table's own name.
fn named(mut failure: Failure, table: &str) -> Failure {
    let new = format!("{}{table}", Needs::NEW);
    let state = failure.sqlstate();
    let fields = failure.fields_mut();
    let (schema, shown) = dialect::split_name(table);
    let constraint = fields
        .constraint
        .clone()
        .map(|name| name.replace(&new, table));
    match state {
        SqlState::NOT_NULL_VIOLATION => {
            let column = fields.column.clone().unwrap_or_default();
            fields.message =
                format!("column \"{column}\" of relation \"{shown}\" contains null values");
        }
        SqlState::CHECK_VIOLATION => {
            let name = constraint.clone().unwrap_or_default();
            fields.message = format!(
                "check constraint \"{name}\" of relation \"{shown}\" is violated by some row"
            );
        }
        SqlState::UNIQUE_VIOLATION => {
            let name = constraint.clone().unwrap_or_default();
            fields.message = format!("could not create unique index \"{name}\"");
            fields.detail = Some(format!("Key ({}) is duplicated.", fields.key.join(", ")));
            fields.key.clear();
        }
        _ => return failure,
    }
    fields.schema = Some(schema.to_owned());
    fields.table = Some(shown.to_owned());
    fields.constraint = constraint;
    failure
}

/// The stored name of an index in the text that makes it.
fn unquoted(text: &str) -> String {
    let name = text
        .strip_prefix("main.")
        .or_else(|| text.strip_prefix("temp."));
    let name = name.unwrap_or(text);
    match name.strip_prefix('"').and_then(dialect::quoted_part) {
        Some((name, _)) => name,
        None => name.to_owned(),
    }
}

/// A unique index that can't be made has found a key twice.
pub(super) fn of_index(text: &str, mut failure: Failure) -> Failure {
    let name = text
        .strip_prefix("CREATE UNIQUE INDEX ")
        .and_then(|rest| rest.split_once(" ON "))
        .map(|(name, _)| unquoted(name));
    let Some(name) = name.filter(|_| failure.sqlstate() == SqlState::UNIQUE_VIOLATION) else {
        return failure;
    };
    let fields = failure.fields_mut();
    let (schema, name) = dialect::split_name(&name);
    fields.message = format!("could not create unique index \"{name}\"");
    fields.detail =
        (!fields.key.is_empty()).then(|| format!("Key ({}) is duplicated.", fields.key.join(", ")));
    fields.schema = Some(schema.to_owned());
    fields.constraint = Some(name.to_owned());
    fields.key.clear();
    failure
}

/// Changes `sqlite_schema`: what is stored stays.
fn change_schema(
    sqlite: &Sqlite,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<(), Failure> {
    sqlite.with_writable_schema(|connection: &Connection| {
        change(connection)?;
        let version: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
        connection.execute_batch(&format!("PRAGMA schema_version = {}", version + 1))
    })?;
    sqlite.schema().clear();
    Ok(())
}

/// Runs queries that must give no row.
pub(super) fn check_rows(sqlite: &Sqlite, checks: &[Check]) -> Result<(), Failure> {
    for check in checks {
        let found = sqlite.trusted(|connection| connection.prepare(&check.query)?.exists([]))?;
        if found {
            return Err(violated(&check.violation));
        }
    }
    Ok(())
}

fn violated(violation: &Violation) -> Failure {
    let mut failure = Failure::new(violation.sqlstate, violation.message.clone());
    if !violation.table.is_empty() {
        let fields = failure.fields_mut();
        let (schema, table) = dialect::split_name(&violation.table);
        fields.schema = Some(schema.to_owned());
        fields.table = Some(table.to_owned());
        fields.column.clone_from(&violation.column);
        fields.constraint.clone_from(&violation.constraint);
    }
    failure
}
