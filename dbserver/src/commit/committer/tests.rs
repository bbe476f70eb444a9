//! What stands in the log, and with which numbers.

use disk::testing::SimulatedDisk;
use fwlog::{
    Begin, BlockDecoder, EnvironmentId, LogDirectory, LogIdentity, LogLocation, PageBody, ReadItem,
    Record, RecoverOptions, SealNewest, SegmentReader, SegmentStore, WriterOptions,
};
use pagestore::{PAGE_SIZE, PageImage, PageNumber};

use crate::databases::host::Host;
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::environment::testing::{master_on, recovered_on};

use super::*;

#[test]
fn a_crash_does_not_give_the_numbers_of_its_transactions_away() {
    let directory = tempfile::tempdir().unwrap();
    let location = LogLocation::parse(directory.path().join("fw-%N")).unwrap();
    let store = Arc::new(SegmentStore::at(location, 0o600));
    let start = |begin| {
        let identity = LogIdentity {
            environment: EnvironmentId::from_bytes([1; 16]),
            instance: "north".into(),
            page_size: 4096,
        };
        let options = WriterOptions::default();
        let last = CommitNumber::new(0);
        let observer = Box::new(|_: &Durable| {});
        let writer = Writer::start(store.clone(), identity, options, begin, observer);
        Committer::new(Arc::new(writer.unwrap()), last, Host::PART_PAGES)
    };
    let first = start(Begin::Create);
    let mut part = RecordBuffer::new();
    let transaction = TransactionId::new(first.order().next_transaction);
    encode::part(&mut part, transaction, DatabaseId::new(2), &[]).unwrap();
    first.append_marked(part).unwrap().wait().unwrap();
    drop(first);
    let options = RecoverOptions {
        from: None,
        seal: SealNewest::Yes,
        discard_behind: None,
    };
    let end = fwlog::recover(&store, options, &mut |_| Ok(())).unwrap();
    let second = start(Begin::NextSegment {
        after: end.durable(),
    });
    assert_eq!(end.last_commit, CommitNumber::new(0));
    assert!(second.order().next_transaction > transaction.get());
}

fn write_set(database: &Database, pages: u32, content: u8) -> WriteSet {
    let mut data = [0; PAGE_SIZE];
    data[100] = content;
    let image = PageImage::copy_of(&data);
    let numbers = (1..=pages).filter_map(PageNumber::new);
    WriteSet {
        page_count: pages,
        pages: numbers.map(|page| (page, image.clone())).collect(),
        base: database.store().latest().0,
    }
}

fn commit(environment: &Environment, database: &Database, content: u8) {
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None).unwrap();
    let queued = environment.commit(database, &permit, write_set(database, 1, content));
    drop(permit);
    queued.unwrap().wait().unwrap();
}

/// Whether each page of the newest commit in the log is a full image.
fn newest_is_full(environment: &Environment) -> bool {
    let location = environment.core().log_location().unwrap();
    let directory = LogDirectory::scan(&location).unwrap();
    let path = &directory.segments().last().unwrap().path;
    let mut reader = SegmentReader::open(&location.disk, path).unwrap();
    let mut decoder = BlockDecoder::new();
    let mut full = None;
    while let ReadItem::Block(block) = reader.next(None).unwrap() {
        for record in decoder.records(&block).unwrap() {
            if let Record::Commit(commit) = record.unwrap() {
                let mut bodies = commit.pages.into_iter().map(|change| change.unwrap().body);
                full = Some(bodies.all(|body| matches!(body, PageBody::Full(_))));
            }
        }
    }
    full.unwrap()
}

