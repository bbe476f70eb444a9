//! `fw.position`: how far the log is durable. Readers go this far and no farther.
//!
//! The owner rewrites the file in place after every group, without a sync: what it says is never
//! ahead of the segments. After a power cut it may be old, or torn; then it says less, never more.

use std::io;
use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};

use crate::chain::ChainHash;
use crate::damage::{During, IoFailure};
use crate::fixed_fields::FixedFields;
use crate::identity::EnvironmentId;
use crate::layout::header::FORMAT_VERSION;
use crate::layout::position as at;
use crate::numbers::{CommitNumber, Generation, Sequence};
use crate::position::{LogPoint, Position, SegmentId};
use crate::timestamp::Timestamp;

/// Name of the file, beside the segments.
pub const POSITION_FILE: &str = "fw.position";

/// Size of the file in bytes.
pub const POSITION_SIZE: usize = at::SIZE;

/// How often a reader that meets the file half rewritten looks again.
const RETRIES: usize = 100;

/// The durable end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durable {
    /// Everything before this point is durable.
    pub point: LogPoint,
    /// Newest durable commit.
    pub commit: CommitNumber,
    /// Time of the last durable block.
    pub time: Timestamp,
    /// Bytes of log that the environment has written up to this point.
    pub log_bytes: u64,
    /// Whether the segment of `point` is sealed there, durably.
    pub sealed: bool,
}

impl Durable {
    /// Where a log begins.
    pub const NOTHING: Self = Self {
        point: LogPoint::ORIGIN,
        commit: CommitNumber::ZERO,
        time: Timestamp::ZERO,
        log_bytes: 0,
        sealed: false,
    };
}

/// The content of `fw.position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DurableEnd {
    /// The environment that the log belongs to.
    pub environment: EnvironmentId,
    /// The durable end.
    pub durable: Durable,
    /// Forward logging was switched off there: what its owner commits since then is in no log that is
    /// kept.
    pub switched_off: bool,
    /// The owner was stopped cleanly there, and has not been started since. Its next start says so no more.
    pub stopped: bool,
}

impl DurableEnd {
    /// Reads the file in `directory`. `None` when there is none, or none that can be understood:
    /// then nothing is known to be durable.
    pub fn read(disk: &Disk, directory: &Path) -> Result<Option<Self>, IoFailure> {
        PositionReader::of(disk, directory).read()
    }

    /// The bytes of the file.
    pub fn encode(&self) -> [u8; POSITION_SIZE] {
        let Durable {
            point,
            commit,
            time,
            log_bytes,
            sealed,
        } = self.durable;
        let sealed = if sealed { at::FLAG_SEALED } else { 0 };
        let switched_off = if self.switched_off {
            at::FLAG_SWITCHED_OFF
        } else {
            0
        };
        let stopped = if self.stopped { at::FLAG_STOPPED } else { 0 };
        let mut fields = FixedFields::blank();
        fields
            .put(at::MAGIC_AT, &at::MAGIC_BYTES)
            .put_u32(at::VERSION_AT, FORMAT_VERSION)
            .put_u32(at::FLAGS_AT, sealed | switched_off | stopped)
            .put(at::ENVIRONMENT_AT, &self.environment.to_bytes())
            .put_u32(at::GENERATION_AT, point.position.segment.generation.get())
            .put_u32(at::SEQUENCE_AT, point.position.segment.sequence.get())
            .put_u64(at::OFFSET_AT, point.position.offset)
            .put(at::CHAIN_AT, &point.hash.to_bytes())
            .put_u64(at::COMMIT_AT, commit.get())
            .put_u64(at::TIME_AT, time.micros())
            .put_u64(at::LOG_BYTES_AT, log_bytes)
            .put_crc(at::CRC_AT);
        fields.0
    }

    /// Reads the bytes of the file; `None` for anything but a whole file of this version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let fields = FixedFields(*bytes.first_chunk::<POSITION_SIZE>()?);
        let known = fields.array(at::MAGIC_AT) == at::MAGIC_BYTES
            && fields.u32(at::VERSION_AT) == FORMAT_VERSION
            && fields.crc_matches(at::CRC_AT);
        if !known {
            return None;
        }
        let segment = SegmentId {
            generation: Generation::new(fields.u32(at::GENERATION_AT)),
            sequence: Sequence::new(fields.u32(at::SEQUENCE_AT)),
        };
        let position = Position::new(segment, fields.u64(at::OFFSET_AT));
        let hash = ChainHash::from_bytes(fields.array(at::CHAIN_AT));
        Some(Self {
            environment: EnvironmentId::from_bytes(fields.array(at::ENVIRONMENT_AT)),
            durable: Durable {
                point: LogPoint::new(position, hash),
                commit: CommitNumber::new(fields.u64(at::COMMIT_AT)),
                time: Timestamp::from_micros(fields.u64(at::TIME_AT)),
                log_bytes: fields.u64(at::LOG_BYTES_AT),
                sealed: fields.u32(at::FLAGS_AT) & at::FLAG_SEALED != 0,
            },
            switched_off: fields.u32(at::FLAGS_AT) & at::FLAG_SWITCHED_OFF != 0,
            stopped: fields.u32(at::FLAGS_AT) & at::FLAG_STOPPED != 0,
        })
    }
}

/// Reads `fw.position` again and again through one open file.
#[derive(Debug)]
pub(crate) struct PositionReader {
    disk: Disk,
    path: PathBuf,
    file: Option<Box<dyn DiskFile>>,
}

impl PositionReader {
    /// The file in this directory, which need not be there.
    pub(crate) fn of(disk: &Disk, directory: &Path) -> Self {
        Self {
            disk: disk.clone(),
            path: directory.join(POSITION_FILE),
            file: None,
        }
    }

    /// The next time it is looked for by its name: that may be another file's by now.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// What it says now; see [`DurableEnd::read`].
    pub(crate) fn read(&mut self) -> Result<Option<DurableEnd>, IoFailure> {
        for _ in 0..RETRIES {
            let file = match self.file.take() {
                Some(file) => file,
                None => match self.disk.open(&self.path, Access::Read) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error).during("read", &self.path),
                },
            };
            let mut bytes = [0; POSITION_SIZE];
            let length = file.read_at(0, &mut bytes).during("read", &self.path)?;
            if let Some(end) = DurableEnd::decode(bytes.get(..length).unwrap_or_default()) {
                self.file = Some(file);
                return Ok(Some(end));
            }
            std::thread::yield_now();
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_durable_end_reads_back_and_a_flipped_byte_makes_it_unknown() {
        let end = DurableEnd {
            environment: EnvironmentId::from_bytes([3; 16]),
            durable: Durable {
                point: LogPoint::new(Position::new(SegmentId::new(2, 5), 777), ChainHash::ZERO),
                commit: CommitNumber::new(8),
                time: Timestamp::from_micros(5),
                log_bytes: 12_345,
                sealed: true,
            },
            switched_off: true,
            stopped: true,
        };
        let good = end.encode();
        assert_eq!(DurableEnd::decode(&good), Some(end));
        for index in 0..good.len() {
            let mut bad = good;
            bad[index] ^= 1;
            assert_eq!(DurableEnd::decode(&bad), None, "byte {index}");
        }
    }

    #[test]
    fn a_directory_without_the_file_has_no_known_durable_end() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(DurableEnd::read(&Disk::real(), directory.path()), Ok(None));
    }
}
