//! Data files as a crash or a failed checkpoint leaves them.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use disk::Disk;
use pagestore::{
    CommitNumber, Depth, Horizon, LOCK_PAGE, PAGE_SIZE, PageImage, PageNumber, PageStore, Snapshot,
    StoreOptions, sum_file,
};

fn open(path: &Path, scratch_dir: &Path) -> Arc<PageStore> {
    let options = StoreOptions {
        disk: Disk::real(),
        scratch_dir: scratch_dir.to_owned(),
        database: 1,
        pinned_limit: 0,
    };
    PageStore::create(path, Horizon::new(CommitNumber::ZERO), options).unwrap()
}

fn reopen(path: &Path, scratch_dir: &Path, redo: u64) -> Arc<PageStore> {
    let options = StoreOptions {
        disk: Disk::real(),
        scratch_dir: scratch_dir.to_owned(),
        database: 1,
        pinned_limit: 0,
    };
    PageStore::open(path, Horizon::new(CommitNumber::new(redo)), options).unwrap()
}

fn publish(store: &PageStore, commit: u64, page_count: u32, pages: &[(u32, u8)]) {
    let image = |(page, byte): &(u32, u8)| {
        (
            PageNumber::new(*page).unwrap(),
            PageImage::copy_of(&[*byte; PAGE_SIZE]),
        )
    };
    let commit = CommitNumber::new(commit);
    store.publish(commit, page_count, pages.iter().map(image).collect());
    store.horizon().advance(commit);
}

fn bytes(snapshot: &Snapshot) -> Vec<u8> {
    let pages = (1..=snapshot.page_count()).map(|page| {
        let mut data = [0; PAGE_SIZE];
        snapshot
            .read(PageNumber::new(page).unwrap(), &mut data)
            .unwrap();
        assert!(
            data.iter().all(|byte| *byte == data[0]),
            "page {page} is torn"
        );
        data[0]
    });
    pages.collect()
}

#[test]
fn redo_over_a_torn_file_makes_it_right() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("torn.db");
    let store = open(&path, directory.path());
    publish(&store, 1, 3, &[(1, 1), (2, 2), (3, 3)]);
    store.checkpoint(&|_| ()).unwrap();
    drop(store);
    // A checkpoint was cut short: one page is torn, and the file has a part of a fourth.
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[9; PAGE_SIZE / 2], PAGE_SIZE as u64 * 3 / 2)
        .unwrap();
    file.write_all_at(&[4; 77], PAGE_SIZE as u64 * 3).unwrap();
    let store = reopen(&path, directory.path(), 1);
    assert_eq!(store.latest(), (CommitNumber::ZERO, 3));
    publish(&store, 5, 5, &[(2, 12), (5, 15)]);
    publish(&store, 6, 4, &[(4, 14)]);
    assert_eq!(bytes(&store.snapshot_durable()), [1, 12, 3, 14]);
    store.close().unwrap();
    let again = reopen(&path, directory.path(), 6);
    assert_eq!(bytes(&again.snapshot_durable()), [1, 12, 3, 14]);
    assert_eq!(fs::metadata(&path).unwrap().len(), 4 * PAGE_SIZE as u64);
}

#[test]
fn a_failed_checkpoint_loses_nothing_and_the_next_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full.db");
    let missing = directory.path().join("missing");
    let store = open(&path, &missing);
    publish(&store, 1, 3, &[(1, 1), (2, 2), (3, 3)]);
    store.checkpoint(&|_| ()).unwrap();
    let old = store.snapshot_durable();
    publish(&store, 2, 2, &[(2, 22)]);
    // The old image of page 2 has nowhere to go.
    let error = store.checkpoint(&|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("full.db: cannot keep the old image of page 2"),
        "{error}"
    );
    assert_eq!(bytes(&old), [1, 2, 3]);
    assert_eq!(bytes(&store.snapshot_durable()), [1, 22]);
    assert_eq!(store.dirty_bytes(), PAGE_SIZE as u64);
    fs::create_dir(&missing).unwrap();
    let report = store.checkpoint(&|_| ()).unwrap();
    assert_eq!((report.commit.get(), report.pages), (2, 1));
    assert_eq!(bytes(&old), [1, 2, 3]);
    assert_eq!(bytes(&store.snapshot_durable()), [1, 22]);
    assert_eq!(fs::metadata(&path).unwrap().len(), 2 * PAGE_SIZE as u64);
    drop(old);
    store.prune();
    assert_eq!(store.memory().versions, 0);
}

