//! Statements in SQLite's words, true for one schema.

use std::rc::Rc;

use crate::failure::Failure;
use crate::session::prepared::{Columns, Prepared};
use crate::session::schema::View;
use crate::session::{Session, acting, rights};

impl Session {
    /// Translates a statement. `oids` are the parameter types that the client gave.
    pub fn prepare(&mut self, sql: &str, oids: &[u32]) -> Result<Rc<Prepared>, Failure> {
        let translated = self.translate(sql, oids);
        self.believe(translated)
    }

    /// A result, unless some of the schema could not be read for it: that failed for the same reason then.
    pub fn believe<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        let read = self.backend.sqlite().schema().check();
        // What a failed transaction still takes needs no schema, and its snapshot may be what can't be read.
        if self.transaction.is_failed() {
            return result;
        }
        read.and(result)
    }

    fn translate(&mut self, sql: &str, oids: &[u32]) -> Result<Rc<Prepared>, Failure> {
        self.check_epoch()?;
        self.wait_for_defined()?;
        let sqlite = self.backend.sqlite();
        match sqlite.schema_version() {
            Ok(version) => sqlite.schema().refresh(version),
            // The transaction's snapshot may be what can't be read any more: ROLLBACK needs no schema.
            Err(_) if self.transaction.is_failed() => drop(sqlite.take_error()),
            Err(error) => return Err(error),
        }
        let statement = dialect::analyze_with(sql, &View::new(sqlite), oids)?;
        self.transaction.check_accepts(&statement.kind)?;
        if self.backend.entry().via.is_some() {
            acting::check(&statement)?;
        }
        rights::prepare(self, &statement)?;
        if statement.catalog {
            self.refresh_catalog()?;
        }
        let mut prepared = Prepared::new(sql, statement, oids);
        prepared.generation = self.backend.sqlite().schema().generation();
        Ok(Rc::new(prepared))
    }

    /// A prepared statement as the present schema has it, translated again if that is another.
    ///
    /// Errors: 0A000 if its result has other columns now.
    pub fn refreshed(&mut self, prepared: Rc<Prepared>) -> Result<Rc<Prepared>, Failure> {
        let told_there = prepared.is_told_by_master() && self.forwarding.is_there();
        if self.transaction.is_failed() || prepared.is_of_no_schema() || told_there {
            return Ok(prepared);
        }
        self.wait_for_defined()?;
        let sqlite = self.backend.sqlite();
        sqlite.refresh_schema()?;
        if prepared.generation == sqlite.schema().generation() {
            return Ok(prepared);
        }
        self.translated_again(&prepared, prepared.last_columns())
    }

    /// A prepared statement translated for the present schema; `told` is what the client believes of its result.
    ///
    /// Errors: 0A000 if its result has other columns now.
    pub fn translated_again(
        &mut self,
        prepared: &Prepared,
        told: Option<Columns>,
    ) -> Result<Rc<Prepared>, Failure> {
        let again = self.prepare(&prepared.source, &prepared.parameter_oids)?;
        if let Some(told) = told.filter(|_| again.has_rows())
            && *told != *again.describe_now(self.backend.sqlite())?
        {
            let mut changed = Failure::unsupported("cached plan must not change result type");
            // Drivers prepare the statement anew when they read this.
            changed.fields_mut().routine = Some("RevalidateCachedQuery");
            return Err(changed);
        }
        Ok(again)
    }
}
