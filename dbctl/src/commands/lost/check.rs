//! `lost check FILE|NAME`: whether there is still something to be done.

use std::path::Path;

use lost::Line;
use serde::{Deserialize, Serialize};

use crate::commands::asking::ask_json;
use crate::commands::lost::root;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// What is said of a file.
#[derive(Default, Serialize)]
struct Verdict {
    instance: String,
    needs_restart: bool,
    transactions: u64,
    applied: u64,
    there: u64,
    conflict: u64,
    open: u64,
}

/// A fork as the root's status has it.
#[derive(Deserialize)]
struct Fork {
    instance: String,
    transactions: u64,
    applied: u64,
    there: u64,
    conflict: u64,
    open: u64,
    settled: Option<String>,
}

pub(super) async fn run(invocation: &mut Invocation, what: &str) -> Result<()> {
    if Path::new(what).exists() {
        return file(invocation, Path::new(what)).await;
    }
    name(invocation, what).await
}

async fn file(invocation: &mut Invocation, path: &Path) -> Result<()> {
    let directory = root::open(path)?;
    let description = directory.description().clone();
    let server = invocation.control().await?;
    root::known(server, &description).await?;
    let outcomes = root::outcomes(server, &description).await?;
    let mut verdict = Verdict {
        instance: description.instance.clone(),
        transactions: description.transactions,
        ..Verdict::default()
    };
    for line in directory
        .lines()
        .map_err(|error| CommandError::error(error.to_string()))?
    {
        let line = line.map_err(|error| CommandError::error(error.to_string()))?;
        let Line::Transaction(transaction) = line else {
            continue;
        };
        match outcomes.get(&transaction.id).map(String::as_str) {
            Some("applied") => verdict.applied += 1,
            Some("there") => verdict.there += 1,
            Some(_) => verdict.conflict += 1,
            None => verdict.open += 1,
        }
    }
    say(invocation, &verdict)
}

/// By what was told to the root of an instance.
async fn name(invocation: &mut Invocation, name: &str) -> Result<()> {
    let server = invocation.control().await?;
    let forks: Vec<Fork> = ask_json(server, &["lost", "status"]).await?;
    let own: Vec<&Fork> = forks.iter().filter(|fork| fork.instance == name).collect();
    let mut verdict = Verdict {
        instance: name.to_owned(),
        // Nobody has told what it lost: it has to come and do so.
        needs_restart: own.is_empty(),
        ..Verdict::default()
    };
    for fork in own.into_iter().filter(|fork| fork.settled.is_none()) {
        verdict.transactions += fork.transactions;
        verdict.applied += fork.applied;
        verdict.there += fork.there;
        verdict.conflict += fork.conflict;
        verdict.open += fork.open;
    }
    say(invocation, &verdict)
}

/// Exit code 0: there is nothing to be done; 1: there is.
fn say(invocation: &Invocation, verdict: &Verdict) -> Result<()> {
    if invocation.output.json {
        output::json(verdict)?;
    } else {
        let needs = if verdict.needs_restart {
            "NEEDS TO BE RESTARTED FIRST"
        } else {
            "DOES NOT NEED TO BE RESTARTED"
        };
        invocation
            .output
            .line(format_args!("{} {needs}", verdict.instance))?;
        let mut table = Table::new(&["name", "value"]);
        for (name, value) in [
            ("transactions", verdict.transactions),
            ("applied", verdict.applied),
            ("there", verdict.there),
            ("conflict", verdict.conflict),
            ("open", verdict.open),
        ] {
            table.push([name.to_owned(), value.to_string()]);
        }
        invocation.output.result(&table)?;
    }
    if verdict.needs_restart || verdict.open > 0 {
        return Err(CommandError::told(Exit::Error));
    }
    Ok(())
}
