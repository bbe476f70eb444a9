//! Any history, any page, from anywhere in the log: what is made is what the data file has, or it is not known.

use std::path::Path;
use std::sync::Arc;

use disk::testing::SimulatedDisk;
use fwlog::{CommitHead, RecordBuffer, Records, SegmentId, Timestamp};
use pagestore::{Horizon, PageImage, PageStore, Snapshot, StoreOptions};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::commit::encode;
use crate::commit::touched::PageSet;

const DATABASE: DatabaseId = DatabaseId::new(2);
const OTHER: DatabaseId = DatabaseId::new(3);
const MOST_PAGES: u32 = 12;

#[derive(Clone, Debug)]
enum Step {
    /// A commit of these pages, after which there are so many; in parts, between which others commit.
    Commit {
        pages: Vec<(u32, u16, u8)>,
        page_count: u32,
        parts: bool,
    },
    Other,
    Checkpoint,
}

fn step() -> impl Strategy<Value = Step> {
    let page = (1..=MOST_PAGES, 0..4096_u16, any::<u8>());
    let commit = (vec(page, 0..5), 1..=MOST_PAGES, prop::bool::weighted(0.2));
    prop_oneof![
        6 => commit.prop_map(|(pages, page_count, parts)| Step::Commit { pages, page_count, parts }),
        1 => Just(Step::Other),
        1 => Just(Step::Checkpoint),
    ]
}

/// A log, and the page store that has the same.
struct History {
    store: Arc<PageStore>,
    records: Vec<(Position, RecordBuffer)>,
    touched: PageSet,
    last: u64,
    transactions: u64,
}

fn at(place: usize) -> Position {
    // The log does not begin where the environment does.
    Position::new(SegmentId::new(1, 2), 1000 + place as u64)
}

impl History {
    fn new() -> Self {
        let options = StoreOptions {
            disk: SimulatedDisk::new(1).process().disk(),
            scratch_dir: "/".into(),
            database: DATABASE.get(),
            pinned_limit: 0,
        };
        let horizon = Horizon::new(pagestore::CommitNumber::new(0));
        let store = PageStore::create(Path::new("/shop.db"), horizon, options).unwrap();
        let mut history = Self {
            store,
            records: Vec::new(),
            touched: PageSet::default(),
            last: 0,
            transactions: 0,
        };
        history.put(|buffer| buffer.create_database(DATABASE, "shop", ""));
        history
    }

    fn put(&mut self, encode: impl FnOnce(&mut RecordBuffer)) {
        let mut buffer = RecordBuffer::new();
        encode(&mut buffer);
        self.records.push((at(self.records.len()), buffer));
    }

    fn head(&mut self, database: DatabaseId, page_count: u32) -> CommitHead {
        self.last += 1;
        CommitHead {
            number: CommitNumber::new(self.last),
            database,
            time: Timestamp::from_micros(1),
            exclusive: false,
            page_count,
            transaction: None,
        }
    }

    fn other(&mut self) {
        let head = self.head(OTHER, 1);
        self.put(|buffer| buffer.begin_commit(head).finish());
        let last = pagestore::CommitNumber::new(self.last);
        self.store.horizon().advance(last);
    }

    fn commit(&mut self, changes: &[(u32, u16, u8)], page_count: u32, in_parts: bool) {
        let before = self.store.snapshot_latest();
        let mut pages: BTreeMap<PageNumber, PageData> = BTreeMap::new();
        for (number, place, byte) in changes {
            let number = PageNumber::new(*number).unwrap();
            let page = pages.entry(number).or_insert([0; PAGE_SIZE]);
            if number.get() <= before.page_count() {
                before.read(number, page).unwrap();
            }
            page[usize::from(*place)] = *byte;
        }
        let pages: Vec<_> = pages
            .into_iter()
            .map(|(number, data)| (number, PageImage::copy_of(&data)))
            .collect();
        if in_parts {
            self.transactions += 1;
            let transaction = TransactionId::new(self.transactions);
            self.touched = PageSet::default();
            for part in pages.chunks(2) {
                self.put(|buffer| encode::part(buffer, transaction, DATABASE, part).unwrap());
                self.other();
            }
            let transaction = Some(transaction);
            let head = CommitHead {
                transaction,
                ..self.head(DATABASE, page_count)
            };
            self.put(|buffer| buffer.begin_commit(head).finish());
            self.touched = PageSet::default();
        } else {
            let head = self.head(DATABASE, page_count);
            let mut touched = std::mem::take(&mut self.touched);
            self.put(|buffer| {
                encode::commit(buffer, head, &before, &pages, &mut touched).unwrap();
            });
            self.touched = touched;
        }
        let last = pagestore::CommitNumber::new(self.last);
        self.store.publish(last, page_count, pages);
        self.store.horizon().advance(last);
    }