#[test]
fn the_lock_page_is_zeros_and_never_stored() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("large.db"), directory.path());
    let lock = LOCK_PAGE.get();
    publish(&store, 1, lock + 1, &[(lock, 7), (lock + 1, 8)]);
    let snapshot = store.snapshot_durable();
    let mut data = [1; PAGE_SIZE];
    snapshot.read(LOCK_PAGE, &mut data).unwrap();
    assert_eq!(data, [0; PAGE_SIZE]);
    snapshot
        .read(PageNumber::new(lock + 1).unwrap(), &mut data)
        .unwrap();
    assert_eq!(data, [8; PAGE_SIZE]);
    assert_eq!(store.memory().versions, u64::from(lock));
}

#[test]
fn a_commit_half_published_is_seen_by_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("order.db"), directory.path());
    publish(&store, 1, 1, &[(1, 1)]);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        publish(&store, 1, 1, &[(1, 2)]);
    }));
    assert!(refused.is_err(), "a commit number must not come twice");
    assert_eq!(bytes(&store.snapshot_latest()), [1]);
    publish(&store, 2, 1, &[(1, 2)]);
    assert_eq!(bytes(&store.snapshot_durable()), [2]);
}

#[test]
fn a_snapshot_keeps_one_old_version_of_each_page_that_has_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("pinned.db"), directory.path());
    publish(&store, 1, 3, &[(1, 1), (2, 1), (3, 1)]);
    let old = store.snapshot_durable();
    for commit in 2..10 {
        publish(&store, commit, 3, &[(1, 2), (2, 2)]);
    }
    store.prune();
    assert_eq!(store.memory().versions, 5);
    drop(old);
    store.prune();
    assert_eq!(store.memory().versions, 3);
}

/// `pinned_limit` is 0: what a checkpoint keeps goes to a scratch file.
#[test]
fn what_a_snapshot_has_given_back_is_not_kept_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("given.db"), directory.path());
    let all: Vec<(u32, u8)> = (1..=6).map(|page| (page, 1)).collect();
    publish(&store, 1, 6, &all);
    store.checkpoint(&|_| ()).unwrap();
    let (mut cut, reader) = (store.snapshot_durable(), store.snapshot_durable());
    let page = |number| PageNumber::new(number).unwrap();
    cut.release_below(page(3));
    publish(&store, 2, 6, &[(1, 2), (2, 2), (3, 2), (4, 2)]);
    store.checkpoint(&|_| ()).unwrap();
    let kept = |snapshot: &Snapshot| {
        let pinned = snapshot.pinned();
        assert_eq!(pinned.memory_bytes, 0);
        assert_eq!(pinned.scratch_bytes, pinned.pages * PAGE_SIZE as u64);
        pinned.pages
    };
    assert_eq!((kept(&cut), kept(&reader)), (2, 4));
    drop(reader);
    store.prune();
    assert_eq!(
        (store.memory().versions, kept(&cut)),
        (4, 2),
        "an old image, and what hides it"
    );
    cut.release_below(page(4));
    assert_eq!((store.memory().versions, kept(&cut)), (2, 1));
    cut.release_below(page(2));
    assert_eq!(bytes(&store.snapshot_durable()), [2, 2, 2, 2, 1, 1]);
    cut.release_below(page(7));
    assert_eq!((store.memory().versions, kept(&cut)), (0, 0));
    publish(&store, 3, 6, &all);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(store.memory().versions, 0, "nothing is kept any more");
    assert_eq!(cut.commit(), CommitNumber::new(1));
}

