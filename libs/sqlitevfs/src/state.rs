//! One database file as one connection sees it: lock, snapshot, and what it has written.
//!
//! ```text
//!   working     written by the transaction that runs     dropped by ROLLBACK
//!   committed   written by commits not taken yet         taken by the session
//!   snapshot    the store at one commit
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pagestore::{CommitNumber, PAGE_SIZE, PageData, PageNumber, PageStore, ScratchFile, Snapshot};

use crate::error::Error;
use crate::handle::WriteSet;
use crate::journal::Journal;
use crate::layer::{Found, Layer};
use crate::temporary_space::TemporarySpace;

/// Where the change counter is in a file's header (SQLite's file format, 1.3).
const CHANGE_COUNTER: u64 = 24;

/// What a connection may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum WriteMode {
    /// Nothing: a writing statement answers `SQLITE_BUSY`.
    #[default]
    Refused,
    /// The session holds the database's write permit: snapshots are of the newest commit.
    Permit,
    /// Only for itself: it writes on a snapshot of the newest commit, or on the pinned one, and must
    /// roll back, or be given the permit while its snapshot is still the newest. COMMIT answers
    /// `SQLITE_IOERR` and rolls back.
    Private,
    /// As `Private`, but COMMIT leaves the pages here, to be looked at ([`FileHandle::offer`]) and then published or
    /// withdrawn. Until then the connection reads them.
    ///
    /// [`FileHandle::offer`]: crate::FileHandle::offer
    Offer,
}

/// SQLite's lock levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    None,
    Shared,
    /// RESERVED, PENDING and EXCLUSIVE: nobody else is there to be kept out.
    Reserved,
}

/// What SQLite is told about a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Locked {
    Yes,
    /// Writing is not allowed.
    Busy,
    /// Writing on this snapshot would lose a newer commit.
    Stale,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct FileState {
    store: Arc<PageStore>,
    scratch_dir: PathBuf,
    write_set_limit: usize,
    /// While it is set, nothing that is written stays in memory.
    pub(crate) full: Arc<AtomicBool>,
    scratch: Option<Arc<ScratchFile>>,
    pub(crate) journal: Journal,
    pub(crate) temporary: TemporarySpace,
    pub(crate) mode: WriteMode,
    level: Level,
    pinned: Option<Snapshot>,
    /// The newest commit of the session itself that it did not wait for.
    own: CommitNumber,
    snapshot: Option<Snapshot>,
    working: Layer,
    committed: Layer,
    /// The committed layer has been handed out and stays for open cursors only.
    taken: bool,
    /// The store's epoch when this connection first built on commits that may not be durable.
    epoch: Option<u64>,
    discarded: bool,
    /// What SQLite has cached is of a commit that did not happen: it is told so at its next look.
    outdated: bool,
    pub(crate) error: Option<Error>,
}

impl FileState {
    pub(crate) fn new(store: Arc<PageStore>, scratch_dir: PathBuf, write_set_limit: usize) -> Self {
        Self {
            temporary: TemporarySpace::default(),
            journal: Journal::new(store.disk().clone(), scratch_dir.clone()),
            store,
            scratch_dir,
            write_set_limit,
            full: Arc::default(),
            scratch: None,
            mode: WriteMode::Refused,
            level: Level::None,
            pinned: None,
            own: CommitNumber::ZERO,
            snapshot: None,
            working: Layer::default(),
            committed: Layer::default(),
            taken: false,
            epoch: None,
            discarded: false,
            outdated: false,
            error: None,
        }
    }

    pub(crate) fn pin(&mut self, snapshot: Option<Snapshot>) {
        self.pinned = snapshot;
    }

    /// Snapshots have this commit of the session's own.
    pub(crate) fn see_own(&mut self, commit: CommitNumber) {
        self.own = self.own.max(commit);
    }

    pub(crate) fn own(&self) -> CommitNumber {
        self.own
    }

    pub(crate) fn snapshot_commit(&self) -> Option<CommitNumber> {
        self.snapshot.as_ref().map(Snapshot::commit)
    }

    /// xLock.
    pub(crate) fn lock(&mut self, level: Level) -> Result<Locked, Error> {
        if level <= self.level {
            return Ok(Locked::Yes);
        }
        if self.level == Level::None {
            self.take_snapshot()?;
            self.level = Level::Shared;
        }
        if level == Level::Reserved {
            let locked = self.may_write();
            if locked != Locked::Yes {
                return Ok(locked);
            }
        }
        self.level = level;
        Ok(Locked::Yes)
    }

