//! Following a log: where it begins, how far it goes, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use common::ENVIRONMENT;
use common::real::{self, location, start};
use fwlog::{
    ChainHash, Damage, DurableEnd, Follow, FollowError, FollowItem, GenerationReason, LogDirectory,
    LogPoint, Mirror, MirrorError, NoSyncPoint, Position, SegmentId, SegmentStore, Writer, hash_at,
};

/// Commits one transaction; gives the border behind it.
fn commit(writer: &Writer) -> LogPoint {
    real::commit(writer).unwrap();
    writer.durable().point
}

fn follow(directory: &Path, at: LogPoint) -> Result<Follow, FollowError> {
    Follow::start(location(directory), at)
}

fn refusal(directory: &Path, at: LogPoint) -> NoSyncPoint {
    match follow(directory, at) {
        Err(FollowError::NoSynchronizationPoint { why }) => why,
        other => unreachable!("{other:?}"),
    }
}

fn point(segment: SegmentId, offset: u64, hash: ChainHash) -> LogPoint {
    LogPoint::new(Position::new(segment, offset), hash)
}

#[test]
fn following_stops_at_the_durable_end_and_goes_on_when_that_moves() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let mut follow = follow(directory.path(), LogPoint::ORIGIN).unwrap();
    assert!(matches!(
        follow.next().unwrap(),
        FollowItem::Segment {
            id: SegmentId::FIRST,
            ..
        }
    ));
    assert!(matches!(follow.next().unwrap(), FollowItem::Blocks { .. }));
    for _ in 0..5 {
        let end = commit(&writer);
        let FollowItem::Blocks { last, .. } = follow.next().unwrap() else {
            unreachable!("a block was committed")
        };
        assert_eq!(last, end);
        assert_eq!(
            follow.next().unwrap(),
            FollowItem::UpToDate(writer.durable())
        );
    }
    // What the file says to be durable counts, not what is in the segment.
    let durable = DurableEnd {
        environment: ENVIRONMENT,
        durable: writer.durable(),
        switched_off: false,
        stopped: false,
    };
    commit(&writer);
    let path = directory.path().join(fwlog::POSITION_FILE);
    disk::Disk::real()
        .write_atomic(&path, &durable.encode(), 0o600)
        .unwrap();
    assert_eq!(
        follow.next().unwrap(),
        FollowItem::UpToDate(durable.durable)
    );
}

/// The heads of the blocks before the end were read in large chunks; of the unused space in the last
/// chunk nothing may be remembered.
#[test]
fn following_from_the_durable_end_sees_what_is_written_there_later() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let end = commit(&writer);
    let mut follow = follow(directory.path(), end).unwrap();
    assert_eq!(
        follow.next().unwrap(),
        FollowItem::UpToDate(writer.durable())
    );
    let later = commit(&writer);
    let FollowItem::Blocks { last, .. } = follow.next().unwrap() else {
        unreachable!("a block was committed")
    };
    assert_eq!(last, later);
}

#[test]
fn a_reader_beside_the_writer_gets_every_block_once() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let mut follow = follow(directory.path(), LogPoint::ORIGIN).unwrap();
    let slave = tempfile::tempdir().unwrap();
    let store = Arc::new(SegmentStore::at(location(slave.path()), 0o600));
    let mut mirror = Mirror::open(store, ENVIRONMENT, 0, None).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=310 {
                commit(&writer);
                if number % 50 == 0 {
                    writer.switch().unwrap();
                }
            }
            writer.close().unwrap();
        });
        loop {
            match follow.next().unwrap() {
                FollowItem::Segment { header_bytes, .. } => {
                    mirror.segment(&header_bytes).unwrap();
                }
                // The mirror takes what continues the log, so nothing twice and no gap.
                FollowItem::Blocks { bytes, .. } => {
                    mirror.blocks(&bytes).unwrap();
                }
                FollowItem::Seal { bytes } => {
                    mirror.seal(&bytes).unwrap();
                }
                FollowItem::UpToDate(durable) if durable.sealed && durable.commit.get() == 310 => {
                    break;
                }
                FollowItem::UpToDate(_) => std::thread::yield_now(),
                FollowItem::Until(_) => unreachable!("no time was set"),
            }
        }
    });
    assert_eq!(mirror.durable(), Some(writer.durable()));
}

