//! The log of a history, on a simulated disk.

use std::sync::Arc;

use disk::testing::SimulatedDisk;
use fwlog::{
    Begin, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId, GenerationId, LogIdentity,
    LogLocation, LogPoint, PAGE_SIZE, PageNumber, RecordBuffer, SegmentStore, TransactionId,
    Writer, WriterOptions,
};
use rowdiff::Image;

const DATABASE: DatabaseId = DatabaseId::new(2);

/// A log with one database, `shop`.
pub(crate) struct Log {
    machine: SimulatedDisk,
    writer: Writer,
    commits: u64,
    large: u64,
}

impl Log {
    pub(crate) fn new() -> Self {
        let machine = SimulatedDisk::new(1);
        let identity = LogIdentity {
            environment: EnvironmentId::from_bytes([9; 16]),
            instance: "north".to_owned(),
            page_size: u32::try_from(PAGE_SIZE).unwrap(),
        };
        let options = WriterOptions {
            max_segment_size: 200_000,
            preallocate: 0,
            ..WriterOptions::default()
        };
        let store = Arc::new(store(&machine));
        let observer = Box::new(|_: &Durable| {});
        let writer = Writer::driven(store, identity, options, Begin::Create, observer).unwrap();
        let mut log = Self {
            machine,
            writer,
            commits: 0,
            large: 0,
        };
        let mut records = RecordBuffer::new();
        records.create_database(DATABASE, "shop", "");
        log.append(records, None);
        log
    }

    fn append(&mut self, records: RecordBuffer, commit: Option<CommitNumber>) {
        let range = commit.map(|commit| (commit, commit));
        self.writer.append(records, range).unwrap();
        assert!(self.writer.drive());
    }

    /// A commit whose pages differ from those before it. Every third one that is large comes in two parts.
    pub(crate) fn commit(&mut self, before: &[Image], after: &[Image], changed: &[u32]) {
        let image = |pages: &[Image], number: u32| pages.get(number as usize - 1).cloned();
        let mut rest = changed;
        let mut transaction = None;
        if changed.len() > 8 {
            self.large += 1;
        }
        if changed.len() > 8 && self.large.is_multiple_of(3) {
            let id = TransactionId::new(self.large);
            let (first, behind) = changed.split_at(changed.len() / 2);
            let mut records = RecordBuffer::new();
            let mut encoder = records.begin_part(id, DATABASE);
            for number in first {
                encoder.page_full(PageNumber::new(*number), &image(after, *number).unwrap());
            }
            encoder.finish();
            self.append(records, None);
            (rest, transaction) = (behind, Some(id));
        }
        self.commits += 1;
        let number = CommitNumber::new(self.commits);
        let mut records = RecordBuffer::new();
        let mut encoder = records.begin_commit(CommitHead {
            number,
            database: DATABASE,
            time: self.writer.now(),
            exclusive: false,
            page_count: u32::try_from(after.len()).unwrap(),
            transaction,
        });
        for page in rest {
            let new = image(after, *page).unwrap();
            match image(before, *page) {
                Some(old) if !self.commits.is_multiple_of(4) => {
                    encoder.page_delta(PageNumber::new(*page), &old, &new)
                }
                _ => encoder.page_full(PageNumber::new(*page), &new),
            };
        }
        encoder.finish();
        self.append(records, Some(number));
    }

    /// A part whose commit never comes.
    pub(crate) fn broken_part(&mut self, page: &Image) {
        self.large += 1;
        let mut records = RecordBuffer::new();
        let mut encoder = records.begin_part(TransactionId::new(self.large + 1_000_000), DATABASE);
        encoder.page_full(PageNumber::new(1), page);
        encoder.finish();
        self.append(records, None);
    }

    pub(crate) fn end(&self) -> (LogPoint, CommitNumber) {
        (self.writer.durable().point, CommitNumber::new(self.commits))
    }

    pub(crate) fn generation(&self) -> GenerationId {
        let location = location(&self.machine);
        let end = self.writer.durable().point.position;
        let lines = fwlog::generations_in(&location, None, end).unwrap();
        lines.last().unwrap().id
    }

    pub(crate) fn store(&self) -> SegmentStore {
        store(&self.machine)
    }

    pub(crate) fn machine(&self) -> &SimulatedDisk {
        &self.machine
    }
}

fn location(machine: &SimulatedDisk) -> LogLocation {
    let location = LogLocation::parse("/fwlog/fw-%N").unwrap();
    let disk = machine.process().disk();
    disk.make_directory(&location.directory, 0o700).unwrap();
    location.on(disk)
}

pub(crate) fn store(machine: &SimulatedDisk) -> SegmentStore {
    SegmentStore::at(location(machine), 0o600)
}
