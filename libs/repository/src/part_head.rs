//! The head of a part: what it holds, readable without the rest.

use fwlog::{
    ChainHash, CommitNumber, EnvironmentId, Generation, LogPoint, Position, SEAL_SIZE, SegmentId,
    Sequence, Timestamp,
};

use crate::layout as at;
use crate::part::{Border, MAX_PAYLOAD};

/// Bytes of the head of a part.
pub const HEAD_SIZE: usize = at::SIZE;

/// The fields of the head of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartHead {
    /// The environment that the log belongs to.
    pub environment: EnvironmentId,
    /// Where it begins.
    pub from: Border,
    /// Where its blocks end, in the same segment.
    pub to: Border,
    /// Whether the segment is sealed there, and the seal is in the payload.
    pub sealed: bool,
    /// BLAKE3 of the payload.
    pub hash: [u8; 32],
}

const INSIDE: &str = "a field of the layout lies inside the head";

impl PartHead {
    /// The segment that it is of.
    pub fn segment(&self) -> SegmentId {
        self.from.point.position.segment
    }

    /// Bytes of payload.
    pub fn length(&self) -> u64 {
        let (from, to) = (
            self.from.point.position.offset,
            self.to.point.position.offset,
        );
        let seal = if self.sealed { SEAL_SIZE as u64 } else { 0 };
        to.saturating_sub(from).saturating_add(seal)
    }

    /// The bytes of the head.
    pub fn encode(&self) -> [u8; HEAD_SIZE] {
        let mut bytes = [0; HEAD_SIZE];
        let segment = self.segment();
        let flags = if self.sealed { at::FLAG_SEALED } else { 0 };
        let mut put = |at: usize, field: &[u8]| {
            let place = bytes.get_mut(at..at + field.len()).expect(INSIDE);
            place.copy_from_slice(field);
        };
        put(at::MAGIC_AT, &at::MAGIC_BYTES);
        put(at::VERSION_AT, &at::FORMAT_VERSION.to_le_bytes());
        put(at::FLAGS_AT, &flags.to_le_bytes());
        put(at::ENVIRONMENT_AT, &self.environment.to_bytes());
        put(at::GENERATION_AT, &segment.generation.get().to_le_bytes());
        put(at::SEQUENCE_AT, &segment.sequence.get().to_le_bytes());
        put(at::FROM_AT, &self.from.point.position.offset.to_le_bytes());
        put(at::TO_AT, &self.to.point.position.offset.to_le_bytes());
        put(at::CHAIN_FROM_AT, &self.from.point.hash.to_bytes());
        put(at::CHAIN_TO_AT, &self.to.point.hash.to_bytes());
        put(at::COMMIT_FROM_AT, &self.from.commit.get().to_le_bytes());
        put(at::COMMIT_TO_AT, &self.to.commit.get().to_le_bytes());
        put(at::TIME_FROM_AT, &self.from.time.micros().to_le_bytes());
        put(at::TIME_TO_AT, &self.to.time.micros().to_le_bytes());
        put(at::LENGTH_AT, &self.length().to_le_bytes());
        put(at::HASH_AT, &self.hash);
        let crc = crc32c::crc32c(bytes.get(..at::CRC_AT).expect(INSIDE));
        let place = bytes.get_mut(at::CRC_AT..).expect(INSIDE);
        place.copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the head at the start of `bytes`, and checks every field that can be checked alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let fields = Fields(bytes.first_chunk().ok_or("its head is cut short")?);
        if fields.array(at::MAGIC_AT) != at::MAGIC_BYTES {
            return Err("it is no part of a segment");
        }
        if fields.u32(at::VERSION_AT) != at::FORMAT_VERSION {
            return Err("its format is not known here; use the newer program");
        }
        let covered = fields.0.get(..at::CRC_AT).expect(INSIDE);
        if fields.u32(at::CRC_AT) != crc32c::crc32c(covered) {
            return Err("the checksum of its head does not match");
        }
        let sealed = match fields.u32(at::FLAGS_AT) {
            0 => false,
            at::FLAG_SEALED => true,
            _ => return Err("its flags are not known here; use the newer program"),
        };
        let segment = SegmentId {
            generation: Generation::new(fields.u32(at::GENERATION_AT)),
            sequence: Sequence::new(fields.u32(at::SEQUENCE_AT)),
        };
        let border = |offset, chain, commit, time| Border {
            point: LogPoint::new(
                Position::new(segment, fields.u64(offset)),
                ChainHash::from_bytes(fields.array(chain)),
            ),
            commit: CommitNumber::new(fields.u64(commit)),
            time: Timestamp::from_micros(fields.u64(time)),
        };
        let head = Self {
            environment: EnvironmentId::from_bytes(fields.array(at::ENVIRONMENT_AT)),
            from: border(
                at::FROM_AT,
                at::CHAIN_FROM_AT,
                at::COMMIT_FROM_AT,
                at::TIME_FROM_AT,
            ),
            to: border(at::TO_AT, at::CHAIN_TO_AT, at::COMMIT_TO_AT, at::TIME_TO_AT),
            sealed,
            hash: fields.array(at::HASH_AT),
        };
        let reserved = fields.0.get(at::RESERVED_AT..at::CRC_AT).expect(INSIDE);
        let fits = head.from.point.position <= head.to.point.position
            && fields.u64(at::LENGTH_AT) == head.length()
            && (1..=MAX_PAYLOAD as u64).contains(&head.length())
            && reserved.iter().all(|byte| *byte == 0);
        fits.then_some(head).ok_or("its head is impossible")
    }
}

struct Fields<'a>(&'a [u8; HEAD_SIZE]);

impl Fields<'_> {
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let rest = self.0.get(at..).expect(INSIDE);
        *rest.first_chunk().expect(INSIDE)
    }

    fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.array(at))
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.array(at))
    }
}
