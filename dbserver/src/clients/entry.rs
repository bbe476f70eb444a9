//! One session, as other threads see it.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pgwire::messages::startup::SecretKey;
use rusqlite::InterruptHandle;
use tokio::sync::Notify;

use crate::databases::list::SYSTEM_NAME;
use crate::databases::permit::{Interrupt, InterruptReason};

/// One connected client, as other threads see it.
pub struct SessionEntry {
    /// The process id that the client was told: a running number.
    pub pid: i32,
    /// The user it authenticated as.
    pub user: String,
    /// The database it opened.
    pub database: String,
    /// Where it comes from.
    pub address: SocketAddr,
    /// When it connected.
    pub started: SystemTime,
    /// Ends permit waits; carries the reason.
    pub interrupt: Arc<Interrupt>,
    /// Wakes the message loop from its wait for the client.
    pub wake: Notify,
    key: SecretKey,
    socket: Option<Arc<TcpStream>>,
    busy: AtomicBool,
    visible: Mutex<Visible>,
    sqlite: Mutex<Option<InterruptHandle>>,
}

#[derive(Debug, Default, Clone)]
struct Visible {
    application: String,
    state: &'static str,
}

/// A line of `dbctl session list`.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// Number of the session.
    pub pid: i32,
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// Its `application_name`.
    pub application: String,
    /// Its address.
    pub address: SocketAddr,
    /// When it connected.
    pub started: SystemTime,
    /// `idle`, `active`, `idle in transaction` and so on.
    pub state: &'static str,
}

impl SessionEntry {
    /// A session of the calling thread.
    pub(super) fn new(pid: i32, who: NewSession) -> Self {
        Self {
            pid,
            user: who.user,
            database: who.database,
            address: who.address,
            started: SystemTime::now(),
            interrupt: Arc::new(Interrupt::for_this_thread()),
            wake: Notify::new(),
            key: who.key,
            socket: who.socket,
            busy: AtomicBool::new(false),
            visible: Mutex::new(Visible {
                application: who.application,
                state: "idle",
            }),
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

    /// A statement begins: a cancel from now on is for it.
    pub fn begin_statement(&self) {
        self.interrupt.clear();
        self.busy.store(true, Ordering::SeqCst);
    }

    /// The statement is over: a cancel that comes now is for nobody.
    pub fn end_statement(&self) {
        self.busy.store(false, Ordering::SeqCst);
    }

    /// What the session list shows as its state.
    pub fn set_state(&self, state: &'static str) {
        lock(&self.visible).state = state;
    }

    /// What the session list shows as its application.
    pub fn set_application(&self, name: &str) {
        name.clone_into(&mut lock(&self.visible).application);
    }

    /// Whether it is a connection for commands rather than data.
    pub(super) fn is_control(&self) -> bool {
        self.database == SYSTEM_NAME
    }

    /// Stops what runs, if something does.
    pub(super) fn stop_statement(&self, reason: InterruptReason) {
        if self.busy.load(Ordering::SeqCst) {
            self.interrupt.raise(reason);
            self.interrupt_sqlite();
        }
    }

    /// Whether a statement runs for a client that has closed its connection. What the client has sent
    /// before that hides it.
    pub(super) fn has_vanished(&self) -> bool {
        let Some(socket) = self
            .socket
            .as_ref()
            .filter(|_| self.busy.load(Ordering::SeqCst))
        else {
            return false;
        };
        match socket.peek(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// Ends the session: what runs is stopped, and the loop leaves at its next turn.
    pub(super) fn terminate(&self) {
        self.interrupt.raise(InterruptReason::Terminate);
        self.interrupt_sqlite();
        self.wake.notify_one();
    }

    fn interrupt_sqlite(&self) {
        if let Some(handle) = &*lock(&self.sqlite) {
            handle.interrupt();
        }
    }

    pub(super) fn info(&self) -> SessionInfo {
        let visible = lock(&self.visible).clone();
        SessionInfo {
            pid: self.pid,
            user: self.user.clone(),
            database: self.database.clone(),
            application: visible.application,
            address: self.address,
            started: self.started,
            state: self.state(),
        }
    }

    pub(super) fn state(&self) -> &'static str {
        if self.busy.load(Ordering::SeqCst) {
            "active"
        } else {
            lock(&self.visible).state
        }
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
    pub address: SocketAddr,
    /// What its cancel requests must carry.
    pub key: SecretKey,
    /// Its connection, to see whether the client is still there.
    pub socket: Option<Arc<TcpStream>>,
}

/// The data is changed in single steps, so it is whole even after a panic in another session.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
