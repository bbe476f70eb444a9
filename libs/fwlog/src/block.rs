//! A block: what one group commit wrote, or a part of it.

use bytes::Bytes;
use zstd::bulk::Decompressor;

use crate::chain::ChainHash;
use crate::damage::{Damage, DecodeError};
use crate::fixed_fields::FixedFields;
use crate::layout::block as at;
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position};
use crate::record::{Record, RecordBuffer, Records};
use crate::timestamp::Timestamp;

/// Size of a block's head in bytes.
pub const BLOCK_HEAD_SIZE: usize = at::SIZE;

/// Most bytes of records that a block may hold.
pub const MAX_BLOCK_RAW: usize = at::MAX_RAW;

/// Most bytes that a block takes in a segment: a payload is never longer than its records.
pub const MAX_BLOCK_SIZE: usize = BLOCK_HEAD_SIZE + MAX_BLOCK_RAW;

/// How the payload of a block is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// One zstd frame.
    #[default]
    Zstd,
}

/// The fields of a block's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHead {
    /// Bytes of payload after the head.
    pub length: u32,
    /// Bytes of records in the payload.
    pub raw_length: u32,
    /// How the payload is stored.
    pub compression: Compression,
    /// First commit of the block: always the one after the newest commit before the block.
    pub first_commit: CommitNumber,
    /// Newest commit at the end of the block; one less than `first_commit` when it has no commit.
    pub last_commit: CommitNumber,
    /// When the block was made. Never earlier than the block before it in its segment.
    pub time: Timestamp,
    /// Chain hash at the end of the block.
    pub chain: ChainHash,
}

impl BlockHead {
    /// The bytes of the head of a block with this payload, and the chain hash at its end, whatever
    /// stands in `chain`.
    pub(crate) fn link(
        &self,
        previous: ChainHash,
        payload: &[u8],
    ) -> ([u8; BLOCK_HEAD_SIZE], ChainHash) {
        assert!(
            self.check().is_ok() && self.length as usize == payload.len(),
            "the writer writes no head that a reader refuses (invariant 1)"
        );
        let mut fields = self.fields();
        let chain = previous.link(fields.before(at::CHAIN_AT), payload);
        fields
            .put(at::CHAIN_AT, &chain.to_bytes())
            .put_crc(at::CRC_AT);
        (fields.0, chain)
    }

    fn fields(&self) -> FixedFields<BLOCK_HEAD_SIZE> {
        let flags = match self.compression {
            Compression::None => 0,
            Compression::Zstd => at::FLAG_ZSTD,
        };
        let mut fields = FixedFields::blank();
        fields
            .put(at::MARK_AT, &at::MARK_BYTES)
            .put_u32(at::LENGTH_AT, self.length)
            .put_u32(at::RAW_LENGTH_AT, self.raw_length)
            .put_u32(at::FLAGS_AT, flags)
            .put_u64(at::FIRST_COMMIT_AT, self.first_commit.get())
            .put_u64(at::LAST_COMMIT_AT, self.last_commit.get())
            .put_u64(at::TIME_AT, self.time.micros());
        fields
    }

    /// Reads the head at the start of `bytes`, and checks every field that can be checked alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let fields = FixedFields::<BLOCK_HEAD_SIZE>(
            *bytes.first_chunk().ok_or(Damage::CutShort("block head"))?,
        );
        if fields.array(at::MARK_AT) != at::MARK_BYTES {
            return Err(Damage::Unrecognized);
        }
        if !fields.crc_matches(at::CRC_AT) {
            return Err(Damage::Checksum("block head"));
        }
        let compression = match fields.u32(at::FLAGS_AT) {
            0 => Compression::None,
            at::FLAG_ZSTD => Compression::Zstd,
            _ => return Err(Damage::Impossible("flags in the block head")),
        };
        let head = Self {
            length: fields.u32(at::LENGTH_AT),
            raw_length: fields.u32(at::RAW_LENGTH_AT),
            compression,
            first_commit: CommitNumber::new(fields.u64(at::FIRST_COMMIT_AT)),
            last_commit: CommitNumber::new(fields.u64(at::LAST_COMMIT_AT)),
            time: Timestamp::from_micros(fields.u64(at::TIME_AT)),
            chain: ChainHash::from_bytes(fields.array(at::CHAIN_AT)),
        };
        head.check()?;
        Ok(head)
    }

    fn check(&self) -> Result<(), Damage> {
        let raw_fits = (1..=MAX_BLOCK_RAW).contains(&(self.raw_length as usize));
        let length_fits = match self.compression {
            Compression::None => self.length == self.raw_length,
            Compression::Zstd => self.length >= 1 && self.length < self.raw_length,
        };
        if !raw_fits || !length_fits {
            return Err(Damage::Impossible("length in the block head"));
        }
        if self.first_commit == CommitNumber::ZERO || self.first_commit > self.last_commit.next() {
            return Err(Damage::CommitOrder);
        }
        Ok(())
    }

    /// Bytes of the whole block in its segment.
    pub const fn block_size(&self) -> usize {
        BLOCK_HEAD_SIZE + self.length as usize
    }
}

