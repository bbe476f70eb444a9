//! A repository: where the log of an environment is kept beside its servers, for ever, as objects of a store.
//!
//! ```text
//!  master's log ─► Assembly ─► Part ─► Store (put if absent) ─► Catalog ─► Line ─► segments, byte for byte
//!                                        ├ Directory: a directory of a disk
//!                                        └ those of libs/objects
//! ```
//!
//! `docs/repository.md` is the normative description of names and objects. Nothing that is read is given out before it
//! is proved by hashes; nothing that is written is ever replaced, but for the heartbeat.
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod archiver;
mod assembly;
mod backup_log;
mod backup_name;
mod backup_verify;
mod backup_writer;
mod backups;
mod catalog;
pub mod conformance;
mod directory;
mod error;
mod fields;
mod generation;
mod heartbeat;
mod keep;
pub mod layout;
mod line;
mod log_walk;
mod manifest;
mod marker;
mod name;
mod one_writer;
mod pack;
pub mod pack_layout;
mod page_reader;
mod page_table;
mod part;
mod part_head;
mod prune;
mod repository;
mod restore_log;
mod restore_note;
mod restore_point;
mod span;
mod start;
mod store;
mod text;
mod url;
mod verify;

pub use archiver::{Archiver, ArchiverError, Stored};
pub use assembly::{Assembly, Diverged, MAX_PART_SIZE};
pub use backup_name::{BackupId, BackupObject, PackId};
pub use backup_verify::{BackupReport, BackupsReport, Depth, verify_backups};
pub use backup_writer::{BackupWriter, Found, Previous};
pub use backups::{BackupCatalog, Backups, Pages};
pub use catalog::{Catalog, HistoryObjects};
pub use directory::Directory;
pub use error::ArchiveError;
pub use generation::ArchivedGeneration;
pub use heartbeat::Heartbeat;
pub use keep::{KeepReason, KeepRules, KeptBackup, keep};
pub use line::{Join, Line, LineSegment};
pub use log_walk::{LogItem, LogWalk};
pub use manifest::{BackedUpDatabase, Cost, MAX_LABEL, Manifest, StoredLog, StoredObject};
pub use marker::{MAX_NAME, Marker};
pub use name::{HistoryId, LogObject, ObjectName};
pub use pack::{MAX_FRAMES, PACK_SIZE, prove_pack};
pub use page_table::{FrameRef, MAX_GROUP_FRAMES, PageTable, StoredDatabase, StoredGroup};
pub use part::{Border, MAX_PAYLOAD, Part};
pub use part_head::{HEAD_SIZE, PartHead};
pub use prune::{Fate, PrunePlan, plan_prune, prune};
pub use repository::{ArchiveEnd, LogArchive, Repository};
pub use restore_log::{KeepLog, RestoreError, RestoredLog, restore_log};
pub use restore_note::RestoreNote;
pub use restore_point::{Chosen, RestoreTarget, choose};
pub use span::Span;
pub use start::{Start, find_start};
pub use store::{Listed, Put, Store, StoreError};
pub use url::{directory_at, is_url};
pub use verify::{Finding, HistoryReport, VerifyReport, verify};
