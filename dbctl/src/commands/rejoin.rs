//! `replication rejoin` (`rejoin`): the server goes back to where its log has left that of the root; this program waits until
//! it follows, and has both compare all pages.
//!
//! ```text
//!  the server     replication rejoin    keeps what is lost, and begins anew
//!  the root       source start          where Sources feed it, and had given it up
//!  the server     replication status    until it follows
//!  both           compare               the proof
//!  the root       lost fork             until it knows what was lost, as the server tells it by itself
//! ```
//! What is behind the first step goes on by itself, whatever becomes of this program.

use std::time::{Duration, Instant};

use dbconfig::value;
use peers::compare::{self, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::commands::asking::{KnownSlave, ask, ask_json, json};
use crate::commands::{server, verify};
use crate::connection::{Connection, SYSTEM_DATABASE};
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// How long it may take until it follows; a copy takes longer.
const TIMEOUT: Duration = Duration::from_mins(10);
/// How often the server is asked.
const ASK: Duration = Duration::from_millis(500);
/// How often the two are compared, where the slave gets another checkpoint meanwhile.
const COMPARISONS: u32 = 5;
/// How long the root may take to know what was lost: it is told on each second, a level of the tree at a time.
const KNOWN: Duration = Duration::from_secs(20);

/// What the server has told.
#[derive(Deserialize)]
struct Told {
    instance: String,
    root: String,
    state: String,
}

/// What the root says of a fork.
#[derive(Deserialize)]
struct Known {
    registered: bool,
}

/// A source of the root.
#[derive(Deserialize)]
struct Source {
    source: String,
    state: String,
}

/// All of it, for scripts.
#[derive(Serialize)]
struct Done<'a> {
    #[serde(flatten)]
    told: Map<String, Value>,
    follows: bool,
    proof: Option<&'a Verdict>,
    /// Whether the root knows of the lost transactions; none where none are, or this did not wait.
    known_at_root: Option<bool>,
}

pub(crate) async fn run(
    invocation: &mut Invocation,
    mut words: Vec<String>,
    wait: bool,
) -> Result<()> {
    let limit = take_timeout(&mut words)?;
    let has = |option: &str| words.iter().any(|word| word == option);
    if has("--dry-run") || has("--give-up") {
        return server::run(invocation, &words).await;
    }
    let from = value_of(&words, "--from");
    let server = invocation.connect(SYSTEM_DATABASE).await?;
    let text = json(&server, &words).await?;
    server.close().await;
    let unreadable = |_| CommandError::error("the server's answer can't be read");
    let told: Told = serde_json::from_str(&text).map_err(unreadable)?;
    let all: Map<String, Value> = serde_json::from_str(&text).map_err(unreadable)?;
    if !invocation.output.json {
        invocation.output.result(&shown(&all))?;
    }
    let Some(from) = from.filter(|_| wait) else {
        if !invocation.output.json {
            output::note(format_args!("{}", next(&told)));
        }
        return finish(invocation, all, (None, None));
    };
    let deadline = Instant::now() + limit;
    let root = invocation.connect_to(&from).await.map_err(|failure| {
        let message = format!("{}: {}", next(&told), failure.message);
        CommandError { message, ..failure }
    })?;
    wake(&root, &told.instance).await?;
    let server = follows(invocation, &told, deadline).await?;
    let verdict = compared(&root, &server).await;
    server.close().await;
    let known = match &verdict {
        Ok(_) => known_at(&root, &all).await,
        Err(_) => Ok(None),
    };
    root.close().await;
    let verdict = verdict?;
    let known = known?;
    if !invocation.output.json {
        verify::show(invocation, &verdict)?;
        if let Some(known) = known {
            output::note(format_args!("{}", of_lost(&told, known)));
        }
    }
    let proved = verify::check(&verdict);
    finish(invocation, all, (Some(&verdict), known))?;
    proved
}

