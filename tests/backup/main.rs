//! Backups of a running server, and the past out of them.

mod as_of;
mod bucket;
mod create;
mod mode;
mod page;
mod restore;
mod support;
