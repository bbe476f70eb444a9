//! Which segments go, and that they go.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use fwlog::retention::{self, Keep, Rules, Verdict, removable};
use fwlog::{LogDirectory, LogLocation, Position, SegmentId};
use serde::Serialize;

use crate::databases::control::LogPlace;
use crate::databases::slots::{Slot, SlotState};
use crate::environment::core::Core;
use crate::environment::log::read_error;
use crate::environment::retention::learn::learn;
use crate::environment::retention::slots::Turn;
use crate::environment::slave_notes::reports;
use crate::environment::space::{LOG, Space};
use crate::environment::state::Environment;
use crate::environment::status::Shown;
use crate::error::EngineError;
use crate::process::bytes;

/// A segment, and what becomes of it.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// Which one.
    pub segment: Shown<SegmentId>,
    /// Bytes of its file.
    pub bytes: u64,
    /// It may go, or is gone.
    pub removed: bool,
    /// Why it stays.
    pub reason: Option<String>,
    /// Slaves whose slot is lost with it.
    pub loses: Vec<String>,
    #[serde(skip)]
    path: PathBuf,
}

/// What becomes of all segments.
pub(super) struct Plan {
    pub(super) segments: Vec<Planned>,
    /// Bytes that each slot lies before the end.
    behind: BTreeMap<String, u64>,
    /// The disk of the log, where it has little room.
    no_room: Option<Space>,
}

impl Plan {
    /// The first one that goes.
    pub(super) fn going(&self) -> impl Iterator<Item = &Planned> {
        self.segments.iter().take_while(|it| it.removed)
    }

    /// The disk of the log has little room.
    pub(super) fn is_short_of_room(&self) -> bool {
        self.no_room.is_some()
    }
}

/// What `forwardlog remove` has done, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct RemovedSegments {
    /// Nothing was removed.
    pub dry_run: bool,
    /// How many segments are gone, or would be.
    pub removed_segments: usize,
    /// Their bytes.
    pub removed_bytes: u64,
    /// All there were, in order.
    pub segments: Vec<Planned>,
}

impl Environment {
    /// Removes the segments that may go by the rules, all at once. `keep`: in the place of FwKeep. Where slots
    /// would be lost by it, a person has to be `sure`.
    ///
    /// Errors: this server keeps no forward log; slots would be lost; a file can't be read, or not be removed.
    pub fn remove_segments(
        &self,
        keep: Option<dbconfig::Keep>,
        dry_run: bool,
        sure: bool,
    ) -> Result<RemovedSegments, EngineError> {
        let _no_other_role = self.hold_role()?;
        let core = self.core();
        let (location, durable) = self.kept_log()?;
        let turn = core.slots().hold();
        core.learn_slots(&turn, &location)?;
        let keep = keep.unwrap_or(core.kept_log().rule().keep);
        let plan = core.plan(&turn, &location, durable, keep)?;
        let loses: Vec<&str> = plan
            .going()
            .flat_map(|it| &it.loses)
            .map(|it| &**it)
            .collect();
        if let (Some(slave), false, false) = (loses.first(), sure, dry_run) {
            return Err(EngineError::state(
                format!("what slave {slave} needs would be removed: it is too far behind"),
                "'forwardlog remove --yes' does it all the same, and the slave gets a copy when it comes back; --dry-run says what goes.",
            ));
        }
        if !dry_run {
            for segment in plan.going() {
                core.remove_segment(&turn, &plan, segment)?;
            }
        }
        Ok(RemovedSegments {
            dry_run,
            removed_segments: plan.going().count(),
            removed_bytes: plan.going().map(|it| it.bytes).sum(),
            segments: plan.segments,
        })
    }

    /// The forward log that is written here, and its durable end.
    fn kept_log(&self) -> Result<(LogLocation, Position), EngineError> {
        let core = self.core();
        if core.audit_log().is_some() {
            return Err(EngineError::state(
                "AuditOnly = 1: there is no forward log, and audit records are kept until somebody removes them",
                "Segments of the directory 'audit' that are sealed and not needed may be moved away by hand.",
            ));
        }
        if core.log_place() != LogPlace::ForwardLog {
            return Err(EngineError::state(
                "forward logging is off: what is in the directory of FwLog belongs to a log that has ended, and is left alone",
                "'dbctl forwardlog enable' begins it again; what nobody needs any more may be moved away by hand.",
            ));
        }
        let durable = self.durable_position().ok_or_else(|| {
            EngineError::state(
                "there is no log yet",
                "It begins with the first dbrepl that comes.",
            )
        })?;
        Ok((core.log_location()?, durable))
    }
}

impl Core {
    /// Takes in what dbrepl has noted beside the log. What can't be read changes nothing.
    pub(super) fn learn_slots(
        &self,
        turn: &Turn<'_>,
        location: &LogLocation,
    ) -> Result<(), EngineError> {
        let listed = location.list();
        let listed =
            listed.map_err(|error| EngineError::file("list", &location.directory, &error))?;
        let Some(first) = listed.first() else {
            return Ok(());
        };
        let reports = reports(location)?.into_iter();
        let reports: Vec<_> = reports.map(|(_, report)| report).collect();
        for report in &reports {
            if let Some((id, _)) = report.speaker {
                self.instance()
                    .meet_slave(id, &report.instance, report.heard);
            }
        }
        let now = self.host().clock.now();
        turn.change(|slots| learn(slots, &reports, *first, now))
    }

