//! Commit and page numbers, and the size of a page.

use std::fmt;

/// Bytes in a page; the only size there is.
pub const PAGE_SIZE: usize = 4096;

/// The bytes of one page.
pub type PageData = [u8; PAGE_SIZE];

/// The page that holds byte 1 GiB. SQLite keeps its lock bytes there and never stores data in it, so
/// it reads as zeros and is never written.
pub const LOCK_PAGE: PageNumber = PageNumber(((1 << 30) >> PAGE_SIZE.trailing_zeros()) + 1);

/// A commit: one series for the whole environment, no gaps, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CommitNumber(u64);

impl CommitNumber {
    /// Before the first commit.
    pub const ZERO: Self = Self(0);

    /// The commit with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The bare number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CommitNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A page of a data file, counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PageNumber(u32);

impl PageNumber {
    /// The page with this number, `None` for 0.
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 {
            None
        } else {
            Some(Self(number))
        }
    }

    /// The page that holds the byte at `offset` of the file; `None` beyond the last page number.
    pub fn at_offset(offset: u64) -> Option<Self> {
        let index = u32::try_from(offset / PAGE_SIZE as u64).ok()?;
        index.checked_add(1).map(Self)
    }

    /// The bare number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Where the page begins in the file, in bytes.
    pub const fn offset(self) -> u64 {
        (self.0 as u64 - 1) * PAGE_SIZE as u64
    }

    /// For numbers that come from ranges that begin at 1 or later.
    pub(crate) const fn known(number: u32) -> Self {
        assert!(number != 0, "pages are counted from 1");
        Self(number)
    }
}

impl fmt::Display for PageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_page_holds_byte_one_gib() {
        assert_eq!(LOCK_PAGE.get(), 262_145);
        assert_eq!(PageNumber::at_offset(1 << 30), Some(LOCK_PAGE));
        assert_eq!(
            PageNumber::at_offset((1 << 30) - 1),
            PageNumber::new(262_144)
        );
    }

    #[test]
    fn pages_are_counted_from_one() {
        assert_eq!(PageNumber::new(0), None);
        assert_eq!(PageNumber::at_offset(0), PageNumber::new(1));
        assert_eq!(PageNumber::known(3).offset(), 8192);
        assert_eq!(PageNumber::at_offset(u64::MAX), None);
    }
}
