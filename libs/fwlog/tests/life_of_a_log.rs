//! A log from its creation on: written, switched, recovered, followed, mirrored.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use disk::testing::Random;
use fwlog::{
    Begin, Block, BlockDecoder, CommitHead, CommitNumber, Damage, DatabaseId, EnvironmentId,
    Follow, FollowItem, GenerationReason, LogDirectory, LogIdentity, LogLocation, LogPoint, Mirror,
    PAGE_SIZE, PageNumber, Record, RecordBuffer, RecoverOptions, Recovered, SealNewest, SegmentId,
    SegmentStore, Timestamp, Writer, WriterOptions, recover, verify,
};

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([9; 16]);

fn identity() -> LogIdentity {
    let page_size = u32::try_from(PAGE_SIZE).unwrap();
    LogIdentity {
        environment: ENVIRONMENT,
        instance: "alpha".to_owned(),
        page_size,
    }
}

fn location(directory: &Path) -> LogLocation {
    LogLocation::parse(directory.join("fw-%N")).unwrap()
}

fn store(directory: &Path) -> Arc<SegmentStore> {
    Arc::new(SegmentStore::at(location(directory), 0o600))
}

fn start(directory: &Path, begin: Begin) -> Writer {
    let options = WriterOptions {
        max_segment_size: 20_000,
        ..WriterOptions::default()
    };
    let observer = Box::new(|_: &_| {});
    Writer::start(store(directory), identity(), options, begin, observer).unwrap()
}

fn commit(writer: &Writer, number: u64) {
    // A page that does not compress: four of them and the segment is full.
    let mut image = [0; PAGE_SIZE];
    let mut random = Random::new(number);
    image.fill_with(|| random.next().to_le_bytes()[0]);
    let mut records = RecordBuffer::new();
    let mut encoder = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database: DatabaseId::new(1),
        time: Timestamp::now(),
        exclusive: false,
        page_count: 9,
        transaction: None,
    });
    encoder.page_full(PageNumber::new(1), &image);
    encoder.finish();
    let number = CommitNumber::new(number);
    writer.append(records, Some((number, number))).unwrap();
    writer.wait_durable(number).unwrap();
}

fn recover_all(directory: &Path, seal: SealNewest) -> (Recovered, Vec<u64>) {
    let mut commits = Vec::new();
    let options = RecoverOptions {
        from: None,
        seal,
        discard_behind: None,
    };
    let mut on_block = |block: &Block| {
        for record in BlockDecoder::new().records(block)? {
            if let Record::Commit(commit) = record? {
                commits.push(commit.number.get());
            }
        }
        Ok(())
    };
    let recovered = recover(store(directory).as_ref(), options, &mut on_block).unwrap();
    (recovered, commits)
}

fn next_segment(recovered: &Recovered) -> Begin {
    Begin::NextSegment {
        after: recovered.durable(),
    }
}

/// A log of three generations: created, grown over several segments, switched, left open by a
/// crash, closed in good order.
fn write_three_generations(directory: &Path) {
    let writer = start(directory, Begin::Create);
    (1..=20).for_each(|number| commit(&writer, number));
    writer.switch().unwrap();
    commit(&writer, 21);
    let second = writer.new_generation(GenerationReason::Enable).unwrap();
    assert_eq!(second, SegmentId::new(2, 1));
    (22..=30).for_each(|number| commit(&writer, number));
    drop(writer);

    let (recovered, commits) = recover_all(directory, SealNewest::Yes);
    assert_eq!(commits, (1..=30).collect::<Vec<_>>());
    assert!(recovered.sealed && recovered.cut.is_none());
    let writer = start(directory, next_segment(&recovered));
    (31..=40).for_each(|number| commit(&writer, number));
    writer.close().unwrap();

    let (recovered, commits) = recover_all(directory, SealNewest::Yes);
    assert_eq!(commits, (1..=40).collect::<Vec<_>>());
    let after = recovered.durable();
    let reason = GenerationReason::Promote;
    let writer = start(directory, Begin::NewGeneration { reason, after });
    (41..=45).for_each(|number| commit(&writer, number));
    writer.close().unwrap();
}

