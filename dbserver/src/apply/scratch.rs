//! Pages that the applier keeps on disk instead of in memory.

use std::path::PathBuf;
use std::sync::Arc;

use disk::Disk;
use pagestore::{PageData, PageImage, ScratchFile};

use crate::apply::disk_retry::{DiskRetry, with_retry};
use crate::error::EngineError;

/// A scratch file in TmpDir, made when the first page comes.
#[derive(Debug)]
pub(crate) struct Scratch {
    disk: Disk,
    directory: PathBuf,
    file: Option<Arc<ScratchFile>>,
    retry: Option<Arc<dyn DiskRetry>>,
}

impl Scratch {
    /// No file yet.
    pub(crate) fn new(disk: Disk, directory: PathBuf) -> Self {
        Self {
            disk,
            directory,
            file: None,
            retry: None,
        }
    }

    /// From now on a disk that is full or fails is waited for.
    pub(crate) fn wait_for(&mut self, retry: Arc<dyn DiskRetry>) {
        self.retry = Some(retry);
    }

    /// Stores a page.
    pub(crate) fn store(&mut self, page: &PageData) -> Result<PageImage, EngineError> {
        let retry = self.retry.clone();
        with_retry(retry.as_ref(), || self.try_store(page))
    }

    fn try_store(&mut self, page: &PageData) -> Result<PageImage, EngineError> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = ScratchFile::create(&self.disk, &self.directory);
                let failed =
                    |error| EngineError::file("create a scratch file in", &self.directory, &error);
                none.insert(file.map_err(failed)?)
            }
        };
        let stored = file.store(page);
        let stored = stored.map_err(|error| {
            EngineError::file("write to a scratch file in", &self.directory, &error)
        })?;
        Ok(PageImage::Scratch(stored))
    }

    /// Pages that are still in use keep the file; what comes next gets a new one.
    pub(crate) fn let_go(&mut self) {
        self.file = None;
    }
}
