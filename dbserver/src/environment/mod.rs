//! An environment: all databases of a server, their log, and the role that it has at present.
//!
//! ```text
//! Environment ─ Core: config, host, layout, control, databases, files, horizon (never changes)
//!             └ Side ─ Master: commit order, writer, checkpoints, guard, list of databases
//!                    └ Slave:  mirrored log, applier, checkpoints, guard
//! roles: begins, ends and swaps a side
//! ```

mod audit_copier;
pub(crate) mod audit_log;
mod awaiting;
mod backup_mode;
pub mod backup_mode_status;
mod begin_log;
mod checkpoint;
mod copied;
pub mod core;
pub mod cut;
mod data_files;
mod data_watch;
mod database_changes;
pub mod database_status;
mod doublewrite;
mod driver;
pub mod fence;
mod forks;
pub(crate) mod given_pages;
mod guard;
mod guard_log;
mod guard_mirror;
mod handover;
pub(crate) mod instance;
mod interrupted;
mod left_behind;
pub mod local;
pub(crate) mod log;
pub(crate) mod lost_news;
pub mod master;
mod mirrored_log;
mod obstacles;
pub(crate) mod partial;
pub mod pause;
pub mod proof;
mod read_only;
pub mod rebuild;
pub(crate) mod receiving;
pub mod recover;
mod redo;
pub(crate) mod reload;
mod relocate;
pub(crate) mod repair;
pub(crate) mod repair_source;
pub(crate) mod replication_facts;
pub mod replication_status;
mod report_standing;
pub mod retention;
pub mod rewind;
mod role_file;
mod roles;
pub mod scrub;
pub mod seen;
mod segment_watch;
pub mod session_status;
pub mod side;
mod since_fork;
pub mod slave;
mod slave_applying;
mod slave_catching_up;
mod slave_notes;
pub mod source_status;
pub mod space;
mod state;
pub mod status;
pub mod suspended_by;
mod synchronous;
#[cfg(test)]
pub(crate) mod testing;
mod threads;
pub mod tree;
mod two_roots;
mod verify;
pub mod waiting;
mod where_to_write;

pub use self::core::Core;
pub(crate) use data_watch::describe_lost;
pub use driver::Driver;
pub use guard::Trouble;
pub use master::Master;
pub use roles::may_start;
pub use seen::{Seen, Shown};
pub use side::Side;
pub use slave::Slave;
pub use space::Space;
pub use state::Environment;
pub(crate) use verify::describe_page;
