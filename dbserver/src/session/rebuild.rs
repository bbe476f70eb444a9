//! Schema changes that SQLite has no statement for: a table made anew, or its text edited.

use dialect::Needs;
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
    match needs {
        Needs::SchemaEdit {
            table,
            sql,
            checks,
            violation,
        } => {
            session.before_write(prepared.command())?;
            for text in &prepared.statement.sqlite {
                session.backend().sqlite().run_part(text)?;
            }
            edit_schema(session.backend().sqlite(), table, sql)?;
            check_rows(session.backend().sqlite(), checks, violation)
        }
        Needs::SchemaRebuild {
            foreign_keys_off,
            checks,
            violation,
            ..
        } => {
            if *foreign_keys_off {
                rebuild_without_foreign_keys(session, prepared, (checks, violation))
            } else {
                session.before_write(prepared.command())?;
                rebuild_table(session.backend().sqlite(), prepared)?;
                check_rows(session.backend().sqlite(), checks, violation)
            }
        }
    }
}

/// SQLite switches foreign keys only outside a transaction, so this is a transaction of its own.
fn rebuild_without_foreign_keys(
    session: &mut Session,
    prepared: &Prepared,
    (checks, violation): (&[String], &(SqlState, String)),
) -> Result<(), Failure> {
    let what = prepared.command();
    session
        .transaction()
        .check_outside_block(what)
        .map_err(|failure| {
            failure
                .detail("Another table refers to this one.")
                .hint("Run it outside BEGIN and COMMIT, as a statement of its own.")
        })?;
    session
        .backend()
        .sqlite()
        .run("PRAGMA foreign_keys = OFF")?;
    let result = session
        .before_write(what)
        .and_then(|()| rebuild_table(session.backend().sqlite(), prepared))
        .and_then(|()| check_rows(session.backend().sqlite(), checks, violation))
        .and_then(|()| session.commit());
    if result.is_err() {
        session.rollback();
    }
    session.backend().sqlite().run("PRAGMA foreign_keys = ON")?;
    result
}

/// Views and triggers that name the table are left as they are, which is what the old way of
/// ALTER TABLE does.
fn rebuild_table(sqlite: &Sqlite, prepared: &Prepared) -> Result<(), Failure> {
    sqlite.run("PRAGMA legacy_alter_table = ON")?;
    let texts = &prepared.statement.sqlite;
    let result = texts.iter().try_for_each(|text| sqlite.run_part(text));
    sqlite.run("PRAGMA legacy_alter_table = OFF")?;
    result
}

/// Replaces the text of a table: nothing that is stored changes.
fn edit_schema(sqlite: &Sqlite, table: &str, sql: &str) -> Result<(), Failure> {
    sqlite.with_writable_schema(|connection: &Connection| {
        connection.execute(Needs::SCHEMA_EDIT, (sql, table))?;
        let version: i64 = connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
        connection.execute_batch(&format!("PRAGMA schema_version = {}", version + 1))
    })?;
    sqlite.schema().clear();
    Ok(())
}

fn check_rows(
    sqlite: &Sqlite,
    checks: &[String],
    (sqlstate, message): &(SqlState, String),
) -> Result<(), Failure> {
    for check in checks {
        let found = sqlite.trusted(|connection| connection.prepare(check)?.exists([]))?;
        if found {
            return Err(Failure::new(*sqlstate, message.clone()));
        }
    }
    Ok(())
}