/// What is to be done where this program does not wait.
fn next(told: &Told) -> String {
    let Told {
        instance,
        root,
        state,
    } = told;
    let begun = if state == "nothing" {
        "there is nothing to take back"
    } else {
        "it goes on by itself"
    };
    format!(
        "{begun}; {instance} follows as soon as a dbrepl of {root} comes ('dbctl source start {instance}' on {root} where Sources feed it); 'dbctl replication verify {instance}' there compares both then"
    )
}

fn finish(
    invocation: &Invocation,
    told: Map<String, Value>,
    (proof, known_at_root): (Option<&Verdict>, Option<bool>),
) -> Result<()> {
    if !invocation.output.json {
        return Ok(());
    }
    output::json(&Done {
        told,
        follows: proof.is_some(),
        proof,
        known_at_root,
    })
}

/// Whether the root knows of what was lost by now. `None`: nothing was.
async fn known_at(root: &Connection, told: &Map<String, Value>) -> Result<Option<bool>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let fork = told.get("fork").and_then(|fork| {
        let (position, hash) = (text(&fork["position"])?, text(&fork["hash"])?);
        // Databases that were made or renamed alone are no lost transactions.
        let is_lost = told["lost"].is_string() && told["last_commit"].is_u64();
        is_lost.then_some([position, hash])
    });
    let Some([position, hash]) = fork else {
        return Ok(None);
    };
    let deadline = Instant::now() + KNOWN;
    loop {
        let known: Known = ask_json(root, &["lost", "fork", &position, &hash]).await?;
        if known.registered || Instant::now() >= deadline {
            return Ok(Some(known.registered));
        }
        tokio::time::sleep(ASK).await;
    }
}

/// What is to be done about what was lost.
fn of_lost(told: &Told, known: bool) -> String {
    let Told { instance, root, .. } = told;
    if known {
        format!(
            "{root} knows what {instance} has lost: 'dbctl lost apply' there does it again, and 'dbctl lost complete' settles it"
        )
    } else {
        format!(
            "warning: {root} does not know yet what {instance} has lost: 'dbctl lost apply' there tells it, too"
        )
    }
}

/// The server's words as a list.
fn shown(told: &Map<String, Value>) -> Table {
    let mut table = Table::new(&["name", "value"]);
    let mut line = |name: &str, value: String| table.push([name.to_owned(), value]);
    let text = |key: &str| match told.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    for (key, name) in [
        ("instance", "instance"),
        ("root", "root"),
        ("plan", "plan"),
        ("end", "log ended at"),
        ("transactions", "transactions lost"),
        ("changes", "rows changed by them"),
        ("inexact", "not all rows told"),
        ("pages", "pages made again"),
    ] {
        if let Some(value) = text(key) {
            line(name, value);
        }
    }
    if let Some(fork) = told.get("fork").filter(|fork| !fork.is_null()) {
        let position = fork["position"].as_str().unwrap_or_default();
        line("back to", format!("{position}, commit {}", fork["commit"]));
    }
    if let Some(lost) = text("lost") {
        line("kept in", format!("lost/{lost}"));
    }
    table
}

/// The root's own source of this server, where it was given up, begins again.
async fn wake(root: &Connection, instance: &str) -> Result<()> {
    let sources: Vec<Source> = match ask_json(root, &["source", "list"]).await {
        Ok(sources) => sources,
        Err(failure) => {
            output::note(format_args!(
                "warning: the sources of the root are not known: {}",
                failure.message
            ));
            return Ok(());
        }
    };
    let is_given_up = |it: &Source| it.source == instance && it.state == "refused";
    if sources.iter().any(is_given_up) {
        let words = ["source", "start", instance].map(str::to_owned);
        ask(root, &words).await?;
    }
    Ok(())
}

