//! What keeps a slave from taking the role of the master: named before anything is changed.

use std::time::Instant;

use peers::handover::HandoverStatus;
use pgtypes::SqlState;

use super::proof::{FED_WITHIN, LOOK};
use super::{MASTER, MAX_LAG, is_fed, standing};
use crate::commands::asking::{KnownSlave, known_slaves, unknown};
use crate::connection::Connection;
use crate::error::{CommandError, Result};

/// What the master knows of the slave is good enough; where it is.
pub(super) async fn check_known(root: &Connection, name: &str) -> Result<String> {
    let known = known_slaves(root).await?;
    let not_known = unknown(&known, name);
    let Some(slave) = known.into_iter().find(|known| known.slave == name) else {
        return Err(CommandError::error(not_known));
    };
    match not_ready(&slave) {
        None => slave.address.ok_or_else(|| CommandError::error(not_known)),
        Some(why) => Err(cannot(&format!("{name} {why}"))
            .with_hint("nothing has changed; 'dbctl replication status' shows how it gets on")),
    }
}

/// What keeps a slave from the role, as its master knows it.
fn not_ready(slave: &KnownSlave) -> Option<String> {
    if !is_fed(slave) {
        let reason = slave.reason.as_ref();
        let reason = reason.map_or_else(String::new, |why| format!(": {why}"));
        return Some(format!("is {}{reason}", slave.state));
    }
    match slave.lag_in_bytes {
        Some(lag) if lag > MAX_LAG => Some(format!(
            "is {} MiB behind, and may be {} MiB",
            lag >> 20,
            MAX_LAG >> 20
        )),
        _ if slave.address.is_none() => Some("has told nobody its address".to_owned()),
        _ => None,
    }
}

pub(super) fn check_peer(here: &HandoverStatus, there: &HandoverStatus, name: &str) -> Result<()> {
    match obstacle(here, there, name) {
        // A partial slave has said its own state.
        Some(why) if there.partial.is_some() && why.ends_with(')') => Err(CommandError::error(
            format!("cannot become root: {name} {why}"),
        )
        .with_hint("nothing has changed")),
        Some(why) => Err(cannot(&format!("{name} {why}")).with_hint("nothing has changed")),
        None => Ok(()),
    }
}

/// Nothing has changed, and this is why.
fn cannot(obstacle: &str) -> CommandError {
    CommandError::error(format!("cannot become root: {obstacle}"))
        .with_state(SqlState::REPLICATION_CANNOT_LEAD)
}

/// Whoever becomes the root must feed the old one: else what is written from then on is on one server alone.
pub(super) async fn check_way_back(
    root: &Connection,
    there: &HandoverStatus,
    name: &str,
) -> Result<()> {
    let until = Instant::now() + FED_WITHIN;
    loop {
        let here = standing(root, MASTER).await?;
        let Some(why) = no_way_back(&here, there, name) else {
            return Ok(());
        };
        if Instant::now() > until {
            let old = &here.instance;
            return Err(cannot(&why).with_hint(format!(
                "nothing has changed; 'dbctl source start {old} HOST:SERVICE' on {name}, or Sources there, or a dbrepl of {name} to {old}; --one-way does it all the same, and then only {name} has what it writes"
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Why nobody would feed the old root. Servers of before say nothing of it.
fn no_way_back(here: &HandoverStatus, there: &HandoverStatus, name: &str) -> Option<String> {
    let has = |list: &Option<Vec<String>>, name: &str| {
        list.as_ref()
            .is_none_or(|list| list.iter().any(|it| it == name))
    };
    let old = &here.instance;
    let will = there.feeds_as_root.is_some() && has(&there.feeds_as_root, old);
    (!will && !has(&here.awaited_by, name))
        .then(|| format!("no dbrepl of {name} waits for {old}, which nobody would feed"))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn status(instance: &str, more: &str) -> HandoverStatus {
        let text = format!(r#"{{"instance":"{instance}","role":"Master"{more}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn each_obstacle_of_a_switchover_has_its_sentence() {
        let known = |more: &str| {
            let text = format!(r#"{{"slave":"south","state":"following"{more}}}"#);
            not_ready(&serde_json::from_str(&text).unwrap())
        };
        let address = r#","address":"south:8102""#;
        assert_eq!(known(address), None);
        let behind = format!(r#"{address},"lag_in_bytes":{}"#, 80 << 20);
        assert_eq!(
            known(&behind).as_deref(),
            Some("is 80 MiB behind, and may be 64 MiB")
        );
        assert_eq!(known("").as_deref(), Some("has told nobody its address"));
        let suspended = r#"{"slave":"south","state":"suspended","reason":"reader 17"}"#;
        let suspended = serde_json::from_str(suspended).unwrap();
        assert_eq!(
            not_ready(&suspended).as_deref(),
            Some("is suspended: reader 17")
        );
        let peer = |more: &str| {
            let text = r#","environment":"e","format":1,"volume_limit":7"#;
            let here = status("north", text);
            let there = format!(r#"{{"instance":"south","role":"Slave","environment":"e"{more}}}"#);
            obstacle(&here, &serde_json::from_str(&there).unwrap(), "south")
        };
        let well = r#","format":1,"volume_limit":7,"may_lead":true,"has_users":true"#;
        assert_eq!(peer(well), None);
        for (more, why) in [
            (
                r#","has_users":false"#,
                "has no users yet: it has not received those of the master",
            ),
            (r#","may_lead":false"#, "has Priority = 0"),
            (
                r#","format":2"#,
                "writes a log of format 2, and north reads no later one than 1: update that first",
            ),
            (
                r#","volume_limit":8"#,
                "may have larger data files than north, which could not follow it (MaxSize in section [Volumes]: 8 bytes there, 7 bytes here)",
            ),
            (
                r#","volume_limit":7,"held":"reader 17""#,
                "does not apply its log: reader 17",
            ),
            (
                r#","partial":"south does not have all databases: it applies shop (R0118)""#,
                "does not have all databases: it applies shop (R0118)",
            ),
            (
                r#","handover":"given","to":"west""#,
                "gave the role to west and does not know what became of that",
            ),
        ] {
            assert_eq!(peer(more).as_deref(), Some(why));
        }
    }

    #[test]
    fn whoever_would_be_fed_by_nobody_stays_the_master() {
        let why = |here: &str, there: &str| {
            no_way_back(&status("north", here), &status("south", there), "south")
        };
        let alone = Some("no dbrepl of south waits for north, which nobody would feed".to_owned());
        let nobody = r#","feeds_as_root":[]"#;
        assert_eq!(why(r#","awaited_by":[]"#, nobody), alone);
        assert_eq!(why(r#","awaited_by":["west"]"#, nobody), alone);
        assert_eq!(why(r#","awaited_by":["south","west"]"#, nobody), None);
        assert_eq!(
            why(r#","awaited_by":[]"#, r#","feeds_as_root":["north"]"#),
            None
        );
        assert_eq!(
            why(r#","awaited_by":[]"#, r#","feeds_as_root":["west"]"#),
            alone
        );
        // Servers of before do not say it.
        assert_eq!(why("", ""), None);
        assert_eq!(why("", nobody), None);
        assert_eq!(why(r#","awaited_by":[]"#, ""), alone);
    }
}
