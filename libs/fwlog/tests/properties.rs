//! What must hold for every log, and for every damage to one.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::sync::Arc;

use bytes::Bytes;
use disk::testing::{Random, SimulatedDisk};
use fwlog::{
    Begin, Block, BlockHead, CommitHead, CommitNumber, Compression, DatabaseId, Durable,
    DurableEnd, EndKind, EnvironmentId, LogIdentity, LogLocation, LogPoint, PAGE_SIZE, PageBody,
    PageNumber, Position, ReadError, ReadItem, Record, RecordBuffer, Records, Seal, SegmentHeader,
    SegmentId, SegmentReader, SegmentStore, Timestamp, TransactionId, Writer, WriterOptions,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A page change as a test makes it: which page, where it differs from the version before.
#[derive(Clone, Debug)]
struct Change {
    page: u32,
    full: bool,
    runs: Vec<(usize, Vec<u8>)>,
}

fn change() -> impl Strategy<Value = Change> {
    let run = (0..PAGE_SIZE, vec(any::<u8>(), 1..200));
    (1..=u32::MAX, any::<bool>(), vec(run, 0..6)).prop_map(|(page, full, runs)| Change {
        page,
        full,
        runs,
    })
}

fn head() -> impl Strategy<Value = CommitHead> {
    let transaction = proptest::option::of(any::<u64>().prop_map(TransactionId::new));
    let numbers = (
        any::<u64>(),
        any::<u32>(),
        any::<u64>(),
        any::<bool>(),
        any::<u32>(),
    );
    (numbers, transaction).prop_map(
        |((number, database, time, exclusive, page_count), transaction)| CommitHead {
            number: CommitNumber::new(number),
            database: DatabaseId::new(database),
            time: Timestamp::from_micros(time),
            exclusive,
            page_count,
            transaction,
        },
    )
}

fn page(seed: u64) -> [u8; PAGE_SIZE] {
    let mut random = Random::new(seed);
    let mut page = [0; PAGE_SIZE];
    page.fill_with(|| random.next().to_le_bytes()[0]);
    page
}

fn changed(old: &[u8; PAGE_SIZE], change: &Change) -> [u8; PAGE_SIZE] {
    let mut new = *old;
    for (at, bytes) in &change.runs {
        let end = PAGE_SIZE.min(at + bytes.len());
        new[*at..end].copy_from_slice(&bytes[..end - at]);
    }
    new
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn commits_read_back_as_they_were_written(
        commits in vec((head(), vec(change(), 0..5)), 1..8),
    ) {
        let mut buffer = RecordBuffer::new();
        for (head, changes) in &commits {
            let mut encoder = buffer.begin_commit(*head);
            for change in changes {
                let old = page(u64::from(change.page));
                let new = changed(&old, change);
                if change.full {
                    encoder.page_full(PageNumber::new(change.page), &new);
                } else {
                    encoder.page_delta(PageNumber::new(change.page), &old, &new);
                }
            }
            encoder.finish();
        }
        let mut records = Records::new(buffer.as_bytes());
        for (head, changes) in &commits {
            let Some(Ok(Record::Commit(commit))) = records.next() else {
                return Err(TestCaseError::fail("a commit was written"));
            };
            let read = CommitHead {
                number: commit.number,
                database: commit.database,
                time: commit.time,
                exclusive: commit.exclusive,
                page_count: commit.page_count,
                transaction: commit.transaction,
            };
            prop_assert_eq!(&read, head);
            prop_assert_eq!(commit.pages.into_iter().count(), changes.len());
            for (read, change) in commit.pages.into_iter().zip(changes) {
                let read = read.unwrap();
                prop_assert_eq!(read.page.get(), change.page);
                prop_assert!(!change.full || matches!(read.body, PageBody::Full(_)));
                let old = page(u64::from(change.page));
                let mut made = old;
                read.apply(&mut made).unwrap();
                prop_assert!(made == changed(&old, change));
            }
        }
        prop_assert!(records.next().is_none());
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..400), kind in 0_u8..12) {
        // As they are, and as the body of each kind of record.
        decode_all(&bytes);
        let length = u32::try_from(bytes.len()).unwrap();
        let mut record = (length << 8 | u32::from(kind)).to_le_bytes().to_vec();
        record.extend_from_slice(&bytes);
        decode_all(&record);
        // Whether these are refused does not matter here, only that they return.
        let start = Position::new(SegmentId::FIRST, 128);
        let refused = [
            BlockHead::decode(&bytes).is_err(),
            Seal::decode(&bytes).is_err(),
            SegmentHeader::decode(&bytes).is_err(),
            DurableEnd::decode(&bytes).is_none(),
            Block::split_from(&mut Bytes::from(bytes), start).is_err(),
        ];
        prop_assert_eq!(refused, [true; 5]);
    }

    #[test]
    fn any_bytes_behind_the_last_block_are_a_torn_tail(tail in vec(any::<u8>(), 1..300)) {
        prop_assume!(tail.iter().any(|byte| *byte != 0));
        let (store, whole) = log(false);
        let end = whole.len() as u64;
        store.open(SegmentId::FIRST).unwrap().write_at(end, &tail).unwrap();
        let (items, stop) = read(&store).unwrap();
        prop_assert_eq!(items, blocks_of(&whole));
        let torn = matches!(stop, Stop::End(EndKind::Torn { offset, .. }) if offset == end);
        prop_assert!(torn);
    }
}

