//! Measures the log on a disk: `cargo run --release -p fwlog --example throughput -- DIRECTORY`.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use disk::testing::Random;
use fwlog::{
    Begin, Block, BlockDecoder, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId,
    LogDirectory, LogIdentity, LogLocation, PAGE_SIZE, PageNumber, Record, RecordBuffer,
    SegmentReader, SegmentStore, Timestamp, Writer, WriterOptions,
};

type Outcome = Result<(), Box<dyn Error>>;

const COMMITS: u64 = 100_000;

fn main() -> Outcome {
    let directory = std::env::args().nth(1).ok_or("give a directory")?;
    let directory = Path::new(&directory);
    encoding();
    let location = LogLocation::parse(directory.join("burst-%N"))?;
    burst(&location)?;
    reading(&location)?;
    for threads in [1, 4, 16, 64] {
        waiting(
            &LogLocation::parse(directory.join(format!("wait{threads}-%N")))?,
            threads,
        )?;
    }
    Ok(())
}

/// Pages of a small transaction: a counter, a row appended, an index entry.
struct Workload {
    old: [[u8; PAGE_SIZE]; 3],
    new: [[u8; PAGE_SIZE]; 3],
    random: Random,
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
        }
    }

    fn commit(&mut self, number: u64, records: &mut RecordBuffer) {
        self.old = self.new;
        let row = usize::try_from(number % 30).unwrap_or(0);
        for (index, page) in self.new.iter_mut().enumerate() {
            page[24..28].copy_from_slice(&number.to_le_bytes()[..4]);
            page[100 + 2 * row..102 + 2 * row].copy_from_slice(&number.to_le_bytes()[..2]);
            let at = 4000 - row * 100;
            let cell = &mut page[at..at + 30 * index + 10];
            cell.fill(b'x');
            cell[..4].copy_from_slice(&self.random.next().to_le_bytes()[..4]);
        }
        let mut encoder = records.begin_commit(CommitHead {
            number: CommitNumber::new(number),
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
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    Duration::from_secs(count).as_secs_f64() / time.as_secs_f64()
}

fn encoding() {
    let mut load = Workload::new();
    let mut records = RecordBuffer::with_capacity(4096);
    let mut bytes = 0;
    let began = Instant::now();
    for number in 1..=COMMITS {
        records.clear();
        load.commit(number, &mut records);
        bytes += records.len() as u64;
    }
    println!(
        "encode: {:.2} us/commit of 3 pages, {} bytes raw",
        1e6 / per_second(COMMITS, began.elapsed()),
        bytes / COMMITS
    );
}

fn start(location: &LogLocation) -> Result<Writer, Box<dyn Error>> {
    let identity = LogIdentity {
        environment: EnvironmentId::from_bytes([1; 16]),
        instance: "throughput".to_owned(),
        page_size: u32::try_from(PAGE_SIZE)?,
    };
    let store = Arc::new(SegmentStore::at(location.clone(), 0o600));
    let observer = Box::new(|_: &Durable| {});
    let options = WriterOptions::default();
    Ok(Writer::start(
        store,
        identity,
        options,
        Begin::Create,
        observer,
    )?)
}

fn append(writer: &Writer, load: &mut Workload, number: u64) -> Outcome {
    let mut records = RecordBuffer::with_capacity(512);
    load.commit(number, &mut records);
    let number = CommitNumber::new(number);
    Ok(writer.append(records, Some((number, number)))?)
}

fn burst(location: &LogLocation) -> Outcome {
    let writer = start(location)?;
    let mut load = Workload::new();
    let began = Instant::now();
    for number in 1..=COMMITS {
        append(&writer, &mut load, number)?;
    }
    let queued = began.elapsed();
    let durable = writer.close()?;
    println!(
        "burst: {:.0} commits/s queued, {:.0} durable, {} bytes/commit",
        per_second(COMMITS, queued),
        per_second(COMMITS, began.elapsed()),
        durable.log_bytes / COMMITS
    );
    Ok(())
}

fn reading(location: &LogLocation) -> Outcome {
    let directory = LogDirectory::scan(location)?;
    let mut decoder = BlockDecoder::new();
    let (mut commits, mut sum, mut blocks) = (0, 0_u64, 0);
    let began = Instant::now();
    for info in directory.segments() {
        let mut reader = SegmentReader::open(&location.disk, &info.path)?;
        while let fwlog::ReadItem::Block(block) = reader.next(None)? {
            blocks += 1;
            commits += decode(&mut decoder, &block, &mut sum)?;
        }
    }
    println!(
        "read, verify, decode: {:.0} commits/s from {blocks} blocks ({sum:x})",
        per_second(commits, began.elapsed())
    );
    Ok(())
}

fn decode(decoder: &mut BlockDecoder, block: &Block, sum: &mut u64) -> Result<u64, Box<dyn Error>> {
    let mut commits = 0;
    for record in decoder.records(block)? {
        if let Record::Commit(commit) = record? {
            commits += 1;
            for page in commit.pages {
                *sum = sum.wrapping_add(u64::from(page?.crc));
            }
        }
    }
    Ok(commits)
}

fn waiting(location: &LogLocation, threads: u64) -> Outcome {
    const TIME: Duration = Duration::from_secs(3);
    let writer = start(location)?;
    let groups = AtomicU64::new(0);
    let next = Mutex::new((Workload::new(), 0_u64));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while began.elapsed() < TIME {
                    let number = {
                        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
                        next.1 += 1;
                        let number = next.1;
                        if append(&writer, &mut next.0, number).is_err() {
                            return;
                        }
                        number
                    };
                    if writer.wait_durable(CommitNumber::new(number)).is_err() {
                        return;
                    }
                    groups.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let elapsed = began.elapsed();
    let durable = writer.close()?;
    let commits = durable.commit.get();
    println!(
        "{threads} threads that wait: {:.0} commits/s, {:.0} us each, {} bytes/commit",
        per_second(commits, elapsed),
        1e6 * elapsed.as_secs_f64() * Duration::from_secs(threads).as_secs_f64()
            / Duration::from_secs(commits).as_secs_f64(),
        durable.log_bytes / commits
    );
    Ok(())
}
