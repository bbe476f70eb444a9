//! Who is connected: the list that cancel requests, operators, time limits and a stop go through.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use pgtypes::SqlState;
use pgwire::messages::startup::SecretKey;

use crate::clients::activity::SessionState;
use crate::clients::entry::{NewSession, SessionEntry, SessionInfo, lock};
use crate::clients::limits::Limits;
use crate::clients::redirected::Redirected;
use crate::clients::timeouts::{StatementTimeout, StatementTimeouts};
use crate::databases::permit::{Interrupt, InterruptReason};
use crate::error::EngineError;
use crate::failure::Failure;
use crate::process::Counter;

/// How often the states of sessions are looked at while the server waits for them to end.
const STATE_POLL: Duration = Duration::from_millis(50);

/// Sessions beyond MaxSessions, for those who have to see why there are so many: PostgreSQL's
/// `superuser_reserved_connections`.
pub const RESERVED: usize = 3;

/// What the privilege of a user gives him where there are many sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// One of MaxSessions.
    Ordinary,
    /// One of the few beyond, too.
    Reserved,
}

/// All sessions of the server.
pub struct Sessions {
    limit: usize,
    state: Mutex<Registry>,
    changed: Condvar,
    timeouts: Arc<StatementTimeouts>,
    counts: SessionCounts,
}

/// Who has come since the start.
#[derive(Debug, Default)]
pub struct SessionCounts {
    /// Sessions that were let in.
    pub started: Counter,
    /// Sessions that found the list full.
    pub refused: Counter,
    /// Clients that have not shown who they are, or may not come in: wrong password, wrong address.
    pub denied: Counter,
}

/// Who is there, by number.
type Open = BTreeMap<i32, Arc<SessionEntry>>;

#[derive(Default)]
struct Registry {
    next_pid: i32,
    closed: bool,
    open: Open,
}

/// An idle connection of the control plane: a stop leaves it to the end of the process.
fn waits_for_end(entry: &Arc<SessionEntry>) -> bool {
    entry.is_control() && entry.state() == "idle"
}

