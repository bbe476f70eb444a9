//! Pieces of log: those that the master has, and those that nobody should ever get.

use bytes::Bytes;
use dbtests::Server;
use disk::Disk;
use fwlog::{
    BLOCK_HEAD_SIZE, Block, CommitNumber, EnvironmentId, LogPoint, ReadItem, RecordBuffer, Seal,
    SegmentReader, layout::block as at,
};

/// The environment of a server.
pub(crate) fn environment(server: &Server) -> EnvironmentId {
    newest(server).header().environment
}

fn newest(server: &Server) -> SegmentReader {
    let segments = server.segments();
    let last = segments.segments().last().expect("a segment");
    SegmentReader::open(&Disk::real(), &last.path).expect("a readable segment")
}

/// What the master has behind a point of its newest segment.
pub(crate) fn behind(master: &Server, point: LogPoint) -> Vec<Block> {
    let mut reader = newest(master);
    let hash = reader.skip_to(point.position.offset).expect("readable");
    assert_eq!(
        hash,
        Some(point.hash),
        "the slave stands in the master's newest segment"
    );
    let mut blocks = Vec::new();
    while let Ok(ReadItem::Block(block)) = reader.next(None) {
        blocks.push(block);
    }
    assert!(blocks.len() > 2, "the master is ahead");
    blocks
}

/// The newest commit before a point of the master's newest segment.
pub(crate) fn commit_at(master: &Server, point: LogPoint) -> CommitNumber {
    let mut reader = newest(master);
    reader.skip_to(point.position.offset).expect("readable");
    reader.last_commit()
}

/// A block whose checksum and chain are right, whatever stands in it.
pub(crate) fn block(after: LogPoint, commits: (u64, u64), records: &RecordBuffer) -> Bytes {
    raw_block(after, commits, records.as_bytes(), records.len(), 0)
}

/// The same with any payload.
pub(crate) fn raw_block(
    after: LogPoint,
    (first, last): (u64, u64),
    payload: &[u8],
    raw_length: usize,
    flags: u32,
) -> Bytes {
    let mut block = vec![0; BLOCK_HEAD_SIZE];
    let mut put = |place: usize, bytes: &[u8]| block[place..][..bytes.len()].copy_from_slice(bytes);
    put(at::MARK_AT, &at::MARK_BYTES);
    put(at::LENGTH_AT, &length(payload.len()));
    put(at::RAW_LENGTH_AT, &length(raw_length));
    put(at::FLAGS_AT, &flags.to_le_bytes());
    put(at::FIRST_COMMIT_AT, &first.to_le_bytes());
    put(at::LAST_COMMIT_AT, &last.to_le_bytes());
    put(at::TIME_AT, &u64::MAX.to_le_bytes());
    let mut chain = blake3::Hasher::new();
    chain
        .update(&after.hash.to_bytes())
        .update(&block[..at::CHAIN_AT])
        .update(payload);
    block[at::CHAIN_AT..at::CRC_AT].copy_from_slice(chain.finalize().as_bytes());
    with_crc(&mut block);
    block.extend_from_slice(payload);
    block.into()
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a length").to_le_bytes()
}

fn with_crc(head: &mut [u8]) {
    let crc = crc32c::crc32c(&head[..at::CRC_AT]);
    head[at::CRC_AT..at::SIZE].copy_from_slice(&crc.to_le_bytes());
}

/// The block with one bit flipped; with `mended`, the checksum of its head fits again.
pub(crate) fn flipped(block: &Block, place: usize, mended: bool) -> Bytes {
    let mut bytes = block.bytes.to_vec();
    bytes[place] ^= 0x10;
    if mended {
        with_crc(&mut bytes);
    }
    bytes.into()
}

/// A seal that says that the segment ends at this point.
pub(crate) fn seal(at: LogPoint, last_commit: CommitNumber) -> Bytes {
    let seal = Seal {
        length: at.position.offset,
        first_commit: CommitNumber::new(1),
        last_commit,
        chain: at.hash,
    };
    Bytes::copy_from_slice(&seal.encode())
}
