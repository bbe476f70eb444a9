//! Encoding records.

use crate::fields::{put_text, put_varint};
use crate::layout::record as at;
use crate::numbers::{CommitNumber, DatabaseId, PageNumber, TransactionId};
use crate::position::{LogPoint, Position};
use crate::record::commit::{FLAG_EXCLUSIVE, FLAG_TRANSACTION, PAGE_FULL};
use crate::record::small::{self, prefix, put_audit, put_generation, put_point, put_position};
use crate::record::{Audit, DatabaseAccess, GenerationStart, PAGE_SIZE, delta, kind};
use crate::timestamp::Timestamp;

/// What stands before the pages of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommitHead {
    /// Number of the commit.
    pub number: CommitNumber,
    /// The database that it changes.
    pub database: DatabaseId,
    /// When it commits.
    pub time: Timestamp,
    /// Whether it needed exclusive access.
    pub exclusive: bool,
    /// Size of the database afterwards, in pages.
    pub page_count: u32,
    /// The transaction, when parts of it were written before.
    pub transaction: Option<TransactionId>,
}

/// Records, encoded, in the order in which they were put.
///
/// What one buffer holds stands in one block: a transaction that is larger than a block is split
/// into parts by whoever encodes it, each in a buffer of its own. [`RecordBuffer::len`] tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordBuffer {
    bytes: Vec<u8>,
}

impl RecordBuffer {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// Records as they stand in a block.
    pub(crate) fn of_block(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
        }
    }

    /// An empty buffer with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    /// Encoded bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The records as they stand in a block.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Begins a commit; its pages follow, then [`CommitEncoder::finish`].
    pub fn begin_commit(&mut self, head: CommitHead) -> CommitEncoder<'_> {
        let mut encoder = self.begin(kind::COMMIT);
        let out = encoder.out();
        let mut flags = if head.exclusive { FLAG_EXCLUSIVE } else { 0 };
        if head.transaction.is_some() {
            flags |= FLAG_TRANSACTION;
        }
        put_varint(out, head.number.get());
        put_varint(out, u64::from(head.database.get()));
        out.extend_from_slice(&head.time.micros().to_le_bytes());
        out.push(flags);
        put_varint(out, u64::from(head.page_count));
        if let Some(transaction) = head.transaction {
            put_varint(out, transaction.get());
        }
        encoder
    }

    /// Begins a part of a transaction that is too large for one block. Its pages are full images.
    pub fn begin_part(
        &mut self,
        transaction: TransactionId,
        database: DatabaseId,
    ) -> CommitEncoder<'_> {
        let mut encoder = self.begin(kind::PART);
        put_varint(encoder.out(), transaction.get());
        put_varint(encoder.out(), u64::from(database.get()));
        encoder
    }

    /// The start of a generation.
    pub fn generation(&mut self, start: &GenerationStart<'_>) {
        self.small(kind::GENERATION, |out| put_generation(out, start));
    }

    /// A checkpoint is complete.
    pub fn checkpoint(&mut self, redo: Position) {
        self.small(kind::CHECKPOINT, |out| put_position(out, redo));
    }

    /// A database is made. Names are at most [`small::MAX_NAME`] bytes; more is cut off.
    pub fn create_database(&mut self, id: DatabaseId, name: &str, options: &str) {
        self.database(kind::CREATE_DATABASE, id, &[name, options]);
    }

    /// A database is removed.
    pub fn drop_database(&mut self, id: DatabaseId, name: &str) {
        self.database(kind::DROP_DATABASE, id, &[name]);
    }

    /// A database gets another name.
    pub fn rename_database(&mut self, id: DatabaseId, old_name: &str, name: &str) {
        self.database(kind::RENAME_DATABASE, id, &[old_name, name]);
    }

    /// A database is replaced as a whole.
    pub fn restore_database(&mut self, id: DatabaseId, name: &str, options: &str) {
        self.database(kind::RESTORE_DATABASE, id, &[name, options]);
    }

    /// A session takes a database for itself, or leaves it.
    pub fn access(&mut self, id: DatabaseId, access: DatabaseAccess) {
        self.small(kind::ACCESS, |out| {
            put_varint(out, u64::from(id.get()));
            out.push(match access {
                DatabaseAccess::Shared => 0,
                DatabaseAccess::Alone => 1,
                DatabaseAccess::OthersRead => 2,
            });
        });
    }

    /// Who did what. Texts that are too long are cut off.
    pub fn audit(&mut self, audit: &Audit<'_>) {
        self.small(kind::AUDIT, |out| put_audit(out, audit));
    }

    /// In a log of audit records alone: it has all of them up to this point of the log of the commits.
    pub fn copied(&mut self, up_to: LogPoint) {
        self.small(kind::COPIED, |out| put_point(out, up_to));
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn database(&mut self, kind: u8, id: DatabaseId, texts: &[&str]) {
        self.small(kind, |out| {
            put_varint(out, u64::from(id.get()));
            for text in texts {
                put_text(out, prefix(text, small::MAX_NAME));
            }
        });
    }

    fn small(&mut self, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
        let mut encoder = self.begin(kind);
        body(encoder.out());
        encoder.finish();
    }

    fn begin(&mut self, kind: u8) -> CommitEncoder<'_> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&u32::from(kind).to_le_bytes());
        CommitEncoder {
            buffer: self,
            start,
            finished: false,
        }
    }
}

/// Takes the pages of one record. Dropped before [`CommitEncoder::finish`], the record vanishes.
#[derive(Debug)]
pub struct CommitEncoder<'b> {
    buffer: &'b mut RecordBuffer,
    start: usize,
    finished: bool,
}

