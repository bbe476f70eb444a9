//! The page store: what a commit, a reader and a checkpoint cost.
#![expect(clippy::unwrap_used, reason = "a bench that fails may end")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use disk::Disk;
use pagestore::{CommitNumber, Horizon, PAGE_SIZE, PageImage, PageNumber, PageStore, StoreOptions};

/// Pages of the database.
const PAGES: u32 = 10_000;
/// Pages that a checkpoint writes.
const WRITTEN: u32 = 1000;

struct Home {
    _directory: tempfile::TempDir,
    store: Arc<PageStore>,
    horizon: Arc<Horizon>,
    commit: CommitNumber,
    /// Walks over the pages in an order that is nobody's.
    page: u32,
}

impl Home {
    /// A database whose pages are all in the data file.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let horizon = Horizon::new(CommitNumber::ZERO);
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: directory.path().to_owned(),
            database: 1,
            pinned_limit: 64 << 20,
        };
        let path = directory.path().join("bench.db");
        let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
        let mut home = Self {
            _directory: directory,
            store,
            horizon,
            commit: CommitNumber::ZERO,
            page: 1,
        };
        home.publish((1..=PAGES).collect());
        home.store.checkpoint(&|_| ()).unwrap();
        home
    }

    fn next_page(&mut self) -> u32 {
        self.page = (self.page + 7919) % PAGES;
        self.page + 1
    }

    fn publish(&mut self, mut numbers: Vec<u32>) {
        numbers.sort_unstable();
        self.commit = CommitNumber::new(self.commit.get() + 1);
        let image = PageImage::copy_of(&[self.commit.get().to_le_bytes()[0]; PAGE_SIZE]);
        let pages = numbers
            .into_iter()
            .map(|page| (PageNumber::new(page).unwrap(), image.clone()))
            .collect();
        self.store.publish(self.commit, PAGES, pages);
        self.horizon.advance(self.commit);
    }

    fn publish_any(&mut self, count: u32) {
        let pages = (0..count).map(|_| self.next_page()).collect();
        self.publish(pages);
    }
}

fn publish(criterion: &mut Criterion) {
    let mut home = Home::new();
    criterion.bench_function("store/publish a commit of 3 pages", |bencher| {
        bencher.iter(|| home.publish_any(3));
    });
}

fn read(criterion: &mut Criterion) {
    let mut home = Home::new();
    let mut data = [0; PAGE_SIZE];
    let mut read = |home: &mut Home, bencher: &mut criterion::Bencher<'_>| {
        let snapshot = home.store.snapshot_durable();
        bencher.iter(|| {
            let page = PageNumber::new(home.next_page()).unwrap();
            snapshot.read(page, &mut data).unwrap();
        });
    };
    let mut group = criterion.benchmark_group("store");
    group.throughput(Throughput::Bytes(PAGE_SIZE as u64));
    group.bench_function("read a page of the data file", |bencher| {
        read(&mut home, bencher);
    });
    home.publish((1..=PAGES).collect());
    group.bench_function("read a version in memory", |bencher| {
        read(&mut home, bencher);
    });
    group.finish();
    criterion.bench_function("store/open and drop a snapshot", |bencher| {
        bencher.iter(|| home.store.snapshot_durable());
    });
}

fn checkpoint(criterion: &mut Criterion) {
    let mut home = Home::new();
    let mut group = criterion.benchmark_group("store");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(WRITTEN)));
    group.bench_function(format!("checkpoint of {WRITTEN} pages"), |bencher| {
        bencher.iter_custom(|rounds| {
            let mut total = Duration::ZERO;
            for _ in 0..rounds {
                home.publish_any(WRITTEN);
                let began = Instant::now();
                home.store.checkpoint(&|_| ()).unwrap();
                total += began.elapsed();
            }
            total
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    targets = publish, read, checkpoint
}
criterion_main!(benches);
