//! Checkpoint: the newest durable version of every page goes into the data file.
//!
//! ```text
//!   pin K = durable ─► list pages ─► per run of pages: keep old images, write ─► cut or extend
//!        ─► fsync ─► mark written ─► unpin ─► drop versions that nobody needs
//! ```
//! Readers look up the versions, read the file, and look up again: a page whose old content an open
//! snapshot needs is a version *before* the file changes. A crash or an error at any point leaves
//! pages of commits up to K in the file, which redo from before K overwrites. The sums of the pages
//! (module `sums`) follow the pages, and count from the moment when both files are on the disk.

use std::cell::OnceCell;
use std::io;
use std::sync::Arc;

use crate::base::BaseReadError;
use crate::chain::{Chain, CounterDelta, Pins};
use crate::sums::{PageSum, sum_of};
use crate::{
    CommitNumber, LOCK_PAGE, PAGE_SIZE, PageData, PageImage, PageNumber, PageStore, ScratchFile,
    StoreError,
};

/// Neighbouring pages that are written with one call.
const RUN_PAGES: usize = 256;

/// How far a checkpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Pages written.
    pub done: u64,
    /// Pages to write.
    pub total: u64,
}

/// What a checkpoint did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointReport {
    /// Every commit up to here is in the data file, on disk.
    pub commit: CommitNumber,
    /// Pages written.
    pub pages: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl PageStore {
    /// Writes the newest durable version of every page to the data file, makes the file as long as
    /// the database was at that commit, and syncs it. Readers, the writer and publishing go on
    /// meanwhile; a second checkpoint waits for the first.
    ///
    /// After an error nothing is lost: the versions are all still there for the next try. Where an open
    /// snapshot is the obstacle, the error says so ([`StoreError::snapshots_in_the_way`]).
    pub fn checkpoint(&self, progress: &dyn Fn(Progress)) -> Result<CheckpointReport, StoreError> {
        self.checkpoint_up_to(CommitNumber::new(u64::MAX), progress)
    }

    /// The same, but no version above `limit` is written: for an owner whose horizon runs ahead of
    /// the disk. From one call to the next the limit never goes down.
    pub fn checkpoint_up_to(
        &self,
        limit: CommitNumber,
        progress: &dyn Fn(Progress),
    ) -> Result<CheckpointReport, StoreError> {
        let _one = self.checkpoint_lock();
        let checkpoint = Checkpoint::begin(self, limit);
        let written = checkpoint.write_pages(progress)?;
        checkpoint.set_length()?;
        self.file()
            .sync()
            .map_err(|e| self.failed("sync", None, e))?;
        checkpoint.store_sums(&written)?;
        checkpoint.mark_written(&written);
        let report = CheckpointReport {
            commit: CommitNumber::new(checkpoint.commit),
            pages: written.len() as u64,
            bytes: written.len() as u64 * PAGE_SIZE as u64,
        };
        drop(checkpoint);
        self.prune_all();
        Ok(report)
    }

    /// The pages whose versions as of this commit the data file does not have.
    pub(crate) fn unwritten_pages(&self, commit: u64, page_count: u32) -> Vec<u32> {
        self.shards().pages(|page, chain| {
            page <= page_count && page != LOCK_PAGE.get() && chain.unwritten_at(commit).is_some()
        })
    }
}

/// A page, the commit of its version that was written, and its sum.
#[derive(Clone, Copy)]
struct Written {
    page: u32,
    commit: u64,
    sum: u32,
}

/// A checkpoint that is being made. While it exists, the versions of its commit stay.
struct Checkpoint<'a> {
    store: &'a PageStore,
    commit: u64,
    page_count: u32,
    /// Open snapshots when the checkpoint began; later ones are at or above its commit.
    pins: Pins,
    scratch: OnceCell<Arc<ScratchFile>>,
}

