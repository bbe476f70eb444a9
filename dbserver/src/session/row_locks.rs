//! The locks of the session's transaction, as statements and functions take them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pgtypes::SqlState;

use crate::databases::Database;
use crate::databases::locks::{Blocked, Mode, Owner, RowMode, TableMode, Thing, Wait};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::advisory_locks::AdvisoryLocks;
use crate::session::sqlite::Sqlite;

/// A lock that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// What is to be locked.
    pub thing: Thing,
    /// How.
    pub mode: Mode,
}

impl Needed {
    /// What a statement needs that changes or defines these tables, whatever it finds there: nobody has locked one
    /// whole. Who changes rows is in nobody's way here; rows have locks of their own.
    pub fn to_change(sqlite: &Sqlite, tables: &[String]) -> Result<Vec<Self>, Failure> {
        let mut needed = Vec::with_capacity(tables.len());
        for table in tables {
            if !sqlite.is_own_table(table)? {
                needed.push(Self {
                    thing: Thing::table(table),
                    mode: Mode::Table(TableMode::RowExclusive),
                });
            }
        }
        Ok(needed)
    }
}

/// Why a statement has to run once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Somebody else has the lock.
    Blocked(Needed),
    /// Somebody has committed a change of the row after the transaction's snapshot.
    Changed,
    /// Somebody has committed new rows of the table after it, of which nothing is known. All is locked.
    Grown,
}

/// What FOR UPDATE and its kin do about a row that is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IfLocked {
    Wait,
    Fail,
    Skip,
}

/// See the module's page. Shared with the functions that SQLite calls; one thread uses it.
#[derive(Debug)]
pub struct RowLocks {
    owner: Mutex<Owner>,
    advisory: AdvisoryLocks,
    /// What stopped the statement that runs.
    obstacle: Mutex<Option<Obstacle>>,
}

impl RowLocks {
    /// Those of a session with this process number.
    pub fn new(database: &Database, pid: i32) -> Arc<Self> {
        Arc::new(Self {
            owner: Mutex::new(database.locks().owner(pid)),
            advisory: AdvisoryLocks::new(database.locks(), pid),
            obstacle: Mutex::default(),
        })
    }

    /// The transaction as the database's locks know it.
    pub fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers that clients lock by agreement.
    pub fn advisory(&self) -> &AdvisoryLocks {
        &self.advisory
    }

    /// Takes what is free; the first that is not is the obstacle.
    pub fn take_all(&self, needed: &[Needed]) -> Option<Obstacle> {
        let mut owner = self.owner();
        let mut grown = false;
        for needed in needed {
            match owner.try_lock(needed.thing, needed.mode) {
                Ok(granted) if granted.changed => return Some(Obstacle::Changed),
                Ok(granted) => grown |= granted.grown,
                Err(Blocked) => return Some(Obstacle::Blocked(*needed)),
            }
        }
        grown.then_some(Obstacle::Grown)
    }

    /// Takes what is free; gives the first that somebody else has.
    pub fn first_blocked(&self, needed: &[Needed]) -> Option<Needed> {
        let mut owner = self.owner();
        let blocked = |needed: &&Needed| owner.try_lock(needed.thing, needed.mode).is_err();
        needed.iter().find(blocked).copied()
    }

    /// Takes those of these things that nobody is in the way of.
    pub fn take_what_is_free(&self, things: &[Needed], mode: Mode) {
        let mut owner = self.owner();
        let free = |needed: &&Needed| owner.try_lock(needed.thing, mode).is_ok();
        let taken = things.iter().filter(free).count();
        tracing::trace!(taken, wanted = things.len(), "locks of a definition");
    }

    /// Rows are added to the tables among these, which are locked, without a word of each.
    pub fn add_to(&self, needed: &[Needed]) {
        let mut owner = self.owner();
        for needed in needed {
            if matches!(needed.mode, Mode::Table(_)) {
                owner.adds_to(needed.thing);
            }
        }
    }

    /// Waits for one.
    pub fn wait(&self, needed: Needed, wait: Wait<'_>) -> Result<(), EngineError> {
        self.owner().lock(needed.thing, needed.mode, wait).map(drop)
    }

    /// What a function met, since the last call.
    pub fn take_obstacle(&self) -> Option<Obstacle> {
        self.obstacle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Locks a row that a query with FOR UPDATE gives; `false`: it is to be left out. The numbers are those of
    /// [`dialect::sqlite`]'s printer.
    ///
    /// Errors: 55P03 with NOWAIT; another where the statement has to run once more.
    pub fn lock_row(
        &self,
        table: &str,
        rowid: i64,
        strength: i64,
        if_locked: i64,
    ) -> Result<bool, (SqlState, String)> {
        let mode = match strength {
            0 => RowMode::KeyShare,
            1 => RowMode::Share,
            2 => RowMode::NoKeyUpdate,
            _ => RowMode::Update,
        };
        let if_locked = match if_locked {
            0 => IfLocked::Wait,
            1 => IfLocked::Fail,
            _ => IfLocked::Skip,
        };
        let whole = Thing::table(table);
        let needed = [
            Needed {
                thing: whole,
                mode: Mode::Table(TableMode::RowShare),
            },
            Needed {
                thing: Thing::row(whole, rowid),
                mode: Mode::Row(mode),
            },
        ];
        let obstacle = match self.take_all(&needed) {
            // The row is there, whatever rows are new.
            None | Some(Obstacle::Grown) => return Ok(true),
            Some(obstacle) => obstacle,
        };
        match (obstacle, if_locked) {
            (Obstacle::Blocked(_), IfLocked::Skip) => return Ok(false),
            (Obstacle::Blocked(blocked), IfLocked::Fail) => {
                let what = if blocked.thing == whole {
                    format!("could not obtain lock on relation \"{table}\"")
                } else {
                    format!("could not obtain lock on row in relation \"{table}\"")
                };
                return Err((SqlState::LOCK_NOT_AVAILABLE, what));
            }
            (Obstacle::Blocked(_), IfLocked::Wait) | (Obstacle::Changed | Obstacle::Grown, _) => {}
        }
        *self.obstacle.lock().unwrap_or_else(PoisonError::into_inner) = Some(obstacle);
        let message = "the statement has to wait for a row".to_owned();
        Err((SqlState::LOCK_NOT_AVAILABLE, message))
    }
}
