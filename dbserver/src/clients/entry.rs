//! One session, as other threads see it.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::SystemTime;

use pgwire::messages::startup::SecretKey;
use rusqlite::InterruptHandle;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::Notify;

use crate::clients::activity::{Activity, SessionState};
use crate::clients::forwarded::Via;
use crate::clients::redirected::Redirected;
use crate::databases::list::SYSTEM_NAME;
use crate::databases::open_mode::OpenMode;
use crate::databases::openings::Leave;
use crate::databases::permit::{Interrupt, InterruptReason};
use crate::failure::Failure;
use crate::peer::Peer;
use crate::wire::Secured;

/// One connected client, as other threads see it.
pub struct SessionEntry {
    /// The process id that the client was told: a running number.
    pub pid: i32,
    /// The user it authenticated as.
    pub user: String,
    /// The database it opened.
    pub database: String,
    /// Where it comes from.
    pub address: Peer,
    /// The open mode that it has asked for.
    pub asked_mode: Option<OpenMode>,
    /// When it connected.
    pub started: SystemTime,
    /// Ends permit waits; carries the reason.
    pub interrupt: Arc<Interrupt>,
    /// Wakes the message loop from its wait for the client.
    pub wake: Notify,
    /// Wakes a statement that another server runs, when it is to be stopped.
    pub stopped: Notify,
    /// Who has logged in for its user, where that was another server.
    pub via: Option<Via>,
    /// What is known of its line, if that is within TLS.
    pub secured: Option<Arc<Secured>>,
    key: SecretKey,
    socket: Option<Arc<OwnedFd>>,
    redirected: Option<Arc<Redirected>>,
    /// The server that runs its transaction.
    forwards_to: Mutex<Option<Arc<str>>>,
    busy: AtomicBool,
    application: Mutex<String>,
    activity: Activity,
    last_word: Mutex<Option<Failure>>,
    sqlite: Mutex<Option<InterruptHandle>>,
}

/// A line of `dbctl session list`, and of `pg_stat_activity`. Times are microseconds since 1970, unless they say so.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// Number of the session.
    pub pid: i32,
    /// The thread that it belongs to.
    pub thread: ThreadId,
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// Its `application_name`.
    pub application: String,
    /// Its address.
    pub address: Peer,
    /// The open mode that it has asked for.
    pub asked_mode: Option<OpenMode>,
    /// Whether it has a database of clients open, in some mode.
    pub has_mode: bool,
    /// When it connected.
    pub started: SystemTime,
    /// `idle`, `active`, `idle in transaction` and so on.
    pub state: &'static str,
    /// Since when.
    pub state_since: i64,
    /// When its transaction began, if it is in one.
    pub transaction_start: Option<i64>,
    /// When its statement, or its last one, began.
    pub statement_start: Option<i64>,
    /// The statement that runs, or the last one that did: the first kilobyte.
    pub statement: String,
    /// Who serves it, if this server does not.
    pub redirected: Option<Arc<Redirected>>,
    /// Who has logged in for its user, where that was another server.
    pub via: Option<Via>,
    /// What is known of its line, if that is within TLS.
    pub secured: Option<Arc<Secured>>,
    /// The server that runs its transaction, if this one does not.
    pub forwards_to: Option<Arc<str>>,
}

impl SessionInfo {
    /// The mode in which it has its database open on a server that is read-only, or not; `None`: it has no
    /// database of clients.
    pub fn open_mode(&self, is_read_only: bool) -> Option<OpenMode> {
        self.has_mode
            .then(|| OpenMode::of_session(self.asked_mode, is_read_only))
    }
}

impl SessionEntry {
    /// A session of the calling thread.
    pub(super) fn new(pid: i32, who: NewSession) -> Self {
        Self {
            pid,
            user: who.user,
            database: who.database,
            address: who.address,
            asked_mode: who.asked_mode,
            started: SystemTime::now(),
            interrupt: Arc::new(Interrupt::for_this_thread()),
            wake: Notify::new(),
            stopped: Notify::new(),
            via: who.via,
            secured: who.secured,
            key: who.key,
            socket: who.socket,
            redirected: who.redirected,
            forwards_to: Mutex::new(None),
            busy: AtomicBool::new(false),
            application: Mutex::new(who.application),
            activity: Activity::new(),
            last_word: Mutex::new(None),
            sqlite: Mutex::new(None),
        }
    }

    /// Whether this is the key that its cancel requests must carry.
    pub(super) fn has_key(&self, key: &SecretKey) -> bool {
        self.key.eq_value(key)
    }

    /// Makes the running statement of SQLite reachable for a cancel.
    pub fn set_sqlite(&self, handle: Option<InterruptHandle>) {
        *lock(&self.sqlite) = handle;
    }

    /// A statement begins at this time, in microseconds since 1970: a cancel from now on is for it.
    pub fn begin_statement(&self, now: i64, in_transaction: bool) {
        self.activity.begin_statement(now, in_transaction);
        self.go_on();
    }

    /// Something is done that belongs to the statement before: a cancel from now on is for it.
    pub fn go_on(&self) {
        self.interrupt.clear();
        self.busy.store(true, Ordering::SeqCst);
    }

