//! Where the own log and that of the root part.

use dbproto::state;
use fwlog::{GenerationReason, HistoryLine, LogDirectory, LogPoint, Position, newest_common};
use lost::{MadeBy, Root};
use pgtypes::SqlState;

use crate::databases::handover::HandoverPoint;
use crate::environment::core::Core;
use crate::environment::fence::OtherLog;
use crate::environment::log::read_error;
use crate::environment::redo::redo_point_at;
use crate::environment::side::Side;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// The newest point that two logs have in common; or one that a person wants back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fork {
    /// The point.
    pub at: HandoverPoint,
    /// The instance whose log goes on there.
    pub by: String,
    /// This instance was the root until then.
    pub was_root: bool,
    /// The generation that the root of today has begun, where that is known.
    pub root: Option<Root>,
    /// The other log begins a generation there: each page that it writes comes as a whole first, so redo may begin there.
    pub begins_generation: bool,
    /// What is taken back is kept with this word.
    pub made_by: MadeBy,
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
        let root = fence.generation_id.map(|id| Root {
            instance: fence.by.clone(),
            generation: fence.generation,
            id,
        });
        Some(Fork {
            at: fence.at,
            by: fence.by,
            was_root: true,
            root,
            begins_generation: true,
            made_by: MadeBy::Rejoin,
        })
    }

    /// The point of its log to which a person wants it back.
    ///
    /// Errors: it is none, or the root's log does not have it.
    pub fn fork_at(&self, position: Position) -> Result<Fork, EngineError> {
        let own = &self.config().server.instance;
        let Some(slave) = self.slave() else {
            return Err(EngineError::Source {
                state: state::TO_ROOT,
                message: format!("{own} is the root: it has nothing to go back for"),
                hint: "Who goes back becomes a slave, and what is taken back is gone for all: make another one the root first ('dbctl replication switchover'), or Role = Slave in its eloqdb.cfg, and a restart.".to_owned(),
            });
        };
        let fence = self.fence();
        if let Some(fence) = fence
            .as_ref()
            .filter(|fence| fence.at.point.position < position)
        {
            return Err(EngineError::state(
                format!(
                    "{position} is behind {}, where {} has left the log of {}",
                    fence.at.point.position, own, fence.by
                ),
                "It goes back to there, or further: give an earlier position, or none.",
            ));
        }
        let at = self.core().border_at(position).ok_or_else(|| {
            EngineError::state(
                format!("the log of {own} has no border of blocks at {position}"),
                "'dbctl fwlog dump' shows where blocks end, 'dbctl replication history' where generations begin.",
            )
        })?;
        let source = slave.progress().feed.source_name;
        let by = fence.as_ref().map(|fence| fence.by.clone()).or(source);
        Ok(Fork {
            at,
            by: by.unwrap_or_else(|| "the root".to_owned()),
            was_root: fence.is_some(),
            root: None,
            begins_generation: fence
                .as_ref()
                .is_some_and(|fence| fence.at.point.position == position),
            // What a slave takes back the root may have still: nothing is lost by that.
            made_by: if fence.is_some() {
                MadeBy::Rejoin
            } else {
                MadeBy::To
            },
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
            was_root: self.has_written()?,
            root: root_of(other),
            begins_generation: true,
            made_by: MadeBy::Rejoin,
        }))
    }

    /// Whether it was this instance that has written the end of its log, as the root.
    pub(super) fn has_written(&self) -> Result<bool, EngineError> {
        let location = self.core().log_location()?;
        let directory = LogDirectory::scan(&location).map_err(read_error)?;
        let newest = directory.segments().last();
        let own = &self.config().server.instance;
        Ok(newest.is_some_and(|newest| newest.header.origin == *own))
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
            let was_root = self.has_written()?;
            return Ok((at != end).then(|| Fork {
                at: HandoverPoint {
                    point: at,
                    commit: line.commit,
                },
                by: other.instance.clone(),
                was_root,
                root: root_of(other),
                begins_generation: true,
                made_by: MadeBy::Rejoin,
            }));
        }
        let (own, name) = (&self.config().server.instance, &other.instance);
        Err(apart(format!(
            "the histories of {own} and {name} do not reach back to a common point"
        )))
    }
}

impl Core {
    /// A border of blocks of the log, and the newest commit up to there; `None`: no block ends there, or it can't be read.
    pub(crate) fn border_at(&self, position: Position) -> Option<HandoverPoint> {
        let at = redo_point_at(&self.log_locations(), position).ok()?;
        Some(HandoverPoint {
            point: at.point,
            commit: at.commit,
        })
    }
}

/// The newest generation with which an instance has become the root in that log.
pub(crate) fn root_of(other: &OtherLog) -> Option<Root> {
    let mut newest = other.branch.iter().rev();
    let made = |line: &&HistoryLine| line.reason == GenerationReason::Promote;
    newest.find(made).map(|line| Root {
        instance: line.instance.clone(),
        generation: line.number,
        id: line.id,
    })
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
