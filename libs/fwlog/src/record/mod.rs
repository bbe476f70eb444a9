//! Records: what a block is made of.

mod buffer;
mod commit;
mod delta;
mod show;
mod small;

use crate::damage::DecodeError;
use crate::fields::Fields;
use crate::layout::record as at;
use crate::numbers::DatabaseId;
use crate::position::{LogPoint, Position};

pub use buffer::{CommitEncoder, CommitHead, RecordBuffer};
pub use commit::{Commit, PageBody, PageChange, Pages, PagesIter, Part, page_crc};
pub use delta::Delta;
pub(crate) use small::prefix;
pub use small::{Audit, GenerationReason, GenerationStart, MAX_NAME, MAX_STATEMENT, UnknownReason};

/// Size of a database page in bytes.
pub const PAGE_SIZE: usize = 4096;

/// The kind byte of each record.
pub mod kind {
    /// First in each generation.
    pub const GENERATION: u8 = 1;
    /// A checkpoint is complete.
    pub const CHECKPOINT: u8 = 2;
    /// A transaction commits.
    pub const COMMIT: u8 = 3;
    /// Piece of a transaction too large for one block.
    pub const PART: u8 = 4;
    /// A database is made.
    pub const CREATE_DATABASE: u8 = 5;
    /// A database is removed.
    pub const DROP_DATABASE: u8 = 6;
    /// A database gets another name.
    pub const RENAME_DATABASE: u8 = 7;
    /// A database is replaced as a whole.
    pub const RESTORE_DATABASE: u8 = 8;
    /// A session takes a database for itself, or leaves it.
    pub const ACCESS: u8 = 9;
    /// Who did what.
    pub const AUDIT: u8 = 10;
    /// How far the log of the commits was copied into a log of audit records.
    pub const COPIED: u8 = 11;
}

/// What a session of the master leaves to the others of its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseAccess {
    /// Everything: there is no such session, or it has left.
    Shared,
    /// To read.
    OthersRead,
    /// Nothing.
    Alone,
}

/// One record. Texts and pages are borrowed from the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// First in each generation: where it comes from.
    Generation(GenerationStart<'a>),
    /// A checkpoint is complete: redo begins at this position.
    Checkpoint {
        /// The first position whose blocks are needed to redo.
        redo: Position,
    },
    /// A transaction commits.
    Commit(Commit<'a>),
    /// Pages of a transaction too large for one block. Its commit comes later, or never.
    Part(Part<'a>),
    /// A database is made; its pages come with the commits that follow.
    CreateDatabase {
        /// Its number, never used before.
        id: DatabaseId,
        /// Its name.
        name: &'a str,
        /// Options, as given; may be empty.
        options: &'a str,
    },
    /// A database is removed.
    DropDatabase {
        /// Its number.
        id: DatabaseId,
        /// The name that it had.
        name: &'a str,
    },
    /// A database gets another name.
    RenameDatabase {
        /// Its number, which stays.
        id: DatabaseId,
        /// The name that it had.
        old_name: &'a str,
        /// The name that it has from here on.
        name: &'a str,
    },
    /// A database is replaced as a whole; its new pages come with the commits that follow.
    RestoreDatabase {
        /// Its number.
        id: DatabaseId,
        /// Its name.
        name: &'a str,
        /// Options, as given; may be empty.
        options: &'a str,
    },
    /// A session takes a database for itself, or leaves it.
    Access {
        /// The database.
        id: DatabaseId,
        /// What is left to others.
        access: DatabaseAccess,
    },
    /// Who did what, from where.
    Audit(Audit<'a>),
    /// In a log of audit records alone: it has all those that stand in the other log before this point.
    Copied {
        /// A block border of the log of the commits.
        up_to: LogPoint,
    },
}

/// Iterates over the records of a block. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: Fields<'a>,
}

impl<'a> Records<'a> {
    /// Iterates over the records in `raw`, the decompressed payload of a block.
    pub const fn new(raw: &'a [u8]) -> Self {
        Self {
            rest: Fields::new(raw),
        }
    }

    /// Bytes of the records that were not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest.rest()
    }

    fn decode_next(&mut self) -> Result<Record<'a>, DecodeError> {
        let head = self
            .rest
            .u32()
            .ok_or(DecodeError::Truncated("record head"))?;
        let [kind, ..] = head.to_le_bytes();
        let length = (head >> (8 * at::LENGTH_AT)) as usize;
        let body = self
            .rest
            .take(length)
            .ok_or(DecodeError::Truncated("record"))?;
        match kind {
            kind::COMMIT => Commit::decode(body).map(Record::Commit),
            kind::PART => Part::decode(body).map(Record::Part),
            _ => small::decode(kind, body),
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.decode_next();
        if record.is_err() {
            self.rest = Fields::new(&[]);
        }
        Some(record)
    }
}
