//! Looking at every byte of a log that somebody else has damaged.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use common::real::{commit, location, start};
use fwlog::{Damage, LogDirectory, LogLocation, Position, SegmentId, VerifyReport, verify};

/// Three segments with two commits each, a block for each; the last segment is open.
fn log(directory: &Path) -> (LogLocation, Vec<Position>) {
    let writer = start(directory);
    let mut starts = Vec::new();
    for _ in 0..6 {
        starts.push(writer.durable().point.position);
        let number = commit(&writer).unwrap();
        if number.get().is_multiple_of(2) && number.get() < 6 {
            writer.switch().unwrap();
        }
    }
    (location(directory), starts)
}

fn damage(location: &LogLocation, at: Position) {
    let file = OpenOptions::new()
        .write(true)
        .open(location.path(at.segment))
        .unwrap();
    file.write_all_at(b"?!", at.offset + 20).unwrap();
}

fn report(location: &LogLocation) -> VerifyReport {
    let mut blocks_seen = 0;
    let log = LogDirectory::scan(location).unwrap();
    let report = verify(&log, &mut |report| blocks_seen = report.blocks).unwrap();
    assert_eq!(blocks_seen, report.blocks);
    report
}

#[test]
fn damage_is_found_where_it_is_and_the_segments_behind_it_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let (location, starts) = log(directory.path());
    assert_eq!(report(&location).commits, 6);
    damage(&location, starts[2]);
    let report = report(&location);
    assert_eq!(report.commits, 4);
    let [finding] = report.findings.as_slice() else {
        unreachable!("one segment is damaged: {:?}", report.findings)
    };
    assert_eq!(finding.position, starts[2]);
    assert_eq!(finding.path, location.path(SegmentId::new(1, 2)));
    assert_eq!(finding.kind, Damage::Checksum("block head"));
}

#[test]
fn a_torn_tail_of_the_newest_segment_is_told_apart_from_damage() {
    let directory = tempfile::tempdir().unwrap();
    let (location, starts) = log(directory.path());
    damage(&location, starts[5]);
    let report = report(&location);
    assert_eq!((report.commits, report.findings), (5, Vec::new()));
    assert_eq!(report.torn.unwrap().position, starts[5]);
}

#[test]
fn a_missing_segment_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let (location, _) = log(directory.path());
    disk::Disk::real()
        .remove(&location.path(SegmentId::new(1, 2)))
        .unwrap();
    let report = report(&location);
    assert_eq!(report.commits, 4);
    let [finding] = report.findings.as_slice() else {
        unreachable!("there is one gap: {:?}", report.findings)
    };
    assert_eq!(finding.position, Position::new(SegmentId::new(1, 3), 0));
}
