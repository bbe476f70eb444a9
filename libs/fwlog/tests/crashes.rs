//! Crashes and failures at every single operation, on a disk that forgets what was not synced.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]
#![expect(clippy::panic, reason = "that is how a test fails")]

use std::io::ErrorKind;
use std::sync::Arc;

use disk::testing::{Fault, Random, SimulatedDisk};
use fwlog::{
    Begin, Block, BlockDecoder, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId,
    GenerationReason, LogIdentity, LogLocation, PAGE_SIZE, PageNumber, Position, Record,
    RecordBuffer, RecoverError, RecoverOptions, Recovered, SealNewest, SegmentId, SegmentStore,
    Sequence, Timestamp, Writer, WriterError, WriterOptions, recover,
};

/// Seeds of what a crash loses: everything, nothing, and some mixtures.
const LOSSES: [u64; 4] = [0, 1, 2, 3];

/// The log on this disk, as a new process sees it.
fn store(machine: &SimulatedDisk) -> SegmentStore {
    let location = LogLocation::parse("/fw-%N").unwrap();
    SegmentStore::at(location.on(machine.process().disk()), 0o600)
}

fn start(machine: &SimulatedDisk, begin: Begin) -> Result<Writer, WriterError> {
    let environment = EnvironmentId::from_bytes([9; 16]);
    let page_size = u32::try_from(PAGE_SIZE).unwrap();
    let identity = LogIdentity {
        environment,
        instance: "alpha".to_owned(),
        page_size,
    };
    let options = WriterOptions {
        max_segment_size: 5000,
        preallocate: 2048,
        max_block: 2000,
        ..WriterOptions::default()
    };
    let observer = Box::new(|_: &Durable| {});
    Writer::start(Arc::new(store(machine)), identity, options, begin, observer)
}

/// A commit of about a kilobyte that does not compress.
fn append(writer: &Writer, number: u64) -> Result<(), WriterError> {
    let mut random = Random::new(number);
    let mut new = [0; PAGE_SIZE];
    new.iter_mut()
        .take(1000)
        .for_each(|byte| *byte = random.next().to_le_bytes()[0]);
    let mut records = RecordBuffer::new();
    let mut encoder = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database: DatabaseId::new(1),
        time: Timestamp::from_micros(number),
        exclusive: false,
        page_count: 3,
        transaction: None,
    });
    encoder.page_delta(PageNumber::new(2), &[0; PAGE_SIZE], &new);
    encoder.finish();
    let number = CommitNumber::new(number);
    writer.append(records, Some((number, number)))
}

/// Groups of three commits; returns the last one that was acknowledged.
fn work(writer: &Writer, from: u64, to: u64) -> u64 {
    let mut acknowledged = from - 1;
    for group in (from..=to).step_by(3) {
        let last = (group + 2).min(to);
        for number in group..=last {
            if append(writer, number).is_err() {
                return acknowledged;
            }
        }
        match writer.wait_durable(CommitNumber::new(last)) {
            Ok(()) => acknowledged = last,
            Err(_) => return acknowledged.max(writer.durable().commit.get()),
        }
    }
    acknowledged
}

fn first_of_generation(position: Position) -> SegmentId {
    SegmentId {
        sequence: Sequence::FIRST,
        ..position.segment
    }
}

fn recover_commits(
    machine: &SimulatedDisk,
    seal: SealNewest,
    discard_behind: Option<Position>,
) -> Result<(Recovered, Vec<u64>), RecoverError> {
    let mut commits = Vec::new();
    let mut decoder = BlockDecoder::new();
    let options = RecoverOptions {
        from: None,
        seal,
        discard_behind,
    };
    let recovered = recover(&store(machine), options, &mut |block: &Block| {
        let mut begins = block.start == Position::new(first_of_generation(block.start), 128);
        for record in decoder.records(block)? {
            let record = record?;
            assert_eq!(
                begins,
                matches!(record, Record::Generation(_)),
                "{}",
                block.start
            );
            begins = false;
            if let Record::Commit(commit) = record {
                commits.push(commit.number.get());
            }
        }
        Ok(())
    })?;
    let end = recovered.end.position;
    assert_ne!(
        end,
        Position::new(first_of_generation(end), 128),
        "a generation without a record"
    );
    assert_eq!(recovered.last_commit.get(), commits.len() as u64);
    Ok((recovered, commits))
}

/// Lets the machine crash at every operation of `run`, and gives each disk that this can leave to
/// `check`, with the last commit that was acknowledged.
fn at_every_crash(
    make: impl Fn() -> SimulatedDisk,
    run: impl Fn(&SimulatedDisk) -> u64,
    check: impl Fn(&SimulatedDisk, u64),
) -> u64 {
    for operation in 0.. {
        let machine = make();
        machine.fail(Fault::after(operation).power_off());
        let acknowledged = run(&machine);
        for seed in LOSSES {
            check(&machine.after_power_cut(seed), acknowledged);
        }
        if machine.operations() <= operation {
            return operation;
        }
    }
    0
}

fn write_some(machine: &SimulatedDisk) -> u64 {
    let Ok(writer) = start(machine, Begin::Create) else {
        return 0;
    };
    let acknowledged = work(&writer, 1, 12);
    // Whether this one succeeds does not matter: the disk says what is left.
    if writer.new_generation(GenerationReason::Enable).is_ok() {
        return work(&writer, 13, 18);
    }
    acknowledged
}

