//! What the engine says when it refuses: one enum, each case with its SQLSTATE, a message and,
//! where a person can do something about it, a hint.

use std::io;
use std::path::{Path, PathBuf};

use fwlog::{CommitNumber, Damage};
use pgtypes::SqlState;

/// An error of the engine, ready to be shown to a client or an operator.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The named database is not in the environment (3D000).
    #[error("database \"{0}\" does not exist")]
    NoSuchDatabase(String),
    /// A database of that name is there already (42P04).
    #[error("database \"{0}\" already exists")]
    DatabaseExists(String),
    /// The name cannot be a database name (42602).
    #[error("\"{name}\" is not a valid database name: {why}")]
    BadDatabaseName {
        /// The name as given.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Somebody still has the database open (55006).
    #[error("database \"{name}\" is being accessed by {sessions} other session(s)")]
    DatabaseInUse {
        /// The database.
        name: String,
        /// How many sessions have it open.
        sessions: usize,
    },
    /// The named user is not in system.db (42704).
    #[error("user \"{0}\" does not exist")]
    NoSuchUser(String),
    /// A user of that name is there already (42710).
    #[error("user \"{0}\" already exists")]
    UserExists(String),
    /// A write on a slave (25006).
    #[error("cannot execute {what} in a read-only transaction")]
    ReadOnly {
        /// The command.
        what: String,
        /// Where to write instead.
        hint: String,
    },
    /// The server is between two roles (57P03).
    #[error("the server is changing its role")]
    ChangingRole,
    /// The caller was interrupted (57014).
    #[error("canceling statement due to {0}")]
    Interrupted(&'static str),
    /// The transaction waited for a lock longer than `lock_timeout` (55P03).
    #[error("canceling statement due to lock timeout")]
    LockTimeout,
    /// The transaction and others would wait for each other for ever (40P01): who waits for whom.
    #[error("deadlock detected")]
    Deadlock(String),
    /// The server is going down (57P01).
    #[error("terminating connection due to administrator command")]
    ShuttingDown,
    /// The forward log cannot be written; nothing can be committed (53100 or 58030).
    #[error("the forward log cannot be written: {0}")]
    LogFailed(fwlog::WriterError),
    /// The log of audit records cannot be written, so nothing is committed (53100 or 58030).
    #[error("the audit log cannot be written: {0}")]
    AuditFailed(Box<EngineError>),
    /// The transaction was queued, but the log failed before it was known to be durable. The server
    /// cuts it off when it brings the log back; where its process ends before that, the next start may
    /// find it whole, and then it is committed.
    #[error("it is not certain that commit {commit} is durable: {reason}")]
    CommitLost {
        /// The number that it would have had.
        commit: CommitNumber,
        /// Why the log failed.
        reason: fwlog::WriterError,
    },
    /// The transaction is in the log of this server, and not on as many slaves as it waits for (40003): the session did not
    /// wait any longer. Readers see it once it is released.
    #[error(
        "commit {commit} is on this server's disk, and not on as many slaves as SyncSlaves asks for ({rule}): {why}"
    )]
    NotReleased {
        /// Its number.
        commit: CommitNumber,
        /// `SyncSlaves`.
        rule: String,
        /// Why it was not waited for any longer.
        why: Box<EngineError>,
    },
    /// The page store failed (58030 or XX001).
    #[error("{0}")]
    Storage(String),
    /// The page store failed, because a disk is full (53100).
    #[error("{0}")]
    StorageFull(String),
    /// The data files would become larger than MaxSize (53100).
    #[error("the transaction needs {needed} bytes of data files; MaxSize is {limit}")]
    VolumeFull {
        /// MaxSize, in bytes.
        limit: u64,
        /// What the data files would take.
        needed: u64,
    },
    /// A file operation failed (58030).
    #[error("cannot {what} {path}: {reason}")]
    File {
        /// The operation, as a verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        reason: String,
        /// Kind of the error, for the SQLSTATE.
        kind: io::ErrorKind,
    },
    /// A file of the log cannot be used (58030 or 53100).
    #[error("{0}")]
    LogUnusable(fwlog::IoFailure),
    /// The log is damaged, incomplete, or has a file of another one in it (XX001).
    #[error("{0}")]
    LogDamaged(fwlog::ReadError),
    /// Bytes in the log or in a control file that cannot be right (XX001).
    #[error("{0}")]
    Corrupt(String),
    /// The history of the log, or the file of the instance, contradicts the log, or is of a later version (XX001).
    #[error("{0}")]
    History(String),
    /// A data file that is not as it was written (XX001).
    #[error("{0}")]
    Damaged(String),
    /// A data file that is missing, of another day, or of another database: none is damaged (XX001).
    #[error("{0}")]
    WrongFile(String),
    /// A snapshot that was given up because it kept too many old pages (72000).
    #[error("snapshot too old: {0}")]
    SnapshotTooOld(String),
    /// The command is not known or its arguments are wrong (42601).
    #[error("{0}")]
    Usage(String),
    /// The command makes no sense in this state (55000).
    #[error("{message}")]
    State {
        /// What cannot be done.
        message: String,
        /// What to do instead.
        hint: Option<String>,
    },
    /// A slave that leaves databases out, where it would be the root or the source of a copy (R0118).
    #[error("{instance} does not have all databases: it applies {applies}")]
    Partial {
        /// The slave.
        instance: String,
        /// What it applies, and what it leaves out.
        applies: String,
    },
    /// A command about sources, or about the log of another server, that does not fit (class R01).
    #[error("{message}")]
    Source {
        /// Which of them.
        state: SqlState,
        /// What does not fit.
        message: String,
        /// What to do instead.
        hint: String,
    },
    /// The name cannot be that of an instance (42602).
    #[error("{0}")]
    InstanceName(String),
    /// This server does not become the root (R0115); nothing has changed.
    #[error("cannot become root: {obstacle}")]
    CannotLead {
        /// What is in the way.
        obstacle: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The user lacks the privilege (42501).
    #[error("permission denied: {0}")]
    Denied(String),
    /// The same, in PostgreSQL's words (42501).
    #[error("{0}")]
    Forbidden(String),
    /// A grant that can't be made (0LP01).
    #[error("{0}")]
    Grant(String),
    /// Somebody depends on a privilege that is taken away (2BP01).
    #[error("dependent privileges exist")]
    DependentPrivileges,
    /// The role owns something, or something is granted to it or by it (2BP01).
    #[error("role \"{name}\" cannot be dropped because some objects depend on it")]
    RoleInUse {
        /// The role.
        name: String,
        /// What depends on it, one thing a line.
        dependents: String,
    },
    /// A name that no role may have (42939).
    #[error("role name \"{0}\" is reserved")]
    ReservedName(String),
    /// SQLite refused a statement of the server's own (XX000).
    #[error("internal statement failed: {0}")]
    Internal(String),
}

