//! What a log has that the log of the root has not: kept before it is taken back, and read to be done again.
//!
//! ```text
//!  ── F ──┬── … ── end        the log of an instance that was left behind at F
//!         └─► DataDir/lost/<instance>-<generation>-<first>-<last>-<time>/
//!               lost.json      who, from where to where, exact or not, and the hash of every file
//!               lost.jsonl     a line a transaction: schema and rows, before and after
//!               lost.sql       the same for psql
//!               segments/      the log itself, from the segment of F on
//!               broken/        what was never committed: kept, and applied by nobody
//! ```
//! `docs/lost-transactions.md` is the normative description of these files. [`write()`] makes a directory, [`Directory`]
//! proves and reads one. `lost.json` is written last: a directory without it is no directory, and the next [`write()`] of
//! the same name begins it anew.
//!
//! All files go through [`disk`]; nothing here knows a server.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod base64_text;
mod broken;
mod collect;
mod definition;
mod description;
mod directory;
mod error;
mod facts;
mod from_log;
mod hashed_file;
mod line;
mod parts;
mod replay;
mod scratch;
mod script;
mod sql;
mod state;
mod tail;
mod transaction;
mod value;
mod write;

pub use definition::Definition;
pub use description::{Description, FileProof, ForkDescription, PointDescription, RootDescription};
pub use directory::{Directory, Found, Lines};
pub use error::Error;
pub use facts::{Facts, Fork, ForkDatabase, ForkState, MadeBy, Place, Root, Standing};
pub use from_log::LogState;
pub use line::{Event, EventKind, Line};
pub use parts::{Met, parts_before};
pub use scratch::{Held, Scratch};
pub use sql::{Inexpressible, Literal, RowSql, identifier};
pub use transaction::{
    AuditLine, ChangeLine, ColumnLine, DdlLine, Op, RowLine, TableLine, Transaction,
};
pub use write::{Summary, write};
