//! One open file.

use std::fmt;
use std::io;

/// Tells a file or directory from all others that there are at the same time: a name may go to
/// another file, this stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// The file system.
    pub device: u64,
    /// The file in it. It may be given again once nobody has the file open and it has no name.
    pub inode: u64,
}

/// One open file, used at offsets; it has no position of its own. Dropping it closes it.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`; the file grows when it has to, with zeros between. After an
    /// error any part of them may be written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written so far durable, and the length with it (`fdatasync`). After an
    /// error nothing is known of what was written since the last sync, and another sync does not
    /// tell either: it has to be written again.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file, or lengthens it with zeros. Durable after the next [`DiskFile::sync`].
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Length of the file in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Which file this is. `None`: the disk does not tell.
    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        Ok(None)
    }

    /// Reads exactly `buffer.len()` bytes at `offset`; an earlier end of the file is
    /// [`io::ErrorKind::UnexpectedEof`].
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let count = self.read_at(offset, buffer)?;
        if count == buffer.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}
