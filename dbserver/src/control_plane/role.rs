//! `replication promote` and the steps of `replication switchover`: the role that writes.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use dbconfig::{Document, Role, value};
use peers::handover::HandoverStatus;

use crate::control_plane::{Call, Table};
use crate::databases::control::role_word;
use crate::databases::handover::{Handover, HandoverId, HandoverPoint};
use crate::environment::Environment;
use crate::environment::replication_status::ReplicationStatus;
use crate::error::EngineError;

const PROMOTE: &str = "replication promote [--force]";
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
pub(super) fn become_root(environment: &Environment, anyway: bool) -> Result<String, EngineError> {
    environment.promote(anyway)?;
    let begun = environment.durable();
    let begun = begun.map(|durable| durable.point.position.segment.generation);
    let name = &environment.config().server.instance;
    let generation = begun.map_or_else(String::new, |number| {
        format!(", generation {number} of the log has begun")
    });
    let file = follow_role(environment);
    Ok(format!("{name} is the master{generation}; {file}"))
}

/// What `dbctl replication switchover` asks of both servers, step by step.
pub(crate) fn handover(call: &Call<'_>) -> Result<Table, EngineError> {
    let environment = call.environment;
    match call.arguments.as_slice() {
        ["status"] => {}
        ["offer", to] => {
            let bits = u128::from_le_bytes(environment.core().host().random.bytes()?);
            environment.offer(HandoverId::new(bits), to)?;
            follow_role(environment);
        }
        ["take", id, position, hash, commit, at_most] => {
            let at_most: Duration = value::duration(at_most).map_err(EngineError::Usage)?;
            let end = end_of(position, hash, commit)?;
            environment.take(id_of(id)?, end, at_most)?;
            follow_role(environment);
        }
        ["refuse", id, position, hash, commit] => {
            environment.refuse(id_of(id)?, end_of(position, hash, commit)?)?;
        }
        ["given", id] => environment.has_given(id_of(id)?)?,
        ["withdraw", id] => {
            environment.withdraw(id_of(id)?)?;
            follow_role(environment);
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
        Some(Handover::Given { to, end, .. }) => (Some(to.clone()), Some(*end)),
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

/// The configuration says the role that is, so that who reads it is not misled. The server knows its role without it:
/// a file that can't be written is a warning. Gives what to tell of it.
fn follow_role(environment: &Environment) -> String {
    let path = environment.config().path.clone();
    environment
        .while_role_stays(|role| say_role(environment, &path, role))
        .unwrap_or_else(|error| format!("{} does not say the role yet: {error}", path.display()))
}

fn say_role(environment: &Environment, path: &Path, is: Role) -> String {
    let role = role_word(is);
    match write_role(environment, path, role) {
        Ok(()) => {
            let noted = environment.configuration_says(is);
            if let Err(error) = noted {
                tracing::warn!(%error, "what the configuration says of the role is not noted");
            }
            format!("{} says Role = {role}", path.display())
        }
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, role, "the configuration does not say the role; the server knows it all the same");
            format!(
                "set Role = {role} in {}, which cannot be written: {error}",
                path.display()
            )
        }
    }
}

fn write_role(environment: &Environment, path: &Path, role: &str) -> io::Result<()> {
    let before = fs::metadata(path)?;
    if before.uid() != rustix::process::geteuid().as_raw() {
        // The new file would be another's.
        return Err(io::Error::other("it is not the server's own"));
    }
    let old = fs::read_to_string(path)?;
    let unreadable = || io::Error::other("it has mistakes");
    let mut document = Document::parse(&old).map_err(|_| unreadable())?;
    document
        .set("Replication", "Role", role)
        .map_err(io::Error::other)?;
    let disk = environment.core().layout().disk();
    disk.write_atomic(
        path,
        document.to_string().as_bytes(),
        before.mode() & 0o7777,
    )
}
