//! Times in the log never go back, whatever the clock does.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::time::Duration;

use common::{WHOLE, append, driven, location, store};
use disk::testing::{Random, SimulatedDisk};
use fwlog::{
    Begin, BlockDecoder, CommitNumber, DurableEnd, Generation, GenerationReason, LogDirectory,
    ReadItem, Record, SegmentReader, SimulatedTime, SyncPolicy, Timestamp, WriterOptions, recover,
};

const HOUR: u64 = 3_600_000_000;
const YEAR: u64 = 8766 * HOUR;
const NOW: Timestamp = Timestamp::from_micros(50 * YEAR);

fn options(time: &SimulatedTime) -> WriterOptions {
    WriterOptions {
        max_segment_size: 3000,
        preallocate: 0,
        clock: time.clock(),
        ..WriterOptions::default()
    }
}

/// All times of a log, in the order in which they must not go back: of segments, of records, and of
/// the blocks that hold them.
fn times(machine: &SimulatedDisk) -> Vec<Timestamp> {
    let location = location(machine);
    let mut times = Vec::new();
    let mut decoder = BlockDecoder::new();
    for info in LogDirectory::scan(&location).unwrap().segments() {
        times.push(info.header.created);
        let mut reader = SegmentReader::open(&location.disk, &info.path).unwrap();
        while let ReadItem::Block(block) = reader.next(None).unwrap() {
            for record in decoder.records(&block).unwrap() {
                match record.unwrap() {
                    Record::Commit(commit) => times.push(commit.time),
                    Record::Generation(generation) => times.push(generation.time),
                    _ => {}
                }
            }
            times.push(block.head.time);
        }
    }
    times
}

#[test]
fn times_never_go_back_when_the_clock_is_set_back_or_forward_anywhere() {
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let machine = SimulatedDisk::new(seed);
        let time = SimulatedTime::new(NOW);
        let mut writer = driven(&machine, options(&time), Begin::Create).unwrap();
        for number in 1..=60 {
            append(&writer, number, 300).unwrap();
            time.pass(Duration::from_millis(random.below(1000)));
            match random.below(12) {
                0 => time.set(Timestamp::from_micros(time.clock().now().micros() - HOUR)),
                1 => time.set(Timestamp::from_micros(time.clock().now().micros() + YEAR)),
                2 => drop(writer.switch().unwrap()),
                3 => drop(writer.new_generation(GenerationReason::Restore).unwrap()),
                4 => {
                    drop(writer);
                    time.set(NOW);
                    let after = recover(&store(&machine), WHOLE, &mut |_| Ok(()));
                    let after = after.unwrap().durable();
                    let begin = if random.coin() {
                        Begin::NextSegment { after }
                    } else {
                        let reason = GenerationReason::Promote;
                        Begin::NewGeneration { reason, after }
                    };
                    writer = driven(&machine, options(&time), begin).unwrap();
                }
                5..8 => writer.wait_durable(CommitNumber::new(number)).unwrap(),
                _ => {}
            }
        }
        let end = writer.close().unwrap();
        let times = times(&machine);
        assert!(times.is_sorted(), "seed {seed}: {times:?}");
        assert!(times.len() > 100, "seed {seed}");
        assert_eq!(times.last(), Some(&end.time), "seed {seed}");
    }
}

#[test]
fn while_the_clock_is_behind_time_stands_still() {
    let machine = SimulatedDisk::new(1);
    let time = SimulatedTime::new(NOW);
    let writer = driven(&machine, options(&time), Begin::Create).unwrap();
    time.set(Timestamp::from_micros(NOW.micros() - HOUR));
    assert_eq!(writer.now(), NOW);
    time.pass(Duration::from_mins(59));
    assert_eq!(writer.now(), NOW);
    time.pass(Duration::from_mins(2));
    assert_eq!(writer.now().micros(), NOW.micros() + HOUR / 60);
}

#[test]
fn a_log_that_goes_on_elsewhere_is_not_older_than_its_parent() {
    let machine = SimulatedDisk::new(1);
    let time = SimulatedTime::new(NOW);
    let writer = driven(&machine, options(&time), Begin::Create).unwrap();
    append(&writer, 1, 10).unwrap();
    let after = writer.close().unwrap();
    let elsewhere = SimulatedDisk::new(2);
    time.set(Timestamp::ZERO);
    let reason = GenerationReason::Enable;
    let begin = Begin::NewGeneration { reason, after };
    drop(driven(&elsewhere, options(&time), begin).unwrap());
    let directory = LogDirectory::scan(&location(&elsewhere)).unwrap();
    let header = &directory.segments()[0].header;
    assert_eq!(header.id.generation, Generation::new(2));
    assert_eq!(header.created, NOW);
}

#[test]
fn with_an_interval_the_disk_has_a_commit_when_the_interval_is_over() {
    let machine = SimulatedDisk::new(1);
    let time = SimulatedTime::new(NOW);
    let options = WriterOptions {
        sync: SyncPolicy::Interval(Duration::from_secs(1)),
        ..options(&time)
    };
    let writer = driven(&machine, options, Begin::Create).unwrap();
    let on_disk = || {
        let content = machine.content("/fw.position").unwrap();
        DurableEnd::decode(&content).unwrap().durable.commit.get()
    };
    append(&writer, 1, 10).unwrap();
    writer.wait_durable(CommitNumber::new(1)).unwrap();
    assert_eq!(on_disk(), 0);
    // The clock shows another time, but none has passed.
    time.set(Timestamp::from_micros(NOW.micros() + HOUR));
    time.pass(Duration::from_millis(999));
    append(&writer, 2, 10).unwrap();
    assert!(writer.drive());
    assert_eq!(on_disk(), 0);
    time.pass(Duration::from_millis(1));
    assert!(writer.drive());
    assert_eq!(on_disk(), 2);
}
