//! Every bit of a data file and its sum file: flipped, it is found, or it means nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::testing::{Process, SimulatedDisk};
use disk::{Access, Disk};
use pagestore::{
    CommitNumber, Damage, Depth, Fault, Horizon, PAGE_SIZE, PageImage, PageNumber, PageStore,
    StoreError, StoreOptions, sum_file,
};

/// Commit of the last checkpoint.
const COMMIT: u64 = 3;
/// Pages then.
const PAGES: u32 = 2;

fn path() -> PathBuf {
    PathBuf::from("/db/shop.db")
}

fn options(disk: Disk, database: u32) -> StoreOptions {
    StoreOptions {
        disk,
        scratch_dir: PathBuf::from("/db"),
        database,
        pinned_limit: 0,
    }
}

fn publish(store: &PageStore, commit: u64, page_count: u32, byte: u8) {
    let pages = (1..=page_count).map(|page| {
        let image = PageImage::copy_of(&[byte; PAGE_SIZE]);
        (PageNumber::new(page).unwrap(), image)
    });
    let commit = CommitNumber::new(commit);
    store.publish(commit, page_count, pages.collect());
    store.horizon().advance(commit);
}

/// A disk with a data file of two checkpoints.
fn machine() -> (SimulatedDisk, Process) {
    let disk = SimulatedDisk::new(1);
    let process = disk.process();
    process
        .disk()
        .make_directory(Path::new("/db"), 0o700)
        .unwrap();
    let horizon = Horizon::new(CommitNumber::ZERO);
    let store = PageStore::create(&path(), horizon, options(process.disk(), 7)).unwrap();
    publish(&store, 1, 1, 1);
    store.checkpoint(&|_| ()).unwrap();
    publish(&store, COMMIT, PAGES, 2);
    store.checkpoint(&|_| ()).unwrap();
    drop(store);
    (disk, process)
}

fn open_as(process: &Process, database: u32, redo: u64) -> Result<Arc<PageStore>, StoreError> {
    let horizon = Horizon::new(CommitNumber::new(redo));
    PageStore::open(&path(), horizon, options(process.disk(), database))
}

fn open(process: &Process) -> Result<Arc<PageStore>, StoreError> {
    open_as(process, 7, COMMIT)
}

fn damage(result: Result<Arc<PageStore>, StoreError>) -> Damage {
    match result {
        Err(StoreError::Damaged { damage, .. }) => damage,
        other => panic!("{other:?}"),
    }
}

/// Whether a start finds the damage; if not, all must read as ever.
fn is_found(process: &Process) -> bool {
    let Ok(store) = open(process) else {
        return true;
    };
    if !store.verify(Depth::Pages, &|_| ()).damaged.is_empty() {
        return true;
    }
    let snapshot = store.snapshot_durable();
    assert_eq!(snapshot.page_count(), PAGES);
    for page in 1..=PAGES {
        let mut data = [0; PAGE_SIZE];
        snapshot
            .read(PageNumber::new(page).unwrap(), &mut data)
            .unwrap();
        assert_eq!(data, [2; PAGE_SIZE]);
    }
    false
}

/// A checkpoint up to a border of the log finds nothing to write where newer commits are durable
/// already: the versions of the border are gone, and redo brings the newer ones.
#[test]
fn a_checkpoint_up_to_a_commit_whose_versions_are_gone_leaves_files_that_a_start_takes() {
    let disk = SimulatedDisk::new(1);
    let process = disk.process();
    let directory = Path::new("/db");
    process.disk().make_directory(directory, 0o700).unwrap();
    let horizon = Horizon::new(CommitNumber::ZERO);
    let store = PageStore::create(&path(), horizon, options(process.disk(), 7)).unwrap();
    publish(&store, 1, PAGES, 1);
    publish(&store, 2, PAGES, 2);
    store.prune();
    let border = CommitNumber::new(1);
    let report = store.checkpoint_up_to(border, &|_| ()).unwrap();
    assert_eq!((report.commit, report.pages), (border, 0));
    assert!(store.verify(Depth::Pages, &|_| ()).damaged.is_empty());
    drop(store);
    let store = open_as(&process, 7, 1).unwrap();
    publish(&store, 2, PAGES, 2);
    assert!(store.verify(Depth::Pages, &|_| ()).damaged.is_empty());
    let mut data = [0; PAGE_SIZE];
    let page = PageNumber::new(PAGES).unwrap();
    store.snapshot_durable().read(page, &mut data).unwrap();
    assert_eq!(data, [2; PAGE_SIZE]);
}

