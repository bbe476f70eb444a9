//! The sum file beside a data file: what each page must look like.
//!
//! ```text
//!  offset   what
//!       0   head 0 ┐ of the last complete checkpoint and of the one before it (or of one that never
//!     512   head 1 ┘ ended), in turns
//!    4096   crc32c of page 1, of page 2, … each a little-endian u32
//!
//!  head (36 bytes): magic "EQPGSUMS" │ version u32 │ page size u32 │ database u32
//!                   │ page count u32 │ commit u64 │ crc32c of all before it u32
//! ```
//! The sums are those of the last complete checkpoint. A checkpoint writes pages, then their sums, then
//! the head that is not the last complete one's, then syncs both files; after that the owner moves its
//! redo point. At a crash in between, each page that was being written has its full image in the log
//! behind the old redo point, so neither the page nor its sum is looked at before redo has replaced
//! it. The sums of all other pages are the same before and after, whatever part of a sector of them
//! was written. The head of the last complete checkpoint is untouched: it tells how many pages there
//! were, and of which commit the file is, so that an old copy of it is not taken for the file.
//!
//! The head to begin with is the oldest valid one that is not older than the redo point.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use disk::{Access, Disk, DiskFile};

use crate::{CommitNumber, Damage, PAGE_SIZE, PageNumber, StoreError};

const MAGIC: &[u8; 8] = b"EQPGSUMS";
const VERSION: u32 = 1;
const HEAD_LENGTH: usize = 36;
const HEADS_AT: [u64; 2] = [0, 512];
const SUMS_AT: u64 = 4096;
const SUM_LENGTH: u64 = 4;
/// Pages whose sums are written with one call at most.
const RUN_PAGES: u32 = 16 << 10;
/// Written pages that are no further apart have their sums written with one call; those between them
/// are written as they are.
const GAP: u32 = 1024;

/// A page and its sum.
pub(crate) type PageSum = (u32, u32);

/// The checksum of a page.
pub fn sum_of(page: &[u8]) -> u32 {
    crc32c::crc32c(page)
}

/// Makes the sum file of a data file that has got its pages otherwise than by checkpoints: at `path`, with the sum of
/// each page as [`sum_of`] makes it. Both files are on the disk before it has the name that a store looks for.
pub fn write_sum_file(
    disk: &Disk,
    path: &Path,
    database: u32,
    commit: CommitNumber,
    sums: &[u32],
) -> Result<(), StoreError> {
    let new = Sums::create(disk, path.to_owned(), database)?;
    let mut bytes = Vec::with_capacity(RUN_PAGES as usize * 4);
    let mut at = SUMS_AT;
    for run in sums.chunks(RUN_PAGES as usize) {
        bytes.clear();
        bytes.extend(run.iter().flat_map(|sum| sum.to_le_bytes()));
        let written = new.file.write_at(at, &bytes);
        written.map_err(|e| new.failed("write", e))?;
        at += bytes.len() as u64;
    }
    new.write_head(commit, u32::try_from(sums.len()).unwrap_or(u32::MAX), 0)?;
    new.file.sync().map_err(|e| new.failed("sync", e))
}

/// Path of the sum file of the data file at `path`: the same with `.sum` behind it.
pub fn sum_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".sum");
    PathBuf::from(name)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|four| {
        let mut number = [0; 4];
        number.copy_from_slice(four);
        u32::from_le_bytes(number)
    })
}

/// What a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    database: u32,
    page_count: u32,
    commit: u64,
}

