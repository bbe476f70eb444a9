//! One hash tree over the pages of a database. Its root is the checksum of the database.
//!
//! BLAKE3 is a binary tree over chunks of 1 KiB. A page of 4096 bytes is a subtree of four chunks, and 512
//! pages that begin at a multiple of 512 are one of 2048 chunks; so the hash of all pages, in order, has the
//! hashes of pages and of groups of pages inside it:
//!
//! ```text
//!                     root: 32 bytes, what `dbctl database checksum` prints
//!                    /                                    \
//!           …  group: 512 pages, 32 bytes  …        …  the last group: what is left
//!             /        |         \
//!     page: 4 chunks, its first 16 bytes
//! ```
//!
//! | level | size | what for |
//! | --- | --- | --- |
//! | page | 16 bytes | which pages of a group differ, where nobody looks at the group any more: `dbctl replication verify` |
//! | page, whole | 32 bytes | the value of a group of which only some pages are at hand: backups |
//! | group | 32 bytes for 2 MiB | which groups differ; any of them is proved without the others |
//! | root | 32 bytes | whether two databases are equal |
//!
//! The place of a page is in its hash: two pages that changed places are noticed. Nothing is read or written
//! here, and nothing is known of how pages are kept.
//!
//! Whole groups are hashed three times as fast as single pages, whose four chunks don't fill a processor's registers. So a
//! copy, which compares a group's value once more when pages have come, tells pages apart by a short sum (`dbproto::base`)
//! and not by their hashes; and what it remembers of a group are the values of parts of 16 pages ([`GroupParts`]).
#![warn(missing_docs)]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing)]

mod above;
mod growing;
mod index;
mod page_set;
mod page_value;
mod parts;
mod tree;
mod value;

pub use growing::GrowingTree;
pub use index::{GROUP_PAGES, GroupNumber, LOCK_PAGE, PAGE_SIZE, PageIndex, hashed_pages};
pub use page_set::PageSet;
pub use page_value::{PageValue, group_of_pages, page_value, root_of_pages};
pub use parts::{GroupParts, PART_PAGES};
pub use tree::{Tree, TreeHasher, root_of};
pub use value::{
    GROUP_VALUE_SIZE, GroupHasher, GroupValue, PAGE_HASH_SIZE, PageHash, Root, page_hash,
};