/// One block, as it stands in its segment.
#[derive(Clone, Debug)]
pub struct Block {
    /// The fields of its head.
    pub head: BlockHead,
    /// Where it begins.
    pub start: Position,
    /// Where it ends, and the chain hash there.
    pub end: LogPoint,
    /// Head and payload, unchanged.
    pub bytes: Bytes,
    /// Its records, where they were decompressed once and kept: see [`BlockDecoder::keep_records`].
    pub(crate) records: Option<Bytes>,
}

/// Equal bytes in the same place are equal blocks.
impl PartialEq for Block {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.bytes == other.bytes
    }
}

impl Eq for Block {}

impl Block {
    /// Takes the block that begins at `start` off the front of `bytes`; nothing is copied.
    ///
    /// The head is checked, the chain hash is not: see [`Block::continues`].
    pub fn split_from(bytes: &mut Bytes, start: Position) -> Result<Self, Damage> {
        let head = BlockHead::decode(bytes)?;
        let size = head.block_size();
        if bytes.len() < size {
            return Err(Damage::CutShort("block"));
        }
        let end = Position::new(start.segment, start.offset.saturating_add(size as u64));
        Ok(Self {
            head,
            start,
            end: LogPoint::new(end, head.chain),
            bytes: bytes.split_to(size),
            records: None,
        })
    }

    /// The payload as stored.
    pub fn payload(&self) -> &[u8] {
        self.bytes.get(BLOCK_HEAD_SIZE..).unwrap_or_default()
    }

    /// Checks that the block goes on from this history: chain hash and commit number.
    pub fn continues(&self, hash: ChainHash, last_commit: CommitNumber) -> Result<(), Damage> {
        let fields = self.bytes.get(..at::CHAIN_AT).unwrap_or_default();
        if hash.link(fields, self.payload()) != self.head.chain {
            return Err(Damage::Chain);
        }
        if self.head.first_commit != last_commit.next() {
            return Err(Damage::CommitOrder);
        }
        Ok(())
    }

    /// Its records up to this commit, with it, as they stand here; `None`: it has no such commit.
    pub fn records_up_to(
        &self,
        decoder: &mut BlockDecoder,
        commit: CommitNumber,
    ) -> Result<Option<RecordBuffer>, DecodeError> {
        let mut records = decoder.records(self)?;
        let all = records.rest();
        while let Some(record) = records.next().transpose()? {
            if matches!(record, Record::Commit(found) if found.number == commit) {
                let taken = all.len() - records.rest().len();
                let bytes = all.get(..taken).unwrap_or_default();
                return Ok(Some(RecordBuffer::of_block(bytes)));
            }
        }
        Ok(None)
    }

    /// `raw_length` was bounded when the head was read, so a hostile frame can't ask for more.
    fn decompress(
        &self,
        context: &mut Decompressor<'_>,
        raw: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        let expected = self.head.raw_length as usize;
        raw.clear();
        raw.reserve(expected);
        let length = context
            .decompress_to_buffer(self.payload(), raw)
            .map_err(|_| DecodeError::Compression)?;
        if length == expected {
            Ok(())
        } else {
            Err(DecodeError::Compression)
        }
    }
}

/// Decodes blocks one after another, with a decompression context and a buffer of its own.
#[derive(Default)]
pub struct BlockDecoder {
    context: Option<Decompressor<'static>>,
    raw: Vec<u8>,
}

