//! Where pages come from.

use std::sync::Arc;

use sqlitepage::database_header as at;

use crate::bytes;
use crate::error::Error;

/// Size of a page in bytes; databases with another one are refused.
pub use sqlitepage::PAGE_SIZE;

/// The bytes of a page.
pub type Page = [u8; PAGE_SIZE];

/// A page as it was at some commit.
pub type Image = Arc<Page>;

/// A database at one commit.
pub trait Pages {
    /// How many pages it has; 0 for a database that has no content yet.
    fn count(&self) -> u32;

    /// A page by its number, from 1 to [`Pages::count`].
    ///
    /// Errors: it can't be read, or is not there.
    fn page(&self, number: u32) -> Result<Image, Error>;
}

/// What the header of a database says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    /// Bytes of each page that SQLite uses.
    pub(crate) usable: usize,
    /// Moves with each change of the schema, and with VACUUM.
    pub(crate) cookie: u32,
}

impl Header {
    /// `None` for a database without content.
    ///
    /// Errors: it is no database, or one of another page size or encoding.
    pub(crate) fn read(pages: &dyn Pages) -> Result<Option<Self>, Error> {
        if pages.count() == 0 {
            return Ok(None);
        }
        let page = pages.page(1)?;
        let damaged = |what| Error::Damaged { page: 1, what };
        if !page.starts_with(b"SQLite format 3\0") {
            return Err(damaged("it does not begin as a database of SQLite does"));
        }
        if bytes::u16_at(page.as_slice(), at::PAGE_SIZE).map(usize::from) != Some(PAGE_SIZE) {
            return Err(damaged("the database has another page size than 4096"));
        }
        let reserved = page.get(at::RESERVED).copied().unwrap_or_default();
        // 480 is SQLite's own limit (section 1.3.4).
        let usable = PAGE_SIZE - usize::from(reserved);
        let encoding = bytes::u32_at(page.as_slice(), at::ENCODING).unwrap_or_default();
        // 0: nothing was ever created in it.
        if encoding > 1 {
            return Err(damaged("the database has another text encoding than UTF-8"));
        }
        let cookie = bytes::u32_at(page.as_slice(), at::SCHEMA_COOKIE).unwrap_or_default();
        Ok(Some(Self { usable, cookie }))
    }
}
