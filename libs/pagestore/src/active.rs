//! What is open and how far the store is: snapshots, sizes, the newest commit. One lock guards it
//! all, and pruning reads it under the same lock: a snapshot is either seen by a prune, or begins at
//! a commit that the prune leaves alone.

use std::collections::VecDeque;

use crate::chain::{Partial, Pins};

/// Where a snapshot begins that has not given any page back.
pub(crate) const FIRST_PAGE: u32 = 1;

/// The open snapshots of one commit that read from the same page on.
#[derive(Debug)]
struct OpenSnapshots {
    commit: u64,
    /// Pages before it are not read any more; 1 in all but those that give pages back.
    from: u32,
    count: u32,
    /// Pages that the largest of them sees: they may differ across a rewind.
    page_count: u32,
}

#[derive(Debug)]
pub(crate) struct Active {
    /// In the order of their commits, and of the pages that they begin with.
    snapshots: Vec<OpenSnapshots>,
    /// (commit, pages from there on), ascending; the first entry is what a snapshot at the horizon
    /// or before it sees.
    sizes: VecDeque<(u64, u32)>,
    latest: u64,
    /// The commit whose pages are being added just now.
    publishing: Option<u64>,
    /// New snapshots see no commit above this one.
    held_at: Option<u64>,
    /// (epoch that it began, commit): snapshots of an earlier epoch above the commit are void.
    rewinds: Vec<(u64, u64)>,
    /// Snapshots below this commit have been ended.
    floor: u64,
    /// The commit that a checkpoint is writing just now; never ended.
    checkpoint: Option<u64>,
}

impl Active {
    pub(crate) fn new(page_count: u32) -> Self {
        Self {
            snapshots: Vec::new(),
            sizes: VecDeque::from([(0, page_count)]),
            latest: 0,
            publishing: None,
            held_at: None,
            rewinds: Vec::new(),
            floor: 0,
            checkpoint: None,
        }
    }

    pub(crate) fn latest(&self) -> u64 {
        self.latest
    }

    /// The newest commit that a new snapshot may see: `durable`, but never one that is only half
    /// published, nor one above that at which the store is held.
    pub(crate) fn visible(&self, durable: u64) -> u64 {
        let whole = self
            .publishing
            .map_or(durable, |commit| durable.min(commit - 1));
        self.held_at.map_or(whole, |held| whole.min(held))
    }

    /// Whether pages of this commit or of an earlier one are being added just now.
    pub(crate) fn is_half_published(&self, commit: u64) -> bool {
        self.publishing
            .is_some_and(|publishing| publishing <= commit)
    }

    /// From now on new snapshots see what they see with this horizon; all that is published is below it.
    pub(crate) fn hold(&mut self, durable: u64) {
        let visible = self.visible(durable);
        assert!(
            self.latest <= visible,
            "a store is held where all that is published is visible"
        );
        self.held_at = Some(visible);
    }

    /// Whether new snapshots are held back.
    pub(crate) fn is_held(&self) -> bool {
        self.held_at.is_some()
    }

    /// Back to the horizon.
    pub(crate) fn release(&mut self) {
        self.held_at = None;
    }

    /// From now on until [`Active::publish`] nobody sees `commit`.
    pub(crate) fn begin_publish(&mut self, commit: u64) {
        assert!(
            self.publishing.is_none() && commit > self.latest,
            "commits are published one after the other, ascending (invariant 3)"
        );
        self.publishing = Some(commit);
    }

    /// Pages of the database at `commit`.
    pub(crate) fn page_count_at(&self, commit: u64) -> u32 {
        let entry = self.sizes.iter().rev().find(|(from, _)| *from <= commit);
        entry.or(self.sizes.front()).map_or(0, |(_, count)| *count)
    }

    pub(crate) fn register(&mut self, commit: u64, from: u32, page_count: u32) {
        match self.search(commit, from) {
            Ok(index) => {
                let open = &mut self.snapshots[index];
                open.count += 1;
                open.page_count = open.page_count.max(page_count);
            }
            Err(index) => {
                let first = OpenSnapshots {
                    commit,
                    from,
                    count: 1,
                    page_count,
                };
                self.snapshots.insert(index, first);
            }
        }
    }

    pub(crate) fn unregister(&mut self, commit: u64, from: u32) {
        let index = self
            .search(commit, from)
            .expect("an open snapshot is registered, so that its versions stay");
        self.snapshots[index].count -= 1;
        if self.snapshots[index].count == 0 {
            self.snapshots.remove(index);
        }
    }

    fn search(&self, commit: u64, from: u32) -> Result<usize, usize> {
        self.snapshots
            .binary_search_by_key(&(commit, from), |open| (open.commit, open.from))
    }

