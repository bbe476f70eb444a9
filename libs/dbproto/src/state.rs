//! SQLSTATEs that refusals use.

use pgtypes::SqlState;

/// A message broke the protocol.
pub const PROTOCOL_VIOLATION: SqlState = SqlState::PROTOCOL_VIOLATION;
/// Protocol or log format of another version.
pub const NOT_SUPPORTED: SqlState = SqlState::FEATURE_NOT_SUPPORTED;
/// The server isn't a slave, or has another page size, or a limit that is too low.
pub const PREREQUISITE: SqlState = SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE;
/// Another dbrepl feeds this slave already.
pub const IN_USE: SqlState = SqlState::OBJECT_IN_USE;
/// The slave belongs to another environment.
pub const OTHER_ENVIRONMENT: SqlState = SqlState::REPLICATION_OTHER_ENVIRONMENT;
/// The slave's log and the master's differ.
pub const DIVERGED: SqlState = SqlState::REPLICATION_DIVERGED;
/// The slave has all of the master's log, and goes on where that ends.
pub const AHEAD: SqlState = SqlState::REPLICATION_AHEAD;
/// What arrived doesn't continue the slave's log: a hash, a checksum or a border is wrong.
pub const DAMAGED: SqlState = SqlState::REPLICATION_DAMAGED;
/// The master's log doesn't hold what the slave needs next.
pub const LOG_MISSING: SqlState = SqlState::REPLICATION_LOG_MISSING;
/// The source keeps no forward log: there is nothing more to send.
pub const LOG_OFF: SqlState = SqlState::REPLICATION_LOG_OFF;
/// The source's log is damaged where the slave needs it next.
pub const SOURCE_DAMAGED: SqlState = SqlState::REPLICATION_SOURCE_DAMAGED;
/// The slave can't write its own log.
pub const IO_ERROR: SqlState = SqlState::IO_ERROR;
/// The slave's disk is full.
pub const DISK_FULL: SqlState = SqlState::DISK_FULL;
/// The slave is shutting down.
pub const ADMIN_SHUTDOWN: SqlState = SqlState::ADMIN_SHUTDOWN;
/// The slave is starting; or, from the source, its log can't be read for the moment.
pub const CANNOT_CONNECT_NOW: SqlState = SqlState::CANNOT_CONNECT_NOW;

/// What an operator does about a slave that can't go on.
pub const RESYNCHRONIZE: &str = "re-synchronize the slave: stop it, move its DataDir and its log directory aside, stop the master cleanly ('dbctl shutdown'), copy the master's DataDir to the slave's, make an empty log directory for the slave (mkdir -m 700 DIR), start both servers and dbrepl";

/// What an operator does about a slave that has more than its master.
pub(crate) const KEEP_THE_SLAVE: &str = "what the slave has beyond that point exists nowhere else: change nothing on the slave; bring the missing end of the log back to the master (the slave's segment files have the same bytes), or go on with the slave as the new master";

/// Whether an error of this SQLSTATE may not come again when it is tried later: resources are short
/// (53), the server starts or stops (57P), a disk fails (58), somebody is in the way.
pub fn is_transient(sqlstate: &str) -> bool {
    ["53", "57P", "58"]
        .iter()
        .any(|class| sqlstate.starts_with(class))
        || sqlstate == IN_USE.as_str()
}
