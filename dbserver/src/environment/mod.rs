//! An environment: all databases of a server, their log, their control file.

mod checkpoint;
pub mod control;
mod copied;
pub mod create;
pub mod crowd;
pub mod database;
pub mod databases;
mod driver;
pub mod files;
pub mod host;
pub mod layout;
mod log;
mod log_guard;
mod old_readers;
mod open;
pub mod rebuild;
mod relocate;
pub mod space;
mod state;
mod stop;
#[cfg(test)]
pub(crate) mod testing;
mod verify;
mod watch;

pub use database::{Database, OpenDatabase};
pub use dbconfig::Role;
pub use driver::Driver;
pub use log_guard::Trouble;
pub(crate) use log_guard::tell_restored;
pub use space::Space;
pub use state::{Environment, LogSide};
pub(crate) use verify::describe_page;
