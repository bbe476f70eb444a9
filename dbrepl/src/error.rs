//! What ends dbrepl, or one attempt of it: a message, a hint and an exit code.

use std::fmt;
use std::time::Duration;

use dbproto::{Refuse, Standing, in_one_line, state};
use fwlog::{LogPoint, SegmentId};
use link::LinkError;
use pgtypes::SqlState;

/// A slave that is starting may have to recover first.
const STARTING: Duration = Duration::from_mins(1);

/// The connection of a dbrepl that has just ended may still be open at the slave.
pub(crate) const LEAVING: Duration = Duration::from_secs(3);

/// What to do where something else answers.
const IS_IT_A_SERVER: &str = "is this the service port of an eloqdb server?";

/// What to do about a user or a password that the slave does not take.
const CHECK_LOGIN: &str = "check user and password (-u, --password-file, EQ_DBUSER, EQ_DBPASSWORD); \
                           once a slave has taken over a master's log, its users are the master's";

/// What to do where there is no password.
pub(crate) const GIVE_PASSWORD: &str = "give it with --password-file or in EQ_DBPASSWORD";

/// Who logs in for a source of a server, and with what.
const LOGIN_OF_SOURCES: &str = "PeerUser and PeerPasswordFile in section [Replication] of the eloqdb.cfg here say who logs in; with SourcesConfig there user and password-file in that file do";

/// Exit codes of dbrepl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// It did what was asked.
    Done = 0,
    /// An error that none of the others names.
    Error = 1,
    /// The command line or a configuration file is wrong.
    Usage = 2,
    /// The slave can't be reached.
    Unreachable = 3,
    /// The slave refused access.
    Access = 4,
    /// The slave must be re-synchronized.
    NoSynchronizationPoint = 5,
}

impl ExitCode {
    /// What it means, in the words of the page on replication.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "error",
            Self::Usage => "usage or configuration",
            Self::Unreachable => "slave can't be reached",
            Self::Access => "access refused",
            Self::NoSynchronizationPoint => "no synchronization point",
        }
    }
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It needs a person.
    Never,
    /// A connection was lost or refused: when following, try again.
    WhenFollowing,
    /// The slave said that it is not ready yet: try again in any case, for so long.
    For(Duration),
    /// Somebody may bring back what is missing from the log: when following, try again when it is
    /// there.
    OnceBack(MissingLog),
}

/// What is missing from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingLog {
    /// What follows this point; `None` is the log's beginning.
    Point(Option<LogPoint>),
    /// The segment after this one.
    After(SegmentId),
}

/// Why dbrepl, or one attempt of it, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShipError {
    /// For the shell.
    pub code: ExitCode,
    /// Whether to try again.
    pub retry: Retry,
    /// What it says of the slave; `None`: nothing, another dbrepl feeds it.
    pub standing: Option<Standing>,
    /// One sentence.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// The operator's filter does not let the log through.
    by_filter: bool,
    /// What of the slave more follows from than from the rest.
    slave: Word,
}

/// What a slave has said of itself in a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Nothing of these.
    Other,
    /// It is the root.
    Root,
    /// It was a root, and keeps transactions that its root has not.
    LeftBehind,
    /// It stops, or becomes something else.
    Stops,
}

impl ShipError {
    /// A failure that needs a person.
    pub fn new(code: ExitCode, message: impl Into<String>) -> Self {
        Self {
            code,
            retry: Retry::Never,
            standing: Some(Standing::NotConnected),
            message: message.into(),
            hint: String::new(),
            by_filter: false,
            slave: Word::Other,
        }
    }

