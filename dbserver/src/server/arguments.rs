//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

const AFTER_HELP: &str = "\
Signals: SIGTERM, SIGINT stop cleanly; SIGHUP opens the log file anew and reads again what needs no restart.

Environment: EQ_CONFIG configuration file, EQ_DBPASSWORD password of dba for --init.

Exit code: 0 clean stop; 1 error; 2 usage or configuration.";

/// The database server of eloqdb, master, slave or standalone.
#[expect(clippy::doc_markdown, reason = "the comments are the text of --help")]
#[derive(Debug, Parser)]
#[command(name = "dbserver", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Configuration file [default: /etc/eloqdb/eloqdb.cfg]
    #[arg(short, long, value_name = "FILE", env = "EQ_CONFIG")]
    pub config: Option<PathBuf>,
    /// Make the environment, with the password of dba from EQ_DBPASSWORD, and exit
    #[arg(long)]
    pub init: bool,
    /// Check the configuration, folders, permissions and ports, print what was found, and exit
    #[arg(long, conflicts_with = "init")]
    pub check: bool,
    /// Set the data files aside, make them anew from the whole forward log, and serve
    #[arg(long, conflicts_with_all = ["init", "check"])]
    pub rebuild: bool,
    /// Serve the past read-only, beside the server of the configuration: as of a time, a position (12-3:184320) or a
    /// commit; it is restored into a directory of its own in TmpDir, which goes with this process
    #[arg(long, value_name = "TARGET", requires_all = ["from", "service"], conflicts_with_all = ["init", "check", "rebuild"])]
    pub as_of: Option<String>,
    /// With --as-of: the repository, as dbctl backup restore has it
    #[arg(long, value_name = "URL", requires = "as_of")]
    pub from: Option<String>,
    /// With --as-of: port or service name of the past
    #[arg(long, value_name = "PORT", requires = "as_of")]
    pub service: Option<String>,
    /// Something else than to serve
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Something else than to serve.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Make what 'dbctl backup restore' has brought into DIR an environment, and exit
    Recover {
        /// What it is to be
        #[arg(long = "as", value_name = "ROLE")]
        recover_as: RecoverRole,
        /// Its DataDir, which the configuration has, too; a copy needs no configuration
        directory: PathBuf,
    },
}

/// What a restored environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RecoverRole {
    /// A master, with a new generation of the log
    Master,
    /// A slave
    Slave,
    /// A server of its own without forward log
    Copy,
}
