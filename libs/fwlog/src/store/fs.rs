//! Segments in a directory of a disk.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use disk::{Access, Disk, DiskFile};

use crate::durable_end::POSITION_FILE;
use crate::location::{LogLocation, SegmentNaming};
use crate::position::SegmentId;
use crate::store::SegmentStore;

/// Segments as files of one directory.
#[derive(Debug)]
pub struct FsStore {
    location: LogLocation,
    mode: u32,
    position: Mutex<Option<Box<dyn DiskFile>>>,
}

impl FsStore {
    /// Segments in `directory`, called as `naming` says. New files get the permission bits `mode`:
    /// 0o600, or 0o640 where a group may read them.
    pub fn new(directory: impl Into<PathBuf>, naming: SegmentNaming, mode: u32) -> Self {
        Self::at(
            LogLocation {
                disk: Disk::real(),
                directory: directory.into(),
                naming,
            },
            mode,
        )
    }

    /// The same for a location.
    pub fn at(location: LogLocation, mode: u32) -> Self {
        Self {
            location,
            mode,
            position: Mutex::new(None),
        }
    }

    /// Where the segments are.
    pub fn location(&self) -> &LogLocation {
        &self.location
    }

    fn disk(&self) -> &Disk {
        &self.location.disk
    }

    fn position(&self) -> MutexGuard<'_, Option<Box<dyn DiskFile>>> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_position(&self) -> io::Result<Box<dyn DiskFile>> {
        self.disk()
            .open(&self.position_path(), Access::Create(self.mode))
    }
}

impl SegmentStore for FsStore {
    fn list(&self) -> io::Result<Vec<SegmentId>> {
        let names = self.disk().list(&self.location.directory)?;
        let naming = &self.location.naming;
        let mut segments: Vec<_> = names
            .iter()
            .filter_map(|name| naming.segment_of(name.to_str()?))
            .collect();
        segments.sort_unstable();
        Ok(segments)
    }

    fn create(&self, id: SegmentId, content: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        let (disk, path) = (self.disk(), self.path(id));
        if disk.exists(&path)? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let name = self.location.naming.temporary_name(id);
        let temporary = self.location.directory.join(name);
        // What a crash left of an earlier attempt. It never was a segment.
        disk.remove_if_there(&temporary)?;
        let file = disk.open(&temporary, Access::CreateNew(self.mode))?;
        file.write_at(0, content)?;
        disk.rename(&temporary, &path)?;
        Ok(file)
    }

    fn open(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.disk().open(&self.path(id), Access::Write)
    }

    fn open_to_read(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.disk().open(&self.path(id), Access::Read)
    }

    fn sync_names(&self) -> io::Result<()> {
        self.disk().sync_directory(&self.location.directory)
    }

    fn remove(&self, id: SegmentId) -> io::Result<()> {
        self.disk().remove(&self.path(id))
    }

    fn read_position(&self) -> io::Result<Option<Vec<u8>>> {
        match self.disk().read(&self.position_path()) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write_position(&self, content: &[u8]) -> io::Result<()> {
        // Not locked during the write: there is one writer at a time.
        let held = self.position().take();
        let file = match held {
            Some(file) => file,
            None => self.open_position()?,
        };
        let written = file.write_at(0, content);
        *self.position() = Some(file);
        written
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        self.location.path(id)
    }

    fn position_path(&self) -> PathBuf {
        self.location.directory.join(POSITION_FILE)
    }
}
