//! The process around the engine: where its log lines go, and an operator's wish to stop it.

mod human;
mod lines;
mod log_file;
mod log_flags;
pub mod logging;
mod repeats;
mod shutdown;
mod sink;

pub(crate) use human::bytes;
pub use log_file::LogFile;
pub use shutdown::ShutdownRequest;
