//! A database: its data file and the page versions newer than it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use disk::{Disk, DiskFile};

use crate::active::{Active, FIRST_PAGE};
use crate::base::Base;
use crate::chain::{CounterDelta, Pins};
use crate::memory::{Counters, MemoryUse};
use crate::mend::Mending;
use crate::shards::Shards;
use crate::{
    CommitNumber, Horizon, LOCK_PAGE, PageData, PageImage, PageNumber, Snapshot, StoreError,
};

/// Pages that are pruned under one lock of their shard.
const PRUNE_STEP: usize = 64;

/// How a store is set up.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The disk of the data file and of scratch files.
    pub disk: Disk,
    /// Where scratch files are made.
    pub scratch_dir: PathBuf,
    /// The database's number: the sum file of another database is refused.
    pub database: u32,
    /// Bytes of old base images that are kept in memory for open snapshots; more of them go to a
    /// scratch file.
    pub pinned_limit: u64,
}

/// A database: its data file and the page versions newer than it. See the crate's page.
#[derive(Debug)]
pub struct PageStore {
    base: Base,
    horizon: Arc<Horizon>,
    options: StoreOptions,
    shards: Shards,
    active: Mutex<Active>,
    /// Held by a publish or rewind: they come one after the other.
    order: Mutex<()>,
    /// Held by a checkpoint.
    checkpoint: Mutex<()>,
    epoch: AtomicU64,
    floor: AtomicU64,
    counters: Counters,
    /// Set while there is too much in memory.
    full: OnceLock<Arc<AtomicBool>>,
    mending: Mending,
}

impl PageStore {
    /// Opens the data file at `path` with its sum file; both must be there, and not be older than the
    /// horizon. How many pages there are is what the last complete checkpoint has noted: the file may
    /// be longer or shorter after a crash. Pages are not looked at before they are read; all at once
    /// with [`PageStore::verify`].
    pub fn open(
        path: &Path,
        horizon: Arc<Horizon>,
        options: StoreOptions,
    ) -> Result<Arc<Self>, StoreError> {
        let base = Base::open(&options.disk, path, options.database, horizon.durable())?;
        Ok(Self::new(base, horizon, options))
    }

    /// Makes an empty data file with its sum file, in place of what may be at `path`.
    pub fn create(
        path: &Path,
        horizon: Arc<Horizon>,
        options: StoreOptions,
    ) -> Result<Arc<Self>, StoreError> {
        let base = Base::create(&options.disk, path, options.database)?;
        Ok(Self::new(base, horizon, options))
    }

    /// An empty store in place of a data file that can't be used; nothing at `path` is touched. For
    /// recovery, which may find that the database is dropped later on.
    pub fn stand_in(
        path: &Path,
        horizon: Arc<Horizon>,
        options: StoreOptions,
    ) -> Result<Arc<Self>, StoreError> {
        let base = Base::nameless(&options.disk, path, &options.scratch_dir)?;
        Ok(Self::new(base, horizon, options))
    }

    fn new(base: Base, horizon: Arc<Horizon>, options: StoreOptions) -> Arc<Self> {
        let page_count = base.sums().page_count();
        Arc::new(Self {
            base,
            horizon,
            options,
            shards: Shards::new(),
            active: Mutex::new(Active::new(page_count)),
            order: Mutex::new(()),
            checkpoint: Mutex::new(()),
            epoch: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            counters: Counters::default(),
            full: OnceLock::new(),
            mending: Mending::default(),
        })
    }

    /// The data file.
    pub fn path(&self) -> &Path {
        self.base.path()
    }

    /// Which of its files are gone: removed or renamed, or something else has the name now. What is
    /// written to them goes with the process. A disk that does not tell has them all.
    pub fn lost_names(&self) -> Vec<PathBuf> {
        self.base.lost_names(&self.options.disk)
    }

