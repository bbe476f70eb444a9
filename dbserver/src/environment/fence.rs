//! Whoever comes with a log that was written as the root's may prove that this server is no root any more.

use dbproto::Identify;
use fwlog::{
    BranchEnd, ChainHash, GenerationReason, HistoryLine, LogPoint, Position, ReadError, RootClaim,
    hash_at, judge_roots, newest_common,
};

use crate::databases::Role;
use crate::databases::fence::{Fence, Tail};
use crate::databases::handover::HandoverPoint;
use crate::environment::core::Core;
use crate::environment::roles;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// What the log of another one says of this server, which is a root or was one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing that counts.
    None,
    /// It was left behind.
    LeftBehind(Fence),
    /// Both became the root behind this point.
    TwoRoots {
        /// The generation that begins it here.
        ours: HistoryLine,
        /// The same in the other log.
        theirs: HistoryLine,
        /// Up to where both logs are the same.
        at: Position,
    },
}

impl Environment {
    /// What the log of this source says.
    pub(crate) fn claim_of(&self, source: &Identify) -> Claim {
        self.judge(source).unwrap_or(Claim::None)
    }

    fn judge(&self, source: &Identify) -> Option<Claim> {
        let core = self.core();
        let theirs = source.greeting.as_deref()?;
        if core.id() != Some(source.environment) {
            return None;
        }
        let history = core.instance().history();
        let ours = history.branch();
        let their_end = source.durable?;
        let their_end = BranchEnd {
            point: their_end.point,
            commit: their_end.commit,
        };
        let common = newest_common((ours, self.branch_end()?), (&theirs.branch, their_end))?;
        let at = common.position;
        let hash = core.hash_of_log(at).unwrap_or_else(|error| {
            tracing::warn!(%error, %at, "whether this server is still the root cannot be told");
            None
        });
        let own = &core.config().server.instance;
        match judge_roots((own, ours), &theirs.branch, &common, hash) {
            RootClaim::None => None,
            RootClaim::Both { ours, theirs } => Some(Claim::TwoRoots { ours, theirs, at }),
            RootClaim::Deposed(by) => Some(Claim::LeftBehind(Fence {
                generation: by.number,
                at: HandoverPoint {
                    point: LogPoint::new(at, hash?),
                    commit: common.commit,
                },
                tail: Tail::Unknown,
                by: by.instance,
            })),
        }
    }

    /// Where its own log is durable.
    fn branch_end(&self) -> Option<BranchEnd> {
        match self.side() {
            Side::Master(master) => {
                let end = master.durable();
                Some(BranchEnd {
                    point: end.point,
                    commit: end.commit,
                })
            }
            Side::Slave(slave) => slave.progress().durable.map(|end| BranchEnd {
                point: end.point,
                commit: end.commit,
            }),
            Side::None => None,
        }
    }

    /// This root was left behind: it writes no more, and becomes a slave. Nothing is done where it is one.
    pub(crate) fn yield_to(&self, fence: &Fence) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        match self.side() {
            Side::Master(master) if self.role() == Role::Master => {
                roles::depose(self.core(), self.current_side(), &master, fence)
            }
            Side::Slave(_) => Ok(()),
            Side::Master(_) | Side::None => Err(EngineError::ChangingRole),
        }
    }

    /// Before a slave that was left behind is fed, it knows what it has behind that point.
    pub(crate) fn rejoin(&self) -> Result<(), EngineError> {
        let is_unknown = |fence: &Fence| fence.tail == Tail::Unknown;
        if !self.core().control().fence.as_ref().is_some_and(is_unknown) {
            return Ok(());
        }
        let _one_at_a_time = self.hold_role()?;
        match self.side() {
            Side::Slave(slave) => roles::rejoin(self.core(), self.current_side(), &slave),
            Side::Master(_) | Side::None => Ok(()),
        }
    }

    /// By whom it was left behind as a root, if it was and does not follow that one yet.
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.core().settle_fence();
        self.core().control().fence.clone()
    }

    /// The same for people, with what to do about it.
    pub(crate) fn fenced_in_words(&self) -> Option<String> {
        let fence = self.fence()?;
        let words = fence.in_words(&self.config().server.instance);
        Some(match fence.hint() {
            Some(hint) => format!("{words}; {hint}"),
            None => words,
        })
    }

    /// What was left behind becomes no root by itself.
    pub(super) fn refuse_left_behind(&self) -> Result<(), EngineError> {
        let Some(fence) = self.fence() else {
            return Ok(());
        };
        let hint = "'dbctl replication promote --force' makes it the root all the same: then there are two, and what the other one has written since is not here.";
        Err(EngineError::state(
            fence.in_words(&self.config().server.instance),
            match fence.hint() {
                Some(first) => format!("To follow: {first}. {hint}"),
                None => hint.to_owned(),
            },
        ))
    }
}

impl Core {
    /// The chain hash at a position of the log, wherever its segment is; `None`: no block ends there.
    ///
    /// Errors: the log can't be read.
    pub(crate) fn hash_of_log(&self, position: Position) -> Result<Option<ChainHash>, ReadError> {
        let mut failure = None;
        for location in self.log_locations() {
            match hash_at(&location, position) {
                Ok(Some(hash)) => return Ok(Some(hash)),
                Ok(None) => {}
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// What another root has written behind the point where this one was left has come: it is a slave as any other.
    pub(super) fn settle_fence(&self) {
        let Some(fence) = self.control().fence.clone() else {
            return;
        };
        let own = &self.config().server.instance;
        let is_of_another_root = |line: &HistoryLine| {
            line.reason == GenerationReason::Promote
                && line.instance != *own
                && line.parent.position >= fence.at.point.position
        };
        let follows = |history: &fwlog::History| history.branch().iter().any(is_of_another_root);
        if !self.instance().with_history(follows) {
            return;
        }
        let _one_author = self.one_author();
        match self.update_control(|control| control.fence = None) {
            Ok(()) => tracing::info!(
                root = fence.by,
                "this server follows the root that has left it behind"
            ),
            Err(error) => tracing::warn!(%error, "that this server follows is not noted yet"),
        }
    }
}
