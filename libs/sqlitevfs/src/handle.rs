//! What a session holds beside its connection.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pagestore::{CommitNumber, PageImage, PageNumber, Snapshot};

use crate::error::Error;
use crate::rebase::Offer;
use crate::state::{FileState, WriteMode};

/// The file of one connection; what SQLite's callbacks and the session share.
#[derive(Debug)]
pub(crate) struct ConnectionFile(Mutex<FileState>);

impl ConnectionFile {
    pub(crate) fn new(state: FileState) -> Arc<Self> {
        Arc::new(Self(Mutex::new(state)))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, FileState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pages of a committed transaction.
#[derive(Clone, Debug)]
pub struct WriteSet {
    /// Pages of the database afterwards.
    pub page_count: u32,
    /// Changed pages in page order: no lock page, none beyond `page_count`.
    pub pages: Vec<(PageNumber, PageImage)>,
    /// The commit that they were made on.
    pub base: CommitNumber,
}

/// The file of one connection, for the session that owns both. Calls are cheap and may come from any
/// thread, but between statements: SQLite asks for the lock and the snapshot when a statement (or a
/// transaction) begins to read.
#[derive(Clone)]
pub struct FileHandle(Arc<ConnectionFile>);

impl FileHandle {
    pub(crate) fn new(file: Arc<ConnectionFile>) -> Self {
        Self(file)
    }

    /// With `true`, the session holds the database's write permit: the next transaction reads the
    /// newest commit, durable or not, and may write. With `false`, it reads the newest durable
    /// commit, and a writing statement answers `SQLITE_BUSY`.
    ///
    /// A transaction that began to read before can write only if its snapshot is still the newest
    /// commit; else it gets `SQLITE_BUSY_SNAPSHOT`.
    pub fn allow_write(&self, allowed: bool) {
        self.set_write_mode(if allowed {
            WriteMode::Permit
        } else {
            WriteMode::Refused
        });
    }

    /// From now on its snapshots have this commit, too, which the session has made itself and which others may not see yet.
    pub fn see_own(&self, commit: CommitNumber) {
        self.0.state().see_own(commit);
    }

    /// The newest one of those; 0: there is none.
    pub fn own(&self) -> CommitNumber {
        self.0.state().own()
    }

    /// While `full` is set, all pages that the connection writes go to its scratch file.
    pub fn spill_while(&self, full: Arc<AtomicBool>) {
        self.0.state().full = full;
    }

    /// How many bytes SQLite's own temporary files of the connection may have together: large sorts and intermediate
    /// results, temporary tables, VACUUM. What would be more is `SQLITE_TOOBIG` with [`Error::TemporaryLimit`].
    pub fn limit_temporary_files(&self, bytes: Option<u64>) {
        self.0.state().temporary.set_limit(bytes);
    }

    /// How many they have.
    pub fn temporary_bytes(&self) -> u64 {
        self.0.state().temporary.used()
    }

    /// Sets what the connection may write.
    pub fn set_write_mode(&self, mode: WriteMode) {
        self.0.state().mode = mode;
    }

    /// With a snapshot, every transaction from the next one on reads exactly this one.
    pub fn pin_snapshot(&self, snapshot: Option<Snapshot>) {
        self.0.state().pin(snapshot);
    }

    /// The commit at which the connection reads just now; `None` between statements.
    pub fn snapshot_commit(&self) -> Option<CommitNumber> {
        self.0.state().snapshot_commit()
    }

    /// SQLite's `PRAGMA schema_version`, without a statement: of the state that the connection reads just now, between
    /// statements that of the newest durable commit. `None` while it may commit: what it has changed only SQLite knows.
    ///
    /// Errors: the page can't be read.
    pub fn schema_cookie(&self) -> Result<Option<u32>, Error> {
        self.0.state().schema_cookie()
    }

    /// The pages of what was committed since the last call, as one set; `None` when nothing changed.
    ///
    /// The caller holds the permit until it has published the set. If it can't, the connection has
    /// to be dropped: SQLite believes in the commit.
    pub fn take_write_set(&self) -> Option<WriteSet> {
        self.0.state().take()
    }

    /// The pages of a COMMIT in [`WriteMode::Offer`], to be brought onto the newest commit. They stay until
    /// [`FileHandle::settle`] or [`FileHandle::withdraw`]. `None` when nothing changed, or on a state that was lost.
    pub fn offer(&self) -> Option<Offer> {
        self.0.state().offer()
    }

    /// What was offered goes to the log.
    pub fn settle(&self) {
        self.0.state().settle();
    }

    /// What was offered is thrown away; the connection goes on.
    pub fn withdraw(&self) {
        self.0.state().withdraw();
    }

    /// Throws away what was committed and not taken. ROLLBACK needs no call, its pages are gone
    /// already. After a COMMIT the connection answers errors from now on and has to be dropped.
    pub fn discard_write_set(&self) {
        self.0.state().discard();
    }

    /// Why the shim last answered SQLite with an error code; the text and the cause that SQLite
    /// does not pass on.
    pub fn take_error(&self) -> Option<Error> {
        self.0.state().error.take()
    }
}

impl fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FileHandle").finish_non_exhaustive()
    }
}
