//! The versions of one page that are newer than the data file.
//!
//! ```text
//!   commit:   0 (kept base)    v1        v2        v3
//!             │ read by s < v1 │ s < v2  │ s < v3  │ everybody later
//! ```
//! Before the first version comes the base. A version labelled commit 0 is an old base image that
//! was kept because a snapshot still needed it when a checkpoint overwrote the page. The version that
//! a checkpoint wrote behind it is in the file from then on, and its bytes leave the memory: a snapshot
//! that stays open long costs what it reads itself, and not also what all others read.

use std::ops::{Range, RangeInclusive};

use crate::PageImage;

/// An open snapshot that has given the pages before these back.
#[derive(Debug)]
pub(crate) struct Partial {
    pub(crate) commit: u64,
    pub(crate) pages: RangeInclusive<u32>,
}

/// What must not be pruned: the commits of open snapshots, and everything from `durable` on, because
/// a new snapshot may begin there at any time.
#[derive(Debug)]
pub(crate) struct Pins {
    /// Commits of open snapshots that may read any page, ascending.
    pub(crate) snapshots: Vec<u64>,
    /// For each of them, how many pages the largest sees, of it and those before it.
    pub(crate) reach: Vec<u32>,
    /// Those that read from a page on only; they are few.
    pub(crate) released: Vec<Partial>,
    pub(crate) durable: u64,
}

impl Pins {
    /// Whether a present or future snapshot `s` that may read the page has `from <= s < until`.
    fn any_in(&self, page: u32, from: u64, until: u64) -> bool {
        if until > self.durable {
            return true;
        }
        let first = self.snapshots.partition_point(|&s| s < from);
        self.snapshots.get(first).is_some_and(|&s| s < until)
            || self
                .released
                .iter()
                .any(|open| (from..until).contains(&open.commit) && open.pages.contains(&page))
    }

    /// Whether an open snapshot of these commits sees the page, as far as is known: the reach is of
    /// earlier ones, too.
    pub(crate) fn any_sees(&self, page: u32, commits: &Range<u64>) -> bool {
        let first = self.snapshots.partition_point(|&s| s < commits.start);
        let end = self.snapshots.partition_point(|&s| s < commits.end);
        let last = end.checked_sub(1).filter(|last| *last >= first);
        last.and_then(|last| self.reach.get(last))
            .is_some_and(|&reach| page <= reach)
            || self
                .released
                .iter()
                .any(|open| commits.contains(&open.commit) && open.pages.contains(&page))
    }

    /// Whether an open snapshot is older than `commit`.
    pub(crate) fn any_below(&self, commit: u64) -> bool {
        self.snapshots.first().is_some_and(|&s| s < commit)
            || self.released.iter().any(|open| open.commit < commit)
    }
}

/// Changes of a store's counters; summed up while a lock is held, applied once.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CounterDelta {
    pub(crate) versions: i64,
    pub(crate) bytes: i64,
    /// Bytes in memory of kept base images.
    pub(crate) kept_bytes: i64,
    /// Pages with a version newer than the file.
    pub(crate) dirty: i64,
}

impl CounterDelta {
    fn add(&mut self, version: &Version, sign: i64) {
        let bytes = i64::try_from(version.memory_bytes()).unwrap_or(i64::MAX);
        let entry = i64::try_from(size_of::<Version>()).unwrap_or(0);
        self.versions += sign;
        self.bytes += sign * (bytes + entry);
        if matches!(version.content, Content::Kept(_)) {
            self.kept_bytes += sign * bytes;
        }
    }
}

/// Where the bytes of a version are.
#[derive(Debug)]
enum Content {
    /// As they were published.
    Published(PageImage),
    /// Read from the file for the snapshots that need them, before it was overwritten.
    Kept(PageImage),
    /// In the file: it is the version that the last complete checkpoint has written.
    File,
}

#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) commit: u64,
    content: Content,
}

impl Version {
    /// `None`: the file has it.
    pub(crate) fn image(&self) -> Option<&PageImage> {
        match &self.content {
            Content::Published(image) | Content::Kept(image) => Some(image),
            Content::File => None,
        }
    }

    /// Bytes of memory that the image keeps.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.image().map_or(0, PageImage::memory_bytes)
    }
}

/// See the module's page.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// Commit of the version that the last complete checkpoint wrote; 0 where none did.
    written: u64,
    /// Commit at which a checkpoint last cut the page off the file.
    cut: u64,
    /// Ascending commits.
    versions: Vec<Version>,
}

