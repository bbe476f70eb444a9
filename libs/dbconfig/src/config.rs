//! The checked configuration of a server.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access::{Access, networks};
use crate::error::ConfigError;
use crate::instance;
use crate::keys::{self, COMPRESSIONS, Key, ON_FAILURE, ROLES, Section};
use crate::reader::{Lookup, Reader, process_environment, read_text};
use crate::service::{HostService, Service, ServiceError, addresses};
use crate::value;

/// Smallest segment that FwMaxSize may ask for, in bytes: a block must fit with room to spare.
const MIN_SEGMENT_SIZE: u64 = 64 << 10;

/// Smallest CheckpointSize, in bytes.
const MIN_CHECKPOINT_SIZE: u64 = 1 << 20;

/// A configuration file, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// `[Server]`
    pub server: Server,
    /// `[db-access]`
    pub access: Access,
    /// `[http-access]`
    pub http_access: Access,
    /// `[ForwardLog]`
    pub forward_log: ForwardLog,
    /// `[Replication]`
    pub replication: Replication,
    /// `[Volumes]`
    pub volumes: Volumes,
    /// What is accepted and should be changed, each as `file:line: message`.
    pub warnings: Vec<String>,
    /// Every key with the text that holds, in the order of the table.
    pub settings: Vec<Setting>,
}

/// The text that holds for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: &'static Key,
    /// The value of the file with variables replaced, or the default; empty = unset.
    pub text: String,
    /// Line in the file; none = the default holds.
    pub line: Option<usize>,
}

/// `[Server]`
#[derive(Debug, Clone)]
pub struct Server {
    /// The one service port.
    pub service: Service,
    /// Addresses to listen on. See [`Server::sockets`].
    pub listen: Vec<IpAddr>,
    /// Whether `listen` is the default: then an address that this machine lacks is no error.
    pub listen_is_default: bool,
    /// The environment.
    pub data_dir: PathBuf,
    /// Name of this instance, 1 to 15 characters of ASCII.
    pub instance: String,
    /// Where messages go.
    pub log_file: LogTarget,
    /// Levels of messages, as a filter of the tracing crates.
    pub log_flags: String,
    /// Service of the status page; not supported yet, so always none.
    pub service_http: Option<String>,
    /// Certificate; not supported yet, so always none.
    pub tls_cert: Option<PathBuf>,
    /// Private key; not supported yet, so always none.
    pub tls_key: Option<PathBuf>,
    /// Client authorities; not supported yet, so always none.
    pub tls_client_ca: Option<PathBuf>,
    /// Sessions at a time, at least 1.
    pub max_sessions: u32,
    /// Limit of a statement; zero = none.
    pub statement_timeout: Duration,
    /// Limit of idling in a transaction; zero = none.
    pub idle_transaction_timeout: Duration,
    /// What a commit waits for.
    pub sync_mode: SyncMode,
    /// Time between two writes to disk, only with [`SyncMode::Interval`]; at least 1 ms.
    pub sync_interval: Duration,
    /// Changed bytes that begin a checkpoint.
    pub checkpoint_size: u64,
    /// Age of the last checkpoint that begins one; at least 1 s.
    pub checkpoint_interval: Duration,
}

impl Server {
    /// The socket addresses to bind: the addresses of Listen that have the family of Service.
    pub fn sockets(&self) -> Result<Vec<SocketAddr>, ServiceError> {
        self.service.sockets(&self.listen)
    }
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Each commit waits for the disk (SyncMode = 1).
    #[default]
    EveryCommit,
    /// The log is synced every SyncInterval; a power cut may lose what came after (SyncMode = 0).
    Interval,
}

/// Where messages go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LogTarget {
    /// Standard error.
    #[default]
    Console,
    /// The system's log.
    Syslog,
    /// A file.
    File(PathBuf),
}

impl LogTarget {
    pub(crate) fn read(text: &str, directory: &Path) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "console" => Self::Console,
            "syslog" => Self::Syslog,
            _ => Self::File(directory.join(text)),
        }
    }
}

/// `[ForwardLog]`
#[derive(Debug, Clone)]
pub struct ForwardLog {
    /// Path of the segments with one `%N` in its file name; none = forward logging is off.
    pub location: Option<PathBuf>,
    /// Size in bytes at which a new segment begins.
    pub max_size: u64,
    /// How much of the log to keep.
    pub keep: Keep,
    /// Bytes that are kept for a known slave in spite of `keep`.
    pub keep_for_slaves: u64,
    /// What happens when the log can't be written.
    pub on_failure: OnFailure,
    /// Replay at start-up; always true in this version.
    pub recovery: bool,
    /// Compression of blocks.
    pub compress: Compression,
    /// Record who changed what; not supported yet, so always false.
    pub enable_audit: bool,
    /// Nothing but audit records; not supported yet, so always false.
    pub audit_only: bool,
    /// Segments are 0640 instead of 0600.
    pub group_read_access: bool,
}

