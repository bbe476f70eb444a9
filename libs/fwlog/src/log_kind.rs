//! What a log is for.

use std::fmt;

use crate::layout::header::{AUDIT_VERSION, FORMAT_VERSION};

/// What a log holds. Each segment says it, by the version in its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogKind {
    /// Everything that is committed: databases are recovered from it, and slaves are made from it.
    #[default]
    Forward,
    /// Audit records alone, copied from the log of the commits that they belong to.
    Audit,
}

impl LogKind {
    /// What stands in the header.
    pub(crate) fn version(self) -> u32 {
        match self {
            Self::Forward => FORMAT_VERSION,
            Self::Audit => AUDIT_VERSION,
        }
    }

    /// `None` for a version that is not known here.
    pub(crate) fn of_version(version: u32) -> Option<Self> {
        let all = [Self::Forward, Self::Audit];
        all.into_iter().find(|kind| kind.version() == version)
    }
}

impl fmt::Display for LogKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "a forward log",
            Self::Audit => "a log of audit records alone (AuditOnly)",
        })
    }
}
