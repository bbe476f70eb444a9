//! The commands of the server of this version, for help, manual page and completions.
//!
//! dbctl sends every command that it does not know itself, so it works with servers that have
//! others. The list is the server's own; a test of dbserver holds it up to date.

use clap::Command;

/// A line a command: its usage, a tab, what it does.
const LIST: &str = include_str!("server_commands.txt");

/// A command that the server carries out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerCommand {
    /// Its words, then what it takes.
    usage: &'static str,
    /// One line for people.
    pub(crate) what: &'static str,
}

impl ServerCommand {
    /// The usage at dbctl, which asks for passwords and can wait for the end of the server.
    pub(crate) fn usage(self) -> String {
        self.usage
            .replace(" password 'VERIFIER'", "")
            .replace(" 'VERIFIER'", "")
            .replace("| cancel]", "| cancel] [--no-wait]")
            + if self.usage == "status" {
                " [--wait running [--timeout TIME]]"
            } else {
                ""
            }
    }

    /// The server's own words for how it is used, as dbctl says it.
    pub(crate) fn at_dbctl(message: &str) -> Option<String> {
        let usage = message.strip_prefix("usage: ")?;
        let command = all().find(|command| command.usage == usage)?;
        Some(format!("usage: {}", command.usage()))
    }

    /// The words that name it.
    fn words(self) -> impl Iterator<Item = &'static str> {
        let name = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase());
        self.usage.split(' ').take_while(name)
    }
}

/// All, in the server's order; help is dbctl's own.
pub(crate) fn all() -> impl Iterator<Item = ServerCommand> {
    LIST.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(usage, what)| ServerCommand { usage, what })
        .filter(|command| command.words().next() != Some("help"))
}

/// The command line as if the server's commands were dbctl's own.
pub(crate) fn added_to(command_line: Command) -> Command {
    all().fold(command_line, |parent, command| {
        let words: Vec<&str> = command.words().take(2).collect();
        add(parent, &words, command)
    })
}

fn add(parent: Command, words: &[&'static str], command: ServerCommand) -> Command {
    match words {
        [] => parent,
        // One that dbctl hands on by its own words.
        [name] if parent.find_subcommand(name).is_some() => parent,
        [name] => {
            let leaf = Command::new(*name).about(command.what);
            parent.subcommand(leaf.override_usage(format!("dbctl {}", command.usage())))
        }
        [group, rest @ ..] => {
            if parent.find_subcommand(group).is_some() {
                return parent.mut_subcommand(group, |group| add(group, rest, command));
            }
            let group = Command::new(*group).subcommand_required(true);
            parent.subcommand(add(group, rest, command))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_by_its_words_and_used_as_dbctl_takes_it() {
        let find = |words: &[&str]| {
            let command = all().find(|command| command.words().eq(words.iter().copied()));
            command.map(ServerCommand::usage)
        };
        for (words, usage) in [
            (&["status"][..], "status [--wait running [--timeout TIME]]"),
            (
                &["user", "create"],
                "user create NAME [privilege dba|operator|user]",
            ),
            (&["user", "password"], "user password NAME"),
            (&["shutdown"], "shutdown [SECONDS | cancel] [--no-wait]"),
        ] {
            assert_eq!(find(words).as_deref(), Some(usage));
        }
        assert_eq!(find(&["help"]), None);
        let told = ServerCommand::at_dbctl("usage: shutdown [SECONDS | cancel]");
        let here = "usage: shutdown [SECONDS | cancel] [--no-wait]";
        assert_eq!(told.as_deref(), Some(here));
    }

    #[test]
    fn the_whole_command_line_is_consistent() {
        crate::command_line().debug_assert();
    }
}