fn perhaps_a_file(name: &str) -> String {
    match name.strip_suffix(FILE) {
        Some(database) if !database.is_empty() => {
            format!("That is the name of a file; its database is called \"{database}\".")
        }
        _ => "CREATE DATABASE makes one; 'dbctl database list' shows those that exist.".into(),
    }
}

impl EngineError {
    /// The kind of error, by which drivers decide.
    pub fn sqlstate(&self) -> SqlState {
        match self {
            Self::NoSuchDatabase(_) => SqlState::INVALID_CATALOG_NAME,
            Self::DatabaseExists(_) => SqlState::DUPLICATE_DATABASE,
            Self::BadDatabaseName { .. } | Self::InstanceName(_) => SqlState::INVALID_NAME,
            Self::DatabaseInUse { .. } => SqlState::OBJECT_IN_USE,
            Self::NoSuchUser(_) => SqlState::UNDEFINED_OBJECT,
            Self::UserExists(_) => SqlState::DUPLICATE_OBJECT,
            Self::ReadOnly { .. } => SqlState::READ_ONLY_SQL_TRANSACTION,
            Self::ChangingRole => SqlState::CANNOT_CONNECT_NOW,
            Self::Interrupted(_) => SqlState::QUERY_CANCELED,
            Self::LockTimeout => SqlState::LOCK_NOT_AVAILABLE,
            Self::Deadlock(_) => SqlState::DEADLOCK_DETECTED,
            Self::ShuttingDown => SqlState::ADMIN_SHUTDOWN,
            Self::LogFailed(reason) | Self::CommitLost { reason, .. } => {
                if reason.is_disk_full() {
                    SqlState::DISK_FULL
                } else {
                    SqlState::IO_ERROR
                }
            }
            Self::NotReleased { .. } => SqlState::STATEMENT_COMPLETION_UNKNOWN,
            Self::AuditFailed(why) if why.is_disk_full() => SqlState::DISK_FULL,
            Self::VolumeFull { .. }
            | Self::StorageFull(_)
            | Self::File {
                kind: io::ErrorKind::StorageFull,
                ..
            } => SqlState::DISK_FULL,
            Self::LogUnusable(failure) if failure.is_disk_full() => SqlState::DISK_FULL,
            Self::Storage(_) | Self::File { .. } | Self::LogUnusable(_) | Self::AuditFailed(_) => {
                SqlState::IO_ERROR
            }
            Self::Corrupt(_)
            | Self::History(_)
            | Self::Damaged(_)
            | Self::WrongFile(_)
            | Self::LogDamaged(_) => SqlState::DATA_CORRUPTED,
            Self::SnapshotTooOld(_) => SqlState::SNAPSHOT_TOO_OLD,
            Self::Usage(_) => SqlState::SYNTAX_ERROR,
            Self::State { .. } => SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            Self::Partial { .. } => SqlState::REPLICATION_PARTIAL,
            Self::Source { state, .. } => *state,
            Self::CannotLead { .. } => SqlState::REPLICATION_CANNOT_LEAD,
            Self::Denied(_) | Self::Forbidden(_) => SqlState::INSUFFICIENT_PRIVILEGE,
            Self::Grant(_) => SqlState::INVALID_GRANT_OPERATION,
            Self::RoleInUse { .. } | Self::DependentPrivileges => {
                SqlState::DEPENDENT_OBJECTS_STILL_EXIST
            }
            Self::ReservedName(_) => SqlState::RESERVED_NAME,
            Self::Internal(_) => SqlState::INTERNAL_ERROR,
        }
    }