impl Drop for Checkpoint<'_> {
    fn drop(&mut self) {
        self.store.active().end_checkpoint();
    }
}

impl<'a> Checkpoint<'a> {
    fn begin(store: &'a PageStore, limit: CommitNumber) -> Self {
        let mut active = store.active();
        let commit = active
            .visible(store.horizon().durable().get())
            .min(limit.get());
        active.begin_checkpoint(commit);
        let (page_count, pins) = (active.page_count_at(commit), active.pins(commit));
        drop(active);
        Self {
            store,
            commit,
            page_count,
            pins,
            scratch: OnceCell::new(),
        }
    }

    fn write_pages(&self, progress: &dyn Fn(Progress)) -> Result<Vec<Written>, StoreError> {
        let pages = self.store.unwritten_pages(self.commit, self.page_count);
        let total = pages.len() as u64;
        let mut written = Vec::with_capacity(pages.len());
        let mut buffer = Vec::with_capacity(RUN_PAGES * PAGE_SIZE);
        for run in pages.chunk_by(|a, b| a + 1 == *b) {
            for run in run.chunks(RUN_PAGES) {
                self.write_run(run, &mut buffer, &mut written)?;
                progress(Progress {
                    done: written.len() as u64,
                    total,
                });
            }
        }
        Ok(written)
    }

    fn write_run(
        &self,
        run: &[u32],
        buffer: &mut Vec<u8>,
        written: &mut Vec<Written>,
    ) -> Result<(), StoreError> {
        let Some(first) = run.first().copied().and_then(PageNumber::new) else {
            return Ok(());
        };
        buffer.clear();
        let mut data = [0; PAGE_SIZE];
        for &number in run {
            let page = PageNumber::known(number);
            let (commit, image) = self.version_to_write(page)?;
            assert!(
                CommitNumber::new(commit) <= self.store.horizon().durable(),
                "only durable versions are written to a data file (invariants 1 and 6)"
            );
            image
                .read_into(&mut data)
                .map_err(|e| self.store.failed("read the scratch copy of", Some(page), e))?;
            buffer.extend_from_slice(&data);
            written.push(Written {
                page: number,
                commit,
                sum: sum_of(&data),
            });
        }
        let result = self.store.file().write_at(first.offset(), buffer);
        result.map_err(|e| self.store.failed("write", Some(first), e))
    }

    /// The version that goes to the file; the base is kept first where a snapshot needs it.
    fn version_to_write(&self, page: PageNumber) -> Result<(u64, PageImage), StoreError> {
        let chains = self.store.shards().read(page.get());
        let chain = chains.get(&page.get());
        let found = chain.and_then(|chain| {
            let version = chain.unwritten_at(self.commit)?;
            let write = (version.commit, version.image()?.clone());
            Some((chain.read_from_file(), write))
        });
        let Some((from_file, write)) = found else {
            let gone = io::Error::other("a pinned version is gone");
            return Err(self.store.failed("write", Some(page), gone));
        };
        drop(chains);
        if self.pins.any_sees(page.get(), &from_file) {
            self.keep_base(page)?;
        }
        Ok(write)
    }

    fn keep_base(&self, page: PageNumber) -> Result<(), StoreError> {
        let mut data = [0; PAGE_SIZE];
        let known = self.store.base().sums().page_count();
        if page.get() > known || page == LOCK_PAGE {
            // The snapshots do not reach that far, or read zeros anyway.
            return Ok(());
        }
        let mut read = self.store.base().read(page, &mut data);
        if matches!(read, Err(BaseReadError::Sum | BaseReadError::Beyond))
            && self.store.mend_near(page)
        {
            read = self.store.base().read(page, &mut data);
        }
        if let Err(why) = read {
            let why = why.into_error(self.store.path(), page);
            return Err(self.cannot_keep(page, &why));
        }
        let image = if self.store.has_room_to_keep() {
            PageImage::copy_of(&data)
        } else {
            self.to_scratch(page, &data)?
        };
        let mut delta = CounterDelta::default();
        let mut chains = self.store.shards().write(page.get());
        chains
            .entry(page.get())
            .or_default()
            .keep_base(image, &mut delta);
        drop(chains);
        self.store.count(delta);
        Ok(())
    }

