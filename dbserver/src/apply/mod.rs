//! The one applier: crash recovery, slave, restore and backup check feed it from different places.

pub mod applier;
mod batch;
mod history;
mod parts;
pub mod patience;
mod rules;
mod scratch;
