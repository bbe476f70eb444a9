//! Leaves of SQLite's tables, changed by two transactions at once.
//!
//! Rows that different transactions have changed often share a page: the last leaf of a table that all append to, most
//! of all. What a transaction has done to a leaf is told by cells, and done again to the leaf as others have left it.
//! The layout is that of SQLite's file format, section 1.6 (B-tree pages).

use std::cmp::Ordering;

use pagestore::{PAGE_SIZE, PageData, PageImage};
use sqlitepage::node_header::{CELL_COUNT, CONTENT_START, FRAGMENTED, LEAF_SIZE};
use sqlitepage::{NodeKind, put_u16, u16_at, varint};

/// Where the pointers to the cells begin.
const POINTERS: usize = LEAF_SIZE;
/// A larger payload continues on overflow pages.
const MAX_LOCAL: u64 = sqlitepage::largest_row(PAGE_SIZE) as u64;
const _: () = assert!(PAGE_SIZE == sqlitepage::PAGE_SIZE);
/// A cell takes at least so much room.
const MIN_CELL: usize = 4;

/// One leaf; its cells are read when they are asked for.
struct Leaf<'a> {
    page: &'a PageData,
    count: usize,
}

/// What a transaction has done to one row.
struct Edit<'a> {
    rowid: i64,
    before: Option<&'a [u8]>,
    after: Option<&'a [u8]>,
}

/// `theirs` with what the step from `base` to `ours` has done; `None` where both have changed a row, where it does not
/// fit, or where one of them is no leaf that can be told by its rows.
pub(super) fn merged(base: &PageData, ours: &PageData, theirs: &PageData) -> Option<PageImage> {
    let [base, ours, theirs] = [base, ours, theirs].map(Leaf::new);
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let edits = base.edits(&ours)?;
    for edit in &edits {
        let there = match theirs.find(edit.rowid)? {
            Ok(index) => Some(theirs.row(index)?.1),
            Err(_) => None,
        };
        if there != edit.before {
            return None;
        }
    }
    theirs.edited(&edits).or_else(|| theirs.rebuilt(&edits))
}

impl<'a> Leaf<'a> {
    fn new(page: &'a PageData) -> Option<Self> {
        let count = usize::from(u16_at(page, CELL_COUNT)?);
        let fits = POINTERS + 2 * count <= content_start(page)?;
        (NodeKind::of(page[0]) == Some(NodeKind::TableLeaf) && fits).then_some(Self { page, count })
    }

    fn pointer(&self, index: usize) -> Option<usize> {
        let at = usize::from(u16_at(self.page, POINTERS + 2 * index)?);
        (at >= content_start(self.page)?).then_some(at)
    }

    /// A row and its whole cell; `None`: it has overflow pages.
    fn row(&self, index: usize) -> Option<(i64, &'a [u8])> {
        let at = self.pointer(index)?;
        let (payload, payload_len) = varint(self.page.get(at..)?)?;
        let (rowid, rowid_len) = varint(self.page.get(at + payload_len..)?)?;
        if payload > MAX_LOCAL {
            return None;
        }
        let len = payload_len + rowid_len + usize::try_from(payload).ok()?;
        let cell = self.page.get(at..at + len.max(MIN_CELL))?;
        Some((rowid.cast_signed(), cell))
    }

    /// Where a row is, or where it belongs.
    fn find(&self, rowid: i64) -> Option<Result<usize, usize>> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            match self.row(middle)?.0.cmp(&rowid) {
                Ordering::Equal => return Some(Ok(middle)),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
        Some(Err(low))
    }

    /// What leads from here to `after`, in the order of the rows.
    fn edits(&self, after: &Leaf<'a>) -> Option<Vec<Edit<'a>>> {
        let (first, last) = self.common(after)?;
        let (mut old, mut new) = (first..self.count - last, first..after.count - last);
        let mut edits = Vec::new();
        loop {
            let gone = old.clone().next().map(|index| self.row(index));
            let come = new.clone().next().map(|index| after.row(index));
            let order = match (gone, come) {
                (None, None) => return Some(edits),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(gone), Some(come)) => gone?.0.cmp(&come?.0),
            };
            let gone = gone.filter(|_| order.is_le());
            let come = come.filter(|_| order.is_ge());
            old.start += usize::from(gone.is_some());
            new.start += usize::from(come.is_some());
            let (rowid, _) = gone.or(come)??;
            let before = gone.flatten().map(|(_, cell)| cell);
            let after = come.flatten().map(|(_, cell)| cell);
            if before != after {
                edits.push(Edit {
                    rowid,
                    before,
                    after,
                });
            }
        }
    }