    fn cannot_keep(&self, page: PageNumber, why: &dyn std::error::Error) -> StoreError {
        StoreError::CannotKeep {
            path: self.store.path().to_owned(),
            page,
            commit: CommitNumber::new(self.commit),
            why: why.to_string(),
        }
    }

    fn to_scratch(&self, page: PageNumber, data: &PageData) -> Result<PageImage, StoreError> {
        let failed = |error: io::Error| self.cannot_keep(page, &error);
        let file = if let Some(file) = self.scratch.get() {
            file
        } else {
            let file = ScratchFile::create(self.store.disk(), &self.store.options().scratch_dir)
                .map_err(failed)?;
            self.scratch.get_or_init(|| file)
        };
        file.store(data).map(PageImage::Scratch).map_err(failed)
    }

    /// Cuts or extends the file to the size of the database.
    fn set_length(&self) -> Result<(), StoreError> {
        let file = self.store.file();
        let len = file
            .length()
            .map_err(|e| self.store.failed("read the size of", None, e))?;
        let wanted = u64::from(self.page_count) * PAGE_SIZE as u64;
        if len > wanted {
            self.keep_cut_pages(len)?;
        }
        self.end_cut_chains();
        if len == wanted {
            return Ok(());
        }
        file.set_length(wanted)
            .map_err(|e| self.store.failed("set the size of", None, e))
    }

    /// Before the file is cut: keeps what older snapshots read there.
    fn keep_cut_pages(&self, len: u64) -> Result<(), StoreError> {
        let (commit, first_cut) = (self.commit, self.page_count + 1);
        if !self.pins.any_below(commit) {
            return Ok(());
        }
        let last = u32::try_from(len / PAGE_SIZE as u64).unwrap_or(u32::MAX);
        let last = last.min(self.store.base().sums().page_count());
        for page in (first_cut..=last).map(PageNumber::known) {
            let chains = self.store.shards().read(page.get());
            let from_file = chains.get(&page.get()).map(Chain::read_from_file);
            drop(chains);
            let from_file = from_file.unwrap_or(0..commit);
            let from_file = from_file.start..from_file.end.min(commit);
            if self.pins.any_sees(page.get(), &from_file) {
                self.keep_base(page)?;
            }
        }
        Ok(())
    }

    /// Versions of pages that are no longer there have nothing to be written to; they stay only as
    /// long as a snapshot reads them.
    fn end_cut_chains(&self) {
        let (commit, first_cut) = (self.commit, self.page_count + 1);
        let mut delta = CounterDelta::default();
        for page in self.store.shards().pages(|page, _| page >= first_cut) {
            if let Some(chain) = self.store.shards().write(page).get_mut(&page) {
                chain.cut(commit, &mut delta);
            }
        }
        self.store.count(delta);
    }

    /// Both files are on the disk when this returns: from now on the base is what was written.
    fn store_sums(&self, written: &[Written]) -> Result<(), StoreError> {
        let (sums, commit) = (self.store.base().sums(), CommitNumber::new(self.commit));
        let entries: Vec<PageSum> = written.iter().map(|w| (w.page, w.sum)).collect();
        sums.store(&entries, commit, self.page_count)?;
        sums.complete(&entries, commit, self.page_count);
        Ok(())
    }

    fn mark_written(&self, written: &[Written]) {
        let mut delta = CounterDelta::default();
        for written in written {
            let mut chains = self.store.shards().write(written.page);
            if let Some(chain) = chains.get_mut(&written.page) {
                chain.mark_written(written.commit, &mut delta);
            }
        }
        self.store.count(delta);
    }
}
