//! A repository: where the log of an environment is kept beside its servers, for ever, as objects of a store.
//!
//! ```text
//!  master's log ─► Assembly ─► Part ─► Store (put if absent) ─► Catalog ─► Line ─► segments, byte for byte
//!                                        └ Directory: a directory of a disk
//! ```
//!
//! `docs/repository.md` is the normative description of names and objects. Nothing that is read is given out before it
//! is proved by hashes; nothing that is written is ever replaced, but for the heartbeat.
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod archiver;
mod assembly;
mod catalog;
pub mod conformance;
mod directory;
mod error;
mod generation;
mod heartbeat;
pub mod layout;
mod line;
mod marker;
mod name;
mod part;
mod part_head;
mod repository;
mod span;
mod start;
mod store;
mod text;
mod url;
mod verify;

pub use archiver::{Archiver, ArchiverError, Stored};
pub use assembly::{Assembly, Diverged, MAX_PART_SIZE};
pub use catalog::{Catalog, HistoryObjects};
pub use directory::Directory;
pub use error::ArchiveError;
pub use generation::ArchivedGeneration;
pub use heartbeat::Heartbeat;
pub use line::{Line, LineSegment};
pub use marker::{MAX_NAME, Marker};
pub use name::{HistoryId, LogObject, ObjectName};
pub use part::{Border, MAX_PAYLOAD, Part};
pub use part_head::{HEAD_SIZE, PartHead};
pub use repository::{ArchiveEnd, LogArchive, Repository};
pub use span::Span;
pub use start::{Start, find_start};
pub use store::{Listed, Put, Store, StoreError};
pub use url::{is_url, store_at};
pub use verify::{Finding, HistoryReport, VerifyReport, verify};
