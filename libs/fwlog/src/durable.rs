//! File operations that are still true after a power cut. Everything in the product that makes,
//! replaces or removes a file that matters goes through here.
//!
//! A file's content is durable after `fsync` of the file; its *name* only after `fsync` of the
//! directory (POSIX `fsync`, and the Linux manual page `fsync(2)`: "calling `fsync()` does not
//! necessarily ensure that the entry in the directory containing the file has also reached disk").
//! A rename replaces atomically, but may reach the disk before the content of the file does; so the
//! file is synced first.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Makes a file that must not exist yet, open for reading and writing, with these permission bits.
///
/// Neither content nor name is durable: write, then [`rename`], or sync file and directory.
pub fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// Syncs the file `from`, gives it the name `to` (replacing what had it), and syncs the directory.
/// Durable on return. Both names must be in one file system.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that may, as it syncs"
    )]
    fs::rename(from, to)?;
    let (old, new) = (directory_of(from), directory_of(to));
    sync_dir(new)?;
    if old == new { Ok(()) } else { sync_dir(old) }
}

/// Replaces the content of `path`: after a crash the file has either the old content or the new
/// one, whole. Durable on return.
pub fn write_atomic(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let temporary = beside(path);
    // A file left by a crash: never read by anyone.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create_new(&temporary, mode)?;
    file.write_all(content)?;
    drop(file);
    rename(&temporary, path)
}

/// Makes the names in a directory durable.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Removes a file; the removal is durable on return.
pub fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    sync_dir(directory_of(path))
}

/// Makes a directory, and those above it that are missing; their names are durable on return.
pub fn create_dir_all(directory: &Path) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        create_dir_all(parent)?;
    }
    match fs::create_dir(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_dir(directory_of(directory))
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
        let path = directory.path().join("control");
        write_atomic(&path, b"one", 0o600).unwrap();
        write_atomic(&path, b"two", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_atomic_write_is_not_stopped_by_what_a_crash_left() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control");
        create_new(&beside(&path), 0o600)
            .unwrap()
            .write_all(b"half")
            .unwrap();
        write_atomic(&path, b"whole", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn a_new_file_has_the_mode_asked_for_and_is_never_an_old_one() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fw-1-1");
        let file = create_new(&path, 0o640).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let again = create_new(&path, 0o640).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn directories_are_made_with_those_above_them() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("a/b/c");
        create_dir_all(&deep).unwrap();
        create_dir_all(&deep).unwrap();
        assert!(deep.is_dir());
    }

    #[test]
    fn what_is_removed_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x");
        drop(create_new(&path, 0o600).unwrap());
        remove(&path).unwrap();
        assert!(!path.exists());
    }
}
