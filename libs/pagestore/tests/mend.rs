//! Damaged pages are made again: by whoever meets them, beside readers and checkpoints, through crashes.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use disk::testing::{Fault as DiskFault, Kind, Process, SimulatedDisk};
use disk::{Access, Disk};
use pagestore::{
    CommitNumber, Depth, Fault, Horizon, Lost, PAGE_SIZE, PageData, PageImage, PageNumber,
    PageSource, PageStore, Remade, StoreError, StoreOptions, sum_file, sum_of,
};

const PAGES: u32 = 6;

fn path() -> PathBuf {
    PathBuf::from("/db/shop.db")
}

fn page(number: u32) -> PageNumber {
    PageNumber::new(number).unwrap()
}

/// What each page is after a commit that has written all.
fn content(commit: u64, number: PageNumber) -> PageData {
    let mut data = [u8::try_from(commit % 251).unwrap(); PAGE_SIZE];
    data[7] = u8::try_from(number.get()).unwrap();
    data
}

/// Knows all pages at any commit.
#[derive(Debug, Default)]
struct Truth {
    asked: AtomicUsize,
    mended: Mutex<Vec<(PageNumber, Fault)>>,
    not_mended: Mutex<Vec<(PageNumber, String)>>,
    /// It gives something else.
    lies: AtomicBool,
    /// It can't be reached.
    is_away: AtomicBool,
    is_off: AtomicBool,
}

impl PageSource for Truth {
    fn is_on(&self) -> bool {
        !self.is_off.load(Ordering::SeqCst)
    }

    fn remake(&self, lost: &Lost<'_>) -> Vec<Remade> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!((lost.path, lost.database), (path().as_path(), 7));
        if self.is_away.load(Ordering::SeqCst) {
            return vec![Remade::Later("the truth is away".into()); lost.pages.len()];
        }
        let lies = u64::from(self.lies.load(Ordering::SeqCst));
        let remade = lost.pages.iter().map(|lost_page| {
            let data = content(lost.commit.get() + lies, lost_page.page);
            if lost_page.found == Some(sum_of(&data)) {
                Remade::Sum("the truth".into())
            } else {
                Remade::Page(Box::new(data), "the truth".into())
            }
        });
        remade.collect()
    }

    fn mended(&self, _path: &Path, _from: &str, pages: &[(PageNumber, Fault)]) {
        let mut mended = self.mended.lock().unwrap();
        mended.extend_from_slice(pages);
        // Once for each origin.
        mended.sort_by_key(|(page, _)| *page);
    }

    fn not_mended(&self, _path: &Path, pages: &[(PageNumber, Fault)], why: &str) {
        let mut not_mended = self.not_mended.lock().unwrap();
        not_mended.extend(pages.iter().map(|(page, _)| (*page, why.to_owned())));
    }
}

fn options(disk: Disk) -> StoreOptions {
    StoreOptions {
        disk,
        scratch_dir: PathBuf::from("/db"),
        database: 7,
        pinned_limit: 0,
    }
}

fn publish(store: &PageStore, commit: u64) {
    let pages = (1..=PAGES).map(page);
    let pages = pages.map(|page| (page, PageImage::copy_of(&content(commit, page))));
    store.publish(CommitNumber::new(commit), PAGES, pages.collect());
    store.horizon().advance(CommitNumber::new(commit));
}

/// A disk with a data file of commit 3.
fn machine() -> (SimulatedDisk, Process) {
    let disk = SimulatedDisk::new(1);
    let process = disk.process();
    let directory = Path::new("/db");
    process.disk().make_directory(directory, 0o700).unwrap();
    let horizon = Horizon::new(CommitNumber::ZERO);
    let store = PageStore::create(&path(), horizon, options(process.disk())).unwrap();
    for commit in [1, 3] {
        publish(&store, commit);
        store.checkpoint(&|_| ()).unwrap();
    }
    (disk, process)
}

fn open(process: &Process) -> (Arc<PageStore>, Arc<Truth>) {
    let horizon = Horizon::new(CommitNumber::new(3));
    let store = PageStore::open(&path(), horizon, options(process.disk())).unwrap();
    let truth = Arc::new(Truth::default());
    store.mend_from(Arc::clone(&truth) as Arc<dyn PageSource>);
    (store, truth)
}

fn flip(disk: &SimulatedDisk, number: u32) {
    assert!(disk.flip(path(), page(number).offset() + 99, 3));
}

fn read(store: &Arc<PageStore>, number: u32) -> Result<PageData, StoreError> {
    let mut data = [0; PAGE_SIZE];
    let snapshot = store.snapshot_durable();
    snapshot.read(page(number), &mut data).map(|()| data)
}

