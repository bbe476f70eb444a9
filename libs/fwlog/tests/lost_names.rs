//! Somebody removes, renames or replaces files of a log that is being written.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::real::{commit, location, start};
use common::{ENVIRONMENT, WHOLE};
use fwlog::{
    CommitNumber, DurableEnd, Follow, FollowError, FollowItem, LogDirectory, LogPoint, Mirror,
    POSITION_FILE, SegmentStore, WriterError, recover,
};

/// The newest commit that a recovery of the files finds, as after a crash at this moment.
fn after_a_crash(directory: &Path) -> CommitNumber {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let store = SegmentStore::at(location(copy.path()), 0o600);
    recover(&store, WHOLE, &mut |_| Ok(())).unwrap().last_commit
}

#[test]
fn a_commit_is_acknowledged_only_when_the_segment_has_its_name_again() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let path = directory.path().join("fw-1-1");
    for take_away in [
        |path: &Path| fs::remove_file(path).unwrap(),
        |path: &Path| {
            let content = fs::read(path).unwrap();
            fs::remove_file(path).unwrap();
            disk::Disk::real()
                .write_atomic(path, &content[..200], 0o600)
                .unwrap();
        },
        |path: &Path| {
            disk::Disk::real()
                .rename(path, &path.with_extension("bak"))
                .unwrap();
        },
    ] {
        commit(&writer).unwrap();
        take_away(&path);
        let last = commit(&writer).unwrap();
        assert_eq!(after_a_crash(directory.path()), last);
        assert_eq!(writer.take_restored(), std::slice::from_ref(&path));
    }
    // What was put in its place is kept.
    assert_eq!(
        fs::read(directory.path().join("fw-1-1.aside"))
            .unwrap()
            .len(),
        200
    );
    writer.close().unwrap();
    let segments = LogDirectory::scan(&location(directory.path())).unwrap();
    assert!(segments.segments()[0].sealed.is_some());
}

#[test]
fn an_idle_log_is_looked_after_too() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let last = commit(&writer).unwrap();
    writer.look_after_files().unwrap();
    assert!(writer.take_restored().is_empty());
    let position = directory.path().join(POSITION_FILE);
    let before = fs::read(&position).unwrap();
    fs::remove_file(directory.path().join("fw-1-1")).unwrap();
    fs::remove_file(&position).unwrap();
    writer.look_after_files().unwrap();
    assert_eq!(writer.take_restored().len(), 2);
    assert_eq!(fs::read(&position).unwrap(), before);
    assert_eq!(after_a_crash(directory.path()), last);
}

#[test]
fn a_segment_that_is_sealed_without_its_name_gets_that_back_with_the_seal() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    commit(&writer).unwrap();
    fs::remove_file(directory.path().join("fw-1-1")).unwrap();
    writer.switch().unwrap();
    let last = commit(&writer).unwrap();
    assert_eq!(after_a_crash(directory.path()), last);
}

#[test]
fn without_its_directory_the_log_fails_and_acknowledges_nothing() {
    let parent = tempfile::tempdir().unwrap();
    let (directory, away) = (parent.path().join("log"), parent.path().join("away"));
    fs::create_dir(&directory).unwrap();
    let writer = start(&directory);
    let last = commit(&writer).unwrap();
    let moved = std::process::Command::new("mv")
        .arg(&directory)
        .arg(&away)
        .status();
    assert!(moved.unwrap().success());
    let Err(WriterError::Io(failure)) = commit(&writer) else {
        unreachable!("there is no directory")
    };
    assert_eq!(failure.kind, std::io::ErrorKind::NotFound);
    assert!(failure.to_string().contains("log/fw-1-1"), "{failure}");
    assert_eq!(writer.durable().commit, last);
    assert!(writer.look_after_files().is_err());
}

