//! A slave that is gone for good is forgotten: its note beside the log, and its slot.

use dbproto::{Below, SILENT};
use fwlog::LostForks;

use crate::databases::slots::SlotState;
use crate::environment::replication_status::{forward_log, micros};
use crate::environment::report_standing::apart;
use crate::environment::slave_notes::reports;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// Removes what is known of a slave, durably. `sure`: also where it could still go on from this log.
///
/// Errors: no such slave is known, it is connected, or it could go on and nobody is sure.
pub(crate) fn forget(environment: &Environment, name: &str, sure: bool) -> Result<(), EngineError> {
    let core = environment.core();
    // While somebody learns from notes, this one must not be among them.
    let turn = core.slots().hold();
    let notes = match forward_log(environment)? {
        Some(location) => reports(&location)?,
        None => Vec::new(),
    };
    let note = notes.into_iter().find(|(_, known)| known.instance == name);
    let slot = turn.list()?.into_iter().find(|slot| slot.name == name);
    if note.is_none() && slot.is_none() {
        return Err(EngineError::state(
            format!("no slave '{name}' is known here"),
            "'replication status' on the master shows the slaves that dbrepl has told of, 'slot list' on any server those that its log is kept for.",
        ));
    }
    if let Some((_, report)) = &note {
        let now = core.host().clock.now();
        let lives = apart(now, report.written) <= micros(SILENT);
        if report.standing.is_connected() && lives && report.rival.is_none() {
            return Err(EngineError::state(
                format!("slave '{name}' is connected"),
                format!(
                    "Stop its dbrepl first; one that was killed counts as gone {} s later.",
                    SILENT.as_secs()
                ),
            ));
        }
    }
    let is_kept_for = slot.as_ref().filter(|slot| slot.state == SlotState::Active);
    if let (Some(slot), false) = (is_kept_for, sure) {
        return Err(EngineError::state(
            format!(
                "slave '{name}' could still go on: the log is kept for it from {} on",
                slot.needs.segment
            ),
            "'slot drop NAME --yes' is for a slave that is gone for good, or may get a copy when it comes back.",
        ));
    }
    if let Some((path, _)) = note {
        let removed = core.host().disk.remove(&path);
        removed.map_err(|error| EngineError::file("remove", &path, &error))?;
        for told in [Below::file_name(name), LostForks::file_name(name)] {
            let told = path.with_file_name(told);
            let removed = core.host().disk.remove_if_there(&told);
            removed.map_err(|error| EngineError::file("remove", &told, &error))?;
        }
    }
    turn.change(|slots| slots.retain(|slot| slot.name != name))
}
