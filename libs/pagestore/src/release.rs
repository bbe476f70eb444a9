//! A snapshot that gives back page by page what is kept for it, and what is kept just now.

use crate::chain::CounterDelta;
use crate::{PAGE_SIZE, PageImage, PageNumber, PageStore, Snapshot};

/// So many pages are looked for one by one; among more of them it is faster to look through those that have
/// versions.
const FEW_PAGES: u32 = 4096;

/// What is kept that a newer snapshot does not read. Where several snapshots read the same, each of them says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// Old images.
    pub pages: u64,
    /// Bytes of them in memory.
    pub memory_bytes: u64,
    /// Bytes of them in scratch files.
    pub scratch_bytes: u64,
}

impl Snapshot {
    /// It reads no page below `page` any more, and what was kept of them for it alone goes: for a reader that
    /// passes over the database once. A page that is asked for all the same answers
    /// [`crate::StoreError::GivenBack`]. Never goes back.
    pub fn release_below(&mut self, page: PageNumber) {
        let (old, new) = (self.from(), page.get());
        if new <= old {
            return;
        }
        let commit = self.commit().get();
        {
            let mut active = self.store().active();
            active.register(commit, new, self.page_count());
            active.unregister(commit, old);
        }
        self.set_from(new);
        self.store().drop_unread(old, new - 1);
    }

    /// The first page that it still reads.
    pub fn first_page(&self) -> PageNumber {
        PageNumber::known(self.from())
    }

    /// What is kept for it just now. Looks through all pages with versions: for who asks how things are.
    pub fn pinned(&self) -> Pinned {
        let mut pinned = Pinned::default();
        let commit = self.commit().get();
        self.store().shards().look(|page, chain| {
            if page < self.from() || page > self.page_count() {
                return;
            }
            let Some(version) = chain.newest_at(commit) else {
                return;
            };
            if chain
                .newest_at(u64::MAX)
                .is_none_or(|newest| newest.commit == version.commit)
            {
                return;
            }
            pinned.pages += 1;
            pinned.memory_bytes += version.memory_bytes() as u64;
            if matches!(version.image(), Some(PageImage::Scratch(_))) {
                pinned.scratch_bytes += PAGE_SIZE as u64;
            }
        });
        pinned
    }
}

impl PageStore {
    /// Drops of the pages from `first` to `last` what nobody can read any more.
    fn drop_unread(&self, first: u32, last: u32) {
        let range = first..=last;
        let pages = if last - first < FEW_PAGES {
            range
                .filter(|page| self.shards().read(*page).contains_key(page))
                .collect()
        } else {
            self.shards().pages(|page, _| range.contains(&page))
        };
        if pages.is_empty() {
            return;
        }
        // What the file has as well may only go while nobody is about to overwrite it.
        let idle = self.try_checkpoint_lock();
        let pins = self.active().pins(self.horizon().durable().get());
        let mut delta = CounterDelta::default();
        for page in pages {
            let mut chains = self.shards().write(page);
            if let Some(chain) = chains.get_mut(&page) {
                chain.prune(page, &pins, &mut delta);
                if idle.is_some() {
                    chain.drop_written(&mut delta);
                }
                if chain.is_empty() {
                    chains.remove(&page);
                }
            }
        }
        self.count(delta);
    }
}
