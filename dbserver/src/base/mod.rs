//! A server's two ends of the base conversation: it gives a cut, or it takes one.
//!
//! ```text
//! dbrepl ─▶ serve (socket) ─┬▶ give (socket) ─▶ giving (messages) ─▶ environment::cut
//!                           └▶ take (socket) ─▶ taking (messages) ─▶ incoming ─▶ the server starts anew
//! ```
//! The first message says which: a taker's word makes the server a giver, a cut makes it a taker.

mod give;
mod giving;
mod line;
mod serve;
mod take;
mod taking;
mod tree;

pub use giving::{Giving, Heard};
pub use serve::serve_base;
pub use taking::{Next, Taking};

use dbproto::Refuse;
use dbproto::base::Offer;

use crate::error::EngineError;

/// What this server can do, for the end of a start-up.
pub fn offer() -> String {
    Offer::base().to_string()
}

fn refuse_engine(error: &EngineError) -> Refuse {
    Refuse::new(error.sqlstate(), error.to_string()).hint(error.hint().unwrap_or_default())
}
