//! A group in parts: where a few pages of it change, only their parts are hashed again.

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _};

use crate::above;
use crate::index::{GROUP_PAGES, GroupNumber, PAGE_SIZE};
use crate::value::{GroupValue, Root};

/// Pages of a part, a power of two. Their 64 chunks fill a processor's registers, so that parts are hashed as fast as whole
/// groups.
pub const PART_PAGES: u32 = 16;

const PART_SIZE: usize = PART_PAGES as usize * PAGE_SIZE;

/// What is known of the content of a group: 1 KiB at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupParts {
    group: GroupNumber,
    /// Of each part, in order; the last one of a database may have fewer pages.
    values: Vec<ChainingValue>,
    /// Where this is all that a database has: its value says nothing of the root.
    alone: Option<Root>,
}

impl GroupParts {
    /// Of all pages of a group, in order.
    ///
    /// # Panics
    /// Where these are not the pages of one.
    pub fn of(group: GroupNumber, content: &[u8]) -> Self {
        let most = GROUP_PAGES as usize * PAGE_SIZE;
        assert!(
            !content.is_empty() && content.len() <= most,
            "a group has up to {GROUP_PAGES} pages"
        );
        let mut parts = Self {
            group,
            values: vec![ChainingValue::default(); content.len().div_ceil(PART_SIZE)],
            alone: None,
        };
        for (part, content) in (0..).zip(content.chunks(PART_SIZE)) {
            parts.replace(part, content);
        }
        parts
    }

    /// A part, by its place in the group, has this content: all its pages in order.
    ///
    /// # Panics
    /// Where the group has no such part, or these are not whole pages.
    pub fn replace(&mut self, part: u32, content: &[u8]) {
        assert!(
            !content.is_empty()
                && content.len() <= PART_SIZE
                && content.len().is_multiple_of(PAGE_SIZE),
            "a part has up to {PART_PAGES} whole pages"
        );
        let mut hasher = Hasher::new();
        let before = u64::from(part) * PART_SIZE as u64;
        hasher.set_input_offset(self.group.first().offset() + before);
        hasher.update(content);
        if self.values.len() == 1 && self.group.get() == 0 {
            self.alone = Some(Root::new(hasher.finalize()));
        }
        let value = self.values.get_mut(part as usize);
        *value.expect("the group has this part") = hasher.finalize_non_root();
    }

    /// Which group it is.
    pub const fn group(&self) -> GroupNumber {
        self.group
    }

    /// The value of the group.
    pub fn value(&self) -> GroupValue {
        let value = above::value(&self.values);
        GroupValue::from_bytes(value.expect("a group has a part"))
    }

    /// The root of a database that has no other group.
    pub(crate) fn root(&self) -> Option<Root> {
        above::root(&self.values).or(self.alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::TreeHasher;
    use crate::value::GroupHasher;

    fn content(pages: u32, of: u8) -> Vec<u8> {
        let length = pages as usize * PAGE_SIZE;
        (0..=250)
            .cycle()
            .take(length)
            .map(|byte: u8| byte ^ of)
            .collect()
    }

    /// However long the last part is.
    #[test]
    fn the_value_of_a_group_is_that_of_its_pages() {
        for pages in [1, 3, 15, 16, 17, 32, 33, 48, 511, 512] {
            for group in [0, 1, 513].map(|group| GroupNumber::new(group).unwrap()) {
                let content = content(pages, 7);
                let mut hasher = GroupHasher::new(group);
                hasher.update(&content);
                let parts = GroupParts::of(group, &content);
                assert_eq!(parts.value(), hasher.finish(), "{pages} pages of {group}");
                if group.get() == 0 {
                    let mut tree = TreeHasher::new();
                    tree.update(&content);
                    assert_eq!(parts.root(), Some(tree.finish().root), "{pages} pages");
                }
            }
        }
    }

    #[test]
    fn a_part_that_is_replaced_is_as_if_it_had_been_so() {
        for (pages, part, length) in [(512, 0, 16), (512, 31, 16), (37, 2, 5), (4, 0, 4)] {
            let group = GroupNumber::new(0).unwrap();
            let (mut before, other) = (content(pages, 1), content(length, 9));
            let mut parts = GroupParts::of(group, &before);
            parts.replace(part, &other);
            let at = part as usize * PART_SIZE;
            before[at..at + other.len()].copy_from_slice(&other);
            assert_eq!(
                parts,
                GroupParts::of(group, &before),
                "part {part} of {pages} pages"
            );
        }
    }

    #[test]
    #[should_panic = "has this part"]
    fn no_part_is_behind_the_last_one() {
        let mut parts = GroupParts::of(GroupNumber::new(0).unwrap(), &content(17, 0));
        parts.replace(2, &content(1, 0));
    }
}
