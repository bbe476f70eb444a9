//! VACUUM. SQLite uses free pages again by itself, so a plain VACUUM has nothing to do; VACUUM FULL
//! rebuilds the database without them, as one transaction.

use rusqlite::limits::Limit;

use crate::session::Session;
use crate::session::failure::Failure;

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

    fn tables_exist(&self, tables: &[String]) -> Result<(), Failure> {
        for table in tables {
            let known = self.sqlite.trusted(|connection| {
                let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
                connection.query_row(sql, [table], |row| row.get::<_, i64>(0))
            })?;
            if known == 0 {
                let message = format!("relation \"{table}\" does not exist");
                return Err(Failure::new("42P01", message));
            }
        }
        Ok(())
    }
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
