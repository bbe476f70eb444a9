//! Whoever comes with a log that was written as the root's may prove that this server is no root any more.

use dbproto::Identify;
use fwlog::{
    BranchEnd, ChainHash, EnvironmentId, GenerationReason, HistoryLine, LogPoint, Position,
    ReadError, RootClaim, hash_at, judge_roots, left_at, newest_common,
};

use crate::databases::Role;
use crate::databases::fence::{Fence, Tail};
use crate::databases::handover::HandoverPoint;
use crate::environment::core::Core;
use crate::environment::roles;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// The log of another one, as it tells of it.
#[derive(Clone, Debug)]
pub struct OtherLog {
    /// Its environment.
    pub environment: EnvironmentId,
    /// The instance that has it.
    pub instance: String,
    /// Its generations, the oldest first.
    pub branch: Vec<HistoryLine>,
    /// Where it is durable.
    pub end: BranchEnd,
}

impl OtherLog {
    /// That of a source, if it has told enough of it.
    pub fn of(source: &Identify) -> Option<Self> {
        let (greeting, end) = (source.greeting.as_deref()?, source.durable?);
        Some(Self {
            environment: source.environment,
            instance: greeting.speaker.name.clone(),
            branch: greeting.branch.clone(),
            end: BranchEnd {
                point: end.point,
                commit: end.commit,
            },
        })
    }
}

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
        let other = OtherLog::of(source);
        other.map_or(Claim::None, |other| self.claim_by(&other))
    }

    /// What this log says.
    pub(crate) fn claim_by(&self, other: &OtherLog) -> Claim {
        self.judge(other).unwrap_or(Claim::None)
    }

    fn judge(&self, theirs: &OtherLog) -> Option<Claim> {
        let core = self.core();
        if core.id() != Some(theirs.environment) {
            return None;
        }
        let history = core.instance().history();
        let ours = history.branch();
        let common = newest_common((ours, self.branch_end()?), (&theirs.branch, theirs.end))?;
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
                generation_id: Some(by.id),
                at: HandoverPoint {
                    point: LogPoint::new(at, hash?),
                    commit: common.commit,
                },
                tail: Tail::Unknown,
                by: by.instance,
            })),
        }
    }

    /// Up to where the other log goes on behind the end of this one, in the generation that this one ends in, or in the next.
    /// That it has this end, too, is not proved by that.
    pub(crate) fn goes_on_here(&self, other: &OtherLog) -> Option<HandoverPoint> {
        if self.core().id() != Some(other.environment) {
            return None;
        }
        let end = self.branch_end()?;
        let history = self.core().instance().history();
        let newest = history.newest()?.id;
        let at = other.branch.iter().position(|line| line.id == newest)?;
        let left = |line: &HistoryLine| left_at((&other.branch, other.end), line.id);
        let (here, later) = (other.branch.get(at)?, other.branch.get(at + 1));
        if left(here)?.point.position < end.point.position {
            return None;
        }
        let mut ends = [Some(here), later].into_iter().flatten().filter_map(left);
        let further = ends.find(|left| left.point.position > end.point.position)?;
        Some(HandoverPoint {
            point: further.point,
            commit: further.commit,
        })
    }

    /// Whether a root and its slave have written the generation that both end in, each for itself: what the slave has is in
    /// no log of this root. `Some`: up to where the slave's goes. Only durable bytes leave a root, so a slave that has more
    /// has it from a log that this root has lost.
    pub(crate) fn has_forked_from(&self, other: &OtherLog) -> Option<Position> {
        let core = self.core();
        let at = other.end.point;
        let history = core.instance().history();
        let newest = history.newest()?.id;
        let is_same = core.id() == Some(other.environment)
            && other.branch.last().is_some_and(|line| line.id == newest);
        if !is_same || !matches!(self.side(), Side::Master(_)) {
            return None;
        }
        if self.goes_on_here(other).is_some() {
            return Some(at.position);
        }
        // What was removed tells nothing.
        let segment = at.position.segment;
        let is_there = core.log_locations().into_iter().any(|location| {
            let path = location.path(segment);
            location.disk.exists(&path).unwrap_or(false)
        });
        let differs = |hash: Option<ChainHash>| hash != Some(at.hash);
        let hash = core.hash_of_log(at.position).ok()?;
        (is_there && differs(hash)).then_some(at.position)
    }

    /// Where its own log is durable.
    pub(crate) fn branch_end(&self) -> Option<BranchEnd> {
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

    /// This root was left behind: it writes no more, and becomes a slave; its configuration says so. Nothing is done where
    /// it is one.
    pub(crate) fn yield_to(&self, fence: &Fence) -> Result<(), EngineError> {
        self.stop_writing_for(fence)?;
        self.write_role();
        Ok(())
    }

    fn stop_writing_for(&self, fence: &Fence) -> Result<(), EngineError> {
        let _one_at_a_time = self.hold_role()?;
        match self.side() {
            Side::Master(master) if self.role() == Role::Master => {
                roles::depose(self.core(), self.current_side(), &master, fence)
            }
            Side::Slave(_) if self.paused().is_some() => {
                // It writes nothing, and looks at its log before it is fed.
                let _one_author = self.core().one_author();
                self.core().update_control(|control| {
                    control.handover = None;
                    control.fence = Some(fence.clone());
                })?;
                tracing::error!(
                    "{}: this server does not write",
                    fence.in_words(&self.config().server.instance)
                );
                Ok(())
            }
            Side::Slave(_) => Ok(()),
            Side::Master(_) | Side::None => Err(EngineError::ChangingRole),
        }
    }

    /// Before a slave that was left behind is fed, it knows what it has behind that point.
    pub fn rejoin(&self) -> Result<(), EngineError> {
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
        // What has come since the guard has looked counts.
        let core = self.core();
        core.instance().follow(core, self.durable_position());
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

    /// Whether another instance has become the root in the own log, at this place or behind it.
    pub(super) fn follows_another_root(&self, at: Position) -> bool {
        let own = &self.config().server.instance;
        let is_of_another_root = |line: &HistoryLine| {
            line.reason == GenerationReason::Promote
                && line.instance != *own
                && line.parent.position >= at
        };
        let follows = |history: &fwlog::History| history.branch().iter().any(is_of_another_root);
        self.instance().with_history(follows)
    }

    /// What another root has written behind the point where this one was left has come: it is a slave as any other.
    pub(super) fn settle_fence(&self) {
        let Some(fence) = self.control().fence.clone() else {
            return;
        };
        if !self.follows_another_root(fence.at.point.position) {
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
