//! `database repair NAME [--from HOST[:SERVICE]]`: the server makes damaged pages again from its log; for those that the
//! log does not have, this program asks another server, and hands them on. Then the database is verified.

use serde::Deserialize;

use peers::command::statement;

use crate::commands::server;
use crate::connection::{Answer, Connection, command_failure};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

const FROM: &str = "--from";
/// Pages that are asked for at once: some 350 KiB in base64.
const AT_ONCE: usize = 64;

/// What the server says that it has done.
#[derive(Deserialize)]
struct Repaired {
    damaged: Vec<Page>,
}

#[derive(Deserialize)]
struct Page {
    page: u32,
}

pub(crate) async fn run(invocation: &mut Invocation, mut command: Vec<String>) -> Result<()> {
    let from = take_from(&mut command)?;
    let [_, _, name] = command.as_slice() else {
        // The server has the words for it.
        return server::run(invocation, &command).await;
    };
    let name = name.clone();
    let mut done = server::send(invocation, &command).await?;
    if let Some(from) = from {
        let peer = invocation.connect_to(&from).await?;
        let handed = hand_on(invocation, &name, &peer, &from).await;
        peer.close().await;
        done.extend(handed?);
    }
    for answer in &done {
        server::print(invocation, answer)?;
    }
    server::run(
        invocation,
        &["database", "verify", &name].map(str::to_owned),
    )
    .await
}

fn take_from(command: &mut Vec<String>) -> Result<Option<String>> {
    let prefix = format!("{FROM}=");
    if let Some(at) = command.iter().position(|word| word.starts_with(&prefix)) {
        return Ok(command.remove(at).strip_prefix(&prefix).map(str::to_owned));
    }
    let Some(at) = command.iter().position(|word| word == FROM) else {
        return Ok(None);
    };
    command.remove(at);
    if at < command.len() {
        return Ok(Some(command.remove(at)));
    }
    Err(CommandError::usage("--from needs a server")
        .with_hint("usage: dbctl database repair NAME [--from HOST[:SERVICE]]"))
}

/// Asks the peer for what is damaged here, and gives it to the server; its answers.
async fn hand_on(
    invocation: &mut Invocation,
    name: &str,
    peer: &Connection,
    from: &str,
) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for damaged in still_damaged(invocation, name).await?.chunks(AT_ONCE) {
        let mut ask: Vec<String> = ["database", "pages", name].map(str::to_owned).into();
        ask.extend(damaged.iter().map(u32::to_string));
        let mut commit = None;
        let mut pages = Vec::new();
        for answer in ask_peer(peer, &ask, from).await? {
            let Answer::Rows(table) = answer else {
                continue;
            };
            for row in table.rows {
                if let [Some(page), Some(at), Some(content)] = row.as_slice() {
                    commit = Some(at.clone());
                    pages.push(format!("{page}={content}"));
                }
            }
        }
        let Some(commit) = commit else {
            continue;
        };
        let mut give: Vec<String> = ["database", "repair", name, "--pages", from]
            .map(str::to_owned)
            .into();
        give.push(commit);
        give.extend(pages);
        answers.extend(server::send(invocation, &give).await?);
    }
    Ok(answers)
}

async fn ask_peer(peer: &Connection, ask: &[String], from: &str) -> Result<Vec<Answer>> {
    let statement = statement(ask, false);
    peer.query(&statement).await.map_err(|error| {
        let mut failure = command_failure(&error);
        failure.message = format!("{from}: {}", failure.message);
        failure
    })
}

/// The pages that the log could not give.
async fn still_damaged(invocation: &mut Invocation, name: &str) -> Result<Vec<u32>> {
    let command = ["database", "repair", name].map(str::to_owned);
    let statement = statement(&command, true);
    let connection = invocation.control().await?;
    let answers = connection.query(&statement).await;
    let answers = answers.map_err(|error| command_failure(&error))?;
    let json = answers.iter().find_map(|answer| match answer {
        Answer::Rows(table) => server::typed_json(table),
        Answer::Done(_) => None,
    });
    let unreadable =
        || CommandError::error("the server's answer to 'database repair' can't be read");
    let repaired: Repaired =
        serde_json::from_str(json.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    Ok(repaired.damaged.iter().map(|page| page.page).collect())
}
