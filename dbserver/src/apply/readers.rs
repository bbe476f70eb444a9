//! Readers of a slave that hold back what is applied: who they are, who is told of them, and when they have to go.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fwlog::DatabaseId;
use pgtypes::SqlState;

use crate::databases::Database;
use crate::databases::openings::Opening;
use crate::databases::replication_use::{Bearing, ReplicationUse};
use crate::failure::Failure;

/// What keeps a database where it is.
#[derive(Clone, Debug)]
pub struct HeldBack {
    /// Its name.
    pub database: String,
    /// What is to be done to it.
    pub used: ReplicationUse,
    /// A session that is in the way.
    pub by: Opening,
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database, used, by } = self;
        match used {
            ReplicationUse::Writes => write!(f, "database \"{database}\" is held back: {by}"),
            ReplicationUse::WritesAlone => write!(
                f,
                "database \"{database}\" is held back, for VACUUM FULL or a session that had it alone on the source: {by}"
            ),
            ReplicationUse::Removes => write!(
                f,
                "database \"{database}\" is to be dropped or renamed, and all waits: {by}"
            ),
        }
    }
}

/// Whoever is told of readers that hold replication back, and waits for them.
pub trait ReaderWatch: fmt::Debug + Send + Sync {
    /// One that holds back, or that none does any more.
    fn tell(&self, held: Option<&HeldBack>);
    /// Waits a moment. `false`: it is not worth while to try again.
    fn wait(&self) -> bool;
}

/// The databases that readers hold back.
#[derive(Debug, Default)]
pub(crate) struct Readers {
    watch: Option<Arc<dyn ReaderWatch>>,
    /// So long they may (`MaxApplyDelay`).
    max_delay: Option<Duration>,
    held: BTreeMap<DatabaseId, (HeldBack, Instant)>,
    told: bool,
}

impl Readers {
    /// From now on readers are waited for, and so long at most.
    pub(crate) fn wait_for(&mut self, watch: Arc<dyn ReaderWatch>, max_delay: Option<Duration>) {
        self.watch = Some(watch);
        self.max_delay = max_delay;
    }

    /// Whether a database is held back.
    pub(crate) fn hold_back(&self) -> bool {
        !self.held.is_empty()
    }

    /// A session is in the way.
    pub(crate) fn note(&mut self, database: &Database, used: ReplicationUse, by: Opening) {
        let held = HeldBack {
            database: database.name(),
            used,
            by,
        };
        let known = self.held.entry(database.id());
        let (known, since) = known.or_insert_with(|| (held.clone(), Instant::now()));
        *known = held;
        if self.max_delay.is_some_and(|limit| since.elapsed() >= limit) {
            let ended = database
                .openings()
                .end(used, Bearing::HoldsBack, &conflicting());
            if ended > 0 {
                tracing::warn!(
                    sessions = ended,
                    database = known.database,
                    "sessions that held back replication longer than MaxApplyDelay are ended"
                );
                *since = Instant::now();
            }
        }
    }

    /// Nothing is in the way of this database any more.
    pub(crate) fn over(&mut self, id: DatabaseId) {
        self.held.remove(&id);
    }

    /// Tells how it stands now.
    pub(crate) fn tell(&mut self) {
        let Some(watch) = &self.watch else { return };
        let first = self.held.values().next().map(|(held, _)| held);
        if first.is_some() || self.told {
            watch.tell(first);
        }
        self.told = first.is_some();
    }

    /// Waits a moment for the readers. `false`: nobody waits.
    pub(crate) fn wait(&self) -> bool {
        self.watch.as_ref().is_some_and(|watch| watch.wait())
    }
}

/// The last word to a session that replication ends, as PostgreSQL says it.
pub(crate) fn conflict(sqlstate: SqlState, detail: impl Into<String>) -> Failure {
    let message = "terminating connection due to conflict with recovery";
    Failure::fatal(sqlstate, message).detail(detail)
}

/// What a session hears that has held back replication for too long.
fn conflicting() -> Failure {
    let detail = "It held back replication longer than MaxApplyDelay.";
    conflict(SqlState::SERIALIZATION_FAILURE, detail).hint(
        "In a moment you should be able to reconnect to the database and repeat your command.",
    )
}

/// What a session hears whose database is dropped or renamed.
pub(crate) fn removed(database: &str) -> Failure {
    let detail = format!("Database \"{database}\" is dropped or renamed on the master.");
    conflict(SqlState::ADMIN_SHUTDOWN, detail)
}
