//! The format of SQLite's pages, as far as two of ours read it by themselves: the rows that a commit has changed
//! (`rowdiff`), and pages that two transactions have changed (`sqlitevfs`). Sections are those of "Database File
//! Format" of SQLite. No I/O, and nothing here panics on any bytes.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod numbers;

pub use numbers::{put_u16, put_u32, u16_at, u32_at, varint};

/// Bytes of a page, in all databases of ours.
pub const PAGE_SIZE: usize = 4096;

/// The header of a database, at the start of page 1 (section 1.3).
pub mod database_header {
    /// Bytes of it; in page 1 the header of the b-tree page stands behind.
    pub const SIZE: usize = 100;
    /// Size of a page, two bytes.
    pub const PAGE_SIZE: usize = 16;
    /// Bytes at the end of each page that are not used, one byte.
    pub const RESERVED: usize = 20;
    /// Counts the transactions, four bytes.
    pub const CHANGE_COUNTER: usize = 24;
    /// Counts the changes of the schema, four bytes.
    pub const SCHEMA_COOKIE: usize = 40;
    /// How texts are encoded, four bytes.
    pub const ENCODING: usize = 56;
    /// The change counter for which the number of SQLite's version behind it is valid, four bytes.
    pub const VERSION_VALID_FOR: usize = 92;
}

/// The header of a b-tree page (section 1.6), from its own start.
pub mod node_header {
    /// The kind, one byte.
    pub const KIND: usize = 0;
    /// Number of cells, two bytes.
    pub const CELL_COUNT: usize = 3;
    /// Where the content of the cells begins, two bytes.
    pub const CONTENT_START: usize = 5;
    /// Bytes in gaps that are too small to be listed, one byte.
    pub const FRAGMENTED: usize = 7;
    /// The right-most page below, four bytes; a leaf has none.
    pub const RIGHT_MOST: usize = 8;
    /// Bytes of the header of a leaf.
    pub const LEAF_SIZE: usize = 8;
    /// Bytes of the header of a page above the leaves.
    pub const INTERIOR_SIZE: usize = 12;
}

/// The kinds of b-tree pages (section 1.6). The number is the first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Above the leaves of an index.
    IndexInterior = 2,
    /// Above the leaves of a table.
    TableInterior = 5,
    /// A leaf of an index.
    IndexLeaf = 10,
    /// A leaf of a table.
    TableLeaf = 13,
}

impl NodeKind {
    /// The kind that this first byte says; `None`: the page is none of a b-tree.
    #[inline]
    pub const fn of(byte: u8) -> Option<Self> {
        Some(match byte {
            2 => Self::IndexInterior,
            5 => Self::TableInterior,
            10 => Self::IndexLeaf,
            13 => Self::TableLeaf,
            _ => return None,
        })
    }

    /// Whether no page is below it.
    #[inline]
    pub const fn is_leaf(self) -> bool {
        matches!(self, Self::IndexLeaf | Self::TableLeaf)
    }

    /// Bytes of its header.
    #[inline]
    pub const fn header_size(self) -> usize {
        if self.is_leaf() {
            node_header::LEAF_SIZE
        } else {
            node_header::INTERIOR_SIZE
        }
    }
}

/// Largest payload of a row that is in its cell as a whole, in pages with so many usable bytes (section 1.6: U - 35).
#[inline]
pub const fn largest_row(usable: usize) -> usize {
    usable.saturating_sub(35)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_its_first_byte() {
        for byte in 0..=u8::MAX {
            let kind = NodeKind::of(byte);
            assert_eq!(kind.map(|kind| kind as u8), kind.map(|_| byte));
            assert_eq!(kind.is_some(), [2, 5, 10, 13].contains(&byte), "{byte}");
        }
        assert!(NodeKind::TableLeaf.is_leaf() && !NodeKind::IndexInterior.is_leaf());
        assert_eq!(NodeKind::IndexLeaf.header_size(), 8);
        assert_eq!(NodeKind::TableInterior.header_size(), 12);
    }
}