    /// The text of what runs.
    pub fn show_statement(&self, text: &str) {
        self.activity.show(text);
    }

    /// The statement is over: a cancel that comes now is for nobody.
    pub fn end_statement(&self) {
        self.busy.store(false, Ordering::SeqCst);
    }

    /// What the session list shows as its state.
    pub fn set_state(&self, state: SessionState) {
        self.activity.set_state(state);
    }

    /// Its `application_name`.
    pub fn application(&self) -> String {
        lock(&self.application).clone()
    }

    /// What the session list shows as its application.
    pub fn set_application(&self, name: &str) {
        name.clone_into(&mut lock(&self.application));
    }

    /// Which server runs its transaction; `None`: this one does.
    pub fn set_forwards_to(&self, target: Option<Arc<str>>) {
        *lock(&self.forwards_to) = target;
    }

    /// Who serves the session, if this server does not.
    pub(super) fn redirected(&self) -> Option<&Redirected> {
        self.redirected.as_deref()
    }

    /// Whether it is a connection for commands rather than data.
    pub(crate) fn is_control(&self) -> bool {
        self.database == SYSTEM_NAME
    }

    /// Stops what runs, if something does.
    pub(super) fn stop_statement(&self, reason: InterruptReason) {
        if self.is_busy() {
            self.interrupt.raise(reason);
            self.interrupt_sqlite();
            self.stopped.notify_one();
        }
    }

    /// Whether a statement runs for a client that has closed its connection, or whose machine answers no more. What it
    /// has sent before that, as the farewell of TLS, hides nothing.
    pub(super) fn has_vanished(&self) -> bool {
        let Some(socket) = self.socket.as_ref().filter(|_| self.is_busy()) else {
            return false;
        };
        let mut polled = [PollFd::new(&**socket, PollFlags::RDHUP)];
        // An error says nothing of the client: it is looked at again.
        poll(&mut polled, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }

    /// Ends the session: what runs is stopped, and the loop leaves at its next turn.
    pub(super) fn terminate(&self) {
        self.interrupt.raise(InterruptReason::Terminate);
        self.interrupt_sqlite();
        self.stopped.notify_one();
        self.wake.notify_one();
    }

    /// What its client hears when it is ended.
    pub(super) fn set_last_word(&self, failure: Failure) {
        *lock(&self.last_word) = Some(failure);
    }

    /// What its client hears when it is ended, if that is something of its own.
    pub fn last_word(&self) -> Option<Failure> {
        lock(&self.last_word).clone()
    }

    fn interrupt_sqlite(&self) {
        if let Some(handle) = &*lock(&self.sqlite) {
            handle.interrupt();
        }
    }

    pub(super) fn info(&self) -> SessionInfo {
        let busy = self.is_busy();
        let statement_start = self.activity.statement_start();
        let state = self.activity.state();
        SessionInfo {
            pid: self.pid,
            thread: self.interrupt.thread(),
            user: self.user.clone(),
            database: self.database.clone(),
            application: lock(&self.application).clone(),
            address: self.address,
            asked_mode: self.asked_mode,
            has_mode: !self.is_control() && state != SessionState::Replication,
            started: self.started,
            state: self.state(),
            state_since: match statement_start {
                Some(start) if busy => start,
                _ => self.activity.state_since(),
            },
            transaction_start: (busy || state.is_in_transaction())
                .then(|| self.activity.transaction_start()),
            statement_start,
            statement: self.activity.statement(),
            redirected: self.redirected.clone(),
            via: self.via.clone(),
            secured: self.secured.clone(),
            forwards_to: lock(&self.forwards_to).clone(),
        }
    }

    /// Whether it is in a transaction block.
    pub(super) fn is_in_transaction(&self) -> bool {
        self.activity.state().is_in_transaction()
    }

    fn is_busy(&self) -> bool {
        self.busy.load(Ordering::SeqCst)
    }

    pub(super) fn state(&self) -> &'static str {
        if self.is_busy() {
            "active"
        } else {
            self.activity.state().name()
        }
    }
}

impl Leave for SessionEntry {
    fn leave(&self, last_word: Failure) {
        self.set_last_word(last_word);
        self.terminate();
    }
}

/// What a session says of itself when it registers.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The user it authenticated as.
    pub user: String,
    /// The database it opens.
    pub database: String,
    /// Its `application_name`.
    pub application: String,
    /// Where it comes from.
    pub address: Peer,
    /// The open mode that it has asked for.
    pub asked_mode: Option<OpenMode>,
    /// What its cancel requests must carry.
    pub key: SecretKey,
    /// Its connection, to see whether the client is still there.
    pub socket: Option<Arc<OwnedFd>>,
    /// Who serves it, if this server does not: then its user has shown nothing here.
    pub redirected: Option<Arc<Redirected>>,
    /// Who has logged in for its user, where that was another server.
    pub via: Option<Via>,
    /// What is known of its line, if that is within TLS.
    pub secured: Option<Arc<Secured>>,
}

/// The data is changed in single steps, so it is whole even after a panic in another session.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