#[test]
fn what_cannot_be_had_at_present_is_told_with_its_reason_and_tried_again() {
    let (disk, process) = machine();
    flip(&disk, 2);
    let (store, truth) = open(&process);
    truth.is_off.store(true, Ordering::SeqCst);
    let told = read(&store, 2).unwrap_err().to_string();
    assert!(told.ends_with("does not fit its checksum"), "{told}");
    assert_eq!(truth.asked.load(Ordering::SeqCst), 0);
    truth.is_off.store(false, Ordering::SeqCst);
    truth.is_away.store(true, Ordering::SeqCst);
    let why = "does not fit its checksum; it can't be repaired: the truth is away";
    for _ in 0..2 {
        let told = read(&store, 2).unwrap_err().to_string();
        assert!(told.ends_with(why), "{told}");
    }
    assert_eq!(truth.asked.load(Ordering::SeqCst), 1, "not at each read");
    // Who repairs another server is told at once.
    let mut data = [0; PAGE_SIZE];
    let told = store.snapshot_durable().read_as_is(page(2), &mut data);
    assert!(told.unwrap_err().to_string().ends_with("its checksum"));
    truth.is_away.store(false, Ordering::SeqCst);
    store.try_again();
    assert_eq!(read(&store, 2).unwrap(), content(3, page(2)));
    assert_eq!(truth.asked.load(Ordering::SeqCst), 2);
}

#[test]
fn many_readers_of_one_damaged_page_all_get_it_and_it_is_made_once() {
    let (disk, process) = machine();
    let whole = disk.content(path()).unwrap();
    flip(&disk, 2);
    flip(&disk, 5);
    let (store, truth) = open(&process);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(read(&store, 2).unwrap(), content(3, page(2))));
        }
    });
    // Its damaged neighbour was made again with it.
    assert_eq!(truth.asked.load(Ordering::SeqCst), 1);
    let mended = truth.mended.lock().unwrap().clone();
    assert_eq!(mended, [(page(2), Fault::Sum), (page(5), Fault::Sum)]);
    assert_eq!(disk.content(path()), Some(whole.clone()));
    assert_eq!(disk.durable_content(path()), Some(whole));
}

#[test]
fn a_run_of_pages_and_some_bytes_of_one_are_mended_as_well() {
    let (disk, process) = machine();
    let (store, _truth) = open(&process);
    let snapshot = store.snapshot_durable();
    flip(&disk, 2);
    let mut run = vec![0; PAGES as usize * PAGE_SIZE];
    snapshot.read_run(page(1), &mut run).unwrap();
    for (data, number) in run.chunks(PAGE_SIZE).zip(1..) {
        assert_eq!(data, content(3, page(number)));
    }
    flip(&disk, 2);
    let mut part = [0; 16];
    snapshot.read_at(page(2), 90, &mut part).unwrap();
    assert_eq!(part, [3; 16]);
}

#[test]
fn holes_a_cut_file_and_damaged_sums_are_mended_by_a_verification() {
    let (disk, process) = machine();
    let sums = disk.content(sum_file(&path())).unwrap();
    let whole = disk.content(path()).unwrap();
    let file = process.disk().open(&path(), Access::Write).unwrap();
    file.write_at(page(2).offset(), &[0; PAGE_SIZE]).unwrap();
    file.set_length(page(5).offset() + 100).unwrap();
    // At the start the table has it as it is on the disk, later it has not.
    assert!(disk.flip(sum_file(&path()), 4096, 4));
    let (store, truth) = open(&process);
    assert!(disk.flip(sum_file(&path()), 4096 + 4 * 3, 4));
    let report = store.verify(Depth::Pages, &|_| ());
    let mended = [
        (page(1), Fault::Sum),
        (page(2), Fault::Sum),
        (page(4), Fault::StoredSum),
        (page(5), Fault::Beyond),
        (page(6), Fault::Beyond),
    ];
    assert_eq!((report.damaged, report.mended), (vec![], mended.to_vec()));
    assert_eq!(*truth.mended.lock().unwrap(), mended);
    assert_eq!(disk.durable_content(path()), Some(whole));
    assert_eq!(disk.durable_content(sum_file(&path())), Some(sums));
}

#[test]
fn what_does_not_fit_is_never_written_and_not_tried_again_before_somebody_asks() {
    let (disk, process) = machine();
    flip(&disk, 2);
    let damaged = disk.content(path());
    let (store, truth) = open(&process);
    truth.lies.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let error = read(&store, 2).unwrap_err().to_string();
        assert!(error.ends_with("does not fit its checksum"), "{error}");
    }
    assert_eq!(truth.asked.load(Ordering::SeqCst), 1);
    let (first, why) = truth.not_mended.lock().unwrap()[0].clone();
    assert_eq!(first, page(2));
    assert!(why.contains("does not fit its checksum"), "{why}");
    assert_eq!(disk.content(path()), damaged);
    truth.lies.store(false, Ordering::SeqCst);
    assert!(store.verify_from(page(1)).unwrap().0.mended.is_empty());
    let report = store.verify(Depth::Pages, &|_| ());
    assert_eq!((report.damaged.len(), report.mended.len()), (0, 1));
    assert_eq!(read(&store, 2).unwrap(), content(3, page(2)));
}

