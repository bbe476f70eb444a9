//! Where each field of the fixed structures stands. `docs/forward-log.md` shows the same as
//! tables, and a test compares the two.
//!
//! Each offset is computed from the one before it, so a field can't be moved alone.

use crate::chain::CHAIN_HASH_SIZE;

const U32: usize = size_of::<u32>();
const U64: usize = size_of::<u64>();
const MAGIC: usize = 8;
const MARK: usize = 4;
const ENVIRONMENT: usize = 16;

/// The header at the start of each segment.
pub mod header {
    use super::{CHAIN_HASH_SIZE, ENVIRONMENT, MAGIC, U32, U64};

    /// First bytes of every segment.
    pub const MAGIC_BYTES: [u8; MAGIC] = *b"eloqfwlg";
    /// The version of the format that this crate writes.
    pub const FORMAT_VERSION: u32 = 1;
    /// The version in the segments of a log of audit records alone: who expects pages refuses it.
    pub const AUDIT_VERSION: u32 = 2;
    /// Bytes of the origin instance, padded with zeros.
    pub const ORIGIN_SIZE: usize = 16;
    const RESERVED_SIZE: usize = 12;

    /// Magic.
    pub const MAGIC_AT: usize = 0;
    /// Format version.
    pub const VERSION_AT: usize = MAGIC_AT + MAGIC;
    /// Page size in bytes.
    pub const PAGE_SIZE_AT: usize = VERSION_AT + U32;
    /// Environment id.
    pub const ENVIRONMENT_AT: usize = PAGE_SIZE_AT + U32;
    /// Generation.
    pub const GENERATION_AT: usize = ENVIRONMENT_AT + ENVIRONMENT;
    /// Sequence.
    pub const SEQUENCE_AT: usize = GENERATION_AT + U32;
    /// Bytes of log before this segment.
    pub const LOG_BYTES_AT: usize = SEQUENCE_AT + U32;
    /// Newest commit before this segment.
    pub const LAST_COMMIT_AT: usize = LOG_BYTES_AT + U64;
    /// When the segment was made, µs.
    pub const CREATED_AT: usize = LAST_COMMIT_AT + U64;
    /// Chain hash at the end of the previous segment.
    pub const PREVIOUS_AT: usize = CREATED_AT + U64;
    /// Instance that made the segment.
    pub const ORIGIN_AT: usize = PREVIOUS_AT + CHAIN_HASH_SIZE;
    /// Reserved, zero.
    pub const RESERVED_AT: usize = ORIGIN_AT + ORIGIN_SIZE;
    /// CRC-32C of all fields before it.
    pub const CRC_AT: usize = RESERVED_AT + RESERVED_SIZE;
    /// Size of the header.
    pub const SIZE: usize = CRC_AT + U32;

    const _: () = assert!(SIZE == 128);
}

/// The head of each block.
pub mod block {
    use super::{CHAIN_HASH_SIZE, MARK, U32, U64};

    /// First bytes of every block.
    pub const MARK_BYTES: [u8; MARK] = *b"FwBk";
    /// Flag: the payload is a zstd frame.
    pub const FLAG_ZSTD: u32 = 1;
    /// Most bytes of records in one block.
    pub const MAX_RAW: usize = 16 << 20;

    /// Mark.
    pub const MARK_AT: usize = 0;
    /// Bytes of payload after the head.
    pub const LENGTH_AT: usize = MARK_AT + MARK;
    /// Bytes of records in the payload.
    pub const RAW_LENGTH_AT: usize = LENGTH_AT + U32;
    /// Flags.
    pub const FLAGS_AT: usize = RAW_LENGTH_AT + U32;
    /// First commit of the block.
    pub const FIRST_COMMIT_AT: usize = FLAGS_AT + U32;
    /// Newest commit at the end of the block.
    pub const LAST_COMMIT_AT: usize = FIRST_COMMIT_AT + U64;
    /// When the block was made, µs.
    pub const TIME_AT: usize = LAST_COMMIT_AT + U64;
    /// Chain hash at the end of the block.
    pub const CHAIN_AT: usize = TIME_AT + U64;
    /// CRC-32C of all fields before it.
    pub const CRC_AT: usize = CHAIN_AT + CHAIN_HASH_SIZE;
    /// Size of the head.
    pub const SIZE: usize = CRC_AT + U32;