fn check_recovered(machine: &SimulatedDisk, acknowledged: u64) {
    match recover_commits(machine, SealNewest::Yes, None) {
        Ok((recovered, commits)) => {
            let last = commits.len() as u64;
            assert!(
                last >= acknowledged,
                "{acknowledged} acknowledged, {last} recovered"
            );
            assert_eq!(commits, (1..=last).collect::<Vec<_>>());
            let (again, same) = recover_commits(machine, SealNewest::Yes, None).unwrap();
            assert_eq!(
                (again, same),
                (
                    Recovered {
                        cut: None,
                        ..recovered.clone()
                    },
                    commits
                )
            );
            let begin = Begin::NextSegment {
                after: recovered.durable(),
            };
            let writer = start(machine, begin).unwrap();
            assert_eq!(work(&writer, last + 1, last + 5), last + 5);
            writer.close().unwrap();
            let (_, commits) = recover_commits(machine, SealNewest::Yes, None).unwrap();
            assert_eq!(commits.len() as u64, last + 5);
        }
        Err(RecoverError::NoLog) => assert_eq!(acknowledged, 0),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash_at_any_operation() {
    let operations = at_every_crash(|| SimulatedDisk::new(7), write_some, check_recovered);
    assert!(operations > 50, "only {operations} operations");
}

#[test]
fn a_crash_during_recovery_costs_nothing() {
    for operation in [40, 77, 101, 130] {
        for seed in LOSSES {
            let machine = SimulatedDisk::new(operation);
            machine.fail(Fault::after(operation).power_off());
            let acknowledged = write_some(&machine);
            let broken = machine.after_power_cut(seed);
            let recover_it = |machine: &SimulatedDisk| {
                // It may fail; what it leaves is the point.
                let recovered = recover_commits(machine, SealNewest::Yes, None).is_ok();
                if recovered { acknowledged } else { 0 }
            };
            at_every_crash(
                || broken.copy(),
                recover_it,
                |machine, _| check_recovered(machine, acknowledged),
            );
        }
    }
}

#[test]
fn after_any_failure_the_writer_says_it_to_all_and_the_owner_can_go_on() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for operation in 0.. {
            let machine = SimulatedDisk::new(operation);
            // A full disk stays full until somebody makes room.
            let fault = Fault::after(operation).with(kind);
            machine.fail(match kind {
                ErrorKind::StorageFull => fault.and_all_later(),
                _ => fault,
            });
            let Ok(writer) = start(&machine, Begin::Create) else {
                continue;
            };
            let acknowledged = work(&writer, 1, 18);
            // Behind everything that the thread was still doing: the next segment follows the first.
            let mark = || writer.mark().and_then(|mark| mark.wait());
            let settled = mark().and_then(|_| mark());
            assert_eq!(settled.err(), writer.failure());
            let Some(failure) = writer.failure() else {
                if machine.operations() <= operation {
                    break;
                }
                // The disk had no room for zeros ahead, which is no failure.
                if kind != ErrorKind::StorageFull {
                    eprintln!("{operation}: {:#?}", machine.traced());
                }
                assert_eq!((acknowledged, kind), (18, ErrorKind::StorageFull));
                continue;
            };
            assert_eq!(failure.is_disk_full(), kind == ErrorKind::StorageFull);
            assert_eq!(append(&writer, 99), Err(failure.clone()));
            assert_eq!(
                writer.wait_durable(CommitNumber::new(99)),
                Err(failure.clone())
            );
            assert_eq!(writer.mark().map(drop), Err(failure.clone()));
            assert_eq!(writer.close(), Err(failure));
            let durable = writer.durable();
            drop(writer);

            machine.mend();
            go_on_after(&machine, &durable, operation % 2 == 0);
        }
    }
}

/// Recovers a log whose writer failed, writes some more, and looks at what a power cut leaves.
///
/// `here` is whether the owner knows what was durable, because it is the same process: then nothing
/// else is left. Another process also finds what was written and never acknowledged.
fn go_on_after(machine: &SimulatedDisk, durable: &Durable, here: bool) {
    let discard = here.then_some(durable.point.position);
    let (recovered, commits) = recover_commits(machine, SealNewest::Yes, discard).unwrap();
    let last = commits.len() as u64;
    assert!(last == durable.commit.get() || (last > durable.commit.get() && !here));
    let begin = Begin::NextSegment {
        after: recovered.durable(),
    };
    let writer = start(machine, begin).unwrap();
    assert_eq!(work(&writer, last + 1, 30), 30);
    for seed in LOSSES {
        let (_, commits) =
            recover_commits(&machine.after_power_cut(seed), SealNewest::Yes, None).unwrap();
        assert_eq!(commits, (1..=30).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_that_was_durable_is_ever_cut_off() {
    let machine = SimulatedDisk::new(7);
    let writer = start(&machine, Begin::Create).unwrap();
    work(&writer, 1, 3);
    let Position { segment, offset } = writer.durable().point.position;
    drop(writer);
    let good = machine.after_power_cut(1);
    for damaged in [offset - 1, offset - 500, offset - 1500] {
        let machine = good.copy();
        store(&machine)
            .open(segment)
            .unwrap()
            .write_at(damaged, b"?!")
            .unwrap();
        let before = machine.content(format!("/fw-{segment}"));
        let refused = recover_commits(&machine, SealNewest::Yes, None);
        assert!(matches!(refused, Err(RecoverError::Read(_))), "{damaged}");
        let after = machine.content(format!("/fw-{segment}"));
        assert_eq!(after, before, "recovery changed a damaged log");
    }
}
