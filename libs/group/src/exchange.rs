//! What a member is told, and what it wants done.

use fwlog::Generation;

use crate::document::{End, Group, Promise, SiteName};
use crate::register::Version;
use crate::terms::BootTime;

/// What a site is when its server starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its name.
    pub me: SiteName,
    /// The end of its log; `None`: a witness.
    pub log: Option<End>,
    /// What it has promised, as its disk says.
    pub promised: Generation,
    /// When.
    pub now: BootTime,
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Input {
    /// Time passes.
    Tick,
    /// The register has this document.
    Seen(Version, Box<Group>),
    /// A swap was made, or not, or nobody knows.
    Swapped,
    /// What became of a renewal that was sent at that time.
    Renewed {
        /// By this machine's clock.
        sent: BootTime,
        /// `None`: there was no answer.
        granted: Option<bool>,
    },
    /// Whether the next generation may be opened behind this document.
    MayOpen(Version, bool),
    /// The master of the present generation was heard.
    Heard,
    /// It takes nothing older any more, and that is on its disk.
    Promised(Generation, Promise),
    /// It has what it needed of another log.
    Fetched(Generation, End),
    /// It writes no more, and its clients are gone.
    StoodDown,
    /// Somebody has refused it for a newer generation.
    Fenced(Generation),
    /// It can't write its log any more.
    InTrouble,
    /// Commits have waited too long for other sites.
    TooFew,
    /// Enough sites have all that this one has.
    Enough,
    /// All that was released is released by each of the rules.
    RulesAreMet,
}

/// What is to be done. Each is done once; what fails is said by what comes in, or by nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Put this document in the place of that one; then [`Input::Swapped`], and [`Input::Seen`] of what is there.
    Swap(Version, Box<Group>),
    /// Renew the lease; then [`Input::Renewed`] with this moment.
    Renew(Generation),
    /// Ask whether the lease has run out; then [`Input::MayOpen`].
    AskToOpen(Version),
    /// Take nothing older than this from now on: the link is dropped, the mirror synced, the promise written, in this order;
    /// then [`Input::Promised`].
    Freeze(Generation),
    /// Get the log of that site, in this generation's name; then [`Input::Fetched`].
    Fetch(Generation, SiteName),
    /// Write, in this generation. A new one begins with its record.
    Lead {
        /// Which.
        generation: Generation,
        /// What it goes on from.
        since: End,
        /// It was this site's before its server ended.
        resumed: bool,
    },
    /// Take the log of that site.
    Follow(Generation, SiteName),
    /// End all sessions, write no more; then [`Input::StoodDown`].
    StandDown(Generation),
}
