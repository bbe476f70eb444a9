//! The records that carry pages.
//!
//! ```text
//! commit = number, database, time, flags, page count, [transaction], page*
//! part   = transaction, database, page*
//! page   = page number · 2 + (1 = full), crc32c of the resulting page, image | length, run*
//! ```

use crate::damage::DecodeError;
use crate::fields::Fields;
use crate::numbers::{CommitNumber, DatabaseId, PageNumber, TransactionId};
use crate::record::PAGE_SIZE;
use crate::record::delta::Delta;
use crate::timestamp::Timestamp;

/// Flag of a commit: it needed exclusive access.
pub(crate) const FLAG_EXCLUSIVE: u8 = 1;
/// Flag of a commit: parts of it came before.
pub(crate) const FLAG_TRANSACTION: u8 = 2;
/// Flag in a page's number: a full image follows, not a delta.
pub(crate) const PAGE_FULL: u64 = 1;

/// A transaction that commits, and the pages that it wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its number.
    pub number: CommitNumber,
    /// The database that it changes.
    pub database: DatabaseId,
    /// When it committed.
    pub time: Timestamp,
    /// Whether it needed exclusive access.
    pub exclusive: bool,
    /// Size of the database afterwards, in pages.
    pub page_count: u32,
    /// The transaction, when parts of it came before.
    pub transaction: Option<TransactionId>,
    /// The pages that it wrote, beyond those in its parts.
    pub pages: Pages<'a>,
}

impl<'a> Commit<'a> {
    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        Self::read(&mut fields).unwrap_or(Err(DecodeError::Truncated("commit")))
    }

    fn read(fields: &mut Fields<'a>) -> Option<Result<Self, DecodeError>> {
        let number = CommitNumber::new(fields.varint()?);
        let database = DatabaseId::new(fields.varint_u32()?);
        let time = Timestamp::from_micros(fields.u64()?);
        let flags = fields.u8()?;
        if flags & !(FLAG_EXCLUSIVE | FLAG_TRANSACTION) != 0 {
            return Some(Err(DecodeError::Invalid("flag of a commit")));
        }
        let page_count = fields.varint_u32()?;
        let transaction = if flags & FLAG_TRANSACTION == 0 {
            None
        } else {
            Some(TransactionId::new(fields.varint()?))
        };
        let exclusive = flags & FLAG_EXCLUSIVE != 0;
        let pages = Pages { rest: *fields };
        Some(Ok(Self {
            number,
            database,
            time,
            exclusive,
            page_count,
            transaction,
            pages,
        }))
    }
}

/// Pages of a transaction that is too large for one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The transaction.
    pub transaction: TransactionId,
    /// The database that it changes.
    pub database: DatabaseId,
    /// Pages; all of them full images.
    pub pages: Pages<'a>,
}

impl<'a> Part<'a> {
    pub(crate) fn decode(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        Self::read(&mut fields).ok_or(DecodeError::Truncated("part"))
    }

    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        let transaction = TransactionId::new(fields.varint()?);
        let database = DatabaseId::new(fields.varint_u32()?);
        Some(Self {
            transaction,
            database,
            pages: Pages { rest: *fields },
        })
    }
}

/// The pages of a record, still encoded.
#[derive(Clone, Copy, Debug)]
pub struct Pages<'a> {
    rest: Fields<'a>,
}

/// Equal bytes are equal pages.
impl PartialEq for Pages<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rest.rest() == other.rest.rest()
    }
}

impl Eq for Pages<'_> {}

impl Pages<'_> {
    /// Bytes that the pages take in the record.
    pub const fn size(&self) -> usize {
        self.rest.rest().len()
    }
}

/// Decodes one page after another.
impl<'a> IntoIterator for Pages<'a> {
    type Item = Result<PageChange<'a>, DecodeError>;
    type IntoIter = PagesIter<'a>;

    fn into_iter(self) -> PagesIter<'a> {
        PagesIter { rest: self.rest }
    }
}

/// Iterates over the pages of a record. Ends after the first error.
#[derive(Clone, Debug)]
pub struct PagesIter<'a> {
    rest: Fields<'a>,
}

impl<'a> PagesIter<'a> {
    fn decode_next(&mut self) -> Result<PageChange<'a>, DecodeError> {
        const CUT: DecodeError = DecodeError::Truncated("page");
        let tagged = self.rest.varint().ok_or(CUT)?;
        let page = u32::try_from(tagged >> 1)
            .ok()
            .filter(|page| *page != 0)
            .ok_or(DecodeError::Invalid("page number"))?;
        let crc = self.rest.u32().ok_or(CUT)?;
        let body = if tagged & PAGE_FULL == 0 {
            let length = self.rest.varint_usize().ok_or(CUT)?;
            PageBody::Delta(Delta::new(self.rest.take(length).ok_or(CUT)?))
        } else {
            PageBody::Full(self.rest.chunk().ok_or(CUT)?)
        };
        Ok(PageChange {
            page: PageNumber::new(page),
            crc,
            body,
        })
    }
}

impl<'a> Iterator for PagesIter<'a> {
    type Item = Result<PageChange<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let page = self.decode_next();
        if page.is_err() {
            self.rest = Fields::new(&[]);
        }
        Some(page)
    }
}

/// CRC-32C of a page's content, as it stands in the log.
pub fn page_crc(page: &[u8; PAGE_SIZE]) -> u32 {
    crc32c::crc32c(page)
}

/// What happens to one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageChange<'a> {
    /// The page.
    pub page: PageNumber,
    /// CRC-32C of the page as it is afterwards.
    pub crc: u32,
    /// Its new content.
    pub body: PageBody<'a>,
}

impl PageChange<'_> {
    /// Makes `page` what it is after the change. For a delta it must hold what the page was before.
    /// The result is compared with the checksum in the log; on an error it is not to be used.
    pub fn apply(&self, page: &mut [u8; PAGE_SIZE]) -> Result<(), DecodeError> {
        match self.body {
            PageBody::Full(image) => *page = *image,
            PageBody::Delta(delta) => delta.apply(page)?,
        }
        self.check(page)
    }

    /// Whether this is the page as it is after the change.
    pub fn check(&self, page: &[u8; PAGE_SIZE]) -> Result<(), DecodeError> {
        let found = page_crc(page);
        if found == self.crc {
            Ok(())
        } else {
            Err(DecodeError::PageChecksum {
                page: self.page,
                expected: self.crc,
                found,
            })
        }
    }
}

/// The new content of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageBody<'a> {
    /// All of it.
    Full(&'a [u8; PAGE_SIZE]),
    /// What differs from the version before.
    Delta(Delta<'a>),
}
