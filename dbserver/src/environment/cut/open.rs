//! A cut that is read.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use fwlog::{DatabaseId, Timestamp};
use pagehash::{GroupNumber, Tree};
use pagestore::{PageNumber, PageStore, Pinned, Snapshot, StoreError};

use crate::databases::tree::{self, GroupBuffer};
use crate::environment::cut::Cut;
use crate::environment::cut::end::{CutEnd, CutError};
use crate::environment::cut::log_head::{LogHead, LogPiece};

/// The snapshots of a cut, by database: readers share one, and only giving pages back changes it.
pub(super) type Snapshots = BTreeMap<DatabaseId, RwLock<Snapshot>>;

/// A cut, as long as it is open. Any number of threads may read it.
#[derive(Debug)]
pub struct OpenCut {
    cut: Cut,
    who: String,
    since: Timestamp,
    users: AtomicUsize,
    given: AtomicU64,
    head: OnceLock<LogHead>,
    snapshots: RwLock<Result<Snapshots, CutEnd>>,
}

impl OpenCut {
    pub(super) fn new(cut: Cut, snapshots: Snapshots, who: String, since: Timestamp) -> Self {
        Self {
            cut,
            who,
            since,
            users: AtomicUsize::new(0),
            given: AtomicU64::new(0),
            head: OnceLock::new(),
            snapshots: RwLock::new(Ok(snapshots)),
        }
    }

    /// What it is of.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }

    /// The log that belongs to it; nothing of it where forward logging is off.
    pub fn log_head(&self) -> Option<&LogHead> {
        self.head.get().filter(|head| !head.pieces().is_empty())
    }

    pub(super) fn set_log_head(&self, head: LogHead) {
        self.head.get_or_init(|| head);
    }

    /// Who has taken it.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// When it was taken.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Pages that were read and given back.
    pub fn given_pages(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    /// Whether somebody has it at hand.
    pub(super) fn is_used(&self) -> bool {
        self.users.load(Ordering::Acquire) > 0
    }

    /// Reads whole pages of a database, from this one on, each proved by its sum.
    pub fn read(
        &self,
        database: DatabaseId,
        first: PageNumber,
        into: &mut [u8],
    ) -> Result<(), CutError> {
        self.with(database, |snapshot| snapshot.read_run(first, into))
    }

    /// Reads a group of pages.
    pub fn read_group<'b>(
        &self,
        database: DatabaseId,
        group: GroupNumber,
        buffer: &'b mut GroupBuffer,
    ) -> Result<&'b [u8], CutError> {
        self.with(database, |snapshot| buffer.read(snapshot, group))
    }

    /// The hash tree of a database, no page of which was given back.
    pub fn tree(&self, database: DatabaseId) -> Result<Tree, CutError> {
        self.with(database, tree::of)
    }

    /// Nobody reads a page of this database below that one any more: what is kept of them goes.
    pub fn release_below(&self, database: DatabaseId, page: PageNumber) -> Result<(), CutError> {
        self.of(database, |snapshot| {
            let mut snapshot = snapshot.write().unwrap_or_else(PoisonError::into_inner);
            let before = snapshot.first_page().get();
            snapshot.release_below(page);
            let after = page.get().min(snapshot.page_count().saturating_add(1));
            self.given
                .fetch_add(u64::from(after.saturating_sub(before)), Ordering::Relaxed);
            Ok(())
        })
    }

    /// Reads bytes of the log head; gives how many, 0 behind the end of the piece.
    pub fn read_log(
        &self,
        piece: LogPiece,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize, CutError> {
        // What has ended no longer keeps segments.
        self.check()?;
        let head = self.head.get();
        head.map_or(Ok(0), |head| Ok(head.read(piece, offset, into)?))
    }

    /// Whether it can still be read.
    pub fn check(&self) -> Result<(), CutEnd> {
        let snapshots = self
            .snapshots
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        snapshots.as_ref().map(drop).map_err(|end| *end)
    }

    /// What is kept for it just now. Looks through all pages that have versions.
    pub fn pinned(&self) -> Pinned {
        let snapshots = self
            .snapshots
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let mut sum = Pinned::default();
        for snapshot in snapshots.iter().flat_map(BTreeMap::values) {
            let pinned = snapshot
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .pinned();
            sum.pages += pinned.pages;
            sum.memory_bytes += pinned.memory_bytes;
            sum.scratch_bytes += pinned.scratch_bytes;
        }
        sum
    }

    /// Whether it has pages of this store.
    pub(super) fn holds(&self, store: &PageStore) -> bool {
        let snapshots = self
            .snapshots
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        snapshots.iter().flat_map(BTreeMap::values).any(|snapshot| {
            let snapshot = snapshot.read().unwrap_or_else(PoisonError::into_inner);
            std::ptr::eq(Arc::as_ptr(snapshot.store()), store)
        })
    }

    /// It is no more: what was kept for it alone goes. `false`: it has ended before.
    pub(super) fn end(&self, why: CutEnd) -> bool {
        let ended = {
            let mut snapshots = self
                .snapshots
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            match &*snapshots {
                Ok(_) => std::mem::replace(&mut *snapshots, Err(why)),
                Err(_) => return false,
            }
        };
        for snapshot in ended.into_iter().flat_map(BTreeMap::into_values) {
            let snapshot = snapshot
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            let store = Arc::clone(snapshot.store());
            drop(snapshot);
            store.prune();
        }
        true
    }

    fn with<T>(
        &self,
        database: DatabaseId,
        read: impl FnOnce(&Snapshot) -> Result<T, StoreError>,
    ) -> Result<T, CutError> {
        self.of(database, |snapshot| {
            let snapshot = snapshot.read().unwrap_or_else(PoisonError::into_inner);
            read(&snapshot).map_err(|error| match error {
                // A checkpoint had to go on.
                StoreError::SnapshotTooOld { .. } => CutError::Ended(CutEnd::NoRoom),
                error => CutError::Page(error),
            })
        })
    }

    /// Does it with the snapshot of a database, unless the cut has ended.
    fn of<T>(
        &self,
        database: DatabaseId,
        work: impl FnOnce(&RwLock<Snapshot>) -> Result<T, CutError>,
    ) -> Result<T, CutError> {
        let snapshots = self
            .snapshots
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let snapshots = snapshots.as_ref().map_err(|end| *end)?;
        let snapshot = snapshots.get(&database);
        work(snapshot.ok_or(CutError::NoDatabase(database))?)
    }
}

/// A cut in the hands of somebody: as long as it is there, the cut does not end for want of use.
#[derive(Debug)]
pub struct CutUse(Arc<OpenCut>);

impl CutUse {
    pub(super) fn of(cut: &Arc<OpenCut>) -> Self {
        cut.users.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(cut))
    }
}

impl Deref for CutUse {
    type Target = OpenCut;

    fn deref(&self) -> &OpenCut {
        &self.0
    }
}

impl Drop for CutUse {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, Ordering::AcqRel);
    }
}