    /// The newest commit that the data file has as a whole.
    pub fn base_commit(&self) -> CommitNumber {
        self.base.sums().commit()
    }

    /// The newest commit of which the data file may have a page. The log must reach as far: an owner
    /// that finds an earlier end of it must not serve this file.
    pub fn newest_commit(&self) -> CommitNumber {
        self.base.sums().newest()
    }

    /// The sum of each page of the data file as of the last complete checkpoint, in order.
    pub fn base_sums(&self) -> Vec<u32> {
        self.base.sums().all()
    }

    /// Reads a page as the last complete checkpoint has left it, whatever is newer.
    pub fn read_base(&self, page: PageNumber, data: &mut PageData) -> Result<(), StoreError> {
        let read = self.base.read(page, data);
        read.map_err(|why| why.into_error(self.path(), page))
    }

    /// The disk that it is on.
    pub fn disk(&self) -> &Disk {
        &self.options.disk
    }

    /// The horizon that the store was opened with.
    pub fn horizon(&self) -> &Arc<Horizon> {
        &self.horizon
    }

    /// A snapshot of the newest durable commit: what every reader gets.
    pub fn snapshot_durable(self: &Arc<Self>) -> Snapshot {
        let mut active = self.active();
        let commit = active.visible(self.horizon.durable().get());
        self.snapshot_at(&mut active, commit)
    }

    /// The same for a reader who has committed something himself and did not wait until everybody sees it: that is seen,
    /// and what was committed before it. Where it was taken back it is not.
    pub fn snapshot_with(self: &Arc<Self>, own: CommitNumber) -> Snapshot {
        let mut active = self.active();
        let visible = active.visible(self.horizon.durable().get());
        let own = own.get().min(active.latest());
        let commit = if active.is_half_published(own) || active.is_held() {
            visible
        } else {
            visible.max(own)
        };
        self.snapshot_at(&mut active, commit)
    }

    /// A snapshot of the newest published commit, durable or not: for those who write, because
    /// nobody else may see what can still be lost.
    pub fn snapshot_latest(self: &Arc<Self>) -> Snapshot {
        let mut active = self.active();
        let commit = active
            .visible(self.horizon.durable().get())
            .max(active.latest());
        self.snapshot_at(&mut active, commit)
    }

    fn snapshot_at(self: &Arc<Self>, active: &mut Active, commit: u64) -> Snapshot {
        assert!(
            !active.is_half_published(commit),
            "nobody sees a commit that is only half published (invariant 2)"
        );
        let page_count = active.page_count_at(commit);
        active.register(commit, FIRST_PAGE, page_count);
        Snapshot::new(Arc::clone(self), commit, page_count, self.epoch())
    }

    /// From now on until [`PageStore::release`] new snapshots see what they see now, wherever the horizon goes: for an
    /// owner that holds back commits of this store alone. All that was published is visible (asserted).
    pub fn hold(&self) {
        let durable = self.horizon.durable().get();
        self.active().hold(durable);
    }

    /// What was held back is published: new snapshots are of the horizon again.
    pub fn release(&self) {
        self.active().release();
    }

