//! The end of the segment that is being written: by the writer on a master, by the mirror on a
//! slave.

use std::path::PathBuf;

use disk::DiskFile;

use crate::damage::{During, IoFailure};
use crate::durable_end::Durable;
use crate::header::{Follows, SegmentHeader};
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position};
use crate::seal::{SEAL_SIZE, Seal};
use crate::store::SegmentStore;
use crate::timestamp::Timestamp;

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
    file: Box<dyn DiskFile>,
    path: PathBuf,
    header: SegmentHeader,
    pub(crate) end: LogPoint,
    pub(crate) last_commit: CommitNumber,
    pub(crate) time: Timestamp,
    pub(crate) sealed: bool,
    allocated: u64,
    preallocate: u64,
}

impl Tail {
    /// Makes a new segment with these first blocks; durable on return. The caller says where they
    /// end.
    pub(crate) fn create(
        store: &SegmentStore,
        header: SegmentHeader,
        first_blocks: &[u8],
        preallocate: u64,
    ) -> Result<Self, IoFailure> {
        let path = store.path(header.id);
        let content = [&header.encode()[..], first_blocks].concat();
        let file = store.create(header.id, &content).during("create", &path)?;
        let end = header.start();
        Ok(Self {
            file,
            path,
            end,
            last_commit: header.last_commit,
            time: header.created,
            sealed: false,
            allocated: content.len() as u64,
            preallocate,
            header,
        })
    }

    /// Goes on with a segment that was verified up to `end`, and has nothing but zeros behind it.
    pub(crate) fn resume(
        store: &SegmentStore,
        header: SegmentHeader,
        at: ResumeAt,
        preallocate: u64,
    ) -> Result<Self, IoFailure> {
        let path = store.path(header.id);
        let file = store.open(header.id).during("open", &path)?;
        let allocated = file.length().during("read the length of", &path)?;
        let ResumeAt {
            end,
            last_commit,
            time,
            sealed,
        } = at;
        Ok(Self {
            file,
            path,
            header,
            end,
            last_commit,
            time,
            sealed,
            allocated,
            preallocate,
        })
    }

    /// Writes whole blocks that lead to `end`. Not durable before [`Tail::sync`].
    pub(crate) fn write(&mut self, bytes: &[u8], end: LogPoint) -> Result<(), IoFailure> {
        assert!(!self.sealed, "nothing is ever written behind a seal");
        let from = self.end.position.offset;
        assert!(end.position == Position::new(self.header.id, from + bytes.len() as u64));
        self.file
            .write_at(from, bytes)
            .during("write", &self.path)?;
        self.end = end;
        if end.position.offset > self.allocated {
            self.allocated = end.position.offset;
            self.allocate_ahead()?;
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

    /// Seals the segment where it ends; durable on return.
    pub(crate) fn seal(&mut self) -> Result<(), IoFailure> {
        let seal = self.seal_here();
        let at = self.end.position.offset;
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
        let named = store.has_name(id, self.file.as_ref());
        if named.during("look for", &self.path)? {
            return Ok(false);
        }
        let seal = if self.sealed { SEAL_SIZE as u64 } else { 0 };
        let length = self.end.position.offset + seal;
        self.file = store
            .restore(id, self.file.as_ref(), length)
            .during("restore", &self.path)?;
        self.allocated = length;
        Ok(true)
    }

    /// The seal of the segment as it is now.
    pub(crate) fn seal_here(&self) -> Seal {
        Seal {
            length: self.end.position.offset,
            first_commit: self.header.last_commit.next(),
            last_commit: self.last_commit,
            chain: self.end.hash,
        }
    }

    pub(crate) fn header(&self) -> &SegmentHeader {
        &self.header
    }

    pub(crate) fn log_bytes(&self) -> u64 {
        self.log_bytes_at(self.end.position.offset)
    }

    /// Bytes of log up to this offset of the segment.
    pub(crate) fn log_bytes_at(&self, offset: u64) -> u64 {
        self.header.log_bytes.saturating_add(offset)
    }

    /// What the segment after this one goes on from.
    pub(crate) fn follows(&self) -> Follows {
        Follows {
            hash: self.end.hash,
            log_bytes: self.log_bytes(),
            last_commit: self.last_commit,
        }
    }

    /// The durable end, if everything written is durable.
    pub(crate) fn durable(&self) -> Durable {
        Durable {
            point: self.end,
            commit: self.last_commit,
            time: self.time,
            log_bytes: self.log_bytes(),
            sealed: self.sealed,
        }
    }
}

/// Where an existing segment is gone on with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResumeAt {
    pub(crate) end: LogPoint,
    pub(crate) last_commit: CommitNumber,
    pub(crate) time: Timestamp,
    pub(crate) sealed: bool,
}
