//! `replication verify SLAVE`: are the databases of a slave those of its master, while both run?

use peers::command::statement;
use peers::compare::{self, Rows, Unequal, Verdict};
use serde::Deserialize;

use crate::commands::server;
use crate::connection::{Answer, Connection, SYSTEM_DATABASE, command_failure};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// A slave, as its master's status tells.
#[derive(Deserialize)]
struct KnownSlave {
    slave: String,
    address: Option<String>,
}

pub(crate) async fn run(invocation: &mut Invocation, command: &[String]) -> Result<()> {
    let [_, _, slave] = command else {
        // A slave does it by itself; the server has the words for the rest.
        return server::run(invocation, command).await;
    };
    let master = invocation.connect(SYSTEM_DATABASE).await?;
    let address = address_of(&master, slave).await?;
    let peer = invocation.connect_to(&address).await?;
    let (verdict, left_open) = compare::compare(&master, &peer).await;
    for failure in left_open {
        output::note(format_args!(
            "warning: a cut stays open for a minute: {}",
            failure.message
        ));
    }
    master.close().await;
    peer.close().await;
    let verdict = verdict?;
    show(invocation, &verdict)?;
    if verdict.equal {
        Ok(())
    } else {
        Err(CommandError::error("the databases differ")
            .with_hint("docs/recovery.md says what to do; 'dbrepl --resync' makes the slave right"))
    }
}

/// What a master knows as an instance, else the text itself.
async fn address_of(master: &Connection, slave: &str) -> Result<String> {
    let command = ["replication", "status"].map(str::to_owned);
    let json = ask_json(master, &command).await?;
    let known: Vec<KnownSlave> = serde_json::from_str(&json).map_err(|_| unreadable(&command))?;
    let named = known.into_iter().find(|known| known.slave == slave);
    Ok(named
        .and_then(|known| known.address)
        .unwrap_or_else(|| slave.to_owned()))
}

impl compare::Server for Connection {
    type Error = CommandError;

    async fn ask(&self, words: &[String]) -> Result<Rows> {
        let answers = self.query(&statement(words, false)).await;
        let answers = answers.map_err(|error| command_failure(&error))?;
        let table = answers.into_iter().find_map(|answer| match answer {
            Answer::Rows(table) => Some(table.rows),
            Answer::Done(_) => None,
        });
        table.ok_or_else(|| unreadable(words))
    }

    async fn ask_json(&self, words: &[String]) -> Result<String> {
        ask_json(self, words).await
    }
}

impl From<Unequal> for CommandError {
    fn from(unequal: Unequal) -> Self {
        Self::error(unequal.message).with_hint(unequal.hint)
    }
}

async fn ask_json(server: &Connection, words: &[String]) -> Result<String> {
    let answers = server.query(&statement(words, true)).await;
    let answers = answers.map_err(|error| command_failure(&error))?;
    let json = answers.iter().find_map(|answer| match answer {
        Answer::Rows(table) => server::typed_json(table),
        Answer::Done(_) => None,
    });
    json.map(str::to_owned).ok_or_else(|| unreadable(words))
}

fn unreadable(words: &[String]) -> CommandError {
    let what = words.iter().take(2).map(String::as_str);
    let what: Vec<_> = what.collect();
    CommandError::error(format!("the answer to '{}' can't be read", what.join(" ")))
        .with_hint("is dbctl of the version of the servers?")
}

fn show(invocation: &Invocation, verdict: &Verdict) -> Result<()> {
    if invocation.output.json {
        return output::json(verdict);
    }
    let result = if verdict.equal { "equal" } else { "different" };
    invocation.output.line(format_args!(
        "{result}: master \"{}\" and slave \"{}\" at commit {}",
        verdict.master, verdict.slave, verdict.commit
    ))?;
    let mut table = Table::new(&["database", "pages", "result", "checksum"]);
    for database in &verdict.databases {
        let result = match (database.first_differing_page, database.skipped) {
            (Some(page), _) => format!("page {page} differs"),
            (None, true) => {
                "not in the slave's last checkpoint: compared after the next one".into()
            }
            (None, false) => "equal".into(),
        };
        table.push([
            database.database.clone(),
            database.pages.to_string(),
            result,
            database.checksum.clone().unwrap_or_default(),
        ]);
    }
    invocation.output.result(&table)
}
