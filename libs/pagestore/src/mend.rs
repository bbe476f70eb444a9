//! Damaged pages of the data file are made again: from a source that the owner gives, proved by their sums, written in
//! place.
//!
//! ```text
//!   a page fails its sum ─► no checkpoint runs from here on ─► is it damaged still? ─► source: content, or right sum
//!        ─► write ─► fsync ─► read back ─► the reader tries again
//! ```
//! What the file must have is known: the page as of the file's commit, because whatever is newer is a version in memory,
//! and the sum of it. A page is written only where its sum agrees with the content that the source has made; a sum only
//! where the source has made what the file has. So two of three agree, and the third was damaged.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::base::BaseReadError;
use crate::sums::sum_of;
use crate::verify::Fault;
use crate::{CommitNumber, LOCK_PAGE, PAGE_SIZE, PageData, PageNumber, PageStore, StoreError};

/// Where one page is damaged, its neighbours often are: so many are looked at together.
pub(crate) const RUN_PAGES: u32 = 256;
/// Pages that are made again at a time; the others wait for their turn, because all are in memory.
const AT_ONCE: usize = 16 << 10;
/// So long a page is not tried again that can't be had at present.
const PAUSE: Duration = Duration::from_secs(10);

/// A page that the data file does not have as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPage {
    /// The page.
    pub page: PageNumber,
    /// Its sum, as the sum file had it.
    pub sum: u32,
    /// The sum of what the data file has in its place, where that can be read.
    pub found: Option<u32>,
    /// What is wrong.
    pub fault: Fault,
}

/// Pages of one data file that are damaged.
#[derive(Clone, Copy, Debug)]
pub struct Lost<'a> {
    /// The data file.
    pub path: &'a Path,
    /// The number of the database.
    pub database: u32,
    /// The commit of which the file is: each of the pages must be as it was then.
    pub commit: CommitNumber,
    /// The pages, ascending.
    pub pages: &'a [LostPage],
}

/// Who knows what a page must be, in words that stand behind "repaired from".
pub type Origin = Arc<str>;

/// What a source says of a lost page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remade {
    /// What the page must be; it fits its sum.
    Page(Box<PageData>, Origin),
    /// What the file has is the page; the sum is damaged.
    Sum(Origin),
    /// It can't be had from here, and why.
    No(String),
    /// It can't be had at present, and why; it is worth another try in a while.
    Later(String),
}

/// Where damaged pages can be had from.
pub trait PageSource: fmt::Debug + Send + Sync {
    /// Whether it gives anything at present.
    fn is_on(&self) -> bool {
        true
    }

    /// Makes the pages again as they were at the file's commit, one answer for each, in the same order. No checkpoint of
    /// this store goes on meanwhile; readers and the writer do.
    fn remake(&self, lost: &Lost<'_>) -> Vec<Remade>;

    /// These pages are on the disk again, from there.
    fn mended(&self, path: &Path, from: &str, pages: &[(PageNumber, Fault)]);

    /// These are not, all for this reason. Where that was not the disk, they are not tried again before somebody asks for
    /// it, or a while has gone by where it was only at present.
    fn not_mended(&self, path: &Path, pages: &[(PageNumber, Fault)], why: &str);
}

/// The source of a store, and what it could not give.
#[derive(Debug, Default)]
pub(crate) struct Mending {
    source: OnceLock<Arc<dyn PageSource>>,
    /// Pages with their sums.
    given_up: Mutex<FxHashMap<(u32, u32), GivenUp>>,
}

/// A page that could not be made again.
#[derive(Debug)]
struct GivenUp {
    why: Arc<str>,
    /// From then on it is tried again; `None`: when somebody asks for it.
    until: Option<Instant>,
}

impl Mending {
    fn given_up(&self) -> MutexGuard<'_, FxHashMap<(u32, u32), GivenUp>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_given_up(&self, lost: &LostPage) -> bool {
        let given_up = self.given_up();
        let known = given_up.get(&(lost.page.get(), lost.sum));
        known.is_some_and(|known| known.until.is_none_or(|until| Instant::now() < until))
    }

    fn give_up(&self, lost: &LostPage, why: &str, until: Option<Instant>) {
        let given_up = GivenUp {
            why: why.into(),
            until,
        };
        self.given_up()
            .insert((lost.page.get(), lost.sum), given_up);
    }
}

/// Whether what has failed before is tried once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tries {
    Again,
    Once,
}

impl PageStore {
    /// From now on a page that fails its sum is made again from there; the first call counts.
    pub fn mend_from(&self, source: Arc<dyn PageSource>) {
        self.mending().source.get_or_init(|| source);
    }

    /// The source of this store.
    pub(crate) fn source(&self) -> Option<&dyn PageSource> {
        let source = self.mending().source.get().map(AsRef::as_ref);
        source.filter(|source| source.is_on())
    }

