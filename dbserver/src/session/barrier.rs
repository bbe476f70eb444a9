//! What keeps a session from writing, whatever its transaction says: the role of the server, or the mode in
//! which it has its database open.

use pgtypes::SqlState;

use crate::databases::open_mode::{OpenMode, Writes};
use crate::failure::Failure;

/// Why nothing, or not everything, can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// The server is a slave.
    Slave,
    /// The mode reads only.
    Reads(OpenMode),
    /// The mode changes nothing but rows that are there.
    Updates(OpenMode),
}

impl Barrier {
    /// What stands in the way of a session with this mode; `None`: nothing.
    pub fn of(is_slave: bool, mode: Option<OpenMode>) -> Option<Self> {
        if is_slave {
            return Some(Self::Slave);
        }
        let mode = mode?;
        match mode.writes() {
            Writes::All => None,
            Writes::Updates => Some(Self::Updates(mode)),
            Writes::Nothing => Some(Self::Reads(mode)),
        }
    }

    /// Whether every transaction is read-only.
    pub fn is_complete(self) -> bool {
        match self {
            Self::Slave | Self::Reads(_) => true,
            Self::Updates(_) => false,
        }
    }

    /// Why no transaction can be read-write.
    pub fn reason(self) -> String {
        match self {
            Self::Slave => "this server is a slave".to_owned(),
            Self::Reads(mode) | Self::Updates(mode) => {
                format!("the database is open in mode {mode}")
            }
        }
    }

    /// 25006 for a command that it does not let through; `elsewhere` says where a slave's client writes.
    pub fn check(self, command: &str, elsewhere: impl FnOnce() -> String) -> Result<(), Failure> {
        let refused = |why: String, hint: String| {
            Err(Failure::new(SqlState::READ_ONLY_SQL_TRANSACTION, why).hint(hint))
        };
        let read_only = || format!("cannot execute {command} in a read-only transaction");
        match self {
            Self::Slave => refused(read_only(), elsewhere()),
            Self::Reads(mode) => refused(
                read_only(),
                format!(
                    "The database is open in mode {mode}, which only reads; options='-c eloqdb.open_mode=1' opens it for writing."
                ),
            ),
            Self::Updates(_) if updates(command) => Ok(()),
            Self::Updates(mode) => refused(
                format!("cannot execute {command} in open mode {mode}"),
                format!(
                    "Mode {mode} updates rows that are there; options='-c eloqdb.open_mode=1' opens the database for all that writes."
                ),
            ),
        }
    }
}

/// Whether a command changes nothing but rows that are there; locks are taken for that, too.
fn updates(command: &str) -> bool {
    command == "UPDATE" || command == "LOCK TABLE" || command.starts_with("SELECT")
}
