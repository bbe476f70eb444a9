//! The disk of a simulated machine, for tests: deterministic, from one seed.
//!
//! ```text
//!   process 1 ── Disk ─┐      ┌─ names  ─┬─ as users see them     live
//!                      ├─► SimulatedDisk ─┤
//!   process 2 ── Disk ─┘      └─ files  ─┴─ as the platter has it  durable + what is pending
//!
//!   write ─► live, pending        sync ─► durable        power cut ─► durable + some of pending
//! ```
//!
//! Each process of the machine has a [`Disk`](crate::Disk) of its own, so that it can be killed
//! alone. A hook sees every operation before it is done, and may do anything: start other work on the
//! same thread, set a fault for this very operation, cut the power, take an image.
//!
//! What is worse here than on a real machine is so on purpose: a sync of a file settles neither its
//! name nor another file, every sector is lost on its own, a failed call may have done any part of
//! its work.

mod change;
mod fault;
mod file;
mod names;
mod node;
mod operation;
mod process;
mod random;
mod simulated;
mod state;
#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use operation::{Kind, Operation, ProcessId};
pub use process::Process;
pub use random::Random;
pub use simulated::SimulatedDisk;
