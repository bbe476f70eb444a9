//! Segments in a directory of a file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::durable;
use crate::durable_end::POSITION_FILE;
use crate::location::{LogLocation, SegmentNaming};
use crate::position::SegmentId;
use crate::store::{SegmentFile, SegmentStore};

/// Segments as files of one directory.
#[derive(Debug)]
pub struct FsStore {
    location: LogLocation,
    mode: u32,
    position: Mutex<Option<File>>,
}

impl FsStore {
    /// Segments in `directory`, called as `naming` says. New files get the permission bits `mode`:
    /// 0o600, or 0o640 where a group may read them.
    pub fn new(directory: impl Into<PathBuf>, naming: SegmentNaming, mode: u32) -> Self {
        Self::at(
            LogLocation {
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

    fn open_position(&self) -> io::Result<File> {
        // `create` leaves the content of a file that is there alone: readers may be reading it.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(self.mode)
            .open(self.position_path())
    }
}

impl SegmentStore for FsStore {
    fn list(&self) -> io::Result<Vec<SegmentId>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.location.directory)? {
            let name = entry?.file_name();
            segments.extend(
                name.to_str()
                    .and_then(|name| self.location.naming.segment_of(name)),
            );
        }
        segments.sort_unstable();
        Ok(segments)
    }

    fn create(&self, id: SegmentId, content: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        let path = self.path(id);
        if path.try_exists()? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let temporary = self
            .location
            .directory
            .join(self.location.naming.temporary_name(id));
        // What a crash left of an earlier attempt. It never was a segment.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = durable::create_new(&temporary, self.mode)?;
        file.write_all(content)?;
        durable::rename(&temporary, &path)?;
        Ok(Box::new(FsFile(file)))
    }

    fn open(&self, id: SegmentId) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.path(id))?;
        Ok(Box::new(FsFile(file)))
    }

    fn open_to_read(&self, id: SegmentId) -> io::Result<Box<dyn SegmentFile>> {
        FsFile::open(&self.path(id))
    }

    fn sync_names(&self) -> io::Result<()> {
        durable::sync_dir(&self.location.directory)
    }

    fn remove(&self, id: SegmentId) -> io::Result<()> {
        durable::remove(&self.path(id))
    }

    fn read_position(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.position_path()) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write_position(&self, content: &[u8]) -> io::Result<()> {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match position.take() {
            Some(file) => file,
            None => self.open_position()?,
        };
        let written = file.write_all_at(content, 0);
        *position = Some(file);
        written
    }

    fn path(&self, id: SegmentId) -> PathBuf {
        self.location.path(id)
    }

    fn position_path(&self) -> PathBuf {
        self.location.directory.join(POSITION_FILE)
    }
}

/// A segment as a file of the file system.
#[derive(Debug)]
pub(crate) struct FsFile(File);

impl FsFile {
    /// Opens a segment to read it, wherever it is and whatever it is called.
    pub(crate) fn open(path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(Self(File::open(path)?)))
    }
}

impl SegmentFile for FsFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    /// fdatasync: it syncs a changed length too, as that is needed to read the data back.
    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}
