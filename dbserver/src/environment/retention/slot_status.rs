//! The slots, for who asks how things are.

use fwlog::retention::behind;
use fwlog::{LogDirectory, Position, SegmentId};
use serde::Serialize;

use crate::databases::control::LogPlace;
use crate::databases::slots::{Slot, SlotState};
use crate::environment::log::read_error;
use crate::environment::state::Environment;
use crate::environment::status::{Shown, Time};
use crate::error::EngineError;

/// A slot.
#[derive(Debug, Clone, Serialize)]
pub struct SlotStatus {
    /// Name of the slave's instance.
    pub name: String,
    /// Who it is for: `slave`.
    pub kind: &'static str,
    /// `active`: the log is kept for it; `lost`: it is not any more.
    pub state: &'static str,
    /// Since when.
    pub since: Time,
    /// It needs the log from here on.
    pub needs: Shown<Position>,
    /// Bytes of the log from there to its end, as far as they are there.
    pub behind_bytes: Option<u64>,
    /// When the slave was last heard of.
    pub last_heard_of: Option<Time>,
    /// What a lost slot means.
    pub reason: Option<String>,
}

impl SlotStatus {
    /// All slots of this server, by name.
    ///
    /// Errors: their file could not be read, or not the log.
    pub fn all(environment: &Environment) -> Result<Vec<Self>, EngineError> {
        let core = environment.core();
        let slots = core.slots().list()?;
        if slots.is_empty() {
            return Ok(Vec::new());
        }
        let directory = match core.log_place() {
            LogPlace::ForwardLog => {
                LogDirectory::scan(&core.log_location()?).map_err(read_error)?
            }
            LogPlace::Journal => LogDirectory::default(),
        };
        let segments = directory.segments();
        let durable = environment.durable_position();
        let end = durable.and_then(|at| {
            let segment = directory.get(at.segment)?;
            Some(segment.header.log_bytes.saturating_add(at.offset))
        });
        let first = segments.first().map(|segment| segment.id);
        let status = |slot: Slot| Self {
            behind_bytes: end.map(|end| behind(segments, end, slot.needs)),
            reason: lost_text(&slot, first),
            kind: slot.kind.as_str(),
            state: slot.state.as_str(),
            since: Time(slot.since),
            needs: Shown(slot.needs),
            last_heard_of: (slot.heard != fwlog::Timestamp::ZERO).then_some(Time(slot.heard)),
            name: slot.name,
        };
        Ok(slots.into_iter().map(status).collect())
    }
}

/// What a lost slot means, where the log begins with `first`.
pub(crate) fn lost_text(slot: &Slot, first: Option<SegmentId>) -> Option<String> {
    if slot.state != SlotState::Lost {
        return None;
    }
    let begins = match first {
        Some(first) => format!("log begins at {first}"),
        None => "there is no log".to_owned(),
    };
    Some(format!(
        "lost: needs {}, {begins}; dbrepl re-synchronizes it by itself",
        slot.needs.segment
    ))
}
