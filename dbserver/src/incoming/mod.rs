//! What a slave gets from somebody who has a cut, until it is its own state; and what a server makes of its own log that goes
//! back to an earlier point of it ([`Rewinding`]).
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
mod cut_log;
mod go_on;
mod plan;
mod proof;
mod restored;
mod rewinding;
mod rewound;
mod store;

pub(crate) use cut_log::{cut_log, reader_at};
pub(crate) use go_on::go_on;
pub(crate) use restored::{Restored, is_complete, is_restoring};
pub(crate) use rewinding::{BackTo, Rewinding, StagedDatabase, Whole};
pub(crate) use store::Incoming;

use std::path::PathBuf;

use crate::databases::layout::Layout;
use crate::error::EngineError;

/// The file that says what comes.
const PLAN: &str = "plan";

/// The directory of what comes in.
fn directory(layout: &Layout) -> PathBuf {
    layout.data_dir().join("incoming")
}

/// Removes what an earlier conversation has left, but for the plan and what may still be of use.
fn clear(layout: &Layout, is_of_use: impl Fn(&str) -> bool) -> Result<(), EngineError> {
    let (disk, directory) = (layout.disk(), directory(layout));
    let names = disk.list(&directory);
    let names = names.map_err(|error| EngineError::file("list", &directory, &error))?;
    let names = names.iter().filter_map(|name| name.to_str());
    for name in names.filter(|name| *name != PLAN && !is_of_use(name)) {
        let path = directory.join(name);
        disk.remove(&path)
            .map_err(|error| EngineError::file("remove", path, &error))?;
    }
    Ok(())
}

/// What has come differs from what was sent: nothing of it may be used.
fn altered(what: String) -> EngineError {
    EngineError::Corrupt(what)
}