/// Sends what there is from the mirror's end on.
fn ship(from: &Path, mirror: &mut Mirror) {
    let at = mirror.received().map_or(LogPoint::ORIGIN, |end| end.point);
    let mut follow = Follow::start(location(from), at).unwrap();
    follow.set_batch(6000);
    loop {
        match follow.next().unwrap() {
            FollowItem::Segment { header_bytes, .. } => {
                mirror.segment(&header_bytes).unwrap();
            }
            FollowItem::Blocks {
                bytes,
                last,
                last_commit,
                log_bytes,
                ..
            } => {
                mirror.blocks(&bytes).unwrap();
                let received = mirror.received().unwrap();
                assert_eq!((received.point, received.commit), (last, last_commit));
                assert_eq!(received.log_bytes, log_bytes);
            }
            FollowItem::Seal { bytes } => {
                mirror.seal(&bytes).unwrap();
            }
            FollowItem::UpToDate(durable) => {
                assert_eq!(mirror.sync().unwrap(), Some(durable));
                return;
            }
            FollowItem::Until(_) => unreachable!("no time was set"),
        }
    }
}

fn assert_same_files(one: &Path, other: &Path) {
    let segments = LogDirectory::scan(&location(one)).unwrap();
    assert!(segments.segments().len() > 6);
    for info in segments.segments() {
        let copy = other.join(info.path.file_name().unwrap());
        assert!(
            fs::read(&info.path).unwrap() == fs::read(copy).unwrap(),
            "{}",
            info.id
        );
    }
}

#[test]
fn a_log_is_followed_through_all_its_generations() {
    let (master, slave) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_three_generations(master.path());
    let report = verify(
        &LogDirectory::scan(&location(master.path())).unwrap(),
        &mut |_| {},
    );
    let report = report.unwrap();
    assert_eq!(
        (report.findings, report.torn, report.commits),
        (Vec::new(), None, 45)
    );

    let mut mirror = Mirror::open(store(slave.path()), ENVIRONMENT, 1 << 16, None).unwrap();
    ship(master.path(), &mut mirror);
    assert_same_files(master.path(), slave.path());
}

#[test]
fn a_slave_goes_on_where_it_was_stopped_and_ends_with_the_same_files() {
    let (master, slave) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let writer = start(master.path(), Begin::Create);
    let mut mirror = Mirror::open(store(slave.path()), ENVIRONMENT, 1 << 16, None).unwrap();
    for number in 1..=40 {
        commit(&writer, number);
        if number % 3 == 0 {
            ship(master.path(), &mut mirror);
        }
        if number % 9 == 0 {
            drop(mirror);
            let (recovered, commits) = recover_all(slave.path(), SealNewest::No);
            assert_eq!(commits, (1..=number).collect::<Vec<_>>());
            let store = store(slave.path());
            mirror = Mirror::open(store, ENVIRONMENT, 1 << 16, Some(&recovered)).unwrap();
        }
    }
    writer.close().unwrap();
    ship(master.path(), &mut mirror);
    drop(mirror);
    assert_same_files(master.path(), slave.path());

    // A copy of a cleanly stopped master stands at the end of a sealed segment.
    let (recovered, _) = recover_all(slave.path(), SealNewest::No);
    assert!(recovered.sealed);
    let (at_master, _) = recover_all(master.path(), SealNewest::Yes);
    let writer = start(master.path(), next_segment(&at_master));
    commit(&writer, 41);
    let store = store(slave.path());
    let mut mirror = Mirror::open(store, ENVIRONMENT, 0, Some(&recovered)).unwrap();
    ship(master.path(), &mut mirror);
    assert_eq!(mirror.durable(), Some(writer.durable()));
}

