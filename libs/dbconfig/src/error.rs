//! What can be wrong with a configuration file.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line number, from 1; none where something is missing from the whole file.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    pub(crate) fn at(line: usize, message: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            message: message.into(),
        }
    }
}

/// A configuration that can't be used. `Display` is one line a mistake: `file:line: message`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: cannot read the configuration file: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not. Not a source: the text has it already.
        reason: io::Error,
    },
    /// The file was read, and says something that is not understood or not allowed.
    #[error("{}", List { path, problems })]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All mistakes, in the order of the file.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// What to do about it, where the mistakes themselves don't say.
    pub fn hint(&self) -> Option<&'static str> {
        let Self::Read { reason, .. } = self else {
            return None;
        };
        match reason.kind() {
            io::ErrorKind::NotFound => Some(
                "-c FILE names another one, and so does the variable EQ_CONFIG; etc/ has some to begin with",
            ),
            io::ErrorKind::PermissionDenied => {
                Some("it must be readable by the user that the program runs as")
            }
            _ => None,
        }
    }

    /// The mistakes of a file that could be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Read { .. } => &[],
            Self::Invalid { problems, .. } => problems,
        }
    }
}

struct List<'a> {
    path: &'a PathBuf,
    problems: &'a [Problem],
}

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{}:", self.path.display())?;
            if let Some(line) = problem.line {
                write!(f, "{line}:")?;
            }
            write!(f, " {}", problem.message)?;
        }
        Ok(())
    }
}
