//! What a disk has to be able to do.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;

use crate::{DiskFile, FileIdentity};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read it; it must exist.
    Read,
    /// To read and write it; it must exist.
    Write,
    /// To read and write it; made with these permission bits where it is missing.
    Create(u32),
    /// The same for what is written in bulk and not needed again soon: large pieces at borders of 4 KiB go past the
    /// system's page cache, where that can be.
    CreateBulk(u32),
    /// To read and write it; it must not exist, and is made with these permission bits.
    CreateNew(u32),
}

/// The operations below [`crate::Disk`], each as the operating system has it: nothing is durable
/// before the matching sync, nothing is retried but an interrupted call.
pub trait FileSystem: Send + Sync + fmt::Debug {
    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file, made where it is missing, and locks it for as long as it is open. `None`: another
    /// holds the lock. The lock goes with its process, however that ends.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>>;

    /// Names of all that is in a directory, in no particular order.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Whether there is a file or directory of that name.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Renames a file, replacing what had the name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Renames a file to a name that nothing has: else [`io::ErrorKind::AlreadyExists`], and nothing is changed.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name. Who has it open keeps it.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The same for a file whose blocks may take long to be given back: that may happen beside the caller.
    fn remove_large(&self, path: &Path) -> io::Result<()> {
        self.remove(path)
    }

    /// Removes a directory that is empty.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory, and those above it that are missing, with these permission bits.
    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()>;

    /// Makes the names in a directory durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Which file or directory has this name now. `None`: the disk does not tell.
    fn identity(&self, _path: &Path) -> io::Result<Option<FileIdentity>> {
        Ok(None)
    }
}