#[test]
fn following_up_to_a_time_includes_what_was_committed_then() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let first = commit(&writer);
    let time = writer.durable().time;
    while commit(&writer) == first || writer.durable().time == time {}
    let mut follow = follow(directory.path(), first).unwrap();
    follow.set_until(Some(time));
    assert_eq!(follow.next().unwrap(), FollowItem::Until(first));
    assert_eq!(follow.next().unwrap(), FollowItem::Until(first));
    follow.set_until(None);
    let FollowItem::Blocks { last, .. } = follow.next().unwrap() else {
        unreachable!("there are blocks behind that time")
    };
    assert_eq!(last, writer.durable().point);
}

#[test]
fn batches_are_as_large_as_asked_for_and_hold_whole_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let mut borders = vec![writer.durable().point];
    borders.extend((0..20).map(|_| commit(&writer)));
    let mut follow = follow(directory.path(), borders[0]).unwrap();
    follow.set_batch(300);
    let mut at = borders[0];
    while at != borders[20] {
        let FollowItem::Blocks { bytes, last, .. } = follow.next().unwrap() else {
            unreachable!("there are more blocks")
        };
        assert!(bytes.len() <= 300 && borders.contains(&last));
        assert_eq!(
            at.position.offset + bytes.len() as u64,
            last.position.offset
        );
        at = last;
    }
}

#[test]
fn a_position_that_is_not_of_this_history_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let writer = start(directory);
    let first = commit(&writer);
    let second = writer.switch().unwrap();
    let middle = commit(&writer);
    let generation = writer.new_generation(GenerationReason::Enable).unwrap();
    let last = commit(&writer);

    let Position { segment, offset } = first.position;
    let at = first.position;
    assert_eq!(
        refusal(directory, point(segment, offset, middle.hash)),
        NoSyncPoint::Diverged { at }
    );
    let at = Position::new(segment, offset - 1);
    let between = point(segment, offset - 1, first.hash);
    assert_eq!(refusal(directory, between), NoSyncPoint::Diverged { at });
    let behind_the_seal = point(segment, offset + 1, first.hash);
    let at = behind_the_seal.position;
    assert_eq!(
        refusal(directory, behind_the_seal),
        NoSyncPoint::Diverged { at }
    );

    let durable = last.position;
    let ahead = NoSyncPoint::AheadOfMaster { durable };
    assert_eq!(
        refusal(directory, point(generation, durable.offset + 1, last.hash)),
        ahead
    );
    assert_eq!(
        refusal(directory, point(generation.next_sequence(), 500, last.hash)),
        ahead
    );
    let unknown = NoSyncPoint::UnknownGeneration(fwlog::Generation::new(3));
    assert_eq!(
        refusal(directory, point(SegmentId::new(3, 1), 128, last.hash)),
        unknown
    );

    let paths = LogDirectory::scan(&location(directory)).unwrap();
    disk::Disk::real()
        .remove(&paths.get(SegmentId::FIRST).unwrap().path)
        .unwrap();
    let begins = Position::new(second, 0);
    let later = NoSyncPoint::LogBeginsLater { first: begins };
    assert_eq!(refusal(directory, LogPoint::ORIGIN), later);
    // The end of the removed segment is where the next one begins.
    let mut follow = follow(directory, first).unwrap();
    assert!(matches!(follow.next().unwrap(), FollowItem::Segment { id, .. } if id == second));
}

