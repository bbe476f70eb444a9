//! What the tree costs a byte, on one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pagehash::{
    GROUP_PAGES, GroupHasher, GroupNumber, PAGE_SIZE, PageIndex, TreeHasher, page_hash,
};

/// 16 groups: more than the caches of a processor hold.
const BYTES: usize = 16 * GROUP_PAGES as usize * PAGE_SIZE;

fn hash(criterion: &mut Criterion) {
    let bytes = vec![7; BYTES];
    let mut group = criterion.benchmark_group("pagehash");
    group.throughput(Throughput::Bytes(BYTES as u64));
    group.bench_function("plain BLAKE3, all at once", |b| {
        b.iter(|| blake3::hash(&bytes));
    });
    group.bench_function("tree, 2 MiB at a time", |b| {
        b.iter(|| {
            let mut hasher = TreeHasher::new();
            for some in bytes.chunks(GROUP_PAGES as usize * PAGE_SIZE) {
                hasher.update(some);
            }
            hasher.finish()
        });
    });
    group.bench_function("tree, a page at a time", |b| {
        b.iter(|| {
            let mut hasher = TreeHasher::new();
            for page in bytes.chunks(PAGE_SIZE) {
                hasher.update(page);
            }
            hasher.finish()
        });
    });
    group.bench_function("groups", |b| {
        b.iter(|| {
            let groups = bytes.chunks(GROUP_PAGES as usize * PAGE_SIZE);
            let numbers = (0..).filter_map(GroupNumber::new);
            numbers
                .zip(groups)
                .map(|(number, pages)| {
                    let mut hasher = GroupHasher::new(number);
                    hasher.update(pages);
                    hasher.finish()
                })
                .filter(|value| value.as_bytes()[0] == 0)
                .count()
        });
    });
    group.bench_function("pages", |b| {
        b.iter(|| {
            let pages = (1..)
                .filter_map(PageIndex::of_page)
                .zip(bytes.as_chunks().0);
            pages
                .map(|(index, page)| page_hash(index, page))
                .filter(|hash| hash.as_bytes()[0] == 0)
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, hash);
criterion_main!(benches);
