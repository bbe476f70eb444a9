//! The conformance suite, on every store there is.

use std::os::unix::fs::PermissionsExt;

use fwlog::testing::{CrashStore, store_suite};
use fwlog::{FsStore, SegmentId, SegmentNaming, SegmentStore};

#[test]
fn the_file_system_is_a_store() {
    let mut directories = Vec::new();
    store_suite(&mut || {
        let directory = tempfile::tempdir().unwrap();
        let naming = SegmentNaming::parse("fw-%N").unwrap();
        let store = FsStore::new(directory.path(), naming, 0o600);
        directories.push(directory);
        Box::new(store)
    })
    .unwrap();
}

#[test]
fn the_disk_that_forgets_is_a_store() {
    store_suite(&mut || Box::new(CrashStore::new())).unwrap();
}

#[test]
fn all_files_have_the_mode_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let naming = SegmentNaming::parse("fw-%N").unwrap();
    let store = FsStore::new(directory.path(), naming, 0o640);
    store.create(SegmentId::FIRST, b"header").unwrap();
    store.write_position(b"position").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path(SegmentId::FIRST)), 0o640);
    assert_eq!(mode(store.position_path()), 0o640);
}

#[test]
fn a_segment_that_a_crash_left_half_made_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let naming = SegmentNaming::parse("fw-%N").unwrap();
    let store = FsStore::new(directory.path(), naming, 0o600);
    let left = directory.path().join("fw-1-1.new");
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&left)
        .unwrap();
    assert!(store.list().unwrap().is_empty());
    store.create(SegmentId::FIRST, b"header").unwrap();
    assert!(!left.exists());
}
