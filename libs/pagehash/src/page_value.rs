//! The value of a group from those of its pages: where only some of them are at hand, the others are known by theirs.

use crate::above;
use crate::index::{PAGE_SIZE, PageIndex};
use crate::value::{GroupValue, Root, chaining_value};

/// The chaining value of a page at its place, all of it: those of a group's pages come to the group's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PageValue([u8; Self::SIZE]);

impl PageValue {
    /// Bytes of it.
    pub const SIZE: usize = 32;

    /// As it was stored.
    pub const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// To be stored.
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

/// The value of the page with this index.
///
/// # Panics
/// Where these are not the bytes of one page.
pub fn page_value(index: PageIndex, page: &[u8]) -> PageValue {
    assert_eq!(page.len(), PAGE_SIZE, "a page is whole");
    PageValue(chaining_value(index, page))
}

/// The value of a group with these pages, all in order; `None` where there is none.
pub fn group_of_pages(pages: &[PageValue]) -> Option<GroupValue> {
    above::value(&bare(pages)).map(GroupValue::from_bytes)
}

/// The root of a database that has just these pages, those of its only group. `None` where there is one or none: of that the
/// value says nothing.
pub fn root_of_pages(pages: &[PageValue]) -> Option<Root> {
    above::root(&bare(pages))
}

fn bare(pages: &[PageValue]) -> Vec<[u8; 32]> {
    pages.iter().map(|page| page.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::GroupNumber;
    use crate::parts::GroupParts;
    use crate::tree::TreeHasher;

    #[test]
    fn groups_and_roots_are_made_of_the_values_of_pages() {
        for count in [1_usize, 2, 3, 15, 16, 17, 511, 512] {
            for group in [0, 1, 513].map(|group| GroupNumber::new(group).unwrap()) {
                let length = count * PAGE_SIZE;
                let bytes: Vec<u8> = (0..=250_u8).cycle().take(length).collect();
                let pages = group.pages(u32::MAX).zip(bytes.chunks(PAGE_SIZE));
                let values: Vec<_> = pages
                    .map(|(page, bytes)| page_value(PageIndex::of_page(page).unwrap(), bytes))
                    .collect();
                let right = GroupParts::of(group, &bytes).value();
                assert_eq!(group_of_pages(&values), Some(right), "{count} of {group}");
                if group.get() == 0 {
                    let mut tree = TreeHasher::new();
                    tree.update(&bytes);
                    let root = (count > 1).then(|| tree.finish().root);
                    assert_eq!(root_of_pages(&values), root, "{count} pages");
                }
            }
        }
        assert_eq!(group_of_pages(&[]), None);
    }
}
