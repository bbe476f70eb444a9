//! `receiver start | shutdown | checkhealth | statslog | showbacklog`: how this slave is fed, and what it applies.

use std::time::Duration;

use dbproto::Standing;
use serde::Serialize;

use crate::control_plane::source_words::Words;
use crate::control_plane::{Call, Table};
use crate::environment::receiving;
use crate::environment::replication_status::ReplicationStatus;
use crate::error::EngineError;

const START: &str = "receiver start [--updateonly]";
const SHUTDOWN: &str = "receiver shutdown [--updateonly] [--timeout TIME]";

/// A dbrepl leaves within this time, unless it is said otherwise.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Lets sources in again, and applies; with `--updateonly` it applies alone.
pub(crate) fn start(call: &Call<'_>) -> Result<Table, EngineError> {
    let words = Words::read(call, START, &["--updateonly"])?;
    if !words.bare.is_empty() {
        return Err(EngineError::Usage(format!("usage: {START}")));
    }
    let changed = receiving::start(call.environment, words.update_only)?;
    let what = if words.update_only {
        "what comes is applied"
    } else {
        "sources are let in, and what comes is applied"
    };
    let already = if changed { "" } else { " already" };
    Ok(Table::done(format!("{what}{already}")))
}

/// Refuses sources from now on; with `--updateonly` applying alone is held, and the log goes on to be received.
pub(crate) fn shutdown(call: &Call<'_>) -> Result<Table, EngineError> {
    let words = Words::read(call, SHUTDOWN, &["--updateonly", "--timeout"])?;
    if !words.bare.is_empty() {
        return Err(EngineError::Usage(format!("usage: {SHUTDOWN}")));
    }
    let (environment, user) = (call.environment, call.user);
    if words.update_only {
        let changed = receiving::hold(environment, user)?;
        let already = if changed { "" } else { " already" };
        return Ok(Table::done(format!(
            "applying is held{already}; the log goes on to be received"
        )));
    }
    let at_most = words.timeout.unwrap_or(TIMEOUT);
    let changed = receiving::shut(environment, user, at_most)?;
    let already = if changed { "" } else { " already" };
    Ok(Table::done(format!("sources are refused{already}")))
}

/// What a monitor reads: the health is the exit code.
#[derive(Serialize)]
struct Checked {
    health: u8,
    state: String,
    reason: Option<String>,
}

/// Whether this slave is fed and applies what comes.
pub(crate) fn checkhealth(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("receiver checkhealth")?;
    receiving::refuse_on_root(call.environment)?;
    let all = ReplicationStatus::all(call.environment)?;
    let receiver = call.environment.core().sources().receiver();
    let own = all.first();
    let standing = own.map(|slave| slave.state.0);
    let reason = own.and_then(|slave| slave.reason.clone());
    let words = receiving::in_words(&receiver);
    let health = match standing {
        _ if words.is_some() => 1,
        Some(Standing::Following | Standing::CatchingUp | Standing::Copying) => 0,
        Some(Standing::Suspended) => 1,
        Some(_) | None => 3,
    };
    let state = standing.map_or_else(String::new, |standing| standing.to_string());
    let reason = words.or(reason);
    let mut table = Table::list();
    table.entry("health", health);
    table.entry("state", &state);
    table.maybe("reason", reason.as_ref());
    table.typed(&Checked {
        health,
        state,
        reason,
    })
}

/// Has what comes told in the log, or not.
pub(crate) fn statslog(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "receiver statslog on|off";
    let on = match call.one(USAGE)? {
        "on" => true,
        "off" => false,
        _ => return Err(EngineError::Usage(format!("usage: {USAGE}"))),
    };
    let sources = call.environment.core().sources();
    let already = if sources.receiver().stats == on {
        " already"
    } else {
        ""
    };
    sources.set_receiver(|receiver| receiver.stats = on)?;
    let word = if on { "on" } else { "off" };
    Ok(Table::done(format!(
        "statistics of what comes are {word}{already}"
    )))
}

/// What was received and is not applied.
#[derive(Serialize)]
struct Backlog {
    received: Option<String>,
    applied: Option<String>,
    bytes: Option<u64>,
    commits: u64,
}

/// How much was received and is not applied.
pub(crate) fn showbacklog(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("receiver showbacklog")?;
    let slave = receiving::refuse_on_root(call.environment)?;
    let progress = slave.progress();
    let (received, applied) = (progress.received, progress.applied);
    let commit = |at: Option<dbproto::Progress>| at.map_or(0, |at| at.commit.get());
    let position = |at: Option<dbproto::Progress>| at.map(|at| at.point.position.to_string());
    let backlog = Backlog {
        bytes: receiving::bytes_between(call.environment, applied, received),
        commits: commit(received).saturating_sub(commit(applied)),
        received: position(received),
        applied: position(applied),
    };
    let mut table = Table::list();
    table.maybe("received", backlog.received.as_ref());
    table.maybe("applied", backlog.applied.as_ref());
    table.maybe("backlog in bytes", backlog.bytes);
    table.entry("backlog in commits", backlog.commits);
    table.typed(&backlog)
}
