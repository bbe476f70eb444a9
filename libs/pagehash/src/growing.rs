//! The tree of a database whose groups become known one by one.

use std::collections::BTreeMap;

use crate::index::GroupNumber;
use crate::parts::GroupParts;
use crate::tree::{TreeHasher, root_of};
use crate::value::{GroupValue, Root};

/// The tree of a database as its groups become known, in any order. It takes memory for those that are known, about
/// 40 bytes each.
#[derive(Clone, Debug)]
pub struct GrowingTree {
    /// How many groups the database has.
    count: u32,
    groups: BTreeMap<GroupNumber, GroupValue>,
    /// Of the only group that there is: its value says nothing of the root.
    alone: Option<Root>,
}

impl GrowingTree {
    /// Nothing is known of a database of so many pages.
    pub fn new(page_count: u32) -> Self {
        Self {
            count: GroupNumber::count(page_count),
            groups: BTreeMap::new(),
            alone: None,
        }
    }

    /// This is a group's content. What was known of it before is forgotten.
    ///
    /// # Panics
    /// Where the database has no such group.
    pub fn learn(&mut self, parts: &GroupParts) -> GroupValue {
        let group = parts.group();
        assert!(
            group.get() < self.count,
            "group {group} of {} groups",
            self.count
        );
        if self.count == 1 {
            self.alone = parts.root();
        }
        let value = parts.value();
        self.groups.insert(group, value);
        value
    }

    /// The value of a group, where it is known.
    pub fn value(&self, group: GroupNumber) -> Option<GroupValue> {
        self.groups.get(&group).copied()
    }

    /// Groups that are not known, in order.
    pub fn missing(&self) -> impl Iterator<Item = GroupNumber> {
        let all = (0..self.count).filter_map(GroupNumber::new);
        all.filter(|group| !self.groups.contains_key(group))
    }

    /// The checksum of the database; `None` as long as a group is not known.
    pub fn root(&self) -> Option<Root> {
        if self.groups.len() != self.count as usize {
            return None;
        }
        let values: Vec<_> = self.groups.values().copied().collect();
        let above = root_of(&values).or(self.alone);
        Some(above.unwrap_or_else(|| TreeHasher::new().finish().root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{GROUP_PAGES, PAGE_SIZE};

    fn tree_of(bytes: &[u8]) -> crate::Tree {
        let mut hasher = TreeHasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Whatever the order: the tree is that of the pages in theirs.
    #[test]
    fn a_tree_that_has_grown_is_that_of_all_pages() {
        for (pages, order) in [
            (0, &[][..]),
            (1, &[0]),
            (GROUP_PAGES, &[0]),
            (GROUP_PAGES + 1, &[1, 0]),
            (2 * GROUP_PAGES + 7, &[1, 2, 0]),
        ] {
            let bytes: Vec<u8> = (0..=250_u8)
                .cycle()
                .take(pages as usize * PAGE_SIZE)
                .collect();
            let groups: Vec<_> = bytes.chunks(GROUP_PAGES as usize * PAGE_SIZE).collect();
            let right = tree_of(&bytes);
            let mut growing = GrowingTree::new(pages);
            for group in order {
                assert_eq!(growing.root(), None, "{pages} pages");
                let number = GroupNumber::new(*group).unwrap();
                assert_eq!(growing.value(number), None);
                let value = growing.learn(&GroupParts::of(number, groups[*group as usize]));
                assert_eq!(value, right.groups[*group as usize]);
                assert_eq!(growing.value(number), Some(value));
            }
            assert_eq!(growing.missing().count(), 0);
            assert_eq!(growing.root(), Some(right.root), "{pages} pages");
        }
    }

    #[test]
    fn what_is_learnt_last_counts() {
        let number = GroupNumber::new(0).unwrap();
        let (before, behind) = (vec![1; PAGE_SIZE], vec![2; PAGE_SIZE]);
        let mut growing = GrowingTree::new(1);
        growing.learn(&GroupParts::of(number, &before));
        growing.learn(&GroupParts::of(number, &behind));
        assert_eq!(growing.root(), Some(tree_of(&behind).root));
        assert_ne!(growing.root(), Some(tree_of(&before).root));
    }
}
