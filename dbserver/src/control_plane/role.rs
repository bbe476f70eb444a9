//! `replication promote` and the steps of `replication switchover`: the role that writes.

use std::sync::Arc;

use std::time::Duration;

use dbconfig::value;
use peers::handover::HandoverStatus;

use crate::control_plane::{Call, Table, siblings};
use crate::databases::control::role_word;
use crate::databases::handover::{Handover, HandoverId, HandoverPoint};
use crate::environment::Environment;
use crate::environment::replication_status::ReplicationStatus;
use crate::error::EngineError;

const PROMOTE: &str = "replication promote [--force]";
const READ_ONLY: &str = "replication readonly [on [--for TIME] | off]";
const HANDOVER: &str = "handover status | offer NAME | take ID POSITION HASH COMMIT TIME | refuse ID POSITION HASH COMMIT | given ID | withdraw ID";

/// A slave becomes a master.
pub(crate) fn promote(call: &Call<'_>) -> Result<Table, EngineError> {
    let anyway = match call.arguments.as_slice() {
        [] => false,
        ["--force"] => true,
        _ => return Err(EngineError::Usage(format!("usage: {PROMOTE}"))),
    };
    become_root(call.environment, anyway).map(Table::done)
}

/// This slave becomes the root, and its configuration says so. Gives what to tell of it.
pub(super) fn become_root(
    environment: &Arc<Environment>,
    anyway: bool,
) -> Result<String, EngineError> {
    if !anyway {
        siblings::catch_up(environment)?;
    }
    environment.promote(anyway)?;
    let begun = environment.durable();
    let begun = begun.map(|durable| durable.point.position.segment.generation);
    let name = &environment.config().server.instance;
    let generation = begun.map_or_else(String::new, |number| {
        format!(", generation {number} of the log has begun")
    });
    let file = environment.write_role();
    Ok(format!("{name} is the master{generation}; {file}"))
}

/// Whoever wants to write waits.
pub(crate) fn readonly(call: &Call<'_>) -> Result<Table, EngineError> {
    let environment = call.environment;
    let words: Vec<&str> = call
        .arguments
        .iter()
        .flat_map(|word| word.split('='))
        .collect();
    let at_most = match words.as_slice() {
        [] => {
            let kept = environment.kept_out_in_words();
            return Ok(Table::done(
                kept.unwrap_or_else(|| "nobody is kept from writing".to_owned()),
            ));
        }
        ["off"] => {
            return Ok(Table::done(if environment.let_writers_in() {
                "whoever wants to write is let in"
            } else {
                "nobody was kept from writing"
            }));
        }
        ["on"] => None,
        ["on", "--for", time] => Some(value::duration(time).map_err(EngineError::Usage)?),
        _ => return Err(EngineError::Usage(format!("usage: {READ_ONLY}"))),
    };
    environment.keep_writers_out(at_most)?;
    let kept = environment.kept_out_in_words();
    Ok(Table::done(kept.unwrap_or_else(|| {
        "whoever wants to write was kept out, and is let in again".to_owned()
    })))
}

/// What `dbctl replication switchover` asks of both servers, step by step.
pub(crate) fn handover(call: &Call<'_>) -> Result<Table, EngineError> {
    let environment = call.environment;
    match call.arguments.as_slice() {
        ["status"] => {}
        ["offer", to] => {
            let bits = u128::from_le_bytes(environment.core().host().random.bytes()?);
            environment.offer(HandoverId::new(bits), to)?;
            environment.write_role();
        }
        ["take", id, position, hash, commit, at_most] => {
            let at_most: Duration = value::duration(at_most).map_err(EngineError::Usage)?;
            let end = end_of(position, hash, commit)?;
            environment.take(id_of(id)?, end, at_most)?;
            environment.write_role();
        }
        ["refuse", id, position, hash, commit] => {
            environment.refuse(id_of(id)?, end_of(position, hash, commit)?)?;
        }
        ["given", id] => environment.has_given(id_of(id)?)?,
        ["withdraw", id] => {
            environment.withdraw(id_of(id)?)?;
            environment.write_role();
        }
        _ => return Err(EngineError::Usage(format!("usage: {HANDOVER}"))),
    }
    table(&stand(environment)?)
}

/// Done by dbctl.
pub(crate) fn switchover(_call: &Call<'_>) -> Result<Table, EngineError> {
    Err(EngineError::Usage(
        "'replication switchover' is done by dbctl, which asks both servers: dbctl replication switchover NAME".into(),
    ))
}

/// That this server has given the role away and does not know what became of it: it takes no writes.
pub(super) fn in_doubt(environment: &Environment) -> Option<String> {
    match environment.handover() {
        Some(Handover::Given { to, end, .. }) => Some(format!(
            "gave the role of the root to {to} at {}, and has not heard what became of that; 'dbctl replication switchover {to}' goes on with it",
            end.point.position
        )),
        _ => None,
    }
}

fn end_of(position: &str, hash: &str, commit: &str) -> Result<HandoverPoint, EngineError> {
    let end = format!("{position} {hash} {commit}").parse();
    end.map_err(EngineError::Usage)
}

fn id_of(text: &str) -> Result<HandoverId, EngineError> {
    text.parse().map_err(EngineError::Usage)
}

/// How this server stands to the role that writes.
fn stand(environment: &Environment) -> Result<HandoverStatus, EngineError> {
    let handover = environment.handover();
    let (to, end) = match &handover {
        Some(Handover::Given { to, end, .. } | Handover::Handed { to, end, .. }) => {
            (Some(to.clone()), Some(*end))
        }
        _ => (None, None),
    };
    let to_address = match &to {
        Some(to) => ReplicationStatus::address_of(environment, to)?,
        None => None,
    };
    Ok(HandoverStatus {
        to_address,
        instance: environment.config().server.instance.clone(),
        environment: environment.id().map(|id| id.to_string()),
        role: role_word(environment.role()).to_owned(),
        handover: handover.as_ref().map(|it| it.word().to_owned()),
        id: handover.as_ref().map(|it| it.id().to_string()),
        to,
        position: end.map(|end| end.point.position.to_string()),
        hash: end.map(|end| end.point.hash.to_string()),
        commit: end.map(|end| end.commit.get()),
        durable: environment.durable_position().map(|at| at.to_string()),
        partial: environment
            .core()
            .refuse_partial()
            .err()
            .map(|why| format!("{why} ({})", why.sqlstate())),
        may_lead: Some(environment.may_lead()),
        has_users: Some(environment.has_users()),
        format: Some(fwlog::layout::header::FORMAT_VERSION),
        volume_limit: Some(environment.config().volumes.max_size),
        held: environment.applying_is_held(),
        awaited_by: Some(environment.awaited_by()),
        feeds_as_root: Some(environment.core().sources().as_root()),
    })
}

fn table(stand: &HandoverStatus) -> Result<Table, EngineError> {
    let mut table = Table::list();
    table.entry("instance", &stand.instance);
    table.entry("role", &stand.role);
    if let Some(word) = &stand.handover {
        let to = stand
            .to
            .as_ref()
            .map_or_else(String::new, |to| format!(" to {to}"));
        table.entry("handover", format!("{word}{to}"));
    }
    table.typed(stand)
}