/// How much of the log to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// All of it.
    #[default]
    All,
    /// The newest segments of this many bytes together.
    Bytes(u64),
    /// The segments that hold anything younger.
    Age(Duration),
}

/// What happens when the log can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Writes are refused until it can.
    #[default]
    Stop,
    /// Writes go on without forward logging.
    Disable,
}

/// Compression of the blocks of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// zstd
    #[default]
    Zstd,
    /// Stored as they are.
    None,
}

/// `[Replication]`
#[derive(Debug, Clone)]
pub struct Replication {
    /// What this server is.
    pub role: Role,
    /// The master, for sessions that want to write on a slave.
    pub redirect_write: Option<HostService>,
    /// Directory for scratch files.
    pub tmp_dir: PathBuf,
}

/// What a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Takes writes; nobody follows it.
    #[default]
    Standalone,
    /// Takes writes, and logs what slaves need.
    Master,
    /// Follows a master and refuses writes.
    Slave,
}

/// `[Volumes]`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volumes {
    /// Limit of the data files in bytes; 0 = none.
    pub max_size: u64,
}

impl Config {
    /// Reads and checks a file. All its mistakes are reported together.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        Self::parse(path, &read_text(path)?)
    }

    /// Checks a text as the content of the file `path`, which need not exist.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        Self::parse_with(path, text, &process_environment)
    }

    pub(crate) fn parse_with(
        path: &Path,
        text: &str,
        environment: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(path, text, &Section::SERVER_FILE, environment)?;
        let config = Self {
            path: path.to_owned(),
            server: read_server(&mut reader),
            access: read_access(&mut reader, Section::DbAccess),
            http_access: read_access(&mut reader, Section::HttpAccess),
            forward_log: read_forward_log(&mut reader),
            replication: read_replication(&mut reader),
            volumes: Volumes {
                max_size: reader.get(Section::Volumes, "MaxSize", value::size),
            },
            warnings: Vec::new(),
            settings: Vec::new(),
        };
        config.warn_of_combinations(&mut reader);
        let warnings = std::mem::take(&mut reader.warnings);
        let settings = config.list_settings(&reader);
        reader.finish()?;
        Ok(Self {
            warnings,
            settings,
            ..config
        })
    }

    fn warn_of_combinations(&self, reader: &mut Reader) {
        let role = self.replication.role;
        if let Some(line) = reader.line(Section::Replication, "RedirectWrite")
            && role != Role::Slave
        {
            reader.warn(line, "RedirectWrite has no effect unless Role = Slave");
        }
        if let Some(line) = reader.line(Section::Replication, "Role")
            && role == Role::Master
            && self.forward_log.location.is_none()
        {
            reader.warn(
                line,
                "Role = Master without FwLog: there is nothing to send to slaves",
            );
        }
    }

    fn list_settings(&self, reader: &Reader) -> Vec<Setting> {
        let keys = Section::SERVER_FILE
            .iter()
            .flat_map(|section| keys::of_section(*section));
        keys.map(|key| {
            let (text, line) = reader.text(key);
            let instance = key.section == Section::Server && key.name == "Instance";
            let text = if instance {
                &self.server.instance
            } else {
                text
            };
            Setting {
                key,
                text: text.to_owned(),
                line,
            }
        })
        .collect()
    }
}