/// Flips every bit of a file, one at a time; answers the bytes of which not every flip is found.
fn unnoticed(file: &Path) -> Vec<u64> {
    let (disk, process) = machine();
    assert!(!is_found(&process));
    let length = disk.content(file).unwrap().len() as u64;
    let mut unnoticed = Vec::new();
    for byte in 0..length {
        let flips = (0..8).filter(|bit| {
            assert!(disk.flip(file, byte, *bit));
            let found = is_found(&process);
            assert!(disk.flip(file, byte, *bit));
            !found
        });
        if flips.count() > 0 {
            unnoticed.push(byte);
        }
    }
    unnoticed
}

#[test]
fn every_flipped_bit_of_a_data_file_is_found() {
    assert_eq!(unnoticed(&path()), [0; 0]);
}

#[test]
fn every_flipped_bit_of_a_sum_file_is_found_or_means_nothing() {
    let unnoticed = unnoticed(&sum_file(&path()));
    // The second checkpoint wrote head 0; head 1 has the one before, and the rest is filling.
    let head = 0..36;
    let sums = 4096..4096 + 4 * u64::from(PAGES);
    let meaningless = (0..sums.end).filter(|byte| !head.contains(byte) && !sums.contains(byte));
    assert_eq!(unnoticed, meaningless.collect::<Vec<_>>());
}

#[test]
fn every_cut_of_a_sum_file_is_found() {
    for length in 0..4096 + 4 * u64::from(PAGES) {
        let (_disk, process) = machine();
        let file = process.disk().open(&sum_file(&path()), Access::Write);
        file.unwrap().set_length(length).unwrap();
        assert!(is_found(&process), "cut to {length} bytes");
    }
}

#[test]
fn a_damaged_page_is_never_served_and_named_by_number_and_offset() {
    let (disk, process) = machine();
    assert!(disk.flip(path(), PAGE_SIZE as u64 + 77, 3));
    let store = open(&process).unwrap();
    let snapshot = store.snapshot_durable();
    let page = PageNumber::new(2).unwrap();
    for mut part in [vec![0; PAGE_SIZE], vec![0; 16]] {
        let error = snapshot.read_at(page, 0, &mut part).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/db/shop.db: page 2 at byte offset 4096 does not fit its checksum"
        );
    }
    let mut data = [0; PAGE_SIZE];
    snapshot
        .read(PageNumber::new(1).unwrap(), &mut data)
        .unwrap();
    let report = store.verify(Depth::Pages, &|_| ());
    assert_eq!(report.damaged, [(page, Fault::Sum)]);
    assert_eq!(store.verify(Depth::Length, &|_| ()).damaged, []);
    // Many pages at once are proved as one is.
    let first = PageNumber::new(1).unwrap();
    let mut run = vec![0; snapshot.page_count() as usize * PAGE_SIZE];
    let error = snapshot.read_run(first, &mut run).unwrap_err();
    assert!(
        error.to_string().contains("page 2 at byte offset 4096"),
        "{error}"
    );
    snapshot
        .read_run(first, &mut run[..PAGE_SIZE])
        .expect("nobody asked for the damaged one");
    assert_eq!(run[..PAGE_SIZE], data);
}

#[test]
fn a_page_written_anew_is_sound_again() {
    let (disk, process) = machine();
    assert!(disk.flip(path(), 5, 0));
    let store = open(&process).unwrap();
    publish(&store, COMMIT + 1, PAGES, 9);
    assert_eq!(store.verify(Depth::Pages, &|_| ()).damaged, []);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(store.verify(Depth::Pages, &|_| ()).damaged, []);
    let mut data = [0; PAGE_SIZE];
    let snapshot = store.snapshot_durable();
    snapshot
        .read(PageNumber::new(1).unwrap(), &mut data)
        .unwrap();
    assert_eq!(data, [9; PAGE_SIZE]);
}

