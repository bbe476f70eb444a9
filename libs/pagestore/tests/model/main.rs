//! Random histories against a plain model: every commit's pages in a map.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod opened;
mod steps;

use std::collections::{BTreeMap, HashSet};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use disk::Disk;
use pagestore::{
    CommitNumber, Depth, Horizon, PAGE_SIZE, PageImage, PageStore, ScratchFile, Snapshot,
    StoreError, StoreOptions, sum_file,
};
use proptest::prelude::*;

use crate::opened::{Opened, State, image_of, page, stamp_of};
use crate::steps::{Step, steps};

/// Pages of the database at most.
const PAGES: u32 = 24;

struct Model {
    directory: tempfile::TempDir,
    store: Arc<PageStore>,
    horizon: Arc<Horizon>,
    scratch: Arc<ScratchFile>,
    states: BTreeMap<u64, State>,
    open: Vec<Opened>,
    held_at: Option<CommitNumber>,
    /// Versions need distinct contents, also for a commit number that is used again.
    stamp: u64,
}

fn verify(store: &PageStore) {
    let report = store.verify(Depth::Pages, &|_| ());
    assert_eq!(report.damaged, []);
}

impl Model {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let horizon = Horizon::new(CommitNumber::ZERO);
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: directory.path().join("tmp"),
            database: 1,
            pinned_limit: 3 * PAGE_SIZE as u64,
        };
        std::fs::create_dir(directory.path().join("tmp")).unwrap();
        let path = directory.path().join("model.db");
        let store = PageStore::create(&path, Arc::clone(&horizon), options).unwrap();
        let scratch = ScratchFile::create(&Disk::real(), directory.path()).unwrap();
        let states = BTreeMap::from([(0, State::default())]);
        Self {
            directory,
            store,
            horizon,
            scratch,
            states,
            open: Vec::new(),
            held_at: None,
            stamp: 0,
        }
    }

    /// What a new reader sees.
    fn visible(&self) -> CommitNumber {
        let durable = self.horizon.durable();
        self.held_at.map_or(durable, |held| held.min(durable))
    }

    fn state_at(&self, commit: CommitNumber) -> &State {
        self.states.range(..=commit.get()).next_back().unwrap().1
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Publish {
                page_count,
                pages,
                scratch,
            } => {
                self.publish(page_count, &pages, scratch);
            }
            Step::Durable { back } => {
                let commit = self.store.latest().0.get().saturating_sub(back);
                self.horizon.advance(CommitNumber::new(commit));
            }
            Step::Open { latest: true } => self.open(self.store.snapshot_latest()),
            Step::Open { latest: false } => {
                let snapshot = self.store.snapshot_durable();
                assert_eq!(snapshot.commit(), self.visible());
                self.open(snapshot);
            }
            Step::Clone { which } if !self.open.is_empty() => {
                let one = &self.open[which % self.open.len()];
                let (snapshot, state, from) = (one.snapshot.clone(), one.state.clone(), one.from);
                self.open.push(Opened {
                    snapshot,
                    state,
                    from,
                });
            }
            Step::Drop { which } if !self.open.is_empty() => {
                self.open.swap_remove(which % self.open.len());
            }
            Step::Checkpoint => self.checkpoint(),
            Step::Reopen => {
                let again = self.reopen();
                verify(&again);
                assert_eq!(again.latest().1 as usize, self.file().0.len());
            }
            Step::Prune => self.store.prune(),
            Step::Rewind { back } => self.rewind(back),
            Step::EndBefore { which } if !self.open.is_empty() => {
                self.end_before(self.open[which % self.open.len()].commit());
            }
            Step::GiveBack { which, below } if !self.open.is_empty() => {
                let which = which % self.open.len();
                let one = &mut self.open[which];
                one.snapshot.release_below(page(below));
                one.from = one.from.max(below);
            }
            Step::Scratch { works } => self.let_scratch(works),
            Step::Hold { others } if self.held_at.is_none() => {
                self.horizon.advance(self.store.latest().0);
                self.held_at = Some(self.horizon.durable());
                self.store.hold();
                let further = self.horizon.durable().get() + others;
                self.horizon.advance(CommitNumber::new(further));
            }
            Step::Release => {
                self.held_at = None;
                self.store.release();
            }
            Step::Clone { .. }
            | Step::Drop { .. }
            | Step::EndBefore { .. }
            | Step::GiveBack { .. }
            | Step::Hold { .. } => {}
        }
    }

    fn publish(&mut self, page_count: u32, pages: &[u32], scratch: bool) {
        let newest = self.store.latest().0.max(self.visible());
        let commit = CommitNumber::new(newest.get() + 1);
        let mut state = self.state_at(newest).clone();
        state.0.resize(page_count as usize, 0);
        let mut images = Vec::new();
        for &number in pages {
            self.stamp += 1;
            let data = image_of(self.stamp);
            let image = if scratch {
                PageImage::Scratch(self.scratch.store(&data).unwrap())
            } else {
                PageImage::copy_of(&data)
            };
            images.push((page(number), image));
            if let Some(entry) = state.0.get_mut(number as usize - 1) {
                *entry = self.stamp;
            }
        }
        self.store.publish(commit, page_count, images);
        self.states.insert(commit.get(), state);
    }

    fn open(&mut self, snapshot: Snapshot) {
        let state = self.state_at(snapshot.commit()).clone();
        self.open.push(Opened {
            snapshot,
            state,
            from: 1,
        });
    }

    fn checkpoint(&mut self) {
        let report = match self.store.checkpoint(&|_| ()) {
            Ok(report) => report,
            Err(error) => {
                // What is not in memory has nowhere to go: those who need it end, and the next one goes on.
                assert!(!self.scratch_works(), "{error}");
                self.end_before(error.snapshots_in_the_way().expect("TmpDir alone is gone"));
                self.store.checkpoint(&|_| ()).unwrap()
            }
        };
        assert_eq!(report.commit, self.visible());
        self.check_file();
        assert_eq!(self.file(), *self.state_at(self.visible()));
        self.check_sums();
    }

    fn rewind(&mut self, back: u64) {
        let newest = self.store.latest().0.get();
        let to = newest
            .saturating_sub(back)
            .max(self.horizon.durable().get());
        self.store.rewind(CommitNumber::new(to));
        self.states.retain(|commit, _| *commit <= to);
        let (kept, void): (Vec<_>, Vec<_>) =
            self.open.drain(..).partition(|e| e.commit().get() <= to);
        self.open = kept;
        for (page, one) in void.iter().filter_map(|e| Some((e.some_page()?, e))) {
            let mut data = [0; PAGE_SIZE];
            let errors = [
                one.snapshot.read(page, &mut data),
                one.snapshot.read_run(page, &mut data),
            ];
            for error in errors {
                assert!(
                    matches!(error, Err(StoreError::Rewound { .. })),
                    "{error:?} of {:?}",
                    one.state
                );
            }
        }
    }

    fn end_before(&mut self, commit: CommitNumber) {
        let commit = commit.min(self.visible());
        let below = |e: &Opened| e.commit() < commit;
        let count = self.open.iter().filter(|e| below(e)).count();
        // Snapshots that were ended before are closed already, so the numbers agree.
        assert_eq!(self.store.end_snapshots_before(commit), count);
        let (ended, kept): (Vec<_>, Vec<_>) = self.open.drain(..).partition(below);
        self.open = kept;
        for (page, one) in ended.iter().filter_map(|e| Some((e.some_page()?, e))) {
            let mut data = [0; PAGE_SIZE];
            let errors = [
                one.snapshot.read(page, &mut data),
                one.snapshot.read_run(page, &mut data),
            ];
            for error in errors {
                assert!(
                    matches!(error, Err(StoreError::SnapshotTooOld { .. })),
                    "{error:?}"
                );
            }
            assert!(one.snapshot.has_changed(page).is_err());
        }
    }

    fn file(&self) -> State {
        let file = std::fs::File::open(self.store.path()).unwrap();
        let len = file.metadata().unwrap().len();
        assert_eq!(len % PAGE_SIZE as u64, 0);
        let mut data = [0; PAGE_SIZE];
        let stamps = (0..len / PAGE_SIZE as u64).map(|index| {
            file.read_exact_at(&mut data, index * PAGE_SIZE as u64)
                .unwrap();
            stamp_of(&data)
        });
        State(stamps.collect())
    }

    /// The sum file is what its page says, byte by byte, and the store finds the files in order.
    fn check_sums(&self) {
        let pages = std::fs::read(self.store.path()).unwrap();
        let sums = std::fs::read(sum_file(self.store.path())).unwrap();
        let sums: Vec<u32> = sums
            .get(4096..)
            .unwrap_or_default()
            .chunks_exact(4)
            .map(|sum| u32::from_le_bytes(sum.try_into().unwrap()))
            .collect();
        let pages: Vec<u32> = pages.chunks_exact(PAGE_SIZE).map(crc32c::crc32c).collect();
        assert!(sums.starts_with(&pages), "{sums:x?} are not {pages:x?}");
        verify(&self.store);
    }

    /// Another server on the same files sees what the last checkpoint left.
    fn reopen(&self) -> Arc<PageStore> {
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: self.directory.path().to_owned(),
            database: 1,
            pinned_limit: 0,
        };
        let horizon = Horizon::new(self.store.base_commit());
        PageStore::open(self.store.path(), horizon, options).unwrap()
    }

    /// Every page in the file is of a durable commit.
    fn check_file(&self) {
        let durable: HashSet<u64> = self
            .states
            .range(..=self.visible().get())
            .flat_map(|(_, state)| state.0.iter().copied())
            .collect();
        for stamp in self.file().0 {
            assert!(
                stamp == 0 || durable.contains(&stamp),
                "stamp {stamp} is not durable"
            );
        }
    }

    fn scratch_dir(&self) -> std::path::PathBuf {
        self.directory.path().join("tmp")
    }

    fn scratch_works(&self) -> bool {
        self.scratch_dir().exists()
    }

    fn let_scratch(&self, works: bool) {
        match (works, self.scratch_works()) {
            (true, false) => std::fs::create_dir(self.scratch_dir()).unwrap(),
            // Files without names that are open there go on.
            (false, true) => std::fs::remove_dir(self.scratch_dir()).unwrap(),
            (true, true) | (false, false) => {}
        }
    }

    fn check_snapshots(&self) {
        let mut data = [0; PAGE_SIZE];
        let newest = self.state_at(self.store.latest().0.max(self.visible()));
        for one in &self.open {
            one.check_run();
            let Opened {
                snapshot,
                state,
                from,
            } = one;
            assert_eq!(snapshot.page_count() as usize, state.0.len());
            for (number, stamp) in (1..).zip(&state.0).filter(|(number, _)| number >= from) {
                // Of a page that is still there; whether it was written again as it was does not matter.
                if newest
                    .0
                    .get(number as usize - 1)
                    .is_some_and(|now| now != stamp)
                {
                    assert!(snapshot.has_changed(page(number)).unwrap());
                }
                let image = snapshot.image(page(number)).unwrap();
                assert_eq!(stamp_of(image.in_memory().unwrap()), *stamp);
                snapshot.read(page(number), &mut data).unwrap();
                assert_eq!(
                    stamp_of(&data),
                    *stamp,
                    "page {number} at {}",
                    snapshot.commit()
                );
                let mut part = [0; 8];
                snapshot.read_at(page(number), 800, &mut part).unwrap();
                assert_eq!(u64::from_le_bytes(part), *stamp);
            }
            let beyond = page(snapshot.page_count() + 1);
            let error = snapshot.read(beyond, &mut data).unwrap_err();
            assert!(matches!(error, StoreError::BeyondEnd { .. }), "{error}");
        }
    }

    /// For whom all was given back nothing is kept: but for that they are there, as if nothing were open.
    fn give_all_back(&mut self) {
        for one in &mut self.open {
            one.snapshot.release_below(page(PAGES + 2));
            one.from = PAGES + 2;
        }
        self.step(Step::Release);
        self.let_scratch(false);
        self.horizon.advance(self.store.latest().0);
        self.store
            .checkpoint(&|_| ())
            .expect("nobody needs an old image");
        let memory = self.store.memory();
        assert_eq!((memory.versions, memory.kept_bytes), (0, 0), "{memory:?}");
        assert_eq!(memory.snapshots, self.open.len());
    }

    /// With nothing open and all durable, the file is the database and no version is left.
    fn finish(mut self) {
        self.give_all_back();
        self.open.clear();
        self.step(Step::Release);
        self.horizon.advance(self.store.latest().0);
        self.checkpoint();
        let memory = self.store.memory();
        assert_eq!(
            (memory.versions, memory.bytes, memory.dirty_bytes),
            (0, 0, 0),
            "{memory:?}"
        );
        assert_eq!((memory.kept_bytes, memory.snapshots), (0, 0), "{memory:?}");
        assert_eq!(self.scratch.pages_in_use(), 0);
        let again = self.reopen();
        verify(&again);
        assert_eq!(again.latest().1 as usize, self.file().0.len());
    }
}

proptest! {
    #[test]
    fn any_history_reads_as_the_model_says(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            model.step(step);
            model.check_snapshots();
        }
        model.finish();
    }
}