#[test]
fn full_images_begin_anew_where_redo_may_start_before_the_parts_of_a_transaction() {
    let environment = master_on(&SimulatedDisk::new(1));
    for name in ["large", "small"] {
        environment.create_database(name).unwrap();
    }
    let [large, small] = ["large", "small"].map(|name| environment.database(name).unwrap());
    commit(&environment, &small, 1);
    assert!(newest_is_full(&environment), "the first touch");
    commit(&environment, &small, 2);
    assert!(!newest_is_full(&environment), "a later one");
    let master = environment.master("a test").unwrap();
    let parts = master
        .committer()
        .queue_parts(&large, &write_set(&large, 300, 7));
    parts.unwrap();
    commit(&environment, &small, 3);
    assert!(
        newest_is_full(&environment),
        "the first touch behind the parts"
    );
    // Redo of this checkpoint starts at the parts, before the commit above.
    environment.checkpoint().unwrap();
    commit(&environment, &small, 4);
    assert!(
        newest_is_full(&environment),
        "the first touch behind the checkpoint"
    );
}

/// Bug: redo of a checkpoint that began while a transaction was in the log in parts met commits of a database
/// that was not in its list any more, and the server did not start.
#[test]
fn redo_passes_over_commits_of_a_database_that_is_dropped_before_the_checkpoint() {
    let machine = SimulatedDisk::new(1);
    let environment = master_on(&machine);
    for name in ["large", "dropped", "renamed"] {
        environment.create_database(name).unwrap();
    }
    let [large, dropped] = ["large", "dropped"].map(|name| environment.database(name).unwrap());
    let master = environment.master("a test").unwrap();
    let parts = master
        .committer()
        .queue_parts(&large, &write_set(&large, 300, 7));
    parts.unwrap();
    commit(&environment, &dropped, 1);
    environment.drop_database("dropped").unwrap();
    // A name that passes through several hands.
    environment.rename_database("renamed", "name").unwrap();
    environment.rename_database("name", "renamed").unwrap();
    environment.create_database("name").unwrap();
    commit(&environment, &environment.database("name").unwrap(), 2);
    environment.checkpoint().unwrap();
    let databases = |environment: &Environment| -> Vec<_> {
        let all = environment.databases();
        all.iter()
            .map(|it| (it.id(), it.name(), it.store().latest()))
            .collect()
    };
    let again = recovered_on(&machine.power_cut(1)).expect("redo knows what is dropped later");
    assert_eq!(
        again.core().databases().entries(),
        environment.core().databases().entries()
    );
    for (id, name, (_, pages)) in databases(&environment) {
        let found = again.database(&name).expect("by its name, too");
        assert_eq!(
            (found.id(), found.store().latest().1),
            (id, pages),
            "{name}"
        );
    }
}

#[test]
fn a_cut_among_the_parts_of_a_transaction_has_their_log() {
    let environment = master_on(&SimulatedDisk::new(1));
    for name in ["large", "small"] {
        environment.create_database(name).unwrap();
    }
    let [large, small] = ["large", "small"].map(|name| environment.database(name).unwrap());
    let before = environment.durable().unwrap().point.position.segment;
    let master = environment.master("a test").unwrap();
    let parts = master
        .committer()
        .queue_parts(&large, &write_set(&large, 300, 7));
    parts.unwrap();
    commit(&environment, &small, 1);
    let cut = environment.open_cut("a test").unwrap();
    let (redo, at) = (cut.cut().redo, cut.cut().at);
    assert!(redo.commit < at.commit && redo.point.position < at.point.position);
    assert_eq!(redo.point.position.segment, before);
    let pieces = cut.log_head().unwrap().pieces();
    let segments: Vec<_> = pieces.iter().map(|piece| piece.segment).collect();
    assert_eq!(segments, [before, before.next_sequence()]);
    assert_eq!(pieces[1].length, at.point.position.offset);
    assert_eq!(environment.core().cuts().needs_from(), Some(before));
    // Without one under way it is short.
    let next = master.committer().order().in_parts.clone();
    master.committer().order().in_parts.clear();
    let short = environment.open_cut("a test").unwrap();
    assert_eq!(
        (next.len(), short.log_head().unwrap().pieces().len()),
        (1, 1)
    );
    assert_eq!(short.cut().redo.point, short.cut().at.point);
}
