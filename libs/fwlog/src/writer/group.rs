//! A group: blocks that go to the disk together.

use std::io;
use std::sync::Arc;

use zstd::bulk::Compressor;

use crate::block::{BLOCK_HEAD_SIZE, BlockHead, Compression};
use crate::chain::ChainHash;
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position};
use crate::segment_end::SegmentEnd;
use crate::timestamp::Timestamp;
use crate::writer::time::LogTime;

/// The fastest level that still finds what repeats from one transaction to the next.
const ZSTD_LEVEL: i32 = 1;

/// Fewer bytes of records than that do not become shorter, or hardly: a small transaction by itself, which
/// waits for it.
const WORTH_COMPRESSING: usize = 128;

/// Collects records into blocks, and blocks into what is written at once.
pub(crate) struct Group {
    times: Arc<LogTime>,
    compressor: Option<Compressor<'static>>,
    compressed: Vec<u8>,
    /// Records of the block that is being filled.
    raw: Vec<u8>,
    /// Newest commit in `raw`, or before it.
    newest: CommitNumber,
    /// Finished blocks that are not written yet.
    pub(crate) blocks: Vec<u8>,
    /// Where they end.
    pub(crate) end: SegmentEnd,
}

impl Group {
    pub(crate) fn new(
        compression: Compression,
        last_commit: CommitNumber,
        times: Arc<LogTime>,
    ) -> io::Result<Self> {
        let compressor = match compression {
            Compression::None => None,
            Compression::Zstd => Some(Compressor::new(ZSTD_LEVEL)?),
        };
        Ok(Self {
            times,
            compressor,
            compressed: Vec::new(),
            raw: Vec::new(),
            newest: last_commit,
            blocks: Vec::new(),
            end: SegmentEnd {
                point: LogPoint::ORIGIN,
                last_commit,
                time: Timestamp::ZERO,
            },
        })
    }

    /// Goes on in a new segment, behind its header.
    pub(crate) fn move_to(&mut self, start: SegmentEnd) {
        assert!(
            self.blocks.is_empty() && self.raw.is_empty(),
            "a block never spans segments"
        );
        assert!(
            start.point.position > self.end.point.position && start.last_commit == self.newest,
            "a segment goes on where the one before it ended (invariant 3)"
        );
        self.end = start;
    }

    /// Bytes of records in the block that is being filled.
    pub(crate) fn open_bytes(&self) -> usize {
        self.raw.len()
    }

    pub(crate) fn push(&mut self, records: &[u8], last: Option<CommitNumber>) {
        self.raw.extend_from_slice(records);
        if let Some(last) = last {
            assert!(
                last > self.newest,
                "commits ascend along the log (invariant 3)"
            );
            self.newest = last;
        }
    }

    /// Ends the block that is being filled, if there is anything in it.
    pub(crate) fn end_block(&mut self) -> io::Result<()> {
        if self.raw.is_empty() {
            return Ok(());
        }
        let compression = self.compress()?;
        let payload = match compression {
            Compression::None => &self.raw,
            Compression::Zstd => &self.compressed,
        };
        let time = self.times.now();
        assert!(time >= self.end.time, "time never goes back along the log");
        let head = BlockHead {
            length: length(payload)?,
            raw_length: length(&self.raw)?,
            compression,
            first_commit: self.end.last_commit.next(),
            last_commit: self.newest,
            time,
            chain: ChainHash::ZERO,
        };
        let (bytes, chain) = head.link(self.end.point.hash, payload);
        self.blocks.extend_from_slice(&bytes);
        self.blocks.extend_from_slice(payload);
        let size = (BLOCK_HEAD_SIZE + payload.len()) as u64;
        let Position { segment, offset } = self.end.point.position;
        let point = LogPoint::new(Position::new(segment, offset + size), chain);
        self.end = SegmentEnd::of_block(&head, point);
        self.raw.clear();
        Ok(())
    }

    /// Compresses the records, unless that would make them longer.
    fn compress(&mut self) -> io::Result<Compression> {
        let Some(compressor) = &mut self.compressor else {
            return Ok(Compression::None);
        };
        if self.raw.len() < WORTH_COMPRESSING {
            return Ok(Compression::None);
        }
        self.compressed.clear();
        self.compressed
            .reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        let length = compressor.compress_to_buffer(&self.raw, &mut self.compressed)?;
        Ok(if length < self.raw.len() {
            Compression::Zstd
        } else {
            Compression::None
        })
    }
}

fn length(bytes: &[u8]) -> io::Result<u32> {
    u32::try_from(bytes.len()).map_err(io::Error::other)
}
