//! Who is connected, as the rest of the server sees it: the list of sessions, their cancel requests and
//! time limits.

mod activity;
pub(crate) mod admission;
mod ending;
mod entry;
mod forwarded;
pub(crate) mod gate;
mod limits;
mod names;
mod redirected;
pub mod registry;
mod timeouts;

pub use activity::SessionState;
pub use entry::{NewSession, SessionEntry, SessionInfo};
pub use forwarded::Via;
pub use limits::Limits;
pub use redirected::Redirected;
pub use registry::{Registered, Seat, Sessions};
pub use timeouts::StatementTimeout;
