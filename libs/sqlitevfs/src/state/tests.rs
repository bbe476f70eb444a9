//! Any reads, writes and cuts, aligned or not, against a plain array of bytes.

use disk::Disk;
use pagestore::{Horizon, StoreOptions};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, len: usize, byte: u8 },
    Truncate { len: usize },
    Read { offset: usize, len: usize },
    Commit,
    Rollback,
    Take,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (at, len) = (0..40_000_usize, prop_oneof![0..9000_usize, Just(PAGE_SIZE)]);
    // Mostly whole pages, as SQLite does.
    let offset = prop_oneof![at, (0..10_usize).prop_map(|page| page * PAGE_SIZE)];
    let step = prop_oneof![
        6 => (offset.clone(), len.clone(), 1..=255_u8)
            .prop_map(|(offset, len, byte)| Step::Write { offset, len, byte }),
        1 => (0..10_usize).prop_map(|pages| Step::Truncate { len: pages * PAGE_SIZE }),
        4 => (offset, len).prop_map(|(offset, len)| Step::Read { offset, len }),
        2 => Just(Step::Commit),
        1 => Just(Step::Rollback),
        1 => Just(Step::Take),
    ];
    prop::collection::vec(step, 1..60)
}

struct Model {
    _directory: tempfile::TempDir,
    store: Arc<PageStore>,
    state: FileState,
    bytes: Vec<u8>,
    committed: Vec<u8>,
}

impl Model {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let scratch_dir = directory.path().to_owned();
        let options = StoreOptions {
            disk: Disk::real(),
            scratch_dir: scratch_dir.clone(),
            database: 1,
            pinned_limit: 0,
        };
        let path = directory.path().join("bytes");
        let store = PageStore::create(&path, Horizon::new(CommitNumber::ZERO), options).unwrap();
        let mut state = FileState::new(Arc::clone(&store), scratch_dir, 3 * PAGE_SIZE);
        state.mode = WriteMode::Permit;
        let (bytes, committed) = (Vec::new(), Vec::new());
        Self {
            _directory: directory,
            store,
            state,
            bytes,
            committed,
        }
    }

    fn reserve(&mut self) {
        assert_eq!(self.state.lock(Level::Shared).unwrap(), Locked::Yes);
        assert_eq!(self.state.lock(Level::Reserved).unwrap(), Locked::Yes);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Write { offset, len, byte } => {
                self.reserve();
                self.state.write(offset as u64, &vec![byte; len]).unwrap();
                if len > 0 {
                    let end = (offset + len)
                        .next_multiple_of(PAGE_SIZE)
                        .max(self.bytes.len());
                    self.bytes.resize(end, 0);
                    self.bytes[offset..offset + len].fill(byte);
                }
            }
            Step::Truncate { len } => {
                self.reserve();
                self.state.truncate(len as u64).unwrap();
                self.bytes.resize(len, 0);
            }
            Step::Read { offset, len } => {
                let mut buffer = vec![7; len];
                let complete = self.state.read(offset as u64, &mut buffer).unwrap();
                assert_eq!(complete, len == 0 || offset + len <= self.bytes.len());
                let mut expected = self.bytes.get(offset..).unwrap_or_default().to_vec();
                expected.resize(len, 0);
                assert_eq!(buffer, expected);
            }
            Step::Commit => {
                self.reserve();
                self.state.commit().unwrap();
                self.committed.clone_from(&self.bytes);
                self.state.unlock(Level::None).unwrap();
            }
            Step::Rollback => {
                self.bytes.clone_from(&self.committed);
                self.state.unlock(Level::None).unwrap();
            }
            Step::Take => self.take(),
        }
    }

    fn take(&mut self) {
        self.bytes.clone_from(&self.committed);
        self.state.unlock(Level::None).unwrap();
        if let Some(set) = self.state.take() {
            assert!(set.pages.is_sorted_by(|a, b| a.0 < b.0));
            assert!(
                set.pages
                    .iter()
                    .all(|(page, _)| page.get() <= set.page_count)
            );
            let commit = CommitNumber::new(self.store.latest().0.get() + 1);
            self.store.publish(commit, set.page_count, set.pages);
            self.store.horizon().advance(commit);
        }
        let snapshot = self.store.snapshot_durable();
        assert_eq!(
            snapshot.page_count() as usize * PAGE_SIZE,
            self.committed.len()
        );
        let mut data = [0; PAGE_SIZE];
        for (number, expected) in (1..).zip(self.committed.chunks(PAGE_SIZE)) {
            snapshot
                .read(PageNumber::new(number).unwrap(), &mut data)
                .unwrap();
            assert_eq!(data[..], *expected);
        }
    }
}

proptest! {
    #[test]
    fn the_file_is_an_array_of_bytes(steps in steps()) {
        let mut model = Model::new();
        for step in steps {
            model.step(&step);
        }
        model.take();
    }
}
