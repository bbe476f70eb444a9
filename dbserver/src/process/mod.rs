//! The process around the engine: where its log lines go, what is counted, and an operator's wish to stop it.

mod background;
mod counters;
mod human;
mod json;
mod lines;
mod log_file;
mod log_flags;
pub mod logging;
mod recent;
mod repeats;
mod shutdown;
mod sink;
pub mod statement_counts;

pub use background::give_way;
pub use counters::{Counter, Counters, SlowLimit};
pub(crate) use human::bytes;
pub use log_file::LogFile;
pub use log_flags::SLOW;
pub use recent::{Recent, RecentLine};
pub use shutdown::ShutdownRequest;