fn read_server(reader: &mut Reader) -> Server {
    use Section::Server as S;
    let directory = reader.directory().to_owned();
    let data_dir = reader.path(S, "DataDir");
    if data_dir.is_none() {
        reader.problem(S, "DataDir", "[Server] DataDir must be set");
    }
    let service = |text: &str| text.parse::<Service>().map_err(|error| error.to_string());
    let log_target = |text: &str| Ok(LogTarget::read(text, &directory));
    let sync = reader.get(S, "SyncMode", value::switch);
    let server = Server {
        service: reader.get(S, "Service", service),
        listen: reader.get(S, "Listen", addresses),
        listen_is_default: reader.line(S, "Listen").is_none(),
        data_dir: data_dir.unwrap_or_default(),
        instance: reader
            .optional(S, "Instance", instance::checked)
            .unwrap_or_else(instance::from_host_name),
        log_file: reader.get(S, "LogFile", log_target),
        log_flags: reader.get(S, "LogFlags", text),
        service_http: reader
            .optional(S, "ServiceHttp", text)
            .filter(|text| text != "off"),
        tls_cert: reader.path(S, "TlsCert"),
        tls_key: reader.path(S, "TlsKey"),
        tls_client_ca: reader.path(S, "TlsClientCa"),
        max_sessions: reader.get(S, "MaxSessions", |text| {
            at_least(value::number(text)?, 1, "1")
        }),
        statement_timeout: reader.get(S, "StatementTimeout", value::duration),
        idle_transaction_timeout: reader.get(S, "IdleTransactionTimeout", value::duration),
        sync_mode: if sync {
            SyncMode::EveryCommit
        } else {
            SyncMode::Interval
        },
        sync_interval: reader.get(S, "SyncInterval", |text| {
            at_least(value::duration(text)?, Duration::from_millis(1), "1ms")
        }),
        checkpoint_size: reader.get(S, "CheckpointSize", |text| {
            at_least(value::size(text)?, MIN_CHECKPOINT_SIZE, "1m")
        }),
        checkpoint_interval: reader.get(S, "CheckpointInterval", |text| {
            at_least(value::duration(text)?, Duration::from_secs(1), "1s")
        }),
    };
    if !server.listen.is_empty()
        && let Err(error) = server.sockets()
    {
        reader.problem(S, "Service", format!("Service: {error}"));
    }
    server
}

fn read_access(reader: &mut Reader, section: Section) -> Access {
    Access {
        allow: reader.get(section, "allow", networks),
        deny: reader.get(section, "deny", networks),
    }
}

fn read_forward_log(reader: &mut Reader) -> ForwardLog {
    use Section::ForwardLog as S;
    let directory = reader.directory().to_owned();
    ForwardLog {
        location: reader.optional(S, "FwLog", |text| log_path(text, &directory)),
        max_size: reader.get(S, "FwMaxSize", |text| {
            at_least(value::size(text)?, MIN_SEGMENT_SIZE, "64k")
        }),
        keep: reader.get(S, "FwKeep", keep),
        keep_for_slaves: reader.get(S, "FwKeepForSlaves", value::size),
        on_failure: reader.get(S, "FwOnFailure", |text| {
            let disable = value::word(text, ON_FAILURE)? == 1;
            Ok(if disable {
                OnFailure::Disable
            } else {
                OnFailure::Stop
            })
        }),
        recovery: reader.get(S, "FwRecovery", value::switch),
        compress: reader.get(S, "FwCompress", |text| {
            let none = value::word(text, COMPRESSIONS)? == 1;
            Ok(if none {
                Compression::None
            } else {
                Compression::Zstd
            })
        }),
        enable_audit: reader.get(S, "EnableAudit", value::switch),
        audit_only: reader.get(S, "AuditOnly", value::switch),
        group_read_access: reader.get(S, "GroupReadAccess", value::switch),
    }
}

fn read_replication(reader: &mut Reader) -> Replication {
    use Section::Replication as S;
    Replication {
        role: reader.get(S, "Role", role),
        redirect_write: reader.optional(S, "RedirectWrite", str::parse),
        tmp_dir: reader.path(S, "TmpDir").unwrap_or_default(),
    }
}

