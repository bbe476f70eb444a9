//! `replication status | check | forget`

use std::time::Duration;

use dbconfig::value;
use dbproto::{Standing, Weight};
use serde::Serialize;

use crate::control_plane::{Call, Table, archives, role};
use crate::databases::Role;
use crate::databases::control::LogPlace;
use crate::environment::proof::ProofStatus;
use crate::environment::replication_status::ReplicationStatus;
use crate::environment::retention::{self, SlotStatus};
use crate::environment::space::Space;
use crate::environment::{Environment, Trouble};
use crate::error::EngineError;
use crate::process::bytes;

/// A lag that is worth a word.
const MAX_LAG: Duration = Duration::from_secs(10);
const CHECK: &str = "replication check [--max-lag TIME]";

/// On a slave: source, positions, lag. On a master: each slave that dbrepl has told of.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("replication status")?;
    let all = ReplicationStatus::all(call.environment)?;
    if call.environment.is_read_only()
        && let [slave] = all.as_slice()
    {
        let mut table = Table::list();
        describe(slave, &mut table);
        return table.typed(&all);
    }
    let mut table = Table::new(&[
        "slave",
        "address",
        "state",
        "since",
        "last heard of",
        "durable",
        "applied",
        "lag in bytes",
        "lag in commits",
        "lag in seconds",
        "reason",
    ]);
    for slave in &all {
        table.rows.push(vec![
            Some(slave.slave.clone()),
            slave.address.clone(),
            Some(slave.state.to_string()),
            Some(slave.since.to_string()),
            slave.last_heard_of.map(|time| time.to_string()),
            slave.durable.as_ref().map(|at| at.position.to_string()),
            slave.applied.as_ref().map(|at| at.position.to_string()),
            slave.lag_in_bytes.map(|bytes| bytes.to_string()),
            slave.lag_in_commits.map(|commits| commits.to_string()),
            slave.lag_in_seconds.map(|seconds| seconds.to_string()),
            slave.reason.clone(),
        ]);
    }
    table.typed(&all)
}

/// Forgets a slave that is gone for good.
pub(crate) fn forget(call: &Call<'_>) -> Result<Table, EngineError> {
    let name = call.one("replication forget NAME")?;
    retention::forget(call.environment, name, true)?;
    Ok(Table::done(format!("slave {name} is forgotten")))
}

/// What a monitor reads.
#[derive(Serialize)]
struct Checked {
    result: &'static str,
    message: String,
    replication: Vec<ReplicationStatus>,
}

/// One word, ok, warning or critical, and one line.
pub(crate) fn check(call: &Call<'_>) -> Result<Table, EngineError> {
    let max_lag = match call.arguments.as_slice() {
        [] => MAX_LAG,
        ["--max-lag", time] => value::duration(time).map_err(EngineError::Usage)?,
        [word] if word.starts_with("--max-lag=") => {
            let time = word.trim_start_matches("--max-lag=");
            value::duration(time).map_err(EngineError::Usage)?
        }
        _ => return Err(EngineError::Usage(format!("usage: {CHECK}"))),
    };
    let all = ReplicationStatus::all(call.environment)?;
    let role = call.environment.role();
    let environment = call.environment;
    let slaves: Vec<_> = all.iter().filter(|one| !one.archive).cloned().collect();
    let judged = judge(&slaves, role, max_lag).unwrap_or_else(|| without_slaves(environment));
    // Why a slave's mirror can't be written, its state says.
    let trouble = if role == Role::Slave {
        environment.segment_trouble()
    } else {
        environment.log_trouble()
    };
    let (weight, message) = match trouble {
        Some(trouble) => log_trouble(&trouble, &slaves, judged),
        None => judged,
    };
    let (weight, message) = match environment.core().data_trouble() {
        Some(trouble) => data_trouble(&trouble, (weight, message)),
        None => (weight, message),
    };
    let (weight, message) = match lost_slots(environment) {
        Some(lost) => (Weight::Critical, format!("{lost}; {message}")),
        None => (weight, message),
    };
    let (weight, message) = match environment.core().proof().status() {
        Some(proof) if role == Role::Slave && proof.differs() => {
            let found = proof.in_words();
            (Weight::Critical, format!("{found}; {message}"))
        }
        _ => (weight, message),
    };
    let (weight, message) = role_trouble(environment, (weight, message));
    let archives = archives::warnings(&all, &environment.config().archives);
    let warnings = [archives, warnings(environment)].concat();
    let (weight, message) = with_warnings(warnings, weight, message);
    let checked = Checked {
        result: match weight {
            Weight::Ok => "ok",
            Weight::Warning => "warning",
            Weight::Critical => "critical",
        },
        message,
        replication: all,
    };
    let mut table = Table::list();
    table.entry("result", checked.result);
    table.entry("message", &checked.message);
    table.typed(&checked)
}

