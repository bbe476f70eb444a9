//! Failing calls, full disks and power cuts at every operation of a checkpoint: nothing durable is
//! lost, the next checkpoint completes, and redo makes the same state again.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::testing::{Fault, Kind, Process, Random, SimulatedDisk};
use pagestore::{
    CommitNumber, Depth, Horizon, PAGE_SIZE, PageData, PageImage, PageNumber, PageStore, Snapshot,
    StoreError, StoreOptions,
};

/// Pages of the database at most.
const PAGES: u64 = 12;
/// What is done on one disk.
const STEPS: usize = 24;

/// A commit as the log has it: full images of its pages.
#[derive(Clone, Debug)]
struct Commit {
    page_count: u32,
    pages: Vec<(u32, u64)>,
    /// The database afterwards, a stamp a page.
    state: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish,
    Durable,
    Checkpoint,
    Open,
    Drop,
    /// What a failed sync has left in memory alone is forgotten.
    Evict,
}

/// A database, the log that redo would read, and the redo point.
struct World {
    seed: u64,
    random: Random,
    disk: SimulatedDisk,
    process: Process,
    store: Arc<PageStore>,
    /// All commits; commit 1 comes first.
    log: Vec<Commit>,
    durable: u64,
    /// Where redo begins; `None` before the first checkpoint, when nothing relies on the files.
    redo: Option<u64>,
    open: Vec<(Snapshot, Vec<u64>)>,
}

fn directory() -> PathBuf {
    PathBuf::from("/data/db")
}

fn options(process: &Process, pinned_limit: u64) -> StoreOptions {
    StoreOptions {
        disk: process.disk(),
        scratch_dir: directory(),
        database: 7,
        pinned_limit,
    }
}

fn path() -> PathBuf {
    directory().join("shop.db")
}

fn image_of(stamp: u64) -> PageData {
    let mut page = [0; PAGE_SIZE];
    for chunk in page.chunks_exact_mut(8) {
        chunk.copy_from_slice(&stamp.to_le_bytes());
    }
    page
}

fn page(number: u32) -> PageNumber {
    PageNumber::new(number).unwrap()
}

fn check(snapshot: &Snapshot, state: &[u64], what: &str) {
    assert_eq!(snapshot.page_count() as usize, state.len(), "{what}");
    let mut data = [0; PAGE_SIZE];
    for (number, stamp) in (1..).zip(state) {
        snapshot
            .read(page(number), &mut data)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(data == image_of(*stamp), "{what}: page {number}");
    }
}

impl World {
    /// A new database, on a disk where nothing has gone wrong yet.
    fn new(seed: u64) -> Self {
        let disk = SimulatedDisk::new(seed);
        let process = disk.process();
        process.disk().make_directory(&directory(), 0o700).unwrap();
        let horizon = Horizon::new(CommitNumber::ZERO);
        let store = PageStore::create(&path(), horizon, options(&process, 8192)).unwrap();
        Self {
            seed,
            random: Random::new(seed),
            disk,
            process,
            store,
            log: Vec::new(),
            durable: 0,
            redo: None,
            open: Vec::new(),
        }
    }

    fn state(&self, commit: u64) -> Vec<u64> {
        let index = usize::try_from(commit).unwrap();
        index
            .checked_sub(1)
            .map_or_else(Vec::new, |index| self.log[index].state.clone())
    }

    fn choose(&mut self) -> Step {
        match self.random.below(16) {
            0..6 => Step::Publish,
            6..9 => Step::Durable,
            9..12 => Step::Checkpoint,
            12..14 => Step::Open,
            14 => Step::Drop,
            _ => Step::Evict,
        }
    }

    /// Does the next step; an error is one of the disk.
    fn step(&mut self) -> Result<(), StoreError> {
        match self.choose() {
            Step::Publish => self.publish(),
            Step::Durable => {
                let newest = self.log.len() as u64;
                self.durable += self.random.below(newest - self.durable + 1);
                self.store
                    .horizon()
                    .advance(CommitNumber::new(self.durable));
            }
            Step::Checkpoint => return self.checkpoint(),
            Step::Open => {
                let snapshot = self.store.snapshot_durable();
                let state = self.state(snapshot.commit().get());
                self.open.push((snapshot, state));
            }
            Step::Drop => {
                let count = self.open.len() as u64;
                if count > 0 {
                    let which = self.random.below(count);
                    self.open.swap_remove(usize::try_from(which).unwrap());
                }
            }
            Step::Evict => self.disk.evict(),
        }
        Ok(())
    }