#[test]
fn the_progress_of_a_checkpoint_ends_at_its_total() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("steps.db"), directory.path());
    let pages: Vec<(u32, u8)> = (1..=600).filter(|p| p % 100 != 0).map(|p| (p, 1)).collect();
    publish(&store, 1, 600, &pages);
    let seen = std::cell::RefCell::new(Vec::new());
    let report = store
        .checkpoint(&|progress| seen.borrow_mut().push(progress))
        .unwrap();
    let seen = seen.into_inner();
    assert!(seen.len() > 1 && seen.is_sorted_by(|a, b| a.done < b.done));
    assert!(
        seen.last()
            .is_some_and(|last| last.done == last.total && last.total == report.pages)
    );
    assert_eq!(report.bytes, 600 * PAGE_SIZE as u64);
}

/// Bug: a file that was cut near the page where SQLite has its locks, which has no sum, looked
/// damaged there to the checkpoint that cut it, and old readers were ended.
#[test]
fn a_file_that_is_cut_before_the_lock_page_keeps_its_readers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.db");
    drop(open(&path, directory.path()));
    // A gibibyte of zeros, as a checkpoint up to commit 1 leaves it; the file has holes.
    let pages = LOCK_PAGE.get() + 2;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(u64::from(pages) * PAGE_SIZE as u64).unwrap();
    let mut head = b"EQPGSUMS".to_vec();
    for field in [1, 4096, 1, pages] {
        head.extend_from_slice(&u32::to_le_bytes(field));
    }
    head.extend_from_slice(&u64::to_le_bytes(1));
    head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
    let sum = crc32c::crc32c(&[0; PAGE_SIZE]).to_le_bytes();
    let sums = fs::OpenOptions::new()
        .write(true)
        .open(sum_file(&path))
        .unwrap();
    sums.write_all_at(&head, 512).unwrap();
    let mut table = sum.repeat(pages as usize);
    let lock = 4 * (LOCK_PAGE.get() as usize - 1);
    table[lock..lock + 4].fill(0);
    sums.write_all_at(&table, 4096).unwrap();

    let store = reopen(&path, directory.path(), 1);
    assert_eq!(store.latest(), (CommitNumber::ZERO, pages));
    let old = store.snapshot_durable();
    publish(&store, 2, pages - 4, &[(1, 1), (pages - 4, 2)]);
    store.checkpoint(&|_| ()).unwrap();
    publish(&store, 3, pages, &[(pages, 3)]);
    store.checkpoint(&|_| ()).unwrap();
    let mut data = [1; PAGE_SIZE];
    for page in [1, pages - 4, pages - 3, pages - 2, pages - 1, pages] {
        old.read(PageNumber::new(page).unwrap(), &mut data).unwrap();
        assert_eq!(data, [0; PAGE_SIZE], "page {page}");
    }
    drop(old);
    let again = reopen(&path, directory.path(), 3);
    assert_eq!(again.latest().1, pages);
    let new = again.snapshot_durable();
    for (page, byte) in [(1, 1), (pages - 4, 2), (pages - 2, 0), (pages, 3)] {
        new.read(PageNumber::new(page).unwrap(), &mut data).unwrap();
        assert_eq!(data, [byte; PAGE_SIZE], "page {page}");
    }
    let report = again.verify(Depth::Pages, &|_| ());
    assert_eq!(report.damaged, []);
    let all_but_the_lock_page = u64::from(pages) - 1;
    assert_eq!(report.pages, all_but_the_lock_page);
}

/// Bug: with a page that was new, and changed once more while the checkpoint was on its way, the next
/// checkpoint found no sound image to keep for snapshots that had never seen the page, and ended them.
#[test]
fn a_snapshot_is_not_ended_for_a_page_that_it_does_not_see() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory.path().join("new.db"), directory.path());
    publish(&store, 1, 2, &[(1, 1), (2, 2)]);
    let old = store.snapshot_durable();
    publish(&store, 2, 4, &[(3, 3), (4, 4)]);
    publish(&store, 3, 4, &[(3, 13)]);
    publish(&store, 4, 4, &[(3, 23)]);
    // Page 3 has no version of commit 2 any more: redo has what it becomes.
    store
        .checkpoint_up_to(CommitNumber::new(2), &|_| ())
        .unwrap();
    let young = store.snapshot_durable();
    publish(&store, 5, 4, &[(3, 33), (4, 34)]);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(bytes(&old), [1, 2]);
    assert_eq!(bytes(&young), [1, 2, 23, 4]);
    assert_eq!(bytes(&store.snapshot_durable()), [1, 2, 33, 34]);
}
