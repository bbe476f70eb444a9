//! A page store as a file for SQLite.
//!
//! ```text
//!   SQLite ── sqlite3_vfs ──► vfs/    C callbacks, the only unsafe code; no logic
//!                              │
//!                            state    locks, snapshot, layers of written pages
//!                              │  SHARED = take a snapshot; NONE = give it back
//!                              │  write  = into the write set; COMMIT leaves it there
//!                            handle   what a session calls: permit, pin, take the write set
//!                              │
//!                            rebase   a private transaction's pages, brought onto a newer commit
//! ```
//! [`open`] gives a connection and a [`FileHandle`]. SQLite takes a SHARED lock at the first read of a
//! statement in autocommit (of a transaction otherwise) and gives it back at the end: that is how
//! long a snapshot lives. Nothing that SQLite writes goes anywhere but into the write set. After
//! COMMIT the session takes that out and hands it to the log.
//!
//! The rollback journal is the shim's own and lives in memory, a scratch file where it is large.
//! There never is a hot journal: a handle that goes away takes its write set with it. Temporary files
//! go to the system's VFS, in the directory of the scratch files.
#![warn(missing_docs)]

mod error;
mod handle;
mod journal;
mod layer;
mod open;
mod rebase;
mod state;
mod temporary_space;
#[expect(
    unsafe_code,
    reason = "the C interface of SQLite; each block says why it is sound"
)]
mod vfs;

pub use error::Error;
pub use handle::{FileHandle, WriteSet};
pub use open::{OpenOptions, open};
pub use rebase::Offer;
pub use state::WriteMode;
