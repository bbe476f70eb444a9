//! Which pages were written since the last checkpoint began.
//!
//! The first touch of a page after that is logged as a full image, every later one as a delta, so
//! redo never needs a page that may be torn in the data file.

use std::collections::HashMap;

use fwlog::{DatabaseId, PageNumber};

/// A set of page numbers, one bit a page.
#[derive(Debug, Default)]
pub(crate) struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    /// Adds the page; `true` if it was not there before.
    pub(crate) fn insert(&mut self, page: PageNumber) -> bool {
        let bit = page.get() as usize;
        let (word, mask) = (bit / 64, 1_u64 << (bit % 64));
        if word >= self.words.len() {
            // Doubling keeps the growth of a growing database linear.
            self.words.resize((word + 1).max(self.words.len() * 2), 0);
        }
        let new = self.words[word] & mask == 0;
        self.words[word] |= mask;
        new
    }
}

/// The touched pages of all databases of an environment.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    databases: HashMap<DatabaseId, PageSet>,
}

impl Touched {
    /// The set of one database.
    pub(crate) fn database(&mut self, id: DatabaseId) -> &mut PageSet {
        self.databases.entry(id).or_default()
    }

    /// A checkpoint begins: every page is untouched again.
    pub(crate) fn clear(&mut self) {
        self.databases.clear();
    }

    /// The database is gone.
    pub(crate) fn forget(&mut self, id: DatabaseId) {
        self.databases.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_touch_is_new_until_a_checkpoint_begins() {
        let mut touched = Touched::default();
        let (one, two) = (DatabaseId::new(1), DatabaseId::new(2));
        let page = PageNumber::new(100_000);
        assert!(touched.database(one).insert(page));
        assert!(!touched.database(one).insert(page));
        assert!(touched.database(one).insert(PageNumber::new(1)));
        assert!(touched.database(two).insert(page));
        touched.clear();
        assert!(touched.database(one).insert(page));
        touched.forget(one);
        assert!(touched.database(one).insert(page));
        assert!(touched.database(two).insert(page));
    }
}
