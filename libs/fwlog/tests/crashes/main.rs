//! Power cuts, kills and failures at every single operation, on a simulated disk.
//!
//! `ELOQDB_SEEDS` gives the number of seeds for each test; the default takes seconds. What fails says
//! its seed, and everything follows from that.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]
#![expect(clippy::panic, reason = "that is how a test fails")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod interrupted;
mod life;
mod model;
mod power;
mod recovery;
mod slave;
mod work;
