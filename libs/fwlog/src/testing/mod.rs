//! What tests of the log are made with, here and in the crates that use it.

mod crash_store;
mod loss;
mod random;
mod suite;

pub use crash_store::{CrashStore, Fault};
pub use random::Random;
pub use suite::store_suite;
