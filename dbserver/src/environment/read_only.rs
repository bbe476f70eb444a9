//! Whoever wants to write waits for a while: by an operator's wish, or while the role goes to another instance. Who
//! writes just then has a moment to come to an end.

use std::collections::HashSet;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use pgtypes::SqlState;

use crate::databases::host::Drive;
use crate::databases::write_gate::{GateStatus, Held};
use crate::environment::core::Core;
use crate::environment::state::Environment;
use crate::error::EngineError;
use crate::failure::Failure;

/// How long whoever writes may go on.
const MOMENT: Duration = Duration::from_millis(200);
/// How long sessions that are ended may take to leave.
const LEAVE: Duration = Duration::from_secs(10);
/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(1);

impl Environment {
    /// From now on whoever wants to write waits, until [`Environment::let_writers_in`] or for this time. When it returns
    /// nobody writes. Who has not come to an end in a moment is ended (57P01).
    pub fn keep_writers_out(&self, at_most: Option<Duration>) -> Result<(), EngineError> {
        let _role_stays = self.hold_role()?;
        drop(self.master("replication readonly")?);
        let core = self.core();
        core.files().write_gate().shut(at_most);
        if core.wait_for_writers(MOMENT) {
            return Ok(());
        }
        let writers = core.writers();
        let last_word = Failure::fatal(
            SqlState::ADMIN_SHUTDOWN,
            "terminating connection due to administrator command",
        )
        .detail("The server takes no writes for a while.")
        .hint("Connect again; a transaction that writes waits until it does.");
        let ended = core.sessions();
        ended.end_those(&last_word, |thread| writers.contains(&thread));
        if core.wait_for_writers(LEAVE) {
            return Ok(());
        }
        Err(EngineError::state(
            "somebody writes still, and nobody else is let in",
            "'dbctl session list' shows who; 'dbctl replication readonly off' lets all in again.",
        ))
    }

    /// Lets them in; tells whether they were kept out.
    pub fn let_writers_in(&self) -> bool {
        self.core().files().write_gate().open()
    }

    /// Whether they are kept out.
    pub fn write_gate(&self) -> GateStatus {
        self.core().files().write_gate().status()
    }

    /// The same for people.
    pub(crate) fn kept_out_in_words(&self) -> Option<String> {
        let GateStatus { operator, waiting } = self.write_gate();
        let left = match operator? {
            Some(left) => format!("for {:.1} s more", left.as_secs_f64()),
            None => "until 'dbctl replication readonly off'".to_owned(),
        };
        Some(format!("whoever wants to write waits {left}: {waiting} do"))
    }

    /// The same as long as the role is handed over. Sessions run on other threads, where there are any.
    pub(super) fn hold_writers(&self) -> Option<Held> {
        let core = self.core();
        if core.host().drive != Drive::Threads {
            return None;
        }
        let held = core.files().write_gate().hold();
        core.wait_for_writers(MOMENT);
        Some(held)
    }
}

impl Core {
    fn writers(&self) -> HashSet<ThreadId> {
        let databases = self.databases().all();
        databases.iter().filter_map(|it| it.writer()).collect()
    }

    /// Whether nobody has the right to write any more, in time.
    fn wait_for_writers(&self, at_most: Duration) -> bool {
        let deadline = Instant::now() + at_most;
        while !self.writers().is_empty() {
            if Instant::now() >= deadline {
                return false;
            }
            thread::park_timeout(LOOK);
        }
        true
    }
}