fn decode_all(raw: &[u8]) {
    let mut page = [0; PAGE_SIZE];
    for record in Records::new(raw) {
        let pages = match record {
            Ok(Record::Commit(commit)) => commit.pages,
            Ok(Record::Part(part)) => part.pages,
            _ => continue,
        };
        for change in pages.into_iter().flatten() {
            // A made-up page has the right checksum once in 2^32.
            assert!(change.apply(&mut page).is_err());
        }
    }
}

/// A log of one segment with some blocks, and its bytes without what is behind them.
fn log(sealed: bool) -> (Arc<SegmentStore>, Vec<u8>) {
    let disk = SimulatedDisk::new(1).process().disk();
    let location = LogLocation::parse("/fw-%N").unwrap().on(disk);
    let store = Arc::new(SegmentStore::at(location, 0o600));
    let identity = LogIdentity {
        environment: EnvironmentId::from_bytes([9; 16]),
        instance: "alpha".to_owned(),
        page_size: u32::try_from(PAGE_SIZE).unwrap(),
    };
    let options = WriterOptions {
        preallocate: 700,
        ..WriterOptions::default()
    };
    let observer = Box::new(|_: &Durable| {});
    let shared = Arc::clone(&store);
    let writer = Writer::start(shared, identity, options, Begin::Create, observer).unwrap();
    for number in 1..=5 {
        let mut records = RecordBuffer::new();
        let number = CommitNumber::new(number);
        let mut encoder = records.begin_commit(CommitHead {
            number,
            database: DatabaseId::new(1),
            time: Timestamp::from_micros(5),
            exclusive: false,
            page_count: 3,
            transaction: None,
        });
        let old = page(1);
        // One that compresses, one that does not.
        let bytes = if number.get().is_multiple_of(2) {
            vec![7; 150]
        } else {
            page(2)[..150].to_vec()
        };
        let change = Change {
            page: 1,
            full: false,
            runs: vec![(1000, bytes)],
        };
        encoder.page_delta(PageNumber::new(1), &old, &changed(&old, &change));
        encoder.finish();
        writer.append(records, Some((number, number))).unwrap();
        writer.wait_durable(number).unwrap();
    }
    let end = writer.durable().point.position.offset;
    if sealed {
        writer.close().unwrap();
    }
    drop(writer);
    let file = store.open_to_read(SegmentId::FIRST).unwrap();
    let length = if sealed { file.length().unwrap() } else { end };
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    (store, bytes)
}

fn blocks_of(segment: &[u8]) -> Vec<Block> {
    let mut rest = Bytes::copy_from_slice(segment);
    let mut start = SegmentHeader::decode(&rest.split_to(fwlog::HEADER_SIZE))
        .unwrap()
        .start();
    let mut blocks = Vec::new();
    while let Ok(block) = Block::split_from(&mut rest, start.position) {
        start = block.end;
        blocks.push(block);
    }
    assert!(blocks.len() > 5);
    blocks
}

#[derive(Debug, PartialEq)]
enum Stop {
    Seal,
    End(EndKind),
    Corrupt(u64),
}

fn read(store: &SegmentStore) -> Result<(Vec<Block>, Stop), ReadError> {
    let mut reader = SegmentReader::open_in(store, SegmentId::FIRST)?;
    let mut blocks = Vec::new();
    loop {
        match reader.next(None) {
            Ok(ReadItem::Block(block)) => blocks.push(block),
            Ok(ReadItem::Seal(_)) => return Ok((blocks, Stop::Seal)),
            Ok(ReadItem::End(end)) => return Ok((blocks, Stop::End(end))),
            Err(ReadError::Corrupt { offset, .. }) => return Ok((blocks, Stop::Corrupt(offset))),
            Err(error) => return Err(error),
        }
    }
}

