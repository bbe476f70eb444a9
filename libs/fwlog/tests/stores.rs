//! What the store promises to the owner of a log, on a real disk and on a simulated one.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use disk::testing::{Fault, Kind, SimulatedDisk};
use fwlog::{LogLocation, SegmentId, SegmentStore};

const ONE: SegmentId = SegmentId::new(1, 1);
const TEN: SegmentId = SegmentId::new(1, 10);
const NEXT: SegmentId = SegmentId::new(2, 1);

fn location(directory: &Path) -> LogLocation {
    LogLocation::parse(directory.join("fw-%N")).unwrap()
}

/// Gives an empty store on each kind of disk to `check`.
fn on_each_disk(check: impl Fn(&SegmentStore)) {
    let directory = tempfile::tempdir().unwrap();
    check(&SegmentStore::at(location(directory.path()), 0o600));
    let disk = SimulatedDisk::new(1).process().disk();
    check(&SegmentStore::at(location(Path::new("/")).on(disk), 0o600));
}

fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn segments_are_listed_in_the_order_of_the_log() {
    on_each_disk(|store| {
        assert!(store.list().unwrap().is_empty());
        for id in [NEXT, TEN, ONE] {
            store.create(id, b"header").unwrap();
        }
        store.sync_names().unwrap();
        assert_eq!(store.list().unwrap(), [ONE, TEN, NEXT]);
        assert_ne!(store.path(ONE), store.path(TEN));
    });
}

#[test]
fn a_segment_is_never_made_twice() {
    on_each_disk(|store| {
        store.create(ONE, b"first").unwrap();
        let again = store.create(ONE, b"other");
        assert_eq!(kind(again), Some(io::ErrorKind::AlreadyExists));
        let mut content = [0; 8];
        let file = store.open_to_read(ONE).unwrap();
        assert_eq!(file.read_at(0, &mut content).unwrap(), 5);
        assert_eq!(&content, b"first\0\0\0");
    });
}

#[test]
fn what_one_open_file_writes_another_one_sees() {
    on_each_disk(|store| {
        let file = store.create(ONE, b"header").unwrap();
        file.write_at(6, b"+block").unwrap();
        file.sync().unwrap();
        store.open(ONE).unwrap().write_at(0, b"HEAD").unwrap();
        let mut content = [0; 100];
        assert_eq!(file.read_at(0, &mut content).unwrap(), 12);
        assert!(content.starts_with(b"HEADer+block"));
        assert_eq!(kind(store.open(TEN)), Some(io::ErrorKind::NotFound));
    });
}

#[test]
fn the_position_is_rewritten_in_place() {
    on_each_disk(|store| {
        assert_eq!(store.read_position().unwrap(), None);
        store.write_position(b"one").unwrap();
        store.write_position(b"two").unwrap();
        assert_eq!(store.read_position().unwrap().unwrap(), b"two");
        assert!(store.list().unwrap().is_empty());
    });
}

/// Another sync after one that failed would say that all is well, though the file may have fallen back.
#[test]
fn a_position_whose_sync_has_failed_is_written_again() {
    let at = |disk| SegmentStore::at(location(Path::new("/")).on(disk), 0o600);
    let again: [fn(&SegmentStore); 2] = [
        |store| store.settle_position().unwrap(),
        |store| assert!(!store.keep_position().unwrap(), "it has its name"),
    ];
    let mut fallen_back = 0;
    for (seed, again) in (0..20).flat_map(|seed| again.map(|again| (seed, again))) {
        let machine = SimulatedDisk::new(seed);
        let store = at(machine.process().disk());
        store.settle_position().unwrap();
        store.write_position(b"older").unwrap();
        store.sync_names().unwrap();
        store.settle_position().unwrap();
        store.write_position(b"newer").unwrap();
        machine.fail(Fault::after(0).of(&[Kind::Sync]));
        store.settle_position().unwrap_err();
        machine.mend();
        machine.evict();
        // A sync that fails may have done its work.
        fallen_back += u32::from(store.read_position().unwrap().unwrap() == b"older");
        again(&store);
        assert_eq!(store.read_position().unwrap().unwrap(), b"newer");
        store.settle_position().unwrap();
        let later = at(machine.after_power_cut(0).process().disk());
        assert_eq!(later.read_position().unwrap().unwrap(), b"newer");
        // Another owner, who has not written it yet.
        later.settle_position().unwrap();
    }
    assert_ne!(fallen_back, 0);
}

#[test]
fn a_removed_segment_is_gone_and_may_be_made_anew() {
    on_each_disk(|store| {
        store.create(ONE, b"1").unwrap();
        store.create(TEN, b"2").unwrap();
        store.remove(ONE).unwrap();
        assert_eq!(store.list().unwrap(), [TEN]);
        assert_eq!(kind(store.remove(ONE)), Some(io::ErrorKind::NotFound));
        store.create(ONE, b"anew").unwrap();
        assert_eq!(store.list().unwrap(), [ONE, TEN]);
    });
}

#[test]
fn all_files_have_the_mode_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let store = SegmentStore::at(location(directory.path()), 0o640);
    store.create(ONE, b"header").unwrap();
    store.write_position(b"position").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.path(ONE)), 0o640);
    assert_eq!(mode(store.position_path()), 0o640);
}

#[test]
fn a_segment_that_a_crash_left_half_made_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let store = SegmentStore::at(location(directory.path()), 0o600);
    let left = directory.path().join("fw-1-1.new");
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&left)
        .unwrap();
    assert!(store.list().unwrap().is_empty());
    store.create(ONE, b"header").unwrap();
    assert!(!left.exists());
}