    fn publish(&mut self) {
        let number = self.log.len() as u64 + 1;
        let page_count = u32::try_from(self.random.below(PAGES) + 1).unwrap();
        let mut state = self.state(number - 1);
        state.resize(page_count as usize, 0);
        let mut pages = Vec::new();
        for index in 0..self.random.below(4) {
            let page = u32::try_from(self.random.below(u64::from(page_count))).unwrap() + 1;
            let stamp = number * 100 + index + 1;
            state[page as usize - 1] = stamp;
            pages.retain(|(other, _)| *other != page);
            pages.push((page, stamp));
        }
        let commit = Commit {
            page_count,
            pages,
            state,
        };
        apply(&self.store, number, &commit);
        self.log.push(commit);
    }

    /// The redo point moves only when all is on the disk.
    fn checkpoint(&mut self) -> Result<(), StoreError> {
        let redo = self.durable;
        match self.store.checkpoint(&|_| ()) {
            Ok(_) => {
                self.redo = Some(redo);
                Ok(())
            }
            Err(error) => {
                if let Some(commit) = error.snapshots_in_the_way() {
                    self.store.end_snapshots_before(commit);
                    self.open.retain(|entry| entry.0.commit() >= commit);
                }
                Err(error)
            }
        }
    }

    /// All that is open reads as ever.
    fn check(&self, what: &str) {
        for (snapshot, state) in &self.open {
            check(snapshot, state, what);
        }
        let now = self.store.snapshot_durable();
        check(&now, &self.state(now.commit().get()), what);
        let report = self.store.verify(Depth::Pages, &|_| ());
        assert_eq!(report.damaged, [], "{what}");
    }

    /// The machine loses its power; the next start redoes what is durable.
    fn restart(&mut self, seed: u64) {
        let what = format!("disk {}, power cut {seed}", self.seed);
        self.open.clear();
        self.disk = self.disk.power_cut(seed);
        self.process = self.disk.process();
        let horizon = Horizon::new(CommitNumber::new(self.redo.unwrap_or(0)));
        let options = options(&self.process, 8192);
        self.store = match self.redo {
            Some(_) => PageStore::open(&path(), horizon, options),
            None => PageStore::create(&path(), horizon, options),
        }
        .unwrap_or_else(|error| panic!("{what}: {error}"));
        self.log.truncate(usize::try_from(self.durable).unwrap());
        for number in self.redo.unwrap_or(0) + 1..=self.durable {
            let commit = &self.log[usize::try_from(number).unwrap() - 1];
            apply(&self.store, number, commit);
            self.store.horizon().advance(CommitNumber::new(number));
        }
        self.check(&what);
        self.checkpoint()
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        self.check(&what);
    }
}

fn apply(store: &PageStore, number: u64, commit: &Commit) {
    let pages = commit
        .pages
        .iter()
        .map(|(number, stamp)| (page(*number), PageImage::copy_of(&image_of(*stamp))));
    store.publish(
        CommitNumber::new(number),
        commit.page_count,
        pages.collect(),
    );
}

