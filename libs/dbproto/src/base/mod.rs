//! The base conversation: who has a *cut* (every database of an environment at one commit) gives it to somebody
//! who wants to be in that state, and only pages that differ move.
//!
//! ```text
//! taker: a slave                 dbrepl                       giver: a server with the cut
//!   start-up, database "system", replication=base, on both connections; all that follows inside CopyData
//!                                OpenCut ─────────────────▶
//!        ◀──────────────────────────────────────────────── Cut
//!   (Have ────────────────────────────────────────────────▶  its own group values, of what it has
//!        ◀──────────────────────────────────────────────── Compared, PageSums of each group that differs
//!    Want ────────────────────────────────────────────────▶
//!        ◀──────────────────────────────────────────────── Pages
//!   (Want ────────────────────────────────────────────────▶  the whole group, where it has not its value with them
//!        ◀──────────────────────────────────────────────── Pages))*
//!   AskLog ───────────────────────────────────────────────▶
//!        ◀──────────────────────────────────────────────── Log*
//!   AskRoots ─────────────────────────────────────────────▶
//!        ◀──────────────────────────────────────────────── Roots
//!   Complete ─────────────────────────────────────────────▶  what it has read back from its disk is the cut
//! ```
//!
//! dbrepl is between the two: it opens the cut and carries everything else over unread, so that it can count, limit
//! the rate and tell how far it is. A conversation that breaks off leaves nothing to clean up: the next one has a new cut,
//! and the comparison finds what has arrived. Either side ends it with `Refuse`. `docs/replication.md` has the table of
//! messages.

mod asked;
mod cut;
mod given;
mod giver;
mod kinds;
mod page_sum;
mod pages;
mod stage;
mod taker;
mod taker_action;

pub use crate::offer::{BASE_OFFER, Offer};
pub use asked::Asked;
pub use cut::{CutDatabase, CutOffer, LogRange, RedoPoint};
pub use given::Given;
pub use giver::{Giver, GiverAction};
pub use kinds::{BASE_MESSAGES, kind};
pub use page_sum::PageSum;
pub use pagehash::PageSet;
pub use pages::Pages;
pub use stage::{Stage, StageStatus};
pub use taker::Taker;
pub use taker_action::{Kept, TakerAction};

/// Value of the start-up parameter `replication` that asks for this conversation.
pub const BASE_PARAMETER: &str = "base";

/// Values of groups in one message at most.
pub const MAX_VALUES: usize = 256;

/// Bytes of log in one message at most.
pub const MAX_LOG: usize = 1 << 20;

/// Databases of an environment at most; more can't be in a cut.
pub const MAX_DATABASES: usize = 65_536;
