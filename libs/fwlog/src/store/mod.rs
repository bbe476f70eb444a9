//! The seam between the log and what it is kept on.

mod fs;

use std::io;
use std::path::PathBuf;

use disk::DiskFile;

use crate::position::SegmentId;

pub use fs::FsStore;

/// Where the owner of a log keeps its segments and `fw.position`.
///
/// ```text
///   create ──► file with its content, durable under its name
///                │ write_at … sync        what was written before a sync is durable after it
///                │ set_length, sync     so is the length
///              sealed: never written again
///   write_position                        never synced; may be lost or torn, then it is not used
/// ```
///
/// Nothing here is retried, and nothing is done twice: after an error the state of the file is
/// unknown until the log was recovered.
pub trait SegmentStore: Send + Sync {
    /// All segments there are, in order. A segment that was being made when the machine crashed is
    /// not one of them.
    fn list(&self) -> io::Result<Vec<SegmentId>>;

    /// Makes a segment that begins with `content`. It must not exist. On return file and name are
    /// durable; after a crash in between there is the whole file or none.
    fn create(&self, id: SegmentId, content: &[u8]) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a segment to go on writing it.
    fn open(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a segment to read it.
    fn open_to_read(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>>;

    /// Makes the names of all segments durable: after a [`SegmentStore::create`] that failed, or did
    /// not return, a segment may be there whose name is not on the disk yet.
    fn sync_names(&self) -> io::Result<()>;

    /// Removes a segment; durable on return.
    fn remove(&self, id: SegmentId) -> io::Result<()>;

    /// The content of `fw.position`, `None` when there is none.
    fn read_position(&self) -> io::Result<Option<Vec<u8>>>;

    /// Rewrites `fw.position` in place, without a sync.
    fn write_position(&self, content: &[u8]) -> io::Result<()>;

    /// Whether `file`, which was opened as this segment, is still what a crash would find as it: not
    /// when somebody has removed, renamed or replaced it.
    fn has_name(&self, _id: SegmentId, _file: &dyn DiskFile) -> io::Result<bool> {
        Ok(true)
    }

    /// Makes the segment that lost its name once more, from the first `length` bytes of `file`, which
    /// is still open. What has the name now is moved aside. Durable on return.
    fn restore(
        &self,
        _id: SegmentId,
        _file: &dyn DiskFile,
        _length: u64,
    ) -> io::Result<Box<dyn DiskFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Writes `fw.position` once more when the file that was written last has lost its name; tells
    /// whether it had.
    fn keep_position(&self) -> io::Result<bool> {
        Ok(false)
    }

    /// Path of a segment, for messages.
    fn path(&self, id: SegmentId) -> PathBuf;

    /// Path of `fw.position`, for messages.
    fn position_path(&self) -> PathBuf;
}