fn role(text: &str) -> Result<Role, String> {
    Ok(match value::word(text, ROLES)? {
        0 => Role::Standalone,
        1 | 2 => Role::Master,
        _ => Role::Slave,
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape of all readings of a value"
)]
pub(crate) fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn at_least<T: PartialOrd>(value: T, least: T, shown: &str) -> Result<T, String> {
    if value < least {
        Err(format!("at least {shown} is needed"))
    } else {
        Ok(value)
    }
}

/// `all`, a size or a time. `m` means MiB here, as for every size; minutes are `min`.
fn keep(text: &str) -> Result<Keep, String> {
    if text.eq_ignore_ascii_case("all") {
        return Ok(Keep::All);
    }
    value::size(text)
        .map(Keep::Bytes)
        .or_else(|_| value::duration(text).map(Keep::Age))
        .map_err(|_| {
            format!("`{text}` is neither all nor a size (10g) nor a time (90min, 36h, 7d)")
        })
}

/// A path whose file name, and nothing before it, holds `%N` once.
fn log_path(text: &str, directory: &Path) -> Result<PathBuf, String> {
    let path = directory.join(text);
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    if name.matches("%N").count() == 1 && text.matches("%N").count() == 1 {
        return Ok(path);
    }
    Err(format!(
        "the file name of `{text}` must hold %N once, for example /fwlog/fw-%N"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse_with(Path::new("/etc/eloqdb/x.cfg"), text, &|name| {
            (name == "BASE").then(|| "/srv".to_owned())
        })
    }

    fn with_data_dir(text: &str) -> Config {
        parse(&format!("[Server]\nDataDir = /d\n{text}")).expect("a good configuration")
    }

    fn message(text: &str) -> String {
        let error = parse(&format!("[Server]\nDataDir = /d\n{text}")).expect_err("a mistake");
        error.to_string().replace("/etc/eloqdb/x.cfg:", "")
    }

    #[test]
    fn the_defaults_are_those_of_the_interface() {
        let config = with_data_dir("");
        assert_eq!(config.server.service.resolve(), Ok(8102));
        assert_eq!(config.server.sockets().unwrap().len(), 2);
        assert!(config.server.listen_is_default);
        assert_eq!(config.server.log_file, LogTarget::Console);
        assert_eq!(config.server.sync_mode, SyncMode::EveryCommit);
        assert_eq!(config.server.sync_interval, Duration::from_millis(500));
        assert_eq!(config.server.checkpoint_size, 256 << 20);
        assert_eq!(config.server.checkpoint_interval, Duration::from_mins(5));
        assert_eq!(config.forward_log.location, None);
        assert_eq!(config.forward_log.keep, Keep::All);
        assert!(config.forward_log.recovery);
        assert_eq!(config.replication.role, Role::Standalone);
        assert_eq!(config.replication.tmp_dir, Path::new("/tmp"));
        assert_eq!(config.volumes.max_size, 0);
        assert!(config.access.permits("127.0.0.1".parse().unwrap()));
        assert!(!config.access.permits("10.0.0.1".parse().unwrap()));
        assert!(config.warnings.is_empty());
    }

    #[test]
    fn names_ignore_case_and_variables_are_replaced() {
        let config = parse(
            "[SERVER]\ndatadir = ${BASE}/data\n[forwardlog]\nFWLOG = \"${BASE}/fw #1/fw-%N\"\n",
        )
        .unwrap();
        assert_eq!(config.server.data_dir, Path::new("/srv/data"));
        assert_eq!(
            config.forward_log.location.unwrap(),
            Path::new("/srv/fw #1/fw-%N")
        );
    }

    #[test]
    fn relative_paths_start_at_the_directory_of_the_file() {
        let config = parse("[Server]\nDataDir = data\nLogFile = eloqdb.log").unwrap();
        assert_eq!(config.server.data_dir, Path::new("/etc/eloqdb/data"));
        assert_eq!(
            config.server.log_file,
            LogTarget::File("/etc/eloqdb/eloqdb.log".into())
        );
    }

    #[test]
    fn mistakes_name_file_line_and_the_way_out() {
        let error = parse("[Server]\nDataDir = /d\nServise = 1")
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "/etc/eloqdb/x.cfg:3: unknown key `Servise` in [Server]; did you mean Service?"
        );
        assert_eq!(
            message("[Replicaton]"),
            "3: unknown section [Replicaton]; did you mean Replication?"
        );
        assert_eq!(
            message("Role = Slave"),
            "3: unknown key `Role` in [Server]; it belongs in [Replication]"
        );
        assert_eq!(
            message("MaxSessions = 5\nmaxsessions = 6"),
            "4: MaxSessions was already set in line 3"
        );
        assert_eq!(
            message("DataDir = ${NOPE}"),
            "3: DataDir was already set in line 2"
        );
        assert_eq!(
            message("LogFile = ${NOPE}"),
            "3: the environment variable NOPE is not set"
        );
    }

    #[test]
    fn all_mistakes_are_reported_in_the_order_of_the_file() {
        let text = message("MaxSessions = many\n[Volumes]\nMaxSize = 1x\nColour = red");
        let lines: Vec<&str> = text
            .lines()
            .map(|line| line.split(':').next().unwrap())
            .collect();
        assert_eq!(lines, ["3", "5", "6"]);
    }

    #[test]
    fn a_missing_data_dir_is_a_mistake_of_the_whole_file() {
        let error = parse("").unwrap_err().to_string();
        assert_eq!(error, "/etc/eloqdb/x.cfg: [Server] DataDir must be set");
    }

    #[test]
    fn values_out_of_range_are_refused() {
        assert_eq!(
            message("MaxSessions = 0"),
            "3: MaxSessions: at least 1 is needed"
        );
        assert_eq!(
            message("CheckpointInterval = 0"),
            "3: CheckpointInterval: at least 1s is needed"
        );
        assert_eq!(
            message("[ForwardLog]\nFwMaxSize = 1k"),
            "4: FwMaxSize: at least 64k is needed"
        );
        assert!(message("Instance = much-too-long-a-name").contains("1 to 15"));
        assert!(message("Service = 8102/6\nListen = 127.0.0.1").starts_with("3: Service: "));
        assert!(message("Service = no-such-service").contains("not in /etc/services"));
    }

    #[test]
    fn the_log_path_needs_its_number_in_the_file_name() {
        for path in [
            "/fwlog/fw",
            "/fw-%N/log",
            "/fw-%N/fw-%N",
            "/fwlog/%N-%N",
            "/fwlog/fw-%N/",
        ] {
            let text = format!("[ForwardLog]\nFwLog = {path}");
            let good = parse(&format!("[Server]\nDataDir=/d\n{text}")).is_ok();
            assert_eq!(good, path.ends_with("%N/"), "{path}");
        }
    }

    #[test]
    fn what_to_keep_is_all_or_a_size_or_a_time() {
        assert_eq!(keep("ALL"), Ok(Keep::All));
        assert_eq!(keep("30m"), Ok(Keep::Bytes(30 << 20)));
        assert_eq!(keep("30min"), Ok(Keep::Age(Duration::from_mins(30))));
        assert_eq!(keep("7d"), Ok(Keep::Age(Duration::from_hours(168))));
        assert!(keep("some").is_err());
    }

    #[test]
    fn roles_have_two_words_each() {
        for (word, expected) in [
            ("standalone", Role::Standalone),
            ("Master", Role::Master),
            ("PRIMARY", Role::Master),
            ("slave", Role::Slave),
            ("Secondary", Role::Slave),
        ] {
            assert_eq!(role(word), Ok(expected), "{word}");
        }
        assert!(role("replica").is_err());
    }

    #[test]
    fn the_other_spelling_of_redirect_write_is_taken_with_a_warning() {
        let config =
            with_data_dir("[Replication]\nRole = Slave\nRedicectWrite = 194.64.71.28:8202");
        assert_eq!(
            config.replication.redirect_write.unwrap().to_string(),
            "194.64.71.28:8202"
        );
        assert_eq!(
            config.warnings,
            ["/etc/eloqdb/x.cfg:5: `RedicectWrite` is read as RedirectWrite"]
        );
        assert_eq!(
            message("[Replication]\nRedirectWrite = a:1\nRedicectWrite = b:1"),
            "5: RedirectWrite was already set in line 4"
        );
    }

    #[test]
    fn what_comes_later_is_accepted_only_when_off() {
        let off = "ServiceHttp = OFF\nTlsCert =\n[ForwardLog]\nEnableAudit = no\n[http-access]\ndeny = none";
        assert!(!with_data_dir(off).forward_log.enable_audit);
        for (text, key) in [
            ("ServiceHttp = 8103", "ServiceHttp"),
            ("TlsKey = k.pem", "TlsKey"),
            ("[ForwardLog]\nEnableAudit = 1", "EnableAudit"),
            ("[ForwardLog]\nFwRecovery = 0", "FwRecovery"),
            ("[http-access]\nallow = all", "allow"),
        ] {
            assert!(message(text).ends_with(&format!("{key} is not supported by this version")));
        }
    }

    #[test]
    fn endless_values_are_refused_in_a_short_message() {
        for key in [
            "DataDir",
            "Service",
            "Listen",
            "Instance",
            "LogFlags",
            "MaxSessions",
        ] {
            let text = format!("[Server]\n{key} = {}", "x".repeat(200_000));
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains("longer than 4096 characters"), "{key}");
            assert!(error.len() < 300, "{key}");
        }
        let error = parse(&format!("[Server]\n{} = 1", "k".repeat(200_000))).unwrap_err();
        assert!(error.to_string().len() < 300);
    }

    #[test]
    fn a_master_without_log_is_warned() {
        let config = with_data_dir("[Replication]\nRole = Master");
        assert_eq!(config.warnings.len(), 1);
        assert!(config.warnings[0].contains(":4: Role = Master without FwLog"));
    }

    #[test]
    fn settings_show_each_key_with_its_line() {
        let config = with_data_dir("MaxSessions = 5");
        let setting = |name: &str| config.settings.iter().find(|s| s.key.name == name).unwrap();
        assert_eq!(
            (
                setting("MaxSessions").text.as_str(),
                setting("MaxSessions").line
            ),
            ("5", Some(3))
        );
        assert_eq!(
            (
                setting("FwMaxSize").text.as_str(),
                setting("FwMaxSize").line
            ),
            ("256m", None)
        );
        assert_eq!(setting("Instance").text, config.server.instance);
    }
}
