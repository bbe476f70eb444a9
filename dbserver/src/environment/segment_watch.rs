//! Looks whether segments that a restart needs are still there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fwlog::{Damage, LogLocation, ReadError, SegmentId, SegmentReader};

use crate::environment::core::Core;

/// So many looks lie between two attempts to do without what is missing.
const BETWEEN_ATTEMPTS: u32 = 10;

/// A file that is called as a segment and is none of this log stops the next start: better said now.
fn warn_of_strange(core: &Core, location: &LogLocation, id: SegmentId) {
    let path = location.path(id);
    let why = match SegmentReader::open(&location.disk, &path) {
        Ok(reader) if reader.header().id != id => {
            Damage::OtherSegment(reader.header().id).to_string()
        }
        Ok(reader) if core.id() != Some(reader.header().environment) => {
            Damage::OtherEnvironment(reader.header().environment).to_string()
        }
        Err(error @ ReadError::Corrupt { .. }) => {
            return tracing::error!(
                "{error}; a restart that needs the segment fails: take it from the master, a slave or a backup, which have the same bytes"
            );
        }
        _ => return,
    };
    tracing::error!(
        "{} is out of place, and stops the next start: {why}; move it out of the log directory",
        path.display()
    );
}

/// What to do about segments that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "where the server writes the log it can do without them"]
pub(crate) enum Missing {
    /// None is.
    Nothing,
    /// A checkpoint now would let a restart do without them.
    TryWithout,
    /// That was tried a moment ago.
    Wait,
}

/// What is known of the segments from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct SegmentWatch {
    directory: PathBuf,
    seen: BTreeSet<SegmentId>,
    missing: BTreeSet<SegmentId>,
    looks: u32,
}

impl SegmentWatch {
    /// Finds out whether somebody has removed or renamed a segment behind the redo point. Where the
    /// server writes the log, a checkpoint moves that point.
    pub(crate) fn look(&mut self, core: &Core) -> Missing {
        let Ok(location) = core.log_location() else {
            return Missing::Nothing;
        };
        // A directory that can't be read is the log's own trouble.
        let Ok(names) = location.disk.list(&location.directory) else {
            return Missing::Nothing;
        };
        // Asked for after the look: what the server itself removes lies before it.
        let (Some(redo), Ok(now)) = (core.redo(), core.log_location()) else {
            return Missing::Nothing;
        };
        if now != location || self.directory != location.directory {
            // The log has moved: what was seen was seen elsewhere.
            *self = Self {
                directory: now.directory,
                ..Self::default()
            };
            return Missing::Nothing;
        }
        let needed = redo.point.position.segment;
        let present: BTreeSet<SegmentId> = names
            .iter()
            .filter_map(|name| location.naming.segment_of(name.to_str()?))
            .filter(|id| *id >= needed)
            .collect();
        for id in present.difference(&self.seen) {
            warn_of_strange(core, &location, *id);
        }
        let gone: Vec<SegmentId> = self.seen.difference(&present).copied().collect();
        for id in gone.into_iter().filter(|id| *id >= needed) {
            if self.missing.insert(id) {
                self.looks = 0;
                tracing::error!(
                    "{} is gone, and a restart needs it; bring it back",
                    location.path(id).display()
                );
            }
        }
        self.missing.retain(|id| {
            let back = present.contains(id);
            if back {
                tracing::info!("{} is back", location.path(*id).display());
            }
            !back
        });
        self.seen = present;
        self.do_without(needed)
    }

    fn do_without(&mut self, needed: SegmentId) -> Missing {
        if self.missing.is_empty() {
            return Missing::Nothing;
        }
        if self.missing.iter().all(|id| *id < needed) {
            self.missing.clear();
            tracing::warn!(
                "a restart does not need the missing segments any more; slaves that have not got them yet do"
            );
            return Missing::Nothing;
        }
        let look = self.looks;
        self.looks = look.wrapping_add(1);
        if look.is_multiple_of(BETWEEN_ATTEMPTS) {
            Missing::TryWithout
        } else {
            Missing::Wait
        }
    }
}
