//! What the root says of a directory of lost transactions.

use std::collections::BTreeMap;
use std::path::Path;

use disk::Disk;
use lost::{Description, Directory};
use serde::Deserialize;

use crate::commands::asking::{ask, ask_json};
use crate::connection::Connection;
use crate::error::{CommandError, Result};

/// Whether the root's log has the fork, and who it is.
#[derive(Deserialize)]
pub(super) struct Known {
    pub(super) instance: String,
    pub(super) instance_id: String,
    pub(super) writes: bool,
    pub(super) in_log: bool,
}

/// A directory, by its path or that of a file in it; `lost.jsonl` is proved.
pub(super) fn open(path: &Path) -> Result<Directory> {
    let directory = Directory::open(&Disk::real(), path).map_err(|error| {
        CommandError::error(error.to_string()).with_hint(
            "name the directory that has lost.json and lost.jsonl: 'dbctl lost list' at the server that lost them says where it is, and both can be copied",
        )
    })?;
    let proved = directory.prove_lines();
    proved.map_err(|error| CommandError::error(error.to_string()))?;
    Ok(directory)
}

/// Asks for the fork.
///
/// Errors: the file is the server's own (R0104); the server's log has not the fork (R0108).
pub(super) async fn known(root: &Connection, description: &Description) -> Result<Known> {
    let fork = &description.fork;
    let known: Known = ask_json(root, &["lost", "fork", &fork.position, &fork.hash]).await?;
    if known.instance_id == description.instance_id {
        return Err(CommandError::error(format!(
            "{} is this server's own file: it is applied at the root that went on without it",
            description.instance
        ))
        .with_hint("name the root with -h HOST:SERVICE"));
    }
    if !known.in_log {
        return Err(CommandError::error(format!(
            "the log of {} does not have the fork {} of {}: what was lost there has nothing in common with what is here",
            known.instance, fork.position, description.instance
        ))
        .with_hint("is this the root of the same environment? 'dbctl replication history' there shows which instance wrote its log, and from where"));
    }
    Ok(known)
}

/// What is known of the transactions of a directory, by their ids.
pub(super) async fn outcomes(
    root: &Connection,
    description: &Description,
) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for generation in &description.generations {
        let words = ["lost", "outcomes", generation].map(str::to_owned);
        for row in ask(root, &words).await?.rows {
            if let [_, Some(id), Some(outcome), ..] = row.as_slice() {
                found.insert(id.clone(), outcome.clone());
            }
        }
    }
    Ok(found)
}

/// Has the fork noted for every instance.
pub(super) async fn register(root: &Connection, description: &Description) -> Result<()> {
    let fork = &description.fork;
    let mut words: Vec<String> = [
        "lost",
        "register",
        &description.instance,
        &description.instance_id,
        &description.role.to_string(),
        &fork.position,
        &fork.hash,
        &fork.commit.to_string(),
        &description.transactions.to_string(),
    ]
    .map(str::to_owned)
    .into();
    words.extend(description.generations.iter().cloned());
    ask(root, &words).await.map(drop)
}