    fn take_snapshot(&mut self) -> Result<(), Error> {
        if self.discarded || self.epoch.is_some_and(|epoch| epoch != self.store.epoch()) {
            return Err(Error::Discarded);
        }
        if !self.committed.is_empty() {
            // Several commits go into one write set, all on the snapshot of the first.
            return match self.mode {
                WriteMode::Permit | WriteMode::Offer => Ok(()),
                WriteMode::Refused | WriteMode::Private => Err(Error::WriteSetPending),
            };
        }
        self.snapshot = Some(match (&self.pinned, self.mode) {
            (Some(pinned), _) => pinned.clone(),
            (None, WriteMode::Permit | WriteMode::Private | WriteMode::Offer) => {
                self.epoch.get_or_insert(self.store.epoch());
                self.store.snapshot_latest()
            }
            (None, WriteMode::Refused) => self.store.snapshot_with(self.own),
        });
        Ok(())
    }

    fn may_write(&mut self) -> Locked {
        match self.mode {
            WriteMode::Refused => Locked::Busy,
            WriteMode::Private | WriteMode::Offer => Locked::Yes,
            WriteMode::Permit => {
                let (latest, _) = self.store.latest();
                let snapshot = self.snapshot_commit().unwrap_or(CommitNumber::ZERO);
                if snapshot >= latest && !self.taken {
                    self.epoch.get_or_insert(self.store.epoch());
                    return Locked::Yes;
                }
                self.error = Some(Error::SnapshotStale { snapshot, latest });
                Locked::Stale
            }
        }
    }

    /// xUnlock. What was written and not committed is gone.
    pub(crate) fn unlock(&mut self, level: Level) -> Result<(), Error> {
        if self.level == Level::Reserved && level < Level::Reserved {
            self.working.clear();
            self.journal
                .truncate(0)
                .map_err(|e| self.scratch_failed("cut", e))?;
        }
        if level == Level::None && (self.committed.is_empty() || self.taken) {
            self.snapshot = None;
            self.committed.clear();
            self.taken = false;
        }
        self.level = self.level.min(level);
        Ok(())
    }

