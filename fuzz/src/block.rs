//! Blocks: as they come, and with lengths, checksum and chain put right so that the records are
//! reached.

use bytes::Bytes;
use fwlog::{
    BLOCK_HEAD_SIZE, Block, BlockDecoder, BlockHead, ChainHash, CommitNumber, MAX_BLOCK_SIZE,
    Position, SegmentId, layout,
};

use super::choices::Choices;
use super::records;

/// Takes the bytes as a block, or as what to make a block of.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    if choices.flag() {
        raw(choices.rest());
    } else {
        made(choices);
    }
}

fn raw(bytes: &[u8]) {
    let start = Position::new(SegmentId::FIRST, u64::MAX - 3);
    let mut rest = Bytes::copy_from_slice(bytes);
    while let Ok(block) = Block::split_from(&mut rest, start) {
        assert!(block.bytes.len() >= BLOCK_HEAD_SIZE && block.bytes.len() <= MAX_BLOCK_SIZE);
        assert_eq!(block.bytes.len(), block.head.block_size());
        let _ = block.continues(ChainHash::ZERO, CommitNumber::ZERO);
        read(&block);
    }
}

/// A block whose head is sound, whatever its payload is.
fn made(mut choices: Choices<'_>) {
    let previous = ChainHash::from_bytes([choices.byte(); 32]);
    let first = choices.u64();
    let last = choices.u64();
    let before = CommitNumber::new(first.wrapping_sub(1));
    let block = put_together(&mut choices, previous, first, last);
    let decoded = Block::split_from(&mut block.clone(), Position::ORIGIN);
    let Ok(found) = decoded else {
        assert!(BlockHead::decode(&block).is_err());
        return;
    };
    if first != 0 {
        assert_eq!(found.continues(previous, before), Ok(()));
    }
    let other = ChainHash::from_bytes(previous.to_bytes().map(|byte| !byte));
    assert!(found.continues(other, before).is_err());
    read(&found);
}

/// Head and payload, with a good checksum and a good chain hash.
pub fn put_together(
    choices: &mut Choices<'_>,
    previous: ChainHash,
    first: u64,
    last: u64,
) -> Bytes {
    let how = choices.byte();
    let claimed = choices.u32();
    let content = choices.piece();
    let (payload, raw_length, flags) = match how % 4 {
        // As it is.
        0 => (content.to_vec(), content.len(), 0),
        // Well compressed.
        1 => match zstd::bulk::compress(content, 1) {
            Ok(packed) => (packed, content.len(), layout::block::FLAG_ZSTD),
            Err(_) => (Vec::new(), 0, 0),
        },
        // Compressed, with any length claimed.
        2 => (
            zstd::bulk::compress(content, 1).unwrap_or_default(),
            claimed as usize,
            layout::block::FLAG_ZSTD,
        ),
        // Anything in place of the compressed frame.
        _ => (content.to_vec(), claimed as usize, layout::block::FLAG_ZSTD),
    };
    seal_block(&payload, raw_length, flags, (first, last), previous)
}

/// The bytes of a block with these fields.
pub fn seal_block(
    payload: &[u8],
    raw_length: usize,
    flags: u32,
    (first, last): (u64, u64),
    previous: ChainHash,
) -> Bytes {
    use layout::block as at;
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let raw_length = u32::try_from(raw_length).unwrap_or(u32::MAX);
    let mut block = vec![0; BLOCK_HEAD_SIZE];
    block[at::MARK_AT..][..4].copy_from_slice(&at::MARK_BYTES);
    block[at::LENGTH_AT..][..4].copy_from_slice(&length.to_le_bytes());
    block[at::RAW_LENGTH_AT..][..4].copy_from_slice(&raw_length.to_le_bytes());
    block[at::FLAGS_AT..][..4].copy_from_slice(&flags.to_le_bytes());
    block[at::FIRST_COMMIT_AT..][..8].copy_from_slice(&first.to_le_bytes());
    block[at::LAST_COMMIT_AT..][..8].copy_from_slice(&last.to_le_bytes());
    block[at::TIME_AT..][..8].copy_from_slice(&1_u64.to_le_bytes());
    let mut chain = blake3::Hasher::new();
    chain
        .update(&previous.to_bytes())
        .update(&block[..at::CHAIN_AT])
        .update(payload);
    block[at::CHAIN_AT..at::CRC_AT].copy_from_slice(chain.finalize().as_bytes());
    let crc = crc32c::crc32c(&block[..at::CRC_AT]);
    block[at::CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    block.extend_from_slice(payload);
    block.into()
}

/// What decodes can be walked through.
fn read(block: &Block) {
    let mut decoder = BlockDecoder::new();
    if let Ok(records) = decoder.records(block) {
        let good = records::walk(records.clone());
        assert_eq!(records.flatten().count(), good);
        assert!(good <= block.head.raw_length as usize / 4);
    }
}
