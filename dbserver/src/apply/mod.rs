//! The one applier: crash recovery, slave, restore and backup check feed it from different places.

pub mod applier;
mod batch;
pub mod disk_retry;
mod history;
mod parts;
mod rules;
mod scratch;
