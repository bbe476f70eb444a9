//! One page of a b-tree (section 1.6).

use sqlitepage::{NodeKind, database_header, node_header};

use crate::bytes;
use crate::cell::Cell;
use crate::error::Error;
use crate::pages::{Image, PAGE_SIZE, Pages};

/// The two kinds of trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    /// Rows by rowid, all in leaves.
    Table,
    /// Records in the order of their columns, in leaves and above them: tables WITHOUT ROWID.
    Index,
}

impl Tree {
    /// Whether pages of this kind are in it.
    fn has(self, kind: NodeKind) -> bool {
        let of = match kind {
            NodeKind::TableInterior | NodeKind::TableLeaf => Self::Table,
            NodeKind::IndexInterior | NodeKind::IndexLeaf => Self::Index,
        };
        self == of
    }
}

/// A page of a tree; its cells are read when they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) number: u32,
    pub(crate) is_leaf: bool,
    /// How many cells it has.
    pub(crate) count: usize,
    kind: NodeKind,
    tree: Tree,
    image: Image,
    usable: usize,
    header: usize,
}

impl Node {
    /// Errors: the page is none of a tree of this kind.
    pub(crate) fn read(
        pages: &dyn Pages,
        usable: usize,
        tree: Tree,
        number: u32,
    ) -> Result<Self, Error> {
        let damaged = |what| Error::Damaged { page: number, what };
        if number == 0 || number > pages.count() {
            return Err(damaged("a tree has it, and it lies behind the end"));
        }
        let image = pages.page(number)?;
        // The header of the database stands before that of page 1.
        let header = if number == 1 {
            database_header::SIZE
        } else {
            0
        };
        let kind = image.get(header + node_header::KIND).copied();
        let kind = kind.and_then(NodeKind::of).filter(|kind| tree.has(*kind));
        let Some(kind) = kind else {
            return Err(damaged("a tree has it, and it is of another type"));
        };
        let at = header + node_header::CELL_COUNT;
        let count = bytes::u16_at(image.as_slice(), at).map_or(0, usize::from);
        let node = Self {
            number,
            is_leaf: kind.is_leaf(),
            kind,
            count,
            tree,
            image,
            usable,
            header,
        };
        if node.pointers() + 2 * count > usable {
            return Err(damaged("it has more cells than it has room for"));
        }
        Ok(node)
    }

    /// How many pages are below it.
    pub(crate) fn child_count(&self) -> usize {
        if self.is_leaf { 0 } else { self.count + 1 }
    }

    /// The page left of a cell; behind the last cell the right-most one.
    pub(crate) fn child(&self, index: usize) -> Result<u32, Error> {
        let at = if index == self.count {
            self.header + node_header::RIGHT_MOST
        } else {
            self.cell_at(index)?
        };
        bytes::u32_at(self.image.as_slice(), at).ok_or_else(|| self.damaged())
    }

    /// All pages below it, from left to right.
    pub(crate) fn children(&self) -> impl Iterator<Item = Result<u32, Error>> + '_ {
        (0..self.child_count()).map(|index| self.child(index))
    }

    /// Whether its cells have records: pages above the leaves of a table have none.
    pub(crate) fn has_records(&self) -> bool {
        self.is_leaf || self.tree == Tree::Index
    }

    /// A cell that has a record.
    pub(crate) fn cell(&self, index: usize) -> Result<Cell, Error> {
        let at = self.cell_at(index)?;
        self.read_cell(at).ok_or_else(|| self.damaged())
    }

    fn read_cell(&self, at: usize) -> Option<Cell> {
        let mut at = if self.is_leaf { at } else { at + 4 };
        let (payload, length) = bytes::varint(self.image.get(at..)?)?;
        at += length;
        let mut rowid = 0;
        if self.tree == Tree::Table {
            let (value, length) = bytes::varint(self.image.get(at..)?)?;
            rowid = value.cast_signed();
            at += length;
        }
        let local = local_size(self.tree, self.usable, payload)?;
        let end = at.checked_add(local).filter(|end| *end <= self.usable)?;
        let overflow = if local as u64 == payload {
            0
        } else {
            bytes::u32_at(self.image.get(..self.usable)?, end)?
        };
        Some(Cell {
            image: Image::clone(&self.image),
            page: self.number,
            rowid,
            payload,
            local: at..end,
            overflow,
            usable: self.usable,
        })
    }

    fn pointers(&self) -> usize {
        self.header + self.kind.header_size()
    }

    fn cell_at(&self, index: usize) -> Result<usize, Error> {
        let at = bytes::u16_at(self.image.as_slice(), self.pointers() + 2 * index);
        at.map(usize::from)
            .filter(|at| index < self.count && *at < PAGE_SIZE)
            .ok_or_else(|| self.damaged())
    }

    fn damaged(&self) -> Error {
        Error::Damaged {
            page: self.number,
            what: "a cell of it does not lie within it",
        }
    }
}

/// Bytes of a payload that are in the cell itself (section 1.6: U, X, M, K).
fn local_size(tree: Tree, usable: usize, payload: u64) -> Option<usize> {
    let smallest = usable.checked_sub(12)? * 32 / 255 - 23;
    let largest = match tree {
        Tree::Table => sqlitepage::largest_row(usable),
        Tree::Index => (usable - 12) * 64 / 255 - 23,
    };
    let payload = usize::try_from(payload).ok()?;
    if payload <= largest {
        return Some(payload);
    }
    let kept = smallest + (payload - smallest) % (usable - 4);
    Some(if kept <= largest { kept } else { smallest })
}
