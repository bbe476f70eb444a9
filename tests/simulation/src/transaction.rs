//! One transaction of a client, from its pages to its place in the commit order.

use std::sync::Arc;

use dbserver::commit::committer::Queued;
use dbserver::databases::Database;
use dbserver::databases::permit::Permit;
use dbserver::environment::Environment;
use dbserver::error::EngineError;
use sqlitevfs::WriteSet;

use crate::model::Change;
use crate::world::World;

/// A transaction that is ready: its client has the permit of the database.
pub(crate) struct Transaction {
    environment: Arc<Environment>,
    database: Arc<Database>,
    permit: Permit,
    write_set: WriteSet,
    change: Change,
}

/// A transaction that the server has taken or refused.
pub(crate) struct Given {
    pub(crate) change: Change,
    pub(crate) result: Result<Queued, EngineError>,
}

impl Transaction {
    /// What is to be written, and what the model will say about it.
    pub(crate) fn new(
        environment: Arc<Environment>,
        database: Arc<Database>,
        permit: Permit,
        write_set: WriteSet,
        change: Change,
    ) -> Self {
        Self {
            environment,
            database,
            permit,
            write_set,
            change,
        }
    }

    /// The number of its database.
    pub(crate) fn database(&self) -> u32 {
        self.change.database
    }

    /// Pages that it writes.
    pub(crate) fn pages(&self) -> usize {
        self.write_set.pages.len()
    }

    /// Gives it to the server: queued, not durable yet.
    pub(crate) fn give(self) -> Given {
        let result = self
            .environment
            .commit(&self.database, &self.permit, self.write_set);
        Given {
            change: self.change,
            result,
        }
    }
}

impl World {
    /// Some transactions, one after another. While a large one is on its way to the log, other
    /// clients, the log and checkpoints go on, or the server ends.
    pub(crate) fn transact(&mut self) -> Result<(), String> {
        for _ in 0..=self.random.below(4) {
            let Some(transaction) = self.clients().begin()? else {
                continue;
            };
            let pages = transaction.pages();
            let given = if pages <= self.settings.part_pages as usize {
                transaction.give()
            } else {
                self.tell(|| format!("  a transaction of {pages} pages"));
                self.may_crash_within(2 * pages as u64);
                self.among_parts(|| transaction.give())
            };
            self.clients().end(given)?;
        }
        Ok(())
    }

    fn among_parts<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.settings.nested {
            self.hooks.among_parts(work)
        } else {
            work()
        }
    }

    /// Plans, sometimes, that the master ends within so many operations.
    fn may_crash_within(&mut self, operations: u64) {
        let crash = self.settings.worst_crash();
        if let Some(crash) = crash.filter(|_| self.settings.within && self.one_in(4)) {
            let left = self.random.below(operations);
            self.tell(|| format!("  {crash:?} of the master in {left} operations"));
            self.hooks.arm(self.master, left, crash);
        }
    }
}
