//! SQLSTATEs that refusals use.

/// A message broke the protocol.
pub const PROTOCOL_VIOLATION: &str = "08P01";
/// Protocol or log format of another version.
pub const NOT_SUPPORTED: &str = "0A000";
/// The server isn't a slave, or has another page size, or a limit that is too low.
pub const PREREQUISITE: &str = "55000";
/// Another dbrepl feeds this slave already.
pub const IN_USE: &str = "55006";
/// The slave belongs to another environment.
pub const OTHER_ENVIRONMENT: &str = "R0001";
/// The slave's log and the master's differ.
pub const DIVERGED: &str = "R0002";
/// What arrived doesn't continue the slave's log: a hash, a checksum or a border is wrong.
pub const DAMAGED: &str = "R0003";
/// The master's log doesn't hold what the slave needs next.
pub const LOG_MISSING: &str = "R0004";
/// The slave can't write its own log.
pub const IO_ERROR: &str = "58030";
/// The slave's disk is full.
pub const DISK_FULL: &str = "53100";
/// The slave is shutting down.
pub const ADMIN_SHUTDOWN: &str = "57P01";
/// The slave is starting.
pub const CANNOT_CONNECT_NOW: &str = "57P03";

/// What an operator does about a slave that can't go on.
pub(crate) const RESYNCHRONIZE: &str = "re-synchronize the slave: stop it, keep its forward-log files aside, and start it on a copy of the master's DataDir made after a clean stop";

/// Whether an error of this SQLSTATE may not come again when it is tried later: resources are short
/// (53), the server starts or stops (57P), a disk fails (58), somebody is in the way.
pub fn is_transient(sqlstate: &str) -> bool {
    ["53", "57P", "58"]
        .iter()
        .any(|class| sqlstate.starts_with(class))
        || sqlstate == IN_USE
}
