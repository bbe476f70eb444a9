//! What servers tell each other of forks and of what was lost behind them: files beside the log, and texts in messages.

use std::fmt::{Debug, Display};
use std::path::Path;
use std::str::FromStr;

use dbserver::databases::fence::Fence;
use disk::Disk;
use fwlog::{LostFork, LostForkId, LostForks, SettledForks};

use super::choices::Choices;

/// Takes the first byte as what the others are.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let is_file = choices.flag();
    let rest = choices.rest();
    if is_file {
        let Ok(folder) = tempfile::tempdir() else {
            return;
        };
        told(folder.path(), rest);
    } else if let Ok(text) = std::str::from_utf8(rest) {
        reads_back::<LostFork>(text);
        reads_back::<LostForkId>(text);
        reads_back::<Fence>(text);
    }
}

/// Files beside the log, whose hash is right.
fn told(folder: &Path, body: &[u8]) {
    let hash = format!("blake3 = {}\n", blake3::hash(body).to_hex());
    let path = folder.join("told");
    let disk = Disk::real();
    let content = [body, hash.as_bytes()].concat();
    if disk.write_atomic(&path, &content, 0o600).is_err() {
        return;
    }
    if let Ok(Some(forks)) = LostForks::read(&disk, &path) {
        forks.write(&disk, &path, 0o600).expect("a disk");
        let again = LostForks::read(&disk, &path).expect("what was written");
        assert_eq!(again, Some(forks));
    }
    if let Ok(Some(forks)) = SettledForks::read(&disk, &path) {
        forks.write(&disk, &path, 0o600).expect("a disk");
        let again = SettledForks::read(&disk, &path).expect("what was written");
        assert_eq!(again, Some(forks));
    }
}

fn reads_back<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let again = value.to_string().parse::<T>();
        assert_eq!(again.ok(), Some(value));
    }
}
