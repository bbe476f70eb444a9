//! The log: records made, blocks written and synced, blocks read and proved.
#![expect(clippy::unwrap_used, reason = "a bench that fails may end")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use disk::testing::Random;
use fwlog::{
    Begin, BlockDecoder, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId,
    LogDirectory, LogIdentity, LogLocation, PAGE_SIZE, PageNumber, ReadItem, Record, RecordBuffer,
    SegmentReader, SegmentStore, Timestamp, Writer, WriterOptions,
};

/// Commits of one burst, and of the log that is read.
const COMMITS: u64 = 10_000;
/// Sessions that commit side by side.
const SESSIONS: u64 = 16;

/// Pages of a small transaction: a counter, a row appended, an index entry.
struct Workload {
    old: [[u8; PAGE_SIZE]; 3],
    new: [[u8; PAGE_SIZE]; 3],
    random: Random,
    commit: u64,
}

impl Workload {
    fn new() -> Self {
        let mut random = Random::new(1);
        let mut old = [[0; PAGE_SIZE]; 3];
        for page in &mut old {
            page.fill_with(|| random.next().to_le_bytes()[0]);
        }
        Self {
            old,
            new: old,
            random,
            commit: 0,
        }
    }

    /// Encodes the next commit.
    fn encode(&mut self, records: &mut RecordBuffer) -> CommitNumber {
        self.commit += 1;
        let number = self.commit.to_le_bytes();
        self.old = self.new;
        let row = usize::try_from(self.commit % 30).unwrap();
        for (index, page) in self.new.iter_mut().enumerate() {
            page[24..28].copy_from_slice(&number[..4]);
            page[100 + 2 * row..102 + 2 * row].copy_from_slice(&number[..2]);
            let at = 4000 - row * 100;
            let cell = &mut page[at..at + 30 * index + 10];
            cell.fill(b'x');
            cell[..4].copy_from_slice(&self.random.next().to_le_bytes()[..4]);
        }
        let mut encoder = records.begin_commit(CommitHead {
            number: CommitNumber::new(self.commit),
            database: DatabaseId::new(1),
            time: Timestamp::now(),
            exclusive: false,
            page_count: 1000,
            transaction: None,
        });
        for (page, (old, new)) in (2..).zip(self.old.iter().zip(&self.new)) {
            encoder.page_delta(PageNumber::new(page), old, new);
        }
        encoder.finish();
        CommitNumber::new(self.commit)
    }

    /// Queues the next commit for the log.
    fn append(&mut self, writer: &Writer) -> CommitNumber {
        let mut records = RecordBuffer::with_capacity(512);
        let commit = self.encode(&mut records);
        writer.append(records, Some((commit, commit))).unwrap();
        commit
    }
}

fn start(location: &LogLocation) -> Writer {
    let identity = LogIdentity {
        environment: EnvironmentId::from_bytes([1; 16]),
        instance: "bench".to_owned(),
        page_size: u32::try_from(PAGE_SIZE).unwrap(),
    };
    let store = Arc::new(SegmentStore::at(location.clone(), 0o600));
    let observer = Box::new(|_: &Durable| {});
    let options = WriterOptions::default();
    Writer::start(store, identity, options, Begin::Create, observer).unwrap()
}

fn location(directory: &Path) -> LogLocation {
    LogLocation::parse(directory.join("fw-%N")).unwrap()
}

fn encode(criterion: &mut Criterion) {
    let mut load = Workload::new();
    let mut records = RecordBuffer::with_capacity(4096);
    criterion.bench_function("log/encode a commit of 3 pages", |bencher| {
        bencher.iter(|| {
            records.clear();
            black_box(load.encode(&mut records))
        });
    });
}

/// Time until so many commits are durable, each of which one of the sessions waits for.
fn commits(writer: &Writer, load: &Mutex<Workload>, sessions: u64, commits: u64) -> Duration {
    let left = AtomicU64::new(commits);
    let took = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..sessions {
            scope.spawn(|| {
                while took().is_ok() {
                    let mut load = load.lock().unwrap_or_else(PoisonError::into_inner);
                    let commit = load.append(writer);
                    drop(load);
                    writer.wait_durable(commit).unwrap();
                }
            });
        }
    });
    began.elapsed()
}

fn append(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let writer = start(&location(directory.path()));
    let load = Mutex::new(Workload::new());
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(1));
    for sessions in [1, SESSIONS] {
        group.bench_function(
            format!("append and wait for the disk, {sessions} sessions"),
            |bencher| bencher.iter_custom(|rounds| commits(&writer, &load, sessions, rounds)),
        );
    }
    group.throughput(Throughput::Elements(COMMITS));
    group.sample_size(10);
    group.bench_function(format!("append {COMMITS}, wait for the last"), |bencher| {
        bencher.iter(|| {
            let mut load = load.lock().unwrap_or_else(PoisonError::into_inner);
            let last = (0..COMMITS).map(|_| load.append(&writer)).last().unwrap();
            writer.wait_durable(last).unwrap();
        });
    });
    group.finish();
    writer.close().unwrap();
}

/// Reads the log as recovery does: head, checksum, chain hash, records, pages.
fn read(location: &LogLocation) -> u64 {
    let directory = LogDirectory::scan(location).unwrap();
    let mut decoder = BlockDecoder::new();
    let mut commits = 0;
    for segment in directory.segments() {
        let mut reader = SegmentReader::open(&location.disk, &segment.path).unwrap();
        while let ReadItem::Block(block) = reader.next(None).unwrap() {
            for record in decoder.records(&block).unwrap() {
                if let Record::Commit(commit) = record.unwrap() {
                    commits += 1;
                    for page in commit.pages {
                        black_box(page.unwrap().crc);
                    }
                }
            }
        }
    }
    commits
}

fn verify(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let location = location(directory.path());
    let writer = start(&location);
    let mut load = Workload::new();
    for _ in 0..COMMITS {
        load.append(&writer);
    }
    writer.close().unwrap();
    let mut group = criterion.benchmark_group("log");
    group.throughput(Throughput::Elements(COMMITS));
    group.bench_function(format!("read and verify {COMMITS} commits"), |bencher| {
        bencher.iter(|| assert_eq!(read(&location), COMMITS));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = encode, append, verify
}
criterion_main!(benches);
