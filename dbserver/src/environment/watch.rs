//! Looks whether segments that a restart needs are still there.

use std::collections::BTreeSet;

use fwlog::SegmentId;

use crate::commit::checkpointer::CheckpointTarget as _;
use crate::environment::Environment;

/// So many looks lie between two attempts to do without what is missing.
const BETWEEN_ATTEMPTS: u32 = 10;

/// What is known of the segments from one look to the next.
#[derive(Debug, Default)]
pub(crate) struct SegmentWatch {
    seen: BTreeSet<SegmentId>,
    missing: BTreeSet<SegmentId>,
    looks: u32,
}

impl SegmentWatch {
    /// Finds out whether somebody has removed or renamed a segment behind the redo point. Where the
    /// server writes the log, a checkpoint moves that point, so that a restart can do without.
    pub(crate) fn look(&mut self, environment: &Environment) {
        let Some(redo) = environment.redo() else {
            return;
        };
        let Ok(location) = environment.log_location() else {
            return;
        };
        // A directory that can't be read is the log's own trouble.
        let Ok(names) = location.disk.list(&location.directory) else {
            return;
        };
        let needed = redo.point.position.segment;
        let present: BTreeSet<SegmentId> = names
            .iter()
            .filter_map(|name| location.naming.segment_of(name.to_str()?))
            .filter(|id| *id >= needed)
            .collect();
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
        if !self.missing.is_empty() {
            self.do_without(environment, needed);
        }
    }

    fn do_without(&mut self, environment: &Environment, needed: SegmentId) {
        if self.missing.iter().all(|id| *id < needed) {
            self.missing.clear();
            tracing::warn!(
                "a restart does not need the missing segments any more; slaves that have not got them yet do"
            );
            return;
        }
        if self.looks.is_multiple_of(BETWEEN_ATTEMPTS) && environment.decides() {
            // Its failure was logged where it happened.
            let made = environment.checkpoint();
            tracing::debug!(made = made.is_ok(), "a checkpoint to do without a segment");
        }
        self.looks = self.looks.wrapping_add(1);
    }
}
