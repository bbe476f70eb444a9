//! The parts that a site can play.

use fwlog::Generation;

use crate::document::{Promise, SiteName};
use crate::terms::BootTime;

/// What a site is in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// It has not seen the document yet.
    Starting,
    /// It has nobody to follow, or nothing to follow with.
    Waiting,
    /// It takes a master's log.
    Following {
        /// Whose.
        master: SiteName,
        /// In which generation.
        generation: Generation,
    },
    /// It makes a promise.
    Freezing(Generation),
    /// It has promised.
    Frozen(Generation, Promise),
    /// It gets a log that is longer.
    Fetching(Generation, Promise),
    /// It has asked to be the master, at that time.
    TakingOver(Generation, Promise, BootTime),
    /// It asks whether it still is.
    Resuming(Generation),
    /// It leads.
    Master(Generation),
    /// It ends that.
    StandingDown(Generation),
    /// The register knows less than was promised: it has lost its memory, and a person has to look.
    Stranded,
}
