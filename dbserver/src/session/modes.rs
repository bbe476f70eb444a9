//! The modes of a transaction: isolation level, access, DEFERRABLE.

use dialect::{Isolation, TransactionModes};
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::session::barrier::Barrier;
use crate::session::settings::Settings;

/// The modes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Modes {
    pub(super) isolation: Isolation,
    pub(super) read_only: bool,
    /// Shown, and without effect: no transaction waits to begin.
    pub(super) deferrable: bool,
}

impl Modes {
    /// Those that the settings give a new transaction.
    pub(super) fn new(settings: &Settings) -> Self {
        let settings = settings.frequent();
        Self {
            isolation: settings.isolation,
            read_only: settings.read_only,
            deferrable: settings.deferrable,
        }
    }

    /// Takes over those that are said; `started`: a statement of the transaction has run.
    ///
    /// Errors: 25001 when it is too late for another, 25006 where nothing can be written.
    pub(super) fn change(
        &mut self,
        modes: TransactionModes,
        started: bool,
        barrier: Option<Barrier>,
    ) -> Result<(), Failure> {
        if let Some(isolation) = modes.isolation {
            if started && isolation != self.isolation {
                return Err(Failure::new(
                    SqlState::ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION ISOLATION LEVEL must be called before any query",
                ));
            }
            self.isolation = isolation;
        }
        if let Some(deferrable) = modes.deferrable {
            if started {
                return Err(Failure::new(
                    SqlState::ACTIVE_SQL_TRANSACTION,
                    "SET TRANSACTION [NOT] DEFERRABLE must be called before any query",
                ));
            }
            self.deferrable = deferrable;
        }
        match modes.read_only {
            Some(false) if self.read_only && started => Err(Failure::new(
                SqlState::ACTIVE_SQL_TRANSACTION,
                "transaction read-write mode must be set before any query",
            )),
            Some(read_only) => {
                if let Some(barrier) = barrier.filter(|barrier| barrier.is_complete() && !read_only)
                {
                    let reason = barrier.reason();
                    return Err(Failure::new(
                        SqlState::READ_ONLY_SQL_TRANSACTION,
                        format!("cannot set transaction read-write mode: {reason}"),
                    ));
                }
                self.read_only = read_only;
                Ok(())
            }
            None => Ok(()),
        }
    }
}
