//! The file of `dbrepl -C`: defaults for the options of the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::LogTarget;
use crate::connect_params::ConnectParams;
use crate::error::ConfigError;
use crate::keys::{INITS, Section};
use crate::load::text;
use crate::password_file;
use crate::reader::{Lookup, Reader, process_environment, read_text};
use crate::tls;
use crate::value;

/// The section `[dbrepl]`, whose keys are the long names of the options. What is none was not
/// said; the command line wins over what was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one a switch of the command line"
)]
pub struct ReplicationConfig {
    /// Configuration file of the master (`-c`).
    pub config: Option<PathBuf>,
    /// Slave, `host:service` (the argument).
    pub server: Option<String>,
    /// User (`-u`).
    pub user: Option<String>,
    /// Password (`-p`).
    pub password: Option<String>,
    /// File whose first line is the password.
    pub password_file: Option<PathBuf>,
    /// TLS to the slave, one of libpq's words.
    pub tls: Option<&'static str>,
    /// Authorities of the slave's certificate.
    pub ca_file: Option<PathBuf>,
    /// Own certificate.
    pub cert_file: Option<PathBuf>,
    /// Its private key.
    pub key_file: Option<PathBuf>,
    /// Show progress (`-v`).
    pub verbose: bool,
    /// Synchronize, then exit (`-S`).
    pub sync: bool,
    /// Process the current generation, then exit (`-G`).
    pub generation: bool,
    /// Point in time to stop at, as it would be on the command line (`-T`).
    pub until: Option<String>,
    /// Limit in bits per second; none = no limit (`-b`).
    pub bandwidth: Option<u64>,
    /// So long after its commit a transaction is sent; zero: at once.
    pub delay: Duration,
    /// Command that is asked before a transaction is sent.
    pub filter: Option<String>,
    /// Bytes of a part of an archive.
    pub part_size: Option<u64>,
    /// How old what is not archived gets.
    pub interval: Option<Duration>,
    /// Compress on the wire (`-Z`).
    pub compress: bool,
    /// When slaves get copies, one of the words of `--init`.
    pub init: Option<&'static str>,
    /// Re-synchronize slaves whose log differs, too.
    pub resync: bool,
    /// Server of the log, `host:service`.
    pub source: Option<String>,
    /// User there.
    pub source_user: Option<String>,
    /// File whose first line is the password there.
    pub source_password_file: Option<PathBuf>,
    /// How slaves are reached (`--connect-params`).
    pub connect: ConnectParams,
    /// Run in the background (`-D`).
    pub daemon: bool,
    /// File for the process id (`-P`).
    pub pid_file: Option<PathBuf>,
    /// Where messages go (`-l`).
    pub log_file: LogTarget,
    /// Debug flags (`-d`).
    pub debug: Option<String>,
}

impl ReplicationConfig {
    /// Reads and checks a file. All its mistakes are reported together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let config = Self::parse(path, &read_text(path)?)?;
        if config.password.is_some() {
            password_file::refuse_open(path)?;
        }
        Ok(config)
    }

    /// Checks a text as the content of the file `path`, which need not exist.
    pub fn parse(path: &Path, content: &str) -> Result<Self, ConfigError> {
        Self::parse_with(path, content, &process_environment)
    }

    fn parse_with(
        path: &Path,
        content: &str,
        environment: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        use Section::Dbrepl as S;
        let mut reader = Reader::new(path, content, &Section::REPLICATION_FILE, environment)?;
        let directory = reader.directory().to_owned();
        let config = Self {
            config: reader.path(S, "config"),
            server: reader.optional(S, "server", text),
            user: reader.optional(S, "user", text),
            password: reader.optional(S, "password", text),
            password_file: reader.path(S, "password-file"),
            tls: reader.optional(S, "tls", tls::mode),
            ca_file: reader.path(S, "ca-file"),
            cert_file: reader.path(S, "cert-file"),
            key_file: reader.path(S, "key-file"),
            verbose: reader.get(S, "verbose", value::switch),
            sync: reader.get(S, "sync", value::switch),
            generation: reader.get(S, "generation", value::switch),
            until: reader.optional(S, "until", text),
            bandwidth: reader
                .optional(S, "bandwidth", value::bandwidth)
                .filter(|bits| *bits > 0),
            delay: reader.get(S, "delay", value::duration),
            filter: reader.optional(S, "filter", text),
            part_size: reader.optional(S, "part-size", value::size),
            interval: reader.optional(S, "interval", value::duration),
            compress: reader.get(S, "compress", value::switch),
            init: reader.optional(S, "init", |text| {
                let index = value::word(text, INITS)?;
                Ok(INITS.get(index).copied().unwrap_or_default())
            }),
            resync: reader.get(S, "resync", value::switch),
            source: reader.optional(S, "source", text),
            source_user: reader.optional(S, "source-user", text),
            source_password_file: reader.path(S, "source-password-file"),
            connect: read_connect(&mut reader),
            daemon: reader.get(S, "daemon", value::switch),
            pid_file: reader.path(S, "pid-file"),
            log_file: reader.get(S, "log-file", |text| Ok(LogTarget::read(text, &directory))),
            debug: reader.optional(S, "debug", text),
        };
        reader.finish()?;
        Ok(config)
    }
}

