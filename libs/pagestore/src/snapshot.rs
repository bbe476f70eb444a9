//! A consistent view of the database at one commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::active::FIRST_PAGE;
use crate::base::BaseReadError;
use crate::{CommitNumber, LOCK_PAGE, PageData, PageImage, PageNumber, PageStore, StoreError};

/// The database as it was after one commit. As long as it is open, the store keeps every page
/// version that it can read. Cloning opens another one at the same commit.
#[derive(Debug)]
pub struct Snapshot {
    store: Arc<PageStore>,
    commit: CommitNumber,
    page_count: u32,
    epoch: u64,
    /// The first page that it still reads.
    from: u32,
}

/// What becomes of a page that fails its sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IfDamaged {
    Mend,
    Tell,
}

impl Snapshot {
    /// The caller has registered `commit`.
    pub(crate) fn new(store: Arc<PageStore>, commit: u64, page_count: u32, epoch: u64) -> Self {
        Self {
            store,
            commit: CommitNumber::new(commit),
            page_count,
            epoch,
            from: FIRST_PAGE,
        }
    }

    /// The commit whose state this is.
    pub fn commit(&self) -> CommitNumber {
        self.commit
    }

    /// Size of the database in pages.
    pub fn page_count(&self) -> u32 {
        self.page_count
    }

    /// The store that it belongs to.
    pub fn store(&self) -> &Arc<PageStore> {
        &self.store
    }

    /// Reads a whole page.
    pub fn read(&self, page: PageNumber, into: &mut PageData) -> Result<(), StoreError> {
        self.read_at(page, 0, into)
    }

    /// The same as the data file has it: a page that fails its sum is an error at once. For another server that repairs
    /// its own: a repair here may be waiting for that one.
    pub fn read_as_is(&self, page: PageNumber, into: &mut PageData) -> Result<(), StoreError> {
        self.read_by(page, 0, into, IfDamaged::Tell)
    }

    /// Reads the bytes from `offset` within the page on; they lie within the page.
    pub fn read_at(
        &self,
        page: PageNumber,
        offset: usize,
        into: &mut [u8],
    ) -> Result<(), StoreError> {
        self.read_by(page, offset, into, IfDamaged::Mend)
    }

    fn read_by(
        &self,
        page: PageNumber,
        offset: usize,
        into: &mut [u8],
        if_damaged: IfDamaged,
    ) -> Result<(), StoreError> {
        self.check_page(page)?;
        if page == LOCK_PAGE {
            into.fill(0);
            return Ok(());
        }
        if !self.read_version(page, offset, into)? {
            let from_base = self.store.base().read_at(page, offset, into);
            // A checkpoint may have overwritten or cut the page meanwhile; then it has kept the old
            // image first.
            if !self.read_version(page, offset, into)? {
                // What an ended snapshot reads may be gone from the file: that is not its fault.
                self.check()?;
                match (from_base, if_damaged) {
                    (Ok(()), _) => {}
                    (Err(why), IfDamaged::Mend) => self.read_mended(page, offset, into, why)?,
                    (Err(why), IfDamaged::Tell) => {
                        return Err(why.into_error(self.store.path(), page));
                    }
                }
            }
        }
        self.check()
    }

    /// Reads a page that the file did not give, once it was made again.
    fn read_mended(
        &self,
        page: PageNumber,
        offset: usize,
        into: &mut [u8],
        why: BaseReadError,
    ) -> Result<(), StoreError> {
        let path = self.store.path();
        if !self.store.mend(page, &why) {
            let tried = self.store.why_not_mended(page);
            return Err(why.into_error(path, page).tried(tried));
        }
        let from_base = self.store.base().read_at(page, offset, into);
        // As above: the file may have got a newer one meanwhile.
        if !self.read_version(page, offset, into)? {
            from_base.map_err(|why| why.into_error(path, page))?;
        }
        Ok(())
    }

    /// The content of a page: shared with the store where that has it in memory, a copy of the file's else.
    pub fn image(&self, page: PageNumber) -> Result<PageImage, StoreError> {
        self.check_page(page)?;
        let found = {
            let chains = self.store.shards().read(page.get());
            let chain = chains.get(&page.get());
            chain
                .and_then(|c| c.image_at(self.commit.get()))
                .filter(|image| image.in_memory().is_some())
                .cloned()
        };
        match found {
            Some(image) => self.check().map(|()| image),
            None => PageImage::filled(|bytes| self.read(page, bytes)),
        }
    }