impl Sessions {
    /// An empty list for at most `limit` sessions.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            state: Mutex::new(Registry {
                next_pid: 1,
                ..Registry::default()
            }),
            changed: Condvar::new(),
            timeouts: Arc::new(StatementTimeouts::default()),
            counts: SessionCounts::default(),
        })
    }

    /// Who has come since the start.
    pub fn counts(&self) -> &SessionCounts {
        &self.counts
    }

    /// How many sessions there may be, without the reserved ones.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Lets a session in; it leaves when the guard is dropped.
    ///
    /// Errors: 53300 when the list is full, 57P03 while the server stops.
    pub fn register(
        self: &Arc<Self>,
        who: NewSession,
        seat: Seat,
        limits: Limits,
    ) -> Result<Registered, Failure> {
        let beyond = if seat == Seat::Reserved { RESERVED } else { 0 };
        self.enter(who, self.limit.saturating_add(beyond), limits)
    }

    /// Lets a dbrepl in, however many sessions there are: there is one that feeds a slave.
    pub fn register_replication(self: &Arc<Self>, who: NewSession) -> Result<Registered, Failure> {
        let registered = self.enter(who, usize::MAX, Limits::default())?;
        registered.entry.set_state(SessionState::Replication);
        Ok(registered)
    }

    /// Lets a session in that a master serves. Who the user is only the master knows.
    ///
    /// Errors: as [`Sessions::register`].
    pub fn register_redirected(self: &Arc<Self>, who: NewSession) -> Result<Registered, Failure> {
        let registered = self.enter(who, self.limit, Limits::default())?;
        registered.entry.set_state(SessionState::Redirected);
        Ok(registered)
    }

    fn enter(
        self: &Arc<Self>,
        who: NewSession,
        limit: usize,
        limits: Limits,
    ) -> Result<Registered, Failure> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(Failure::fatal(
                SqlState::CANNOT_CONNECT_NOW,
                "the database system is shutting down",
            ));
        }
        if state.open.len() >= limit {
            self.counts.refused.add(1);
            let why = if state.open.len() < self.limit.saturating_add(RESERVED) {
                "remaining connection slots are reserved for non-replication superuser connections"
            } else {
                "sorry, too many clients already"
            };
            return Err(Failure::fatal(SqlState::TOO_MANY_CONNECTIONS, why)
                .hint("MaxSessions in section Server of the configuration is the limit."));
        }
        limits
            .check(&state.open.values().map(|entry| &**entry), &who)
            .inspect_err(|_| self.counts.refused.add(1))?;
        let pid = state.next_pid;
        state.next_pid = pid.checked_add(1).unwrap_or(1);
        let entry = Arc::new(SessionEntry::new(pid, who));
        state.open.insert(pid, Arc::clone(&entry));
        self.counts.started.add(1);
        Ok(Registered {
            entry,
            sessions: Arc::clone(self),
        })
    }

    /// Stops the statement of the session with that number and key; false when there is no such session. The client is
    /// told nothing either way.
    pub fn cancel(&self, pid: i32, key: &SecretKey) -> bool {
        let entry = lock(&self.state).open.get(&pid).cloned();
        entry
            .filter(|entry| entry.has_key(key))
            .inspect(|entry| entry.stop_statement(InterruptReason::UserRequest))
            .is_some()
    }

    /// Where the sessions are served that were handed on, each address once.
    pub fn redirect_targets(&self) -> BTreeSet<SocketAddr> {
        let state = lock(&self.state);
        let redirected = state.open.values().filter_map(|entry| entry.redirected());
        redirected.map(|redirected| redirected.address).collect()
    }

    /// Stops the statement of a session on behalf of an operator; false when there is no such session here. One that
    /// a master serves can't be stopped from here: only its client has the key.
    pub fn cancel_by_operator(&self, pid: i32) -> bool {
        let entry = lock(&self.state).open.get(&pid).cloned();
        entry
            .filter(|entry| entry.redirected().is_none())
            .inspect(|entry| entry.stop_statement(InterruptReason::UserRequest))
            .is_some()
    }

    /// Ends a session; false when there is none with that number.
    pub fn kill(&self, pid: i32) -> bool {
        let entry = lock(&self.state).open.get(&pid).cloned();
        entry.inspect(|entry| entry.terminate()).is_some()
    }

    /// The user of a session; `None` when there is none with that number.
    pub fn user_of(&self, pid: i32) -> Option<String> {
        let state = lock(&self.state);
        state.open.get(&pid).map(|entry| entry.user.clone())
    }

    /// Waits until a session is gone; false when the time is up before, without a deadline never.
    ///
    /// Errors: 57014 and 57P01 when `interrupt` is raised.
    pub fn wait_gone(
        &self,
        pid: i32,
        deadline: Option<Instant>,
        interrupt: &Interrupt,
    ) -> Result<bool, EngineError> {
        let mut state = lock(&self.state);
        while state.open.contains_key(&pid) {
            interrupt.check()?;
            // An interrupt does not ring.
            let left = deadline.map_or(STATE_POLL, |deadline| {
                deadline
                    .saturating_duration_since(Instant::now())
                    .min(STATE_POLL)
            });
            if left.is_zero() {
                return Ok(false);
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        Ok(true)
    }

    /// The sessions, by number.
    pub fn list(&self) -> Vec<SessionInfo> {
        lock(&self.state)
            .open
            .values()
            .map(|entry| entry.info())
            .collect()
    }

    /// The same, to end them.
    pub(super) fn entries(&self) -> Vec<Arc<SessionEntry>> {
        lock(&self.state).open.values().cloned().collect()
    }

    /// How many sessions there are.
    pub fn count(&self) -> usize {
        lock(&self.state).open.len()
    }

    /// Lets nobody in any more.
    pub fn close(&self) {
        lock(&self.state).closed = true;
    }

    /// Ends every session but those that wait for the end of the server.
    pub fn terminate_all(&self) {
        for entry in self.entries().iter().filter(|entry| !waits_for_end(entry)) {
            entry.terminate();
        }
    }

    /// Ends every session with this as the last word, and waits until they have left or the time is up.
    pub fn tell_all(&self, last_word: &Failure, deadline: Instant) {
        for entry in self.entries() {
            entry.set_last_word(last_word.clone());
            entry.terminate();
        }
        self.wait_until(deadline, BTreeMap::is_empty);
    }

    /// Ends every session whose client is not in a transaction or statement, and replication.
    pub fn terminate_idle(&self) {
        for entry in self.entries() {
            let state = entry.state();
            let is_idle = entry
                .redirected()
                .map_or(state == "idle", Redirected::is_idle);
            if state == SessionState::Replication.name() || (is_idle && !waits_for_end(&entry)) {
                entry.terminate();
            }
        }
    }

    /// Waits until nobody is left or the time is up; true when nobody is left. Idle connections of
    /// the control plane may stay: they end with the process, and so know that it has ended.
    pub fn wait_empty(&self, deadline: Instant) -> bool {
        self.wait_until(deadline, |open| open.values().all(waits_for_end))
    }

    fn wait_until(&self, deadline: Instant, is_so: impl Fn(&Open) -> bool) -> bool {
        let mut state = lock(&self.state);
        while !is_so(&state.open) {
            // A session that becomes idle does not ring.
            let left = deadline
                .saturating_duration_since(Instant::now())
                .min(STATE_POLL);
            if left.is_zero() {
                return false;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(state, _)| state);
        }
        true
    }

    /// Ends the statement of `entry` at `deadline`, unless the guard is dropped before.
    pub fn watch(&self, entry: &Arc<SessionEntry>, deadline: Instant) -> StatementTimeout {
        self.timeouts.add(entry, deadline)
    }
}

/// A session's place in the list.
pub struct Registered {
    /// The session as others see it.
    pub entry: Arc<SessionEntry>,
    /// The list it stands in.
    pub sessions: Arc<Sessions>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.sessions.state).open.remove(&self.entry.pid);
        self.sessions.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_session(key: i32) -> NewSession {
        NewSession {
            user: "dba".into(),
            database: "shop".into(),
            application: String::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 1)).into(),
            asked_mode: None,
            key: SecretKey::I32(key),
            socket: None,
            redirected: None,
            via: None,
            secured: None,
        }
    }

    #[test]
    fn a_full_list_refuses_with_53300_until_somebody_leaves() {
        let sessions = Sessions::new(1);
        let first = sessions
            .register(new_session(1), Seat::Ordinary, Limits::default())
            .unwrap();
        let refused = sessions
            .register(new_session(2), Seat::Ordinary, Limits::default())
            .err()
            .unwrap();
        assert_eq!(
            (refused.sqlstate(), refused.is_fatal()),
            (SqlState::TOO_MANY_CONNECTIONS, true)
        );
        drop(first);
        assert!(
            sessions
                .register(new_session(3), Seat::Ordinary, Limits::default())
                .is_ok()
        );
    }

    #[test]
    fn three_places_beyond_are_reserved() {
        let sessions = Sessions::new(1);
        let refusal = |seat| {
            let refused = sessions
                .register(new_session(9), seat, Limits::default())
                .err()
                .unwrap();
            assert_eq!(refused.sqlstate(), SqlState::TOO_MANY_CONNECTIONS);
            refused.to_string()
        };
        let mut open = vec![
            sessions
                .register(new_session(1), Seat::Ordinary, Limits::default())
                .unwrap(),
        ];
        for _ in 0..3 {
            let told = refusal(Seat::Ordinary);
            assert!(
                told.contains("reserved for non-replication superuser"),
                "{told}"
            );
            open.push(
                sessions
                    .register(new_session(2), Seat::Reserved, Limits::default())
                    .unwrap(),
            );
        }
        for seat in [Seat::Ordinary, Seat::Reserved] {
            assert!(refusal(seat).contains("sorry, too many clients already"));
        }
    }

    #[test]
    fn a_cancel_needs_the_key_and_a_running_statement() {
        let sessions = Sessions::new(10);
        let session = sessions
            .register(new_session(7), Seat::Ordinary, Limits::default())
            .unwrap();
        let pid = session.entry.pid;
        assert!(sessions.cancel(pid, &SecretKey::I32(7)));
        assert_eq!(session.entry.interrupt.reason(), None);
        session.entry.go_on();
        assert!(!sessions.cancel(pid, &SecretKey::I32(8)));
        assert_eq!(session.entry.interrupt.reason(), None);
        sessions.cancel(
            pid,
            &SecretKey::Bytes(bytes::Bytes::from_static(&[0, 0, 0, 7])),
        );
        assert_eq!(
            session.entry.interrupt.reason(),
            Some(InterruptReason::UserRequest)
        );
    }

    #[test]
    fn a_deadline_stops_the_statement_that_it_was_set_for() {
        let sessions = Sessions::new(10);
        let session = sessions
            .register(new_session(1), Seat::Ordinary, Limits::default())
            .unwrap();
        let late = sessions
            .register(new_session(2), Seat::Ordinary, Limits::default())
            .unwrap();
        session.entry.go_on();
        late.entry.go_on();
        let forgotten = sessions.watch(&late.entry, Instant::now() + Duration::from_millis(1));
        drop(forgotten);
        let _watched = sessions.watch(&session.entry, Instant::now() + Duration::from_millis(2));
        while session.entry.interrupt.reason().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(
            session.entry.interrupt.reason(),
            Some(InterruptReason::StatementTimeout)
        );
        assert_eq!(late.entry.interrupt.reason(), None);
    }

    #[test]
    fn a_stop_ends_redirected_sessions_that_are_in_no_transaction() {
        let sessions = Sessions::new(10);
        let redirected = || Arc::new(Redirected::new("m:1".into(), ([127, 0, 0, 1], 1).into()));
        let (idle, works) = (redirected(), redirected());
        let of = |redirected: &Arc<Redirected>| {
            let mut who = new_session(1);
            who.redirected = Some(Arc::clone(redirected));
            sessions.register_redirected(who).unwrap()
        };
        let (first, second) = (of(&idle), of(&works));
        assert_eq!(sessions.redirect_targets().len(), 1);
        assert!(!sessions.cancel_by_operator(first.entry.pid));
        idle.count_to_client(6, true);
        works.count_to_client(6, true);
        works.count_to_master(20);
        sessions.terminate_idle();
        let ended = |session: &Registered| session.entry.interrupt.reason().is_some();
        assert_eq!((ended(&first), ended(&second)), (true, false));
        assert_eq!(first.entry.info().state, "redirected");
    }

    #[test]
    fn a_closed_list_empties_when_its_sessions_leave() {
        let sessions = Sessions::new(10);
        let session = sessions
            .register(new_session(1), Seat::Ordinary, Limits::default())
            .unwrap();
        sessions.close();
        assert_eq!(
            sessions
                .register(new_session(2), Seat::Ordinary, Limits::default())
                .err()
                .unwrap()
                .sqlstate(),
            SqlState::CANNOT_CONNECT_NOW
        );
        assert!(!sessions.wait_empty(Instant::now()));
        drop(session);
        assert!(sessions.wait_empty(Instant::now()));
    }
}
