//! `instance show [--detail]`.

use std::path::Path;

use fwlog::{History, HistoryLine, Instances};
use serde::Serialize;

use super::Place;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{Table, json};

#[derive(Serialize)]
struct Shown {
    instance: String,
    instance_id: String,
    boot: String,
    formerly: Vec<Former>,
    peers: Vec<Peer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    abandoned: Option<Vec<String>>,
}

#[derive(Serialize)]
struct Former {
    instance: String,
    instance_id: String,
    until: String,
}

#[derive(Serialize)]
struct Peer {
    instance: String,
    instance_id: String,
    relation: String,
    first_seen: String,
    last_seen: String,
}

impl Shown {
    fn of(known: &Instances) -> Self {
        let formerly = known.formerly.iter().map(|former| Former {
            instance: former.name.clone(),
            instance_id: former.id.to_string(),
            until: former.until.to_string(),
        });
        let peers = known.peers.iter().map(|peer| Peer {
            instance: peer.name.clone(),
            instance_id: peer.id.to_string(),
            relation: peer.relation.to_string(),
            first_seen: peer.first.to_string(),
            last_seen: peer.last.to_string(),
        });
        Self {
            instance: known.own.name.clone(),
            instance_id: known.own.id.to_string(),
            boot: known.own.boot.to_string(),
            formerly: formerly.collect(),
            peers: peers.collect(),
            history: None,
            abandoned: None,
        }
    }
}

/// Who the instance is and was; with `detail` whom it has met, and the history of its log.
pub(super) fn show(invocation: &Invocation, detail: bool, file: Option<&Path>) -> Result<()> {
    let place = match file {
        Some(file) => Place::beside(file)?,
        None => Place::of(invocation)?,
    };
    let mut shown = Shown::of(&place.known()?);
    if detail {
        let history = History::read(&place.disk, &place.history());
        let history = history.map_err(|error| CommandError::error(error.to_string()))?;
        let history = history.unwrap_or_default();
        shown.history = Some(history.branch().iter().map(generation).collect());
        let left = history.abandoned().iter();
        let left =
            left.map(|left| format!("{}, left at {}", generation(&left.line), left.end.position));
        shown.abandoned = Some(left.collect());
    }
    if invocation.output.json {
        return json(&shown);
    }
    let mut table = Table::new(&["name", "value"]);
    let mut entry = |name: &str, value: String| table.push([name.to_owned(), value]);
    entry("instance", shown.instance);
    entry("id", shown.instance_id);
    entry("last start", shown.boot);
    for former in shown.formerly {
        let Former {
            instance,
            instance_id,
            until,
        } = former;
        entry(
            "formerly",
            format!("{instance} ({instance_id}) until {until}"),
        );
    }
    if detail {
        for peer in shown.peers {
            let Peer {
                instance,
                instance_id,
                relation,
                first_seen,
                last_seen,
            } = peer;
            let words = format!("{instance} ({instance_id}), {first_seen} to {last_seen}");
            entry(&relation, words);
        }
    }
    for line in shown.history.into_iter().flatten() {
        entry("generation", line);
    }
    for line in shown.abandoned.into_iter().flatten() {
        entry("abandoned", line);
    }
    invocation.output.result(&table)
}

/// What is in a file that was just made, as JSON.
pub(super) fn print(known: &Instances) -> Result<()> {
    json(&Shown::of(known))
}

fn generation(line: &HistoryLine) -> String {
    let (number, reason, instance, time) = (line.number, line.reason, &line.instance, line.time);
    let (parent, commit) = (line.parent.position, line.commit);
    format!("{number}: {reason} by {instance} at {time}, from {parent}, commit {commit}")
}