    fn checkpoint(&mut self) {
        let redo = at(self.records.len());
        self.touched = PageSet::default();
        self.store.checkpoint(&|_| ()).unwrap();
        self.put(|buffer| buffer.checkpoint(redo));
    }

    fn remake(&self, first: usize) -> Remake {
        let commit = CommitNumber::new(self.store.base_commit().get());
        let pages = (1..=MOST_PAGES).filter_map(PageNumber::new);
        let (from, _) = self.records[first];
        self.read(first, Remake::new(DATABASE, commit, from, pages))
    }

    fn forward(&self, first: usize, have: &Snapshot, to: pagestore::CommitNumber) -> Remake {
        let pages = (1..=MOST_PAGES).filter_map(PageNumber::new);
        let pages = pages.map(|number| (number, page_of(have, number)));
        let (from, _) = self.records[first];
        let [after, to] = [have.commit(), to].map(|commit| CommitNumber::new(commit.get()));
        let remake = Remake::new(DATABASE, to, from, []);
        self.read(
            first,
            remake.on_top(after, have.page_count(), pages.collect()),
        )
    }

    fn read(&self, first: usize, mut remake: Remake) -> Remake {
        for (at, buffer) in &self.records[first..] {
            for record in Records::new(buffer.as_bytes()) {
                remake.record(&record.unwrap(), *at).unwrap();
            }
        }
        remake
    }
}

proptest! {
    #[test]
    fn what_is_made_of_a_page_is_what_the_data_file_has(
        steps in vec(step(), 1..40),
        later in vec(step(), 0..10),
        first in any::<prop::sample::Index>(),
    ) {
        let mut history = History::new();
        let play = |history: &mut History, steps: Vec<Step>| {
            for step in steps {
                match step {
                    Step::Commit { pages, page_count, parts } => {
                        history.commit(&pages, page_count, parts);
                    }
                    Step::Other => history.other(),
                    Step::Checkpoint => history.checkpoint(),
                }
            }
        };
        play(&mut history, steps);
        history.checkpoint();
        // What comes behind the file's commit is not its content.
        let pages = history.store.snapshot_durable();
        let redo = history.records.len() - 1;
        play(&mut history, later.into_iter().filter(|step| !matches!(step, Step::Checkpoint)).collect());

        let (whole, part) = (history.remake(0), history.remake(first.index(history.records.len())));
        prop_assert!(whole.is_complete() || pages.commit().get() == 0);
        for number in (1..=MOST_PAGES).filter_map(PageNumber::new) {
            if number.get() > pages.page_count() {
                prop_assert!(*whole.page(number) == Page::Absent, "page {number}");
                prop_assert!(matches!(part.page(number), Page::Absent | Page::Unknown));
                continue;
            }
            let mut data = [0; PAGE_SIZE];
            pages.read(number, &mut data).unwrap();
            prop_assert!(*whole.page(number) == Page::Known(Box::new(data)), "page {number}");
            match part.page(number) {
                Page::Known(made) => prop_assert!(**made == data, "page {number} from the middle"),
                Page::Unknown | Page::Doubtful(_) => {}
                Page::Absent => prop_assert!(false, "page {} is there", number),
            }
        }
        // A replica that has these pages gets the rest.
        let newest = history.store.snapshot_durable();
        for first in [0, redo] {
            let forward = history.forward(first, &pages, newest.commit());
            for number in (1..=MOST_PAGES).filter_map(PageNumber::new) {
                let expected = page_of(&newest, number);
                prop_assert!(*forward.page(number) == expected, "page {number} from {first}");
            }
        }
    }
}

fn page_of(snapshot: &Snapshot, number: PageNumber) -> Page {
    if number.get() > snapshot.page_count() {
        return Page::Absent;
    }
    let mut data = [0; PAGE_SIZE];
    snapshot.read(number, &mut data).unwrap();
    Page::Known(Box::new(data))
}

/// The parts before reading began may have had the page.
#[test]
fn a_page_is_doubtful_behind_a_transaction_of_which_not_all_was_read() {
    let mut history = History::new();
    history.commit(&[(1, 0, 1), (2, 0, 2)], 2, false);
    history.commit(&[(1, 0, 7), (2, 0, 8)], 2, true);
    history.checkpoint();
    let doubtful = |remake: &Remake, page| {
        matches!(
            remake.page(PageNumber::new(page).unwrap()),
            Page::Doubtful(_)
        )
    };
    // Its one part was read.
    assert!(!doubtful(&history.remake(1), 1));
    let mut without_part = history;
    without_part.records.remove(2);
    let remake = without_part.remake(1);
    assert!(doubtful(&remake, 1) && doubtful(&remake, 2), "{remake:?}");
    // What the log's first segment begins with is all there ever was.
    let whole = Remake::new(
        DATABASE,
        CommitNumber::new(9),
        Position::ORIGIN,
        PageNumber::new(1),
    );
    assert!(whole.has_all_parts);
}
