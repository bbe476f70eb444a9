//! Commands that are given to a server for what it answers: for those that work with two servers.

use peers::command::statement;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::commands::server;
use crate::connection::{Answer, Connection, command_failure};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
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

/// That a master has no slave of this name, and which it has.
pub(super) fn unknown(known: &[KnownSlave], name: &str) -> String {
    let names: Vec<&str> = known.iter().map(|known| known.slave.as_str()).collect();
    let known = match names.as_slice() {
        [] => "it knows none".to_owned(),
        names => format!("it knows {}", names.join(", ")),
    };
    format!("the master knows no slave {name}: {known}")
}

/// A connection to what a master knows as an instance, else to the text as an address.
pub(super) async fn connect_to_slave(
    invocation: &mut Invocation,
    master: &Connection,
    slave: &str,
) -> Result<Connection> {
    let known = known_slaves(master).await?;
    let named = known.iter().find(|known| known.slave == slave);
    if let Some(address) = named.and_then(|known| known.address.as_ref()) {
        return invocation.connect_to(address).await;
    }
    invocation.connect_to(slave).await.map_err(|failure| {
        let message = format!(
            "{}; nor is it the address of one that answers: {}",
            unknown(&known, slave),
            failure.message
        );
        CommandError { message, ..failure }
    })
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
