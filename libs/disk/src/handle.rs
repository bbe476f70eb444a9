//! The handle that everybody holds, and the operations that are durable on return.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Access, DiskFile, FileIdentity, FileSystem, RealFiles};

/// Largest file that [`Disk::read`] takes into memory.
const MAX_READ: u64 = 64 << 20;

/// Whether an operation failed because the disk, or a quota on it, is full: it succeeds once somebody
/// makes room.
pub fn is_full(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// The reason of a failure in the system's words. An error that was made from its kind alone has words of the
/// language instead: "entity not found".
pub fn reason(error: &io::Error) -> String {
    let made = error.raw_os_error().is_none() && error.get_ref().is_none();
    match error.kind() {
        io::ErrorKind::NotFound if made => "No such file or directory".to_owned(),
        io::ErrorKind::AlreadyExists if made => "File exists".to_owned(),
        _ => error.to_string(),
    }
}

/// A disk: the operating system's, or a simulated one. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct Disk {
    files: Arc<dyn FileSystem>,
}

impl Default for Disk {
    fn default() -> Self {
        Self::real()
    }
}

/// The same disk, not just the same kind.
impl PartialEq for Disk {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.files, &other.files)
    }
}

impl Eq for Disk {}

impl Disk {
    /// The disk of the operating system.
    pub fn real() -> Self {
        static REAL: std::sync::LazyLock<Disk> =
            std::sync::LazyLock::new(|| Disk::new(Arc::new(RealFiles)));
        REAL.clone()
    }

    /// A disk with this file system.
    pub fn new(files: Arc<dyn FileSystem>) -> Self {
        Self { files }
    }

