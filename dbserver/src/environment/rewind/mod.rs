//! A server whose log goes beyond what it has in common with its root goes back to that point, and follows.
//!
//! ```text
//!  fork ─► tail: what is behind it ─► choose a plan ─► stage: pages as they were at the fork ─► keep: what is lost, as files
//!       ─► Rewinding::complete, the point of no return ─► the server begins anew ─► incoming::go_on ─► it follows
//! ```
//! Before the point of no return nothing of its state is changed; behind it nothing is needed but what is staged. The commands
//! of dbctl only begin it: `docs/sites.md`, *A former root rejoins*.

mod begin;
mod by_itself;
mod choose;
mod fork;
mod keep;
mod pages;
mod run;
mod stage;
mod survey;
mod tail;
mod twins;
mod wait;

pub(crate) use by_itself::Parted;
pub use choose::Plan;
pub use fork::Fork;
pub(crate) use fork::root_of;
pub use keep::Kept;
pub use run::Outcome;
pub use survey::Planned;

#[cfg(test)]
mod tests;
