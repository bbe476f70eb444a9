//! Who is connected, as values.

use std::time::{SystemTime, UNIX_EPOCH};

use fwlog::Timestamp;
use serde::Serialize;

use crate::clients::{Redirected, SessionInfo};
use crate::databases::open_mode::OpenMode;
use crate::environment::state::Environment;
use crate::environment::status::{Shown, Time};
use crate::environment::waiting::Waiting;

/// A session. What its statements are, only the session list of SQL tells, to those who may know.
#[derive(Debug, Clone, Serialize)]
pub struct SessionStatus {
    /// Its number.
    pub session: i32,
    /// Its user.
    pub user: String,
    /// Its database.
    pub database: String,
    /// The mode in which it has that open; `None`: it has no database of clients.
    pub mode: Option<Shown<OpenMode>>,
    /// Its `application_name`.
    pub application: String,
    /// Its address.
    pub address: String,
    /// When it connected.
    pub since: Time,
    /// `idle`, `active`, `idle in transaction` and so on.
    pub state: &'static str,
    /// Since when it is in that state.
    pub state_since: Time,
    /// The lock that it waits for.
    pub waits_for: Option<&'static str>,
    /// The sessions that keep it waiting.
    pub blocked_by: Vec<i32>,
    /// The master that serves it, or runs its transaction, if this server does not.
    pub target: Option<String>,
    /// Bytes from the client to that master.
    pub bytes_to_target: Option<u64>,
    /// Bytes from that master to the client.
    pub bytes_to_client: Option<u64>,
    /// Who has logged in for its user, and from where.
    pub via: Option<String>,
}

impl SessionStatus {
    /// All sessions, by number.
    pub fn all(environment: &Environment) -> Vec<Self> {
        let all = environment.sessions().list();
        all.iter()
            .map(|session| {
                let waiting = Waiting::of(environment, session, &all);
                let is_read_only = environment.is_read_only_in(&session.database);
                Self::of(session, waiting, is_read_only)
            })
            .collect()
    }

    fn of(session: &SessionInfo, waiting: Option<Waiting>, is_read_only: bool) -> Self {
        let redirected = session.redirected.as_deref();
        let (waits_for, blocked_by) = match waiting {
            Some(waiting) => (Some(waiting.event), waiting.pids),
            None => (None, Vec::new()),
        };
        Self {
            session: session.pid,
            user: session.user.clone(),
            database: session.database.clone(),
            mode: session.open_mode(is_read_only).map(Shown),
            application: session.application.clone(),
            address: session.address.to_string(),
            since: Time(timestamp(session.started)),
            state: session.state,
            state_since: Time(Timestamp::from_micros(
                u64::try_from(session.state_since).unwrap_or(0),
            )),
            waits_for,
            blocked_by,
            target: redirected
                .map(|redirected| redirected.target.clone())
                .or_else(|| session.forwards_to.as_deref().map(str::to_owned)),
            bytes_to_target: redirected.map(Redirected::to_master),
            bytes_to_client: redirected.map(Redirected::to_client),
            via: session.via.as_ref().map(ToString::to_string),
        }
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
