//! How a command fails: an exit code and what a person reads.

use std::fmt;
use std::io;

use dbconfig::ConfigError;
use pgtypes::SqlState;

/// The exit codes of dbctl. They are part of the interface: scripts depend on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server or the disk said no.
    Error = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// No server answered, or it went away.
    Unreachable = 3,
    /// The server does not let this user do this.
    Refused = 4,
    /// A source was given up: a person is needed.
    SourceRefused = 5,
    /// Ctrl-C, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// What is asked for is not in the repository: no backup before it, a gap, the log ends earlier.
    pub(crate) const NOT_THERE: Self = Self::SourceRefused;
    /// What `replication check` ends with where replication stands still, as monitors want it.
    pub(crate) const CRITICAL: Self = Self::Usage;
    /// What it ends with where nothing can be said of replication: a wrong password, wrong words.
    pub(crate) const UNKNOWN: Self = Self::Unreachable;
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub(crate) struct CommandError {
    pub(crate) exit: Exit,
    /// The line that says what happened.
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
    /// The way out.
    pub(crate) hint: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, CommandError>;

impl CommandError {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            detail: None,
            hint: None,
        }
    }

    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::new(Exit::Error, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unreachable, message)
    }

    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// The same, of what was found in a file.
    pub(crate) fn in_file(mut self, path: &std::path::Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self
    }

    /// The same with the state that scripts know it by, as a server would have told it.
    pub(crate) fn with_state(mut self, state: SqlState) -> Self {
        self.message = format!("{} ({state})", self.message);
        self
    }

    /// The end of a command that has printed all there is to say.
    pub(crate) fn told(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// Whether there is something to say.
    pub(crate) fn is_told(&self) -> bool {
        self.message.is_empty()
    }

    /// A failed operation on a file: what was tried, with which path.
    pub(crate) fn io(doing: &str, path: &std::path::Path, error: &io::Error) -> Self {
        let reason = disk::reason(error);
        Self::error(format!("cannot {doing} {}: {reason}", path.display()))
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(crate) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// The same failure with a place in front of its message.
    pub(crate) fn at(self, place: &str) -> Self {
        Self {
            message: format!("{place}: {}", self.message),
            ..self
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(detail) = &self.detail {
            write!(f, "\n  detail: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<ConfigError> for CommandError {
    fn from(error: ConfigError) -> Self {
        let failure = Self::usage(error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
