//! A writer without a thread: all happens in the order of the calls.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::sync::{Arc, OnceLock};

use common::{WHOLE, append, driven, store};
use disk::testing::{Fault, Kind, SimulatedDisk};
use fwlog::{
    Begin, CommitNumber, DatabaseId, Durable, GenerationReason, RecordBuffer, SegmentId, Writer,
    WriterOptions, recover,
};

fn start(machine: &SimulatedDisk) -> Writer {
    driven(machine, WriterOptions::default(), Begin::Create).unwrap()
}

/// Numbers of the commits of a log.
fn recovered(machine: &SimulatedDisk) -> u64 {
    let end = recover(&store(machine), WHOLE, &mut |_| Ok(())).unwrap();
    end.last_commit.get()
}

#[test]
fn nothing_is_written_before_somebody_drives() {
    let machine = SimulatedDisk::new(1);
    let writer = start(&machine);
    let before = machine.operations();
    for number in 1..=5 {
        append(&writer, number, 100).unwrap();
    }
    assert_eq!(machine.operations(), before);
    assert!(writer.drive());
    assert_eq!(writer.durable().commit, CommitNumber::new(5));
    assert_eq!(recovered(&machine.after_power_cut(0)), 5);
}

#[test]
fn whoever_waits_does_the_work() {
    let machine = SimulatedDisk::new(1);
    let writer = start(&machine);
    append(&writer, 1, 100).unwrap();
    writer.wait_durable(CommitNumber::new(1)).unwrap();
    append(&writer, 2, 100).unwrap();
    let mark = writer.mark().unwrap();
    append(&writer, 3, 100).unwrap();
    assert_eq!(mark.wait().unwrap().commit, CommitNumber::new(2));
    assert_eq!(writer.switch().unwrap(), SegmentId::new(1, 2));
    let reason = GenerationReason::Restore;
    let next = writer.new_generation(reason).unwrap();
    assert_eq!(next, SegmentId::new(2, 1));
    writer.look_after_files().unwrap();
    append(&writer, 4, 100).unwrap();
    assert_eq!(writer.close().unwrap().commit, CommitNumber::new(4));
    assert!(!writer.drive());
    assert!(append(&writer, 5, 100).is_err() && writer.wait_durable(CommitNumber::new(5)).is_err());
}

#[test]
fn a_writer_that_is_dropped_has_written_what_was_queued() {
    let machine = SimulatedDisk::new(1);
    let writer = start(&machine);
    append(&writer, 1, 100).unwrap();
    drop(writer);
    assert_eq!(recovered(&machine.after_power_cut(0)), 1);
}

#[test]
fn a_failure_is_told_to_all_who_wait() {
    let machine = SimulatedDisk::new(1);
    let writer = start(&machine);
    append(&writer, 1, 100).unwrap();
    let mark = writer.mark().unwrap();
    machine.fail(Fault::after(0).of(&[Kind::Sync]));
    assert!(!writer.drive());
    let failure = writer.failure().unwrap();
    assert_eq!(mark.wait(), Err(failure.clone()));
    assert_eq!(
        writer.wait_durable(CommitNumber::new(1)),
        Err(failure.clone())
    );
    assert_eq!(writer.close(), Err(failure));
}

/// A change of the list of databases hangs on this: it is made where its record is durable.
#[test]
fn a_mark_tells_what_is_durable_though_the_next_segment_cannot_begin() {
    let machine = SimulatedDisk::new(1);
    let options = WriterOptions {
        max_segment_size: 200,
        ..WriterOptions::default()
    };
    let writer = driven(&machine, options, Begin::Create).unwrap();
    let mut records = RecordBuffer::new();
    records.drop_database(
        DatabaseId::new(3),
        "a database with a name that fills the segment",
    );
    let mark = writer.append_marked(records).unwrap();
    machine.fail(Fault::after(0).of(&[Kind::Create]));
    assert!(!writer.drive());
    let failure = writer.failure().unwrap();
    assert_eq!(mark.wait().unwrap().point, writer.durable().point);
    assert_ne!(writer.durable().point, Durable::NOTHING.point);
    let later = writer.append_marked(RecordBuffer::new());
    assert_eq!(later.map(drop), Err(failure));
}

#[test]
fn what_is_appended_in_the_middle_of_a_group_comes_with_the_next_one() {
    let machine = SimulatedDisk::new(1);
    let writer = Arc::new(start(&machine));
    let nested = Arc::downgrade(&writer);
    let (entered, left) = (OnceLock::new(), Arc::new(OnceLock::new()));
    let appended = Arc::clone(&left);
    machine.set_hook(move |_, operation| {
        if operation.kind == Kind::Sync && entered.set(()).is_ok() {
            let writer = nested.upgrade().unwrap();
            append(&writer, 2, 100).unwrap();
            appended.set(writer.durable().commit).unwrap();
        }
    });
    append(&writer, 1, 100).unwrap();
    writer.wait_durable(CommitNumber::new(1)).unwrap();
    assert_eq!(left.get(), Some(&CommitNumber::ZERO));
    assert_eq!(writer.durable().commit, CommitNumber::new(1));
    writer.wait_durable(CommitNumber::new(2)).unwrap();
    assert_eq!(recovered(&machine.after_power_cut(0)), 2);
}

#[test]
#[should_panic(expected = "nobody waits for the log in the middle of writing it")]
fn to_wait_in_the_middle_of_a_group_is_a_mistake() {
    let machine = SimulatedDisk::new(1);
    let writer = Arc::new(start(&machine));
    let nested = Arc::downgrade(&writer);
    machine.set_hook(move |_, operation| {
        if operation.kind == Kind::Sync {
            let writer = nested.upgrade().unwrap();
            writer.wait_durable(CommitNumber::new(1)).unwrap();
        }
    });
    append(&writer, 1, 100).unwrap();
    drop(writer.wait_durable(CommitNumber::new(1)));
}
