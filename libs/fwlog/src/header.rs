//! The header of a segment: which log it belongs to, and what stands before it.

use crate::chain::ChainHash;
use crate::damage::Damage;
use crate::durable_end::Durable;
use crate::fixed_fields::FixedFields;
use crate::identity::{EnvironmentId, LogIdentity, MAX_INSTANCE};
use crate::layout::header as at;
use crate::log_kind::LogKind;
use crate::numbers::{CommitNumber, Generation, Sequence};
use crate::position::{LogPoint, Position, SegmentId};
use crate::record::{PAGE_SIZE, prefix};
use crate::timestamp::Timestamp;

/// Size of a segment's header in bytes: where its first block begins.
pub const HEADER_SIZE: usize = at::SIZE;

/// More bytes of log than any environment ever writes: an offset can be added to it.
const MAX_LOG_BYTES: u64 = 1 << 62;

/// The fields of a segment's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// What the log holds that the segment is of.
    pub kind: LogKind,
    /// Size of a database page in bytes.
    pub page_size: u32,
    /// The environment that the log belongs to.
    pub environment: EnvironmentId,
    /// Generation and sequence of this segment.
    pub id: SegmentId,
    /// Bytes of log that the environment had written before this segment.
    pub log_bytes: u64,
    /// Newest commit before this segment.
    pub last_commit: CommitNumber,
    /// When the segment was made.
    pub created: Timestamp,
    /// Chain hash at the end of the previous segment.
    pub previous: ChainHash,
    /// Name of the instance that made the segment.
    pub origin: String,
}

impl SegmentHeader {
    /// The header of segment `id`, made at this time by `identity`, after the history that ends with
    /// `previous`.
    pub(crate) fn new(
        kind: LogKind,
        identity: &LogIdentity,
        id: SegmentId,
        created: Timestamp,
        previous: &Durable,
    ) -> Self {
        Self {
            kind,
            page_size: identity.page_size,
            environment: identity.environment,
            id,
            log_bytes: previous.log_bytes,
            last_commit: previous.commit,
            created,
            previous: previous.point.hash,
            origin: identity.instance.clone(),
        }
    }

    /// The bytes of the header.
    pub fn encode(&self) -> [u8; HEADER_SIZE] {
        let mut fields = FixedFields::blank();
        let origin = prefix(&self.origin, MAX_INSTANCE);
        fields
            .put(at::MAGIC_AT, &at::MAGIC_BYTES)
            .put_u32(at::VERSION_AT, self.kind.version())
            .put_u32(at::PAGE_SIZE_AT, self.page_size)
            .put(at::ENVIRONMENT_AT, &self.environment.to_bytes())
            .put_u32(at::GENERATION_AT, self.id.generation.get())
            .put_u32(at::SEQUENCE_AT, self.id.sequence.get())
            .put_u64(at::LOG_BYTES_AT, self.log_bytes)
            .put_u64(at::LAST_COMMIT_AT, self.last_commit.get())
            .put_u64(at::CREATED_AT, self.created.micros())
            .put(at::PREVIOUS_AT, &self.previous.to_bytes())
            .put(at::ORIGIN_AT, origin.as_bytes())
            .put_crc(at::CRC_AT);
        fields.0
    }