    /// Opens a file. What [`Access::CreateNew`] makes is durable neither in content nor in name:
    /// write, then [`Disk::rename`], or sync file and directory.
    pub fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        self.files.open(path, access)
    }

    /// Opens a file, made where it is missing, and locks it; `None` while another holds the lock.
    pub fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        self.files.lock(path)
    }

    /// Names of all that is in a directory, sorted.
    pub fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let mut names = self.files.list(directory)?;
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is a file or directory of that name.
    pub fn exists(&self, path: &Path) -> io::Result<bool> {
        self.files.exists(path)
    }

    /// All of a file that is small; one above 64 MiB is none of those that are read as a whole.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, Access::Read)?;
        let length = file.length()?;
        if length > MAX_READ {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let mut content = vec![0; length];
        let count = file.read_at(0, &mut content)?;
        content.truncate(count);
        Ok(content)
    }

    /// Makes a directory, and those above it that are missing; their names are durable on return.
    pub fn make_directory(&self, path: &Path, mode: u32) -> io::Result<()> {
        if path.as_os_str().is_empty() || self.exists(path)? {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_directory(parent, mode)?;
        }
        self.files.make_directory(path, mode)?;
        self.sync_directory(directory_of(path))
    }

    /// Makes the names in a directory durable.
    pub fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.files.sync_directory(path)
    }

    /// Which file or directory has this name now. `None`: the disk does not tell.
    pub fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        self.files.identity(path)
    }

    /// Whether an open file is what `path` names: not when somebody has removed, renamed or replaced
    /// it. On a disk that does not tell, it is.
    pub fn has_name(&self, file: &dyn DiskFile, path: &Path) -> io::Result<bool> {
        match self.identity(path) {
            Ok(Some(named)) => Ok(file.identity()?.is_none_or(|own| own == named)),
            Ok(None) => Ok(true),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Syncs the file `from`, gives it the name `to` (replacing what had it), and syncs the
    /// directory. Durable on return. Both names must be in one file system.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.open(from, Access::Write)?.sync()?;
        self.files.rename(from, to)?;
        self.sync_names(from, to)
    }

    /// The same where nothing has the name `to`; else [`io::ErrorKind::AlreadyExists`], and nothing is changed. Of
    /// several who try it at once one succeeds. What has the name is durable only where its maker has said so.
    pub fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.open(from, Access::Write)?.sync()?;
        self.files.rename_new(from, to)?;
        self.sync_names(from, to)
    }

    fn sync_names(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (old, new) = (directory_of(from), directory_of(to));
        self.sync_directory(new)?;
        if old == new {
            Ok(())
        } else {
            self.sync_directory(old)
        }
    }

    /// Replaces the content of `path`: after a crash the file has either the old content or the new
    /// one, whole. Durable on return.
    pub fn write_atomic(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        let temporary = beside(path);
        // A file left by a crash: never read by anyone.
        self.remove_if_there(&temporary)?;
        let file = self.open(&temporary, Access::CreateNew(mode))?;
        file.write_at(0, content)?;
        drop(file);
        self.rename(&temporary, path)
    }

    /// Removes a file; the removal is durable on return.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.files.remove(path)?;
        self.sync_directory(directory_of(path))
    }

    /// The same for a file of many pieces, whose blocks the system takes long to give back: that goes on behind this call.
    pub fn remove_large(&self, path: &Path) -> io::Result<()> {
        self.files.remove_large(path)?;
        self.sync_directory(directory_of(path))
    }

    /// Removes a directory that is empty; the removal is durable on return.
    pub fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.files.remove_directory(path)?;
        self.sync_directory(directory_of(path))
    }

    /// Removes a file if it is there. Not durable: for what a crash left, which is removed again
    /// when it comes back.
    pub fn remove_if_there(&self, path: &Path) -> io::Result<()> {
        match self.files.remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes a temporary file in `directory` that has no name any more: it vanishes with the last
    /// handle, also after a crash.
    pub fn scratch(&self, directory: &Path) -> io::Result<Box<dyn DiskFile>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!("scratch-{}-{number}", process::id()));
            match self.open(&path, Access::CreateNew(0o600)) {
                Ok(file) => {
                    self.files.remove(&path)?;
                    return Ok(file);
                }
                // Left behind by a crash between open and remove of an earlier process with this id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_the_content_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("control"));
        disk.write_atomic(&path, b"one", 0o600).unwrap();
        disk.write_atomic(&path, b"two", 0o600).unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"two");
        assert_eq!(disk.list(directory.path()).unwrap(), ["control"]);
    }

    #[test]
    fn an_atomic_write_is_not_stopped_by_what_a_crash_left() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("control"));
        let left = disk.open(&beside(&path), Access::CreateNew(0o600)).unwrap();
        left.write_at(0, b"half of another content").unwrap();
        disk.write_atomic(&path, b"whole", 0o600).unwrap();
        assert_eq!(disk.read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_name_that_is_there_is_not_taken_by_a_rename_to_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let simulated = crate::testing::SimulatedDisk::new(3).process().disk();
        for (disk, place) in [
            (Disk::real(), directory.path()),
            (simulated, Path::new("/")),
        ] {
            let path = |name: &str| place.join(name);
            for name in ["one", "two"] {
                let file = disk.open(&path(name), Access::CreateNew(0o600)).unwrap();
                file.write_at(0, name.as_bytes()).unwrap();
            }
            disk.rename_new(&path("one"), &path("object")).unwrap();
            let again = disk.rename_new(&path("two"), &path("object")).unwrap_err();
            assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(disk.read(&path("object")).unwrap(), b"one");
            assert_eq!(disk.list(place).unwrap(), ["object", "two"]);
        }
    }

    #[test]
    fn a_large_file_is_gone_at_once_wherever_its_blocks_are() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("2.new"));
        let file = disk.open(&path, Access::CreateNew(0o600)).unwrap();
        file.write_at(1 << 20, b"a page").unwrap();
        disk.remove_large(&path).unwrap();
        assert!(!disk.exists(&path).unwrap());
        assert_eq!(
            file.length().unwrap(),
            (1 << 20) + 6,
            "who has it open keeps it"
        );
        let again = disk.remove_large(&path).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_new_file_has_the_mode_asked_for_and_is_never_an_old_one() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("fw-1-1"));
        drop(disk.open(&path, Access::CreateNew(0o640)).unwrap());
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let again = disk.open(&path, Access::CreateNew(0o640)).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn directories_are_made_with_those_above_them() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, deep) = (Disk::real(), directory.path().join("a/b/c"));
        disk.make_directory(&deep, 0o700).unwrap();
        disk.make_directory(&deep, 0o700).unwrap();
        assert!(deep.is_dir());
    }

    #[test]
    fn a_directory_is_removed_once_it_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        let machine = crate::testing::SimulatedDisk::new(1);
        let simulated = (machine.process().disk(), PathBuf::from("/a"));
        for (disk, path) in [(Disk::real(), directory.path().join("a")), simulated] {
            disk.make_directory(&path, 0o700).unwrap();
            let file = path.join("file");
            drop(disk.open(&file, Access::CreateNew(0o600)).unwrap());
            assert!(disk.remove_directory(&path).is_err());
            disk.remove(&file).unwrap();
            disk.remove_directory(&path).unwrap();
            assert!(!disk.exists(&path).unwrap());
        }
    }

    #[test]
    fn what_is_removed_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("x"));
        drop(disk.open(&path, Access::CreateNew(0o600)).unwrap());
        disk.remove(&path).unwrap();
        assert!(!disk.exists(&path).unwrap());
        disk.remove_if_there(&path).unwrap();
    }

    #[test]
    fn a_file_has_lost_its_name_when_that_is_gone_or_means_another_file() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("x"));
        let file = disk.open(&path, Access::CreateNew(0o600)).unwrap();
        assert!(disk.has_name(file.as_ref(), &path).unwrap());
        disk.rename(&path, &directory.path().join("y")).unwrap();
        assert!(!disk.has_name(file.as_ref(), &path).unwrap());
        let other = disk.open(&path, Access::CreateNew(0o600)).unwrap();
        assert!(!disk.has_name(file.as_ref(), &path).unwrap());
        assert!(disk.has_name(other.as_ref(), &path).unwrap());
    }

    #[test]
    fn a_scratch_file_leaves_no_name_behind() {
        let directory = tempfile::tempdir().unwrap();
        let file = Disk::real().scratch(directory.path()).unwrap();
        file.write_at(0, b"still there").unwrap();
        assert_eq!(file.length().unwrap(), 11);
        assert!(Disk::real().list(directory.path()).unwrap().is_empty());
    }

    #[test]
    fn a_lock_is_held_by_one_and_free_when_its_file_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let (disk, path) = (Disk::real(), directory.path().join("lock"));
        let held = disk.lock(&path).unwrap().unwrap();
        assert!(disk.lock(&path).unwrap().is_none());
        drop(held);
        assert!(disk.lock(&path).unwrap().is_some());
    }
}
