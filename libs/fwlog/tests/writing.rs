//! What the writer promises to those who call it.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use disk::testing::SimulatedDisk;
use fwlog::{
    Begin, BlockDecoder, CommitHead, CommitNumber, Compression, DatabaseId, Durable, DurableEnd,
    EnvironmentId, GenerationReason, LogIdentity, LogLocation, MAX_BLOCK_RAW, PAGE_SIZE, ReadItem,
    Record, RecordBuffer, RecoverOptions, SealNewest, SegmentId, SegmentReader, SegmentStore,
    SyncPolicy, Timestamp, TransactionId, Writer, WriterError, WriterOptions, recover,
};

fn identity() -> LogIdentity {
    let page_size = u32::try_from(PAGE_SIZE).unwrap();
    let environment = EnvironmentId::from_bytes([9; 16]);
    LogIdentity {
        environment,
        instance: "alpha".to_owned(),
        page_size,
    }
}

/// An empty log on a simulated disk.
fn new_store() -> Arc<SegmentStore> {
    let disk = SimulatedDisk::new(1).process().disk();
    Arc::new(SegmentStore::at(
        LogLocation::parse("/fw-%N").unwrap().on(disk),
        0o600,
    ))
}

fn start(store: &Arc<SegmentStore>, options: WriterOptions) -> Writer {
    let store = Arc::clone(store);
    let observer = Box::new(|_: &Durable| {});
    Writer::start(store, identity(), options, Begin::Create, observer).unwrap()
}

fn records(number: u64) -> RecordBuffer {
    let mut records = RecordBuffer::new();
    let encoder = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database: DatabaseId::new(1),
        time: Timestamp::from_micros(1),
        exclusive: false,
        page_count: 1,
        transaction: None,
    });
    encoder.finish();
    records
}

fn append(writer: &Writer, number: u64) -> Result<(), WriterError> {
    let commit = CommitNumber::new(number);
    writer.append(records(number), Some((commit, commit)))
}

fn position(store: &SegmentStore) -> Durable {
    DurableEnd::decode(&store.read_position().unwrap().unwrap())
        .unwrap()
        .durable
}

