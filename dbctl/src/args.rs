//! The command line, as it is typed. Nothing is checked here that needs a file or a server.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help text, where backticks show"
)]

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use tls::Mode;

use crate::archive_args::ArchiveCommand;
use crate::backup_args::BackupCommand;
use crate::config_args::ConfigCommand;
use crate::server_commands;

/// What stands behind the commands.
pub(crate) const NOTES: &str = "\
Environment: EQ_CONFIG, EQ_CLIENTFILE, EQ_DBUSER, EQ_DBPASSWORD, EQ_NEWPASSWORD (the password that user create and
user password set; without it they ask on a terminal).
The client file, EQ_CLIENTFILE or ~/.config/eloqdb/client.cfg, has a section [client] with keys as the long names of
these options; command line and environment win.
Exit code: 0 done; 1 error; 2 usage or configuration; 3 no server answers; 4 access refused.";

fn after_help() -> String {
    let commands: Vec<_> = server_commands::all()
        .map(|command| format!("  {:<30}  {}", command.usage(), command.what))
        .collect();
    format!(
        "Commands that the server carries out (each is also the SQL statement DBCTL '<command>'):\n\
         {}\n\n{NOTES}",
        commands.join("\n")
    )
}

/// The control plane of eloqdb.
#[derive(Debug, Parser)]
#[command(
    name = "dbctl",
    version,
    disable_help_flag = true,
    disable_help_subcommand = true,
    after_help = after_help(),
    subcommand_value_name = "COMMAND",
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    /// Read commands from standard input, one a line; `exit` ends
    #[arg(short = 'i', long = "input")]
    pub(crate) input: bool,
    /// With -i: do not repeat the commands on the output
    #[arg(short = 'e', long = "no-echo", requires = "input")]
    pub(crate) no_echo: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that hold for all commands.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Options {
    /// Configuration file [default: EQ_CONFIG, /etc/eloqdb/eloqdb.cfg, ./etc/eloqdb.cfg]
    #[arg(short, long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Server: host or host:service, or the directory of its Unix socket, which begins with / [default: what the client
    /// file says, else the configuration file: its Unix socket, if that is there and TLS is not required, then its
    /// addresses]
    #[arg(short = 'h', long, global = true, value_name = "HOST[:SERVICE]|DIR")]
    pub(crate) host: Option<String>,
    /// Port or service name of the server
    #[arg(short, long, global = true)]
    pub(crate) service: Option<String>,
    /// User [default: EQ_DBUSER, else dba]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Password [default: EQ_DBPASSWORD, else asked for]; others can see it in the process list
    #[arg(
        short,
        long,
        global = true,
        value_name = "PSWD",
        allow_hyphen_values = true
    )]
    pub(crate) password: Option<String>,
    /// File whose first line is the password
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "password")]
    pub(crate) password_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) tls: TlsArguments,
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print this help (also -help)
    #[arg(long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
}

/// What is wanted of TLS.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TlsArguments {
    /// TLS to the server, but not over its Unix socket: disable, prefer, require, verify-ca or verify-full [default: prefer; without a mode: require]
    #[arg(long, global = true, value_name = "MODE", num_args = 0..=1, default_missing_value = "require")]
    pub(crate) tls: Option<Mode>,
    /// Authorities of the server's certificate, or that itself, PEM
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Own certificate, where the server asks for one, PEM
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) cert_file: Option<PathBuf>,
    /// Its private key, PEM, closed to others
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
}

impl TlsArguments {
    /// Takes those that stand behind; they win.
    fn take_behind(&mut self, behind: Self) {
        self.tls = behind.tls.or(self.tls);
        for (own, behind) in [
            (&mut self.ca_file, behind.ca_file),
            (&mut self.cert_file, behind.cert_file),
            (&mut self.key_file, behind.key_file),
        ] {
            *own = behind.or(own.take());
        }
    }

    fn is_empty(&self) -> bool {
        let files = [&self.ca_file, &self.cert_file, &self.key_file];
        self.tls.is_none() && files.into_iter().all(Option::is_none)
    }
}

impl Options {
    /// Takes those that stand behind the words of a command of the server, which clap leaves alone. They win over
    /// these, and all words that are none stay.
    pub(crate) fn take_behind(&mut self, words: &mut Vec<String>) -> Result<(), clap::Error> {
        let mut known = Behind::command();
        known.build();
        let mut options = Vec::new();
        let mut rest = Vec::new();
        let mut left = std::mem::take(words).into_iter();
        while let Some(word) = left.next() {
            if word == "--" {
                rest.extend(left);
                break;
            }
            let Some(takes_next) = is_option(&known, &word) else {
                rest.push(word);
                continue;
            };
            options.push(word);
            if takes_next {
                options.extend(left.next());
            }
        }
        *words = rest;
        let behind = Behind::try_parse_from(options)?.options;
        if behind.password.is_some() || behind.password_file.is_some() {
            (self.password, self.password_file) = (behind.password, behind.password_file);
        }
        for (own, behind) in [
            (&mut self.host, behind.host),
            (&mut self.service, behind.service),
            (&mut self.user, behind.user),
        ] {
            *own = behind.or(own.take());
        }
        self.config = behind.config.or(self.config.take());
        self.tls.take_behind(behind.tls);
        self.json |= behind.json;
        Ok(())
    }

