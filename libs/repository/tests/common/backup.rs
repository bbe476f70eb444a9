//! A server that gives copies of itself, and what takes them into a repository.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::collections::BTreeMap;

use fwlog::{CommitNumber, LogPoint, Position, SegmentReader, Timestamp};
use pagehash::{GroupNumber, GroupParts, PAGE_SIZE, PageSet, Root, TreeHasher};
use repository::{
    BackedUpDatabase, BackupId, BackupWriter, Backups, Cost, LogArchive, Manifest, Previous,
    Repository, Store, StoredObject,
};

use super::{ENVIRONMENT, Log};

/// The databases of a server, each as its pages.
pub(crate) type State = BTreeMap<u32, Vec<u8>>;

/// A page that no other place or seed has.
pub(crate) fn page(seed: u64, number: u32) -> Vec<u8> {
    let mut random = disk::testing::Random::new(seed << 32 | u64::from(number));
    let mut page = Vec::with_capacity(PAGE_SIZE);
    for _ in 0..PAGE_SIZE / 64 {
        // Half of it can be compressed.
        for _ in 0..4 {
            page.extend_from_slice(&random.next().to_le_bytes());
        }
        page.extend_from_slice(&[7; 32]);
    }
    page
}

pub(crate) fn pages(seed: u64, count: u32) -> Vec<u8> {
    (1..=count).flat_map(|number| page(seed, number)).collect()
}

/// Puts another page in its place.
pub(crate) fn change(state: &mut State, database: u32, number: u32, seed: u64) {
    let at = (number as usize - 1) * PAGE_SIZE;
    let content = state.get_mut(&database).unwrap();
    content[at..at + PAGE_SIZE].copy_from_slice(&page(seed, number));
}

fn count(content: &[u8]) -> u32 {
    u32::try_from(content.len() / PAGE_SIZE).unwrap()
}

pub(crate) fn root(content: &[u8]) -> Root {
    let mut tree = TreeHasher::new();
    tree.update(content);
    tree.finish().root
}

fn group_of(content: &[u8], group: GroupNumber) -> &[u8] {
    let range = group.pages(count(content));
    let from = (*range.start() as usize - 1) * PAGE_SIZE;
    &content[from..from + range.count() * PAGE_SIZE]
}

/// The backups of the environment in a store.
pub(crate) fn backups(store: &std::sync::Arc<dyn Store>) -> Backups {
    let repository = Repository::open(std::sync::Arc::clone(store)).unwrap();
    repository.backups(ENVIRONMENT)
}

/// What is known of a backup of this state before it is made.
pub(crate) fn draft(state: &State, log: Option<&Log>) -> Manifest {
    let end = log.map(|log| log.writer.durable());
    let (commit, time) = end.map_or((CommitNumber::new(5), Timestamp::from_micros(77)), |end| {
        (end.commit, end.time)
    });
    // The newest segment is the log that belongs to it.
    let redo = end.map_or(
        LogPoint::new(
            Position::new(fwlog::SegmentId::FIRST, 0),
            fwlog::ChainHash::ZERO,
        ),
        |end| {
            let id = end.point.position.segment;
            let path = log.unwrap().location().path(id);
            let reader = SegmentReader::open(&disk::Disk::real(), &path).unwrap();
            reader.header().start()
        },
    );
    Manifest {
        id: BackupId::new(Timestamp::ZERO, commit),
        environment: ENVIRONMENT,
        instance: "alpha".to_owned(),
        begun: Timestamp::from_micros(1_145_386_457_000_000),
        ended: Timestamp::ZERO,
        label: "for a test".to_owned(),
        commit,
        time,
        redo,
        redo_log_bytes: 0,
        redo_commit: CommitNumber::new(0),
        next_database: 9,
        log_end: None,
        log: Vec::new(),
        databases: state
            .iter()
            .map(|(number, content)| BackedUpDatabase {
                number: *number,
                pages: count(content),
                root: Root::from_bytes([0; 32]),
                name: format!("database {number}"),
            })
            .collect(),
        branch: Vec::new(),
        pages: StoredObject::of(&[]),
        cost: Cost::default(),
    }
}

/// The newest backup that is there.
pub(crate) fn newest(backups: &Backups) -> Option<Previous> {
    let catalog = backups.catalog().unwrap();
    let manifest = backups.manifest(*catalog.complete.last()?).unwrap();
    let table = backups.table(&manifest).unwrap();
    Some(Previous { manifest, table })
}