    /// SQLite commits. An error makes COMMIT a rollback.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        if self.taken {
            // Nobody would take this one: SQLite kept its lock over the last commit, which no
            // session lets it do (locking_mode = EXCLUSIVE).
            return Err(Error::WriteSetPending);
        }
        if self.mode == WriteMode::Private && !self.working.is_empty() {
            return Err(Error::PrivateCommit);
        }
        assert!(
            self.level == Level::Reserved || self.working.is_empty(),
            "a transaction that has written holds its lock until it has committed (invariant 3)"
        );
        self.committed.merge(&mut self.working);
        self.working.clear();
        Ok(())
    }

    /// The committed pages; `None` when nothing changed.
    pub(crate) fn take(&mut self) -> Option<WriteSet> {
        if self.taken || self.committed.is_empty() {
            return None;
        }
        assert!(
            self.snapshot.is_some(),
            "SQLite never commits without a lock"
        );
        let snapshot = self.snapshot.as_ref()?;
        let set = self.write_set(snapshot);
        let unchanged = set.pages.is_empty() && set.page_count == snapshot.page_count();
        if self.level == Level::None {
            self.snapshot = None;
            self.committed.clear();
        } else {
            // Cursors that were open over the commit read on.
            self.taken = true;
        }
        (!unchanged).then_some(set)
    }

    /// The committed pages that differ from those of the snapshot below them.
    fn write_set(&self, base: &Snapshot) -> WriteSet {
        let page_count = self.committed.page_count().unwrap_or(base.page_count());
        let mut pages = self.committed.sorted();
        pages.retain(|(page, image)| !base.is_same(*page, image));
        assert!(
            pages
                .last()
                .is_none_or(|(page, _)| page.get() <= page_count),
            "no page of a write set lies beyond the end of the database (invariant 5)"
        );
        WriteSet {
            page_count,
            pages,
            base: base.commit(),
        }
    }

    /// Throws away what is committed but not taken.
    pub(crate) fn discard(&mut self) {
        if self.mode == WriteMode::Offer && self.level == Level::None {
            return self.withdraw();
        }
        if !self.taken && !self.committed.is_empty() {
            self.discarded = true;
            self.committed.clear();
            if self.level == Level::None {
                self.snapshot = None;
            }
        }
    }

    /// Pages of the file.
    pub(crate) fn page_count(&self) -> u32 {
        self.working
            .page_count()
            .unwrap_or_else(|| self.count_below())
    }

    /// Pages without the working layer.
    fn count_below(&self) -> u32 {
        self.committed
            .page_count()
            .unwrap_or_else(|| match &self.snapshot {
                Some(snapshot) => snapshot.page_count(),
                // SQLite looks at the size before its first lock.
                None => self.store.snapshot_durable().page_count(),
            })
    }

    /// xRead; `false` when the file ends before `buffer` does (the rest is zeros then).
    pub(crate) fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Result<bool, Error> {
        let complete = self.read_bytes(offset, buffer)?;
        // SQLite looks at these sixteen bytes when it gets a lock, and keeps its cache where they are those that it knows.
        if offset == CHANGE_COUNTER && buffer.len() == 16 && std::mem::take(&mut self.outdated) {
            for byte in buffer {
                *byte = !*byte;
            }
        }
        Ok(complete)
    }

    fn read_bytes(&self, offset: u64, buffer: &mut [u8]) -> Result<bool, Error> {
        let end = u64::from(self.page_count()) * PAGE_SIZE as u64;
        let available = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (mut wanted, rest) = buffer.split_at_mut(buffer.len().min(available));
        rest.fill(0);
        let complete = rest.is_empty();
        let mut offset = offset;
        while !wanted.is_empty() {
            let (page, within) = locate(offset)?;
            let (piece, tail) = wanted.split_at_mut(wanted.len().min(PAGE_SIZE - within));
            self.read_piece(page, within, piece)?;
            offset += piece.len() as u64;
            wanted = tail;
        }
        Ok(complete)
    }

    /// The number in the file's header that moves with each change of the schema (SQLite's file format, 1.3: offset 40).
    #[expect(
        clippy::big_endian_bytes,
        reason = "SQLite's file format is big-endian"
    )]
    pub(crate) fn schema_cookie(&self) -> Result<Option<u32>, Error> {
        if self.mode == WriteMode::Permit {
            return Ok(None);
        }
        let mut cookie = [0; 4];
        match (&self.snapshot, &self.pinned) {
            (None, Some(pinned)) => pinned.read_at(locate(0)?.0, 40, &mut cookie)?,
            _ => drop(self.read_bytes(40, &mut cookie)?),
        }
        Ok(Some(u32::from_be_bytes(cookie)))
    }

    fn read_piece(&self, page: PageNumber, within: usize, piece: &mut [u8]) -> Result<(), Error> {
        let found = match self.working.find(page) {
            Found::Below => self.committed.find(page),
            found => found,
        };
        match found {
            Found::Image(image) => image
                .read_at(within, piece)
                .map_err(|e| self.scratch_failed("read", e)),
            Found::Zeros => {
                piece.fill(0);
                Ok(())
            }
            Found::Below => match &self.snapshot {
                Some(snapshot) => Ok(snapshot.read_at(page, within, piece)?),
                None => Ok(self.store.snapshot_durable().read_at(page, within, piece)?),
            },
        }
    }

    /// xWrite.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let (mut offset, mut bytes) = (offset, bytes);
        while !bytes.is_empty() {
            let (page, within) = locate(offset)?;
            let (piece, tail) = bytes.split_at(bytes.len().min(PAGE_SIZE - within));
            if let Ok(data) = <&PageData>::try_from(piece) {
                self.write_page(page, data)?;
            } else {
                // SQLite writes whole pages; this is for whoever else may ask.
                let mut data = [0; PAGE_SIZE];
                if page.get() <= self.page_count() {
                    self.read_piece(page, 0, &mut data)?;
                }
                data[within..within + piece.len()].copy_from_slice(piece);
                self.write_page(page, &data)?;
            }
            offset += piece.len() as u64;
            bytes = tail;
        }
        Ok(())
    }

    fn write_page(&mut self, page: PageNumber, data: &PageData) -> Result<(), Error> {
        let below = self.count_below();
        let memory = self.working.memory_bytes() + self.committed.memory_bytes();
        let room = memory < self.write_set_limit && !self.full.load(Ordering::Relaxed);
        let scratch = if room { None } else { Some(self.scratch()?) };
        let written = self.working.write(page, data, below, scratch.as_ref());
        written.map_err(|e| self.scratch_failed("write", e))
    }

    fn scratch(&mut self) -> Result<Arc<ScratchFile>, Error> {
        if let Some(scratch) = &self.scratch {
            return Ok(Arc::clone(scratch));
        }
        let scratch = ScratchFile::create(self.store.disk(), &self.scratch_dir);
        let scratch = scratch.map_err(|e| self.scratch_failed("make", e))?;
        self.scratch = Some(Arc::clone(&scratch));
        Ok(scratch)
    }

    pub(crate) fn scratch_failed(&self, operation: &'static str, source: std::io::Error) -> Error {
        Error::Scratch {
            directory: self.scratch_dir.display().to_string(),
            operation,
            source,
        }
    }

    /// xTruncate.
    pub(crate) fn truncate(&mut self, len: u64) -> Result<(), Error> {
        let pages = len.div_ceil(PAGE_SIZE as u64);
        let page_count = u32::try_from(pages).map_err(|_| out_of_range(len))?;
        let below = self.count_below();
        self.working.resize(page_count, below);
        Ok(())
    }
}

/// The page of a byte, and where the byte is in it.
fn locate(offset: u64) -> Result<(PageNumber, usize), Error> {
    let page = PageNumber::at_offset(offset).ok_or_else(|| out_of_range(offset))?;
    let within = usize::try_from(offset - page.offset()).map_err(|_| out_of_range(offset))?;
    Ok((page, within))
}

fn out_of_range(offset: u64) -> Error {
    Error::Range {
        offset: i64::try_from(offset).unwrap_or(i64::MAX),
    }
}

mod offer;
#[cfg(test)]
mod tests;