    /// Whether anything is said of the server, or of who asks it.
    pub(crate) fn name_a_server(&self) -> bool {
        let texts = [&self.host, &self.service, &self.user, &self.password];
        let files = [&self.config, &self.password_file];
        texts.into_iter().any(Option::is_some)
            || files.into_iter().any(Option::is_some)
            || !self.tls.is_empty()
    }
}

/// The options that stand behind the words of a command.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Behind {
    #[command(flatten)]
    options: Options,
}

/// Whether a word is one of the options; then, whether its value is the next word.
fn is_option(known: &clap::Command, word: &str) -> Option<bool> {
    if word == "-help" {
        return None;
    }
    let (name, value) = match word.split_once('=') {
        Some((name, _)) => (name, true),
        None => (word, false),
    };
    known.get_arguments().find_map(|option| {
        if option.get_id() == "help" {
            return None;
        }
        let takes = option.get_action().takes_values();
        let long = option.get_long();
        if long.is_some() && name.strip_prefix("--") == long {
            return Some(takes && !value);
        }
        let short = word.strip_prefix('-')?.strip_prefix(option.get_short()?)?;
        Some(takes && short.is_empty())
    })
}

/// One line of input mode.
#[derive(Debug, Parser)]
#[command(name = "dbctl", no_binary_name = true, disable_help_flag = true)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Line {
    /// Print JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Make an environment, the user dba and its password (EQ_DBPASSWORD, or asked for)
    ///
    /// With --tls: a certificate, too, which is its own authority; TlsCert and TlsKey name it then.
    Init {
        /// Name of this instance, 1 to 15 characters: goes into the configuration file [default: what that says, else the
        /// host name]
        #[arg(long, value_name = "NAME")]
        instance: Option<String>,
    },
    /// Run SQL: a statement, a script file, or standard input
    Sql(SqlArguments),
    /// Check, read or change the configuration file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look into forward-log files, without a server
    #[command(subcommand)]
    Fwlog(FwlogCommand),
    /// The archive of a log in a repository, as dbrepl fills it; without a server
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Backups of a running server in a repository, and the past out of them
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Show or mend who this instance is, by the files of its DataDir, without a server
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// Print the completions of this command line for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Show this help, or what the server knows about a command
    Help {
        /// The command
        words: Vec<String>,
    },
    /// What is none of the above belongs to the server.
    #[command(external_subcommand)]
    Server(Vec<String>),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct SqlArguments {
    /// Database
    #[arg(short, long, default_value = "system")]
    pub(crate) database: String,
    /// Script file; - is standard input. \c name, \echo, \q and COPY data are understood
    #[arg(short, long, conflicts_with = "statement")]
    pub(crate) file: Option<PathBuf>,
    /// All as one transaction: everything is done, or nothing
    #[arg(short = '1', long)]
    pub(crate) single_transaction: bool,
    /// One or more statements
    pub(crate) statement: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum InstanceCommand {
    /// Name and id, and the names that it had
    Show {
        /// Also whom it has met, and the history of its log
        #[arg(long)]
        detail: bool,
        /// Instance file of another server, or a copy; without it that of DataDir
        file: Option<String>,
    },
    /// Make the instance file anew, with a new id; the server must be stopped
    Create {
        /// Also where there is a good one, which is set aside
        #[arg(long)]
        force: bool,
    },
    /// Print a value of the instance file, or change it; the server must be stopped
    Edit {
        /// instance_id, boot, formerly.N or peer.N
        key: String,
        /// New value; '' removes a line
        #[arg(allow_hyphen_values = true)]
        value: Option<String>,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum FwlogCommand {
    /// List segments
    List(FwlogFiles),
    /// Print blocks and records
    Dump(FwlogFiles),
    /// Check every byte
    Verify(FwlogFiles),
    /// Print who has done what, from the audit records (EnableAudit); -u NAME: of one user
    Audit(FwlogAudit),
    /// Print the rows that were inserted, updated and deleted; -u NAME: by one user, as audit records tell
    Rows(FwlogRows),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct FwlogAudit {
    #[command(flatten)]
    pub(crate) files: FwlogFiles,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Go on with what is written; FILES is the pattern of FwLog then, or nothing
    #[arg(long)]
    pub(crate) follow: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct FwlogRows {
    #[command(flatten)]
    pub(crate) files: FwlogFiles,
    #[command(flatten)]
    pub(crate) selection: Selection,
    /// Only this table; may come again
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Vec<String>,
    /// What the databases were before the log: a copy of the DataDir of a server that was stopped cleanly, or
    /// NAME=FILE, one database as it was at the commit of --after; may come again. A database whose creation is in
    /// the files needs nothing
    #[arg(long, value_name = "DIR|NAME=FILE")]
    pub(crate) base: Vec<String>,
    /// With --base NAME=FILE: the newest commit that is in the file
    #[arg(long, value_name = "COMMIT")]
    pub(crate) after: Option<u64>,
    /// Go on with what is written; FILES is the pattern of FwLog then, or nothing
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Which transactions are meant, and how they are shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// Only this database; may come again
    #[arg(short, long, value_name = "NAME")]
    pub(crate) database: Vec<String>,
    /// Only this kind: a statement as INSERT or "CREATE TABLE" for audit; insert, update, delete or schema for rows; may come again
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Only what was committed then or later, in UTC
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only what was committed then or earlier, in UTC
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct FwlogFiles {
    /// Segment files, or directories of them [default: FwLog of the configuration file]
    pub(crate) paths: Vec<PathBuf>,
}

/// The arguments with `-help` as one word made `--help`.
pub(crate) fn normalized(raw: impl Iterator<Item = OsString>) -> Vec<OsString> {
    raw.map(|word| {
        if word == "-help" {
            "--help".into()
        } else {
            word
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn parse(words: &[&str]) -> clap::error::Result<Arguments> {
        let words = ["dbctl"].iter().chain(words).map(OsString::from);
        Arguments::try_parse_from(normalized(words))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
        Line::command().debug_assert();
    }

    #[test]
    fn h_is_the_host_and_help_has_two_spellings() {
        let arguments = parse(&["-h", "db1:8102", "status"]).unwrap();
        assert_eq!(arguments.options.host.as_deref(), Some("db1:8102"));
        for help in ["-help", "--help"] {
            assert_eq!(parse(&[help]).unwrap_err().kind(), ErrorKind::DisplayHelp);
            assert_eq!(
                parse(&["sql", help]).unwrap_err().kind(),
                ErrorKind::DisplayHelp
            );
        }
    }

    #[test]
    fn unknown_words_are_a_command_of_the_server() {
        let arguments = parse(&["-u", "op", "session", "kill", "7", "--now"]).unwrap();
        let Some(Command::Server(words)) = arguments.command else {
            panic!("server command")
        };
        assert_eq!(words, ["session", "kill", "7", "--now"]);
    }

    #[test]
    fn a_password_may_begin_with_a_hyphen() {
        assert_eq!(
            parse(&["-p", "-x", "status"])
                .unwrap()
                .options
                .password
                .unwrap(),
            "-x"
        );
    }

    #[test]
    fn options_behind_the_words_of_a_command_are_the_clients() {
        let behind = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let arguments = parse(&words).unwrap();
            let Some(Command::Server(mut words)) = arguments.command else {
                panic!("server command")
            };
            let mut options = arguments.options;
            options.take_behind(&mut words).map(|()| (options, words))
        };
        let (options, words) = behind(
            "-s 1 -p one shutdown -c m.cfg 5 --host=db1 -s2 -u op --no-wait --password-file pw",
        )
        .unwrap();
        assert_eq!(words, ["shutdown", "5", "--no-wait"]);
        assert_eq!(options.config.as_deref(), Some("m.cfg".as_ref()));
        assert_eq!(options.host.as_deref(), Some("db1"));
        assert_eq!(options.service.as_deref(), Some("2"));
        assert_eq!(options.user.as_deref(), Some("op"));
        assert_eq!(options.password_file.as_deref(), Some("pw".as_ref()));
        assert_eq!(options.password, None, "the one behind counts");
        let (options, words) = behind("session kill 7 --json -- -s").unwrap();
        assert!(options.json && !options.name_a_server());
        assert_eq!(words, ["session", "kill", "7", "-s"]);
        assert!(behind("status -s").is_err(), "its value is missing");
        assert!(behind("status -p a --password-file b").is_err());
    }

    #[test]
    fn a_script_and_a_statement_exclude_each_other() {
        assert!(parse(&["sql", "-f", "a.sql", "SELECT 1"]).is_err());
        assert!(parse(&["sql", "-d", "shop", "SELECT 1"]).is_ok());
    }
}
