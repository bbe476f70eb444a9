//! The tree of instances: what goes down it, what comes up, and who may not be in it. [`crate::TREE`] names what a side
//! can do that takes part.
//!
//! ```text
//!   root ── Above: the path, twins ──▶ slave ── Above ──▶ its slaves
//!   root ◀── Below: how they stand ─── slave ◀── Below ── its slaves
//! ```
//! Between two servers dbrepl carries both; beside each log it finds and leaves them in files.

mod above;
mod below;

pub use above::check_above;
pub(crate) use above::{read_above, read_name, write_above};
pub use below::{Below, MAX_MEMBERS, Member};