/// A connection to the server, as soon as it follows.
async fn follows(
    invocation: &mut Invocation,
    told: &Told,
    deadline: Instant,
) -> Result<Connection> {
    loop {
        let last = match look(invocation).await {
            Ok((server, None)) => return Ok(server),
            Ok((server, Some(how))) => {
                server.close().await;
                how
            }
            // It begins anew.
            Err(failure) if failure.exit == Exit::Unreachable || is_starting(&failure) => {
                failure.message
            }
            Err(failure) => return Err(failure),
        };
        if Instant::now() >= deadline {
            return Err(CommandError::error(format!(
                "{} does not follow {} yet: {last}",
                told.instance, told.root
            ))
            .with_hint(next(told)));
        }
        tokio::time::sleep(ASK).await;
    }
}

fn is_starting(failure: &CommandError) -> bool {
    ["starting up", "shutting down", "administrator command"]
        .iter()
        .any(|part| failure.message.contains(part))
}

/// How it stands; `None`: it follows.
async fn look(invocation: &mut Invocation) -> Result<(Connection, Option<String>)> {
    let server = invocation.connect(SYSTEM_DATABASE).await?;
    let status: Vec<KnownSlave> = ask_json(&server, &["replication", "status"]).await?;
    let how = match status.first() {
        Some(own) if own.state == "following" => None,
        Some(own) => {
            let reason = own.reason.as_deref().unwrap_or_default();
            Some(format!("{}: {reason}", own.state))
        }
        None => Some("it is no slave".to_owned()),
    };
    Ok((server, how))
}

/// All pages of both, at one commit.
async fn compared(root: &Connection, server: &Connection) -> Result<Verdict> {
    let mut last = None;
    for attempt in 0..COMPARISONS {
        if attempt > 0 {
            tokio::time::sleep(ASK).await;
        }
        let (verdict, left_open) = compare::compare(root, server).await;
        for failure in left_open {
            output::note(format_args!(
                "warning: a cut stays open for a minute: {}",
                failure.message
            ));
        }
        match verdict {
            Ok(verdict) => return Ok(verdict),
            Err(failure) => last = Some(failure),
        }
    }
    let failure = last.unwrap_or_else(|| CommandError::error("they were not compared"));
    let message = format!("it follows, and was not compared: {}", failure.message);
    Err(CommandError { message, ..failure }
        .with_hint("'dbctl replication verify' on the root compares both"))
}

/// Takes `--timeout TIME` out of the words.
fn take_timeout(words: &mut Vec<String>) -> Result<Duration> {
    const OPTION: &str = "--timeout";
    let Some(at) = words
        .iter()
        .position(|word| word == OPTION || word.starts_with("--timeout="))
    else {
        return Ok(TIMEOUT);
    };
    let word = words.remove(at);
    let time = match word.split_once('=') {
        Some((_, time)) => time.to_owned(),
        None if at < words.len() => words.remove(at),
        None => return Err(CommandError::usage("--timeout TIME: 90s, 10m")),
    };
    value::duration(&time).map_err(CommandError::usage)
}

/// The value of an option, which stays.
fn value_of(words: &[String], option: &str) -> Option<String> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some((name, value)) if name == option => return Some(value.to_owned()),
            _ if word == option => return words.next().cloned(),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn the_time_is_taken_out_and_the_address_stays() {
        let mut given = words("replication rejoin --timeout 3s --from south:8102");
        assert_eq!(take_timeout(&mut given).ok(), Some(Duration::from_secs(3)));
        assert_eq!(given, words("replication rejoin --from south:8102"));
        assert_eq!(value_of(&given, "--from").as_deref(), Some("south:8102"));
        let mut given = words("rejoin --timeout=2m --from=south");
        assert_eq!(take_timeout(&mut given).ok(), Some(Duration::from_mins(2)));
        assert_eq!(value_of(&given, "--from").as_deref(), Some("south"));
        assert_eq!(value_of(&words("rejoin"), "--from"), None);
        assert!(take_timeout(&mut words("rejoin --timeout")).is_err());
    }
}
