//! Schema changes that SQLite has no statement for: a table made anew, or its text edited.

use dialect::Needs;
use pgtypes::SqlState;
use rusqlite::Connection;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::portal::command_name;
use crate::session::prepared::Prepared;

impl Session {
    /// Runs a statement with what must hold around it.
    pub(super) fn rebuild(&mut self, prepared: &Prepared, needs: &Needs) -> Result<(), Failure> {
        match needs {
            Needs::SchemaEdit {
                table,
                sql,
                checks,
                violation,
            } => {
                self.before_write(command_name(prepared))?;
                self.edit_schema(table, sql)?;
                self.check_rows(checks, violation)
            }
            Needs::SchemaRebuild {
                foreign_keys_off,
                checks,
                violation,
                ..
            } => {
                if *foreign_keys_off {
                    self.rebuild_without_foreign_keys(prepared, (checks, violation))
                } else {
                    self.before_write(command_name(prepared))?;
                    self.rebuild_table(prepared)?;
                    self.check_rows(checks, violation)
                }
            }
        }
    }

    /// SQLite switches foreign keys only outside a transaction, so this is a transaction of its own.
    fn rebuild_without_foreign_keys(
        &mut self,
        prepared: &Prepared,
        (checks, violation): (&[String], &(SqlState, String)),
    ) -> Result<(), Failure> {
        if self.transaction().is_explicit() || self.transaction().has_written() {
            return Err(Failure::new(
                SqlState::ACTIVE_SQL_TRANSACTION,
                format!(
                    "{} cannot run inside a transaction block",
                    command_name(prepared)
                ),
            )
            .detail("Another table refers to this one.")
            .hint("Run it outside BEGIN and COMMIT, as a statement of its own."));
        }
        self.sqlite.run("PRAGMA foreign_keys = OFF")?;
        let result = self
            .before_write(command_name(prepared))
            .and_then(|()| self.rebuild_table(prepared))
            .and_then(|()| self.check_rows(checks, violation))
            .and_then(|()| self.commit());
        if result.is_err() {
            self.rollback();
        }
        self.sqlite.run("PRAGMA foreign_keys = ON")?;
        result
    }

    /// Views and triggers that name the table are left as they are, which is what the old way of
    /// ALTER TABLE does.
    fn rebuild_table(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        self.sqlite.run("PRAGMA legacy_alter_table = ON")?;
        let texts = &prepared.statement.sqlite;
        let result = texts.iter().try_for_each(|text| {
            self.sqlite
                .prepare(text)?
                .raw_execute()
                .map(drop)
                .map_err(Failure::from)
        });
        self.sqlite.run("PRAGMA legacy_alter_table = OFF")?;
        result
    }

    /// Replaces the text of a table: nothing that is stored changes.
    fn edit_schema(&mut self, table: &str, sql: &str) -> Result<(), Failure> {
        self.sqlite
            .with_writable_schema(|connection: &Connection| {
                connection.execute(Needs::SCHEMA_EDIT, (sql, table))?;
                let version: i64 =
                    connection.query_row("PRAGMA schema_version", [], |row| row.get(0))?;
                connection.execute_batch(&format!("PRAGMA schema_version = {}", version + 1))
            })?;
        self.sqlite.schema.clear();
        Ok(())
    }

    fn check_rows(
        &mut self,
        checks: &[String],
        (sqlstate, message): &(SqlState, String),
    ) -> Result<(), Failure> {
        for check in checks {
            let found = self
                .sqlite
                .trusted(|connection| connection.prepare(check)?.exists([]))?;
            if found {
                return Err(Failure::new(*sqlstate, message.clone()));
            }
        }
        Ok(())
    }
}
