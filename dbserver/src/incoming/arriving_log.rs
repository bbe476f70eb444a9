//! The log that comes in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};
use fwlog::{Position, SegmentId};

use crate::error::EngineError;

/// Segments on their way, each in a file of its own.
pub(super) struct ArrivingLog {
    disk: Disk,
    directory: PathBuf,
    files: BTreeMap<SegmentId, Box<dyn DiskFile>>,
}

impl ArrivingLog {
    /// Nothing has come: the log is small, and is taken as a whole.
    pub(super) fn new(disk: &Disk, directory: &Path) -> Self {
        Self {
            disk: disk.clone(),
            directory: directory.to_owned(),
            files: BTreeMap::new(),
        }
    }

    /// The file of a segment.
    pub(super) fn path(directory: &Path, id: SegmentId) -> PathBuf {
        directory.join(id.to_string())
    }

    /// Keeps a piece of a segment.
    pub(super) fn keep(&mut self, start: Position, bytes: &[u8]) -> Result<(), EngineError> {
        let path = Self::path(&self.directory, start.segment);
        let failed = |what, error: std::io::Error| EngineError::file(what, &path, &error);
        if start.offset == 0 {
            let file = self.disk.open(&path, Access::Create(0o600));
            let file = file.map_err(|error| failed("make", error))?;
            file.set_length(0).map_err(|error| failed("empty", error))?;
            self.files.insert(start.segment, file);
        }
        let Some(file) = self.files.get(&start.segment) else {
            return Err(super::altered(format!("no segment begins before {start}")));
        };
        file.write_at(start.offset, bytes)
            .map_err(|error| failed("write", error))
    }

    /// Brings all to the disk.
    pub(super) fn sync(&self) -> Result<(), EngineError> {
        for (id, file) in &self.files {
            let path = Self::path(&self.directory, *id);
            file.sync()
                .map_err(|error| EngineError::file("sync", path, &error))?;
        }
        let names = self.disk.sync_directory(&self.directory);
        names.map_err(|error| EngineError::file("sync", &self.directory, &error))
    }
}