    /// The source has changed: what it could not give is tried again.
    pub fn try_again(&self) {
        self.mending().given_up().clear();
    }

    /// Why the page could not be made again, if that was tried.
    pub(crate) fn why_not_mended(&self, page: PageNumber) -> Option<Arc<str>> {
        let sum = self.base().sums().get(page)?;
        let given_up = self.mending().given_up();
        Some(Arc::clone(&given_up.get(&(page.get(), sum))?.why))
    }

    /// A reader has met this error. `true`: the page was made again meanwhile, it is worth another try.
    pub(crate) fn mend(&self, page: PageNumber, why: &BaseReadError) -> bool {
        if matches!(why, BaseReadError::Io(_)) || self.source().is_none() {
            return false;
        }
        let _no_checkpoint = self.checkpoint_lock();
        self.mend_near(page)
    }

    /// Makes the page again, and its neighbours where they are damaged. The caller holds the checkpoint lock; that may be
    /// the checkpoint itself, before it writes the page. `true`: it can be read.
    pub(crate) fn mend_near(&self, page: PageNumber) -> bool {
        let Some(source) = self.source() else {
            return false;
        };
        let known = self.base().sums().page_count();
        if page == LOCK_PAGE || page.get() > known {
            return false;
        }
        let Some(lost) = self.lost(page) else {
            return true; // another reader was faster
        };
        if self.mending().has_given_up(&lost) {
            return false;
        }
        let first = (page.get() - 1) / RUN_PAGES * RUN_PAGES + 1;
        let last = first.saturating_add(RUN_PAGES - 1).min(known);
        let near = (first..=last).map(PageNumber::known);
        // What the next checkpoint writes anyway is nobody's loss, but for the one that is asked for.
        let near = near.filter(|other| *other == page || !self.is_replaced(*other));
        let pages: Vec<_> = near.collect();
        self.mend_pages(source, &pages, Tries::Once);
        self.lost(page)
            .is_none_or(|lost| lost.fault == Fault::StoredSum)
    }

    /// Makes those of the pages again that are damaged. The caller holds the checkpoint lock.
    pub(crate) fn mend_pages(&self, source: &dyn PageSource, pages: &[PageNumber], tries: Tries) {
        let lost = pages.iter().filter(|page| **page != LOCK_PAGE);
        let lost = lost.filter_map(|page| self.lost(*page));
        let lost: Vec<_> = lost
            .filter(|lost| tries == Tries::Again || !self.mending().has_given_up(lost))
            .collect();
        for lost in lost.chunks(AT_ONCE) {
            self.mend_lost(source, lost);
        }
    }

    /// What is wrong with the page, if anything is that a source may know of.
    fn lost(&self, page: PageNumber) -> Option<LostPage> {
        let mut data: PageData = [0; PAGE_SIZE];
        let sum = self.base().sums().get(page)?;
        let (found, fault) = match self.base().read(page, &mut data) {
            Ok(()) if self.base().sums().is_stored(page) => return None,
            Ok(()) => (Some(sum), Fault::StoredSum),
            Err(BaseReadError::Sum) => (Some(sum_of(&data)), Fault::Sum),
            Err(BaseReadError::Beyond) => (None, Fault::Beyond),
            // Nothing is known to be damaged.
            Err(BaseReadError::Io(_)) => return None,
        };
        Some(LostPage {
            page,
            sum,
            found,
            fault,
        })
    }

    fn mend_lost(&self, source: &dyn PageSource, lost: &[LostPage]) {
        let (stored, damaged): (Vec<_>, Vec<_>) = lost
            .iter()
            .cloned()
            .partition(|lost| lost.fault == Fault::StoredSum);
        let remade = if damaged.is_empty() {
            Vec::new()
        } else {
            source.remake(&Lost {
                path: self.path(),
                database: self.options().database,
                commit: self.base_commit(),
                pages: &damaged,
            })
        };
        assert_eq!(
            remade.len(),
            damaged.len(),
            "a source answers for each page"
        );
        // The page is right, and so is its sum in memory.
        let memory: Origin = "memory".into();
        let stored = stored
            .into_iter()
            .map(|lost| (lost, Remade::Sum(Arc::clone(&memory))));
        let all: Vec<_> = damaged.into_iter().zip(remade).chain(stored).collect();
        let written: Vec<_> = all
            .into_iter()
            .map(|(lost, remade)| {
                let written = self.write_remade(&lost, &remade);
                (lost, written)
            })
            .collect();
        let synced = self.sync_remade(&written);
        let mut mended: BTreeMap<Origin, Vec<_>> = BTreeMap::new();
        let mut not_mended: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (lost, written) in written {
            let page = (lost.page, lost.fault.clone());
            let result = written
                .and_then(|from| synced.clone().map(|()| from))
                .and_then(|from| {
                    let again = self.lost(lost.page);
                    let why = "it was written, and reads back as damaged";
                    again.map_or(Ok(from), |_| Err(NotMended::Disk(why.into())))
                });
            match result {
                Ok(from) => mended.entry(from).or_default().push(page),
                Err(NotMended::Disk(why)) => not_mended.entry(why).or_default().push(page),
                Err(NotMended::Source(why, until)) => {
                    self.mending().give_up(&lost, &why, until);
                    not_mended.entry(why).or_default().push(page);
                }
            }
        }
        for (why, pages) in not_mended {
            source.not_mended(self.path(), &pages, &why);
        }
        for (from, mut pages) in mended {
            pages.sort_by_key(|(page, _)| *page);
            source.mended(self.path(), &from, &pages);
        }
    }

