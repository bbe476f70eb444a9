//! A transaction's pages, brought onto a newer commit than they were made on.
//!
//! ```text
//!   base ──── ours       what the transaction has made of its snapshot
//!     └────── theirs     what others have committed since
//! ```
//! A page that nobody else has changed is taken as it is. One that both have changed must be a leaf of a table, and
//! different rows of it ([`leaf`]). Page 1 carries SQLite's change counter, so it is always among them.
//!
//! That is sound only while the trees keep their shape. Which rows belong to a leaf is said by the pages above it, so a
//! commit that moves rows between pages, adds or frees pages, or changes the schema *reshapes* the database
//! ([`WriteSet::reshapes`]): nothing is brought over it, and it is brought over nothing. It need not have written a
//! leaf to depend on it: a leaf that is added behind the last one leaves that one as it is. That rows of different pages do not contradict each other
//! (unique keys, references) is for the caller to know.

use pagestore::{CommitNumber, PAGE_SIZE, PageImage, Snapshot};
use sqlitepage::database_header::{CHANGE_COUNTER, RESERVED, SIZE, VERSION_VALID_FOR};
use sqlitepage::{NodeKind, put_u32, u32_at};

use crate::error::Error;
use crate::handle::WriteSet;

mod leaf;

/// A larger write set counts as one that reshapes: to look at each page costs more than to make the rows again.
const MAX_PAGES: usize = 64;
/// Above so many pages the first byte of an overflow or free page could be read as the type of a leaf.
const MAX_PAGE_COUNT: u32 = 0x0a00_0000;

/// Pages that a private transaction would commit, and the snapshot that they were made on.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(crate) set: WriteSet,
    pub(crate) base: Snapshot,
}

impl Offer {
    /// The commit that the pages were made on.
    pub fn base(&self) -> CommitNumber {
        self.base.commit()
    }

    /// The same changes as pages of `newest`, the newest commit; the caller keeps it the newest, and knows that nothing
    /// after [`Offer::base`] has reshaped the database. `None` where it can't be told by pages.
    ///
    /// Errors: a page can't be read.
    pub fn onto(mut self, newest: &Snapshot) -> Result<Option<WriteSet>, Error> {
        if newest.commit() <= self.base.commit() {
            return Ok(Some(self.set));
        }
        let grown = newest.page_count() != self.base.page_count();
        if grown || newest.page_count() >= MAX_PAGE_COUNT || self.set.reshapes(&self.base)? {
            return Ok(None);
        }
        for index in 0..self.set.pages.len() {
            let Some((page, image)) = self.set.pages.get(index).cloned() else {
                break;
            };
            if !self.base.has_changed(page)? {
                continue;
            }
            let (base, theirs) = (self.base.image(page)?, newest.image(page)?);
            let merged = if page.get() == 1 {
                header(&base, &image, &theirs)?
            } else {
                let [base, ours, theirs] = [&base, &image, &theirs].map(PageImage::in_memory);
                match (base, ours, theirs) {
                    (Some(base), Some(ours), Some(theirs)) => leaf::merged(base, ours, theirs),
                    _ => None,
                }
            };
            match (merged, self.set.pages.get_mut(index)) {
                (Some(merged), Some(entry)) => entry.1 = merged,
                _ => return Ok(None),
            }
        }
        self.set.base = newest.commit();
        Ok(Some(self.set))
    }
}

impl WriteSet {
    /// Whether more than rows within leaves is changed from `before`, on which the set was made.
    ///
    /// Errors: a page of `before` can't be read.
    pub fn reshapes(&self, before: &Snapshot) -> Result<bool, Error> {
        let grown = self.page_count != before.page_count();
        if grown || self.pages.len() > MAX_PAGES || self.page_count >= MAX_PAGE_COUNT {
            return Ok(true);
        }
        for (page, image) in &self.pages {
            let moved = if page.get() == 1 {
                !same_but_counters(&before.image(*page)?, image)
            } else {
                let (mut old, mut new) = ([0], [0]);
                before.read_at(*page, 0, &mut old)?;
                image.read_at(0, &mut new).map_err(spilled)?;
                old != new || !NodeKind::of(new[0]).is_some_and(NodeKind::is_leaf)
            };
            if moved {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Page 1 as the transaction has made it, with a change counter after theirs.
fn header(
    base: &PageImage,
    ours: &PageImage,
    theirs: &PageImage,
) -> Result<Option<PageImage>, Error> {
    let (true, Some(theirs)) = (same_but_counters(base, theirs), theirs.in_memory()) else {
        return Ok(None);
    };
    if theirs[RESERVED] != 0 {
        return Ok(None);
    }
    let Some(newest) = u32_at(theirs, CHANGE_COUNTER) else {
        return Ok(None);
    };
    let merged = PageImage::filled(|page| {
        ours.read_into(page)?;
        for at in [CHANGE_COUNTER, VERSION_VALID_FOR] {
            put_u32(page, at, newest.wrapping_add(1)).ok_or(std::io::ErrorKind::InvalidData)?;
        }
        Ok(())
    });
    merged.map(Some).map_err(spilled)
}

fn spilled(source: std::io::Error) -> Error {
    Error::Spilled { source }
}

/// Whether two states of page 1, both in memory, differ in nothing else.
fn same_but_counters(one: &PageImage, other: &PageImage) -> bool {
    let (Some(one), Some(other)) = (one.in_memory(), other.in_memory()) else {
        return false;
    };
    let parts = [
        0..CHANGE_COUNTER,
        CHANGE_COUNTER + 4..VERSION_VALID_FOR,
        SIZE..PAGE_SIZE,
    ];
    parts
        .into_iter()
        .all(|part| one.get(part.clone()) == other.get(part))
}
