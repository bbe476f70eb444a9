//! The one applier: crash recovery, slave, restore and backup check feed it from different places.

pub mod applier;
mod batch;
pub mod disk_retry;
mod history;
mod parts;
pub mod readers;
pub(crate) mod remake;
mod rules;
mod scratch;
