//! Where the own log and that of the root part.

use fwlog::{GenerationReason, HistoryLine, LogPoint, Position, newest_common};
use pgtypes::SqlState;

use crate::databases::handover::HandoverPoint;
use crate::environment::fence::OtherLog;
use crate::environment::log::read_error;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// The newest point that two logs have in common. The other one begins a generation there: each page that it writes comes as
/// a whole first, so redo may begin there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The point.
    pub at: HandoverPoint,
    /// The instance whose log goes on there.
    pub by: String,
    /// This instance was the root until then.
    pub was_root: bool,
    /// The generation that the root of today has begun, where that is known.
    pub root: Option<HistoryLine>,
}

impl Environment {
    /// Whether it follows; a change of its role that is under way is waited for.
    pub(crate) fn has_come_to_follow(&self) -> Result<bool, EngineError> {
        let _one_at_a_time = self.hold_role()?;
        match self.side() {
            Side::Slave(_) => Ok(self.paused().is_none()),
            Side::Master(_) => Ok(false),
            Side::None => Err(EngineError::ChangingRole),
        }
    }

    /// Where this server was left behind as the root, as long as it has more than the new one.
    pub fn fork_of_fence(&self) -> Option<Fork> {
        let fence = self.fence().filter(|fence| fence.tail.is_lost())?;
        Some(Fork {
            at: fence.at,
            by: fence.by,
            was_root: true,
            root: None,
        })
    }

    /// Where its log has left this one. `None`: it is the beginning of it, which is so only where the other log has the end of
    /// this one, too (`has_end`).
    ///
    /// Errors: they are of two environments, or it is not known where they part.
    pub fn fork_from(&self, other: &OtherLog, has_end: bool) -> Result<Option<Fork>, EngineError> {
        let (core, name) = (self.core(), &other.instance);
        let own = &core.config().server.instance;
        if core.id() != Some(other.environment) {
            return Err(EngineError::state(
                format!("{name} belongs to another environment"),
                "Give --from the address of the root of this one.",
            ));
        }
        let end = self
            .branch_end()
            .ok_or_else(|| EngineError::state("this server has no log yet", "Start a dbrepl."))?;
        // What has come since the guard has looked counts.
        core.instance().follow(core, self.durable_position());
        let history = core.instance().history();
        let common = newest_common((history.branch(), end), (&other.branch, other.end));
        let Some(common) = common else {
            return self.fork_at_a_border(other, end.point);
        };
        let at = common.position;
        let is_here = at == end.point.position;
        if is_here && has_end {
            return Ok(None);
        }
        let hash = core.hash_of_log(at).map_err(read_error)?;
        let Some(hash) = hash.filter(|hash| !is_here && common.theirs == Some(*hash)) else {
            return Err(if self.has_segment(at)? {
                EngineError::Source {
                    state: SqlState::REPLICATION_NEEDS_REJOIN,
                    message: format!(
                        "{own} and {name} have both written generation {}: their histories do not tell where they part",
                        at.segment.generation
                    ),
                    hint: WITH_A_COPY.to_owned(),
                }
            } else {
                apart(format!(
                    "the log of {own} does not have {at} any more, where it has left that of {name}"
                ))
            });
        };
        if !other.branch.iter().any(|line| line.parent.position == at) {
            return Err(EngineError::state(
                format!(
                    "the log of {name} ends at {at}, and has nothing in the place of what {own} has behind that"
                ),
                "It is behind, and nothing is taken back for it. Give --from the address of the root.",
            ));
        }
        Ok(Some(Fork {
            at: HandoverPoint {
                point: LogPoint::new(at, hash),
                commit: common.commit,
            },
            by: name.clone(),
            was_root: false,
            root: root_of(other),
        }))
    }

    /// Whether the segment is here: what was removed tells nothing.
    fn has_segment(&self, at: Position) -> Result<bool, EngineError> {
        for location in self.core().log_locations() {
            let path = location.path(at.segment);
            let there = location.disk.exists(&path);
            if there.map_err(|error| EngineError::file("look for", path, &error))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// No generation is known to be in both: one of the two may have left the other before the first block of one. Where the
    /// other log begins a generation behind a point that is here, they part there.
    fn fork_at_a_border(
        &self,
        other: &OtherLog,
        end: LogPoint,
    ) -> Result<Option<Fork>, EngineError> {
        let begun = |line: &&HistoryLine| line.parent != LogPoint::ORIGIN;
        for line in other.branch.iter().rev().filter(begun) {
            let at = line.parent;
            let here = self.core().hash_of_log(at.position).map_err(read_error)?;
            if here != Some(at.hash) {
                continue;
            }
            return Ok((at != end).then(|| Fork {
                at: HandoverPoint {
                    point: at,
                    commit: line.commit,
                },
                by: other.instance.clone(),
                was_root: false,
                root: root_of(other),
            }));
        }
        let (own, name) = (&self.config().server.instance, &other.instance);
        Err(apart(format!(
            "the histories of {own} and {name} do not reach back to a common point"
        )))
    }
}

/// The newest generation with which an instance has become the root in that log.
pub(crate) fn root_of(other: &OtherLog) -> Option<HistoryLine> {
    let mut newest = other.branch.iter().rev();
    let made = |line: &&HistoryLine| line.reason == GenerationReason::Promote;
    newest.find(made).cloned()
}

/// What helps where the log does not.
const WITH_A_COPY: &str = "The dbrepl of the root to this server with --resync makes a copy: keep what is missed of this one before ('dbctl database dump').";

pub(super) fn apart(message: String) -> EngineError {
    EngineError::Source {
        state: SqlState::REPLICATION_NO_HISTORY,
        message,
        hint: WITH_A_COPY.to_owned(),
    }
}