    /// A mistake in the command line or a configuration.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// The slave isn't there, or no longer.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Unreachable, message)
            .retry(Retry::WhenFollowing)
            .hint("look after the slave's server and the line to it")
    }

    /// Something on this machine that may come right by itself.
    pub fn passing(message: impl Into<String>) -> Self {
        Self::new(ExitCode::Error, message)
            .retry(Retry::WhenFollowing)
            .hint("look at the disk of the master's log")
    }

    /// Whether the slave is the root: it is fed once it is a slave.
    pub fn is_to_root(&self) -> bool {
        self.slave == Word::Root
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Says how the slave stands.
    #[must_use]
    pub fn standing(mut self, standing: Standing) -> Self {
        self.standing = Some(standing);
        self
    }

    /// It is the operator's filter that does not let the log through: the slave is told so.
    #[must_use]
    pub fn by_filter(mut self) -> Self {
        self.by_filter = true;
        self
    }

    /// Says whether trying again can help.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The same for the operator of a server that runs this dbrepl: its configuration says who logs in.
    #[must_use]
    pub fn for_server(mut self) -> Self {
        match self.hint.as_str() {
            GIVE_PASSWORD => LOGIN_OF_SOURCES.clone_into(&mut self.hint),
            CHECK_LOGIN => {
                self.hint = format!(
                    "{LOGIN_OF_SOURCES}; once a slave has taken over a master's log, its users are the master's"
                );
            }
            _ => {}
        }
        self
    }

    /// What, and what to do about it, in one line.
    pub fn in_full(&self) -> String {
        in_one_line(&self.message, &self.hint)
    }

    /// What the slave's operator is told of a failure on this side; `None` where the slave has said it itself, or
    /// can't be told.
    pub fn for_slave(&self) -> Option<Refuse> {
        let state = match (self.standing?, self.code) {
            _ if self.by_filter => state::GATE_DOWN,
            (Standing::LogOff, _) => state::LOG_OFF,
            (Standing::LogMissing, _) => state::LOG_MISSING,
            (Standing::LogDamaged, _) => state::SOURCE_DAMAGED,
            (Standing::NotConnected, ExitCode::Error) => state::CANNOT_CONNECT_NOW,
            _ => return None,
        };
        Some(Refuse::new(state, &self.message).hint(&self.hint))
    }

    /// What an SQL error at start-up means.
    pub fn from_error_response(sqlstate: &str, message: &str, hint: &str) -> Self {
        let failure = match SqlState::from_code(sqlstate) {
            Some(SqlState::INSUFFICIENT_PRIVILEGE) => {
                Self::new(ExitCode::Access, format!("access refused: {message}"))
                    .hint("replication needs the privileges of dba or operator")
                    .standing(Standing::Refused)
            }
            _ if sqlstate.starts_with("28") => {
                Self::new(ExitCode::Access, format!("access refused: {message}"))
                    .hint(CHECK_LOGIN)
                    .standing(Standing::Refused)
            }
            Some(SqlState::CANNOT_CONNECT_NOW) => {
                Self::unreachable(format!("the slave is not ready: {message}"))
                    .retry(Retry::For(STARTING))
            }
            _ if state::is_transient(sqlstate) => {
                Self::unreachable(format!("the slave refused the connection: {message}"))
            }
            _ => Self::new(
                ExitCode::Error,
                format!("the slave refused: {message} ({sqlstate})"),
            )
            .standing(Standing::Refused),
        };
        if hint.is_empty() {
            failure
        } else {
            failure.hint(hint)
        }
    }

    /// Whether the slave has said that it stops, or becomes something else: nothing was wrong with it.
    pub fn is_farewell(&self) -> bool {
        self.slave == Word::Stops
    }

    /// The slave's point was found in the log before: whatever the slave keeps, the two have not left one another, and no
    /// copy helps. It has no place here until that is settled.
    #[must_use]
    pub fn behind_a_common_point(mut self) -> Self {
        if self.slave == Word::LeftBehind {
            self.standing = Some(Standing::Refused);
            self.retry = Retry::WhenFollowing;
        }
        self
    }

    /// What a refusal inside the conversation means.
    pub fn from_refuse(refuse: &Refuse) -> Self {
        let code = match SqlState::from_code(&refuse.sqlstate) {
            Some(
                state::DIVERGED
                | state::LEFT_BEHIND
                | state::NO_HISTORY
                | state::NEEDS_REJOIN
                | state::TWO_ROOTS
                | state::AHEAD
                | state::LOG_MISSING
                | state::LOG_OFF
                | state::PARTIAL
                | state::OTHER_ENVIRONMENT,
            ) => ExitCode::NoSynchronizationPoint,
            Some(
                state::PREREQUISITE
                | state::TO_ROOT
                | state::SAME_NAME
                | state::NAME_TAKEN
                | state::CYCLE
                | state::TOO_DEEP
                | state::NOT_EXPECTED,
            ) => ExitCode::Usage,
            Some(SqlState::INSUFFICIENT_PRIVILEGE) => ExitCode::Access,
            _ if refuse.sqlstate.starts_with("28") => ExitCode::Access,
            _ => ExitCode::Error,
        };
        let mut failure = Self::new(code, refuse.to_string()).hint(refuse.hint.clone());
        failure.standing = Standing::of_refusal(refuse);
        failure.slave = match SqlState::from_code(&refuse.sqlstate) {
            Some(state::TO_ROOT) => Word::Root,
            Some(state::LEFT_BEHIND) => Word::LeftBehind,
            Some(state::ADMIN_SHUTDOWN) => Word::Stops,
            _ => Word::Other,
        };
        if refuse.sqlstate == state::IN_USE {
            failure.retry = Retry::For(LEAVING);
            if failure.hint.is_empty() {
                "it keeps the slave up-to-date; stop it first, or this one"
                    .clone_into(&mut failure.hint);
            }
        } else if has_no_place(refuse) || refuse.sqlstate == state::AHEAD {
            // Once its role or its place changes it is fed; and once the source has the end of its log back.
            failure.retry = Retry::WhenFollowing;
        } else if refuse.is_transient() {
            failure.retry = Retry::WhenFollowing;
            if failure.code == ExitCode::Error && refuse.sqlstate.starts_with("57P") {
                failure.code = ExitCode::Unreachable;
            }
        }
        failure
    }
}

