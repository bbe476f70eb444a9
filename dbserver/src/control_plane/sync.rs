//! `replication sync [status | continue | wait]`: for whose disks commits wait.

use serde::Serialize;

use crate::commit::release::Turn;
use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::error::EngineError;

const USAGE: &str = "replication sync [status | continue | wait]";

/// How commits that wait stand.
#[derive(Serialize)]
struct Shown {
    /// `SyncSlaves`.
    rule: Option<String>,
    on_loss: &'static str,
    /// Since when this server goes on alone.
    alone_since: Option<String>,
    /// For how long too few slaves have answered.
    unanswered_seconds: Option<f64>,
    released_commit: u64,
    newest_commit: u64,
    waiting_sessions: usize,
    slaves: Vec<ShownSlave>,
}

#[derive(Serialize)]
struct ShownSlave {
    slave: String,
    /// As in `pg_stat_replication`: `sync`, `potential`, `quorum` or `async`.
    state: &'static str,
    priority: u32,
    fed: bool,
    durable_commit: u64,
    applied_commit: u64,
}

/// What is waited for, and for whom; or a person's word on that.
pub(crate) fn sync(call: &Call<'_>) -> Result<Table, EngineError> {
    match call.arguments.as_slice() {
        [] | ["status"] => status(call),
        ["continue"] => go_on(call),
        ["wait"] => wait(call),
        _ => Err(EngineError::Usage(format!("usage: {USAGE}"))),
    }
}

fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    let shown = shown(call.environment)?;
    let mut table = Table::list();
    let rule = shown.rule.as_deref();
    table.entry(
        "synchronous slaves",
        rule.unwrap_or("none: SyncSlaves is not set"),
    );
    table.entry("when too few answer", shown.on_loss);
    table.maybe("alone since", shown.alone_since.as_ref());
    let unanswered = shown.unanswered_seconds.map(|it| format!("{it:.1} s"));
    table.maybe("unanswered for", unanswered.as_ref());
    table.entry("released commit", shown.released_commit);
    table.entry("newest commit", shown.newest_commit);
    table.entry("waiting sessions", shown.waiting_sessions);
    for slave in &shown.slaves {
        let fed = if slave.fed { "fed" } else { "not fed" };
        let text = format!(
            "{}, {fed}, durable commit {}, applied commit {}",
            slave.state, slave.durable_commit, slave.applied_commit
        );
        table.entry(&slave.slave, text);
    }
    table.typed(&shown)
}

fn shown(environment: &Environment) -> Result<Shown, EngineError> {
    environment.master("replication sync")?;
    let core = environment.core();
    let status = core.release().status();
    let slaves = status.slaves.into_iter().map(|slave| ShownSlave {
        slave: slave.name,
        state: slave.state,
        priority: slave.priority,
        fed: slave.acknowledged.is_fed,
        durable_commit: slave.acknowledged.durable.commit.get(),
        applied_commit: slave.acknowledged.applied.commit.get(),
    });
    Ok(Shown {
        on_loss: if status.waits_for_ever {
            "wait"
        } else {
            "continue"
        },
        alone_since: core.alone_since().map(|time| time.to_string()),
        unanswered_seconds: status.behind.map(|time| time.as_secs_f64()),
        released_commit: status.released.get(),
        newest_commit: status.local.get(),
        waiting_sessions: status.waiting,
        slaves: slaves.collect(),
        rule: status.rule,
    })
}

/// Goes on without those who do not answer, as after `SyncOnLossAfter`.
fn go_on(call: &Call<'_>) -> Result<Table, EngineError> {
    let status = synchronous(call.environment, "replication sync continue")?;
    if status {
        return Ok(Table::done("this server goes on alone already"));
    }
    call.environment.core().turn_release(Turn::Alone)?;
    Ok(Table::done(
        "this server goes on alone: commits wait for no slave until enough have caught up",
    ))
}

/// Waits for slaves again, whoever has caught up.
fn wait(call: &Call<'_>) -> Result<Table, EngineError> {
    if !synchronous(call.environment, "replication sync wait")? {
        return Ok(Table::done("commits wait for slaves already"));
    }
    call.environment.core().turn_release(Turn::Together)?;
    Ok(Table::done("commits wait for slaves again"))
}

/// Whether this server, whose commits wait for slaves, goes on alone.
fn synchronous(environment: &Environment, command: &str) -> Result<bool, EngineError> {
    environment.master(command)?;
    let release = environment.core().release();
    if !release.is_synchronous() {
        return Err(EngineError::state(
            "commits wait for no slaves",
            "Set SyncSlaves in section [Replication], then 'dbctl reload'.",
        ));
    }
    Ok(release.status().is_alone)
}
