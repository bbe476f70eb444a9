//! The end of the segment that is being written: by the writer on a master, by the mirror on a
//! slave.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::DiskFile;

use crate::damage::{During, IoFailure};
use crate::durable_end::Durable;
use crate::header::{HEADER_SIZE, SegmentHeader};
use crate::position::Position;
use crate::seal::SEAL_SIZE;
use crate::segment_end::SegmentEnd;
use crate::store::SegmentStore;

/// A write of a sixteenth of what is allocated ahead, or more, has so much to sync that the file's new
/// length does not matter beside it; zeros would double what the disk has to take.
const LARGE: u64 = 16;

/// Zeros are written in pieces of this size.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// An open segment, and where it ends.
///
/// ```text
///  header, blocks          end        allocated
///  ├───────────────────────┼──────────────┤
///                          │ zeros, written ahead: a sync of a block within them has no metadata
///                          │ to write
/// ```
pub(crate) struct Tail {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    header: SegmentHeader,
    end: SegmentEnd,
    sealed: bool,
    allocated: u64,
    preallocate: u64,
}

impl Tail {
    /// Makes a new segment with these first blocks, which lead to `end`; durable on return.
    pub(crate) fn create(
        store: &SegmentStore,
        header: SegmentHeader,
        first_blocks: &[u8],
        end: SegmentEnd,
        preallocate: u64,
    ) -> Result<Self, IoFailure> {
        let path = store.path(header.id);
        let length = (HEADER_SIZE + first_blocks.len()) as u64;
        assert_eq!(
            end.point.position,
            Position::new(header.id, length),
            "a position is the number of bytes before it (invariant 5)"
        );
        let content = [&header.encode()[..], first_blocks].concat();
        let file = store.create(header.id, &content).during("create", &path)?;
        Ok(Self {
            file: file.into(),
            path,
            header,
            end,
            sealed: false,
            allocated: length,
            preallocate,
        })
    }

    /// Goes on with a segment that was verified up to `end`, and has nothing but zeros behind it; or
    /// nothing but its seal.
    pub(crate) fn resume(
        store: &SegmentStore,
        header: SegmentHeader,
        end: SegmentEnd,
        sealed: bool,
        preallocate: u64,
    ) -> Result<Self, IoFailure> {
        let path = store.path(header.id);
        let file = store.open(header.id).during("open", &path)?;
        let allocated = file.length().during("read the length of", &path)?;
        Ok(Self {
            file: file.into(),
            path,
            header,
            end,
            sealed,
            allocated,
            preallocate,
        })
    }

    /// Writes whole blocks that lead to `end`. Not durable before [`Tail::sync`].
    pub(crate) fn write(&mut self, bytes: &[u8], end: SegmentEnd) -> Result<(), IoFailure> {
        assert!(!self.sealed, "nothing is ever written behind a seal");
        let from = self.end.point.position.offset;
        let offset = from + bytes.len() as u64;
        assert_eq!(
            end.point.position,
            Position::new(self.header.id, offset),
            "a position is the number of bytes before it (invariant 5)"
        );
        assert!(
            end.last_commit >= self.end.last_commit,
            "commits ascend along the log (invariant 3)"
        );
        self.file
            .write_at(from, bytes)
            .during("write", &self.path)?;
        self.end = end;
        if offset > self.allocated {
            self.allocated = offset;
            if (bytes.len() as u64) < self.preallocate / LARGE {
                self.allocate_ahead()?;
            }
        }
        Ok(())
    }

    /// Writes zeros behind the end. That the disk has no room for them is no failure yet.
    fn allocate_ahead(&mut self) -> Result<(), IoFailure> {
        let target = self.allocated.saturating_add(self.preallocate);
        while self.allocated < target {
            let missing = usize::try_from(target - self.allocated).unwrap_or(usize::MAX);
            let zeros = ZEROS.get(..missing).unwrap_or(&ZEROS);
            match self
                .file
                .write_at(self.allocated, zeros)
                .during("write", &self.path)
            {
                Ok(()) => self.allocated += zeros.len() as u64,
                Err(failure) if failure.is_disk_full() => return Ok(()),
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    pub(crate) fn sync(&self) -> Result<(), IoFailure> {
        self.file.sync().during("sync", &self.path)
    }

    /// A sync of all that is written up to now.
    pub(crate) fn pending_sync(&self) -> PendingSync {
        PendingSync {
            file: Arc::clone(&self.file),
            path: self.path.clone(),
            durable: self.durable(),
        }
    }

    /// Seals the segment where it ends; durable on return.
    pub(crate) fn seal(&mut self) -> Result<(), IoFailure> {
        assert!(!self.sealed, "a segment is sealed once");
        let seal = self.end.seal(&self.header);
        let at = seal.length;
        // The blocks first: a seal must never be on the disk without them.
        self.sync()?;
        self.file
            .write_at(at, &seal.encode())
            .during("write", &self.path)?;
        self.file
            .set_length(at + SEAL_SIZE as u64)
            .during("cut", &self.path)?;
        self.sync()?;
        self.sealed = true;
        Ok(())
    }

    /// What is synced counts only while a crash would find it: under the segment's name. When the file
    /// has lost that, the segment is written once more; tells whether it was. Call it after a sync.
    pub(crate) fn keep_name(&mut self, store: &SegmentStore) -> Result<bool, IoFailure> {
        let id = self.header.id;
        let named = store.has_name(&self.path, self.file.as_ref());
        if named.during("look for", &self.path)? {
            return Ok(false);
        }
        let seal = if self.sealed { SEAL_SIZE as u64 } else { 0 };
        let length = self.end.point.position.offset + seal;
        self.file = store
            .restore(id, self.file.as_ref(), length)
            .during("restore", &self.path)?
            .into();
        self.allocated = length;
        Ok(true)
    }

    /// Path of the segment.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(crate) fn end(&self) -> SegmentEnd {
        self.end
    }

    pub(crate) fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The durable end, if everything written is durable.
    pub(crate) fn durable(&self) -> Durable {
        self.end.durable(&self.header, self.sealed)
    }
}

/// A sync of what was written to a segment, to be done wherever it holds nobody up: more may be written
/// meanwhile.
#[derive(Debug)]
pub struct PendingSync {
    file: Arc<dyn DiskFile>,
    pub(crate) path: PathBuf,
    /// What is durable after it.
    pub(crate) durable: Durable,
}

impl PendingSync {
    /// Syncs; this takes as long as the disk does.
    pub fn run(&self) -> Result<(), IoFailure> {
        self.file.sync().during("sync", &self.path)
    }
}
