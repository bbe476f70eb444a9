//! The commands of `dbctl`, which are also the SQL statement `DBCTL '<command>'`.
//!
//! To add one: a file with a function that takes the [`Call`] and gives a [`Table`], and a line in
//! [`commands()`].

mod archives;
mod backup;
mod commands;
mod cut;
mod database;
mod forwardlog;
mod help;
mod history;
mod logfile;
mod lost;
mod normalise;
mod peer;
mod person;
mod receiver;
mod rejoin;
mod reload;
mod repair;
mod replace;
mod replication;
mod role;
mod session;
mod shutdown;
mod siblings;
mod slot;
mod source;
mod source_words;
mod status;
mod sync;
mod table;
mod transfer;
mod tree;
mod user;
mod verify;
mod words;

use std::sync::Arc;

use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::users::{Privilege, Users};

use commands::commands;
pub use person::Person;
pub use table::Table;

/// A command on its way.
pub struct Call<'a> {
    /// The environment that it is about.
    pub environment: &'a Arc<Environment>,
    /// Who gives it.
    pub user: &'a str,
    /// The words after the command's own.
    pub arguments: Vec<&'a str>,
}

impl Call<'_> {
    /// The only argument, or the usage.
    fn one(&self, usage: &str) -> Result<&str, EngineError> {
        match self.arguments.as_slice() {
            [only] => Ok(only),
            _ => Err(EngineError::Usage(format!("usage: {usage}"))),
        }
    }

    fn none(&self, usage: &str) -> Result<(), EngineError> {
        if self.arguments.is_empty() {
            Ok(())
        } else {
            Err(EngineError::Usage(format!("usage: {usage}")))
        }
    }
}

/// Who may give a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Anyone,
    Operator,
    Dba,
}

struct Command {
    words: &'static [&'static str],
    usage: &'static str,
    what: &'static str,
    needs: Needs,
    run: fn(&Call<'_>) -> Result<Table, EngineError>,
}

impl Command {
    /// What the log says of it once it is done; nothing where it only looks.
    fn act(&self, words: &[&str], table: &Table) -> Option<String> {
        const LOOKS: [&str; 12] = [
            "status",
            "list",
            "check",
            "checksum",
            "verify",
            "help",
            "cut",
            "pages",
            "tree",
            "peer",
            "checkhealth",
            "showbacklog",
        ];
        let changes_nothing = words.contains(&"--dry-run")
            || words == ["handover", "status"]
            || matches!(words, ["lost", "fork" | "outcomes", ..])
            || words == ["replication", "readonly"];
        if changes_nothing || self.words.iter().any(|word| LOOKS.contains(word)) {
            return None;
        }
        Some(
            table
                .result()
                .map_or_else(|| words.join(" "), str::to_owned),
        )
    }
}

/// Runs a command for a user. With the word `--json` before it, the answer of a command that has values with
/// types is one row with the one column `json`.
pub fn run(
    environment: &Arc<Environment>,
    person: Person<'_>,
    text: &str,
) -> Result<Table, EngineError> {
    let words = words::split(text)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["--json", words @ ..] => run_words(environment, person, words).map(Table::into_json),
        words => run_words(environment, person, words),
    }
}

fn run_words(
    environment: &Arc<Environment>,
    person: Person<'_>,
    words: &[&str],
) -> Result<Table, EngineError> {
    let user = person.user;
    let command = find(words)?;
    let allowed = match (command.needs, Users::of(environment).privilege(user)?) {
        (Needs::Anyone, _) | (_, Privilege::Dba) => true,
        (needs, Privilege::Operator) => needs == Needs::Operator,
        (_, Privilege::User) => false,
    };
    if !allowed {
        let needs = if command.needs == Needs::Dba {
            "dba"
        } else {
            "dba or operator"
        };
        return Err(EngineError::Denied(format!(
            "'{}' needs the privilege {needs}",
            command.words.join(" ")
        )));
    }
    let arguments = words[command.words.len()..].to_vec();
    let table = (command.run)(&Call {
        environment,
        user,
        arguments,
    })?;
    if let Some(what) = command.act(words, &table) {
        person.has_done(environment, &what);
    }
    Ok(table)
}

/// A command that the server gives to itself.
pub(crate) fn run_own(
    environment: &Arc<Environment>,
    words: &[&str],
    json: bool,
) -> Result<Table, EngineError> {
    let command = find(words)?;
    let table = (command.run)(&Call {
        environment,
        user: "this server",
        arguments: words
            .get(command.words.len()..)
            .unwrap_or_default()
            .to_vec(),
    })?;
    Ok(if json { table.into_json() } else { table })
}

/// The command that the words begin with; the error names what there is.
fn find(words: &[&str]) -> Result<&'static Command, EngineError> {
    let matches = |command: &&Command| {
        command.words.len() <= words.len()
            && command
                .words
                .iter()
                .zip(words)
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    if let Some(command) = commands().find(matches) {
        return Ok(command);
    }
    let Some(first) = words.first() else {
        return Err(EngineError::Usage("no command given; try 'help'".into()));
    };
    let related: Vec<_> = commands()
        .filter(|command| command.words[0].eq_ignore_ascii_case(first))
        .map(|command| command.usage)
        .collect();
    Err(EngineError::Usage(if related.is_empty() {
        format!("unknown command '{first}'; try 'help'")
    } else {
        format!("usage: {}", related.join("\n       "))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_their_words_in_any_case() {
        assert_eq!(
            find(&["Forwardlog", "STATUS"]).unwrap().usage,
            "forwardlog status"
        );
        assert_eq!(
            find(&["shutdown", "10"]).unwrap().usage,
            "shutdown [SECONDS | cancel]"
        );
    }

    #[test]
    fn half_a_command_answers_with_its_usages() {
        let error = find(&["session"]).err().unwrap().to_string();
        assert_eq!(error, "usage: session list\n       session kill NUMBER");
        assert!(
            find(&["explode"])
                .err()
                .unwrap()
                .to_string()
                .contains("try 'help'")
        );
        assert!(find(&[]).is_err());
    }
}