impl Chain {
    /// The newest version not above `commit`.
    pub(crate) fn newest_at(&self, commit: u64) -> Option<&Version> {
        let after = self.versions.partition_point(|v| v.commit <= commit);
        after
            .checked_sub(1)
            .and_then(|index| self.versions.get(index))
    }

    /// What a snapshot of `commit` reads. `None`: the page as the file has it.
    pub(crate) fn image_at(&self, commit: u64) -> Option<&PageImage> {
        self.newest_at(commit).and_then(Version::image)
    }

    /// Whether the file has an older content than the version of `commit` or later ones.
    pub(crate) fn is_dirty(&self) -> bool {
        self.versions
            .last()
            .is_some_and(|v| v.commit > self.written)
    }

    /// The newest version at `commit` that is not in the file yet.
    pub(crate) fn unwritten_at(&self, commit: u64) -> Option<&Version> {
        self.newest_at(commit).filter(|v| v.commit > self.written)
    }

    /// Commit of the oldest version.
    fn first_commit(&self) -> Option<u64> {
        self.versions.first().map(|v| v.commit)
    }

    /// The commits whose snapshots read the page from the file, up to the first version that is not there.
    pub(crate) fn read_from_file(&self) -> Range<u64> {
        let until = |next: usize| self.versions.get(next).map_or(u64::MAX, |v| v.commit);
        match self.in_file() {
            Some(index) => self.versions[index].commit..until(index + 1),
            None => 0..until(0),
        }
    }