impl BlockDecoder {
    /// A decoder that has not decoded anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The records of `block`. Blocks that are stored as they are are not copied.
    pub fn records<'d>(&'d mut self, block: &'d Block) -> Result<Records<'d>, DecodeError> {
        if let Some(records) = &block.records {
            return Ok(Records::new(records));
        }
        if block.head.compression == Compression::None {
            return Ok(Records::new(block.payload()));
        }
        block.decompress(context(&mut self.context)?, &mut self.raw)?;
        Ok(Records::new(&self.raw))
    }

    /// Decompresses the records of `block` and leaves them there, so that who reads them later need not
    /// do it again. They take as much memory as the head says, as long as the block lives.
    pub fn keep_records(&mut self, block: &mut Block) -> Result<(), DecodeError> {
        if block.head.compression == Compression::Zstd && block.records.is_none() {
            let mut raw = Vec::new();
            block.decompress(context(&mut self.context)?, &mut raw)?;
            block.records = Some(raw.into());
        }
        Ok(())
    }
}

/// The context, made when it is needed first.
fn context<'c>(
    place: &'c mut Option<Decompressor<'static>>,
) -> Result<&'c mut Decompressor<'static>, DecodeError> {
    match place {
        Some(context) => Ok(context),
        none => {
            let new = Decompressor::new().map_err(|_| DecodeError::Compression)?;
            Ok(none.insert(new))
        }
    }
}

impl std::fmt::Debug for BlockDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockDecoder")
            .field("capacity", &self.raw.capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::SegmentId;

    fn block() -> Bytes {
        let payload = b"records";
        let head = BlockHead {
            length: 7,
            raw_length: 7,
            compression: Compression::None,
            first_commit: CommitNumber::new(5),
            last_commit: CommitNumber::new(6),
            time: Timestamp::from_micros(9),
            chain: ChainHash::ZERO,
        };
        let mut bytes = head.link(ChainHash::ZERO, payload).0.to_vec();
        bytes.extend_from_slice(payload);
        bytes.into()
    }

    const START: Position = Position::new(SegmentId::FIRST, 128);

    #[test]
    fn a_block_continues_the_history_that_it_was_made_for_and_no_other() {
        let block = Block::split_from(&mut block(), START).unwrap();
        assert_eq!(block.end.position.offset, 128 + 76 + 7);
        assert_eq!(
            block.continues(ChainHash::ZERO, CommitNumber::new(4)),
            Ok(())
        );
        let other = ChainHash::ZERO.link(b"", b"");
        assert_eq!(
            block.continues(other, CommitNumber::new(4)),
            Err(Damage::Chain)
        );
        let gap = block.continues(ChainHash::ZERO, CommitNumber::new(3));
        assert_eq!(gap, Err(Damage::CommitOrder));
    }

    #[test]
    fn records_that_were_kept_are_those_of_the_payload() {
        let records = [7; 600];
        let payload = zstd::bulk::compress(&records, 1).unwrap();
        let head = BlockHead {
            length: u32::try_from(payload.len()).unwrap(),
            raw_length: 600,
            compression: Compression::Zstd,
            first_commit: CommitNumber::new(5),
            last_commit: CommitNumber::new(6),
            time: Timestamp::from_micros(9),
            chain: ChainHash::ZERO,
        };
        let mut bytes = head.link(ChainHash::ZERO, &payload).0.to_vec();
        bytes.extend_from_slice(&payload);
        let mut block = Block::split_from(&mut bytes.into(), START).unwrap();
        let mut decoder = BlockDecoder::new();
        decoder.keep_records(&mut block).unwrap();
        assert_eq!(block.records.as_deref(), Some(&records[..]));
        let again = decoder.records(&block).unwrap();
        assert_eq!(
            format!("{again:?}"),
            format!("{:?}", Records::new(&records))
        );
    }

    #[test]
    fn every_flipped_byte_of_a_block_is_noticed() {
        let good = block();
        for index in 0..good.len() {
            let mut bad = good.to_vec();
            bad[index] ^= 1;
            let noticed = Block::split_from(&mut bad.into(), START)
                .and_then(|block| block.continues(ChainHash::ZERO, CommitNumber::new(4)));
            assert!(noticed.is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_block_cut_anywhere_is_cut_short() {
        let good = block();
        for length in 0..good.len() {
            let cut = Block::split_from(&mut good.slice(..length), START);
            assert!(matches!(cut, Err(Damage::CutShort(_))), "{length} bytes");
        }
    }
}
