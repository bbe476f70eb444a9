//! The checked configuration of a server.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::access::Access;
use crate::apply::Apply;
use crate::archives::Archive;
use crate::backup_hold::BackupHold;
use crate::http::Http;
use crate::keys::Key;
use crate::local_socket::SocketDir;
use crate::net::Net;
use crate::peer::{PeerLogin, RepairFrom, StartGuard, VerifyAt};
use crate::place::{DatabaseName, Place};
use crate::service::{HostService, Service, ServiceError};
use crate::sources::Sources;
use crate::sync_slaves::Synchronous;
use crate::tls::Tls;
use crate::value;

/// A configuration file, read and checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file.
    pub path: PathBuf,
    /// `[Server]`
    pub server: Server,
    /// `[db-access]`, and the sections of databases
    pub access: Access,
    /// `[http-access]`
    pub http_access: Access,
    /// `[ForwardLog]`
    pub forward_log: ForwardLog,
    /// `[Replication]`
    pub replication: Replication,
    /// `[Archive NAME]`, each
    pub archives: Vec<Archive>,
    /// `[Volumes]`
    pub volumes: Volumes,
    /// What is served is the past, which nobody changes; no key says so.
    pub serves_past: bool,
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
    /// The database that its section is for; none = all.
    pub database: Option<DatabaseName>,
    /// The value of the file with variables replaced, or the default; empty = unset.
    pub text: String,
    /// Line in the file; none = the default holds.
    pub line: Option<usize>,
}

impl Setting {
    /// The section that it stands in.
    pub fn place(&self) -> Place {
        Place {
            section: self.key.section,
            database: self.database.clone(),
        }
    }
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
    /// Where the Unix socket is; none = there is none.
    pub socket_dir: Option<SocketDir>,
    /// The environment.
    pub data_dir: PathBuf,
    /// Name of this instance, 1 to 15 characters of ASCII.
    pub instance: String,
    /// Where messages go.
    pub log_file: LogTarget,
    /// Levels of messages, as a filter of the tracing crates.
    pub log_flags: String,
    /// What a line of the log looks like.
    pub log_format: LogFormat,
    /// A statement that takes at least so long is told; zero = none is.
    pub log_slow: Duration,
    /// The status page, if there is one.
    pub http: Option<Http>,
    /// TLS of the service port, if it has any.
    pub tls: Option<Tls>,
    /// Clear text is refused, except on loopback.
    pub require_tls: bool,
    /// Sessions at a time, at least 1.
    pub max_sessions: u32,
    /// Limit of a statement; zero = none.
    pub statement_timeout: Duration,
    /// Limit of idling in a transaction; zero = none.
    pub idle_transaction_timeout: Duration,
    /// Limit of idling outside a transaction; zero = none.
    pub idle_session_timeout: Duration,
    /// A crash may leave a core dump.
    pub core_dumps: bool,
    /// Bytes of a session's temporary files; zero = no limit.
    pub temp_file_limit: u64,
    /// Limit of a wait for a lock or to write; zero = none.
    pub lock_timeout: Duration,
    /// What a commit waits for.
    pub sync_mode: SyncMode,
    /// Time between two writes to disk, only with [`SyncMode::Interval`]; at least 1 ms.
    pub sync_interval: Duration,
    /// Changed bytes that begin a checkpoint.
    pub checkpoint_size: u64,
    /// Age of the last checkpoint that begins one; at least 1 s.
    pub checkpoint_interval: Duration,
    /// When the pages of the data files are compared with their checksums.
    pub verify_data: VerifyData,
    /// Where damaged pages of the data files come from by themselves.
    pub repair_from: RepairFrom,
    /// Bytes of data files that are read each second to find damage; 0: none.
    pub scrub_rate: u64,
    /// The bounds of the backup mode.
    pub backup_hold: BackupHold,
}

impl Server {
    /// The socket addresses to bind: the addresses of Listen that have the family of Service.
    pub fn sockets(&self) -> Result<Vec<SocketAddr>, ServiceError> {
        self.service.sockets(&self.listen)
    }

    /// The same for the status page in clear text; none where there is none.
    pub fn http_sockets(&self) -> Result<Vec<SocketAddr>, ServiceError> {
        self.sockets_of(self.http.as_ref().and_then(|http| http.clear.as_ref()))
    }

