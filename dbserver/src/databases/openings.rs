//! Who has a database open, and in which mode; and what replication does with it meanwhile.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fwlog::{DatabaseAccess, Timestamp};

use crate::databases::open_mode::OpenMode;
use crate::databases::replication_use::{Bearing, ReplicationUse};
use crate::failure::Failure;
use crate::peer::Peer;

/// A session that can be made to leave.
pub trait Leave: Send + Sync {
    /// Ends it; its client hears this.
    fn leave(&self, last_word: Failure);
}

/// A session that has the database open.
#[derive(Clone)]
pub struct Opening {
    /// Number of the session.
    pub session: i32,
    /// Its user.
    pub user: String,
    /// Where it comes from.
    pub address: Peer,
    /// Since when it has it open.
    pub since: Timestamp,
    /// How.
    pub mode: OpenMode,
    /// The session itself.
    pub handle: Arc<dyn Leave>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            session,
            user,
            address,
            since,
            mode,
            handle: _,
        } = self;
        write!(
            f,
            "session {session} of user {user} from {address} has it open in mode {mode} since {since}"
        )
    }
}

/// What keeps a session from opening a database.
#[derive(Debug)]
pub enum Conflict {
    /// Another session, whose mode does not go with the one that is asked for.
    Session(Box<Opening>),
    /// What replication does, or waits to do.
    Replication(ReplicationUse),
}

/// All sessions that have one database open.
#[derive(Debug)]
pub struct Openings {
    state: Mutex<State>,
    /// A session that writes has the database alone.
    written_alone: AtomicBool,
}

#[derive(Debug)]
struct State {
    sessions: BTreeMap<i32, Opening>,
    /// What a session of the master leaves to others, as the log says.
    master: DatabaseAccess,
    /// What replication waits for: who is let in now would keep it waiting.
    waiting: Option<ReplicationUse>,
    /// The database is no more.
    removed: bool,
}

impl State {
    /// What replication does or is about to do.
    fn replication(&self) -> impl Iterator<Item = ReplicationUse> {
        let master = match self.master {
            DatabaseAccess::Shared => None,
            DatabaseAccess::OthersRead => Some(ReplicationUse::Writes),
            DatabaseAccess::Alone => Some(ReplicationUse::WritesAlone),
        };
        let removed = self.removed.then_some(ReplicationUse::Removes);
        master.into_iter().chain(self.waiting).chain(removed)
    }

    /// Sessions that are not to be there while the database is used so.
    fn in_the_way(&self, used: ReplicationUse) -> impl Iterator<Item = &Opening> {
        self.sessions
            .values()
            .filter(move |opening| used.bearing(opening.mode) != Bearing::Stays)
    }
}

impl Default for Openings {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                sessions: BTreeMap::new(),
                master: DatabaseAccess::Shared,
                waiting: None,
                removed: false,
            }),
            written_alone: AtomicBool::new(false),
        }
    }
}

impl Openings {
    /// Opens the database for a session; it is closed when the guard goes. Nothing is waited for.
    pub fn open(self: &Arc<Self>, opening: Opening) -> Result<Opened, Conflict> {
        let mut state = self.lock();
        let in_the_way = |used: &ReplicationUse| used.bearing(opening.mode) != Bearing::Stays;
        if let Some(used) = state.replication().find(in_the_way) {
            return Err(Conflict::Replication(used));
        }
        let conflicting = |other: &&Opening| !other.mode.goes_with(opening.mode);
        if let Some(other) = state.sessions.values().find(conflicting) {
            return Err(Conflict::Session(Box::new(other.clone())));
        }
        let session = opening.session;
        if opening.mode == OpenMode::WriteAlone {
            self.written_alone.store(true, Ordering::Release);
        }
        let before = state.sessions.insert(session, opening);
        assert!(before.is_none(), "a session opens one database, once");
        Ok(Opened {
            openings: Arc::clone(self),
            session,
        })
    }

    /// Replication is to use the database: nobody opens it as long as the claim lives.
    ///
    /// Error: a session that is in the way. From now on until a claim succeeds, no other one that would be gets in.
    pub fn claim(&self, used: ReplicationUse) -> Result<Claim<'_>, Box<Opening>> {
        let mut state = self.lock();
        let in_the_way = state.in_the_way(used).next().cloned();
        if let Some(opening) = in_the_way {
            state.waiting = Some(used);
            return Err(Box::new(opening));
        }
        state.waiting = None;
        Ok(Claim(state))
    }

    /// Ends the sessions of this bearing on what replication is to do; gives their number.
    pub fn end(&self, used: ReplicationUse, bearing: Bearing, last_word: &Failure) -> usize {
        let state = self.lock();
        let ended = state
            .in_the_way(used)
            .filter(|opening| used.bearing(opening.mode) == bearing);
        ended
            .map(|opening| opening.handle.leave(last_word.clone()))
            .count()
    }

    /// What a session of the master leaves to others from now on.
    pub fn note_master(&self, access: DatabaseAccess) {
        self.lock().master = access;
    }

    /// The server takes writes itself from now on; gives whether a session of its source, or of itself before a
    /// crash, has never given the database back.
    pub fn end_replication(&self) -> bool {
        let mut state = self.lock();
        state.waiting = None;
        let master = std::mem::replace(&mut state.master, DatabaseAccess::Shared);
        master != DatabaseAccess::Shared
    }

    /// What a session of this server leaves to others.
    pub fn access(&self) -> DatabaseAccess {
        let state = self.lock();
        let taken = state.sessions.values().map(|opening| opening.mode.access());
        taken
            .into_iter()
            .find(|access| *access != DatabaseAccess::Shared)
            .unwrap_or(DatabaseAccess::Shared)
    }

    /// Whether a session that writes has the database alone.
    pub fn is_written_alone(&self) -> bool {
        self.written_alone.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The database is replication's: nobody comes and nobody goes.
#[derive(Debug)]
pub struct Claim<'a>(MutexGuard<'a, State>);

