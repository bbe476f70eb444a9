//! Runs the conversations in `testdata/`. A line that begins with `> ` is what happens to one side;
//! the lines up to the next one are what that side does. `UPDATE_TRANSCRIPTS=1` rewrites the files;
//! the difference is then to be reviewed.

#![expect(clippy::unwrap_used, reason = "a test that can't read its files fails")]

#[cfg(test)]
mod transcript;

use std::fs;
use std::path::{Path, PathBuf};

use transcript::receiver::ReceiverSide;
use transcript::shipper::ShipperSide;

fn files(prefix: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(prefix)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no transcripts {prefix}*");
    files
}

/// Answers every command of a file; compares with what the file says, or writes it.
fn run(path: &Path, mut side: impl FnMut(&str) -> Vec<String>) {
    let text = fs::read_to_string(path).unwrap();
    let mut actual = Vec::new();
    for line in text.lines() {
        let Some(command) = line.strip_prefix("> ") else {
            if line.starts_with('#') || line.is_empty() {
                actual.push(line.to_owned());
            }
            continue;
        };
        actual.push(line.to_owned());
        for answer in side(command) {
            actual.push(format!("  {answer}"));
        }
    }
    let actual = actual.join("\n") + "\n";
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        disk::Disk::real()
            .write_atomic(path, actual.as_bytes(), 0o644)
            .unwrap();
    }
    let expected = fs::read_to_string(path).unwrap();
    assert!(
        expected == actual,
        "{} says\n{expected}\nwhat happened is\n{actual}",
        path.display()
    );
}

#[test]
fn the_source_does_what_its_transcripts_say() {
    for path in files("shipper-") {
        let mut side = ShipperSide::default();
        run(&path, |command| side.run(command));
    }
}

#[test]
fn the_slave_does_what_its_transcripts_say() {
    for path in files("receiver-") {
        let mut side = ReceiverSide::default();
        run(&path, |command| side.run(command));
    }
}
