//! Crashes of a slave at every single operation: it goes on, and ends with its master's bytes.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;

use disk::testing::{Fault, Random, SimulatedDisk};
use fwlog::{
    Begin, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId, Follow, FollowItem,
    GenerationReason, LogDirectory, LogIdentity, LogLocation, LogPoint, Mirror, MirrorError,
    PAGE_SIZE, PageNumber, RecordBuffer, RecoverError, RecoverOptions, SealNewest, SegmentStore,
    Timestamp, Writer, WriterOptions, recover,
};

const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([9; 16]);

/// A master's log of two generations and several segments, closed.
fn master(location: &LogLocation) {
    let page_size = u32::try_from(PAGE_SIZE).unwrap();
    let instance = "alpha".to_owned();
    let identity = LogIdentity {
        environment: ENVIRONMENT,
        instance,
        page_size,
    };
    let options = WriterOptions {
        max_segment_size: 3000,
        ..WriterOptions::default()
    };
    let store = Arc::new(SegmentStore::at(location.clone(), 0o600));
    let observer = Box::new(|_: &Durable| {});
    let writer = Writer::start(store, identity, options, Begin::Create, observer).unwrap();
    let mut random = Random::new(1);
    for number in (1..=12).map(CommitNumber::new) {
        let mut page = [0; PAGE_SIZE];
        page.iter_mut()
            .take(700)
            .for_each(|byte| *byte = random.next().to_le_bytes()[0]);
        let mut records = RecordBuffer::new();
        let mut encoder = records.begin_commit(CommitHead {
            number,
            database: DatabaseId::new(1),
            time: Timestamp::now(),
            exclusive: false,
            page_count: 1,
            transaction: None,
        });
        encoder.page_full(PageNumber::new(1), &page);
        encoder.finish();
        writer.append(records, Some((number, number))).unwrap();
        writer.wait_durable(number).unwrap();
        if number.get() == 9 {
            writer.new_generation(GenerationReason::Promote).unwrap();
        }
    }
    writer.close().unwrap();
}

/// Ships what there is; a sync after each item. Keeps the last commit that was acknowledged.
fn ship(
    location: &LogLocation,
    mirror: &mut Mirror,
    acknowledged: &mut CommitNumber,
) -> Result<(), MirrorError> {
    let at = mirror.received().map_or(LogPoint::ORIGIN, |end| end.point);
    let mut follow = Follow::start(location.clone(), at).unwrap();
    follow.set_batch(1500);
    loop {
        match follow.next().unwrap() {
            FollowItem::Segment { header_bytes, .. } => drop(mirror.segment(&header_bytes)?),
            FollowItem::Blocks { bytes, .. } => drop(mirror.blocks(&bytes)?),
            FollowItem::Seal { bytes } => drop(mirror.seal(&bytes)?),
            FollowItem::UpToDate(durable) => {
                assert_eq!(mirror.durable(), Some(durable));
                return Ok(());
            }
            FollowItem::Until(_) => unreachable!("no time was set"),
        }
        if let Some(durable) = mirror.sync()? {
            *acknowledged = durable.commit;
        }
    }
}

/// The slave's log on this disk, as a new process sees it.
fn store(machine: &SimulatedDisk) -> SegmentStore {
    let location = LogLocation::parse("/fw-%N").unwrap();
    SegmentStore::at(location.on(machine.process().disk()), 0o600)
}

fn open(machine: &SimulatedDisk) -> Mirror {
    Mirror::open(Arc::new(store(machine)), ENVIRONMENT, 500, None).unwrap()
}

/// Recovers a slave's log, and opens the mirror where it ends.
fn reopen(machine: &SimulatedDisk, acknowledged: CommitNumber) -> Mirror {
    let options = RecoverOptions {
        from: None,
        seal: SealNewest::No,
        discard_behind: None,
    };
    let recovered = match recover(&store(machine), options, &mut |_| Ok(())) {
        Ok(recovered) => Some(recovered),
        Err(RecoverError::NoLog) => None,
        Err(error) => unreachable!("{error}"),
    };
    let last = recovered
        .as_ref()
        .map_or(CommitNumber::ZERO, |end| end.last_commit);
    assert!(
        last >= acknowledged,
        "{acknowledged} acknowledged, {last} recovered"
    );
    Mirror::open(
        Arc::new(store(machine)),
        ENVIRONMENT,
        500,
        recovered.as_ref(),
    )
    .unwrap()
}

fn assert_same_bytes(location: &LogLocation, machine: &SimulatedDisk) {
    let store = store(machine);
    let log = LogDirectory::scan(location).unwrap();
    let segments: Vec<_> = log.segments().iter().map(|info| info.id).collect();
    assert!(segments.len() > 3);
    assert_eq!(store.list().unwrap(), segments);
    for info in log.segments() {
        let file = store.open_to_read(info.id).unwrap();
        let mut copy = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_at(0, &mut copy).unwrap();
        assert!(copy == fs::read(&info.path).unwrap(), "segment {}", info.id);
    }
}

#[test]
fn a_slave_that_crashes_at_any_operation_loses_nothing_acknowledged_and_ends_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let location = LogLocation::parse(directory.path().join("fw-%N")).unwrap();
    master(&location);
    let mut operation = 0;
    loop {
        let machine = SimulatedDisk::new(operation);
        machine.fail(Fault::after(operation).power_off());
        let mut mirror = open(&machine);
        let mut acknowledged = CommitNumber::ZERO;
        let shipped = ship(&location, &mut mirror, &mut acknowledged);
        for seed in 0..4 {
            let machine = machine.after_power_cut(seed);
            let mut mirror = reopen(&machine, acknowledged);
            ship(&location, &mut mirror, &mut acknowledged.clone()).unwrap();
            assert_same_bytes(&location, &machine);
        }
        if shipped.is_ok() {
            break;
        }
        operation += 1;
    }
    assert!(operation > 50, "only {operation} operations");
}

#[test]
fn a_slave_whose_disk_was_full_keeps_the_failure_and_goes_on_when_it_was_opened_anew() {
    let directory = tempfile::tempdir().unwrap();
    let location = LogLocation::parse(directory.path().join("fw-%N")).unwrap();
    master(&location);
    for operation in 0.. {
        let machine = SimulatedDisk::new(operation);
        let full = Fault::after(operation).with(ErrorKind::StorageFull);
        machine.fail(full.and_all_later());
        let mut mirror = open(&machine);
        let mut acknowledged = CommitNumber::ZERO;
        match ship(&location, &mut mirror, &mut acknowledged) {
            Ok(()) if machine.operations() <= operation => break,
            // There was no room for zeros ahead, which is no failure.
            Ok(()) => continue,
            Err(MirrorError::Io(failure)) => {
                assert!(failure.is_disk_full());
                machine.mend();
                assert_eq!(mirror.sync(), Err(MirrorError::Io(failure.clone())));
                assert_eq!(mirror.segment(&[]), Err(MirrorError::Io(failure)));
            }
            Err(error) => unreachable!("{error}"),
        }
        drop(mirror);
        let mut mirror = reopen(&machine, acknowledged);
        ship(&location, &mut mirror, &mut acknowledged).unwrap();
        assert_same_bytes(&location, &machine);
        assert_same_bytes(&location, &machine.after_power_cut(0));
    }
}
