//! The process around the engine: where its log lines go, and an operator's wish to stop it.

mod human;
mod lines;
pub mod logging;
mod shutdown;

pub(crate) use human::bytes;
pub use logging::LogFile;
pub use shutdown::ShutdownRequest;