    /// What becomes of the segments here, of which all up to `durable` is on the disk.
    pub(super) fn plan(
        &self,
        turn: &Turn<'_>,
        location: &LogLocation,
        durable: Position,
        keep: dbconfig::Keep,
    ) -> Result<Plan, EngineError> {
        let spaces = self.space();
        let no_room = spaces.into_iter().find(|it| it.what == LOG && it.is_low());
        // Cuts are asked for after redo: one that is taken later needs nothing before it.
        let redo = self.redo().map(|redo| redo.point.position.segment);
        let held_from = match no_room {
            None => self.cuts().holds_from(Instant::now()),
            Some(_) => self.cuts().needs_from(),
        };
        let directory = LogDirectory::scan(location).map_err(read_error)?;
        let segments = directory.segments();
        let end = directory.get(durable.segment);
        let end = end.map(|segment| segment.header.log_bytes.saturating_add(durable.offset));
        let (Some(redo), Some(end_log_bytes)) = (redo, end) else {
            return Err(EngineError::state(
                format!("segment {} of the log is not there", durable.segment),
                "'dbctl forwardlog status' says what is wrong with the log.",
            ));
        };
        let known = turn.list()?.into_iter();
        let active: Vec<Slot> = known.filter(|it| it.state == SlotState::Active).collect();
        let slots = active.iter().map(|slot| retention::Slot {
            name: &slot.name,
            needs: slot.needs,
        });
        let slots: Vec<_> = slots.collect();
        let settings = &self.config().forward_log;
        let rules = Rules {
            end_log_bytes,
            redo,
            held_from,
            keep: kept(keep),
            keep_for_slots: self.kept_log().rule().for_slaves,
            // A slot within the newest segments holds back nothing that would help.
            keep_for_slots_without_room: no_room.as_ref().map(|_| settings.max_size),
            slots: &slots,
        };
        let verdicts = removable(segments, self.host().clock.now(), &rules);
        let planned = segments.iter().zip(verdicts).map(|(info, (id, verdict))| {
            let (removed, reason, loses) = match verdict {
                Verdict::Keep(why) => (false, Some(why.to_string()), Vec::new()),
                Verdict::Remove { loses } => (true, None, loses),
            };
            Planned {
                segment: Shown(id),
                bytes: info.file_length,
                removed,
                reason,
                loses: loses.into_iter().map(str::to_owned).collect(),
                path: info.path.clone(),
            }
        });
        let behind = active.iter().map(|slot| {
            let behind = retention::behind(segments, end_log_bytes, slot.needs);
            (slot.name.clone(), behind)
        });
        Ok(Plan {
            segments: planned.collect(),
            behind: behind.collect(),
            no_room,
        })
    }

    /// Removes a segment of a plan; durable on return. Slots that are lost with it are lost before.
    pub(super) fn remove_segment(
        &self,
        turn: &Turn<'_>,
        plan: &Plan,
        planned: &Planned,
    ) -> Result<(), EngineError> {
        let now = self.host().clock.now();
        if !planned.loses.is_empty() {
            let mut lost = Vec::new();
            turn.change(|slots| {
                for slot in slots
                    .iter_mut()
                    .filter(|it| planned.loses.contains(&it.name))
                {
                    if slot.state != SlotState::Lost {
                        (slot.state, slot.since) = (SlotState::Lost, now);
                        lost.push(slot.clone());
                    }
                }
            })?;
            for slot in lost {
                self.tell_lost(plan, &slot);
            }
        }
        let disk = &self.host().disk;
        let removed = disk.remove(&planned.path);
        removed.map_err(|error| EngineError::file("remove", &planned.path, &error))?;
        tracing::info!(
            "removed {}: it is kept for nobody any more",
            planned.path.display()
        );
        Ok(())
    }

    fn tell_lost(&self, plan: &Plan, slot: &Slot) {
        let behind = plan.behind.get(&slot.name).copied().unwrap_or_default();
        let limit = self.kept_log().rule().for_slaves;
        let why = match &plan.no_room {
            Some(room) if behind <= limit => format!(
                "its disk has little room ({} of {} free)",
                bytes(room.free),
                bytes(room.size)
            ),
            _ => format!("FwKeepForSlaves is {}", bytes(limit)),
        };
        tracing::error!(
            "slave {} is lost: it needs the log from {} on, {} before its end, and that is removed, because {why}; when its dbrepl comes back, the slave gets a copy by itself",
            slot.name,
            slot.needs.segment,
            bytes(behind)
        );
    }
}

fn kept(keep: dbconfig::Keep) -> Keep {
    match keep {
        dbconfig::Keep::All => Keep::All,
        dbconfig::Keep::Bytes(bytes) => Keep::Bytes(bytes),
        dbconfig::Keep::Age(age) => Keep::Age(age),
    }
}