fn read_connect(reader: &mut Reader) -> ConnectParams {
    use Section::Dbrepl as S;
    // What can't be read is a problem already: it counts as its default here.
    let default = ConnectParams::default();
    let mut time = |name: &str, default| {
        let read = reader.optional(S, name, value::duration);
        read.unwrap_or(default)
    };
    let connect = ConnectParams {
        hard_period: time("hard-period", default.hard_period),
        soft_period: time("soft-period", default.soft_period),
        alert: time("alert", default.alert),
        heartbeat: time("heartbeat", default.heartbeat),
        heartbeat_wait: time("heartbeat-wait", default.heartbeat_wait),
        hard_tries: reader
            .optional(S, "hard-tries", value::number)
            .unwrap_or(default.hard_tries),
    };
    connect.checked().unwrap_or_else(|why| {
        let name = why.split(' ').next().unwrap_or_default().to_owned();
        reader.problem(S, &name, why);
        default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ReplicationConfig, String> {
        ReplicationConfig::parse_with(Path::new("/etc/eloqdb/repl.cfg"), text, &|_| None)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_says_nothing() {
        assert_eq!(parse(""), Ok(ReplicationConfig::default()));
        assert_eq!(parse("[dbrepl]\n"), Ok(ReplicationConfig::default()));
    }

    #[test]
    fn keys_are_the_long_names_of_the_options() {
        let text = "[dbrepl]\nserver = slave:8102\nverbose = 1\nbandwidth = 2m\npassword-file = pw\n\
                    until = 2026-11-21 18:54:17\nlog-file = syslog";
        let config = parse(text).unwrap();
        assert_eq!(config.server.as_deref(), Some("slave:8102"));
        assert!(config.verbose && !config.sync);
        assert_eq!(config.bandwidth, Some(2_000_000));
        assert_eq!(config.password_file.unwrap(), Path::new("/etc/eloqdb/pw"));
        assert_eq!(config.until.as_deref(), Some("2026-11-21 18:54:17"));
        assert_eq!(config.log_file, LogTarget::Syslog);
    }

    #[test]
    fn how_a_slave_is_reached_is_checked_as_one() {
        use std::time::Duration;
        let config =
            parse("[dbrepl]\nhard-tries = 5\nhard-period = 500ms\nalert = 1s\nheartbeat = 15s")
                .unwrap();
        assert_eq!(config.connect.to_string(), "5,500,5,7,2,30");
        assert_eq!(config.connect.alert, Duration::from_millis(7500));
        let told = parse("[dbrepl]\nhard-tries = 0").unwrap_err();
        assert!(told.contains(":2: hard-tries must be at least 1"), "{told}");
        let told = parse("[dbrepl]\nheartbeat = 3").unwrap_err();
        assert_eq!(told.lines().count(), 1, "{told}");
    }

    #[test]
    fn sections_and_keys_of_the_server_are_unknown_here() {
        let error = parse("[Server]\n[dbrepl]\nverbos = 1").unwrap_err();
        assert_eq!(
            error,
            "/etc/eloqdb/repl.cfg:1: unknown section [Server]\n\
             /etc/eloqdb/repl.cfg:3: unknown key `verbos` in [dbrepl]; did you mean verbose?"
        );
    }

    #[test]
    fn a_file_with_a_password_is_its_owners_alone() {
        use std::io::Write as _;
        use std::os::unix::fs::PermissionsExt as _;
        for (text, mode, good) in [
            ("[dbrepl]\npassword = secret\n", 0o644, false),
            ("[dbrepl]\npassword = secret\n", 0o640, false),
            ("[dbrepl]\npassword = secret\n", 0o600, true),
            ("[dbrepl]\nuser = repl\n", 0o644, true),
        ] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            let path = file.path();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = ReplicationConfig::load(path).map_err(|error| error.to_string());
            assert_eq!(read.is_ok(), good, "{mode:o} {text}");
            if let Err(told) = read {
                assert!(
                    told.contains("chmod 600") && !told.contains("secret"),
                    "{told}"
                );
            }
        }
    }
}
