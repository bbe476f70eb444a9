//! What stands in pages, and a snapshot beside what it must show.

use pagestore::{CommitNumber, PAGE_SIZE, PageData, PageNumber, Snapshot, StoreError};

/// The database after one commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State(pub(super) Vec<u64>);

/// A snapshot, what it must show, and the first page that it still reads.
pub(super) struct Opened {
    pub(super) snapshot: Snapshot,
    pub(super) state: State,
    pub(super) from: u32,
}

impl Opened {
    pub(super) fn commit(&self) -> CommitNumber {
        self.snapshot.commit()
    }

    /// A page that it reads, if there is one.
    pub(super) fn some_page(&self) -> Option<PageNumber> {
        (self.from as usize <= self.state.0.len()).then(|| page(self.from))
    }

    /// A run is its pages, wherever each of them is; and what was given back is nowhere.
    pub(super) fn check_run(&self) {
        let Opened {
            snapshot,
            state,
            from,
        } = self;
        let given_back = (*from).min(snapshot.page_count() + 1);
        for number in [1, given_back - 1]
            .into_iter()
            .filter(|n| (1..given_back).contains(n))
        {
            let mut data = [0; PAGE_SIZE];
            for read in [
                snapshot.read(page(number), &mut data),
                snapshot.read_run(page(number), &mut data),
                snapshot.image(page(number)).map(drop),
                snapshot.has_changed(page(number)).map(drop),
            ] {
                assert!(
                    matches!(read, Err(StoreError::GivenBack { .. })),
                    "{read:?}"
                );
            }
        }
        let stamps = state.0.get(*from as usize - 1..).unwrap_or_default();
        if stamps.is_empty() {
            assert_eq!(snapshot.pinned().pages, 0);
            return;
        }
        assert!(snapshot.pinned().pages <= stamps.len() as u64);
        let mut run = vec![1; stamps.len() * PAGE_SIZE];
        snapshot.read_run(page(*from), &mut run).unwrap();
        let found: Vec<u64> = run.as_chunks().0.iter().map(stamp_of).collect();
        assert_eq!(found, stamps, "from {from} at {}", snapshot.commit());
        run.extend([0; PAGE_SIZE]);
        let beyond = snapshot.read_run(page(*from), &mut run);
        assert!(
            matches!(beyond, Err(StoreError::BeyondEnd { .. })),
            "{beyond:?}"
        );
    }
}

pub(super) fn image_of(stamp: u64) -> PageData {
    let mut page = [0; PAGE_SIZE];
    for chunk in page.chunks_exact_mut(8) {
        chunk.copy_from_slice(&stamp.to_le_bytes());
    }
    page
}

pub(super) fn stamp_of(page: &PageData) -> u64 {
    let stamp = u64::from_le_bytes(page[..8].try_into().unwrap());
    assert_eq!(*page, image_of(stamp), "a torn page");
    stamp
}

pub(super) fn page(number: u32) -> PageNumber {
    PageNumber::new(number).unwrap()
}
