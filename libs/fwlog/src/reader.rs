//! Reading one segment. Nothing here ever writes.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use disk::{Access, Disk, DiskFile};

use crate::block::{BLOCK_HEAD_SIZE, Block, BlockHead};
use crate::chain::ChainHash;
use crate::damage::{Damage, During, ReadError};
use crate::header::{HEADER_SIZE, SegmentHeader};
use crate::layout;
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position};
use crate::seal::{SEAL_SIZE, Seal};
use crate::segment_end::SegmentEnd;
use crate::store::SegmentStore;
use crate::{SegmentId, Timestamp};

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// What a reader finds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadItem {
    /// A block, whole and verified.
    Block(Block),
    /// The seal, as it stands in the file. Nothing follows it.
    Seal(Bytes),
    /// There is nothing more to read, for now or for ever.
    End(EndKind),
}

/// How a segment that is not sealed ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// At the end of the file, of what may be read, or where unused space begins.
    Clean,
    /// With something that a crash left half written. Only the owner's recovery may cut it off.
    Torn {
        /// Where it begins: the end of the last whole block.
        offset: u64,
        /// What is wrong with it.
        why: Damage,
    },
}

/// Reads a segment from its start, block by block, and verifies every one.
///
/// What can't be read is a torn tail only where the segment is not sealed and the caller gave no
/// limit up to which it is known to be durable. Everywhere else it is [`ReadError::Corrupt`].
pub struct SegmentReader {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    header: SegmentHeader,
    header_bytes: Bytes,
    sealed: Option<Seal>,
    end: SegmentEnd,
    /// Bytes of the file from `end` on that were read already.
    ahead: BytesMut,
    finished: bool,
}

impl SegmentReader {
    /// Opens the segment in this file, whatever the file is called, and reads its header.
    pub fn open(disk: &Disk, path: &Path) -> Result<Self, ReadError> {
        let file = disk.open(path, Access::Read).during("open", path)?;
        Self::new(file, path.to_owned())
    }

    /// Opens a segment of a store.
    pub fn open_in(store: &SegmentStore, id: SegmentId) -> Result<Self, ReadError> {
        let path = store.path(id);
        let reader = Self::new(store.open_to_read(id).during("open", &path)?, path)?;
        if reader.header.id != id {
            return Err(reader.corrupt(0, Damage::OtherSegment(reader.header.id)));
        }
        if reader.header.kind != store.kind() {
            return Err(reader.corrupt(0, Damage::OtherKind(reader.header.kind)));
        }
        Ok(reader)
    }

    fn new(file: Box<dyn DiskFile>, path: PathBuf) -> Result<Self, ReadError> {
        let mut bytes = [0; HEADER_SIZE];
        let read = file.read_at(0, &mut bytes).during("read", &path)?;
        let header = SegmentHeader::decode(bytes.get(..read).unwrap_or_default())
            .map_err(|kind| ReadError::corrupt(&path, 0, kind))?;
        let sealed = read_seal(file.as_ref(), &path)?;
        Ok(Self {
            end: SegmentEnd::of_header(&header),
            header_bytes: Bytes::copy_from_slice(&bytes),
            ahead: BytesMut::new(),
            finished: false,
            file,
            path,
            header,
            sealed,
        })
    }

    /// The header of the segment.
    pub fn header(&self) -> &SegmentHeader {
        &self.header
    }

    /// The header as it stands in the file.
    pub fn header_bytes(&self) -> Bytes {
        self.header_bytes.clone()
    }

