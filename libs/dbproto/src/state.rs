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
/// The server is the root of its environment: it takes no log, unless its role changes.
pub const TO_ROOT: SqlState = SqlState::REPLICATION_TO_ROOT;
/// The server was the root, and has transactions that the log of the new root does not have.
pub const LEFT_BEHIND: SqlState = SqlState::REPLICATION_LEFT_BEHIND;
/// Source and slave became the root, each for itself.
pub const TWO_ROOTS: SqlState = SqlState::REPLICATION_TWO_ROOTS;
/// The histories of source and slave do not reach back to a point that both have.
pub const NO_HISTORY: SqlState = SqlState::REPLICATION_NO_HISTORY;
/// A root and its slave have written one generation of the log, each for itself.
pub const NEEDS_REJOIN: SqlState = SqlState::REPLICATION_NEEDS_REJOIN;
/// Source and slave have one name.
pub const SAME_NAME: SqlState = SqlState::INSTANCE_SAME_NAME;
/// Two instances of a tree have one name, or run on copies of one DataDir.
pub const NAME_TAKEN: SqlState = SqlState::INSTANCE_NAME_TAKEN;
/// The server leaves databases out: nobody gets a copy of it.
pub const PARTIAL: SqlState = SqlState::REPLICATION_PARTIAL;
/// The filter of the source's dbrepl has ended, or has answered what is no answer.
pub const GATE_DOWN: SqlState = SqlState::REPLICATION_GATE_DOWN;
/// The slave is above its source: its log would come back to it.
pub const CYCLE: SqlState = SqlState::REPLICATION_CYCLE;
/// The tree of instances has as many levels as it may have.
pub const TOO_DEEP: SqlState = SqlState::PROGRAM_LIMIT_EXCEEDED;
/// The slave has another name than the source was told.
pub const NOT_EXPECTED: SqlState = SqlState::INSTANCE_NOT_EXPECTED;
/// The slave can't write its own log.
pub const IO_ERROR: SqlState = SqlState::IO_ERROR;
/// The slave's disk is full.
pub const DISK_FULL: SqlState = SqlState::DISK_FULL;
/// The slave is shutting down.
pub const ADMIN_SHUTDOWN: SqlState = SqlState::ADMIN_SHUTDOWN;
/// The slave is starting; or, from the source, its log can't be read for the moment.
pub const CANNOT_CONNECT_NOW: SqlState = SqlState::CANNOT_CONNECT_NOW;

/// What an operator does about a slave that can't go on.
pub const RESYNCHRONIZE: &str = "re-synchronize the slave: start dbrepl with --resync, which gets it the pages that differ from its master's while both run, and sets the slave's log aside as files ('dbrepl -c CFG --resync -S HOST:SERVICE' with the master's configuration; where Sources feed the slave, 'dbctl source start NAME' on the master after that)";

/// What an operator does about a slave that lacks what the log no longer has.
pub const COPY: &str = "re-synchronize the slave: dbrepl gets it the pages that it lacks by itself, unless it was started with --init never; start it, if it does not run";

/// What an operator does about a slave that has more than its master.
pub const KEEP_THE_SLAVE: &str = "what the slave has beyond that point exists nowhere else: change nothing on the slave. Only while the master is stopped, and was not started since it lost the end of its log: copy the segments that it lacks from the slave (same bytes), never over a file that is there. Else go on with the slave as the new master (Role = Master there)";

/// The same, where the master has gone on with nothing in the place of it.
pub(crate) const GO_ON_WITH_THE_SLAVE: &str = "the master has no commit behind that point (databases made there since are none: look), and what the slave has there exists nowhere else: change nothing on the slave, copy no file to the master; go on with the slave as the new master (Role = Master there), or, to give up its commits, re-synchronize it (dbrepl --resync)";

/// Both have gone on their own way.
pub const KEEP_WHAT_THE_SLAVE_HAS: &str = "copy no segment over the master's; 'dbctl rejoin --from HOST:SERVICE' on the slave, with the address of the master, takes it back to that point, and keeps as files what only it has; or keep that ('dbctl database dump' there), and re-synchronize the slave: start dbrepl with --resync, which gets it the pages that differ from its master's while both run; its log of today is set aside as files ('dbrepl -c CFG --resync -S HOST:SERVICE' with the master's configuration; where Sources feed the slave, 'dbctl source start NAME' on the master after that)";

/// Whether an error of this SQLSTATE may not come again when it is tried later: resources are short
/// (53), the server starts or stops (57P), a disk fails (58), somebody is in the way.
pub fn is_transient(sqlstate: &str) -> bool {
    ["53", "57P", "58"]
        .iter()
        .any(|class| sqlstate.starts_with(class))
        || sqlstate == IN_USE.as_str()
}