    /// The same for the status page within TLS.
    pub fn https_sockets(&self) -> Result<Vec<SocketAddr>, ServiceError> {
        self.sockets_of(self.http.as_ref().and_then(|http| http.tls.as_ref()))
    }

    fn sockets_of(&self, service: Option<&Service>) -> Result<Vec<SocketAddr>, ServiceError> {
        service.map_or_else(|| Ok(Vec::new()), |service| service.sockets(&self.listen))
    }
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Each commit waits for the disk (`SyncMode` = 1).
    #[default]
    EveryCommit,
    /// The log is synced every `SyncInterval`; a power cut may lose what came after (`SyncMode` = 0).
    Interval,
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Words for people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// When the pages of the data files are compared with their checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifyData {
    /// All at start, and each again whenever it is read (`VerifyData` = start).
    #[default]
    Start,
    /// Only whenever one is read (`VerifyData` = read).
    Read,
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
#[expect(clippy::struct_excessive_bools, reason = "one a switch of the file")]
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
    /// Record who changed what, from where, with which statements.
    pub enable_audit: bool,
    /// The directory of FwLog gets the audit records alone; commits go to the journal.
    pub audit_only: bool,
    /// Segments are 0640 instead of 0600.
    pub group_read_access: bool,
}

impl ForwardLog {
    /// Where the audit records stand with `AuditOnly`, in the notation of `FwLog`: beside a forward log of before,
    /// and never mixed with it.
    pub fn audit_location(&self) -> Option<PathBuf> {
        let location = self.location.as_deref().filter(|_| self.audit_only)?;
        Some(location.parent()?.join("audit").join(location.file_name()?))
    }
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

impl FromStr for Keep {
    type Err = String;

    /// `all`, a size or a time. `m` means MiB here, as for every size; minutes are `min`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        value::size(text)
            .map(Self::Bytes)
            .or_else(|_| value::duration(text).map(Self::Age))
            .map_err(|_| {
                format!("`{text}` is neither all nor a size (10g) nor a time (90min, 36h, 7d)")
            })
    }
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
    /// Which databases get pages while this server is a slave.
    pub apply: Apply,
    /// Masters for the sessions that want to write on this server while it is a slave, in the order in which
    /// they are tried; none = such sessions are refused.
    pub redirect_write: Vec<HostService>,
    /// TLS to these masters, and to the servers that are asked: one of libpq's words.
    pub redirect_tls: &'static str,
    /// Authorities of their certificates.
    pub redirect_tls_ca: Option<PathBuf>,
    /// Networks of the slaves that may hand sessions to this server.
    pub redirect_from: Vec<Net>,
    /// How transactions that write are forwarded while this server is a slave; none = they are refused.
    pub forward_writes: Option<ForwardWrites>,
    /// How this server logs in on others, to ask them itself.
    pub peer_login: PeerLogin,
    /// When this server compares itself with its master while it is a slave; none = never.
    pub verify_at: Option<VerifyAt>,
    /// The slaves that this server feeds by itself.
    pub sources: Sources,
    /// Other servers that may be the root.
    pub peers: Vec<HostService>,
    /// Whether these are asked before a server that was the root writes after a start.
    pub start_guard: StartGuard,
    /// A root that was left behind goes back by itself, whatever it has.
    pub rejoins: bool,
    /// A former root may follow any slave while what it has lost is not settled.
    pub former_root_below_any: bool,
    /// So long a checkpoint of a root waits for its slaves.
    pub rewind_wait: Duration,
    /// Slaves that commits wait for while this server is the root.
    pub synchronous: Synchronous,
    /// This server may become the root.
    pub may_lead: bool,
    /// Where changes of state of replication are told, a line each; none = nowhere.
    pub message_file: Option<PathBuf>,
    /// Directory for scratch files.
    pub tmp_dir: PathBuf,
    /// So long a reader of a slave may hold back what is applied; zero: as long as it likes.
    pub max_apply_delay: Duration,
}

/// How a slave forwards transactions that write, to the masters of `RedirectWrite`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardWrites {
    /// The user that the slave logs in as on the master.
    pub user: String,
    /// The file with its password; read at each login.
    pub password_file: PathBuf,
    /// So long a read waits until the slave has what its session has written; zero = no limit.
    pub read_wait: Duration,
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