impl CommitEncoder<'_> {
    /// A page, all of it.
    pub fn page_full(&mut self, page: PageNumber, image: &[u8; PAGE_SIZE]) -> &mut Self {
        self.put_page(page, PAGE_FULL, image);
        self.out().extend_from_slice(image);
        self
    }

    /// A page as what differs from its version before, or all of it where that is not longer.
    pub fn page_delta(
        &mut self,
        page: PageNumber,
        old: &[u8; PAGE_SIZE],
        new: &[u8; PAGE_SIZE],
    ) -> &mut Self {
        let start = self.buffer.bytes.len();
        self.put_page(page, 0, new);
        let length_at = self.buffer.bytes.len();
        let out = self.out();
        // Room for the length, of which two bytes hold any that a delta is kept at.
        out.extend_from_slice(&[0; 2]);
        delta::encode(old, new, out);
        let length = out.len() - length_at - 2;
        if length >= PAGE_SIZE {
            out.truncate(start);
            return self.page_full(page, new);
        }
        // A varint of two groups, also where one would do: the delta is in place already.
        let [low, ..] = length.to_le_bytes();
        let [high, ..] = (length >> 7).to_le_bytes();
        if let Some(place) = out.get_mut(length_at..length_at + 2) {
            place.copy_from_slice(&[low | 0x80, high]);
        }
        self
    }

    /// Bytes of the record so far.
    fn len(&self) -> usize {
        self.buffer.bytes.len() - self.start
    }

    /// Completes the record.
    pub fn finish(mut self) {
        // A body longer than 24 bits can tell does not fit a block, so it is refused by the writer.
        let length = u32::try_from(self.len() - at::SIZE).unwrap_or(u32::MAX);
        let [low, middle, high, _] = length.to_le_bytes();
        let from = self.start + at::LENGTH_AT;
        if let Some(place) = self.buffer.bytes.get_mut(from..self.start + at::SIZE) {
            place.copy_from_slice(&[low, middle, high]);
        }
        self.finished = true;
    }

    fn put_page(&mut self, page: PageNumber, tag: u64, image: &[u8; PAGE_SIZE]) {
        assert!(
            page.get() != 0,
            "pages are counted from 1: a reader refuses page 0"
        );
        let crc = crc32c::crc32c(image);
        let out = self.out();
        put_varint(out, u64::from(page.get()) << 1 | tag);
        out.extend_from_slice(&crc.to_le_bytes());
    }

    fn out(&mut self) -> &mut Vec<u8> {
        &mut self.buffer.bytes
    }
}

impl Drop for CommitEncoder<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.buffer.bytes.truncate(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::DecodeError;
    use crate::record::{PageBody, Record, Records};

    const HEAD: CommitHead = CommitHead {
        number: CommitNumber::new(9),
        database: DatabaseId::new(2),
        time: Timestamp::from_micros(1_700_000_000_000_000),
        exclusive: true,
        page_count: 17,
        transaction: None,
    };

    #[test]
    fn a_commit_reads_back_with_its_pages() {
        let old = [1; PAGE_SIZE];
        let mut new = old;
        new[1000..1300].fill(9);
        let mut buffer = RecordBuffer::new();
        let mut commit = buffer.begin_commit(HEAD);
        commit
            .page_full(PageNumber::new(1), &old)
            .page_delta(PageNumber::new(1), &old, &new);
        commit.finish();
        let Some(Ok(Record::Commit(commit))) = Records::new(buffer.as_bytes()).next() else {
            panic!("a commit was written");
        };
        assert_eq!(
            (commit.number, commit.page_count),
            (HEAD.number, HEAD.page_count)
        );
        assert!(commit.exclusive);
        let mut page = [0; PAGE_SIZE];
        for change in commit.pages {
            change.unwrap().apply(&mut page).unwrap();
        }
        assert!(page == new);
    }

    #[test]
    fn a_delta_that_is_not_smaller_becomes_a_full_image() {
        let mut buffer = RecordBuffer::new();
        let mut commit = buffer.begin_commit(HEAD);
        commit.page_delta(PageNumber::new(3), &[0; PAGE_SIZE], &[1; PAGE_SIZE]);
        commit.finish();
        let Some(Ok(Record::Commit(commit))) = Records::new(buffer.as_bytes()).next() else {
            panic!("a commit was written");
        };
        let pages: Vec<_> = commit.pages.into_iter().collect();
        assert!(
            matches!(pages.as_slice(), [Ok(change)] if matches!(change.body, PageBody::Full(_)))
        );
    }

    #[test]
    fn a_delta_against_another_version_is_noticed() {
        let mut new = [0; PAGE_SIZE];
        new[5] = 1;
        let mut buffer = RecordBuffer::new();
        let mut commit = buffer.begin_commit(HEAD);
        commit.page_delta(PageNumber::new(3), &[0; PAGE_SIZE], &new);
        commit.finish();
        let Some(Ok(Record::Commit(commit))) = Records::new(buffer.as_bytes()).next() else {
            panic!("a commit was written");
        };
        let applied = commit
            .pages
            .into_iter()
            .next()
            .unwrap()
            .unwrap()
            .apply(&mut [7; PAGE_SIZE]);
        assert!(matches!(applied, Err(DecodeError::PageChecksum { .. })));
    }

    #[test]
    fn a_record_that_is_not_finished_was_never_begun() {
        let mut buffer = RecordBuffer::new();
        buffer.checkpoint(Position::ORIGIN);
        let before = buffer.clone();
        buffer
            .begin_commit(HEAD)
            .page_full(PageNumber::new(1), &[0; PAGE_SIZE]);
        assert_eq!(buffer, before);
    }
}
