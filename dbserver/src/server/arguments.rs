//! The command line.

use std::path::PathBuf;

use clap::Parser;

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
}
