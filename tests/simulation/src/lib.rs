//! The whole path of the log on one thread, from one seed: clients, a master with its writer, page
//! store, checkpoints and recovery, dbrepl, slaves with their mirrors and appliers. All of it is the
//! code of the product; the disk, the network and the clock are simulated, and fail.
//!
//! ```text
//!   Clients ── transactions, snapshots ──► Server 0 (master) ── Line: dbrepl ──► Server 1, 2 (slaves)
//!      │                                       │                                     │
//!      └── Model: what must be there           └── SimulatedDisk, Hooks: a crash, or other clients'
//!                                                  work, in the middle of any operation
//! ```
//!
//! After every step: what was acknowledged is there; what a snapshot shows is the state of its
//! commit; no server ever shows what is lost later; a slave has nothing that its master can lose. In
//! the end, when all is mended: every server has the same pages, the same log bytes, and what the
//! model says.
//!
//! A seed that fails is printed. `ELOQDB_SEED=<seed> ELOQDB_TRACE=1 cargo test -p simulation` tells its
//! story, with the last operations of every disk.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod alone;
mod clients;
mod content;
mod conversation;
mod copies;
mod cuts;
mod databases;
mod draw;
mod finale;
mod guard;
mod handover;
mod hooks;
mod interrupts;
mod life;
mod line;
mod lost;
mod model;
mod nested;
mod rejoin;
mod resync;
mod retention;
mod roles;
mod server;
mod settings;
mod shipping;
mod switches;
mod taking;
mod tally;
mod transaction;
mod trees;
mod world;

pub use guard::get_back_in_trouble;
pub use settings::Settings;
pub use switches::{Whose, switch_on_failing_disks};
pub use tally::Tally;
pub use trees::{Tree, WentBack, go_back_in_turn};
pub use world::World;

/// What became of one seed.
#[derive(Debug)]
pub struct Outcome {
    /// How much was tried.
    pub tally: Tally,
    /// What was wrong, if anything was.
    pub violation: Option<String>,
    /// What happened, where it was asked for.
    pub story: Vec<String>,
}

/// Runs one seed.
pub fn run(seed: u64, tell: bool) -> Outcome {
    let settings = Settings::of(seed);
    let mut world = match World::new(settings, tell) {
        Ok(world) => world,
        Err(violation) => {
            return Outcome {
                tally: Tally::default(),
                violation: Some(violation),
                story: Vec::new(),
            };
        }
    };
    let violation = world.run().err();
    Outcome {
        tally: world.tally(),
        violation,
        story: world.story(),
    }
}