#[test]
fn a_power_cut_at_any_operation_loses_nothing_that_is_durable() {
    let mut cuts = 0_u64;
    for seed in 0..16 {
        let mut struck = true;
        for at in 0.. {
            if !std::mem::take(&mut struck) {
                break;
            }
            for outcome in [0, 1]
                .into_iter()
                .chain((2..7).map(|n| seed * 1000 + at * 7 + n))
            {
                let mut world = World::new(seed);
                let cut = Fault::after(at).of(Kind::CHANGES).power_off();
                world.disk.fail(cut);
                struck |= (0..STEPS).any(|_| world.step().is_err());
                world.restart(outcome);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 1000, "only {cuts} power cuts");
}

#[test]
fn a_failed_call_at_any_operation_loses_nothing_and_the_next_checkpoint_completes() {
    let mut failures = 0_u64;
    for seed in 100..110 {
        let mut struck = true;
        for at in 0.. {
            if !std::mem::take(&mut struck) {
                break;
            }
            for error in [ErrorKind::StorageFull, ErrorKind::Other] {
                let what = format!("disk {seed}, operation {at} fails with {error}");
                let mut world = World::new(seed);
                world
                    .disk
                    .fail(Fault::after(at).of(Kind::CHANGES).with(error));
                for _ in 0..STEPS {
                    struck |= world.step().is_err();
                    world.disk.evict();
                    world.check(&what);
                }
                world.disk.mend();
                world
                    .checkpoint()
                    .unwrap_or_else(|error| panic!("{what}: {error}"));
                world.check(&what);
                world.restart(seed * 1000 + at);
                failures += 1;
            }
        }
    }
    assert!(failures > 200, "only {failures} failures");
}

#[test]
fn a_failed_read_in_a_checkpoint_ends_old_readers_at_most() {
    let (mut failures, mut ended) = (0_u64, 0_u64);
    for seed in 800..860 {
        let mut struck = true;
        for at in 0.. {
            if !std::mem::take(&mut struck) {
                break;
            }
            let mut world = World::new(seed);
            world.disk.fail(Fault::after(at).of(&[Kind::Read]));
            for _ in 0..STEPS {
                let before = world.open.len();
                let failed = world.step().is_err();
                struck |= failed;
                ended += u64::from(failed && world.open.len() < before);
            }
            failures += u64::from(struck);
            world.disk.mend();
            world.check(&format!("disk {seed}, read {at} failed"));
            world.checkpoint().unwrap();
            world.restart(at);
        }
    }
    assert!(
        failures > 20 && ended > 5,
        "{failures} failures, {ended} times readers ended"
    );
}

#[test]
fn a_power_cut_some_time_after_failed_calls_loses_nothing_that_is_durable() {
    for seed in 200..600 {
        let mut world = World::new(seed);
        let mut random = Random::new(seed);
        world
            .disk
            .fail(Fault::one_in(6).of(&[Kind::Write, Kind::Sync, Kind::SetLength]));
        let at = random.below(80);
        world
            .disk
            .fail(Fault::after(at).of(Kind::CHANGES).power_off());
        for _ in 0..STEPS * 2 {
            if let Err(error) = world.step() {
                assert!(error.to_string().contains("shop.db"), "{error}");
            }
        }
        world.restart(random.next());
        for _ in 0..STEPS {
            world.step().unwrap();
            world.check("after the restart");
        }
        world.restart(random.next());
    }
}

/// Bytes that the files of the database take.
fn used(world: &World) -> u64 {
    world.disk.used(Path::new("/data"))
}

#[test]
fn a_full_disk_stops_checkpoints_until_there_is_room_and_harms_nothing() {
    for seed in 700..760 {
        let mut world = World::new(seed);
        let mut refused = false;
        for round in 0..STEPS as u64 {
            if round % 4 == 0 {
                let room = used(&world) + round % 3 * PAGE_SIZE as u64;
                world.disk.set_room("/data", Some(room));
            }
            match world.step() {
                Ok(()) => {}
                Err(error) => {
                    refused = true;
                    let full = error.is_disk_full() || error.snapshots_in_the_way().is_some();
                    assert!(full, "disk {seed}: {error}");
                }
            }
            world.check(&format!("disk {seed}, full"));
        }
        assert!(refused || world.redo.is_some() || world.log.is_empty());
        world.disk.set_room("/data", None);
        world.checkpoint().unwrap();
        world.restart(seed);
    }
}

#[test]
fn without_room_for_old_images_their_readers_end_and_the_checkpoint_goes_on() {
    let mut world = World::new(1);
    let tmp = PathBuf::from("/tmp");
    world.process.disk().make_directory(&tmp, 0o700).unwrap();
    let options = StoreOptions {
        scratch_dir: tmp.clone(),
        ..options(&world.process, 0)
    };
    world.store = PageStore::create(&path(), Horizon::new(CommitNumber::ZERO), options).unwrap();
    while world.log.len() < 3 {
        world.publish();
    }
    world.durable = 3;
    world.store.horizon().advance(CommitNumber::new(3));
    world.checkpoint().unwrap();
    let old = world.store.snapshot_durable();
    let state = world.state(3);
    while (4..=9).contains(&(world.log.len() + 1)) {
        world.publish();
    }
    world.durable = 9;
    world.store.horizon().advance(CommitNumber::new(9));
    let new = world.store.snapshot_durable();
    world.disk.set_room(&tmp, Some(0));
    let error = world.store.checkpoint(&|_| ()).unwrap_err();
    assert!(
        error.to_string().contains("cannot keep the old image"),
        "{error}"
    );
    check(&old, &state, "it has not been ended yet");
    let commit = error.snapshots_in_the_way().unwrap();
    assert_eq!(world.store.end_snapshots_before(commit), 1);
    world.checkpoint().unwrap();
    let first = page(1);
    let error = old.read(first, &mut [0; PAGE_SIZE]).unwrap_err();
    assert!(
        matches!(error, StoreError::SnapshotTooOld { .. }),
        "{error}"
    );
    check(&new, &world.state(9), "as new as the checkpoint");
    world.check("the others go on");
    drop((old, new));
    world.restart(3);
}