impl Head {
    fn encode(self) -> [u8; HEAD_LENGTH] {
        let page_size = u32::try_from(PAGE_SIZE).unwrap_or(0);
        let mut bytes = Vec::with_capacity(HEAD_LENGTH);
        bytes.extend_from_slice(MAGIC);
        for field in [VERSION, page_size, self.database, self.page_count] {
            bytes.extend_from_slice(&field.to_le_bytes());
        }
        bytes.extend_from_slice(&self.commit.to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let mut head = [0; HEAD_LENGTH];
        head.copy_from_slice(&bytes);
        head
    }

    /// `None`: never written, torn or damaged.
    fn decode(bytes: &[u8; HEAD_LENGTH]) -> Option<Self> {
        let (body, crc) = bytes.split_last_chunk::<4>()?;
        let (magic, fields) = body.split_first_chunk::<8>()?;
        if magic != MAGIC || crc32c::crc32c(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (fields, commit) = fields.split_last_chunk::<8>()?;
        let mut fields = numbers(fields);
        let (version, page_size) = (fields.next()?, fields.next()?);
        let fits = version == VERSION && page_size as usize == PAGE_SIZE;
        fits.then_some(Self {
            database: fields.next()?,
            page_count: fields.next()?,
            commit: u64::from_le_bytes(*commit),
        })
    }
}

/// The sums of a data file: in memory and in their file. See the module's page.
#[derive(Debug)]
pub(crate) struct Sums {
    path: PathBuf,
    file: Box<dyn DiskFile>,
    database: u32,
    /// As of the last complete checkpoint; entry 0 is page 1.
    table: RwLock<Vec<u32>>,
    /// The head of the last complete checkpoint, 0 or 1.
    complete: AtomicUsize,
    commit: AtomicU64,
    /// The newest commit of any head.
    newest: AtomicU64,
}

impl Sums {
    /// The sums of an empty data file, in a new file in place of what may be there.
    pub(crate) fn create(disk: &Disk, path: PathBuf, database: u32) -> Result<Self, StoreError> {
        let file = disk.open(&path, Access::Create(0o600));
        let file = file.map_err(|e| StoreError::io("make", &path, None, e))?;
        file.set_length(0)
            .map_err(|e| StoreError::io("empty", &path, None, e))?;
        let sums = Self::empty(path, file, database);
        sums.write_head(CommitNumber::ZERO, 0, 0)?;
        Ok(sums)
    }

    /// The open file, and its name.
    pub(crate) fn file(&self) -> (&dyn DiskFile, &Path) {
        (&*self.file, &self.path)
    }

    /// Sums without a name.
    pub(crate) fn nameless(path: PathBuf, file: Box<dyn DiskFile>) -> Self {
        Self::empty(path, file, 0)
    }

    fn empty(path: PathBuf, file: Box<dyn DiskFile>, database: u32) -> Self {
        Self {
            path,
            file,
            database,
            table: RwLock::default(),
            complete: AtomicUsize::new(0),
            commit: AtomicU64::new(0),
            newest: AtomicU64::new(0),
        }
    }

    /// Reads a file that must be there; it must not be older than `wanted`.
    pub(crate) fn open(
        disk: &Disk,
        path: PathBuf,
        database: u32,
        wanted: CommitNumber,
    ) -> Result<Self, StoreError> {
        let file = disk.open(&path, Access::Write).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                StoreError::damaged(&path, Damage::Missing)
            } else {
                StoreError::io("open", &path, None, error)
            }
        })?;
        let mut sums = Self::empty(path, file, database);
        let (slot, head, newest) = sums.choose(wanted)?;
        *sums.complete.get_mut() = slot;
        *sums.commit.get_mut() = head.commit;
        *sums.newest.get_mut() = newest;
        sums.table = RwLock::new(sums.read_table(head.page_count)?);
        Ok(sums)
    }

    /// The oldest head that is new enough: whether the checkpoint of a newer one is complete is not
    /// known. With the newest commit that any head has.
    fn choose(&self, wanted: CommitNumber) -> Result<(usize, Head, u64), StoreError> {
        let (mut valid, mut broken) = (Vec::new(), false);
        for (slot, at) in HEADS_AT.into_iter().enumerate() {
            let mut bytes = [0; HEAD_LENGTH];
            self.file
                .read_at(at, &mut bytes)
                .map_err(|e| self.failed("read the head of", e))?;
            match Head::decode(&bytes) {
                Some(head) => valid.push((slot, head)),
                None => broken |= bytes != [0; HEAD_LENGTH],
            }
        }
        valid.sort_by_key(|(_, head)| head.commit);
        let Some((_, newest)) = valid.last().copied() else {
            return Err(StoreError::damaged(&self.path, Damage::Head));
        };
        if newest.database != self.database {
            let damage = Damage::Foreign {
                database: newest.database,
                wanted: self.database,
            };
            return Err(StoreError::damaged(&self.path, damage));
        }
        let fresh = |entry: &(usize, Head)| {
            entry.1.commit >= wanted.get() && entry.1.database == self.database
        };
        let chosen = valid.into_iter().find(fresh).ok_or_else(|| {
            let old = Damage::Old {
                commit: CommitNumber::new(newest.commit),
                wanted,
            };
            StoreError::damaged(&self.path, if broken { Damage::Head } else { old })
        });
        chosen.map(|(slot, head)| (slot, head, newest.commit))
    }

    fn read_table(&self, page_count: u32) -> Result<Vec<u32>, StoreError> {
        let length = page_count as usize * 4;
        let known = self
            .file
            .length()
            .map_err(|e| self.failed("read the length of", e))?;
        if known.saturating_sub(SUMS_AT) < length as u64 {
            return Err(StoreError::damaged(&self.path, Damage::Short));
        }
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(SUMS_AT, &mut bytes)
            .map_err(|e| self.failed("read", e))?;
        Ok(numbers(&bytes).collect())
    }

    /// The sum of a page as of the last complete checkpoint; `None` beyond the end.
    pub(crate) fn get(&self, page: PageNumber) -> Option<u32> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.get(page.get() as usize - 1).copied()
    }

    /// The sums of all pages as of the last complete checkpoint.
    pub(crate) fn all(&self) -> Vec<u32> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.clone()
    }

    /// Pages of the data file as of the last complete checkpoint.
    pub(crate) fn page_count(&self) -> u32 {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(table.len()).unwrap_or(u32::MAX)
    }

    /// Commit of the last complete checkpoint.
    pub(crate) fn commit(&self) -> CommitNumber {
        CommitNumber::new(self.commit.load(Ordering::SeqCst))
    }

    /// The newest commit up to which a checkpoint has written pages, complete or not.
    pub(crate) fn newest(&self) -> CommitNumber {
        CommitNumber::new(self.newest.load(Ordering::SeqCst))
    }

    /// The sums in the file of the pages from `first` on; fewer where the file ends.
    pub(crate) fn stored(&self, first: PageNumber, count: usize) -> io::Result<Vec<u32>> {
        let mut bytes = vec![0; count * 4];
        let at = SUMS_AT + u64::from(first.get() - 1) * SUM_LENGTH;
        let filled = self.file.read_at(at, &mut bytes)?;
        Ok(numbers(&bytes[..filled]).collect())
    }

    /// Whether the file has the same sum of the page; where it can't be read, nothing is known to be wrong.
    pub(crate) fn is_stored(&self, page: PageNumber) -> bool {
        let stored = self.stored(page, 1);
        stored.map_or(true, |stored| stored.first().copied() == self.get(page))
    }

    /// Writes the sum of one page, which is not synced: the one that there was is known to be wrong.
    pub(crate) fn set(&self, page: PageNumber, sum: u32) -> Result<(), StoreError> {
        let at = SUMS_AT + u64::from(page.get() - 1) * SUM_LENGTH;
        let written = self.file.write_at(at, &sum.to_le_bytes());
        written.map_err(|e| self.failed("write", e))?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = table.get_mut(page.get() as usize - 1) {
            *place = sum;
        }
        Ok(())
    }

    /// Brings to the disk what was set.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync().map_err(|e| self.failed("sync", e))
    }

    /// Writes and syncs the sums of pages that a checkpoint up to `commit` has written; the data file
    /// has `page_count` pages. `written` is in page order.
    pub(crate) fn store(
        &self,
        written: &[PageSum],
        commit: CommitNumber,
        page_count: u32,
    ) -> Result<(), StoreError> {
        assert!(
            commit >= self.commit(),
            "checkpoints go forward in commit order (invariant 6)"
        );
        assert!(
            written.is_sorted_by(|one, other| one.0 < other.0)
                && written.last().is_none_or(|(page, _)| *page <= page_count),
            "a checkpoint writes each page once, and none beyond the end"
        );
        let mut rest = written;
        while let Some((first, _)) = rest.first().copied() {
            let near = rest
                .windows(2)
                .take_while(|pair| pair[1].0 - pair[0].0 <= GAP && pair[1].0 - first < RUN_PAGES)
                .count();
            let (run, later) = rest.split_at(near + 1);
            self.write_run(run)?;
            rest = later;
        }
        self.lengthen(page_count)?;
        let slot = 1 - self.complete.load(Ordering::SeqCst);
        self.write_head(commit, page_count, slot)?;
        self.file.sync().map_err(|e| self.failed("sync", e))
    }

    /// Makes the file as long as its head will say. A page without a version to write, because there is
    /// a newer one already, has no sum: redo has its full image.
    fn lengthen(&self, page_count: u32) -> Result<(), StoreError> {
        let wanted = SUMS_AT + u64::from(page_count) * SUM_LENGTH;
        let length = self
            .file
            .length()
            .map_err(|e| self.failed("read the length of", e))?;
        if length >= wanted {
            return Ok(());
        }
        self.file
            .set_length(wanted)
            .map_err(|e| self.failed("extend", e))
    }

    fn write_run(&self, run: &[PageSum]) -> Result<(), StoreError> {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
            return Ok(());
        };
        let mut bytes = Vec::with_capacity((last - first + 1) as usize * 4);
        let mut run = run.iter().copied().peekable();
        for page in *first..=*last {
            let sum = match run.next_if(|(written, _)| *written == page) {
                Some((_, sum)) => sum,
                None => self.get(PageNumber::known(page)).unwrap_or(0),
            };
            bytes.extend_from_slice(&sum.to_le_bytes());
        }
        let at = SUMS_AT + u64::from(first - 1) * SUM_LENGTH;
        self.file
            .write_at(at, &bytes)
            .map_err(|e| self.failed("write", e))
    }

    fn write_head(
        &self,
        commit: CommitNumber,
        page_count: u32,
        slot: usize,
    ) -> Result<(), StoreError> {
        let head = Head {
            database: self.database,
            page_count,
            commit: commit.get(),
        };
        self.newest.fetch_max(commit.get(), Ordering::SeqCst);
        self.file
            .write_at(HEADS_AT[slot], &head.encode())
            .map_err(|e| self.failed("write", e))
    }

    /// The checkpoint whose sums were stored last is complete: both files are on the disk.
    pub(crate) fn complete(&self, written: &[PageSum], commit: CommitNumber, page_count: u32) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.resize(page_count as usize, 0);
        for (page, sum) in written {
            table[*page as usize - 1] = *sum;
        }
        drop(table);
        self.complete.fetch_xor(1, Ordering::SeqCst);
        self.commit.store(commit.get(), Ordering::SeqCst);
    }

    fn failed(&self, operation: &'static str, error: io::Error) -> StoreError {
        StoreError::io(operation, &self.path, None, error)
    }
}