    /// Adds the pages of a commit; afterwards the database has `page_count` pages.
    ///
    /// Calls come in commit order, and before the horizon reaches `commit`, unless the store is held (asserted). Pages beyond
    /// `page_count` and the lock page are ignored; pages that the commit adds to the database
    /// without content (SQLite does that with free pages) become zeros, here as on every replica.
    pub fn publish(
        &self,
        commit: CommitNumber,
        page_count: u32,
        pages: Vec<(PageNumber, PageImage)>,
    ) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let (pins, old_count) = {
            let mut active = self.active();
            let durable = self.horizon.durable().get();
            let visible = active.visible(durable);
            assert!(
                commit.get() > active.latest() && commit.get() > visible,
                "{}: commit {commit} published after {} with {visible} visible",
                self.path().display(),
                active.latest(),
            );
            active.begin_publish(commit.get());
            (active.pins(durable), active.page_count_at(u64::MAX))
        };
        let mut delta = CounterDelta::default();
        for page in pages_without_content(old_count, page_count, &pages) {
            self.push((page, PageImage::zeros()), commit.get(), &pins, &mut delta);
        }
        for (page, image) in pages {
            if page.get() <= page_count && page != LOCK_PAGE {
                self.push((page.get(), image), commit.get(), &pins, &mut delta);
            }
        }
        self.count(delta);
        self.active()
            .publish(commit.get(), page_count, pins.durable);
    }

    fn push(
        &self,
        (page, image): (u32, PageImage),
        commit: u64,
        pins: &Pins,
        delta: &mut CounterDelta,
    ) {
        let mut chains = self.shards.write(page);
        let chain = chains.entry(page).or_default();
        chain.push(commit, image, delta);
        chain.prune(page, pins, delta);
    }

    /// The newest published commit (0 before the first) and the number of pages there.
    pub fn latest(&self) -> (CommitNumber, u32) {
        let active = self.active();
        (
            CommitNumber::new(active.latest()),
            active.page_count_at(u64::MAX),
        )
    }

    /// Drops every version above `to`, which is durable or later (asserted): what was published but
    /// could not be written to the log. Snapshots above `to` answer [`StoreError::Rewound`] from now
    /// on, and [`PageStore::epoch`] changes.
    pub fn rewind(&self, to: CommitNumber) {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut active = self.active();
            assert!(
                to >= self.horizon.durable(),
                "durable commits are never taken back"
            );
            let epoch = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
            active.rewind(to.get(), epoch);
        }
        let mut delta = CounterDelta::default();
        for page in self.shards.pages(|_, chain| {
            chain
                .newest_at(u64::MAX)
                .is_some_and(|v| v.commit > to.get())
        }) {
            let mut chains = self.shards.write(page);
            if let Some(chain) = chains.get_mut(&page) {
                chain.rewind(to.get(), &mut delta);
                if chain.is_empty() {
                    chains.remove(&page);
                }
            }
        }
        self.count(delta);
    }

    /// How often the store was rewound.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    /// Ends the open snapshots older than `commit`: their reads answer
    /// [`StoreError::SnapshotTooOld`], their versions go. Answers how many they were. Snapshots at
    /// the horizon or above are never ended. The caller logs who they belong to first.
    pub fn end_snapshots_before(&self, commit: CommitNumber) -> usize {
        let ended = {
            let mut active = self.active();
            let commit = commit
                .get()
                .min(active.visible(self.horizon.durable().get()));
            self.floor.fetch_max(commit, Ordering::SeqCst);
            active.end_below(commit)
        };
        self.prune();
        ended
    }

    /// Drops the versions that nobody can read any more. Publishing does that for the pages that it
    /// touches and a checkpoint for all; this is for a store where neither happens.
    pub fn prune(&self) {
        // A running checkpoint prunes at its end.
        if let Some(_idle) = self.try_checkpoint_lock() {
            self.prune_all();
        }
    }

    /// Prunes every chain. The caller holds the checkpoint lock: a version may go because the file
    /// has it only when nobody is about to overwrite the file.
    pub(crate) fn prune_all(&self) {
        let pages = self.shards.pages(|_, _| true);
        let pins = self.active().pins(self.horizon.durable().get());
        // Group the pages by shard, so that one lock serves a step of them.
        let mut by_shard = pages;
        by_shard.sort_by_key(|page| Shards::index(*page));
        for group in by_shard.chunk_by(|a, b| Shards::index(*a) == Shards::index(*b)) {
            for step in group.chunks(PRUNE_STEP) {
                let mut delta = CounterDelta::default();
                let mut chains = self.shards.write(step[0]);
                for page in step {
                    if let Some(chain) = chains.get_mut(page) {
                        chain.prune(*page, &pins, &mut delta);
                        chain.drop_written(&mut delta);
                        if chain.is_empty() {
                            chains.remove(page);
                        }
                    }
                }
                drop(chains);
                self.count(delta);
            }
        }
    }

    /// Bytes that a checkpoint would write.
    pub fn dirty_bytes(&self) -> u64 {
        self.counters.read().dirty_bytes
    }

    /// What the store keeps in memory, and for whom.
    pub fn memory(&self) -> MemoryUse {
        let active = self.active();
        MemoryUse {
            snapshots: active.open(),
            oldest_snapshot: active.oldest().map(CommitNumber::new),
            ..self.counters.read()
        }
    }

    /// Makes the data file complete up to the horizon and exactly as long as the database.
    pub fn close(&self) -> Result<(), StoreError> {
        self.checkpoint(&|_| ()).map(drop)
    }

    /// While `full` is set, no old image stays in memory for a snapshot; the first call counts.
    pub fn spill_while(&self, full: Arc<AtomicBool>) {
        self.full.get_or_init(|| full);
    }

    /// Whether one more old image may be kept in memory.
    pub(crate) fn has_room_to_keep(&self) -> bool {
        let full = self.full.get();
        self.counters.read().kept_bytes < self.options.pinned_limit
            && !full.is_some_and(|full| full.load(Ordering::Relaxed))
    }

    pub(crate) fn file(&self) -> &dyn DiskFile {
        self.base.file()
    }

    pub(crate) fn base(&self) -> &Base {
        &self.base
    }

    pub(crate) fn mending(&self) -> &Mending {
        &self.mending
    }

    pub(crate) fn shards(&self) -> &Shards {
        &self.shards
    }

    pub(crate) fn floor(&self) -> &AtomicU64 {
        &self.floor
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.options
    }

    pub(crate) fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn checkpoint_lock(&self) -> MutexGuard<'_, ()> {
        self.checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a reader of a damaged page would wait: for a checkpoint that is being made, or for a repair.
    pub fn is_checkpointing(&self) -> bool {
        self.try_checkpoint_lock().is_none()
    }

    /// `None`: a checkpoint is being made.
    pub(crate) fn try_checkpoint_lock(&self) -> Option<MutexGuard<'_, ()>> {
        match self.checkpoint.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn failed(
        &self,
        operation: &'static str,
        page: Option<PageNumber>,
        error: io::Error,
    ) -> StoreError {
        StoreError::io(operation, self.path(), page, error)
    }

    pub(crate) fn count(&self, delta: CounterDelta) {
        self.counters.add(delta);
    }
}