    pub(crate) fn pins(&self, durable: u64) -> Pins {
        let durable = self.visible(durable);
        let (mut snapshots, mut reach, mut furthest) = (Vec::new(), Vec::new(), 0);
        let (whole, released): (Vec<_>, Vec<_>) = self
            .snapshots
            .iter()
            .filter(|open| open.commit >= self.floor)
            .partition(|open| open.from == FIRST_PAGE);
        for open in whole {
            furthest = furthest.max(open.page_count);
            snapshots.push(open.commit);
            reach.push(furthest);
        }
        let released = released.into_iter().map(|open| Partial {
            commit: open.commit,
            pages: open.from..=open.page_count,
        });
        let released = released.collect();
        if let Some(commit) = self.checkpoint {
            let at = snapshots.partition_point(|s| *s < commit);
            let before = at.checked_sub(1).and_then(|last| reach.get(last).copied());
            snapshots.insert(at, commit);
            reach.insert(at, before.unwrap_or(0));
        }
        Pins {
            snapshots,
            reach,
            released,
            durable,
        }
    }

    /// Pins `commit` for a checkpoint.
    pub(crate) fn begin_checkpoint(&mut self, commit: u64) {
        assert_eq!(self.checkpoint, None, "one checkpoint at a time");
        self.checkpoint = Some(commit);
    }

    pub(crate) fn end_checkpoint(&mut self) {
        self.checkpoint = None;
    }

    pub(crate) fn oldest(&self) -> Option<u64> {
        self.snapshots
            .iter()
            .map(|open| open.commit)
            .find(|commit| *commit >= self.floor)
    }

    pub(crate) fn open(&self) -> usize {
        self.snapshots.iter().map(|e| e.count as usize).sum()
    }

    /// Commit `commit` is complete; sizes that no new snapshot can see are forgotten.
    pub(crate) fn publish(&mut self, commit: u64, page_count: u32, durable: u64) {
        assert_eq!(
            self.publishing.take(),
            Some(commit),
            "what is complete was begun (invariant 2)"
        );
        self.latest = commit;
        if self
            .sizes
            .back()
            .is_none_or(|(_, count)| *count != page_count)
        {
            self.sizes.push_back((commit, page_count));
        }
        while self.sizes.get(1).is_some_and(|(from, _)| *from <= durable) {
            self.sizes.pop_front();
        }
    }

    pub(crate) fn rewind(&mut self, to: u64, epoch: u64) {
        self.latest = self.latest.min(to);
        while self.sizes.len() > 1 && self.sizes.back().is_some_and(|(from, _)| *from > to) {
            self.sizes.pop_back();
        }
        self.rewinds.push((epoch, to));
    }

    /// Whether a snapshot of `commit` that was taken in `epoch` has been taken back since.
    pub(crate) fn is_void(&self, commit: u64, epoch: u64) -> bool {
        self.rewinds
            .iter()
            .any(|(since, to)| *since > epoch && *to < commit)
    }

    /// Ends the snapshots below `commit`; answers how many are open there.
    pub(crate) fn end_below(&mut self, commit: u64) -> usize {
        self.floor = self.floor.max(commit);
        let ended = self.snapshots.iter().filter(|e| e.commit < commit);
        ended.map(|e| e.count as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_kept_from_the_newest_durable_one_on() {
        let mut active = Active::new(3);
        for (commit, page_count, durable) in [(5, 10, 0), (6, 20, 0), (7, 15, 6)] {
            active.begin_publish(commit);
            active.publish(commit, page_count, durable);
        }
        assert_eq!(active.sizes, [(6, 20), (7, 15)]);
        assert_eq!(active.page_count_at(6), 20);
        assert_eq!(active.page_count_at(7), 15);
        active.rewind(6, 1);
        assert_eq!(active.page_count_at(7), 20);
    }

    #[test]
    fn a_rewind_voids_earlier_snapshots_above_it_only() {
        let mut active = Active::new(0);
        active.rewind(10, 1);
        assert!(active.is_void(11, 0));
        assert!(!active.is_void(10, 0));
        assert!(!active.is_void(11, 1));
    }

    #[test]
    fn an_ended_snapshot_no_longer_pins_versions() {
        let mut active = Active::new(0);
        for commit in [3, 3, 5] {
            active.register(commit, FIRST_PAGE, 1);
        }
        active.register(3, 7, 9);
        assert_eq!(active.end_below(5), 3);
        assert!(active.pins(9).released.is_empty());
        assert_eq!(active.pins(9).snapshots, [5]);
        assert_eq!(active.oldest(), Some(5));
        active.unregister(3, 7);
        active.unregister(3, FIRST_PAGE);
        active.unregister(3, FIRST_PAGE);
        assert_eq!(active.open(), 1);
    }
}
