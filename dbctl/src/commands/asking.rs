//! Commands that are given to a server for what it answers: for those that work with two servers.

use peers::command::statement;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::commands::server;
use crate::connection::{Answer, Connection, command_failure};
use crate::error::{CommandError, Result};
use crate::output::Table;

/// A slave, as its master's status tells.
#[derive(Deserialize)]
pub(super) struct KnownSlave {
    pub(super) slave: String,
    pub(super) address: Option<String>,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) lag_in_bytes: Option<u64>,
}

/// The slaves that a master knows.
pub(super) async fn known_slaves(master: &Connection) -> Result<Vec<KnownSlave>> {
    ask_json(master, &["replication", "status"]).await
}

/// What a master knows as an instance, else the text itself.
pub(super) async fn address_of(master: &Connection, slave: &str) -> Result<String> {
    let known = known_slaves(master).await?;
    let named = known.into_iter().find(|known| known.slave == slave);
    Ok(named
        .and_then(|known| known.address)
        .unwrap_or_else(|| slave.to_owned()))
}

/// The rows of a command.
pub(super) async fn ask(server: &Connection, words: &[String]) -> Result<Table> {
    let answers = server.query(&statement(words, false)).await;
    let answers = answers.map_err(|error| command_failure(&error))?;
    let table = answers.into_iter().find_map(|answer| match answer {
        Answer::Rows(table) => Some(table),
        Answer::Done(_) => None,
    });
    table.ok_or_else(|| unreadable(words))
}

/// The answer of a command with its types, as JSON.
pub(super) async fn json(server: &Connection, words: &[String]) -> Result<String> {
    let answers = server.query(&statement(words, true)).await;
    let answers = answers.map_err(|error| command_failure(&error))?;
    let json = answers.iter().find_map(|answer| match answer {
        Answer::Rows(table) => server::typed_json(table),
        Answer::Done(_) => None,
    });
    json.map(str::to_owned).ok_or_else(|| unreadable(words))
}

/// The answer of a command.
pub(super) async fn ask_json<T: DeserializeOwned>(
    server: &Connection,
    words: &[&str],
) -> Result<T> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let json = json(server, &words).await?;
    serde_json::from_str(&json).map_err(|_| unreadable(&words))
}

fn unreadable(words: &[String]) -> CommandError {
    let what = words.iter().take(2).map(String::as_str);
    let what: Vec<_> = what.collect();
    CommandError::error(format!("the answer to '{}' can't be read", what.join(" ")))
        .with_hint("is dbctl of the version of the servers?")
}
