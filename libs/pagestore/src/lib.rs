//! Page versions over a data file.
//!
//! A database is a file of 4096-byte pages (the *base*) plus, in memory, the page versions that are
//! newer than the file:
//!
//! ```text
//!   publish(commit, pages) ──► page number → [ (commit, image), (commit, image) … ]
//!                                     │ newest version not above the snapshot, else ▼
//!   snapshot.read(page)   ◄───────────┴──────────────────────────────────── data file
//!                                                                              ▲
//!   checkpoint()          ── newest durable version of each page, in page order ┘
//! ```
//!
//! - A [`Snapshot`] is a commit number. [`PageStore::snapshot_durable`] takes the newest commit that
//!   can no longer be lost (the [`Horizon`], one for all stores of an environment);
//!   [`PageStore::snapshot_latest`] is for the one writer, who builds on what is published but not
//!   durable yet.
//! - [`PageStore::checkpoint`] waits for nobody and nobody waits for it: the old image of a page that
//!   an open snapshot still needs becomes a version before the file is overwritten.
//! - Only durable versions reach the file, so the file at a checkpoint plus the log is the state.
//!
//! The store knows nothing of SQL, of the log or of the network.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod active;
mod base;
mod chain;
mod checkpoint;
mod error;
mod horizon;
mod image;
mod memory;
mod mend;
mod numbers;
mod release;
mod run;
mod scratch;
mod shards;
mod snapshot;
mod store;
mod sums;
mod verify;

pub use checkpoint::{CheckpointReport, Progress};
pub use error::{Damage, StoreError};
pub use horizon::Horizon;
pub use image::PageImage;
pub use memory::MemoryUse;
pub use mend::{Lost, LostPage, Origin, PageSource, Remade};
pub use numbers::{CommitNumber, LOCK_PAGE, PAGE_SIZE, PageData, PageNumber};
pub use release::Pinned;
pub use scratch::{ScratchFile, ScratchPage};
pub use snapshot::Snapshot;
pub use store::{PageStore, StoreOptions};
pub use sums::{sum_file, sum_of, write_sum_file};
pub use verify::{Depth, Fault, VerifyReport};
