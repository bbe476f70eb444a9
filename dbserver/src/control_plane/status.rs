//! `status` and `checkpoint`

use pagestore::PAGE_SIZE;

use crate::control_plane::{Call, Table, backup, forwardlog, replication, role};
use crate::environment::cut::CutStatus;
use crate::environment::scrub::ScrubStatus;
use crate::environment::status::Status;
use crate::error::EngineError;
use crate::process::bytes;

/// One screen: what this server is and how it does.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("status")?;
    let status = Status::of(call.environment)?;
    let mut table = Table::list();
    table.entry("role", status.role);
    describe_role(call, &status, &mut table);
    table.entry("instance", &status.instance);
    table.entry("version", status.version);
    table.maybe("environment", status.environment);
    table.entry("data directory", status.data_directory.display());
    databases(&status, &mut table);
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
    if let Some(mode) = status.backup_mode.as_ref().filter(|mode| mode.on) {
        table.entry("backup mode", backup::in_words(Some(mode)));
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
    if let Some(at) = status.repaired_at {
        let pages = status.repaired_pages;
        table.entry("pages repaired", format!("{pages}, the last at {at}"));
    }
    if let Some(scrub) = status.scrub.as_ref().and_then(in_words) {
        table.entry("scrub", scrub);
    }
    describe_replication(call, &status, &mut table);
    table.typed(&status)
}

/// Where this server is in the tree; on a slave how it is fed, else how each of its slaves is.
fn describe_replication(call: &Call<'_>, status: &Status, table: &mut Table) {
    if status.tree.is_worth_a_line() {
        table.entry("tree", &status.tree);
    }
    for slave in &status.replication {
        if call.environment.is_read_only() {
            replication::describe(slave, table);
        } else {
            table.entry(
                &format!("slave {}", slave.slave),
                replication::in_short(slave),
            );
        }
    }
}

fn databases(status: &Status, table: &mut Table) {
    table.entry("databases", status.databases);
    if let Some(local) = &status.local {
        let trouble = local
            .trouble
            .as_ref()
            .map(|why| format!("; trouble: {why}"));
        let (count, dirty) = (local.databases, bytes(local.dirty_bytes));
        table.entry(
            "local databases",
            format!(
                "{count}, {dirty} not in data files{}",
                trouble.unwrap_or_default()
            ),
        );
    }
    if let Some(partial) = &status.partial {
        table.entry("applies", partial.in_words());
    }
}

/// What is to be known of the role that writes.
fn describe_role(call: &Call<'_>, status: &Status, table: &mut Table) {
    if let Some(doubt) = role::in_doubt(call.environment) {
        table.entry("handover", doubt);
    }
    if let Some(fenced) = &status.fenced {
        table.entry("fenced", fenced);
    }
    if let Some(paused) = &status.start_guard {
        table.entry("start guard", paused);
    }
    if let Some(two) = &status.two_roots {
        table.entry("two roots", two);
    }
    if let Some(read_only) = &status.read_only {
        table.entry("read only", read_only);
    }
}

/// `since …, 12.3 MiB read; last round ended at …: 1.2 GiB read, 1 pages repaired, 0 damaged`; nothing before there is
/// something to say.
fn in_words(scrub: &ScrubStatus) -> Option<String> {
    let size = |pages: u64| bytes(pages * PAGE_SIZE as u64);
    let running = scrub
        .running_since
        .map(|since| format!("since {since}, {} read", size(scrub.running_pages)));
    let ended = scrub.ended.map(|at| {
        format!(
            "last round ended at {at}: {} read, {} pages repaired, {} damaged",
            size(scrub.pages),
            scrub.repaired,
            scrub.damaged
        )
    });
    let known: Vec<_> = running.into_iter().chain(ended).collect();
    (!known.is_empty()).then(|| known.join("; "))
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
