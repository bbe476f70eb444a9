//! The operating system's file system.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::bulk::BulkFile;
use crate::{Access, DiskFile, FileIdentity, FileSystem};

/// The operating system's file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

/// An open file. Which one it is never changes, and is asked for after each commit.
#[derive(Debug)]
pub(crate) struct RealFile {
    file: File,
    identity: OnceLock<FileIdentity>,
}

impl RealFile {
    pub(crate) fn open(path: &Path, access: Access) -> io::Result<Self> {
        let file = match access {
            Access::Read => open_quietly(OpenOptions::new().read(true), path)?,
            Access::Write => open_to_write(path)?,
            Access::CreateNew(mode) => create(path, mode)?,
            // What is in a file that is there stays: readers may be reading it.
            Access::Create(mode) | Access::CreateBulk(mode) => open_or_create(path, mode)?,
        };
        Ok(Self::from(file))
    }
}

impl From<File> for RealFile {
    fn from(file: File) -> Self {
        let identity = OnceLock::new();
        Self { file, identity }
    }
}

/// Permission bits of a file that is nobody else's business.
const OWNER_ONLY: u32 = 0o600;

fn open_to_write(path: &Path) -> io::Result<File> {
    open_quietly(OpenOptions::new().read(true).write(true), path)
}

/// Without a note of when it was read. A file that is written and read all the time, as data files and logs are, would get one
/// with each read behind a write (`relatime` in the Linux manual page `mount(8)`), in the file system's journal.
fn open_quietly(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    match options.clone().custom_flags(NO_ATIME).open(path) {
        // Only the owner may ask for that.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => options.open(path),
        other => other,
    }
}

const NO_ATIME: i32 = OFlags::NOATIME.bits().cast_signed();

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    set_mode(&file, mode)?;
    Ok(file)
}

fn open_or_create(path: &Path, mode: u32) -> io::Result<File> {
    loop {
        match open_to_write(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        match create(path, mode) {
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other,
        }
    }
}

/// The permission bits that were asked for, whatever the umask of the process is.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.mode() & 0o777 == mode {
        return Ok(());
    }
    match file.set_permissions(Permissions::from_mode(mode)) {
        // A file system that has no permissions.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        other => other,
    }
}

impl FileSystem for RealFiles {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = RealFile::open(path, access)?;
        Ok(match access {
            Access::CreateBulk(_) => Box::new(BulkFile::new(file, path)),
            Access::Read | Access::Write | Access::Create(_) | Access::CreateNew(_) => {
                Box::new(file)
            }
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        let file = open_or_create(path, OWNER_ONLY)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(RealFile::from(file)))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?
            .map(|entry| Ok(entry?.file_name()))
            .collect()
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that may: what must last calls Disk::rename, which syncs"
        )]
        fs::rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // A file system that can't, as those of other machines: a second name does as well, and a crash between
            // leaves the first one, too.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                fs::hard_link(from, to)?;
                fs::remove_file(from)
            }
            other => Ok(other?),
        }
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// The last handle of a file without a name gives its blocks back.
    fn remove_large(&self, path: &Path) -> io::Result<()> {
        let last = File::open(path)?;
        fs::remove_file(path)?;
        let closing = thread::Builder::new().name("closing".to_owned());
        // Where there can be no thread it is closed here.
        drop(closing.spawn(move || drop(last)));
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(mode).create(path)?;
        set_mode(&File::open(path)?, mode)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        Ok(Some(identity_of(&fs::metadata(path)?)))
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match FileExt::read_at(&self.file, rest, offset.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// fdatasync: it syncs a changed length too, as that is needed to read the data back.
    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        if let Some(known) = self.identity.get() {
            return Ok(Some(*known));
        }
        let identity = identity_of(&self.file.metadata()?);
        Ok(Some(*self.identity.get_or_init(|| identity)))
    }
}

fn identity_of(metadata: &Metadata) -> FileIdentity {
    FileIdentity {
        device: metadata.dev(),
        inode: metadata.ino(),
    }
}