#[test]
fn the_time_of_the_next_commit_is_found_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    write_three_generations(folder.path());
    let log = LogDirectory::scan(&location(folder.path())).unwrap();
    let end = recover_all(folder.path(), SealNewest::Yes).0.end.position;
    let mut follow = Follow::start(location(folder.path()), LogPoint::ORIGIN).unwrap();
    follow.set_batch(1);
    let (mut before, mut found) = (LogPoint::ORIGIN.position, 0);
    loop {
        match follow.next().unwrap() {
            FollowItem::Blocks { bytes, last, .. } => {
                let head = fwlog::BlockHead::decode(&bytes).unwrap();
                if head.first_commit <= head.last_commit {
                    // From the block before, which may be in an earlier segment.
                    let time = log.commit_time_behind(before, end).unwrap();
                    assert_eq!(time, Some(head.time), "behind {before}");
                    found += 1;
                    before = last.position;
                }
            }
            FollowItem::UpToDate(_) => break,
            _ => {}
        }
    }
    assert_eq!(found, 45);
    assert_eq!(log.commit_time_behind(end, end).unwrap(), None);
    let gone = fwlog::Position::new(SegmentId::new(7, 1), 128);
    assert_eq!(log.commit_time_behind(gone, end).unwrap(), None);
}

#[test]
fn a_time_without_forward_logging_is_no_damage_and_a_lost_segment_is() {
    let (folder, journal) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let logged = start(folder.path(), Begin::Create);
    commit(&logged, 1);
    let after = logged.close().unwrap();
    let off = start(journal.path(), Begin::NextSegment { after });
    commit(&off, 2);
    let after = off.close().unwrap();
    let reason = GenerationReason::Enable;
    let again = start(folder.path(), Begin::NewGeneration { reason, after });
    commit(&again, 3);
    again.switch().unwrap();
    commit(&again, 4);
    again.close().unwrap();
    let seen = || {
        let log = LogDirectory::scan(&location(folder.path())).unwrap();
        let report = verify(&log, &mut |_| ()).unwrap();
        let kinds = |findings: &[fwlog::Finding]| -> Vec<_> {
            let kinds = findings.iter().map(|finding| finding.kind.clone());
            kinds.collect()
        };
        (kinds(&report.was_off), kinds(&report.findings))
    };
    let after = SegmentId::FIRST;
    assert_eq!(seen(), (vec![Damage::WasOff { after }], vec![]));
    fs::remove_file(location(folder.path()).path(SegmentId::new(2, 1))).unwrap();
    let missing = SegmentId::new(1, 2);
    assert_eq!(seen(), (vec![], vec![Damage::Missing { after, missing }]));
}

#[test]
fn bytes_that_may_have_been_acknowledged_are_cut_with_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let writer = start(folder.path(), Begin::Create);
    (1..=3).for_each(|number| commit(&writer, number));
    let second = writer.durable().point.position;
    drop(writer);
    let path = location(folder.path()).path(second.segment);
    let good = fs::read(&path).unwrap();
    // Blocks have a page each: the second one is damaged on the disk, and fw.position is of long ago.
    let damage = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes.extend([0; 4096]);
        let disk = disk::Disk::real();
        disk.write_atomic(&path, &bytes, 0o600).unwrap();
        disk.remove_if_there(&store(folder.path()).position_path())
            .unwrap();
    };
    let block = (good.len().min(usize::try_from(second.offset).unwrap()) - 128) / 3;
    damage(128 + block + block / 2);
    let (recovered, commits) = recover_all(folder.path(), SealNewest::No);
    let cut = recovered.cut.unwrap();
    assert_eq!(commits, [1]);
    assert!(cut.may_be_acknowledged);
    let kept = fs::read(cut.kept.unwrap()).unwrap();
    assert_eq!(kept.len() as u64, cut.bytes);
    let start = usize::try_from(cut.at.offset).unwrap();
    let (same, unused) = good[start..].split_at(kept.len());
    assert_eq!(same[block..], kept[block..]);
    assert!(unused.iter().all(|byte| *byte == 0), "without unused space");
    // The last block alone is what a crash leaves.
    damage(128 + 2 * block + block / 2);
    let (recovered, commits) = recover_all(folder.path(), SealNewest::No);
    let cut = recovered.cut.unwrap();
    assert_eq!(commits, [1, 2]);
    assert!(!cut.may_be_acknowledged && cut.kept.is_none());
    let rest = second.offset - cut.at.offset;
    assert!(cut.bytes <= rest, "unused space is not counted: {cut:?}");
}
