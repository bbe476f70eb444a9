//! The one seam between the product and the file system.
//!
//! Whatever must still be true after a power cut goes through a [`Disk`]: segments of the log, data
//! files, the control file, scratch files. In production it is the operating system's; a test puts a
//! simulated one in its place, which loses what was not synced, tears writes, fills up and fails.
//!
//! ```text
//!  fwlog, pagestore, dbserver, dbrepl ──► Disk ──► FileSystem ──► RealFiles (std::fs)
//!                                                            └──► testing::SimulatedDisk
//! ```
//!
//! A file's content is durable after a sync of the file; its *name* only after a sync of the
//! directory (POSIX `fsync`, and the Linux manual page `fsync(2)`). A rename replaces atomically,
//! but may reach the disk before the content of the file does; so [`Disk::rename`] syncs the file
//! first.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod bulk;
mod file;
mod file_system;
mod handle;
mod missing;
mod real;
pub mod testing;

pub use file::{DiskFile, FileIdentity};
pub use file_system::{Access, FileSystem};
pub use handle::{Disk, is_full, reason};
pub use missing::{directory_hint, missing_hint};
pub use real::RealFiles;