/// A server that is the root and does not write, or is not it and may be taken for it.
fn role_trouble(
    environment: &Environment,
    (weight, message): (Weight, String),
) -> (Weight, String) {
    let (weight, message) = match role::in_doubt(environment) {
        Some(doubt) => (Weight::Critical, format!("this server {doubt}; {message}")),
        None => (weight, message),
    };
    let (weight, message) = match environment.fence() {
        Some(fence) if fence.hint().is_some() => {
            let fenced = fence.in_words(&environment.config().server.instance);
            (Weight::Critical, format!("{fenced}; {message}"))
        }
        _ => (weight, message),
    };
    let (weight, message) = match environment.two_roots_in_words() {
        Some(two) => (Weight::Critical, format!("{two}; {message}")),
        None => (weight, message),
    };
    let (weight, message) = match environment.paused_in_words() {
        Some(paused) => (
            weight.max(environment.pause_weight()),
            format!("{paused}; {message}"),
        ),
        None => (weight, message),
    };
    (weight, message)
}

/// A master whose log can't be written has nothing to replicate, and a server whose log lacks a segment does
/// not start again; what else is wrong with slaves is said, too.
fn log_trouble(
    trouble: &Trouble,
    all: &[ReplicationStatus],
    (weight, slaves): (Weight, String),
) -> (Weight, String) {
    let mut message = format!("forward log: since {}: {}", trouble.since, trouble.text);
    if weight > Weight::Ok && !all.is_empty() {
        message = format!("{message}; {slaves}");
    }
    (Weight::Critical, message)
}

/// A server that has lost its data files must not be stopped, whatever else is well.
fn data_trouble(trouble: &Trouble, (weight, rest): (Weight, String)) -> (Weight, String) {
    let mut message = format!("data files: since {}: {}", trouble.since, trouble.text);
    if weight > Weight::Ok {
        message = format!("{message}; {rest}");
    }
    (Weight::Critical, message)
}

/// Slaves of a slave that have lost their slots here; on a master the state of each says so.
fn lost_slots(environment: &Environment) -> Option<String> {
    if environment.role() != Role::Slave {
        return None;
    }
    let slots = SlotStatus::all(environment).ok()?.into_iter();
    let lost = slots.filter_map(|slot| Some(format!("slave {} {}", slot.name, slot.reason?)));
    let lost: Vec<String> = lost.collect();
    (!lost.is_empty()).then(|| lost.join("; "))
}

/// What will stop the server, or with it its slaves, before long.
fn warnings(environment: &Environment) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(environment.kept_out_in_words());
    if let Some(since) = environment.core().alone_since()
        && !environment.is_read_only()
    {
        warnings.push(format!(
            "too few of SyncSlaves answer since {since}: commits are on this server alone"
        ));
    }
    if let Some(trouble) = environment.checkpoint_trouble() {
        warnings.push(format!(
            "checkpoints fail since {}: {}",
            trouble.since, trouble.text
        ));
    }
    let rooms = environment.core().space();
    let low = rooms.into_iter().filter(Space::is_low);
    warnings.extend(low.map(|room| {
        format!(
            "little room for {} in {}: {} free",
            room.what,
            room.directory.display(),
            bytes(room.free)
        )
    }));
    warnings
}

/// What is worse comes first.
fn with_warnings(warnings: Vec<String>, weight: Weight, message: String) -> (Weight, String) {
    let said = match weight {
        _ if warnings.is_empty() => vec![message],
        Weight::Critical => [vec![message], warnings].concat(),
        _ => [warnings, vec![message]].concat(),
    };
    let weight = if said.len() > 1 {
        weight.max(Weight::Warning)
    } else {
        weight
    };
    (weight, said.join("; "))
}

