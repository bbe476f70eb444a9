//! What a slave gets from somebody who has a cut, until it is its own state.
//!
//! ```text
//!  DataDir/incoming/plan      what comes, and how far it is: see [`plan`]
//!  DataDir/incoming/N.new     pages of database N, each at its place; holes where the data file's are as good
//!  DataDir/incoming/N.pages   which pages N.new has for the data file, once all have come
//!  DataDir/incoming/N.sum     the sum file of database N as it will be
//!  DataDir/incoming/G-S       a segment of the log that belongs to the cut
//! ```
//! Nothing of the state that is served is touched before all has come and is proved. A page is what its hash says: what
//! an earlier conversation has left is compared like everything else, so nothing needs to be remembered, and a page that a
//! power cut has torn is fetched again. [`go_on`] carries out, at a start, what is complete.

mod arriving;
mod arriving_log;
mod go_on;
mod plan;
mod store;

pub(crate) use go_on::go_on;
pub(crate) use store::Incoming;

use std::path::PathBuf;

use crate::databases::layout::Layout;
use crate::error::EngineError;

/// The directory of what comes in.
fn directory(layout: &Layout) -> PathBuf {
    layout.data_dir().join("incoming")
}

/// What has come differs from what was sent: nothing of it may be used.
fn altered(what: String) -> EngineError {
    EngineError::Corrupt(what)
}
