//! The commands of `dbctl`, which are also the SQL statement `DBCTL '<command>'`.
//!
//! To add one: a file with a function that takes the [`Call`] and gives a [`Table`], and a line in
//! [`COMMANDS`].

mod cut;
mod database;
mod forwardlog;
mod help;
mod history;
mod logfile;
mod normalise;
mod person;
mod repair;
mod replication;
mod role;
mod session;
mod shutdown;
mod slot;
mod status;
mod table;
mod transfer;
mod user;
mod verify;
mod words;

use std::sync::Arc;

use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::users::{Privilege, Users};

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
        const LOOKS: [&str; 8] = [
            "status", "list", "check", "checksum", "verify", "help", "cut", "pages",
        ];
        let changes_nothing = words.contains(&"--dry-run") || words == ["handover", "status"];
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

/// All commands, in the order in which `help` shows them.
static COMMANDS: &[Command] = &[
    Command {
        words: &["status"],
        usage: "status",
        what: "role, positions, forward log, slaves, sessions",
        needs: Needs::Anyone,
        run: status::status,
    },
    Command {
        words: &["forwardlog", "status"],
        usage: "forwardlog status",
        what: "the forward log: place, position, segments",
        needs: Needs::Anyone,
        run: forwardlog::status,
    },
    Command {
        words: &["forwardlog", "enable"],
        usage: "forwardlog enable",
        what: "begin a new generation of kept segments",
        needs: Needs::Dba,
        run: forwardlog::enable,
    },
    Command {
        words: &["forwardlog", "disable"],
        usage: "forwardlog disable [--yes]",
        what: "stop forward logging; slaves must be re-synchronized, --yes where there are some",
        needs: Needs::Dba,
        run: forwardlog::disable,
    },
    Command {
        words: &["forwardlog", "switch"],
        usage: "forwardlog switch",
        what: "seal the segment and begin the next",
        needs: Needs::Operator,
        run: forwardlog::switch,
    },
    Command {
        words: &["forwardlog", "remove"],
        usage: "forwardlog remove [--keep all|SIZE|TIME] [--dry-run] [--yes]",
        what: "remove the segments that nobody needs, and say why the others stay; --keep in the place of FwKeep",
        needs: Needs::Dba,
        run: forwardlog::remove,
    },
    Command {
        words: &["replication", "status"],
        usage: "replication status",
        what: "how each slave stands: state, positions, lag",
        needs: Needs::Anyone,
        run: replication::status,
    },
    Command {
        words: &["replication", "check"],
        usage: "replication check [--max-lag TIME]",
        what: "one line for a monitor; exit code 0 ok, 1 warning, 2 critical, 3 unknown",
        needs: Needs::Anyone,
        run: replication::check,
    },
    Command {
        words: &["replication", "verify"],
        usage: "replication verify [SLAVE]",
        what: "compare a slave's databases with the master's at one commit while both run; SLAVE is its instance or HOST[:SERVICE]; without: this slave does it, as at VerifyAt",
        needs: Needs::Operator,
        run: cut::verify,
    },
    Command {
        words: &["replication", "promote"],
        usage: "replication promote [--force]",
        what: "make this slave a master while sessions go on; --force though its master lives",
        needs: Needs::Dba,
        run: role::promote,
    },
    Command {
        words: &["replication", "switchover"],
        usage: "replication switchover NAME [--timeout TIME] [--abort]",
        what: "make the slave NAME the master and this master a slave, without losing a transaction; --abort takes an interrupted one back",
        needs: Needs::Dba,
        run: role::switchover,
    },
    Command {
        words: &["handover"],
        usage: "handover [status | offer | take | refuse | withdraw] …",
        what: "the steps of 'replication switchover'",
        needs: Needs::Dba,
        run: role::handover,
    },
    Command {
        words: &["replication", "history"],
        usage: "replication history [--abandoned]",
        what: "which instance wrote the log from which point on; --abandoned: what the log once had",
        needs: Needs::Anyone,
        run: history::history,
    },
    Command {
        words: &["replication", "forget"],
        usage: "replication forget NAME",
        what: "forget a slave that is gone for good",
        needs: Needs::Operator,
        run: replication::forget,
    },
    Command {
        words: &["slot", "list"],
        usage: "slot list",
        what: "from where on the log is kept for each slave",
        needs: Needs::Anyone,
        run: slot::list,
    },
    Command {
        words: &["slot", "drop"],
        usage: "slot drop NAME [--yes]",
        what: "keep no log for a slave any more, and forget it; --yes where it could still go on",
        needs: Needs::Operator,
        run: slot::drop,
    },
    Command {
        words: &["database", "list"],
        usage: "database list",
        what: "all databases",
        needs: Needs::Anyone,
        run: database::list,
    },
    Command {
        words: &["database", "create"],
        usage: "database create NAME",
        what: "make a database",
        needs: Needs::Dba,
        run: database::create,
    },
    Command {
        words: &["database", "drop"],
        usage: "database drop NAME",
        what: "remove a database with all its data",
        needs: Needs::Dba,
        run: database::drop,
    },
    Command {
        words: &["database", "rename"],
        usage: "database rename NAME NEW_NAME",
        what: "give a database another name",
        needs: Needs::Dba,
        run: database::rename,
    },
    Command {
        words: &["database", "checksum"],
        usage: "database checksum NAME",
        what: "hash over all pages at one commit, equal on master and slave",
        needs: Needs::Operator,
        run: database::checksum,
    },
    Command {
        words: &["database", "verify"],
        usage: "database verify [--values] [NAME]",
        what: "pages against checksums, and SQLite's integrity check; or values not in their stored form",
        needs: Needs::Operator,
        run: verify::verify,
    },
    Command {
        words: &["database", "repair"],
        usage: "database repair NAME [--from HOST[:SERVICE]]",
        what: "make damaged pages again: from the log, then from another server that has the database; verify it",
        needs: Needs::Dba,
        run: repair::repair,
    },
    Command {
        words: &["database", "pages"],
        usage: "database pages NAME PAGE …",
        what: "pages as they are here, in base64: what 'database repair --from' asks the other server for",
        needs: Needs::Operator,
        run: repair::pages,
    },
    Command {
        words: &["cut"],
        usage: "cut [open | groups | hashes | pages | forward | root | close] …",
        what: "all databases at one commit, as 'replication verify' reads them",
        needs: Needs::Operator,
        run: cut::cut,
    },
    Command {
        words: &["database", "dump"],
        usage: "database dump NAME FILE",
        what: "write a database into a new SQLite file of the server; FILE is absolute",
        needs: Needs::Dba,
        run: transfer::dump,
    },
    Command {
        words: &["database", "restore"],
        usage: "database restore NEW_NAME FILE",
        what: "make a database from a SQLite file of the server; FILE is absolute",
        needs: Needs::Dba,
        run: transfer::restore,
    },
    Command {
        words: &["logfile"],
        usage: "logfile [NEW_FILE]",
        what: "open the server's log file again, or go on in a new one; NEW_FILE is absolute",
        needs: Needs::Operator,
        run: logfile::logfile,
    },
    Command {
        words: &["session", "list"],
        usage: "session list",
        what: "who is connected",
        needs: Needs::Operator,
        run: session::list,
    },
    Command {
        words: &["session", "kill"],
        usage: "session kill NUMBER",
        what: "end a session",
        needs: Needs::Operator,
        run: session::kill,
    },
    // Eloquence's words for the two.
    Command {
        words: &["list"],
        usage: "list",
        what: "who is connected, as session list",
        needs: Needs::Operator,
        run: session::list,
    },
    Command {
        words: &["killthread"],
        usage: "killthread NUMBER",
        what: "end a session, as session kill",
        needs: Needs::Operator,
        run: session::kill,
    },
    Command {
        words: &["user", "list"],
        usage: "user list",
        what: "users and privileges",
        needs: Needs::Dba,
        run: user::list,
    },
    Command {
        words: &["user", "create"],
        usage: "user create NAME password 'VERIFIER' [privilege dba|operator|user]",
        what: "make a user",
        needs: Needs::Dba,
        run: user::create,
    },
    Command {
        words: &["user", "drop"],
        usage: "user drop NAME",
        what: "remove a user",
        needs: Needs::Dba,
        run: user::drop,
    },
    Command {
        words: &["user", "password"],
        usage: "user password NAME 'VERIFIER'",
        what: "give a user another password",
        needs: Needs::Anyone,
        run: user::password,
    },
    Command {
        words: &["user", "grant"],
        usage: "user grant NAME forward",
        what: "let a user act for others: slaves log in as it for ForwardWrites",
        needs: Needs::Dba,
        run: user::grant,
    },
    Command {
        words: &["user", "revoke"],
        usage: "user revoke NAME forward",
        what: "take that right",
        needs: Needs::Dba,
        run: user::revoke,
    },
    Command {
        words: &["checkpoint"],
        usage: "checkpoint",
        what: "write all durable pages to the data files",
        needs: Needs::Operator,
        run: status::checkpoint,
    },
    Command {
        words: &["shutdown"],
        usage: "shutdown [SECONDS | cancel]",
        what: "stop the server cleanly, at once or after SECONDS; cancel takes that back",
        needs: Needs::Operator,
        run: shutdown::shutdown,
    },
    Command {
        words: &["help"],
        usage: "help [COMMAND]",
        what: "this list, or a command's usage",
        needs: Needs::Anyone,
        run: help::help,
    },
];

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
    if let Some(command) = COMMANDS.iter().find(matches) {
        return Ok(command);
    }
    let Some(first) = words.first() else {
        return Err(EngineError::Usage("no command given; try 'help'".into()));
    };
    let related: Vec<_> = COMMANDS
        .iter()
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
