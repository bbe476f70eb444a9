//! A server goes back without a person, where its configuration says so (`Rejoin = auto`): a root that was left behind, and a
//! slave of it that has more than the new root has; so a whole tree does, from the top down.
//!
//! ```text
//!  dbrepl of the new root, or of a slave of it ─ asks where the logs part ─▶ the slave notes that log, and refuses for now
//!  the same again ─▶ back to the fork, the server begins anew ─▶ it is fed; who is below it meets the same
//! ```
//! A copy, which gives up what nobody has kept as rows, is never begun so.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::choose::Plan;
use super::fork::Fork;
use super::run::Outcome;
use crate::databases::fence::{Fence, Tail};
use crate::environment::fence::{Claim, OtherLog};
use crate::environment::state::Environment;
use crate::error::EngineError;

/// The log that has left the own one, as its dbrepl has told the last time.
#[derive(Debug, Default)]
pub(crate) struct Parted(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    log: Option<OtherLog>,
    /// A person is needed.
    in_vain: bool,
}

impl Parted {
    /// It is this one.
    pub(crate) fn note(&self, other: Option<OtherLog>) {
        self.known().log = other;
    }

    /// Which one.
    pub(crate) fn log(&self) -> Option<OtherLog> {
        self.known().log.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Environment {
    /// Whether a slave goes back by itself to where that log has left its own: another instance has become the root there,
    /// and nobody in the own log behind that.
    pub(crate) fn goes_back_for(&self, other: &OtherLog) -> bool {
        self.config().replication.rejoins
            && self.fence().is_none()
            && self.slave().is_some()
            && !self.core().forks().parted.known().in_vain
            && matches!(self.claim_by(other), Claim::LeftBehind(_))
    }

    /// Where the configuration says so, and it has what the new root has not, it goes back without a person. `true`: it is
    /// about to begin anew.
    pub(crate) fn rejoin_by_itself(&self) -> Result<bool, EngineError> {
        if !self.config().replication.rejoins {
            return Ok(false);
        }
        let Some(fork) = self.fork_to_go_back_to()? else {
            return Ok(false);
        };
        let planned = self.plan_rejoin(fork, None)?;
        let needs_copy = planned.plan == Plan::Compare;
        let is_told = {
            let mut parted = self.core().forks().parted.known();
            std::mem::replace(&mut parted.in_vain, needs_copy)
        };
        match planned.plan {
            Plan::Cut | Plan::Log => Ok(matches!(self.begin_rejoin(&planned)?, Outcome::Armed(_))),
            Plan::Compare if !is_told => {
                let why: Vec<_> = planned.not_cheaper.iter().map(|(_, why)| &**why).collect();
                tracing::warn!(
                    at = %planned.fork.at.point.position,
                    transactions = planned.transactions(),
                    "this server does not go back by itself: it takes a copy ('dbctl rejoin --plan compare'), since {}",
                    why.join("; ")
                );
                Ok(false)
            }
            Plan::Nothing | Plan::Compare => Ok(false),
        }
    }

    fn fork_to_go_back_to(&self) -> Result<Option<Fork>, EngineError> {
        let is_open = |fence: &Fence| matches!(fence.tail, Tail::Transactions { .. });
        if let Some(fence) = self.fence() {
            return Ok(self.fork_of_fence().filter(|_| is_open(&fence)));
        }
        let Some(other) = self.core().forks().parted.log() else {
            return Ok(None);
        };
        if !self.goes_back_for(&other) {
            return Ok(None);
        }
        self.fork_from(&other, false)
    }
}
