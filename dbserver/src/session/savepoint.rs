//! Savepoints. Before the first write SQLite knows nothing of them: they are only names. When its
//! transaction begins, it gets them all, as `s0`, `s1` … by depth.

use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::Session;
use crate::session::transaction::{Block, aborted};

impl Session {
    /// SAVEPOINT.
    pub fn savepoint(&mut self, name: &str) -> Result<(), Failure> {
        self.need_block("SAVEPOINT")?;
        self.settle_trial()?;
        if self.transaction.permit.is_some() {
            let depth = self.transaction.savepoints.len();
            self.sqlite.run(&format!("SAVEPOINT s{depth}"))?;
        }
        self.transaction.savepoints.push(name.to_owned());
        Ok(())
    }

    /// RELEASE SAVEPOINT.
    pub fn release(&mut self, name: &str) -> Result<(), Failure> {
        self.need_block("RELEASE SAVEPOINT")?;
        let depth = self.find_savepoint(name)?;
        if self.transaction.permit.is_some() {
            self.sqlite.run(&format!("RELEASE s{depth}"))?;
        }
        self.transaction.savepoints.truncate(depth);
        Ok(())
    }

    /// ROLLBACK TO SAVEPOINT.
    pub fn rollback_to(&mut self, name: &str) -> Result<(), Failure> {
        self.need_block("ROLLBACK TO SAVEPOINT")?;
        let depth = self.find_savepoint(name)?;
        if self.transaction.block == Block::Lost {
            return Err(aborted().detail("The failure has undone the whole transaction."));
        }
        self.portals.clear();
        if self.transaction.permit.is_some() {
            self.sqlite.run(&format!("ROLLBACK TO s{depth}"))?;
        }
        self.transaction.savepoints.truncate(depth + 1);
        self.transaction.block = Block::Open;
        self.schema_undone();
        Ok(())
    }

    fn find_savepoint(&self, name: &str) -> Result<usize, Failure> {
        self.transaction
            .savepoints
            .iter()
            .rposition(|known| known == name)
            .ok_or_else(|| {
                Failure::new(
                    SqlState::INVALID_SAVEPOINT_SPECIFICATION,
                    format!("savepoint \"{name}\" does not exist"),
                )
            })
    }
}
