//! Where each field of a pack, and of the list of the groups of a backup, stands. `docs/repository.md` shows the same as tables, and a
//! test compares the two.
//!
//! Each offset is computed from the one before it, so a field can't be moved alone.

use pagehash::{GROUP_VALUE_SIZE, PageSet, PageValue};

use crate::backup_name::PackId;

const U8: usize = size_of::<u8>();
const U32: usize = size_of::<u32>();
const U64: usize = size_of::<u64>();
const MAGIC: usize = 8;
const ENVIRONMENT: usize = 16;
const HASH: usize = 32;
const RESERVED: usize = 20;

/// First bytes of every pack.
pub const MAGIC_BYTES: [u8; MAGIC] = *b"eloqpack";
/// First bytes of the list of groups of a backup.
pub const TABLE_MAGIC_BYTES: [u8; MAGIC] = *b"eloqgrps";
/// The version of both that this crate writes.
pub const FORMAT_VERSION: u32 = 1;

/// Magic.
pub const MAGIC_AT: usize = 0;
/// Format version.
pub const VERSION_AT: usize = MAGIC_AT + MAGIC;
/// Frames of it.
pub const FRAMES_AT: usize = VERSION_AT + U32;
/// Environment id.
pub const ENVIRONMENT_AT: usize = FRAMES_AT + U32;
/// Bytes of the index, which follows the head.
pub const INDEX_AT: usize = ENVIRONMENT_AT + ENVIRONMENT;
/// BLAKE3 of the index.
pub const INDEX_HASH_AT: usize = INDEX_AT + U64;
/// Reserved, zero.
pub const RESERVED_AT: usize = INDEX_HASH_AT + HASH;
/// CRC-32C of all fields before it.
pub const CRC_AT: usize = RESERVED_AT + RESERVED;
/// Size of the head.
pub const SIZE: usize = CRC_AT + U32;

const _: () = assert!(SIZE == 96);

/// In an entry of the index, the group.
pub const FRAME_GROUP_AT: usize = 0;
/// Which of its pages.
pub const FRAME_SET_AT: usize = FRAME_GROUP_AT + U32;
/// Offset in the pack where they begin.
pub const FRAME_OFFSET_AT: usize = FRAME_SET_AT + PageSet::SIZE;
/// Their bytes there.
pub const FRAME_LENGTH_AT: usize = FRAME_OFFSET_AT + U64;
/// BLAKE3 of those bytes.
pub const FRAME_HASH_AT: usize = FRAME_LENGTH_AT + U32;
/// Size of an entry, without its pages.
pub const FRAME_SIZE: usize = FRAME_HASH_AT + HASH;

/// For each page of an entry, its chaining value.
pub const PAGE_VALUE_AT: usize = 0;
/// Its CRC-32C.
pub const PAGE_CRC_AT: usize = PAGE_VALUE_AT + PageValue::SIZE;
/// Size of what an entry has for each page.
pub const PAGE_ENTRY_SIZE: usize = PAGE_CRC_AT + U32;

/// In the list of groups, behind magic and version: how many packs there are, whose names follow.
pub const TABLE_PACKS_AT: usize = VERSION_AT + U32;
/// Size of what stands before the names of the packs.
pub const TABLE_SIZE: usize = TABLE_PACKS_AT + U32;
/// Size of the name of a pack.
pub const TABLE_PACK_SIZE: usize = PackId::SIZE;
/// Size of what stands before the groups of a database: its number, its pages.
pub const TABLE_DATABASE_SIZE: usize = U32 + U32;
/// Size of what stands before the frames of a group: its value, how many frames.
pub const TABLE_GROUP_SIZE: usize = GROUP_VALUE_SIZE + U8;
/// Size of the place of a frame: the pack by its place among the names, the frame by its place in the index.
pub const TABLE_FRAME_SIZE: usize = U32 + U32;