/// A server that no slave is known of.
fn without_slaves(environment: &Environment) -> (Weight, String) {
    if environment.role() == Role::Standalone {
        return (Weight::Ok, "a standalone server, and no slaves".to_owned());
    }
    let why = if environment.core().log_place() == LogPlace::ForwardLog {
        "no slave has been connected to this master, or its dbrepl may not write into the log directory; start one as a user that may"
    } else {
        "forward logging is off, so there is nothing for a slave; set FwLog, or 'dbctl forwardlog enable'; then start a dbrepl for a slave"
    };
    (Weight::Warning, why.to_owned())
}

/// `None`: there is no slave.
fn judge(all: &[ReplicationStatus], role: Role, max_lag: Duration) -> Option<(Weight, String)> {
    let limit = u64::try_from(max_lag.as_micros()).unwrap_or(u64::MAX);
    // What is held back on purpose is no lag.
    let limit =
        |one: &ReplicationStatus| limit.saturating_add(one.delay_in_seconds.map_or(0, |it| it.0));
    let late = |one: &&ReplicationStatus| one.lag_in_seconds.is_some_and(|lag| lag.0 > limit(one));
    let weigh = |one: &ReplicationStatus| {
        let lags = if late(&one) {
            Weight::Warning
        } else {
            Weight::Ok
        };
        let weight = one.state.0.weight().max(lags);
        // Whoever carries the log has not had the time to ask again.
        if one.is_fresh {
            weight.min(Weight::Warning)
        } else {
            weight
        }
    };
    let worst = all.iter().map(weigh).max();
    let worst = worst?;
    if worst == Weight::Ok {
        let lag = all
            .iter()
            .filter_map(|one| one.lag_in_seconds)
            .max_by_key(|lag| lag.0);
        let lag = lag.map_or_else(|| "unknown".to_owned(), |lag| format!("{lag} s"));
        let who = match (role, all) {
            (Role::Slave, [own]) => format!("slave {} follows", own.slave),
            (_, [only]) => format!("slave {} follows", only.slave),
            (_, several) => format!("{} slaves follow", several.len()),
        };
        let delayed = all
            .iter()
            .filter_map(|one| one.delay_in_seconds)
            .max_by_key(|it| it.0);
        let delayed = delayed.map_or_else(String::new, |delay| format!(", delayed by {delay} s"));
        return Some((worst, format!("{who}, lag {lag}{delayed}")));
    }
    let wrong = all.iter().filter(|one| weigh(one) > Weight::Ok);
    let texts: Vec<String> = wrong
        .map(|one| format!("slave {}: {}", one.slave, in_short(one)))
        .collect();
    Some((worst, texts.join("; ")))
}

/// How one slave stands, on one line.
pub(crate) fn in_short(slave: &ReplicationStatus) -> String {
    let follows = slave.state.0 == Standing::Following;
    let since = (!follows).then(|| format!(" since {}", slave.since));
    let lag = slave.lag_in_seconds.map(|lag| format!(", lag {lag} s"));
    let reason = slave.reason.as_ref().map(|reason| format!(": {reason}"));
    [Some(slave.state.to_string()), since, lag, reason]
        .into_iter()
        .flatten()
        .collect()
}

/// The lines about replication, for `status` too.
pub(crate) fn describe(slave: &ReplicationStatus, table: &mut Table) {
    table.entry("replication", slave.state);
    table.entry("since", slave.since);
    table.maybe("reason", slave.reason.as_ref());
    table.maybe("source", slave.source.as_ref());
    table.maybe("dbrepl", slave.address.as_ref());
    table.maybe("last heard of", slave.last_heard_of);
    table.maybe("durable at the source", slave.source_durable.as_ref());
    table.maybe("received", slave.received.as_ref());
    table.maybe("durable in the mirror", slave.durable.as_ref());
    table.maybe("applied", slave.applied.as_ref());
    table.maybe("lag in bytes", slave.lag_in_bytes);
    table.maybe("lag in commits", slave.lag_in_commits);
    table.maybe("lag in seconds", slave.lag_in_seconds);
    table.maybe(
        "verified",
        slave.verified.as_ref().map(ProofStatus::in_words),
    );
    let suspended = (slave.state.0 == Standing::Suspended).then_some(());
    table.maybe("suspended", suspended.and(slave.reason.as_ref()));
}
