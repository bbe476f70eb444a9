//! What is done to the disk, as hooks, faults and the trace see it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A kind of operation. The length of an open file is no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Open a file that is there.
    Open,
    /// Open a file that is made.
    Create,
    /// Open a file, or make it, and lock it.
    Lock,
    /// Read the names in a directory.
    List,
    /// Ask whether there is something of that name.
    Exists,
    /// Read from a file.
    Read,
    /// Write into a file.
    Write,
    /// Sync a file.
    Sync,
    /// Cut or lengthen a file.
    SetLength,
    /// Rename a file.
    Rename,
    /// Remove a file's name.
    Remove,
    /// Make a directory.
    MakeDirectory,
    /// Sync the names in a directory.
    SyncDirectory,
}

impl Kind {
    /// The kinds that change something, or make it durable.
    pub const CHANGES: &'static [Self] = &[
        Self::Create,
        Self::Write,
        Self::Sync,
        Self::SetLength,
        Self::Rename,
        Self::Remove,
        Self::MakeDirectory,
        Self::SyncDirectory,
    ];

    /// Whether it is one of [`Kind::CHANGES`].
    pub fn changes(self) -> bool {
        Self::CHANGES.contains(&self)
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Lock => "lock",
            Self::List => "list",
            Self::Exists => "exists",
            Self::Read => "read",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::SetLength => "set length of",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::MakeDirectory => "make directory",
            Self::SyncDirectory => "sync directory",
        }
    }
}

/// One process of the simulated machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub(crate) u32);

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.0)
    }
}

/// One operation, about to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Operations of a disk are numbered from 0.
    pub number: u64,
    /// Who does it.
    pub process: ProcessId,
    /// What is done.
    pub kind: Kind,
    /// To which file or directory; the present name of an open file.
    pub path: Arc<Path>,
    /// The new name, for a rename.
    pub to: Option<Arc<Path>>,
    /// Where in the file; for [`Kind::SetLength`] the new length.
    pub offset: u64,
    /// How many bytes are read or written.
    pub length: usize,
}

impl Operation {
    /// Whether it is about something in this directory, or below it.
    pub fn is_under(&self, directory: &Path) -> bool {
        let to = self.to.as_deref();
        self.path.starts_with(directory) || to.is_some_and(|to| to.starts_with(directory))
    }
}

/// `17 p1 write /log/fw-1-1 128+512`
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(
            f,
            "{} {} {} {path}",
            self.number,
            self.process,
            self.kind.verb()
        )?;
        match (self.kind, &self.to) {
            (_, Some(to)) => write!(f, " to {}", to.display()),
            (Kind::Read | Kind::Write, _) => write!(f, " {}+{}", self.offset, self.length),
            (Kind::SetLength, _) => write!(f, " {}", self.offset),
            _ => Ok(()),
        }
    }
}
