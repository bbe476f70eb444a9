//! `status` and `checkpoint`

use crate::control_plane::{Call, Table, forwardlog, replication};
use crate::databases::control::role_word;
use crate::error::EngineError;
use crate::process::bytes;

/// One screen: what this server is and how it does.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("status")?;
    let environment = call.environment;
    let mut table = Table::list();
    table.entry("role", role_word(environment.role()));
    table.entry("instance", &environment.config().server.instance);
    table.entry("version", env!("CARGO_PKG_VERSION"));
    table.maybe("environment", environment.id());
    table.entry(
        "data directory",
        environment.config().server.data_dir.display(),
    );
    table.entry("databases", environment.databases().len());
    table.entry("sessions", environment.sessions().count());
    let dirty: u64 = environment
        .databases()
        .iter()
        .map(|d| d.store().dirty_bytes())
        .sum();
    table.entry("pages not in data files", bytes(dirty));
    if let Some(redo) = environment.core().redo() {
        table.entry("redo position", redo.point.position);
    }
    forwardlog::describe(environment, &mut table)?;
    for space in environment.core().space() {
        let low = if space.is_low() { ", little" } else { "" };
        table.entry(
            &format!("free for {}", space.what),
            format!("{} of {}{low}", bytes(space.free), bytes(space.size)),
        );
    }
    if environment.is_read_only() {
        replication::describe(environment, &mut table);
    }
    Ok(table)
}

/// Makes a checkpoint and waits for it.
pub(crate) fn checkpoint(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("checkpoint")?;
    call.environment.checkpoint()?;
    let mut table = Table::done("checkpoint complete");
    if let Some(redo) = call.environment.core().redo() {
        table.entry("redo position", redo.point.position);
    }
    Ok(table)
}
