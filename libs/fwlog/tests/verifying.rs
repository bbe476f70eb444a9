//! Looking at every byte of a log that somebody else has damaged.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use fwlog::{
    Begin, CommitHead, CommitNumber, Damage, DatabaseId, Durable, EnvironmentId, LogDirectory,
    LogIdentity, LogLocation, PAGE_SIZE, Position, RecordBuffer, SegmentId, SegmentStore,
    Timestamp, VerifyReport, Writer, WriterOptions, verify,
};

/// Three segments with two commits each, a block for each; the last segment is open.
fn log(directory: &Path) -> (LogLocation, Vec<Position>) {
    let location = LogLocation::parse(directory.join("fw-%N")).unwrap();
    let identity = LogIdentity {
        environment: EnvironmentId::from_bytes([9; 16]),
        instance: "alpha".to_owned(),
        page_size: u32::try_from(PAGE_SIZE).unwrap(),
    };
    let store = Arc::new(SegmentStore::at(location.clone(), 0o600));
    let options = WriterOptions {
        preallocate: 1000,
        ..WriterOptions::default()
    };
    let observer = Box::new(|_: &Durable| {});
    let writer = Writer::start(store, identity, options, Begin::Create, observer).unwrap();
    let mut starts = Vec::new();
    for number in (1..=6).map(CommitNumber::new) {
        starts.push(writer.durable().point.position);
        let mut records = RecordBuffer::new();
        let encoder = records.begin_commit(CommitHead {
            number,
            database: DatabaseId::new(1),
            time: Timestamp::now(),
            exclusive: false,
            page_count: 1,
            transaction: None,
        });
        encoder.finish();
        writer.append(records, Some((number, number))).unwrap();
        writer.wait_durable(number).unwrap();
        if number.get() % 2 == 0 && number.get() < 6 {
            writer.switch().unwrap();
        }
    }
    (location, starts)
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
