//! What keeps a slave from taking the role of the master: named before anything is changed.

use peers::handover::HandoverStatus;

use super::{MAX_LAG, is_fed};
use crate::commands::asking::{known_slaves, unknown};
use crate::connection::Connection;
use crate::error::{CommandError, Result};

/// What the master knows of the slave is good enough; where it is.
pub(super) async fn check_known(root: &Connection, name: &str) -> Result<String> {
    let known = known_slaves(root).await?;
    let not_known = unknown(&known, name);
    let Some(slave) = known.into_iter().find(|known| known.slave == name) else {
        return Err(CommandError::error(not_known));
    };
    let obstacle = |why: String| {
        CommandError::error(format!("cannot become root: {name} {why}"))
            .with_hint("nothing has changed; 'dbctl replication status' shows how it gets on")
    };
    if !is_fed(&slave) {
        let reason = slave
            .reason
            .map_or_else(String::new, |why| format!(": {why}"));
        return Err(obstacle(format!("is {}{reason}", slave.state)));
    }
    match slave.lag_in_bytes {
        Some(lag) if lag > MAX_LAG => Err(obstacle(format!(
            "is {} MiB behind, and may be {} MiB",
            lag >> 20,
            MAX_LAG >> 20
        ))),
        _ => slave
            .address
            .ok_or_else(|| obstacle("has told nobody its address".into())),
    }
}

pub(super) fn check_peer(here: &HandoverStatus, there: &HandoverStatus, name: &str) -> Result<()> {
    match obstacle(here, there, name) {
        Some(why) => Err(
            CommandError::error(format!("cannot become root: {name} {why}"))
                .with_hint("nothing has changed"),
        ),
        None => Ok(()),
    }
}

/// What keeps `there` from becoming the root in the place of `here`.
fn obstacle(here: &HandoverStatus, there: &HandoverStatus, name: &str) -> Option<String> {
    let limit = |it: &HandoverStatus| it.volume_limit.filter(|limit| *limit > 0);
    let unlimited = |it: &HandoverStatus| limit(it).unwrap_or(u64::MAX);
    Some(if there.instance != name {
        format!("is not at its address: {} is", there.instance)
    } else if there.has_users == Some(false) {
        "has no users yet: it has not received those of the master".to_owned()
    } else if there.environment != here.environment {
        "belongs to another environment".to_owned()
    } else if there.role != "Slave" {
        format!("is {}", there.role)
    } else if there.is("given") {
        let to = there.to.as_deref().unwrap_or("another instance");
        format!("gave the role to {to} and does not know what became of that")
    } else if let Some(partial) = &there.partial {
        // The sentence has its subject.
        let rest = partial.strip_prefix(name).map(str::trim_start);
        rest.unwrap_or(partial).to_owned()
    } else if there.may_lead == Some(false) {
        "has Priority = 0".to_owned()
    } else if there.format > here.format && here.format.is_some() {
        format!(
            "writes a log of format {}, and {} reads no later one than {}: update that first",
            there.format.unwrap_or_default(),
            here.instance,
            here.format.unwrap_or_default()
        )
    } else if unlimited(here) < unlimited(there) {
        format!(
            "may have larger data files than {}, which could not follow it (MaxSize in section [Volumes]: {} there, {} bytes here)",
            here.instance,
            limit(there).map_or_else(|| "no limit".to_owned(), |it| format!("{it} bytes")),
            limit(here).unwrap_or_default()
        )
    } else if let Some(held) = &there.held {
        format!("does not apply its log: {held}")
    } else {
        return None;
    })
}
