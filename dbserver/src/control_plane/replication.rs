//! `replication status`

use dbproto::Progress;

use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::error::EngineError;

/// On a slave: source, positions, lag.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("replication status")?;
    let mut table = Table::list();
    if call.environment.is_read_only() {
        describe(call.environment, &mut table);
    } else {
        // dbrepl keeps no state and does not connect to the master: each slave knows its own lag.
        table.entry("role", "master");
        let durable = call.environment.durable();
        table.maybe("durable", durable.map(|d| d.point.position));
        table.maybe("commit", durable.map(|d| d.commit.get()));
    }
    Ok(table)
}

/// The lines about replication, for `status` too.
pub(crate) fn describe(environment: &Environment, table: &mut Table) {
    let Some(slave) = environment.slave() else {
        return;
    };
    let progress = slave.progress();
    table.entry(
        "replication",
        if progress.source.is_some() {
            "connected"
        } else {
            "waiting for dbrepl"
        },
    );
    table.maybe(
        "source",
        progress
            .source
            .as_ref()
            .map(|source| source.instance.clone()),
    );
    for (name, at) in [
        ("received", &progress.received),
        ("durable in the mirror", &progress.durable),
        ("applied", &progress.applied),
    ] {
        table.maybe(name, at.as_ref().map(show));
    }
    if let (Some(source), Some(applied)) = (&progress.source_durable, &progress.applied) {
        table.entry(
            "lag in commits",
            source.commit.get().saturating_sub(applied.commit.get()),
        );
        let micros = source.time.micros().saturating_sub(applied.time.micros());
        table.entry(
            "lag in seconds",
            format!("{}.{:03}", micros / 1_000_000, micros / 1000 % 1000),
        );
    }
    table.maybe("suspended", progress.suspended);
}

fn show(progress: &Progress) -> String {
    format!(
        "{}  commit {}  ({})",
        progress.point.position,
        progress.commit.get(),
        progress.time
    )
}