#[test]
fn a_follower_goes_on_in_the_segment_that_was_written_once_more() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    commit(&writer).unwrap();
    let mut follow = Follow::start(location(directory.path()), LogPoint::ORIGIN).unwrap();
    while !matches!(follow.next().unwrap(), FollowItem::UpToDate(_)) {}
    fs::remove_file(directory.path().join("fw-1-1")).unwrap();
    let last = commit(&writer).unwrap();
    let FollowItem::Blocks { last_commit, .. } = follow.next().unwrap() else {
        unreachable!("a block was committed")
    };
    assert_eq!(last_commit, last);
    // The writer is gone and so is the name: what is open can still be read to its end.
    fs::remove_file(directory.path().join("fw-1-1")).unwrap();
    assert!(matches!(follow.next().unwrap(), FollowItem::UpToDate(_)));
}

/// What a follower says that has read one log when another one is there by the same names.
#[track_caller]
fn after_another_log(commits_there: usize) {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("log");
    let make = |commits: usize| {
        fs::create_dir(&place).unwrap();
        let writer = start(&place);
        for _ in 0..commits {
            commit(&writer).unwrap();
        }
        writer
    };
    let first = make(2);
    let mut follow = Follow::start(location(&place), LogPoint::ORIGIN).unwrap();
    follow.names_are_watched();
    while !matches!(follow.next().unwrap(), FollowItem::UpToDate(_)) {}
    let moved = std::process::Command::new("mv")
        .arg(&place)
        .arg(folder.path().join("old"))
        .status();
    assert!(moved.unwrap().success());
    drop(first);
    drop(make(commits_there));
    follow.names_changed();
    assert_eq!(follow.next(), Err(FollowError::Replaced(place)));
}

#[test]
fn a_follower_says_when_another_log_has_the_names() {
    for commits in [1, 2, 5] {
        after_another_log(commits);
    }
}

#[test]
fn a_mirror_keeps_the_name_of_its_segment() {
    let (master, slave) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let writer = start(master.path());
    let store = Arc::new(SegmentStore::at(location(slave.path()), 0o600));
    let mut mirror = Mirror::open(store, ENVIRONMENT, 0, None).unwrap();
    let mut follow = Follow::start(location(master.path()), LogPoint::ORIGIN).unwrap();
    for _ in 0..3 {
        let last = commit(&writer).unwrap();
        loop {
            match follow.next().unwrap() {
                FollowItem::Segment { header_bytes, .. } => {
                    mirror.segment(&header_bytes).unwrap();
                }
                FollowItem::Blocks { bytes, .. } => {
                    mirror.blocks(&bytes).unwrap();
                }
                _ => break,
            }
        }
        fs::remove_file(slave.path().join("fw-1-1")).unwrap();
        mirror.sync().unwrap();
        assert_eq!(mirror.take_restored().len(), 1);
        assert_eq!(after_a_crash(slave.path()), last);
        fs::remove_file(slave.path().join("fw-1-1")).unwrap();
        fs::remove_file(slave.path().join(POSITION_FILE)).unwrap();
        mirror.look_after_files().unwrap();
        assert_eq!(mirror.take_restored().len(), 2);
        assert_eq!(after_a_crash(slave.path()), last);
    }
}

#[test]
fn readers_learn_that_forward_logging_was_switched_off() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    commit(&writer).unwrap();
    let mut follow = Follow::start(location(directory.path()), LogPoint::ORIGIN).unwrap();
    while !matches!(follow.next().unwrap(), FollowItem::UpToDate(_)) {}
    assert!(!follow.switched_off());
    let end = DurableEnd {
        environment: ENVIRONMENT,
        durable: writer.close().unwrap(),
        switched_off: true,
        stopped: false,
    };
    let path = directory.path().join(POSITION_FILE);
    disk::Disk::real()
        .write_atomic(&path, &end.encode(), 0o600)
        .unwrap();
    while !matches!(follow.next().unwrap(), FollowItem::UpToDate(_)) {}
    assert!(follow.switched_off());
}
