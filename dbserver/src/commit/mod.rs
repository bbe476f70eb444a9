//! From a write set to a durable transaction, and from the log back to the data files.

pub mod checkpointer;
pub mod committer;
pub(crate) mod encode;
pub(crate) mod quorum;
pub(crate) mod release;
mod restored;
pub(crate) mod touched;

pub(crate) use restored::tell_restored;
