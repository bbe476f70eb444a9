//! Backups of a running server, and the past out of them.

mod as_of;
mod bucket;
mod create;
mod less;
mod mode;
mod one_database;
mod page;
mod restore;
mod support;