#[test]
fn a_missing_segment_is_a_gap_and_not_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(directory.path());
    let first = commit(&writer);
    let second = writer.switch().unwrap();
    let middle = commit(&writer);
    writer.switch().unwrap();
    commit(&writer);
    let log = LogDirectory::scan(&location(directory.path())).unwrap();
    assert_eq!(log.gaps(), []);
    assert_eq!(log.successor(SegmentId::FIRST).unwrap().id, second);
    disk::Disk::real()
        .remove(&log.get(second).unwrap().path)
        .unwrap();

    let log = LogDirectory::scan(&location(directory.path())).unwrap();
    assert_eq!(
        (log.gaps().len(), log.successor(SegmentId::FIRST)),
        (1, None)
    );
    let mut follow = follow(directory.path(), first).unwrap();
    assert!(matches!(follow.next().unwrap(), FollowItem::Seal { .. }));
    assert_eq!(follow.next(), Err(FollowError::Gap(SegmentId::FIRST)));
    assert_eq!(
        refusal(
            directory.path(),
            LogPoint {
                hash: first.hash,
                ..middle
            }
        ),
        NoSyncPoint::Missing(second)
    );
}

#[test]
fn the_hash_at_a_position_is_that_of_the_block_border_there() {
    let directory = tempfile::tempdir().unwrap();
    let location = location(directory.path());
    let writer = start(directory.path());
    let end = commit(&writer);
    let second = writer.switch().unwrap();
    let hash = |position| hash_at(&location, position).unwrap();
    assert_eq!(hash(end.position), Some(end.hash));
    assert_eq!(hash(Position::new(second, 0)), Some(end.hash));
    assert_eq!(
        hash(Position::new(second, 128)),
        Some(writer.durable().point.hash)
    );
    assert_eq!(
        hash(Position {
            offset: end.position.offset - 1,
            ..end.position
        }),
        None
    );
    assert_eq!(hash(Position::new(SegmentId::new(7, 7), 128)), None);
}

#[test]
fn a_mirror_refuses_what_does_not_continue_its_log_and_writes_nothing_of_it() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (writer, foreign) = (start(one.path()), start(other.path()));
    commit(&writer);
    commit(&foreign);
    let items = |directory: &Path| {
        let mut follow = follow(directory, LogPoint::ORIGIN).unwrap();
        match (follow.next().unwrap(), follow.next().unwrap()) {
            (FollowItem::Segment { header_bytes, .. }, FollowItem::Blocks { bytes, .. }) => {
                (header_bytes, bytes)
            }
            other => unreachable!("{other:?}"),
        }
    };
    let (header, blocks) = items(one.path());
    let (_, foreign) = items(other.path());
    let slave = tempfile::tempdir().unwrap();
    let store = Arc::new(SegmentStore::at(location(slave.path()), 0o600));
    let mut mirror = Mirror::open(store, ENVIRONMENT, 0, None).unwrap();

    let why = |result: Result<_, MirrorError>| match result {
        Err(MirrorError::Refused { why, .. }) => why,
        other => unreachable!("{other:?}"),
    };
    assert_eq!(why(mirror.blocks(&blocks).map(drop)), Damage::TrailingData);
    mirror.segment(&header).unwrap();
    let path = slave.path().join("fw-1-1");
    let length = || std::fs::metadata(&path).unwrap().len();
    let mut both = blocks.to_vec();
    both.extend_from_slice(&foreign);
    assert_eq!(
        why(mirror.blocks(&Bytes::from(both)).map(drop)),
        Damage::Chain
    );
    assert_eq!(why(mirror.blocks(&foreign).map(drop)), Damage::Chain);
    let cut = blocks.slice(..blocks.len() - 1);
    assert!(matches!(
        why(mirror.blocks(&cut).map(drop)),
        Damage::CutShort(_)
    ));
    assert!(matches!(
        why(mirror.segment(&header).map(drop)),
        Damage::Impossible(_)
    ));
    assert_eq!(why(mirror.seal(&[0; 68]).map(drop)), Damage::Unrecognized);
    assert_eq!(length(), 128);
    assert_eq!(mirror.blocks(&blocks).unwrap().blocks.len(), 2);
    assert_eq!(mirror.sync().unwrap(), Some(writer.durable()));
}
