//! `replication status`

use crate::control_plane::{Call, Table};
use crate::environment::status::{SlaveStanding, SlaveStatus};
use crate::error::EngineError;

/// On a slave: source, positions, lag. On a master: each slave that dbrepl has told of.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("replication status")?;
    if let Some(slave) = SlaveStatus::of(call.environment) {
        let mut table = Table::list();
        describe(&slave, &mut table);
        return table.typed(&slave);
    }
    let slaves = SlaveStanding::all(call.environment)?;
    let mut table = Table::new(&[
        "slave",
        "address",
        "last heard of",
        "durable",
        "applied",
        "lag in bytes",
        "lag in commits",
        "lag in seconds",
    ]);
    for slave in &slaves {
        table.rows.push(vec![
            Some(slave.slave.clone()),
            Some(slave.address.clone()),
            Some(slave.last_heard_of.to_string()),
            Some(slave.durable.to_string()),
            Some(slave.applied.to_string()),
            slave.lag_in_bytes.map(|bytes| bytes.to_string()),
            slave.lag_in_commits.map(|commits| commits.to_string()),
            slave.lag_in_seconds.map(|seconds| seconds.to_string()),
        ]);
    }
    table.typed(&slaves)
}

/// The lines about replication, for `status` too.
pub(crate) fn describe(slave: &SlaveStatus, table: &mut Table) {
    table.entry(
        "replication",
        if slave.connected {
            "connected"
        } else {
            "waiting for dbrepl"
        },
    );
    table.maybe("source", slave.source.as_ref());
    table.maybe("received", slave.received.as_ref());
    table.maybe("durable in the mirror", slave.durable.as_ref());
    table.maybe("applied", slave.applied.as_ref());
    if let (Some(commits), Some(seconds)) = (slave.lag_commits, slave.lag_seconds) {
        table.entry("lag in commits", commits);
        table.entry("lag in seconds", seconds);
    }
    table.maybe("suspended", slave.suspended.as_ref());
}