impl Claim<'_> {
    /// Nobody opens it any more, either.
    pub fn remove(mut self) {
        self.0.removed = true;
    }
}

/// A session has the database open as long as this lives.
#[derive(Debug)]
pub struct Opened {
    openings: Arc<Openings>,
    session: i32,
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut state = self.openings.lock();
        let left = state.sessions.remove(&self.session);
        if left.is_some_and(|left| left.mode == OpenMode::WriteAlone) {
            self.openings.written_alone.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use pgtypes::SqlState;

    use super::*;

    /// Keeps what it was told.
    #[derive(Default)]
    pub(crate) struct Told(pub(crate) Mutex<Vec<SqlState>>);

    impl Leave for Told {
        fn leave(&self, last_word: Failure) {
            self.0.lock().unwrap().push(last_word.sqlstate());
        }
    }

    pub(crate) fn opening(session: i32, mode: u8) -> (Opening, Arc<Told>) {
        let told = Arc::new(Told::default());
        let opening = Opening {
            session,
            user: "ann".to_owned(),
            address: std::net::SocketAddr::from(([127, 0, 0, 1], 1)).into(),
            since: Timestamp::ZERO,
            mode: mode.to_string().parse().unwrap(),
            handle: told.clone(),
        };
        (opening, told)
    }

    fn open(openings: &Arc<Openings>, session: i32, mode: u8) -> Result<Opened, Conflict> {
        openings.open(opening(session, mode).0)
    }

    fn session_of(conflict: Conflict) -> i32 {
        match conflict {
            Conflict::Session(opening) => opening.session,
            Conflict::Replication(used) => panic!("{used}"),
        }
    }

    fn use_of(conflict: Conflict) -> ReplicationUse {
        match conflict {
            Conflict::Session(opening) => panic!("{opening}"),
            Conflict::Replication(used) => used,
        }
    }

    #[test]
    fn what_conflicts_is_refused_and_named_until_it_is_closed() {
        let openings = Arc::new(Openings::default());
        let reads = open(&openings, 1, 8).unwrap();
        let also_reads = open(&openings, 2, 6).unwrap();
        assert_eq!(session_of(open(&openings, 3, 1).unwrap_err()), 1);
        drop(reads);
        assert_eq!(session_of(open(&openings, 3, 1).unwrap_err()), 2);
        drop(also_reads);
        let writes = open(&openings, 3, 1).unwrap();
        drop(writes);
        assert!(open(&openings, 4, 3).is_ok());
    }

    #[test]
    fn who_would_keep_replication_waiting_is_not_let_in_while_it_waits() {
        let openings = Arc::new(Openings::default());
        let writes = ReplicationUse::Writes;
        let reads = open(&openings, 1, 8).unwrap();
        drop(
            openings
                .claim(writes)
                .err()
                .filter(|by| by.session == 1)
                .unwrap(),
        );
        assert_eq!(use_of(open(&openings, 2, 8).unwrap_err()), writes);
        drop(open(&openings, 2, 9).unwrap());
        drop(reads);
        drop(openings.claim(writes).unwrap());
        assert!(open(&openings, 2, 8).is_ok());
    }

    #[test]
    fn what_the_master_has_keeps_readers_out_until_it_is_given_back() {
        let openings = Arc::new(Openings::default());
        let alone = ReplicationUse::WritesAlone;
        openings.note_master(DatabaseAccess::Alone);
        assert_eq!(use_of(open(&openings, 1, 6).unwrap_err()), alone);
        drop(open(&openings, 1, 5).unwrap());
        drop(open(&openings, 1, 9).unwrap());
        openings.note_master(DatabaseAccess::OthersRead);
        assert_eq!(
            use_of(open(&openings, 1, 8).unwrap_err()),
            ReplicationUse::Writes
        );
        drop(open(&openings, 1, 6).unwrap());
        assert!(openings.end_replication() && !openings.end_replication());
        assert!(open(&openings, 1, 7).is_ok());
    }

    #[test]
    fn a_removed_database_is_left_by_idle_readers_and_opened_by_nobody() {
        let openings = Arc::new(Openings::default());
        let removes = ReplicationUse::Removes;
        let (idle, told) = opening(1, 9);
        let idle = openings.open(idle).unwrap();
        assert!(openings.claim(removes).is_err());
        let last_word = Failure::fatal(SqlState::ADMIN_SHUTDOWN, "gone");
        assert_eq!(openings.end(removes, Bearing::HoldsBack, &last_word), 0);
        assert_eq!(openings.end(removes, Bearing::Leaves, &last_word), 1);
        assert_eq!(*told.0.lock().unwrap(), [SqlState::ADMIN_SHUTDOWN]);
        drop(idle);
        openings.claim(removes).unwrap().remove();
        assert_eq!(use_of(open(&openings, 2, 5).unwrap_err()), removes);
    }
}