#[test]
fn what_many_threads_append_stands_in_the_log_in_order_and_all_are_told() {
    let store = new_store();
    let options = WriterOptions {
        max_segment_size: 800,
        ..WriterOptions::default()
    };
    let writer = start(&store, options);
    let next = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let number = {
                        let mut next = next.lock().unwrap();
                        *next += 1;
                        append(&writer, *next).unwrap();
                        CommitNumber::new(*next)
                    };
                    writer.wait_durable(number).unwrap();
                    assert!(writer.durable().commit >= number);
                }
            });
        }
    });
    assert_eq!(writer.close().unwrap().commit, CommitNumber::new(400));
    let mut numbers = Vec::new();
    let mut decoder = BlockDecoder::new();
    let options = RecoverOptions {
        from: None,
        seal: SealNewest::Yes,
        discard_behind: None,
    };
    recover(&store, options, &mut |block| {
        for record in decoder.records(block)? {
            if let Record::Commit(commit) = record? {
                numbers.push(commit.number.get());
            }
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(numbers, (1..=400).collect::<Vec<_>>());
    assert!(store.list().unwrap().len() > 3);
}

#[test]
fn a_mark_ends_the_block_and_is_durable() {
    let store = new_store();
    let writer = start(&store, WriterOptions::default());
    append(&writer, 1).unwrap();
    append(&writer, 2).unwrap();
    let mark = writer.mark().unwrap();
    append(&writer, 3).unwrap();
    let end = mark.wait().unwrap();
    assert_eq!(
        (end.commit, mark.wait().unwrap()),
        (CommitNumber::new(2), end)
    );
    writer.wait_durable(CommitNumber::new(3)).unwrap();
    let mut reader = SegmentReader::open_in(&store, SegmentId::FIRST).unwrap();
    assert_eq!(
        reader.skip_to(end.point.position.offset).unwrap(),
        Some(end.point.hash)
    );
    assert_eq!(reader.last_commit(), end.commit);
    // With nothing in between, the same border again.
    let border = writer.mark().unwrap().wait().unwrap().point;
    assert_eq!(border, writer.durable().point);
}

#[test]
fn a_commit_out_of_order_is_refused_and_the_writer_goes_on() {
    let store = new_store();
    let writer = start(&store, WriterOptions::default());
    append(&writer, 1).unwrap();
    for number in [0, 1, 3] {
        let (expected, got) = (CommitNumber::new(2), CommitNumber::new(number));
        assert_eq!(
            append(&writer, number),
            Err(WriterError::CommitOrder { expected, got })
        );
    }
    append(&writer, 2).unwrap();
    writer.wait_durable(CommitNumber::new(2)).unwrap();
    assert_eq!(writer.failure(), None);
}

#[test]
fn records_that_fit_no_block_are_refused_and_the_largest_that_fit_are_taken() {
    let store = new_store();
    let options = WriterOptions {
        compression: Compression::None,
        ..WriterOptions::default()
    };
    let writer = start(&store, options);
    let mut large = RecordBuffer::new();
    let mut part = large.begin_part(TransactionId::new(1), DatabaseId::new(1));
    let page = fwlog::PageNumber::new(1);
    // A full page takes five bytes more than its content.
    for _ in 1..MAX_BLOCK_RAW / (PAGE_SIZE + 5) {
        part.page_full(page, &[1; PAGE_SIZE]);
    }
    part.finish();
    writer.append(large.clone(), None).unwrap();
    writer.mark().unwrap().wait().unwrap();
    let mut reader = SegmentReader::open_in(&store, SegmentId::FIRST).unwrap();
    reader.next(None).unwrap();
    let ReadItem::Block(block) = reader.next(None).unwrap() else {
        unreachable!("a block was written")
    };
    assert_eq!(block.payload(), large.as_bytes());
    for _ in 0..2 {
        large.audit(&fwlog::Audit {
            time: Timestamp::ZERO,
            database: DatabaseId::new(0),
            user: "",
            client: "",
            statement: &"x".repeat(5000),
        });
    }
    let bytes = large.len();
    assert_eq!(
        writer.append(large, None),
        Err(WriterError::TooLarge { bytes })
    );
    append(&writer, 1).unwrap();
}

#[test]
fn append_waits_while_too_much_is_queued_and_goes_on_by_itself() {
    let store = new_store();
    let writer = start(
        &store,
        WriterOptions {
            max_queued: 40,
            ..WriterOptions::default()
        },
    );
    for number in 1..=200 {
        append(&writer, number).unwrap();
    }
    writer.wait_durable(CommitNumber::new(200)).unwrap();
}

#[test]
fn the_observer_sees_every_end_before_those_who_wait_for_it() {
    let seen = Arc::new(AtomicU64::new(0));
    let observer = {
        let seen = Arc::clone(&seen);
        Box::new(move |durable: &Durable| seen.store(durable.commit.get(), Ordering::SeqCst))
    };
    let store = new_store();
    let options = WriterOptions::default();
    let writer = Writer::start(store, identity(), options, Begin::Create, observer).unwrap();
    for number in 1..=50 {
        append(&writer, number).unwrap();
        writer.wait_durable(CommitNumber::new(number)).unwrap();
        assert!(seen.load(Ordering::SeqCst) >= number);
    }
}

#[test]
fn with_an_interval_commits_do_not_wait_for_the_disk_but_readers_of_the_files_do() {
    let store = new_store();
    let hour = Duration::from_hours(1);
    let options = WriterOptions {
        sync: SyncPolicy::Interval(hour),
        ..WriterOptions::default()
    };
    let writer = start(&store, options);
    append(&writer, 1).unwrap();
    writer.wait_durable(CommitNumber::new(1)).unwrap();
    assert_eq!(writer.durable().commit, CommitNumber::new(1));
    assert_eq!(position(&store).commit, CommitNumber::ZERO);
    // A mark asks for the disk.
    writer.mark().unwrap().wait().unwrap();
    assert_eq!(position(&store), writer.durable());
    append(&writer, 2).unwrap();
    drop(writer);
    assert_eq!(position(&store).commit, CommitNumber::new(2));
}

#[test]
fn an_interval_that_is_over_syncs_without_anything_new() {
    let store = new_store();
    let interval = SyncPolicy::Interval(Duration::from_millis(1));
    let writer = start(
        &store,
        WriterOptions {
            sync: interval,
            ..WriterOptions::default()
        },
    );
    append(&writer, 1).unwrap();
    while position(&store).commit != CommitNumber::new(1) {
        std::thread::yield_now();
    }
}

#[test]
fn a_closed_writer_is_sealed_and_takes_nothing_more() {
    let store = new_store();
    let writer = start(&store, WriterOptions::default());
    append(&writer, 1).unwrap();
    let durable = writer.close().unwrap();
    assert!(durable.sealed);
    assert_eq!(position(&store), durable);
    assert_eq!(append(&writer, 2), Err(WriterError::Closed));
    assert_eq!(
        writer.wait_durable(CommitNumber::new(2)),
        Err(WriterError::Closed)
    );
    assert_eq!(writer.switch(), Err(WriterError::Closed));
    assert_eq!(writer.close(), Err(WriterError::Closed));
    assert_eq!(writer.wait_durable(CommitNumber::new(1)), Ok(()));
}

#[test]
fn a_generation_begins_with_the_point_that_it_goes_on_from() {
    let store = new_store();
    let writer = start(&store, WriterOptions::default());
    append(&writer, 1).unwrap();
    let parent = writer.mark().unwrap().wait().unwrap().point;
    let id = writer.new_generation(GenerationReason::Promote).unwrap();
    let mut reader = SegmentReader::open_in(&store, id).unwrap();
    assert_eq!(reader.header().previous, parent.hash);
    let ReadItem::Block(block) = reader.next(None).unwrap() else {
        unreachable!("a generation begins with a block")
    };
    let mut decoder = BlockDecoder::new();
    let Some(Ok(Record::Generation(start))) = decoder.records(&block).unwrap().next() else {
        unreachable!("which begins with its record")
    };
    assert_eq!(
        (start.parent, start.reason),
        (parent, GenerationReason::Promote)
    );
    assert_eq!(start.origin, "alpha");
}

#[test]
fn a_writer_begins_only_where_the_log_ends() {
    let store = new_store();
    let writer = start(&store, WriterOptions::default());
    append(&writer, 1).unwrap();
    let early = writer.mark().unwrap().wait().unwrap();
    append(&writer, 2).unwrap();
    let end = writer.close().unwrap();
    let begin = |after: Durable| {
        let begin = Begin::NextSegment { after };
        let (store, observer) = (store.clone(), Box::new(|_: &Durable| {}));
        let options = WriterOptions::default();
        Writer::start(store, identity(), options, begin, observer).map(drop)
    };
    assert_eq!(begin(early), Err(WriterError::NotTheEnd(early.point)));
    assert_eq!(begin(end), Ok(()));
}

#[test]
fn a_name_that_no_header_can_hold_is_refused() {
    for instance in ["", "sixteen-bytes-16"] {
        let identity = LogIdentity {
            instance: instance.to_owned(),
            ..identity()
        };
        let (store, observer) = (new_store(), Box::new(|_: &Durable| {}));
        let options = WriterOptions::default();
        let started = Writer::start(store, identity, options, Begin::Create, observer);
        assert_eq!(started.map(drop), Err(WriterError::Identity));
    }
}
