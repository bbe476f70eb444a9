//! The tree of a whole database.

use crate::above;
use crate::index::{GroupNumber, PAGE_SIZE};
use crate::value::{GroupHasher, GroupValue, Root};

/// What a database has in its tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The values of its groups, in order; the last one may be of fewer pages.
    pub groups: Vec<GroupValue>,
    /// The checksum of the database.
    pub root: Root,
}

/// Makes the tree of a database from all its pages, in order and without the lock page.
#[derive(Clone, Debug, Default)]
pub struct TreeHasher {
    /// Of the groups that are complete.
    groups: Vec<GroupValue>,
    /// The one that its next page goes to, once it has one.
    open: Option<GroupHasher>,
}

impl TreeHasher {
    /// No page yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next pages, whole ones. Many at a time are faster.
    ///
    /// # Panics
    /// Where these are not whole pages, or there are more than a database can have.
    pub fn update(&mut self, mut pages: &[u8]) {
        while !pages.is_empty() {
            let mut group = match self.open.take() {
                Some(group) if group.room() > 0 => group,
                full => {
                    self.groups.extend(full.map(|group| group.finish()));
                    let number = u32::try_from(self.groups.len()).ok();
                    let number = number.and_then(GroupNumber::new);
                    GroupHasher::new(number.expect("a database has no more pages than numbers"))
                }
            };
            let now = pages.len().min(group.room() as usize * PAGE_SIZE);
            let (now, later) = pages.split_at(now);
            group.update(now);
            self.open = Some(group);
            pages = later;
        }
    }

    /// The tree of the pages that it has got.
    pub fn finish(mut self) -> Tree {
        let Some(last) = self.open else {
            return Tree {
                groups: Vec::new(),
                root: Root::new(blake3::hash(&[])),
            };
        };
        self.groups.push(last.finish());
        Tree {
            root: root_of(&self.groups).unwrap_or_else(|| last.finish_as_root()),
            groups: self.groups,
        }
    }
}

/// The root above these groups, which are all that a database has. `None` where there is one or none: then
/// the pages alone say it.
pub fn root_of(groups: &[GroupValue]) -> Option<Root> {
    let values: Vec<_> = groups.iter().map(|group| *group.as_bytes()).collect();
    above::root(&values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::index::{GROUP_PAGES, LOCK_PAGE, PageIndex, hashed_pages};
    use crate::value::page_hash;

    /// Page `number` of a database, made when it is asked for.
    fn page(seed: u64, number: u32) -> [u8; PAGE_SIZE] {
        let mut page = [seed.to_le_bytes()[0]; PAGE_SIZE];
        let [first, second, ..] = page.as_chunks_mut().0 else {
            unreachable!("a page has more than two words")
        };
        *first = seed.to_le_bytes();
        *second = u64::from(number).to_le_bytes();
        page
    }

    fn pages(seed: u64, page_count: u32, lock_page: u32) -> Vec<u8> {
        let hashed = (1..=page_count).filter(|number| *number != lock_page);
        hashed.flat_map(|number| page(seed, number)).collect()
    }

    /// Sizes around a whole number of groups.
    fn sizes() -> impl Strategy<Value = u32> {
        (0..6_u32, 0..5_u32)
            .prop_map(|(groups, more)| (groups * GROUP_PAGES + more).saturating_sub(2))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

        #[test]
        fn the_root_is_the_hash_of_all_pages(
            seed: u64,
            page_count in sizes(),
            lock_page in 1..3000_u32,
            step in 1..700_usize,
        ) {
            let bytes = pages(seed, page_count, lock_page);
            let mut hasher = TreeHasher::new();
            for some in bytes.chunks(step * PAGE_SIZE) {
                hasher.update(some);
            }
            let tree = hasher.finish();
            let hash = blake3::hash(&bytes);
            prop_assert_eq!(tree.root.as_bytes(), hash.as_bytes());
            prop_assert_eq!(tree.root.to_string(), hash.to_hex().to_string());
            let groups = bytes.chunks(GROUP_PAGES as usize * PAGE_SIZE);
            prop_assert_eq!(groups.len(), tree.groups.len());
            for ((number, pages), value) in (0..).zip(groups).zip(&tree.groups) {
                let mut group = GroupHasher::new(GroupNumber::new(number).unwrap());
                group.update(pages);
                prop_assert_eq!(group.finish(), *value);
            }
            let alone = (tree.groups.len() > 1).then_some(tree.root);
            prop_assert_eq!(root_of(&tree.groups), alone);
        }

        /// Whatever the lock page is: a page's hash is that of its place among the bytes that are hashed.
        #[test]
        fn a_page_is_found_at_its_index(seed: u64, number in 1..2000_u32, lock_page in 1..2000_u32) {
            let index = PageIndex::with_lock_page(number, lock_page);
            prop_assert_eq!(index.is_none(), number == lock_page);
            if let Some(index) = index {
                let bytes = pages(seed, number, lock_page);
                let at = index.get() as usize * PAGE_SIZE;
                prop_assert_eq!(&bytes[at..], &page(seed, number)[..]);
                let same = PageIndex::of_page(index.get() + 1).unwrap();
                prop_assert_eq!(page_hash(index, &page(seed, number)), page_hash(same, &page(seed, number)));
            }
        }
    }

    #[test]
    fn a_flipped_bit_and_two_pages_that_changed_places_are_seen_in_group_and_root() {
        let tree = |bytes: &[u8]| {
            let mut hasher = TreeHasher::new();
            hasher.update(bytes);
            hasher.finish()
        };
        let bytes = pages(1, 1100, LOCK_PAGE);
        let right = tree(&bytes);
        let mut flipped = bytes.clone();
        flipped[600 * PAGE_SIZE + 17] ^= 4;
        let mut swapped = bytes.clone();
        let (one, other) = swapped.split_at_mut(601 * PAGE_SIZE);
        one[600 * PAGE_SIZE..].swap_with_slice(&mut other[..PAGE_SIZE]);
        for wrong in [tree(&flipped), tree(&swapped)] {
            assert_ne!(wrong.root, right.root);
            let differ: Vec<usize> = (0..3)
                .filter(|i| wrong.groups[*i] != right.groups[*i])
                .collect();
            assert_eq!(differ, [1]);
        }
    }

    #[test]
    fn an_empty_database_has_the_hash_of_nothing() {
        let tree = TreeHasher::new().finish();
        assert_eq!(tree.root.as_bytes(), blake3::hash(b"").as_bytes());
        assert_eq!(tree.groups, []);
    }

    /// A database of more than 1 GiB, without its bytes: what is hashed for each page is where it must be.
    #[test]
    fn behind_the_lock_page_no_byte_is_missing_and_none_is_too_much() {
        let page_count = LOCK_PAGE + 700;
        assert_eq!(hashed_pages(page_count), page_count - 1);
        let mut at = 0;
        for group in GroupNumber::all(page_count) {
            for page in group.pages(page_count) {
                assert_eq!(PageIndex::of_page(page).map(PageIndex::offset), Some(at));
                at += PAGE_SIZE as u64;
            }
        }
        assert_eq!(at, u64::from(page_count - 1) * PAGE_SIZE as u64);
    }
}