    /// Whether it ends when there is room again.
    pub fn is_disk_full(&self) -> bool {
        self.sqlstate() == SqlState::DISK_FULL
    }

    /// Whether the operation may succeed when it is tried again: a disk was full, or did not do it.
    pub fn may_pass(&self) -> bool {
        matches!(self.sqlstate(), SqlState::DISK_FULL | SqlState::IO_ERROR)
    }

    /// More about what happened than the message says.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Deadlock(circle) => Some(circle),
            Self::RoleInUse { dependents, .. } => Some(dependents),
            _ => None,
        }
    }

    /// What the person who reads the message can do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchDatabase(name) => Some(perhaps_a_file(name)),
            Self::ChangingRole => Some("Try again in a moment.".into()),
            Self::Deadlock(_) => {
                Some("Run the transaction again; lock in the same order everywhere.".into())
            }
            Self::CommitLost { .. } => Some(
                "See the server log. Look whether the transaction is there before you repeat it: that is settled when the server accepts writes again."
                    .into(),
            ),
            Self::NotReleased { .. } => Some(
                "Do not repeat it before you know: readers see it once enough slaves have it, and it is lost only where this server is. 'dbctl replication sync' says for whom it waits."
                    .into(),
            ),
            Self::AuditFailed(why) if why.is_disk_full() => Some(
                "AuditOnly: nothing is committed without a record of it. Free space on the disk of FwLog; the server goes on by itself."
                    .into(),
            ),
            Self::AuditFailed(_) => Some(
                "AuditOnly: nothing is committed without a record of it. See the server log and 'dbctl forwardlog status'."
                    .into(),
            ),
            Self::LogFailed(reason) if reason.is_disk_full() => {
                Some(
                    "Free space on the disk of the forward log; the server goes on by itself."
                        .into(),
                )
            }
            Self::LogFailed(reason) if reason.may_pass() => {
                Some("See the server log; the server goes on by itself when that is mended.".into())
            }
            Self::LogFailed(fwlog::WriterError::NotTheEnd(_)) => Some(
                "Was a segment of a slave or of a backup copied over the server's own? Then two histories meet here: put the file back that was there before. Where that is lost, go on with the slave as the new master, or bring DataDir and log back from one copy."
                    .into(),
            ),
            Self::LogFailed(_) => Some(
                "See the server log; the server must be restarted after the disk has been checked."
                    .into(),
            ),
            Self::VolumeFull { .. } => {
                Some("Raise MaxSize in section [Volumes], or delete something.".into())
            }
            Self::Damaged(_) => Some(
                "The disk has damaged the data file, or it is a copy of another moment than its .sum. 'dbctl database repair NAME --from HOST' takes single pages from another server that has the database (with VerifyData = read this one starts for that). Or make it anew from the log: stop the server and start it with --rebuild (all that is committed is in the log as long as its first segment is there); or bring back a copy of DataDir, or copy the file and its .sum from a replica that was stopped cleanly. docs/recovery.md says how."
                    .into(),
            ),
            Self::History(_) => Some(
                "Were DataDir and the log brought back from two moments, or is a segment missing? Then bring back what belongs together. Where the log is the right one: 'dbctl -c CONFIG instance create --force' sets the files of the instance aside, and the next start makes them anew from the log."
                    .into(),
            ),
            Self::WrongFile(_) => Some(
                "The disk has damaged nothing: bring the right file and its .sum back, both from the same moment as the rest of DataDir. Where they are lost: stop the server and start it with --rebuild (all that is committed is in the log as long as its first segment is there). docs/recovery.md says how."
                    .into(),
            ),
            Self::SnapshotTooOld(_) => {
                Some("Run the transaction again, and end it sooner.".into())
            }
            Self::State { hint, .. } | Self::CannotLead { hint, .. } => hint.clone(),
            Self::Partial { .. } => Some(WHOLE.into()),
            Self::Source { hint, .. } | Self::ReadOnly { hint, .. } => Some(hint.clone()),
            Self::DependentPrivileges => Some("Use CASCADE to revoke them too.".into()),
            Self::File {
                what, path, kind, ..
            } => path_hint(what, path, *kind),
            Self::LogUnusable(failure) => file_hint(failure.kind).map(str::to_owned),
            Self::LogDamaged(why) => Some(log_hint(why).into()),
            _ => None,
        }
    }

    /// A failed file operation, with its place.
    pub fn file(what: &'static str, path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::File {
            what,
            path: path.into(),
            reason: disk::reason(error),
            kind: error.kind(),
        }
    }

    /// What keeps a server from becoming the root: a refusal because of its state is one.
    #[must_use]
    pub fn into_obstacle(self) -> Self {
        match self {
            Self::State { message, hint } => Self::CannotLead {
                obstacle: message,
                hint,
            },
            other => other,
        }
    }

    /// A refusal because of the state the server is in.
    pub fn state(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::State {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

/// The way out for a server that leaves databases out.
const WHOLE: &str = "It can be neither the root nor the source of a copy: take another server. To have all databases here, remove Apply and ApplyNot from section [Replication] of eloqdb.cfg and restart: dbrepl brings what is missing.";
/// How the files of databases end.
const FILE: &str = ".db";

/// Where a directory is missing, which one, and how it is made.
fn path_hint(what: &str, path: &Path, kind: io::ErrorKind) -> Option<String> {
    if kind != io::ErrorKind::NotFound {
        return file_hint(kind).map(str::to_owned);
    }
    if what.ends_with("directory") {
        disk::missing_hint(path)
    } else {
        disk::directory_hint(path)
    }
}

fn file_hint(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("Free space on that disk.")
        }
        io::ErrorKind::PermissionDenied => {
            Some("Directory and files must belong to the user that the server runs as.")
        }
        io::ErrorKind::ReadOnlyFilesystem => Some(
            "The file system is mounted read-only: see the system's log, mend the disk, mount it for writing.",
        ),
        _ => None,
    }
}