    const _: () = assert!(SIZE == 76);
}

/// The seal that ends a segment.
pub mod seal {
    use super::{CHAIN_HASH_SIZE, MARK, U32, U64};

    /// First bytes of every seal.
    pub const MARK_BYTES: [u8; MARK] = *b"FwSl";
    const RESERVED_SIZE: usize = 4;

    /// Mark.
    pub const MARK_AT: usize = 0;
    /// Reserved, zero.
    pub const RESERVED_AT: usize = MARK_AT + MARK;
    /// Bytes of the segment before the seal.
    pub const LENGTH_AT: usize = RESERVED_AT + RESERVED_SIZE;
    /// First commit of the segment.
    pub const FIRST_COMMIT_AT: usize = LENGTH_AT + U64;
    /// Newest commit at the end of the segment.
    pub const LAST_COMMIT_AT: usize = FIRST_COMMIT_AT + U64;
    /// Chain hash at the end of the segment.
    pub const CHAIN_AT: usize = LAST_COMMIT_AT + U64;
    /// CRC-32C of all fields before it.
    pub const CRC_AT: usize = CHAIN_AT + CHAIN_HASH_SIZE;
    /// Size of the seal.
    pub const SIZE: usize = CRC_AT + U32;

    const _: () = assert!(SIZE == 68);
}

/// The file that holds the durable end.
pub mod position {
    use super::{CHAIN_HASH_SIZE, ENVIRONMENT, MAGIC, U32, U64};

    /// First bytes of the file.
    pub const MAGIC_BYTES: [u8; MAGIC] = *b"eloqfwps";
    /// Flag: the segment at the durable end is sealed.
    pub const FLAG_SEALED: u32 = 1;
    /// Flag: forward logging was switched off at the durable end.
    pub const FLAG_SWITCHED_OFF: u32 = 2;
    /// Flag: the owner was stopped cleanly there.
    pub const FLAG_STOPPED: u32 = 4;

    /// Magic.
    pub const MAGIC_AT: usize = 0;
    /// Format version, that of the segments.
    pub const VERSION_AT: usize = MAGIC_AT + MAGIC;
    /// Flags.
    pub const FLAGS_AT: usize = VERSION_AT + U32;
    /// Environment id.
    pub const ENVIRONMENT_AT: usize = FLAGS_AT + U32;
    /// Generation.
    pub const GENERATION_AT: usize = ENVIRONMENT_AT + ENVIRONMENT;
    /// Sequence.
    pub const SEQUENCE_AT: usize = GENERATION_AT + U32;
    /// Offset in the segment.
    pub const OFFSET_AT: usize = SEQUENCE_AT + U32;
    /// Chain hash at that offset.
    pub const CHAIN_AT: usize = OFFSET_AT + U64;
    /// Newest durable commit.
    pub const COMMIT_AT: usize = CHAIN_AT + CHAIN_HASH_SIZE;
    /// Time of the last durable block, µs.
    pub const TIME_AT: usize = COMMIT_AT + U64;
    /// Bytes of log before the durable end.
    pub const LOG_BYTES_AT: usize = TIME_AT + U64;
    /// CRC-32C of all fields before it.
    pub const CRC_AT: usize = LOG_BYTES_AT + U64;
    /// Size of the file.
    pub const SIZE: usize = CRC_AT + U32;

    // Below the smallest sector, so that one rewrite is one sector.
    const _: () = assert!(SIZE == 108);
}

/// The head of each record.
pub mod record {
    /// Kind of the record.
    pub const KIND_AT: usize = 0;
    /// Bytes of body after the head, 24 bits.
    pub const LENGTH_AT: usize = KIND_AT + 1;
    /// Size of the head.
    pub const SIZE: usize = LENGTH_AT + 3;
    /// Longest body.
    pub const MAX_BODY: usize = super::block::MAX_RAW - SIZE;

    const _: () = assert!(SIZE == 4);
    const _: () = assert!(MAX_BODY < 1 << 24);
}
