//! How long segments of the forward log are kept, and for whom.
//!
//! ```text
//!  slave-*.status ─▶ learn ─▶ Slots (DataDir/slots) ─┐
//!  control's redo, cuts, FwKeep, room on the disk ───┴▶ fwlog::retention ─▶ Plan ─▶ removed
//! ```
//! The log guard does it each second, and `dbctl forwardlog remove` by hand, in the same way.

mod forget;
mod guard;
mod learn;
mod plan;
mod slot_status;
mod slots;

pub(crate) use forget::forget;
pub(crate) use guard::RetentionWatch;
pub use plan::{Planned, RemovedSegments};
pub use slot_status::SlotStatus;
pub(crate) use slot_status::lost_text;
pub(crate) use slots::Slots;
