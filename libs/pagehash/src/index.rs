//! Where a page stands in the tree.

use std::fmt;
use std::ops::RangeInclusive;

/// Bytes of a page, in all databases of ours.
pub const PAGE_SIZE: usize = 4096;

/// Pages of a group: 2 MiB.
pub const GROUP_PAGES: u32 = 512;

/// The page that holds byte 1 GiB. SQLite has its locks there and never writes it, so it is not hashed.
pub const LOCK_PAGE: u32 = 262_145;

// The lock page stands where a group would begin: the pages of each group follow one another.
const _: () = assert!((LOCK_PAGE - 1).is_multiple_of(GROUP_PAGES));
// A group is a whole subtree: a power of two of pages, each a power of two of chunks.
const _: () = assert!(GROUP_PAGES.is_power_of_two() && PAGE_SIZE.is_power_of_two());

/// The place of a page among those that are hashed, from 0: its number less one, and one less again behind
/// the lock page.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PageIndex(u32);

impl PageIndex {
    /// The index of the page with this number, counted from 1; `None` for 0 and for the lock page.
    pub const fn of_page(page: u32) -> Option<Self> {
        Self::with_lock_page(page, LOCK_PAGE)
    }

    /// The same with the lock page elsewhere.
    pub(crate) const fn with_lock_page(page: u32, lock_page: u32) -> Option<Self> {
        if page == 0 || page == lock_page {
            None
        } else if page < lock_page {
            Some(Self(page - 1))
        } else {
            Some(Self(page - 2))
        }
    }

    /// The number of the page.
    pub const fn page(self) -> u32 {
        if self.0 < LOCK_PAGE - 1 {
            self.0 + 1
        } else {
            self.0 + 2
        }
    }

    /// The bare index.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The group that it is in.
    pub const fn group(self) -> GroupNumber {
        GroupNumber(self.0 / GROUP_PAGES)
    }

    /// Where its bytes begin among those that are hashed.
    pub(crate) const fn offset(self) -> u64 {
        self.0 as u64 * PAGE_SIZE as u64
    }
}

/// A group of pages, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupNumber(u32);

impl GroupNumber {
    /// The group of the page with the largest number.
    const LAST: u32 = (u32::MAX - 2) / GROUP_PAGES;

    /// The group with this number; `None` where no page number is as large.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::LAST {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The bare number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place of its first page.
    pub const fn first(self) -> PageIndex {
        PageIndex(self.0 * GROUP_PAGES)
    }

    /// How many groups a database of so many pages has: none where it is empty.
    pub const fn count(page_count: u32) -> u32 {
        hashed_pages(page_count).div_ceil(GROUP_PAGES)
    }

    /// The groups of a database of so many pages.
    pub fn all(page_count: u32) -> impl Iterator<Item = Self> {
        (0..Self::count(page_count)).map(Self)
    }

    /// The numbers of its pages in a database of so many; an empty range where it has none. They follow one
    /// another: the lock page stands between two groups.
    pub fn pages(self, page_count: u32) -> RangeInclusive<u32> {
        let first = self.first().page();
        first..=page_count.min(first.saturating_add(GROUP_PAGES - 1))
    }
}

impl fmt::Display for GroupNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many pages of a database of so many are hashed: all but the lock page.
pub const fn hashed_pages(page_count: u32) -> u32 {
    if page_count >= LOCK_PAGE {
        page_count - 1
    } else {
        page_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_page_has_no_index_and_those_behind_it_move_up() {
        let index = |page| PageIndex::of_page(page).map(PageIndex::get);
        assert_eq!(index(0), None);
        assert_eq!(index(1), Some(0));
        assert_eq!(index(LOCK_PAGE - 1), Some(262_143));
        assert_eq!(index(LOCK_PAGE), None);
        assert_eq!(index(LOCK_PAGE + 1), Some(262_144));
        assert_eq!(index(u32::MAX), Some(u32::MAX - 2));
        for page in [1, 512, 513, LOCK_PAGE - 1, LOCK_PAGE + 1, u32::MAX] {
            assert_eq!(PageIndex::of_page(page).unwrap().page(), page);
        }
    }

    #[test]
    fn groups_are_whole_and_share_no_page() {
        for (page_count, groups) in [
            (0, 0),
            (1, 1),
            (512, 1),
            (513, 2),
            (1024, 2),
            (LOCK_PAGE - 1, 512),
            (LOCK_PAGE, 512),
            (LOCK_PAGE + 1, 513),
            (LOCK_PAGE + 512, 513),
            (LOCK_PAGE + 513, 514),
        ] {
            assert_eq!(GroupNumber::count(page_count), groups, "{page_count} pages");
            let pages =
                GroupNumber::all(page_count).flat_map(|group| {
                    let pages = group.pages(page_count);
                    assert!(pages.clone().all(|page| {
                        PageIndex::of_page(page).map(PageIndex::group) == Some(group)
                    }));
                    pages
                });
            let hashed = (1..=page_count).filter(|page| *page != LOCK_PAGE);
            assert!(pages.eq(hashed), "{page_count} pages");
        }
        let beyond = GroupNumber::new(2).unwrap();
        assert!(beyond.pages(1024).is_empty());
    }

    #[test]
    fn the_largest_database_has_numbers_for_all_its_groups() {
        let last = GroupNumber::new(GroupNumber::count(u32::MAX) - 1).unwrap();
        assert_eq!(*last.pages(u32::MAX).end(), u32::MAX);
        assert_eq!(GroupNumber::new(last.get() + 1), None);
        assert_eq!(GroupNumber::new(u32::MAX), None);
    }
}