/// Makes a backup of a state as a server gives it.
pub(crate) fn back_up(
    backups: &Backups,
    state: &State,
    previous: Option<&Previous>,
    log: Option<&Log>,
) -> Manifest {
    back_up_draft(backups, state, previous, log, draft(state, log))
}

/// The same at a time, without log.
pub(crate) fn back_up_at(
    backups: &Backups,
    state: &State,
    previous: Option<&Previous>,
    begun: Timestamp,
) -> Manifest {
    let draft = Manifest {
        begun,
        time: begun,
        ..draft(state, None)
    };
    back_up_draft(backups, state, previous, None, draft)
}

/// A pack that no backup has.
pub(crate) fn stray_pack(store: &std::sync::Arc<dyn Store>, seed: u8) -> repository::PackId {
    let bytes = [seed; 100];
    let id = repository::PackId::of(&bytes);
    let name = repository::ObjectName::Pack(ENVIRONMENT, id);
    store.put(&name, &bytes).unwrap();
    id
}

/// Gives pages, compared with what the backup before has. Gives how many were equal, and how many were taken.
pub(crate) fn give_pages(writer: &mut BackupWriter, state: &State) -> (u64, u64) {
    let here = writer.here();
    let (mut equal, mut taken) = (0, 0);
    for (number, content) in state {
        let known = here.get(number).copied().unwrap_or(0);
        for group in GroupNumber::all(count(content)) {
            let bytes = group_of(content, group);
            let value = GroupParts::of(group, bytes).value();
            let all = PageSet::first(count(bytes));
            let mut set = all;
            if group.get() < GroupNumber::count(known) {
                if writer.values(*number, group, 1) == [value] {
                    equal += u64::from(count(bytes));
                    continue;
                }
                let page = |place: u32| &bytes[place as usize * PAGE_SIZE..][..PAGE_SIZE];
                let differ = writer.differ(*number, group, |place, crc| {
                    crc32c::crc32c(page(place)) == crc
                });
                set = if differ.is_empty() { all } else { differ };
            }
            let raw: Vec<u8> = set
                .iter()
                .flat_map(|place| bytes[place as usize * PAGE_SIZE..][..PAGE_SIZE].to_vec())
                .collect();
            assert!(writer.keep((*number, group), set, value, &raw).unwrap());
            taken += u64::from(set.len());
            equal += u64::from(count(bytes) - set.len());
        }
    }
    (equal, taken)
}

fn back_up_draft(
    backups: &Backups,
    state: &State,
    previous: Option<&Previous>,
    log: Option<&Log>,
    draft: Manifest,
) -> Manifest {
    let packs = backups.catalog().unwrap().packs.keys().copied().collect();
    let mut writer = BackupWriter::begin(backups.clone(), draft, previous, &packs).unwrap();
    let (equal, taken) = give_pages(&mut writer, state);
    if let Some(log) = log {
        let end = log.writer.durable().point.position;
        let bytes = std::fs::read(log.location().path(end.segment)).unwrap();
        let bytes = &bytes[..usize::try_from(end.offset).unwrap()];
        for (at, piece) in (0..).step_by(1000).zip(bytes.chunks(1000)) {
            let start = Position::new(end.segment, at);
            writer.keep_log(start, piece).unwrap();
        }
    }
    let roots: Vec<(u32, Root)> = state
        .iter()
        .map(|(it, content)| (*it, root(content)))
        .collect();
    let ended = Timestamp::from_micros(1_145_386_458_000_000);
    writer.finish(&roots, (equal, taken), ended).unwrap().0
}

/// The state that a backup has.
pub(crate) fn read_back(
    backups: &Backups,
    id: BackupId,
) -> Result<State, repository::ArchiveError> {
    let manifest = backups.manifest(id)?;
    let table = backups.table(&manifest)?;
    let mut pages = backups.pages();
    let mut state = State::new();
    for (number, database) in &table.databases {
        let mut content = Vec::new();
        for (group, stored) in GroupNumber::all(database.pages).zip(&database.groups) {
            content.extend(pages.group(group, database.pages, stored)?);
        }
        state.insert(*number, content);
    }
    Ok(state)
}

/// The archive of the log in a store.
pub(crate) fn archive_in(store: &std::sync::Arc<dyn Store>) -> LogArchive {
    let repository = Repository::open(std::sync::Arc::clone(store)).unwrap();
    repository.log(ENVIRONMENT)
}
