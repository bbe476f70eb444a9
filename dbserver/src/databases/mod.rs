//! The databases of an environment and what they stand on: directory, control file, data files,
//! write permits, memory.

pub mod backup_mode;
pub mod control;
pub(crate) mod data_mark;
pub mod database;
mod database_entry;
pub mod fence;
pub mod files;
pub mod functions;
pub mod handover;
pub mod host;
pub(crate) mod instance_files;
pub mod layout;
pub mod list;
pub mod locks;
pub mod memory_budget;
pub mod notifications;
pub mod open_mode;
pub mod openings;
pub mod permit;
pub mod replication_use;
pub mod sequences;
pub mod slots;
pub mod tree;
pub(crate) mod values;
pub mod write_gate;

pub use database::{Database, OpenDatabase};
pub use dbconfig::Role;