    fn write_remade(&self, lost: &LostPage, remade: &Remade) -> Result<Origin, NotMended> {
        let (written, from) = match (remade, lost.found) {
            (Remade::Page(data, from), _) if sum_of(data.as_slice()) == lost.sum => {
                let written = self.file().write_at(lost.page.offset(), data.as_slice());
                let written = written.map_err(|error| self.failed("write", Some(lost.page), error));
                (written, from)
            }
            (Remade::Sum(from), Some(found)) => (self.base().sums().set(lost.page, found), from),
            (Remade::Page(..), _) => {
                let why = "what was made of it does not fit its checksum";
                return Err(NotMended::Source(why.into(), None));
            }
            (Remade::Sum(_), None) => {
                let why = "there is nothing in its place that could be it";
                return Err(NotMended::Source(why.into(), None));
            }
            (Remade::No(why), _) => return Err(NotMended::Source(why.clone(), None)),
            (Remade::Later(why), _) => {
                return Err(NotMended::Source(why.clone(), Some(Instant::now() + PAUSE)));
            }
        };
        match written {
            Ok(()) => Ok(Arc::clone(from)),
            Err(error) => Err(NotMended::disk(&error)),
        }
    }

    /// Brings what was written to the disk.
    fn sync_remade(
        &self,
        written: &[(LostPage, Result<Origin, NotMended>)],
    ) -> Result<(), NotMended> {
        if written.iter().all(|(_, written)| written.is_err()) {
            return Ok(());
        }
        let synced = self.file().sync();
        synced
            .map_err(|error| self.failed("sync", None, error))
            .and_then(|()| self.base().sums().sync())
            .map_err(|error| NotMended::disk(&error))
    }
}

/// Why a page is damaged still.
#[derive(Clone, Debug)]
enum NotMended {
    /// The source can't give it: ever, or until then.
    Source(String, Option<Instant>),
    /// The disk does not take it; it may another time.
    Disk(String),
}

impl NotMended {
    fn disk(error: &StoreError) -> Self {
        Self::Disk(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;

    use super::*;
    use crate::{Horizon, StoreOptions};

    #[derive(Debug, Default)]
    struct Asked(Mutex<Vec<PageNumber>>);

    impl PageSource for Asked {
        fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
            let pages = lost.pages.iter().map(|lost| lost.page);
            self.0.lock().unwrap().extend(pages);
            vec![Remade::No("it is only counted".into()); lost.pages.len()]
        }

        fn mended(&self, _path: &Path, _from: &str, _pages: &[(PageNumber, Fault)]) {}

        fn not_mended(&self, _path: &Path, _pages: &[(PageNumber, Fault)], _why: &str) {}
    }

    /// Nothing is ever written to the page where SQLite has its locks, and it has no sum.
    #[test]
    fn the_lock_page_is_never_lost() {
        let options = StoreOptions {
            disk: SimulatedDisk::new(1).process().disk(),
            scratch_dir: "/".into(),
            database: 2,
            pinned_limit: 0,
        };
        let horizon = Horizon::new(CommitNumber::ZERO);
        let store = PageStore::create(Path::new("/shop.db"), horizon, options).unwrap();
        let last = LOCK_PAGE.get() + 2;
        store
            .base()
            .sums()
            .complete(&[], CommitNumber::new(1), last);
        let asked = Arc::new(Asked::default());
        store.mend_from(Arc::clone(&asked) as Arc<dyn PageSource>);
        assert!(!store.mend_near(LOCK_PAGE));
        assert_eq!(*asked.0.lock().unwrap(), []);
        let before = PageNumber::known(LOCK_PAGE.get() - 1);
        assert!(!store.mend_near(before));
        let behind = PageNumber::known(last);
        assert!(!store.mend_near(behind));
        let asked = asked.0.lock().unwrap();
        assert!(asked.contains(&before) && asked.contains(&behind));
        assert!(!asked.contains(&LOCK_PAGE));
    }
}