/// It is the root, or has no place below the source: once its role or the tree is another one it is fed.
fn has_no_place(refuse: &Refuse) -> bool {
    [
        state::TO_ROOT,
        state::NAME_TAKEN,
        state::CYCLE,
        state::TOO_DEEP,
    ]
    .iter()
    .any(|state| refuse.sqlstate == *state)
}

/// Whether the tree of instances has no place for the server at present.
pub(crate) fn waits_for_place(failure: &ShipError) -> bool {
    failure.code == ExitCode::Usage && failure.retry == Retry::WhenFollowing
}

/// Whether the slave has said that another dbrepl feeds it.
pub(crate) fn is_in_use(failure: &ShipError) -> bool {
    failure.retry == Retry::For(LEAVING)
}

impl fmt::Display for ShipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\nhint: {}", self.hint)?;
        }
        Ok(())
    }
}

impl std::error::Error for ShipError {}

/// In the words of who feeds a slave.
impl From<LinkError> for ShipError {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Left(what) => Self::unreachable(format!("the slave {what}")),
            LinkError::Lost(why) => {
                Self::unreachable(format!("the connection to the slave was lost: {why}"))
            }
            LinkError::Told {
                sqlstate,
                message,
                hint,
            } => Self::from_error_response(&sqlstate, &message, &hint),
            LinkError::NoPassword { .. } => Self::new(
                ExitCode::Access,
                format!("access refused: the slave {error}"),
            )
            .hint(GIVE_PASSWORD),
            LinkError::UnknownAuthentication => Self::new(
                ExitCode::Access,
                "access refused: the slave asks for a kind of authentication that dbrepl does not know",
            )
            .hint("dbrepl knows SCRAM-SHA-256 and trust"),
            LinkError::Unproved => Self::new(ExitCode::Access, format!("the slave {error}"))
                .hint("something else may answer at this address"),
            LinkError::Unreadable(why) => Self::new(
                ExitCode::Error,
                format!("the slave's answer to the start-up can't be understood: {why}"),
            )
            .hint(IS_IT_A_SERVER),
            LinkError::ImpossibleLength { .. } => {
                Self::new(ExitCode::Error, format!("the slave {error}")).hint(IS_IT_A_SERVER)
            }
            LinkError::OddUser => Self::usage("the user name can't hold a zero byte"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_up_errors_have_the_exit_codes_of_the_table() {
        for (sqlstate, code, retry) in [
            ("28P01", ExitCode::Access, Retry::Never),
            ("28000", ExitCode::Access, Retry::Never),
            ("42501", ExitCode::Access, Retry::Never),
            ("57P03", ExitCode::Unreachable, Retry::For(STARTING)),
            ("53300", ExitCode::Unreachable, Retry::WhenFollowing),
            ("58030", ExitCode::Unreachable, Retry::WhenFollowing),
            ("XX000", ExitCode::Error, Retry::Never),
        ] {
            let failure = ShipError::from_error_response(sqlstate, "m", "");
            assert_eq!((failure.code, failure.retry), (code, retry), "{sqlstate}");
        }
    }

    #[test]
    fn a_source_of_a_server_is_told_which_keys_say_who_logs_in() {
        let none = ShipError::new(ExitCode::Access, "x").hint(GIVE_PASSWORD);
        let wrong = ShipError::from_error_response("28P01", "m", "");
        for failure in [none, wrong] {
            let told = failure.for_server().hint;
            assert!(told.contains("PeerPasswordFile") && told.contains("SourcesConfig"));
            assert!(!told.contains("EQ_DBPASSWORD"), "{told}");
        }
        let other = ShipError::unreachable("x");
        assert_eq!(other.clone().for_server(), other);
    }

    #[test]
    fn the_page_on_replication_lists_every_exit_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/replication.md");
        let page = std::fs::read_to_string(path).unwrap();
        let table = page
            .lines()
            .skip_while(|line| !line.starts_with("| code |"))
            .skip(2);
        let listed: Vec<_> = table
            .take_while(|line| line.starts_with('|'))
            .filter_map(|line| line.split('|').nth(1)?.trim().parse::<u8>().ok())
            .collect();
        let all = [
            ExitCode::Done,
            ExitCode::Error,
            ExitCode::Usage,
            ExitCode::Unreachable,
            ExitCode::Access,
            ExitCode::NoSynchronizationPoint,
        ];
        assert_eq!(listed, all.map(|code| code as u8));
    }

