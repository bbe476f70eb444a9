//! Who is master: what the sites of a group agree about, and what each of them does about it. No I/O, no clock.
//!
//! ```text
//!        one document (Group), one lease, both in the Register: compare-and-swap, renewals
//!                     │ Seen, Renewed, Swapped, MayOpen      ▲ Swap, Renew, AskToOpen
//!                     ▼                                      │
//!   time, disk, ─▶ ┌────────────────────────────────────────────┐
//!   links          │ Member: the part that one site plays       │ ─▶ Freeze, Fetch, Lead, StandDown, Follow
//!                  └────────────────────────────────────────────┘
//! ```
//! How it works:
//!
//! 1. **The generation fences.** Generations of the log are handed out by the register alone, one for each tenure of a
//!    master; so one generation has one writer, and a log with a newer generation is the later one.
//! 2. **Freeze, then choose.** When nobody holds the lease, somebody opens the next generation. Each site with data then
//!    promises, on its disk, to take nothing from an older one, and only what has been promised is compared.
//! 3. **What was released survives.** A commit is released when `acks` sites beside the master have it ([`Rule`]), and a
//!    master is elected by as many promises as it takes to meet one of them.
//! 4. **A lease is for what acknowledgements can't prove**: answers that wait for nobody, and reads of an old master. It is
//!    counted from the moment at which a renewal was *sent*, by a clock that goes on while the machine sleeps.

mod change;
mod choose;
mod document;
mod exchange;
mod member;
mod part;
mod register;
mod rule;
mod terms;
mod text;

pub use change::Refused;
pub use choose::{Choice, Missing};
pub use document::{Degraded, End, Group, Promise, Site, SiteName, State, Tenure, Unreadable};
pub use exchange::{Input, Output, Start};
pub use member::Member;
pub use part::Part;
pub use register::{Register, RegisterError, Version};
pub use rule::Rule;
pub use terms::{BootTime, Terms};
