//! What stands at the nodes of the tree.

use std::fmt;

use blake3::Hasher;
use blake3::hazmat::HasherExt as _;

use crate::index::{GROUP_PAGES, GroupNumber, PAGE_SIZE, PageIndex};

/// Bytes of the hash of a page.
pub const PAGE_HASH_SIZE: usize = 16;

/// Bytes of the value of a group.
pub const GROUP_VALUE_SIZE: usize = 32;

/// The hash of a page at its place: half of the chaining value of its four chunks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PageHash([u8; PAGE_HASH_SIZE]);

impl PageHash {
    /// As it was sent or stored.
    pub const fn from_bytes(bytes: [u8; PAGE_HASH_SIZE]) -> Self {
        Self(bytes)
    }

    /// To be sent or stored.
    pub const fn as_bytes(&self) -> &[u8; PAGE_HASH_SIZE] {
        &self.0
    }
}

/// The chaining value of a group of pages at its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GroupValue([u8; GROUP_VALUE_SIZE]);

impl GroupValue {
    /// As it was sent or stored.
    pub const fn from_bytes(bytes: [u8; GROUP_VALUE_SIZE]) -> Self {
        Self(bytes)
    }

    /// To be sent or stored.
    pub const fn as_bytes(&self) -> &[u8; GROUP_VALUE_SIZE] {
        &self.0
    }
}

/// The checksum of a database: the BLAKE3 hash of all its pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Root(blake3::Hash);

impl Root {
    pub(crate) const fn new(hash: blake3::Hash) -> Self {
        Self(hash)
    }

    /// As it was sent or stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(blake3::Hash::from_bytes(bytes))
    }

    /// To be sent or stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_hex().as_str())
    }
}

/// The hash of the page with this index.
pub fn page_hash(index: PageIndex, page: &[u8; PAGE_SIZE]) -> PageHash {
    let value = chaining_value(index, page);
    let mut hash = [0; PAGE_HASH_SIZE];
    hash.copy_from_slice(value.split_at(PAGE_HASH_SIZE).0);
    PageHash(hash)
}

pub(crate) fn chaining_value(first: PageIndex, pages: &[u8]) -> [u8; 32] {
    let mut hasher = Hasher::new();
    hasher.set_input_offset(first.offset());
    hasher.update(pages);
    hasher.finalize_non_root()
}

/// Makes the value of a group from its pages, in order.
#[derive(Clone, Debug)]
pub struct GroupHasher {
    hasher: Hasher,
    pages: u32,
}

impl GroupHasher {
    /// No page yet.
    pub fn new(group: GroupNumber) -> Self {
        let mut hasher = Hasher::new();
        hasher.set_input_offset(group.first().offset());
        Self { hasher, pages: 0 }
    }

    /// Takes the next pages, whole ones. Many at a time are faster.
    ///
    /// # Panics
    /// Where these are not whole pages, or more than the group has.
    pub fn update(&mut self, pages: &[u8]) {
        assert!(
            pages.len().is_multiple_of(PAGE_SIZE)
                && pages.len() / PAGE_SIZE <= self.room() as usize,
            "a group takes whole pages, {GROUP_PAGES} at most"
        );
        self.hasher.update(pages);
        self.pages += u32::try_from(pages.len() / PAGE_SIZE).unwrap_or(GROUP_PAGES);
    }

    /// How many pages it takes yet.
    pub const fn room(&self) -> u32 {
        GROUP_PAGES - self.pages
    }

    /// The value of the group; of the last one of a database with the pages that there are.
    ///
    /// # Panics
    /// Where it has got no page.
    pub fn finish(&self) -> GroupValue {
        GroupValue(self.hasher.finalize_non_root())
    }

    /// The root where the group is the only one: of that the value of a group says nothing.
    pub(crate) fn finish_as_root(&self) -> Root {
        Root::new(self.hasher.finalize())
    }
}

#[cfg(test)]
mod tests {
    use blake3::hazmat::{Mode, merge_subtrees_non_root};

    use super::*;

    fn page(byte: u8) -> [u8; PAGE_SIZE] {
        [byte; PAGE_SIZE]
    }

    #[test]
    fn a_page_at_another_place_has_another_hash() {
        let [first, behind] = [1, 2].map(|page| PageIndex::of_page(page).unwrap());
        assert_ne!(page_hash(first, &page(7)), page_hash(behind, &page(7)));
        assert_ne!(page_hash(first, &page(7)), page_hash(first, &page(8)));
        assert_eq!(page_hash(first, &page(7)), page_hash(first, &page(7)));
    }

    /// The pages of a group are the leaves of its subtree.
    #[test]
    fn the_value_of_a_group_is_made_of_those_of_its_pages() {
        let group = GroupNumber::new(513).unwrap();
        let mut hasher = GroupHasher::new(group);
        let mut level = Vec::new();
        for (page, byte) in group.pages(u32::MAX).zip((0..=255).cycle()) {
            let index = PageIndex::of_page(page).unwrap();
            hasher.update(&[byte; PAGE_SIZE]);
            level.push(chaining_value(index, &[byte; PAGE_SIZE]));
        }
        assert_eq!(hasher.room(), 0);
        while level.len() > 1 {
            let pairs = level.chunks_exact(2);
            level = pairs
                .map(|pair| merge_subtrees_non_root(&pair[0], &pair[1], Mode::Hash))
                .collect();
        }
        assert_eq!(hasher.finish().as_bytes(), &level[0]);
    }

    #[test]
    #[should_panic = "whole pages"]
    fn a_group_takes_no_page_more_than_it_has() {
        let mut hasher = GroupHasher::new(GroupNumber::new(1).unwrap());
        hasher.update(&vec![0; 512 * PAGE_SIZE]);
        hasher.update(&page(1));
    }
}
