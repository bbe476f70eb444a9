//! Files of a test: written, copied, listed. Nothing here has to survive a power cut.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// Writes a file, or replaces it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) {
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)
        .expect("a file to write");
    file.write_all(content.as_ref()).expect("a written file");
}

/// The same for a file that is its owner's alone, as one with a password has to be.
pub fn write_private(path: &Path, content: impl AsRef<[u8]>) {
    write(path, content);
    let private = fs::Permissions::from_mode(0o600);
    fs::set_permissions(path, private).expect("a file of ours");
}

/// Reads a file.
#[track_caller]
pub fn read(path: &Path) -> Vec<u8> {
    let result = fs::read(path);
    assert!(result.is_ok(), "cannot read {}: {result:?}", path.display());
    result.unwrap_or_default()
}

/// Flips all bits of one byte in place.
pub fn flip(path: &Path, offset: u64) {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .expect("a file");
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset))
        .expect("an offset of the file");
    file.read_exact(&mut byte).expect("a byte there");
    file.seek(SeekFrom::Start(offset))
        .expect("an offset of the file");
    file.write_all(&[!byte[0]]).expect("a written byte");
}

/// Cuts a file to a length.
pub fn cut(path: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(path).expect("a file");
    file.set_len(length).expect("a shorter file");
}

/// The files of a directory whose names begin so, in order of their names; none when there is no
/// such directory.
pub fn list(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    if !directory.exists() {
        return Vec::new();
    }
    WalkDir::new(directory)
        .min_depth(1)
        .max_depth(1)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.expect("an entry").into_path())
        .filter(|path| name(path).starts_with(prefix))
        .collect()
}

/// The name of a file as text.
pub fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Copies a directory with all that is in it.
pub fn copy_directory(from: &Path, to: &Path) {
    for entry in WalkDir::new(from) {
        let entry = entry.expect("an entry");
        let target = to.join(entry.path().strip_prefix(from).expect("below it"));
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).expect("a new directory");
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Moves a file away, and gives its new path.
pub fn hide(path: &Path) -> PathBuf {
    let hidden = path.with_file_name(format!("hidden.{}", name(path)));
    fs::copy(path, &hidden).expect("a copy");
    fs::remove_file(path).expect("a removed file");
    hidden
}

/// Brings back what [`hide`] moved away.
pub fn unhide(hidden: &Path) {
    let original = name(hidden);
    let original = original.strip_prefix("hidden.").expect("a hidden file");
    fs::copy(hidden, hidden.with_file_name(original)).expect("a copy");
    fs::remove_file(hidden).expect("a removed file");
}
