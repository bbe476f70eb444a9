//! The files of a log, as its owner handles them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::{Access, Disk, DiskFile};

use crate::durable_end::DurableEnd;
use crate::location::LogLocation;
use crate::log_kind::LogKind;
use crate::position::SegmentId;

/// Where the owner of a log keeps its segments and `fw.position`: files of one directory.
///
/// ```text
///   create ──► file with its content, durable under its name
///                │ write_at … sync        what was written before a sync is durable after it
///                │ set_length, sync       so is the length
///              sealed: never written again
///   write_position                        may be lost or torn, then it is not used
///     └► settle_position                  now and then: it is on the disk, or written again
/// ```
///
/// Nothing here is retried, and no segment is written twice: after an error its state is unknown until
/// the log was recovered.
#[derive(Debug)]
pub struct SegmentStore {
    location: LogLocation,
    mode: u32,
    position: Mutex<Option<PositionFile>>,
    elsewhere: Option<LogLocation>,
    kind: LogKind,
}

/// `fw.position`, and what was written to it last.
#[derive(Debug)]
struct PositionFile {
    file: Arc<dyn DiskFile>,
    content: Vec<u8>,
    /// A write or a sync has failed since: nobody knows what a reader finds in it, nor what the disk
    /// has.
    doubtful: bool,
}

impl PositionFile {
    fn write(file: Arc<dyn DiskFile>, content: Vec<u8>) -> (Self, io::Result<()>) {
        let written = file.write_at(0, &content);
        let doubtful = written.is_err();
        let position = Self {
            file,
            content,
            doubtful,
        };
        (position, written)
    }
}

/// What stood in the way of a segment that was restored gets this behind its name.
const ASIDE: &str = ".aside";

/// Bytes that are copied at a time.
const PIECE: usize = 1 << 20;

impl SegmentStore {
    /// The log at this location. New files get the permission bits `mode`: 0o600, or 0o640 where a
    /// group may read them.
    pub fn at(location: LogLocation, mode: u32) -> Self {
        Self {
            location,
            mode,
            position: Mutex::new(None),
            elsewhere: None,
            kind: LogKind::Forward,
        }
    }

    /// The same log, of which older segments may be in another directory, too: recovery takes from there what
    /// it needs and does not find here.
    #[must_use]
    pub fn with_older_in(self, elsewhere: LogLocation) -> Self {
        Self {
            elsewhere: Some(elsewhere),
            ..self
        }
    }

    /// The same place, for a log of audit records alone. A segment of the other kind is refused by each.
    #[must_use]
    pub fn of_audit(self) -> Self {
        Self {
            kind: LogKind::Audit,
            ..self
        }
    }

    /// What the log here holds.
    pub fn kind(&self) -> LogKind {
        self.kind
    }

    /// Where older segments may be.
    pub(crate) fn elsewhere(&self) -> Option<&LogLocation> {
        self.elsewhere.as_ref()
    }

    /// Permission bits of new files.
    pub(crate) fn mode(&self) -> u32 {
        self.mode
    }

    /// Where the segments are.
    pub fn location(&self) -> &LogLocation {
        &self.location
    }

    fn disk(&self) -> &Disk {
        &self.location.disk
    }

    fn position(&self) -> MutexGuard<'_, Option<PositionFile>> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The temporary name of a segment that is being made, without what a crash has left there: that
    /// never was a segment.
    fn temporary(&self, id: SegmentId) -> io::Result<PathBuf> {
        let name = self.location.naming.temporary_name(id);
        let temporary = self.location.directory.join(name);
        self.disk().remove_if_there(&temporary)?;
        Ok(temporary)
    }

