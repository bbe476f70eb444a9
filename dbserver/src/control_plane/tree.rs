//! `replication tree`

use crate::control_plane::{Call, Table};
use crate::environment::tree::{TreeInstance, TreeStatus};
use crate::error::EngineError;

/// The instances above and below this one: who feeds whom, and how far each is.
pub(crate) fn tree(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("replication tree")?;
    let status = TreeStatus::of(call.environment)?;
    let mut table = Table::new(&[
        "instance",
        "role",
        "state",
        "durable",
        "applied",
        "lag in bytes",
        "lag in seconds",
        "last heard of",
        "address",
        "reason",
    ]);
    table.rows.extend(status.instances.iter().map(row));
    table.typed(&status)
}

/// Who is fed by another one stands two blanks further in.
fn row(it: &TreeInstance) -> Vec<Option<String>> {
    let name = format!("{}{}", "  ".repeat(it.level), it.instance);
    vec![
        Some(name),
        Some(it.role.to_string()),
        it.state.map(|state| state.to_string()),
        it.durable.as_ref().map(|at| at.position.to_string()),
        it.applied.as_ref().map(|at| at.position.to_string()),
        it.lag_in_bytes.map(|bytes| bytes.to_string()),
        it.lag_in_seconds.map(|seconds| seconds.to_string()),
        it.last_heard_of.map(|time| time.to_string()),
        it.address.clone(),
        it.reason.clone(),
    ]
}