    /// The seal at the end of the file, if the segment was sealed when it was opened.
    pub fn sealed(&self) -> Option<Seal> {
        self.sealed
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The end of what was read: of the header, or of the last block.
    pub fn point(&self) -> LogPoint {
        self.end.point
    }

    /// Newest commit before that point.
    pub fn last_commit(&self) -> CommitNumber {
        self.end.last_commit
    }

    /// Time of the last block before that point; of the segment where there is none.
    pub fn time(&self) -> Timestamp {
        self.end.time
    }

    pub(crate) fn end(&self) -> SegmentEnd {
        self.end
    }

    /// Length of the file now.
    pub fn file_length(&self) -> Result<u64, ReadError> {
        Ok(self
            .file
            .length()
            .during("read the length of", &self.path)?)
    }

    /// Whether the file is still what its path names.
    pub(crate) fn has_name(&self, disk: &Disk) -> Result<bool, ReadError> {
        let named = disk.has_name(self.file.as_ref(), &self.path);
        Ok(named.during("look for", &self.path)?)
    }

    /// Reads on. `limit` is an offset up to which the segment is known to be durable: nothing behind
    /// it is looked at, and everything before it must be good.
    ///
    /// After [`ReadItem::End`] the caller may try again, with a larger limit or when the file grew.
    pub fn next(&mut self, limit: Option<u64>) -> Result<ReadItem, ReadError> {
        if self.finished {
            return Ok(ReadItem::End(EndKind::Clean));
        }
        let available = self.available(limit)?;
        if available == 0 {
            return Ok(ReadItem::End(EndKind::Clean));
        }
        match self.read_item(available) {
            Ok(Ok(Some(item))) => Ok(item),
            Ok(Ok(None)) if limit.is_none() => self.unused(),
            Ok(Ok(None)) => self.broken(limit, Damage::Unrecognized),
            Ok(Err(why)) => self.broken(limit, why),
            Err(error) => Err(error),
        }
    }

    /// Passes over blocks, by their heads alone, to the block border at `offset`.
    ///
    /// Returns the chain hash there; reading goes on from it. `None` when there is no block border
    /// at this offset: then the reader stands somewhere before it.
    pub fn skip_to(&mut self, offset: u64) -> Result<Option<ChainHash>, ReadError> {
        let length = self.file_length()?;
        while self.offset() < offset {
            let available = self.available(Some(length))?;
            self.fill(BLOCK_HEAD_SIZE.min(available), available)?;
            let Ok(head) = BlockHead::decode(&self.ahead) else {
                self.ahead.clear();
                return Ok(None);
            };
            let size = head.block_size();
            let behind = self.offset().saturating_add(size as u64);
            if behind > offset
                || size > available
                || head.first_commit != self.end.last_commit.next()
            {
                self.ahead.clear();
                return Ok(None);
            }
            let buffered = size.min(self.ahead.len());
            bytes::Buf::advance(&mut self.ahead, buffered);
            let point = LogPoint::new(Position::new(self.header.id, behind), head.chain);
            self.advance(SegmentEnd::of_block(&head, point));
        }
        // What was read ahead without a limit may have been written since.
        self.ahead.clear();
        let hash = (self.offset() == offset).then_some(self.end.point.hash);
        Ok(hash)
    }

    /// Forgets the last block: the reader stands where it stood before, and reads no more.
    pub(crate) fn step_back(&mut self, before: SegmentEnd) {
        self.end = before;
        self.finished = true;
    }

    /// Reads once more from where it stood before.
    pub(crate) fn begin_again(&mut self, before: SegmentEnd) {
        self.end = before;
        self.finished = false;
        self.ahead.clear();
    }

    fn advance(&mut self, end: SegmentEnd) {
        assert!(
            end.point.position > self.end.point.position,
            "a reader goes forward only"
        );
        self.end = end;
    }

    fn offset(&self) -> u64 {
        self.end.point.position.offset
    }

    /// Bytes between here and the end of what may be read. That the file has all of them is seen where
    /// it is read.
    fn available(&self, limit: Option<u64>) -> Result<usize, ReadError> {
        let end = match limit {
            Some(limit) => limit,
            None => self.file_length()?,
        };
        let rest = end.saturating_sub(self.offset());
        Ok(usize::try_from(rest).unwrap_or(usize::MAX))
    }

    /// Reads ahead until there are `wanted` bytes, never beyond `available`.
    fn fill(&mut self, wanted: usize, available: usize) -> Result<(), ReadError> {
        // What was read ahead under a larger limit, or none, must not be seen under a smaller one.
        self.ahead.truncate(available);
        let have = self.ahead.len();
        if have >= wanted {
            return Ok(());
        }
        self.ahead.resize(wanted.max(CHUNK).min(available), 0);
        let from = self.offset().saturating_add(have as u64);
        let place = self.ahead.get_mut(have..).unwrap_or_default();
        let read = self.file.read_at(from, place).during("read", &self.path)?;
        self.ahead.truncate(have + read);
        Ok(())
    }

    /// What stands here; `None` for zeros. The outer error is for the file, the inner for content.
    fn read_item(
        &mut self,
        available: usize,
    ) -> Result<Result<Option<ReadItem>, Damage>, ReadError> {
        self.fill(BLOCK_HEAD_SIZE.min(available), available)?;
        let first = self.ahead.get(..BLOCK_HEAD_SIZE).unwrap_or(&self.ahead);
        if first.starts_with(&layout::block::MARK_BYTES) {
            return self.read_block(available);
        }
        if first.starts_with(&layout::seal::MARK_BYTES) {
            let behind = self.offset().saturating_add(SEAL_SIZE as u64);
            // A crash may have come before the file was cut behind its seal.
            if self.sealed.is_none() && !self.only_zeros_from(behind)? {
                return Ok(Err(Damage::TrailingData));
            }
            return Ok(self.take_seal().map(|seal| Some(ReadItem::Seal(seal))));
        }
        if first.iter().all(|byte| *byte == 0) {
            return Ok(Ok(None));
        }
        Ok(Err(Damage::Unrecognized))
    }

    fn read_block(
        &mut self,
        available: usize,
    ) -> Result<Result<Option<ReadItem>, Damage>, ReadError> {
        let head = match BlockHead::decode(&self.ahead) {
            Ok(head) => head,
            Err(damage) => return Ok(Err(damage)),
        };
        if head.block_size() > available {
            return Ok(Err(Damage::CutShort("block")));
        }
        self.fill(head.block_size(), available)?;
        if self.ahead.len() < head.block_size() {
            return Ok(Err(Damage::CutShort("block")));
        }
        let mut bytes = self.ahead.split_to(head.block_size()).freeze();
        let checked = Block::split_from(&mut bytes, self.end.point.position).and_then(|block| {
            block
                .continues(self.end.point.hash, self.end.last_commit)
                .map(|()| block)
        });
        if let Ok(block) = &checked {
            self.advance(SegmentEnd::of_block(&block.head, block.end));
        }
        Ok(checked.map(|block| Some(ReadItem::Block(block))))
    }

    fn take_seal(&mut self) -> Result<Bytes, Damage> {
        let seal = Seal::decode(&self.ahead)?;
        if seal != self.end.seal(&self.header) {
            return Err(Damage::SealMismatch);
        }
        self.finished = true;
        Ok(self.ahead.split_to(SEAL_SIZE).freeze())
    }

    /// Zeros stand here: unused space, if there is nothing else behind.
    fn unused(&mut self) -> Result<ReadItem, ReadError> {
        self.ahead.clear();
        if self.only_zeros_from(self.offset())? {
            Ok(ReadItem::End(EndKind::Clean))
        } else {
            self.broken(None, Damage::TrailingData)
        }
    }

    fn only_zeros_from(&self, mut offset: u64) -> Result<bool, ReadError> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self
                .file
                .read_at(offset, &mut chunk)
                .during("read", &self.path)?;
            let content = chunk.get(..read).unwrap_or_default();
            if content.iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if read == 0 {
                return Ok(true);
            }
            offset = offset.saturating_add(read as u64);
        }
    }

    /// Torn, where a crash can have left this; else corrupt.
    fn broken(&mut self, limit: Option<u64>, why: Damage) -> Result<ReadItem, ReadError> {
        self.ahead.clear();
        if let Some(limit) = limit {
            let length = self.file_length()?;
            if length < limit {
                let missing = Damage::EndsEarly(Position::new(self.header.id, limit));
                return Err(self.corrupt(length, missing));
            }
        }
        let offset = self.offset();
        // A good checksum over impossible content was not left by a crash.
        let by_crash = !matches!(
            why,
            Damage::Impossible(_) | Damage::CommitOrder | Damage::SealMismatch
        );
        if by_crash && limit.is_none() && self.sealed.is_none() {
            Ok(ReadItem::End(EndKind::Torn { offset, why }))
        } else {
            Err(self.corrupt(offset, why))
        }
    }

    fn corrupt(&self, offset: u64, kind: Damage) -> ReadError {
        ReadError::corrupt(&self.path, offset, kind)
    }
}

impl std::fmt::Debug for SegmentReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SegmentReader")
            .field("path", &self.path)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// The seal in the last bytes of a file, if it is one for a segment of this length.
fn read_seal(file: &dyn DiskFile, path: &Path) -> Result<Option<Seal>, ReadError> {
    let length = file.length().during("read the length of", path)?;
    let Some(at) = length.checked_sub(SEAL_SIZE as u64) else {
        return Ok(None);
    };
    let mut bytes = [0; SEAL_SIZE];
    let read = file.read_at(at, &mut bytes).during("read", path)?;
    let seal = Seal::decode(bytes.get(..read).unwrap_or_default()).ok();
    Ok(seal.filter(|seal| seal.length == at))
}