    /// How many cells at the beginning, and at the end, are the same in both, without a look at each: where nothing of
    /// the content of the first was overwritten, equal pointers are equal cells.
    fn common(&self, other: &Leaf<'a>) -> Option<(usize, usize)> {
        let content = content_start(self.page)?..;
        if self.page.get(content.clone()) != other.page.get(content) {
            return Some((0, 0));
        }
        let most = self.count.min(other.count);
        let first = (0..most)
            .take_while(|index| self.pointer(*index) == other.pointer(*index))
            .count();
        let last = (1..=most - first)
            .take_while(|back| self.pointer(self.count - back) == other.pointer(other.count - back))
            .count();
        Some((first, last))
    }

    /// With the edits done in place, so that the log has only their bytes; `None` where they need another layout.
    fn edited(&self, edits: &[Edit<'_>]) -> Option<PageImage> {
        let mut image = PageImage::copy_of(self.page);
        let page = image.bytes_mut()?;
        let mut start = content_start(page)?;
        let mut count = self.count;
        for edit in edits {
            match (self.find(edit.rowid)?, edit.after) {
                (Ok(index), Some(cell)) => {
                    let at = self.pointer(index)?;
                    if self.row(index)?.1.len() != cell.len() {
                        return None;
                    }
                    page.get_mut(at..at + cell.len())?.copy_from_slice(cell);
                }
                (Err(index), Some(cell)) => {
                    // `index` does not count the rows before it that were added just now.
                    let at = POINTERS + 2 * (index + count - self.count);
                    let end = POINTERS + 2 * count;
                    start = start.checked_sub(cell.len()).filter(|s| *s >= end + 2)?;
                    page.get_mut(start..start + cell.len())?
                        .copy_from_slice(cell);
                    page.copy_within(at..end, at + 2);
                    put_u16(page, at, start)?;
                    count += 1;
                }
                (_, None) => return None,
            }
        }
        put_u16(page, CELL_COUNT, count)?;
        put_u16(page, CONTENT_START, start)?;
        Some(image)
    }

    /// Laid out anew, without gaps.
    fn rebuilt(&self, edits: &[Edit<'_>]) -> Option<PageImage> {
        let is_edited = |rowid: i64| {
            edits
                .binary_search_by_key(&rowid, |edit| edit.rowid)
                .is_ok()
        };
        let mut cells = Vec::with_capacity(self.count + edits.len());
        for index in 0..self.count {
            let (rowid, cell) = self.row(index)?;
            if !is_edited(rowid) {
                cells.push((rowid, cell));
            }
        }
        cells.extend(
            edits
                .iter()
                .filter_map(|edit| Some((edit.rowid, edit.after?))),
        );
        if cells.is_empty() {
            // SQLite takes a leaf without rows out of its tree.
            return None;
        }
        cells.sort_unstable_by_key(|(rowid, _)| *rowid);
        let mut image = PageImage::copy_of(&[0; PAGE_SIZE]);
        let page = image.bytes_mut()?;
        page[0] = NodeKind::TableLeaf as u8;
        let end = POINTERS + 2 * cells.len();
        let mut start = PAGE_SIZE;
        for (index, (_, cell)) in cells.iter().enumerate() {
            start = start
                .checked_sub(cell.len())
                .filter(|start| *start >= end)?;
            page.get_mut(start..start + cell.len())?
                .copy_from_slice(cell);
            put_u16(page, POINTERS + 2 * index, start)?;
        }
        page[FRAGMENTED] = 0;
        put_u16(page, CELL_COUNT, cells.len())?;
        put_u16(page, CONTENT_START, start)?;
        Some(image)
    }
}

fn content_start(page: &PageData) -> Option<usize> {
    match u16_at(page, CONTENT_START)? {
        // It stands for 65536, which is no place in a page of this size.
        0 => None,
        start => Some(usize::from(start)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with these rows, of one byte of payload each but for its length.
    fn leaf(rows: &[(i64, &[u8])]) -> PageData {
        let cells: Vec<(i64, Vec<u8>)> = rows
            .iter()
            .map(|(rowid, payload)| {
                let mut cell = vec![
                    u8::try_from(payload.len()).unwrap(),
                    u8::try_from(*rowid).unwrap(),
                ];
                cell.extend_from_slice(payload);
                cell.resize(cell.len().max(MIN_CELL), 0);
                (*rowid, cell)
            })
            .collect();
        let edits: Vec<_> = cells
            .iter()
            .map(|(rowid, cell)| Edit {
                rowid: *rowid,
                before: None,
                after: Some(cell),
            })
            .collect();
        let mut empty: PageData = [0; PAGE_SIZE];
        empty[0] = NodeKind::TableLeaf as u8;
        put_u16(&mut empty, CONTENT_START, PAGE_SIZE).unwrap();
        let empty = Leaf::new(&empty).unwrap();
        let page = bytes(empty.edited(&edits));
        // Both ways of layout hold the same rows.
        assert_eq!(rows_of(&page), rows_of(&bytes(empty.rebuilt(&edits))));
        page
    }

    fn bytes(image: Option<PageImage>) -> PageData {
        *image.unwrap().in_memory().unwrap()
    }

    fn rows_of(page: &PageData) -> Vec<(i64, Vec<u8>)> {
        let leaf = Leaf::new(page).unwrap();
        let rows = (0..leaf.count).map(|index| leaf.row(index).unwrap());
        rows.map(|(rowid, cell)| (rowid, cell.to_vec())).collect()
    }

    #[test]
    fn rows_that_two_have_appended_are_both_there() {
        let base = leaf(&[(1, b"one"), (2, b"two")]);
        let ours = leaf(&[(1, b"one"), (2, b"two"), (4, b"our")]);
        let theirs = leaf(&[(1, b"one"), (2, b"two"), (3, b"their"), (5, b"too")]);
        let all = leaf(&[
            (1, b"one"),
            (2, b"two"),
            (3, b"their"),
            (4, b"our"),
            (5, b"too"),
        ]);
        let merged = bytes(merged(&base, &ours, &theirs));
        assert_eq!(rows_of(&merged), rows_of(&all));
    }

    #[test]
    fn a_row_that_both_have_changed_is_a_conflict() {
        let base = leaf(&[(1, b"one"), (2, b"two")]);
        let ours = leaf(&[(1, b"uno"), (2, b"two")]);
        for theirs in [
            leaf(&[(1, b"ein"), (2, b"two")]),
            leaf(&[(2, b"two"), (3, b"new")]),
        ] {
            assert!(merged(&base, &ours, &theirs).is_none());
        }
        // Two new rows of one number, too.
        let ours = leaf(&[(1, b"one"), (2, b"two"), (3, b"our")]);
        let theirs = leaf(&[(1, b"one"), (2, b"two"), (3, b"their")]);
        assert!(merged(&base, &ours, &theirs).is_none());
    }

    #[test]
    fn changes_and_deletions_are_done_to_what_others_have_left() {
        let base = leaf(&[(1, b"one"), (2, b"two"), (3, b"three")]);
        let ours = leaf(&[(2, b"a longer one"), (3, b"three")]);
        let theirs = leaf(&[(1, b"one"), (2, b"two"), (3, b"drei!"), (9, b"nine")]);
        let merged = bytes(merged(&base, &ours, &theirs));
        let all = leaf(&[(2, b"a longer one"), (3, b"drei!"), (9, b"nine")]);
        assert_eq!(rows_of(&merged), rows_of(&all));
    }

    #[test]
    fn what_does_not_fit_and_what_would_be_empty_is_left_to_sqlite() {
        let large = [b'x'; 100];
        let rows: Vec<(i64, &[u8])> = (1..=38).map(|rowid| (rowid, &large[..])).collect();
        let with = |rowid: i64| {
            let mut rows = rows.clone();
            rows.push((rowid, &large[..]));
            leaf(&rows)
        };
        let base = leaf(&rows);
        assert!(merged(&base, &with(50), &with(60)).is_none());
        let one = leaf(&[(1, b"one"), (2, b"two")]);
        let (first, second) = (leaf(&[(2, b"two")]), leaf(&[(1, b"one")]));
        assert!(merged(&one, &first, &second).is_none());
    }

    #[test]
    fn a_page_that_is_no_leaf_of_a_table_is_left_alone() {
        let more = leaf(&[(1, b"one"), (2, b"two")]);
        let leaf = leaf(&[(1, b"one")]);
        let mut other = leaf;
        other[0] = 0x0a;
        assert!(merged(&other, &other, &other).is_none());
        // A pointer out of the page.
        let mut broken = leaf;
        put_u16(&mut broken, POINTERS, PAGE_SIZE - 1).unwrap();
        assert!(merged(&leaf, &more, &broken).is_none());
    }
}