    /// The pages whose content here is not in the data file, ascending: what a checkpoint of this commit would write.
    pub fn unwritten(&self) -> Vec<PageNumber> {
        let pages = self
            .store
            .unwritten_pages(self.commit.get(), self.page_count);
        pages.into_iter().map(PageNumber::known).collect()
    }

    /// Whether `image` is known to be what the snapshot has; never reads a file to find out.
    pub fn is_same(&self, page: PageNumber, image: &PageImage) -> bool {
        if self.check_page(page).is_err() {
            return false;
        }
        let chains = self.store.shards().read(page.get());
        let known = chains
            .get(&page.get())
            .and_then(|c| c.image_at(self.commit.get()));
        match (known.and_then(PageImage::in_memory), image.in_memory()) {
            (Some(old), Some(new)) => old == new,
            _ => false,
        }
    }

    /// Whether a later commit has published the page.
    ///
    /// Errors: the snapshot was ended, or has given the page back, so that nobody knows.
    pub fn has_changed(&self, page: PageNumber) -> Result<bool, StoreError> {
        self.check_given_back(page)?;
        // While the snapshot is open, what replaces its version stays in memory, or leaves the old base there.
        let newest = {
            let chains = self.store.shards().read(page.get());
            let chain = chains.get(&page.get());
            chain
                .and_then(|chain| chain.newest_at(u64::MAX))
                .map_or(0, |version| version.commit)
        };
        self.check()?;
        Ok(newest > self.commit.get())
    }

    /// Whether it may read the page.
    pub(crate) fn check_page(&self, page: PageNumber) -> Result<(), StoreError> {
        if page.get() > self.page_count {
            return Err(StoreError::BeyondEnd {
                path: self.store.path().to_owned(),
                page,
                page_count: self.page_count,
                commit: self.commit,
            });
        }
        self.check_given_back(page)
    }

    fn check_given_back(&self, page: PageNumber) -> Result<(), StoreError> {
        if page.get() < self.from {
            return Err(StoreError::GivenBack {
                path: self.store.path().to_owned(),
                page,
                commit: self.commit,
            });
        }
        Ok(())
    }

    /// The first page that it still reads.
    pub(crate) fn from(&self) -> u32 {
        self.from
    }

    /// The caller has registered that.
    pub(crate) fn set_from(&mut self, from: u32) {
        self.from = from;
    }

    /// Reads the page where a version of it is kept. `false`: the data file has it.
    pub(crate) fn read_version(
        &self,
        page: PageNumber,
        offset: usize,
        into: &mut [u8],
    ) -> Result<bool, StoreError> {
        let chains = self.store.shards().read(page.get());
        let chain = chains.get(&page.get());
        let Some(image) = chain.and_then(|c| c.image_at(self.commit.get())) else {
            return Ok(false);
        };
        let result = if let PageImage::Scratch(_) = image {
            let image = image.clone();
            drop(chains); // no lock while a file is read
            image.read_at(offset, into)
        } else {
            image.read_at(offset, into)
        };
        result.map_err(|e| self.store.failed("read the scratch copy of", Some(page), e))?;
        Ok(true)
    }

    /// Checked after reading: versions are dropped only after the epoch or the floor moved.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let store = &self.store;
        if self.commit.get() < store.floor().load(Ordering::SeqCst) {
            let path = store.path().to_owned();
            return Err(StoreError::SnapshotTooOld {
                path,
                commit: self.commit,
            });
        }
        if store.epoch() != self.epoch && store.active().is_void(self.commit.get(), self.epoch) {
            let path = store.path().to_owned();
            return Err(StoreError::Rewound {
                path,
                commit: self.commit,
            });
        }
        Ok(())
    }
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        self.store
            .active()
            .register(self.commit.get(), self.from, self.page_count);
        Self {
            store: Arc::clone(&self.store),
            ..*self
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.store.active().unregister(self.commit.get(), self.from);
    }
}
