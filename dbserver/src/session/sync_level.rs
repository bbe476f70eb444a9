//! `synchronous_commit`: what a commit waits for before it is answered.

/// The levels, in PostgreSQL's order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SyncLevel {
    /// For nothing: the end of the machine, or of its log, may take it.
    Off,
    /// For the disk of this server.
    Local,
    /// For the disks of as many slaves as `SyncSlaves` asks for, too (`remote_write` and `on`: a slave writes its disk before it says
    /// that it has something).
    #[default]
    Remote,
    /// Until their readers see it, too.
    RemoteApply,
}

/// The words of the parameter.
pub(super) const WORDS: &[&str] = &["local", "remote_write", "remote_apply", "on", "off"];

impl SyncLevel {
    /// Of a value of the parameter.
    pub(super) fn of(value: Option<&str>) -> Self {
        match value {
            Some("off") => Self::Off,
            Some("local") => Self::Local,
            Some("remote_apply") => Self::RemoteApply,
            Some(_) | None => Self::Remote,
        }
    }
}