fn log_hint(why: &fwlog::ReadError) -> &'static str {
    match why {
        fwlog::ReadError::Corrupt {
            kind: Damage::EndsEarly(_) | Damage::Missing { .. },
            ..
        } => "Bring the missing segment back; the master, a slave or a backup has the same bytes.",
        fwlog::ReadError::Corrupt { kind, .. } if kind.is_missing() => {
            "Where segments are missing, bring them back; the master, a slave or a backup has the same bytes. Where forward logging was off, no log has what was committed then."
        }
        fwlog::ReadError::Corrupt { kind, .. } if kind.is_incomplete() => {
            "Bring the right segment back, whole: the master, a slave or a backup has it. 'dbctl fwlog verify' shows all that does not fit."
        }
        fwlog::ReadError::Corrupt { kind, .. } if kind.is_misplaced() => {
            "Move the file out of the log directory; it is no part of this log."
        }
        fwlog::ReadError::Corrupt {
            kind: Damage::UnknownVersion(_),
            ..
        } => "Use the server that wrote it, or a newer one.",
        _ => {
            "Keep the file; take the segment from the master, a slave or a backup, which have the same bytes. 'dbctl fwlog verify' shows all damage."
        }
    }
}

/// A disk that does not give the log, or gives what is damaged.
impl From<fwlog::ReadError> for EngineError {
    fn from(error: fwlog::ReadError) -> Self {
        match error {
            fwlog::ReadError::Io(failure) => Self::LogUnusable(failure),
            why @ fwlog::ReadError::Corrupt { .. } => Self::LogDamaged(why),
        }
    }
}

impl From<pagestore::StoreError> for EngineError {
    fn from(error: pagestore::StoreError) -> Self {
        Self::from(&error)
    }
}

impl From<&sqlitevfs::Error> for EngineError {
    fn from(error: &sqlitevfs::Error) -> Self {
        match error {
            sqlitevfs::Error::Store(cause) => Self::from(cause),
            _ if error.is_disk_full() => Self::StorageFull(error.to_string()),
            _ => Self::Storage(error.to_string()),
        }
    }
}

impl From<&pagestore::StoreError> for EngineError {
    fn from(error: &pagestore::StoreError) -> Self {
        let text = error.to_string();
        match error {
            pagestore::StoreError::Damaged { damage, .. } if damage.is_other_file() => {
                Self::WrongFile(text)
            }
            pagestore::StoreError::Damaged { .. } => Self::Damaged(text),
            pagestore::StoreError::SnapshotTooOld { .. } => Self::SnapshotTooOld(text),
            _ if error.is_disk_full() => Self::StorageFull(text),
            pagestore::StoreError::Io {
                operation,
                path,
                source,
                ..
            } if file_hint(source.kind()).is_some() => Self::file(operation, path, source),
            _ => Self::Storage(text),
        }
    }
}
