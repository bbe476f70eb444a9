//! Statements that SQLite runs and that give no rows.

use std::rc::Rc;

use pgtypes::SqlValue;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::portal::command_name;
use crate::session::prepared::Prepared;

impl Session {
    /// Runs a change without a result; gives the number of changed rows.
    pub fn execute(
        &mut self,
        prepared: &Rc<Prepared>,
        values: &Rc<[SqlValue]>,
    ) -> Result<u64, Failure> {
        if self.goes_on_trial(prepared, values) {
            self.check_write(command_name(prepared))?;
            return self.try_change(prepared, values);
        }
        if prepared.statement.catalog {
            self.refresh_catalog()?;
        }
        if let Some(needs) = &prepared.statement.needs {
            self.rebuild(prepared, needs)?;
            return Ok(0);
        }
        self.before_write(command_name(prepared))?;
        self.run_preparatory(prepared)?;
        let Some(text) = prepared.statement.sqlite.last() else {
            return Ok(0);
        };
        self.change(text, values)
    }

    /// Runs all but the last of a statement's texts.
    pub(super) fn run_preparatory(&mut self, prepared: &Prepared) -> Result<(), Failure> {
        let Some((_, before)) = prepared.statement.sqlite.split_last() else {
            return Ok(());
        };
        for text in before {
            self.sqlite.prepare(text)?.raw_execute()?;
        }
        Ok(())
    }
}
