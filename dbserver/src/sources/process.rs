//! How the one dbrepl is that the sources run in.

use std::time::{Duration, Instant};

/// See the drawing at [`super::supervisor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Process {
    None,
    Starts { pid: Option<u32> },
    Runs { pid: u32, since: Instant },
    Leaves { pid: Option<u32> },
    Failed { why: String, again: Instant },
}

impl Process {
    /// Its number, where one runs.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Starts { pid } | Self::Leaves { pid } => *pid,
            Self::Runs { pid, .. } => Some(*pid),
            Self::None | Self::Failed { .. } => None,
        }
    }

    /// Why a source waits for it.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::None | Self::Starts { .. } | Self::Runs { .. } => "dbrepl is started".to_owned(),
            Self::Leaves { .. } => "the dbrepl before ends".to_owned(),
            Self::Failed { why, .. } => format!("{why}; it is started again"),
        }
    }
}

/// As orders have it.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
