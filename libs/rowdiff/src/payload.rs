//! Payloads, with their overflow pages (section 1.7).

use rustc_hash::FxHashSet;

use crate::bytes;
use crate::cell::Cell;
use crate::error::Error;
use crate::pages::{Image, Pages};

/// The number of the next page stands first in an overflow page.
const NEXT: usize = 4;

/// The overflow pages of a cell, one after another.
pub(crate) struct Chain<'a> {
    pages: &'a dyn Pages,
    /// The page that comes next; 0 at the end.
    next: u32,
    /// Bytes of payload that are still to come.
    left: u64,
    usable: usize,
}

/// One overflow page.
pub(crate) struct Link {
    pub(crate) number: u32,
    image: Image,
    length: usize,
}

impl Link {
    /// The part of the payload on it.
    pub(crate) fn content(&self) -> &[u8] {
        self.image.get(NEXT..NEXT + self.length).unwrap_or_default()
    }
}

impl<'a> Chain<'a> {
    pub(crate) fn of(cell: &Cell, pages: &'a dyn Pages) -> Result<Self, Error> {
        let left = cell.payload - cell.local.len() as u64;
        // Nothing is that long that the database is shorter, so memory is never taken for a wrong number.
        let all = u64::from(pages.count()) * cell.usable as u64;
        if left > all {
            return Err(Error::Damaged {
                page: cell.page,
                what: "a row of it is longer than the database",
            });
        }
        Ok(Self {
            pages,
            next: cell.overflow,
            left,
            usable: cell.usable,
        })
    }

    /// The number of the next page, without reading it; 0 at the end.
    pub(crate) fn peek(&self) -> u32 {
        if self.left == 0 { 0 } else { self.next }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Link>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let number = self.next;
        if number == 0 || number > self.pages.count() {
            return Err(Error::Damaged {
                page: number,
                what: "a row goes on there, and there is no such page",
            });
        }
        let image = self.pages.page(number)?;
        let room = (self.usable - NEXT) as u64;
        let length = self.left.min(room);
        self.left -= length;
        self.next = bytes::u32_at(image.as_slice(), 0).unwrap_or_default();
        Ok(Some(Link {
            number,
            image,
            length: usize::try_from(length).unwrap_or_default(),
        }))
    }
}

/// All of a payload.
pub(crate) fn read(cell: &Cell, pages: &dyn Pages) -> Result<Vec<u8>, Error> {
    let mut payload = cell.local().to_vec();
    let mut chain = Chain::of(cell, pages)?;
    while let Some(link) = chain.next()? {
        payload.extend_from_slice(link.content());
    }
    Ok(payload)
}

/// The two sides of a comparison.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) before: &'a dyn Pages,
    pub(crate) after: &'a dyn Pages,
    /// Changed pages, and those above them.
    pub(crate) busy: &'a FxHashSet<u32>,
}

impl Sides<'_> {
    /// Whether two cells have the same payload. Pages that have not changed are not read.
    pub(crate) fn same(self, old: &Cell, new: &Cell) -> Result<bool, Error> {
        if old.payload != new.payload || old.local() != new.local() {
            return Ok(false);
        }
        let mut olds = Chain::of(old, self.before)?;
        let mut news = Chain::of(new, self.after)?;
        loop {
            if olds.peek() == news.peek() && !self.busy.contains(&olds.peek()) {
                // Nothing behind it has changed either.
                return Ok(true);
            }
            match (olds.next()?, news.next()?) {
                (Some(old), Some(new)) if old.content() == new.content() => {}
                (None, None) => return Ok(true),
                _ => return Ok(false),
            }
        }
    }
}