    /// A segment that has lost its name may get it back only in the file system that it is in: where
    /// another one has the directory's path now, the disk of the log is not there.
    fn check_device(&self, file: &dyn DiskFile) -> io::Result<()> {
        let directory = self.disk().identity(&self.location.directory)?;
        match (file.identity()?, directory) {
            (Some(file), Some(directory)) if file.device != directory.device => {
                Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    "its directory is on another device now; is the disk of the log mounted?",
                ))
            }
            _ => Ok(()),
        }
    }

    fn open_position(&self) -> io::Result<Arc<dyn DiskFile>> {
        let file = self
            .disk()
            .open(&self.position_path(), Access::Create(self.mode))?;
        Ok(Arc::from(file))
    }

    /// All segments there are, in order. A segment that was being made when the machine crashed is
    /// not one of them.
    pub fn list(&self) -> io::Result<Vec<SegmentId>> {
        self.location.list()
    }

    /// Makes a segment that begins with `content`. It must not exist. On return file and name are
    /// durable; after a crash in between there is the whole file or none.
    pub fn create(&self, id: SegmentId, content: &[u8]) -> io::Result<Box<dyn DiskFile>> {
        let (disk, path) = (self.disk(), self.path(id));
        if disk.exists(&path)? {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let temporary = self.temporary(id)?;
        let file = disk.open(&temporary, Access::CreateNew(self.mode))?;
        file.write_at(0, content)?;
        disk.rename(&temporary, &path)?;
        Ok(file)
    }

    /// Opens a segment to go on writing it.
    pub fn open(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.disk().open(&self.path(id), Access::Write)
    }

    /// Opens a segment to read it.
    pub fn open_to_read(&self, id: SegmentId) -> io::Result<Box<dyn DiskFile>> {
        self.disk().open(&self.path(id), Access::Read)
    }

    /// Makes a segment with the first `length` bytes of `file`, which is the same segment elsewhere. One that is
    /// there is replaced. Durable on return.
    pub fn create_copy(&self, id: SegmentId, file: &dyn DiskFile, length: u64) -> io::Result<()> {
        let temporary = self.temporary(id)?;
        let new = self.disk().open(&temporary, Access::CreateNew(self.mode))?;
        copy(file, new.as_ref(), length)?;
        self.disk().rename(&temporary, &self.path(id))
    }

    /// Makes the names of all segments durable: after a [`SegmentStore::create`] that failed, or did
    /// not return, a segment may be there whose name is not on the disk yet.
    pub fn sync_names(&self) -> io::Result<()> {
        self.disk().sync_directory(&self.location.directory)
    }

    /// Moves a file that has the name of a segment aside; durable on return. Gives its path.
    pub fn move_aside(&self, id: SegmentId) -> io::Result<PathBuf> {
        let path = self.path(id);
        let mut aside = path.clone().into_os_string();
        aside.push(ASIDE);
        let aside = PathBuf::from(aside);
        self.disk().rename(&path, &aside)?;
        Ok(aside)
    }

    /// Removes a segment; durable on return.
    pub fn remove(&self, id: SegmentId) -> io::Result<()> {
        self.disk().remove(&self.path(id))
    }

    /// The content of `fw.position`, `None` when there is none.
    pub fn read_position(&self) -> io::Result<Option<Vec<u8>>> {
        match self.disk().read(&self.position_path()) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Rewrites `fw.position` in place, without a sync.
    pub fn write_position(&self, content: &[u8]) -> io::Result<()> {
        let mut held = self.position();
        let file = match held.take() {
            Some(position) => position.file,
            None => self.open_position()?,
        };
        let (position, written) = PositionFile::write(file, content.to_vec());
        *held = Some(position);
        written
    }

    /// Says in `fw.position` that the owner of this log was stopped cleanly; its next start takes that back.
    pub fn mark_stopped(&self) -> io::Result<()> {
        let known = self.read_position()?;
        let Some(end) = known.as_deref().and_then(DurableEnd::decode) else {
            return Ok(());
        };
        let stopped = true;
        self.write_position(&DurableEnd { stopped, ..end }.encode())
    }

    /// Brings `fw.position` to the disk as it was written last. After an error the next call writes it
    /// again, for another sync alone would not tell anything. Where there is none there is nothing to
    /// do.
    pub fn settle_position(&self) -> io::Result<()> {
        let Some(file) = self.undoubted()? else {
            return Ok(());
        };
        // Not locked during the sync: the log goes on.
        file.sync().inspect_err(|_| {
            if let Some(held) = self.position().as_mut() {
                held.doubtful = true;
            }
        })
    }

    /// The file with the content that it should have: what was written last, or what is there.
    fn undoubted(&self) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let mut held = self.position();
        let position = match held.as_mut() {
            Some(position) => position,
            None => match self.read_position()? {
                Some(content) => held.insert(PositionFile {
                    file: self.open_position()?,
                    content,
                    doubtful: false,
                }),
                None => return Ok(None),
            },
        };
        if position.doubtful {
            position.file.write_at(0, &position.content)?;
            position.doubtful = false;
        }
        Ok(Some(Arc::clone(&position.file)))
    }

    /// Whether `file`, which was opened as the segment with this path, is still what a crash would find as
    /// it: not when somebody has removed, renamed or replaced it.
    pub fn has_name(&self, path: &Path, file: &dyn DiskFile) -> io::Result<bool> {
        self.disk().has_name(file, path)
    }

    /// Makes the segment that lost its name once more, from the first `length` bytes of `file`, which
    /// is still open. What has the name now is moved aside. Durable on return.
    pub fn restore(
        &self,
        id: SegmentId,
        file: &dyn DiskFile,
        length: u64,
    ) -> io::Result<Box<dyn DiskFile>> {
        self.check_device(file)?;
        let (disk, path) = (self.disk(), self.path(id));
        let temporary = self.temporary(id)?;
        let new = disk.open(&temporary, Access::CreateNew(self.mode))?;
        copy(file, new.as_ref(), length)?;
        if disk.exists(&path)? {
            self.move_aside(id)?;
        }
        disk.rename(&temporary, &path)?;
        Ok(new)
    }

    /// Writes `fw.position` once more when the file that was written last has lost its name, or what was
    /// written is in doubt; tells whether it had lost its name.
    pub fn keep_position(&self) -> io::Result<bool> {
        let Some(file) = self.undoubted()? else {
            return Ok(false);
        };
        if self.disk().has_name(file.as_ref(), &self.position_path())? {
            return Ok(false);
        }
        let mut held = self.position();
        let Some(lost) = held.as_ref() else {
            return Ok(false);
        };
        let (position, written) = PositionFile::write(self.open_position()?, lost.content.clone());
        *held = Some(position);
        written.map(|()| true)
    }

    /// Path of a segment.
    pub fn path(&self, id: SegmentId) -> PathBuf {
        self.location.path(id)
    }

    /// Path of `fw.position`.
    pub fn position_path(&self) -> PathBuf {
        self.location.position_path()
    }
}

fn copy(from: &dyn DiskFile, to: &dyn DiskFile, length: u64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < length {
        let left = usize::try_from(length - at).unwrap_or(usize::MAX);
        let part = piece.get_mut(..left.min(PIECE)).unwrap_or_default();
        from.read_exact_at(at, part)?;
        to.write_at(at, part)?;
        at += part.len() as u64;
    }
    Ok(())
}
