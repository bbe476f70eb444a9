//! For what a session waits, and for whom.

use crate::clients::SessionInfo;
use crate::databases::locks::Mode;
use crate::environment::Environment;

/// What a session waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What it is, as `pg_stat_activity` calls it.
    pub event: &'static str,
    /// Those who keep it waiting.
    pub pids: Vec<i32>,
}

impl Waiting {
    /// Of a session, which is one of all; `None`: it does not wait for another one.
    pub fn of(env: &Environment, session: &SessionInfo, all: &[SessionInfo]) -> Option<Self> {
        // A database that was dropped meanwhile keeps nobody waiting.
        let database = env.database(&session.database).ok()?;
        if let Some(mode) = database.locks().awaited_by(session.pid) {
            return Some(Self {
                event: match mode {
                    Mode::Table(_) => "relation",
                    Mode::Row(_) => "transactionid",
                },
                pids: database.locks().blockers_of(session.pid),
            });
        }
        let threads = database.permit_blockers_of(session.thread)?;
        let pid = |thread| Some(all.iter().find(|other| other.thread == thread)?.pid);
        Some(Self {
            event: "write permit",
            pids: threads.into_iter().filter_map(pid).collect(),
        })
    }
}
