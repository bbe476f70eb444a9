//! One segment's header is damaged: what needs only other segments goes on, what needs this one names
//! it.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::{append, driven, location};
use disk::testing::SimulatedDisk;
use fwlog::{
    Begin, CommitNumber, Damage, Durable, Follow, FollowError, FollowItem, LogDirectory, LogPoint,
    Position, ReadError, SegmentId, WriterOptions, hash_at,
};

/// A log of four segments with a commit each, and where each begins.
fn log() -> (SimulatedDisk, Vec<LogPoint>) {
    let machine = SimulatedDisk::new(1);
    let writer = driven(&machine, WriterOptions::default(), Begin::Create).unwrap();
    let mut ends = Vec::new();
    for number in 1..=4 {
        append(&writer, number, 100).unwrap();
        writer.wait_durable(CommitNumber::new(number)).unwrap();
        ends.push(writer.durable().point);
        if number < 4 {
            writer.switch().unwrap();
        }
    }
    writer.close().unwrap();
    (machine, ends)
}

fn damage(machine: &SimulatedDisk, sequence: u32) {
    assert!(machine.flip(format!("/fw-1-{sequence}"), 50, 1));
}

/// Whether this is the damage of that segment's header.
fn names(error: &ReadError, sequence: u32) -> bool {
    let ReadError::Corrupt { path, offset, kind } = error else {
        return false;
    };
    path.ends_with(format!("fw-1-{sequence}"))
        && *offset == 0
        && *kind == Damage::Checksum("segment header")
}

/// Follows to the end; tells it.
fn follow(machine: &SimulatedDisk, from: LogPoint) -> Result<Durable, FollowError> {
    let mut follow = Follow::start(location(machine), from)?;
    loop {
        if let FollowItem::UpToDate(durable) = follow.next()? {
            return Ok(durable);
        }
    }
}

#[test]
fn a_follower_needs_only_the_segments_from_its_point_on() {
    let (machine, ends) = log();
    damage(&machine, 1);
    damage(&machine, 2);
    let end = follow(&machine, ends[2]).unwrap();
    assert_eq!(end.commit, CommitNumber::new(4));
    assert_eq!(follow(&machine, ends[3]).unwrap(), end);
}

#[test]
fn a_follower_names_the_damaged_segment_when_it_comes_to_it() {
    let (machine, ends) = log();
    damage(&machine, 3);
    for from in [LogPoint::ORIGIN, ends[0], ends[1], ends[2]] {
        let Err(FollowError::Read(error)) = follow(&machine, from) else {
            unreachable!("segment 1-3 can't be read")
        };
        assert!(names(&error, 3), "{error}");
    }
    let gone = Position::new(SegmentId::new(1, 2), ends[1].position.offset);
    machine.process().disk().remove("/fw-1-2".as_ref()).unwrap();
    let Err(FollowError::Read(error)) = follow(&machine, LogPoint::new(gone, ends[1].hash)) else {
        unreachable!("the segment behind the missing one can't be read")
    };
    assert!(names(&error, 3), "{error}");
}

#[test]
fn a_hash_is_found_in_good_segments_and_damage_is_not_taken_for_another_history() {
    let (machine, ends) = log();
    damage(&machine, 2);
    let hash = |at: usize| hash_at(&location(&machine), ends[at].position);
    for good in [0, 2, 3] {
        assert_eq!(hash(good), Ok(Some(ends[good].hash)));
    }
    assert!(names(&hash(1).unwrap_err(), 2));
}

#[test]
fn a_directory_has_its_good_segments_and_names_the_others() {
    let (machine, _) = log();
    damage(&machine, 4);
    machine
        .process()
        .disk()
        .rename("/fw-1-2".as_ref(), "/fw-7-7".as_ref())
        .unwrap();
    let content = machine.content("/fw-1-3").unwrap();
    machine
        .process()
        .disk()
        .write_atomic("/fw-8-8".as_ref(), &content, 0o600)
        .unwrap();
    let log = LogDirectory::scan(&location(&machine)).unwrap();
    let ids: Vec<_> = log
        .segments()
        .iter()
        .map(|info| info.id.to_string())
        .collect();
    // What is called otherwise goes by its header, unless there is one that is called right.
    assert_eq!(ids, ["1-1", "1-2", "1-3"]);
    assert!(
        log.get(SegmentId::new(1, 3))
            .unwrap()
            .path
            .ends_with("fw-1-3")
    );
    let [one, other] = log.damaged() else {
        unreachable!("two are out of order")
    };
    assert!(one.id == SegmentId::new(1, 4) && names(&one.error, 4));
    assert_eq!(other.id, SegmentId::new(8, 8));
    assert!(
        other.error.to_string().contains("fw-1-3"),
        "{}",
        other.error
    );
    assert_eq!(
        log.need(SegmentId::new(1, 3)).unwrap(),
        log.get(SegmentId::new(1, 3))
    );
    assert_eq!(log.need(SegmentId::new(5, 5)), Ok(None));
    assert!(log.need(SegmentId::new(1, 4)).is_err());
    assert!(log.need_after(SegmentId::new(1, 3)).is_err());
    assert!(log.need_after(SegmentId::new(1, 2)).unwrap().is_some());
    assert!(log.whole().is_err());
}
