//! A slave's end of the replication connection: one dbrepl feeds the mirror.
//!
//! ```text
//! dbrepl ─▶ serve (socket) ─▶ link (messages) ─▶ slave::SlaveLog
//! ```

pub mod link;
mod serve;
mod source_news;

pub use serve::serve_replication;
