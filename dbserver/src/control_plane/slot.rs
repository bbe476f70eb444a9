//! `slot list | drop`

use crate::control_plane::{Call, Table};
use crate::environment::retention::{self, SlotStatus};
use crate::error::EngineError;
use crate::process::bytes;

/// From where on the log is kept for each slave that is known.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("slot list")?;
    let slots = SlotStatus::all(call.environment)?;
    let mut table = Table::new(&[
        "slot",
        "kind",
        "state",
        "since",
        "needs",
        "behind",
        "last heard of",
        "reason",
    ]);
    for slot in &slots {
        table.rows.push(vec![
            Some(slot.name.clone()),
            Some(slot.kind.to_owned()),
            Some(slot.state.to_owned()),
            Some(slot.since.to_string()),
            Some(slot.needs.to_string()),
            slot.behind_bytes.map(bytes),
            slot.last_heard_of.map(|time| time.to_string()),
            slot.reason.clone(),
        ]);
    }
    table.typed(&slots)
}

/// Keeps nothing for a slave any more, and forgets it.
pub(crate) fn drop(call: &Call<'_>) -> Result<Table, EngineError> {
    let (name, sure) = match call.arguments.as_slice() {
        [name] => (*name, false),
        [name, "--yes"] | ["--yes", name] => (*name, true),
        _ => {
            let usage = "usage: slot drop NAME [--yes]";
            return Err(EngineError::Usage(usage.into()));
        }
    };
    retention::forget(call.environment, name, sure)?;
    Ok(Table::done(format!("slot {name} is dropped")))
}