    #[test]
    fn refusals_have_the_exit_codes_of_the_table() {
        for (sqlstate, code, retry) in [
            (
                state::DIVERGED,
                ExitCode::NoSynchronizationPoint,
                Retry::Never,
            ),
            (
                state::OTHER_ENVIRONMENT,
                ExitCode::NoSynchronizationPoint,
                Retry::Never,
            ),
            (
                state::LEFT_BEHIND,
                ExitCode::NoSynchronizationPoint,
                Retry::Never,
            ),
            (
                state::TWO_ROOTS,
                ExitCode::NoSynchronizationPoint,
                Retry::Never,
            ),
            (
                state::PARTIAL,
                ExitCode::NoSynchronizationPoint,
                Retry::Never,
            ),
            (state::PREREQUISITE, ExitCode::Usage, Retry::Never),
            (state::TO_ROOT, ExitCode::Usage, Retry::WhenFollowing),
            (state::SAME_NAME, ExitCode::Usage, Retry::Never),
            (state::NAME_TAKEN, ExitCode::Usage, Retry::WhenFollowing),
            (state::CYCLE, ExitCode::Usage, Retry::WhenFollowing),
            (state::TOO_DEEP, ExitCode::Usage, Retry::WhenFollowing),
            (
                state::ADMIN_SHUTDOWN,
                ExitCode::Unreachable,
                Retry::WhenFollowing,
            ),
            (state::DISK_FULL, ExitCode::Error, Retry::WhenFollowing),
            (state::IN_USE, ExitCode::Error, Retry::For(LEAVING)),
            (state::DAMAGED, ExitCode::Error, Retry::Never),
        ] {
            let failure = ShipError::from_refuse(&Refuse::new(sqlstate, "m"));
            assert_eq!((failure.code, failure.retry), (code, retry), "{sqlstate}");
        }
    }
}