#[test]
fn another_source_repairs_where_the_own_one_can_not() {
    let (disk, process) = machine();
    flip(&disk, 2);
    let (store, truth) = open(&process);
    truth.lies.store(true, Ordering::SeqCst);
    assert_eq!(store.verify(Depth::Pages, &|_| ()).damaged.len(), 1);
    let other = Truth::default();
    let report = store.repair(&other, &|_| ());
    assert_eq!((report.damaged.len(), report.mended.len()), (0, 1));
    assert_eq!(other.mended.lock().unwrap().len(), 1);
    assert_eq!(read(&store, 2).unwrap(), content(3, page(2)));
}

#[test]
fn a_checkpoint_keeps_the_mended_page_for_an_old_snapshot_and_writes_the_new_one() {
    let (disk, process) = machine();
    let (store, truth) = open(&process);
    let old = store.snapshot_durable();
    publish(&store, 4);
    flip(&disk, 2);
    store.checkpoint(&|_| ()).unwrap();
    let mut data = [0; PAGE_SIZE];
    old.read(page(2), &mut data).unwrap();
    assert_eq!(data, content(3, page(2)));
    assert_eq!(read(&store, 2).unwrap(), content(4, page(2)));
    // Nobody needs the old one of this: it is not made again.
    drop(old);
    publish(&store, 5);
    flip(&disk, 3);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(truth.mended.lock().unwrap().len(), 1);
    let report = store.verify(Depth::Pages, &|_| ());
    assert_eq!((report.damaged, report.mended), (vec![], vec![]));
}

/// Bits flip while readers, a writer and checkpoints are at work: nobody ever gets anything but the page.
#[test]
fn readers_and_checkpoints_beside_repairs_see_what_is_right() {
    let (disk, process) = machine();
    let (store, truth) = open(&process);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let snapshot = store.snapshot_durable();
                    let commit = snapshot.commit().get();
                    for number in (1..=PAGES).map(page) {
                        let mut data = [0; PAGE_SIZE];
                        snapshot.read(number, &mut data).unwrap();
                        assert!(data == content(commit, number), "page {number} at {commit}");
                    }
                }
            });
        }
        scope.spawn(|| {
            let page_of = |number: u64| u32::try_from(number).unwrap() % PAGES + 1;
            for round in 4..400 {
                publish(&store, round);
                flip(&disk, page_of(round));
                store.checkpoint(&|_| ()).unwrap();
                // The next round damages another one: a reader that has mended a page must not find it damaged again
                // before it has looked at it.
                if page_of(round / 2) != page_of(round + 1) {
                    flip(&disk, page_of(round / 2));
                }
                if round % 3 == 0 {
                    let damaged = store.verify(Depth::Pages, &|_| ()).damaged;
                    assert_eq!(damaged, []);
                }
            }
            done.store(true, Ordering::SeqCst);
        });
    });
    assert!(truth.mended.lock().unwrap().len() > 100);
    assert_eq!(*truth.not_mended.lock().unwrap(), []);
}

#[test]
fn a_disk_that_fails_leaves_the_damage_for_another_try() {
    for kind in [Kind::Write, Kind::Sync] {
        let (disk, process) = machine();
        flip(&disk, 2);
        let (store, truth) = open(&process);
        disk.fail(DiskFault::after(0).of(&[kind]).and_all_later());
        match (kind, read(&store, 2)) {
            // It was written, and nobody knows where to.
            (Kind::Sync, read) => assert!(read.unwrap() == content(3, page(2))),
            (_, read) => assert!(read.is_err()),
        }
        assert_eq!(truth.not_mended.lock().unwrap().len(), 1, "{kind:?}");
        disk.mend();
        disk.evict();
        assert!(read(&store, 2).unwrap() == content(3, page(2)));
        let report = store.verify(Depth::Pages, &|_| ());
        assert_eq!(report.damaged, [], "{kind:?}");
    }
}

#[test]
fn a_power_cut_at_any_operation_leaves_what_can_be_mended() {
    let mut cuts = 0;
    loop {
        let (disk, process) = machine();
        flip(&disk, 2);
        assert!(disk.flip(sum_file(&path()), 4096 + 4 * 3, 4));
        let (store, _truth) = open(&process);
        disk.fail(DiskFault::after(cuts).power_off());
        let report = store.verify(Depth::Pages, &|_| ());
        if report.damaged.is_empty() && report.mended.len() == 2 {
            break;
        }
        for seed in 0..8 {
            let machine = disk.after_power_cut(seed);
            let (store, _truth) = open(&machine.process());
            assert_eq!(store.verify(Depth::Pages, &|_| ()).damaged, []);
            for number in 1..=PAGES {
                assert_eq!(read(&store, number).unwrap(), content(3, page(number)));
            }
        }
        cuts += 1;
    }
    assert!(cuts > 3, "{cuts}");
}
