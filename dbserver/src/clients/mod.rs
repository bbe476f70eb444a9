//! Who is connected, as the rest of the server sees it: the list of sessions, their cancel requests and
//! time limits.

pub mod registry;
mod timeouts;

pub use registry::{NewSession, Registered, SessionEntry, SessionInfo, Sessions};
pub use timeouts::StatementTimeout;
