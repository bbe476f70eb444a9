//! What goes on with blocks, and what a sync that is on its way makes durable.

use std::ops::RangeInclusive;

use disk::testing::SimulatedDisk;

use super::*;
use crate::{
    Begin, CommitHead, DatabaseId, Follow, FollowItem, LogIdentity, LogLocation, PAGE_SIZE,
    PageNumber, RecordBuffer, Timestamp, Writer, WriterOptions,
};

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([9; 16]);

fn location(machine: &SimulatedDisk) -> LogLocation {
    let location = LogLocation::parse("/fw-%N").unwrap();
    location.on(machine.process().disk())
}

/// A commit with so many pages that compress to nearly nothing.
fn commit(number: u64, pages: u32) -> RecordBuffer {
    let mut records = RecordBuffer::new();
    let mut encoder = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database: DatabaseId::new(1),
        time: Timestamp::from_micros(number),
        exclusive: false,
        page_count: pages,
        transaction: None,
    });
    for page in 1..=pages {
        encoder.page_full(PageNumber::new(page), &[7; PAGE_SIZE]);
    }
    encoder.finish();
    records
}

fn store(machine: &SimulatedDisk) -> Arc<SegmentStore> {
    Arc::new(SegmentStore::at(location(machine), 0o600))
}

fn writer(machine: &SimulatedDisk) -> Writer {
    let identity = LogIdentity {
        environment: ENVIRONMENT,
        instance: "alpha".to_owned(),
        page_size: 4096,
    };
    Writer::driven(
        store(machine),
        identity,
        WriterOptions::default(),
        Begin::Create,
        Box::new(|_: &_| {}),
    )
    .unwrap()
}

/// Commits these, each in a block of its own.
fn write(writer: &Writer, numbers: RangeInclusive<u64>) {
    for number in numbers {
        let commit_number = CommitNumber::new(number);
        let records = commit(number, 100);
        writer
            .append(records, Some((commit_number, commit_number)))
            .unwrap();
        writer.wait_durable(commit_number).unwrap();
    }
}

fn blocks(follow: &mut Follow) -> Bytes {
    match follow.next().unwrap() {
        FollowItem::Blocks { bytes, .. } => bytes,
        other => unreachable!("{other:?}"),
    }
}

/// A mirror on its own disk that has the first segment's header.
fn begun(follow: &mut Follow, slave: &SimulatedDisk) -> Mirror {
    let mut mirror = Mirror::open(store(slave), ENVIRONMENT, 0, None).unwrap();
    let FollowItem::Segment { header_bytes, .. } = follow.next().unwrap() else {
        unreachable!("a segment begins");
    };
    mirror.segment(&header_bytes).unwrap();
    mirror
}

#[test]
fn records_go_on_with_their_blocks_up_to_a_limit() {
    let (master, slave) = (SimulatedDisk::new(1), SimulatedDisk::new(2));
    write(&writer(&master), 1..=8);
    let mut follow = Follow::start(location(&master), LogPoint::ORIGIN).unwrap();
    let mut mirror = begun(&mut follow, &slave);
    let blocks = mirror.blocks(&blocks(&mut follow)).unwrap().blocks;
    let kept = blocks.iter().flat_map(|block| &block.records);
    let kept: usize = kept.map(Bytes::len).sum();
    assert!((1..=KEPT_RECORDS).contains(&kept), "{kept}");
    assert!(blocks.iter().any(|block| block.records.is_none()));
    let mut decoder = BlockDecoder::new();
    let last = blocks.last().unwrap();
    assert_eq!(last.head.last_commit, CommitNumber::new(8));
    for block in &blocks {
        let records = decoder.records(block).unwrap();
        assert!(records.into_iter().all(|record| record.is_ok()));
    }
}

#[test]
fn what_is_taken_while_a_sync_is_on_its_way_needs_the_next_one() {
    let (master, slave) = (SimulatedDisk::new(1), SimulatedDisk::new(2));
    let writer = writer(&master);
    write(&writer, 1..=1);
    let mut follow = Follow::start(location(&master), LogPoint::ORIGIN).unwrap();
    let mut mirror = begun(&mut follow, &slave);
    mirror.blocks(&blocks(&mut follow)).unwrap();
    let sync = mirror.begin_sync().unwrap().unwrap();
    write(&writer, 2..=2);
    mirror.blocks(&blocks(&mut follow)).unwrap();
    let durable = mirror.end_sync(&sync, sync.run()).unwrap();
    assert_eq!(durable.commit, CommitNumber::new(1));
    assert_eq!(mirror.received().unwrap().commit, CommitNumber::new(2));
    assert_eq!(mirror.sync().unwrap(), Some(writer.durable()));
    assert!(mirror.begin_sync().unwrap().is_none());
}

#[test]
fn a_sync_that_failed_on_its_way_is_the_end_of_the_mirror() {
    let (master, slave) = (SimulatedDisk::new(1), SimulatedDisk::new(2));
    write(&writer(&master), 1..=1);
    let mut follow = Follow::start(location(&master), LogPoint::ORIGIN).unwrap();
    let mut mirror = begun(&mut follow, &slave);
    mirror.blocks(&blocks(&mut follow)).unwrap();
    let before = mirror.durable();
    let sync = mirror.begin_sync().unwrap().unwrap();
    let failed = IoFailure::new("sync", &sync.path, &io::Error::other("a bad sector"));
    assert!(mirror.end_sync(&sync, Err(failed)).is_err());
    assert!(mirror.failure().is_some());
    assert!(mirror.sync().is_err(), "a later sync tells nothing");
    assert_eq!(mirror.durable(), before);
}

#[test]
fn a_log_of_audit_records_is_no_log_for_a_slave_nor_for_recovery() {
    let master = SimulatedDisk::new(1);
    let audit = SegmentStore::at(location(&master), 0o600).of_audit();
    let identity = LogIdentity {
        environment: ENVIRONMENT,
        instance: "alpha".to_owned(),
        page_size: 4096,
    };
    let (options, begin) = (WriterOptions::default(), Begin::Create);
    let writer = Writer::driven(Arc::new(audit), identity, options, begin, Box::new(|_| {}));
    writer.unwrap().close().unwrap();
    let wrong = Damage::OtherKind(crate::LogKind::Audit);
    let path = location(&master).path(SegmentId::FIRST);
    let header = SegmentReader::open(&location(&master).disk, &path).unwrap();
    let slave = store(&SimulatedDisk::new(2));
    let mut mirror = Mirror::open(slave, ENVIRONMENT, 0, None).unwrap();
    let refused = mirror.segment(&header.header_bytes());
    assert!(matches!(refused, Err(MirrorError::Refused { why, .. }) if why == wrong));
    let opened = SegmentReader::open_in(&store(&master), SegmentId::FIRST);
    let refused = opened.err().unwrap();
    assert!(matches!(&refused, crate::ReadError::Corrupt { kind, .. } if *kind == wrong));
    assert!(refused.to_string().contains("AuditOnly"), "{refused}");
}