    fn in_file(&self) -> Option<usize> {
        let in_file = |version: &Version| matches!(version.content, Content::File);
        self.versions.iter().position(in_file)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// Adds the version of `commit`, which is the newest (or replaces the one of the same commit).
    pub(crate) fn push(&mut self, commit: u64, image: PageImage, delta: &mut CounterDelta) {
        let dirty = self.is_dirty();
        let newest = self.versions.last().map_or(0, |v| v.commit);
        assert!(
            newest <= commit,
            "versions of a page are published in commit order (invariant 3)"
        );
        let version = Version {
            commit,
            content: Content::Published(image),
        };
        delta.add(&version, 1);
        match self.versions.last_mut() {
            Some(last) if last.commit == commit => {
                delta.add(last, -1);
                *last = version;
            }
            _ => self.versions.push(version),
        }
        if !dirty {
            delta.dirty += i64::from(self.is_dirty());
        }
    }

    /// Keeps `image`, the page as the file has it, for the snapshots that read it from there.
    pub(crate) fn keep_base(&mut self, image: PageImage, delta: &mut CounterDelta) {
        let content = Content::Kept(image);
        if let Some(index) = self.in_file() {
            let version = &mut self.versions[index];
            delta.add(version, -1);
            version.content = content;
            delta.add(version, 1);
        } else if self.first_commit() != Some(0) {
            let version = Version { commit: 0, content };
            delta.add(&version, 1);
            self.versions.insert(0, version);
        }
    }

    /// The page does not exist at `commit`, and the file has been or will be cut there: older
    /// versions become prunable.
    pub(crate) fn cut(&mut self, commit: u64, delta: &mut CounterDelta) {
        let newest = self.newest_at(commit).map(|v| v.commit);
        if newest.is_none_or(|newest| newest != 0 && newest == self.cut) {
            return; // nothing since the last time
        }
        let dirty = self.is_dirty();
        let version = Version {
            commit,
            content: Content::Published(PageImage::zeros()),
        };
        let at = self.versions.partition_point(|v| v.commit < commit);
        delta.add(&version, 1);
        self.versions.insert(at, version);
        assert!(
            self.versions.get(at + 1).is_none_or(|v| v.commit > commit),
            "a commit has one version of a page (invariant 3)"
        );
        self.cut = commit;
        self.written = self.written.max(commit);
        delta.dirty += i64::from(self.is_dirty()) - i64::from(dirty);
    }

    /// The version of `commit` is in the file, and the file is on disk.
    pub(crate) fn mark_written(&mut self, commit: u64, delta: &mut CounterDelta) {
        let dirty = self.is_dirty();
        assert!(
            commit > self.written,
            "a data file goes forward in commit order (invariant 6)"
        );
        self.written = commit;
        delta.dirty += i64::from(self.is_dirty()) - i64::from(dirty);
        // Whoever could read what the file had has it kept by now.
        if let Some(index) = self.in_file() {
            delta.add(&self.versions.remove(index), -1);
        }
    }

    /// Drops what no present or future snapshot can read. The chain is that of `page`.
    pub(crate) fn prune(&mut self, page: u32, pins: &Pins, delta: &mut CounterDelta) {
        let mut kept = 0;
        for index in 0..self.versions.len() {
            // Moving a kept version down leaves those after `index` where they are.
            let from = self.versions[index].commit;
            let until = self.versions.get(index + 1).map(|v| v.commit);
            if until.is_none_or(|until| pins.any_in(page, from, until)) {
                self.versions.swap(kept, index);
                kept += 1;
            } else {
                delta.add(&self.versions[index], -1);
            }
        }
        self.versions.truncate(kept);
    }

    /// Drops the bytes of the version that the file has: the base serves its readers as well. Not
    /// while a checkpoint may be about to overwrite the page.
    pub(crate) fn drop_written(&mut self, delta: &mut CounterDelta) {
        let written = |version: &Version| version.commit != 0 && version.commit == self.written;
        match self.versions.iter().position(written) {
            None => {}
            Some(0) => delta.add(&self.versions.remove(0), -1),
            // Behind the end of the file there is nothing to read, and zeros take no memory.
            Some(_) if self.written == self.cut => {}
            Some(index) => {
                let version = &mut self.versions[index];
                delta.add(version, -1);
                version.content = Content::File;
                delta.add(version, 1);
            }
        }
    }

    /// Drops the versions above `commit`.
    pub(crate) fn rewind(&mut self, commit: u64, delta: &mut CounterDelta) {
        assert!(
            self.written <= commit,
            "what is in a data file is never taken back (invariant 1)"
        );
        let dirty = self.is_dirty();
        let keep = self.versions.partition_point(|v| v.commit <= commit);
        for version in self.versions.drain(keep..) {
            delta.add(&version, -1);
        }
        delta.dirty += i64::from(self.is_dirty()) - i64::from(dirty);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PAGE_SIZE;

    fn image(byte: u8) -> PageImage {
        PageImage::copy_of(&[byte; PAGE_SIZE])
    }

    fn chain(commits: &[u64]) -> (Chain, CounterDelta) {
        let (mut chain, mut delta) = (Chain::default(), CounterDelta::default());
        for &commit in commits {
            chain.push(commit, image(u8::try_from(commit).unwrap()), &mut delta);
        }
        (chain, delta)
    }

    fn commits(chain: &Chain) -> Vec<u64> {
        chain.versions.iter().map(|v| v.commit).collect()
    }

    fn pins(snapshots: &[u64], durable: u64) -> Pins {
        Pins {
            snapshots: snapshots.to_vec(),
            reach: vec![u32::MAX; snapshots.len()],
            released: Vec::new(),
            durable,
        }
    }

    #[test]
    fn pruning_keeps_what_is_not_durable_and_the_newest_that_is() {
        let (mut chain, mut delta) = chain(&[2, 4, 6, 8, 10]);
        chain.prune(1, &pins(&[], 7), &mut delta);
        assert_eq!(commits(&chain), [6, 8, 10]);
        assert_eq!(delta.versions, 3);
    }

    #[test]
    fn pruning_keeps_what_each_open_snapshot_reads() {
        let (mut chain, mut delta) = chain(&[2, 4, 6, 8, 10]);
        chain.prune(1, &pins(&[3, 7], 10), &mut delta);
        assert_eq!(commits(&chain), [2, 6, 10]);
        chain.prune(1, &pins(&[7], 10), &mut delta);
        assert_eq!(commits(&chain), [6, 10]);
    }

    #[test]
    fn pruning_keeps_for_a_snapshot_that_gives_pages_back_those_that_it_still_reads() {
        let released = || Partial {
            commit: 3,
            pages: 10..=20,
        };
        for (page, kept) in [(9, vec![6, 10]), (10, vec![2, 6, 10]), (20, vec![2, 6, 10])] {
            let (mut chain, mut delta) = chain(&[2, 4, 6, 8, 10]);
            let pins = Pins {
                released: vec![released()],
                ..pins(&[7], 10)
            };
            assert_eq!(pins.any_sees(page, &(0..4)), page >= 10);
            assert!(!pins.any_sees(page, &(4..7)));
            assert!(pins.any_sees(page, &(0..8)), "the other one reads any page");
            chain.prune(page, &pins, &mut delta);
            assert_eq!(commits(&chain), kept, "page {page}");
        }
    }

    #[test]
    fn a_written_version_goes_only_when_nothing_older_would_hide_the_base() {
        let (mut chain, mut delta) = chain(&[5]);
        chain.keep_base(image(1), &mut delta);
        chain.mark_written(5, &mut delta);
        chain.prune(1, &pins(&[3], 6), &mut delta);
        chain.drop_written(&mut delta);
        assert_eq!(commits(&chain), [0, 5]);
        chain.prune(1, &pins(&[5], 6), &mut delta);
        assert_eq!(commits(&chain), [5]);
        chain.drop_written(&mut delta);
        assert!(chain.is_empty());
        assert_eq!(delta, CounterDelta::default());
    }

    #[test]
    fn what_the_file_has_takes_no_memory_though_an_older_snapshot_is_open() {
        let (mut chain, mut delta) = chain(&[5]);
        assert_eq!(chain.read_from_file(), 0..5);
        chain.keep_base(image(1), &mut delta);
        chain.mark_written(5, &mut delta);
        chain.drop_written(&mut delta);
        let [entries, page] =
            [2 * size_of::<Version>(), PAGE_SIZE].map(|n| i64::try_from(n).unwrap());
        assert_eq!(delta.bytes, entries + page);
        assert!(chain.image_at(3).is_some());
        assert!(chain.image_at(5).is_none(), "read from the file");
        assert_eq!(chain.read_from_file(), 5..u64::MAX);

        // The next checkpoint: one snapshot is at 3, one at 6.
        chain.push(8, image(8), &mut delta);
        assert_eq!(chain.read_from_file(), 5..8);
        chain.keep_base(image(5), &mut delta);
        assert_eq!(delta.kept_bytes, 2 * page);
        chain.mark_written(8, &mut delta);
        chain.prune(1, &pins(&[3, 6], 9), &mut delta);
        chain.drop_written(&mut delta);
        assert_eq!(commits(&chain), [0, 5, 8]);
        for (commit, byte) in [(3, Some(1)), (6, Some(5)), (8, None)] {
            let image = chain.image_at(commit).and_then(PageImage::in_memory);
            assert_eq!(image.map(|page| page[0]), byte);
        }
        chain.prune(1, &pins(&[], 9), &mut delta);
        chain.drop_written(&mut delta);
        assert!(chain.is_empty());
        assert_eq!(delta, CounterDelta::default());
    }

    #[test]
    fn what_nobody_reads_from_the_file_any_more_goes_with_the_next_checkpoint() {
        let (mut chain, mut delta) = chain(&[5]);
        chain.keep_base(image(1), &mut delta);
        chain.mark_written(5, &mut delta);
        chain.drop_written(&mut delta);
        chain.push(8, image(8), &mut delta);
        chain.mark_written(8, &mut delta);
        assert_eq!(commits(&chain), [0, 8]);
    }

    #[test]
    fn a_rewind_drops_newer_versions_and_the_dirt_they_made() {
        let (mut chain, mut delta) = chain(&[5, 9]);
        chain.mark_written(5, &mut delta);
        assert!(chain.is_dirty());
        chain.rewind(5, &mut delta);
        assert_eq!(commits(&chain), [5]);
        assert_eq!(delta.dirty, 0);
    }

    /// Bug: a version that a checkpoint had written and the next one cut off the file was dropped as
    /// "in the file", and an open snapshot lost it.
    #[test]
    fn a_written_version_stays_for_its_readers_when_the_file_is_cut() {
        let (mut chain, mut delta) = chain(&[2]);
        chain.mark_written(2, &mut delta);
        chain.cut(3, &mut delta);
        chain.prune(1, &pins(&[2], 4), &mut delta);
        chain.drop_written(&mut delta);
        assert_eq!(chain.newest_at(2).map(|v| v.commit), Some(2));
        chain.prune(1, &pins(&[], 4), &mut delta);
        chain.drop_written(&mut delta);
        assert!(chain.is_empty());
        assert_eq!(delta, CounterDelta::default());
    }

    #[test]
    fn a_cut_page_reads_as_zeros_from_the_cut_on() {
        let (mut chain, mut delta) = chain(&[5, 20]);
        chain.cut(10, &mut delta);
        assert_eq!(chain.newest_at(9).map(|v| v.commit), Some(5));
        assert_eq!(chain.newest_at(12).map(Version::memory_bytes), Some(0));
        assert!(chain.is_dirty());
        assert_eq!(delta.dirty, 1);
    }
}
