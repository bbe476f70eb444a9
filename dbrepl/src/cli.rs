//! The command line as it was typed. Nothing is checked here beyond what each word is.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;

/// Ships forward-log segments of a master server to slave servers.
///
/// Without -S, -G or -T it sends what each slave lacks, then follows the master for ever.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "dbrepl", version, max_term_width = 100, after_help = AFTER_HELP)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one a switch of the command line"
)]
pub struct RawArguments {
    /// Slave servers, host:service or :service (this machine); or the URL of an archive
    #[arg(value_name = "slave_server_addr")]
    pub servers: Vec<String>,
    /// Configuration file of the master
    #[arg(short = 'c', long, value_name = "cfg")]
    pub config: Option<PathBuf>,
    /// Replication configuration file: defaults for these options, section [dbrepl]
    #[arg(short = 'C', long, value_name = "cfg")]
    pub replication_config: Option<PathBuf>,
    /// User name [default: dba]
    #[arg(short, long, value_name = "name")]
    pub user: Option<String>,
    /// Password; other users of this machine can see it, a password file is better
    #[arg(short, long, value_name = "pswd")]
    pub password: Option<String>,
    /// File whose first line is the password
    #[arg(long, value_name = "file")]
    pub password_file: Option<PathBuf>,
    /// TLS to the slaves: disable, prefer, require, verify-ca or verify-full [default: prefer]
    #[arg(long, value_name = "mode")]
    pub tls: Option<String>,
    /// Authorities of the slaves' certificates, or these themselves, PEM
    #[arg(long, value_name = "file")]
    pub ca_file: Option<PathBuf>,
    /// Own certificate, where a slave asks for one, PEM
    #[arg(long, value_name = "file", requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// Its private key, PEM, closed to others
    #[arg(long, value_name = "file", requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// Show progress
    #[arg(short, long)]
    pub verbose: bool,
    /// Synchronize on the existing log, then exit
    #[arg(short = 'S', long)]
    pub sync: bool,
    /// Process the current generation, then exit
    #[arg(short = 'G', long)]
    pub generation: bool,
    /// Up to and including that point in time (UTC), then exit
    #[arg(short = 'T', long, value_name = "timestamp")]
    pub until: Option<String>,
    /// Limit bandwidth to each slave, bits per second
    #[arg(short, long, value_name = "bps[k|m]")]
    pub bandwidth: Option<String>,
    /// Send a transaction no earlier than so long after its commit
    #[arg(long, value_name = "time")]
    pub delay: Option<String>,
    /// Command that is asked before a transaction is sent: a line of JSON each, it answers pass or hold
    #[arg(long, value_name = "command")]
    pub filter: Option<String>,
    /// Compress on the wire what is stored uncompressed
    #[arg(short = 'Z', long)]
    pub compress: bool,
    /// First copies and re-synchronization of slaves that the log can't bring up to date: never, auto or always
    /// (each empty slave) [default: auto]
    #[arg(long, value_name = "when")]
    pub init: Option<String>,
    /// Re-synchronize slaves whose log differs, too: what only they have is set aside
    #[arg(long)]
    pub resync: bool,
    /// Server of the log, for copies, host:service [default: by the configuration]
    #[arg(long, value_name = "addr")]
    pub source: Option<String>,
    /// User name there [default: as at the slaves]
    #[arg(long, value_name = "name")]
    pub source_user: Option<String>,
    /// File whose first line is the password there [default: as at the slaves]
    #[arg(long, value_name = "file")]
    pub source_password_file: Option<PathBuf>,
    /// Archive in the repository of [Archive NAME] in the configuration of the server, instead of feeding slaves
    #[arg(long, value_name = "name", conflicts_with_all = ["servers", "managed"])]
    pub archive: Option<String>,
    /// Bytes of a part of an archive [default: 8m]
    #[arg(long, value_name = "size")]
    pub part_size: Option<String>,
    /// What is older is archived, too, in a smaller part [default: 10s]
    #[arg(long, value_name = "time")]
    pub interval: Option<String>,
    /// How slaves are reached: hard tries, hard period (ms), soft period (s), alert (s), heartbeat (s), heartbeat
    /// wait (s) [default: 1,100,5,0,1,30]
    #[arg(long, value_name = "numbers")]
    pub connect_params: Option<String>,
    /// A server runs this dbrepl: slaves come as orders on standard input, not by a person
    #[arg(long, conflicts_with_all = ["servers", "daemon", "sync", "generation", "until", "pid_file"])]
    pub managed: bool,
    /// Run in the background
    #[arg(short = 'D', long)]
    pub daemon: bool,
    /// File for the process id
    #[arg(short = 'P', long, value_name = "file")]
    pub pid_file: Option<PathBuf>,
    /// Log file, or console, or syslog [default: console; with -D: syslog]
    #[arg(short, long, value_name = "logfile")]
    pub log_file: Option<String>,
    /// Debug flags: a level, or target=level, ...
    #[arg(short, long, value_name = "flags")]
    pub debug: Option<String>,
}

const AFTER_HELP: &str = "\
Timestamps: YYYY-MM-DD HH:MM:SS, MM/DD/YYYY HH:MM:SS, DD.MM.YYYY HH:MM:SS; any character between
date and time; without a time: 00:00:00. UTC, unless a zone stands behind it: Z, UTC, +02:00.

With several slaves each line names the slave it is about, and one that needs a person does not stop
the others; the exit code is the highest.

Environment: EQ_DBSERVER slave servers, EQ_DBUSER user, EQ_DBPASSWORD password, EQ_CONFIG
configuration file of the master, EQ_SOURCEPASSWORD password at the server of the log. The command line wins over these, these over the -C file.

Exit: 0 done; 1 error; 2 usage or configuration; 3 slave can't be reached (with -S, -G, -T);
4 access refused; 5 no synchronization point.";

impl RawArguments {
    /// Reads the words of a command line, program name first. `-help` works as one word, too.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let words = words.into_iter().map(|word| {
            if word == "-help" {
                OsString::from("--help")
            } else {
                word
            }
        });
        Self::try_parse_from(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::error::ErrorKind;

    fn read(line: &str) -> Result<RawArguments, clap::Error> {
        RawArguments::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn short_and_long_names_mean_the_same() {
        let short = read(
            "dbrepl -c m.cfg -C r.cfg -u joe -p x -v -S -G -T 2026-01-01 -b 64k -Z -D -P pid -l log -d trace :8604",
        );
        let long = read(
            "dbrepl --config m.cfg --replication-config r.cfg --user joe --password x --verbose --sync --generation \
             --until 2026-01-01 --bandwidth 64k --compress --daemon --pid-file pid --log-file log --debug trace :8604",
        );
        assert_eq!(
            format!("{:?}", short.unwrap()),
            format!("{:?}", long.unwrap())
        );
    }

    #[test]
    fn help_works_as_one_word() {
        for line in ["dbrepl -help", "dbrepl --help", "dbrepl -v -help :8604"] {
            assert_eq!(
                read(line).unwrap_err().kind(),
                ErrorKind::DisplayHelp,
                "{line}"
            );
        }
    }

    #[test]
    fn an_unknown_option_is_a_usage_error() {
        assert_eq!(read("dbrepl -x").unwrap_err().exit_code(), 2);
    }
}
