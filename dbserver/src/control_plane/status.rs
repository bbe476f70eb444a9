//! `status` and `checkpoint`

use pagestore::PAGE_SIZE;

use crate::control_plane::{Call, Table, forwardlog, replication};
use crate::environment::cut::CutStatus;
use crate::environment::status::Status;
use crate::error::EngineError;
use crate::process::bytes;

/// One screen: what this server is and how it does.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("status")?;
    let status = Status::of(call.environment)?;
    let mut table = Table::list();
    table.entry("role", status.role);
    table.entry("instance", &status.instance);
    table.entry("version", status.version);
    table.maybe("environment", status.environment);
    table.entry("data directory", status.data_directory.display());
    table.entry("databases", status.databases);
    table.entry("sessions", status.sessions);
    if let Some(at) = status.stop_scheduled {
        table.entry(
            "stop scheduled",
            format!("at {at}; 'shutdown cancel' takes it back"),
        );
    }
    table.entry("pages not in data files", bytes(status.dirty_bytes));
    if let Some(redo) = status.redo_position {
        table.entry("redo position", redo);
    }
    forwardlog::describe(&status.forward_log, &mut table);
    for space in &status.space {
        let low = if space.low { ", little" } else { "" };
        let (free, size) = (bytes(space.free_bytes), bytes(space.size_bytes));
        table.entry(
            &format!("free for {}", space.what),
            format!("{free} of {size}{low}"),
        );
    }
    for cut in &status.cuts {
        table.entry(&format!("cut for {}", cut.who), in_short(cut));
    }
    let trouble = status
        .checkpoint_trouble_since
        .zip(status.checkpoint_trouble.as_ref());
    table.maybe(
        "checkpoint trouble",
        trouble.map(|(since, text)| format!("since {since}: {text}")),
    );
    let trouble = status.data_trouble_since.zip(status.data_trouble.as_ref());
    table.maybe(
        "data trouble",
        trouble.map(|(since, text)| format!("since {since}: {text}")),
    );
    for slave in &status.replication {
        if call.environment.is_read_only() {
            replication::describe(slave, &mut table);
        } else {
            table.entry(
                &format!("slave {}", slave.slave),
                replication::in_short(slave),
            );
        }
    }
    table.typed(&status)
}

/// `commit 70412 since …, 4.1 GiB of 9.6 GiB copied; kept for it: 3.0 MiB in memory, 0 bytes in TmpDir`
fn in_short(cut: &CutStatus) -> String {
    let pages = |count: u64| bytes(count * PAGE_SIZE as u64);
    format!(
        "commit {} since {}, {} of {} copied; kept for it: {} in memory, {} in TmpDir",
        cut.commit,
        cut.since,
        pages(cut.given_pages),
        pages(cut.pages),
        bytes(cut.kept_memory_bytes),
        bytes(cut.kept_scratch_bytes)
    )
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
