//! An environment: all databases of a server, their log, their control file.

mod applying;
mod checkpoint;
mod driver;
pub(crate) mod log;
mod log_guard;
mod old_readers;
mod open;
pub mod rebuild;
mod relocate;
mod slave_redo;
pub mod space;
mod state;
mod stop;
#[cfg(test)]
pub(crate) mod testing;
mod verify;
mod watch;

pub use driver::Driver;
pub use log_guard::Trouble;
pub use space::Space;
pub use state::{Environment, LogSide};
pub(crate) use verify::describe_page;