    /// Reads a header. `Err(Damage::UnknownVersion)` comes before any look at the checksum: a newer
    /// format may have its checksum elsewhere.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let fields = FixedFields(
            *bytes
                .first_chunk::<HEADER_SIZE>()
                .ok_or(Damage::NotASegment)?,
        );
        if fields.array(at::MAGIC_AT) != at::MAGIC_BYTES {
            return Err(Damage::NotASegment);
        }
        let version = fields.u32(at::VERSION_AT);
        let kind = LogKind::of_version(version).ok_or(Damage::UnknownVersion(version))?;
        if !fields.crc_matches(at::CRC_AT) {
            return Err(Damage::Checksum("segment header"));
        }
        let id = SegmentId {
            generation: Generation::new(fields.u32(at::GENERATION_AT)),
            sequence: Sequence::new(fields.u32(at::SEQUENCE_AT)),
        };
        if id.generation.get() == 0 || id.sequence.get() == 0 {
            return Err(Damage::Impossible(
                "generation or sequence in the segment header",
            ));
        }
        if fields.u32(at::PAGE_SIZE_AT) as usize != PAGE_SIZE {
            return Err(Damage::Impossible("page size in the segment header"));
        }
        let log_bytes = fields.u64(at::LOG_BYTES_AT);
        if log_bytes > MAX_LOG_BYTES {
            return Err(Damage::Impossible("log bytes in the segment header"));
        }
        Ok(Self {
            kind,
            page_size: fields.u32(at::PAGE_SIZE_AT),
            environment: EnvironmentId::from_bytes(fields.array(at::ENVIRONMENT_AT)),
            id,
            log_bytes,
            last_commit: CommitNumber::new(fields.u64(at::LAST_COMMIT_AT)),
            created: Timestamp::from_micros(fields.u64(at::CREATED_AT)),
            previous: ChainHash::from_bytes(fields.array(at::PREVIOUS_AT)),
            origin: origin_text(fields.array(at::ORIGIN_AT))?,
        })
    }

    /// The point of history at which this segment begins, seen from inside the segment: offset 0.
    pub fn before(&self) -> LogPoint {
        LogPoint::new(Position::new(self.id, 0), self.previous)
    }

    /// The point behind the header, where the first block begins.
    pub fn start(&self) -> LogPoint {
        LogPoint::new(
            Position::new(self.id, HEADER_SIZE as u64),
            self.chain_start(),
        )
    }

    /// Chain hash behind the header.
    pub fn chain_start(&self) -> ChainHash {
        self.previous.link(&self.encode(), &[])
    }
}

/// Zero-padded text of the origin field.
fn origin_text(field: [u8; at::ORIGIN_SIZE]) -> Result<String, Damage> {
    const IMPOSSIBLE: Damage = Damage::Impossible("instance name in the segment header");
    let mut parts = field.splitn(2, |byte| *byte == 0);
    let name = parts.next().unwrap_or_default();
    // The padding ends the name, so there is always some, and all of it is zero.
    let padding = parts.next().ok_or(IMPOSSIBLE)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(IMPOSSIBLE);
    }
    std::str::from_utf8(name)
        .map(str::to_owned)
        .map_err(|_| IMPOSSIBLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            kind: LogKind::Forward,
            page_size: 4096,
            environment: EnvironmentId::from_bytes([7; 16]),
            id: SegmentId::new(12, 3),
            log_bytes: 99,
            last_commit: CommitNumber::new(41),
            created: Timestamp::from_micros(1_000_000),
            previous: ChainHash::ZERO.link(b"x", b"y"),
            origin: "alpha".to_owned(),
        }
    }

    #[test]
    fn a_header_reads_back_what_was_written() {
        for kind in [LogKind::Forward, LogKind::Audit] {
            let header = SegmentHeader { kind, ..header() };
            assert_eq!(SegmentHeader::decode(&header.encode()), Ok(header));
        }
    }

    #[test]
    fn every_flipped_byte_of_a_header_is_noticed() {
        let good = header().encode();
        for index in 0..good.len() {
            let mut bad = good;
            bad[index] ^= 0x10;
            assert!(SegmentHeader::decode(&bad).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_header_cannot_make_the_log_too_long_to_count() {
        let counted = |log_bytes| {
            let header = SegmentHeader {
                log_bytes,
                ..header()
            };
            SegmentHeader::decode(&header.encode()).map(|header| header.log_bytes)
        };
        assert_eq!(counted(MAX_LOG_BYTES), Ok(MAX_LOG_BYTES));
        for log_bytes in [MAX_LOG_BYTES + 1, u64::MAX] {
            let why = Damage::Impossible("log bytes in the segment header");
            assert_eq!(counted(log_bytes), Err(why));
        }
    }

    #[test]
    fn a_newer_format_is_refused_by_its_version() {
        let mut newer = header().encode();
        newer[at::VERSION_AT] = 3;
        assert_eq!(
            SegmentHeader::decode(&newer),
            Err(Damage::UnknownVersion(3))
        );
    }

    #[test]
    fn the_chain_begins_with_the_previous_hash_and_the_header() {
        let mut other = header();
        other.previous = ChainHash::ZERO;
        assert_ne!(other.chain_start(), header().chain_start());
        assert_eq!(header().start().position.offset, 128);
    }
}
