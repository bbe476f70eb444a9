//! VACUUM, ANALYZE, REINDEX. SQLite uses free pages again by itself, so a plain VACUUM has nothing to
//! do; VACUUM FULL rebuilds the database without them, as one transaction.

use dialect::Reindex;
use pgtypes::SqlState;
use rusqlite::OptionalExtension as _;
use rusqlite::limits::Limit;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::copy::quoted;

impl Session {
    /// VACUUM [FULL] [ANALYZE] [table, …].
    pub(super) fn vacuum(
        &mut self,
        full: bool,
        analyze: bool,
        tables: &[String],
    ) -> Result<(), Failure> {
        self.outside_block("VACUUM")?;
        self.check_write("VACUUM")?;
        self.tables_exist(tables)?;
        if full {
            self.rebuild_database()?;
        }
        if analyze {
            self.before_write("VACUUM")?;
            self.sqlite.run("ANALYZE")?;
            self.commit()?;
        }
        Ok(())
    }

    /// SQLite's VACUUM makes a transaction of its own.
    fn rebuild_database(&mut self) -> Result<(), Failure> {
        // What is left open by a cursor of the driver would be "SQL statements in progress".
        self.keep_held_portals()?;
        let permit = self.wait_for_permit()?;
        self.sqlite.handle.allow_write(true);
        if let Err(failure) = self.sqlite.vacuum() {
            self.sqlite.handle.allow_write(false);
            return Err(failure);
        }
        self.hand_over(permit)?;
        // Every table has moved to other pages: cached texts are prepared anew.
        self.schema_undone();
        Ok(())
    }

    /// ANALYZE [table, …].
    pub(super) fn analyze(&mut self, tables: &[String]) -> Result<(), Failure> {
        self.before_write("ANALYZE")?;
        self.tables_exist(tables)?;
        if tables.is_empty() {
            return self.sqlite.run("ANALYZE");
        }
        for table in tables {
            self.sqlite
                .run(&format!("ANALYZE main.{}", quoted(table)))?;
        }
        Ok(())
    }

    /// REINDEX of one index, of the indexes of a table, or of all.
    pub(super) fn reindex(&mut self, what: &Reindex) -> Result<(), Failure> {
        self.before_write("REINDEX")?;
        let (name, wanted) = match what {
            Reindex::All => return self.sqlite.run("REINDEX"),
            Reindex::Database(name) if *name == self.database().name() => {
                return self.sqlite.run("REINDEX");
            }
            Reindex::Database(_) => {
                let message = "can only reindex the currently open database";
                return Err(Failure::new(SqlState::FEATURE_NOT_SUPPORTED, message));
            }
            Reindex::Schema(name) if name == "public" => return self.sqlite.run("REINDEX"),
            Reindex::Schema(name) => {
                let message = format!("schema \"{name}\" does not exist");
                return Err(Failure::new(SqlState::INVALID_SCHEMA_NAME, message));
            }
            Reindex::Index(name) => (name, Some("index")),
            Reindex::Table(name) => (name, Some("table")),
            Reindex::Any(name) => (name, None),
        };
        let Some(found) = self.type_of(name)? else {
            return Err(does_not_exist(name));
        };
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            let message = format!("\"{name}\" is of type {found}, not {wanted}");
            return Err(Failure::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        // With its schema it is never taken for a collation.
        self.sqlite.run(&format!("REINDEX main.{}", quoted(name)))
    }

    fn tables_exist(&self, tables: &[String]) -> Result<(), Failure> {
        for table in tables {
            if self.type_of(table)?.as_deref() != Some("table") {
                return Err(does_not_exist(table));
            }
        }
        Ok(())
    }

    /// `table`, `index`, `view` …; `None` when there is nothing of that name.
    fn type_of(&self, name: &str) -> Result<Option<String>, Failure> {
        let sql =
            "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type <> 'trigger'";
        self.sqlite.trusted(|connection| {
            connection
                .query_row(sql, [name], |row| row.get(0))
                .optional()
        })
    }
}

fn does_not_exist(name: &str) -> Failure {
    Failure::new(
        SqlState::UNDEFINED_TABLE,
        format!("relation \"{name}\" does not exist"),
    )
}

impl crate::session::sqlite::Sqlite {
    /// Rebuilds the database; COMMIT is SQLite's own.
    fn vacuum(&self) -> Result<(), Failure> {
        self.trusted(|connection| {
            // The new database is one that SQLite attaches, under a name that nobody knows.
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
            let result = connection.execute_batch("VACUUM");
            connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
            result
        })
    }
}