#[test]
fn a_damaged_page_that_a_snapshot_needs_stops_a_checkpoint_only_until_the_snapshot_ends() {
    let (disk, process) = machine();
    assert!(disk.flip(path(), 5, 0));
    let store = open(&process).unwrap();
    let old = store.snapshot_durable();
    publish(&store, COMMIT + 1, PAGES, 9);
    let error = store.checkpoint(&|_| ()).unwrap_err();
    let commit = error.snapshots_in_the_way().unwrap();
    let text = error.to_string();
    assert!(text.contains("does not fit its checksum"), "{text}");
    assert_eq!(store.end_snapshots_before(commit), 1);
    store.checkpoint(&|_| ()).unwrap();
    let mut data = [0; PAGE_SIZE];
    let first = PageNumber::new(1).unwrap();
    let error = old.read(first, &mut data).unwrap_err();
    assert!(
        matches!(error, StoreError::SnapshotTooOld { .. }),
        "{error}"
    );
    store.snapshot_durable().read(first, &mut data).unwrap();
    assert_eq!(data, [9; PAGE_SIZE]);
}

#[test]
fn a_data_file_that_is_too_short_is_found_without_reading_it() {
    let (_disk, process) = machine();
    let file = process.disk().open(&path(), Access::Write).unwrap();
    file.set_length(PAGE_SIZE as u64 + 100).unwrap();
    let store = open(&process).unwrap();
    let page = PageNumber::new(2).unwrap();
    for depth in [Depth::Length, Depth::Pages] {
        let report = store.verify(depth, &|_| ());
        assert_eq!(report.damaged, [(page, Fault::Beyond)]);
    }
}

#[test]
fn a_missing_file_is_not_taken_for_an_empty_database() {
    for file in [path(), sum_file(&path())] {
        let (disk, process) = machine();
        process.disk().remove(&file).unwrap();
        assert_eq!(damage(open(&process)), Damage::Missing);
        assert!(
            !disk.files().contains(&file),
            "the evidence is not replaced"
        );
    }
}

#[test]
fn an_old_copy_and_another_databases_file_are_refused() {
    let (_disk, process) = machine();
    assert_eq!(
        damage(open_as(&process, 7, COMMIT + 1)),
        Damage::Old {
            commit: CommitNumber::new(COMMIT),
            wanted: CommitNumber::new(COMMIT + 1),
        }
    );
    assert_eq!(
        damage(open_as(&process, 8, COMMIT)),
        Damage::Foreign {
            database: 7,
            wanted: 8,
        }
    );
}

/// The sums count as of the older head, because a crash may have left the newer one incomplete; but
/// pages of the newer one may be there.
#[test]
fn a_file_tells_the_newest_commit_that_it_may_have_a_page_of() {
    let (_disk, process) = machine();
    let store = open(&process).unwrap();
    assert_eq!(store.newest_commit(), CommitNumber::new(COMMIT));
    publish(&store, COMMIT + 1, PAGES, 9);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(store.newest_commit(), CommitNumber::new(COMMIT + 1));
    drop(store);
    let again = open(&process).unwrap();
    assert_eq!(again.base_commit(), CommitNumber::new(COMMIT));
    assert_eq!(again.newest_commit(), CommitNumber::new(COMMIT + 1));
}

#[test]
fn a_sum_damaged_on_the_disk_is_found_while_the_server_runs() {
    let (disk, process) = machine();
    let store = open(&process).unwrap();
    assert!(disk.flip(sum_file(&path()), 4096 + 4, 7));
    let page = PageNumber::new(2).unwrap();
    let report = store.verify(Depth::Pages, &|_| ());
    assert_eq!(report.damaged, [(page, Fault::StoredSum)]);
    assert_eq!(report.pages, u64::from(PAGES));
}

#[test]
fn what_stands_in_for_a_damaged_file_touches_nothing() {
    let (disk, process) = machine();
    let files = disk.files();
    let horizon = Horizon::new(CommitNumber::new(COMMIT));
    let store = PageStore::stand_in(&path(), horizon, options(process.disk(), 7)).unwrap();
    publish(&store, COMMIT + 1, PAGES, 9);
    store.checkpoint(&|_| ()).unwrap();
    assert_eq!(store.path(), path());
    drop(store);
    assert_eq!(disk.files(), files);
    assert!(!is_found(&process));
}
