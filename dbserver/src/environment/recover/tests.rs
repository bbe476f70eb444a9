//! A restore is whole, or there is no environment, wherever the power goes.

use std::path::Path;
use std::sync::Arc;

use disk::Access;
use disk::testing::{Fault, Kind, SimulatedDisk};
use fwlog::{BlockDecoder, CommitNumber, GenerationReason, Record, SegmentId, Timestamp};
use pagehash::{PAGE_SIZE, TreeHasher};
use pagestore::PageNumber;
use repository::{
    BackedUpDatabase, BackupId, Border, Cost, LogItem, LogWalk, Manifest, RestoreNote, StoredLog,
    StoredObject,
};

use super::*;
use crate::environment::cut::{CutUse, LogHead};
use crate::environment::testing::{PAGES, commit, configured_in, master_on};

/// What dbctl brings: files below `/restored/incoming`.
struct Brought {
    files: Vec<(String, Vec<u8>)>,
    /// The content of each page of the shop at its end.
    content: u8,
}

/// A backup of an environment at content 2, with log up to content 4; where it is `partial`, that commit is brought as the block
/// that it is in.
fn brought(partial: bool) -> Brought {
    let machine = SimulatedDisk::new(1);
    let environment = master_on(&machine);
    environment.create_database("shop").unwrap();
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 1);
    commit(&environment, &shop, 2);
    let cut = environment.open_cut("a test").unwrap();
    let (mut files, databases) = pages_of(&cut);
    let pieces = cut.log_head().map_or(&[][..], LogHead::pieces);
    let first = pieces.first().unwrap().segment;
    let taken = cut.cut();
    let (redo, at, next) = (taken.redo, taken.at, taken.next_database.get());
    for content in 3..=5 {
        commit(&environment, &shop, content);
    }
    environment.stop().unwrap();
    let wanted = CommitNumber::new(at.commit.get() + 2);
    let (log, end, block) = log_of(&machine, &environment, first, (wanted, partial));
    files.extend(log);
    let environment_id = environment.core().known_id().unwrap();
    let id = BackupId::new(Timestamp::from_micros(1_145_386_457_000_000), at.commit);
    let manifest = Manifest {
        id,
        environment: environment_id,
        instance: "north".to_owned(),
        begun: Timestamp::ZERO,
        ended: Timestamp::ZERO,
        label: String::new(),
        commit: at.commit,
        time: at.time,
        redo: redo.point,
        redo_log_bytes: redo.log_bytes,
        redo_commit: redo.commit,
        next_database: next,
        log_end: Some(end),
        // Where it was stored is of no account here.
        log: vec![StoredLog {
            segment: first,
            offset: 0,
            object: StoredObject::of(&[]),
        }],
        databases,
        branch: Vec::new(),
        pages: StoredObject::of(&[]),
        cost: Cost::default(),
    };
    let note = RestoreNote {
        environment: environment_id,
        backup: id,
        end: Some(end),
        partial: block.as_ref().map(|_| wanted),
        newest: Generation::new(7),
        branch: environment.core().instance().history().branch().to_vec(),
    };
    files.extend(block.map(|block| ("partial".to_owned(), block.bytes.to_vec())));
    files.push(("manifest".to_owned(), manifest.encode()));
    files.push((RestoreNote::FILE.to_owned(), note.encode()));
    Brought { files, content: 4 }
}

type Files = Vec<(String, Vec<u8>)>;

/// The pages of a cut, as dbctl leaves them, and what the backup says of them.
fn pages_of(cut: &CutUse) -> (Files, Vec<BackedUpDatabase>) {
    let (mut files, mut databases) = (Vec::new(), Vec::new());
    for database in &cut.cut().databases {
        let Some(pages) = database.pages else {
            continue;
        };
        let id = database.entry.id;
        let mut content = vec![0; pages as usize * PAGE_SIZE];
        cut.read(id, PageNumber::new(1).unwrap(), &mut content)
            .unwrap();
        let mut tree = TreeHasher::new();
        tree.update(&content);
        databases.push(BackedUpDatabase {
            number: id.get(),
            pages,
            root: tree.finish().root,
            name: database.entry.name.clone(),
        });
        files.push((format!("{}.new", id.get()), content));
    }
    (files, databases)
}

/// The log from a segment on, up to a commit, or up to the block that it is in, which is given, too.
fn log_of(
    machine: &SimulatedDisk,
    environment: &Environment,
    first: SegmentId,
    (wanted, partial): (CommitNumber, bool),
) -> (Files, Border, Option<fwlog::Block>) {
    let mut walk = LogWalk::new(environment.core().known_id().unwrap());
    let location = environment.core().log_location().unwrap();
    let mut files = Vec::new();
    let mut end = None;
    let segments = location.list().unwrap();
    for id in segments.into_iter().filter(|id| *id >= first) {
        let bytes = machine.content(location.path(id)).unwrap();
        let mut kept = Vec::new();
        walk.take(fwlog::Position::new(id, 0), &bytes).unwrap();
        while let Some(item) = walk.next_item().unwrap() {
            match item {
                LogItem::Header(bytes, _) | LogItem::Seal(bytes) => kept.extend_from_slice(&bytes),
                LogItem::Block(block) => {
                    let is_last = has(&block, wanted);
                    if is_last && partial {
                        files.push((id.to_string(), kept));
                        return (files, end.unwrap(), Some(block));
                    }
                    kept.extend_from_slice(&block.bytes);
                    if is_last {
                        files.push((id.to_string(), kept));
                        return (files, walk.end().unwrap(), None);
                    }
                }
            }
            end = walk.end();
        }
        files.push((id.to_string(), kept));
    }
    unreachable!("the log has commit {wanted}")
}