/// The pages above `old_count` that `pages` does not give a content.
fn pages_without_content(
    old_count: u32,
    page_count: u32,
    pages: &[(PageNumber, PageImage)],
) -> Vec<u32> {
    if page_count <= old_count {
        return Vec::new();
    }
    let mut given: Vec<u32> = pages
        .iter()
        .map(|e| e.0.get())
        .filter(|p| *p > old_count)
        .collect();
    given.sort_unstable();
    let mut given = given.into_iter().peekable();
    let added = old_count + 1..=page_count;
    let empty = added.filter(|page| {
        let mut found = false;
        while given.next_if(|g| g <= page).is_some_and(|g| {
            found |= g == *page;
            true
        }) {}
        !found && *page != LOCK_PAGE.get()
    });
    empty.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_added_without_content_are_found() {
        let image = PageImage::zeros;
        let pages: Vec<_> = [7, 2, 9, 7, 5]
            .into_iter()
            .map(|page| (PageNumber::known(page), image()))
            .collect();
        assert_eq!(pages_without_content(4, 10, &pages), [6, 8, 10]);
        assert_eq!(pages_without_content(10, 4, &pages), [0_u32; 0]);
        assert_eq!(
            pages_without_content(262_143, 262_146, &[]),
            [262_144, 262_146]
        );
    }
}