#[test]
fn every_flipped_byte_of_a_segment_is_noticed_where_it_is() {
    for sealed in [false, true] {
        let (store, whole) = log(sealed);
        let good = blocks_of(&whole);
        let file = store.open(SegmentId::FIRST).unwrap();
        for (at, byte) in whole.iter().enumerate() {
            let offset = at as u64;
            file.write_at(offset, &[byte ^ 1 << (at % 8)]).unwrap();
            let seen = read(&store);
            file.write_at(offset, &[*byte]).unwrap();
            let Ok((blocks, stop)) = seen else {
                assert!(at < fwlog::HEADER_SIZE, "byte {at}");
                continue;
            };
            let before: Vec<_> = good
                .iter()
                .filter(|block| block.end.position.offset <= offset)
                .cloned()
                .collect();
            let end = before.last().map_or(128, |block| block.end.position.offset);
            assert_eq!(blocks, before, "byte {at}");
            let in_seal = offset >= good.last().unwrap().end.position.offset;
            match stop {
                Stop::Corrupt(offset) => assert!(sealed && !in_seal && offset == end, "byte {at}"),
                Stop::End(EndKind::Torn { offset, .. }) => {
                    assert!((!sealed || in_seal) && offset == end, "byte {at}");
                }
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_segment_cut_anywhere_ends_cleanly_or_torn_behind_its_whole_blocks() {
    let (store, whole) = log(true);
    let good = blocks_of(&whole);
    let file = store.open(SegmentId::FIRST).unwrap();
    for length in (128..whole.len()).rev() {
        file.set_length(length as u64).unwrap();
        let (blocks, stop) = read(&store).unwrap();
        let left = good
            .iter()
            .filter(|block| block.end.position.offset <= length as u64);
        assert_eq!(blocks, left.cloned().collect::<Vec<_>>());
        let end = blocks.last().map_or(128, |block| block.end.position.offset);
        match stop {
            Stop::End(EndKind::Clean) => assert_eq!(end, length as u64),
            Stop::End(EndKind::Torn { offset, .. }) => assert_eq!(offset, end),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[test]
fn what_is_behind_the_limit_is_never_looked_at() {
    let (store, whole) = log(false);
    let good = blocks_of(&whole);
    let end = good.last().unwrap().end.position.offset;
    let mut reader = SegmentReader::open_in(&store, SegmentId::FIRST).unwrap();
    let file = store.open(SegmentId::FIRST).unwrap();
    for block in &good {
        // Behind the limit stands something else, until the limit comes there.
        let start = block.start.offset;
        file.write_at(start, &vec![0xaa; usize::try_from(end - start).unwrap()])
            .unwrap();
        let ended = reader.next(Some(start)).unwrap();
        assert_eq!(ended, ReadItem::End(EndKind::Clean));
        file.write_at(start, &whole[usize::try_from(start).unwrap()..])
            .unwrap();
        let read = reader.next(Some(block.end.position.offset)).unwrap();
        assert_eq!(read, ReadItem::Block(block.clone()));
    }
}

#[test]
fn a_reader_skips_to_block_borders_only() {
    let (store, whole) = log(true);
    let good = blocks_of(&whole);
    let borders: Vec<LogPoint> = good.iter().map(|block| block.end).collect();
    for offset in 129..whole.len() as u64 {
        let mut reader = SegmentReader::open_in(&store, SegmentId::FIRST).unwrap();
        let hash = reader.skip_to(offset).unwrap();
        let border = borders.iter().find(|point| point.position.offset == offset);
        assert_eq!(hash, border.map(|point| point.hash), "offset {offset}");
        let next = good.iter().find(|block| block.start.offset == offset);
        if let Some(next) = next {
            assert_eq!(reader.next(None).unwrap(), ReadItem::Block(next.clone()));
        }
    }
}

#[test]
fn a_block_decodes_however_it_is_stored() {
    let (_, whole) = log(true);
    let mut kinds = Vec::new();
    let mut decoder = fwlog::BlockDecoder::new();
    for block in blocks_of(&whole) {
        kinds.push(block.head.compression);
        assert!(
            decoder
                .records(&block)
                .unwrap()
                .all(|record| record.is_ok())
        );
    }
    assert!(kinds.contains(&Compression::None) && kinds.contains(&Compression::Zstd));
}
