//! Values of parameters that are read for each statement or transaction.

use std::collections::HashMap;
use std::time::Duration;

use dialect::Isolation;

use crate::environment::Seen;
use crate::session::bounds::Bounds;
use crate::session::parameters::{REPORT_COMMIT, WAIT_FOR, WAIT_TIMEOUT};
use crate::session::sync_level::SyncLevel;

/// What is read for each statement or transaction, hence kept ready.
#[derive(Debug, Clone, Copy)]
pub struct Frequent {
    /// Limit for each statement.
    pub statement_timeout: Option<Duration>,
    /// What the session may take of the machine.
    pub bounds: Bounds,
    /// What a commit waits for before it is answered.
    pub synchronous_commit: SyncLevel,
    /// What must be seen before the session reads or writes.
    pub wait_for: Option<Seen>,
    /// Limit for that.
    pub wait_timeout: Option<Duration>,
    /// Whether the client is told how far it sees.
    pub report_commit: bool,
    /// Limit for the wait to write.
    pub lock_timeout: Option<Duration>,
    /// How long a session may idle outside a transaction.
    pub idle: Option<Duration>,
    /// How long a session may idle in a transaction.
    pub idle_in_transaction: Option<Duration>,
    /// Isolation level of new transactions.
    pub isolation: Isolation,
    /// Whether new transactions are read-only.
    pub read_only: bool,
    /// Whether new transactions are shown as deferrable.
    pub deferrable: bool,
}

impl Frequent {
    /// Those that the values of the parameters say.
    pub(super) fn of(values: &HashMap<String, String>) -> Self {
        let value = |name| values.get(name).map(String::as_str);
        let time = |name| {
            let millis = value(name)?.parse().ok().filter(|millis| *millis > 0)?;
            Some(Duration::from_millis(millis))
        };
        Self {
            statement_timeout: time("statement_timeout"),
            bounds: Bounds::of(values),
            synchronous_commit: SyncLevel::of(value("synchronous_commit")),
            wait_for: value(WAIT_FOR).and_then(|seen| seen.parse().ok()),
            wait_timeout: time(WAIT_TIMEOUT),
            report_commit: value(REPORT_COMMIT) == Some("on"),
            lock_timeout: time("lock_timeout"),
            idle: time("idle_session_timeout"),
            idle_in_transaction: time("idle_in_transaction_session_timeout"),
            isolation: match value("default_transaction_isolation") {
                Some("repeatable read") => Isolation::RepeatableRead,
                Some("serializable") => Isolation::Serializable,
                _ => Isolation::ReadCommitted,
            },
            read_only: value("default_transaction_read_only") == Some("on"),
            deferrable: value("default_transaction_deferrable") == Some("on"),
        }
    }
}