fn has(block: &fwlog::Block, commit: CommitNumber) -> bool {
    let mut decoder = BlockDecoder::new();
    let mut records = decoder.records(block).unwrap();
    records.any(|record| matches!(record.unwrap(), Record::Commit(found) if found.number == commit))
}

/// A machine on which dbctl has brought it.
fn machine(brought: &Brought, seed: u64) -> SimulatedDisk {
    let machine = SimulatedDisk::new(seed);
    let disk = machine.process().disk();
    for directory in ["/tmp", "/restored", "/restored/incoming", "/restored-log"] {
        disk.make_directory(directory.as_ref(), 0o700).unwrap();
    }
    for (name, content) in &brought.files {
        let path = Path::new("/restored/incoming").join(name);
        let file = disk.open(&path, Access::CreateNew(0o600)).unwrap();
        file.write_at(0, content).unwrap();
        file.sync().unwrap();
    }
    disk.sync_directory("/restored/incoming".as_ref()).unwrap();
    machine
}

fn recover_on(machine: &SimulatedDisk) -> Result<(), EngineError> {
    let (host, config) = configured_in(machine.process().disk(), "/restored", "/restored-log");
    recover(&host, &config, RecoverAs::Master)
}

fn start_on(machine: &SimulatedDisk) -> Result<Arc<Environment>, EngineError> {
    let (host, config) = configured_in(machine.process().disk(), "/restored", "/restored-log");
    Environment::start_on(host, config, Sessions::new(1))
}

/// The shop is what it was at the commit that is wanted, and the log goes on in a generation of its own.
fn is_restored(environment: &Environment, brought: &Brought) {
    let shop = environment.database("shop").unwrap();
    let (latest, _) = shop.store().latest();
    let snapshot = shop.store().snapshot_durable();
    let mut page = [0; PAGE_SIZE];
    for number in (1..=PAGES).filter_map(PageNumber::new) {
        snapshot.read(number, &mut page).unwrap();
        assert_eq!(page[0], brought.content, "page {number:?} at {latest:?}");
        assert_eq!(page, [brought.content; PAGE_SIZE], "page {number:?}");
    }
    let history = environment.core().instance().history();
    let newest = history.newest().unwrap();
    assert_eq!(newest.reason, GenerationReason::Restore);
    assert_eq!(
        newest.number,
        Generation::new(8),
        "above all that are known"
    );
}

#[test]
fn what_was_brought_becomes_an_environment_with_a_generation_of_its_own() {
    for partial in [false, true] {
        let brought = brought(partial);
        let machine = machine(&brought, 3);
        recover_on(&machine).unwrap();
        let environment = start_on(&machine).unwrap();
        is_restored(&environment, &brought);
        let shop = environment.database("shop").unwrap();
        commit(&environment, &shop, 9);
        environment.stop().unwrap();
        let again = recover_on(&machine).unwrap_err();
        assert!(again.to_string().contains("already"), "{again}");
        let names = machine.files();
        let left = names
            .iter()
            .filter(|path| path.starts_with("/restored/incoming"));
        assert_eq!(left.count(), 0, "{names:?}");
    }
}

#[test]
fn a_power_cut_at_any_operation_leaves_no_environment_or_all_of_it() {
    let brought = brought(true);
    let (mut none, mut whole) = (0, 0);
    let mut struck = true;
    for at in 0.. {
        if !std::mem::take(&mut struck) {
            break;
        }
        for outcome in 0..3 {
            let cut = machine(&brought, at);
            cut.fail(Fault::after(at).of(Kind::CHANGES).power_off());
            struck |= recover_on(&cut).is_err();
            let cut = cut.power_cut(outcome);
            // A server that is started meanwhile serves all of it, or says that there is nothing.
            match start_on(&cut) {
                Ok(environment) => {
                    is_restored(&environment, &brought);
                    environment.stop().unwrap();
                    whole += 1;
                }
                Err(error) => {
                    let told = error.to_string();
                    let words = ["no environment", "was not completed"];
                    assert!(words.iter().any(|it| told.contains(it)), "{told}");
                    recover_on(&cut).unwrap();
                    let environment = start_on(&cut).unwrap();
                    is_restored(&environment, &brought);
                    none += 1;
                }
            }
        }
    }
    assert!(none > 0 && whole > 0, "{none} {whole}");
}

/// Each file that was brought, altered or cut, is noticed before there is an environment.
#[test]
fn what_was_altered_on_the_way_is_refused() {
    let brought = brought(true);
    for (name, content) in &brought.files {
        for at in [0, content.len() / 3, content.len() / 2, content.len() - 1] {
            let machine = machine(&brought, 5);
            let path = Path::new("/restored/incoming").join(name);
            assert!(machine.flip(&path, at as u64, 3), "{name}");
            let refused = recover_on(&machine);
            assert!(refused.is_err(), "{name} at {at} of {}", content.len());
            assert!(start_on(&machine).is_err(), "{name} at {at}");
        }
    }
}
