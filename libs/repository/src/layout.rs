//! Where each field of the head of a part stands. `docs/repository.md` shows the same as a table, and a test compares the
//! two.
//!
//! Each offset is computed from the one before it, so a field can't be moved alone.

use fwlog::CHAIN_HASH_SIZE;

const U32: usize = size_of::<u32>();
const U64: usize = size_of::<u64>();
const MAGIC: usize = 8;
const ENVIRONMENT: usize = 16;
const HASH: usize = 32;
const RESERVED: usize = 60;

/// First bytes of every part.
pub const MAGIC_BYTES: [u8; MAGIC] = *b"eloqpart";
/// The version of the format that this crate writes.
pub const FORMAT_VERSION: u32 = 1;
/// Flag: the segment is sealed at the end of the part, and the payload ends with the seal.
pub const FLAG_SEALED: u32 = 1;

/// Magic.
pub const MAGIC_AT: usize = 0;
/// Format version.
pub const VERSION_AT: usize = MAGIC_AT + MAGIC;
/// Flags.
pub const FLAGS_AT: usize = VERSION_AT + U32;
/// Environment id.
pub const ENVIRONMENT_AT: usize = FLAGS_AT + U32;
/// Generation.
pub const GENERATION_AT: usize = ENVIRONMENT_AT + ENVIRONMENT;
/// Sequence.
pub const SEQUENCE_AT: usize = GENERATION_AT + U32;
/// Offset in the segment where the part begins.
pub const FROM_AT: usize = SEQUENCE_AT + U32;
/// Offset in the segment where its blocks end.
pub const TO_AT: usize = FROM_AT + U64;
/// Chain hash at the beginning.
pub const CHAIN_FROM_AT: usize = TO_AT + U64;
/// Chain hash at the end.
pub const CHAIN_TO_AT: usize = CHAIN_FROM_AT + CHAIN_HASH_SIZE;
/// Newest commit before the beginning.
pub const COMMIT_FROM_AT: usize = CHAIN_TO_AT + CHAIN_HASH_SIZE;
/// Newest commit before the end.
pub const COMMIT_TO_AT: usize = COMMIT_FROM_AT + U64;
/// Time of the last block before the beginning, µs.
pub const TIME_FROM_AT: usize = COMMIT_TO_AT + U64;
/// Time of the last block before the end, µs.
pub const TIME_TO_AT: usize = TIME_FROM_AT + U64;
/// Bytes of payload.
pub const LENGTH_AT: usize = TIME_TO_AT + U64;
/// BLAKE3 of the payload.
pub const HASH_AT: usize = LENGTH_AT + U64;
/// Reserved, zero.
pub const RESERVED_AT: usize = HASH_AT + HASH;
/// CRC-32C of all fields before it.
pub const CRC_AT: usize = RESERVED_AT + RESERVED;
/// Size of the head.
pub const SIZE: usize = CRC_AT + U32;

const _: () = assert!(SIZE == 256);
