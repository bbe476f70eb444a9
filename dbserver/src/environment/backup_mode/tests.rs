//! What a tool copies while the data files stand still, on a simulated disk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use disk::Access;
use disk::testing::SimulatedDisk;
use fwlog::HEADER_SIZE;
use pagestore::{PAGE_SIZE, PageNumber};

use super::*;
use crate::databases::Database;
use crate::environment::testing::{commit, master_on, recovered_on};

type Files = BTreeMap<PathBuf, Vec<u8>>;

fn with_shop(machine: &SimulatedDisk) -> (Arc<Environment>, Arc<Database>) {
    let environment = master_on(machine);
    environment.create_database("shop").unwrap();
    let shop = environment.database("shop").unwrap();
    commit(&environment, &shop, 1);
    (environment, shop)
}

/// What all pages of the shop are filled with.
fn content(environment: &Environment) -> u8 {
    let shop = environment.database("shop").unwrap();
    let snapshot = shop.store().snapshot_durable();
    let mut page = [0; PAGE_SIZE];
    let mut found = BTreeSet::new();
    for number in (1..=snapshot.page_count()).filter_map(PageNumber::new) {
        snapshot.read(number, &mut page).unwrap();
        found.extend(page);
    }
    assert_eq!(found.len(), 1, "at one commit: {found:?}");
    found.pop_first().unwrap()
}

fn below(machine: &SimulatedDisk, directory: &str) -> VecDeque<PathBuf> {
    let files = machine.files().into_iter();
    files.filter(|path| path.starts_with(directory)).collect()
}

/// What must stand still.
fn data_files(machine: &SimulatedDisk) -> Files {
    let files = below(machine, "/data").into_iter();
    let files = files.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        name == "control" || name.starts_with("system.db") || name.starts_with("shop.db")
    });
    files
        .map(|path| (path.clone(), machine.content(&path).unwrap()))
        .collect()
}

/// A tool that copies a file a step: the data files, then the log, then all of it once more.
#[derive(Default)]
struct Tool {
    left: VecDeque<PathBuf>,
    copied: Files,
    is_at_log: bool,
    /// What the shop had for sure when it began.
    at_least: u8,
    /// All that it has copied, with that.
    made: Vec<(u8, Files)>,
}

impl Tool {
    fn step(&mut self, machine: &SimulatedDisk, answered: u8) {
        let Some(path) = self.left.pop_front() else {
            if self.is_at_log {
                let made = std::mem::take(&mut self.copied);
                self.made.push((self.at_least, made));
            }
            self.is_at_log = !self.is_at_log && self.at_least > 0;
            if self.is_at_log {
                self.left = below(machine, "/fwlog");
            } else {
                self.at_least = answered;
                self.left = below(machine, "/data");
            }
            return;
        };
        // One of a database that is dropped by now is gone.
        if let Some(content) = machine.content(&path) {
            self.copied.insert(path, content);
        }
    }
}

/// A machine that has what was copied.
fn machine_with(files: &Files, seed: u64) -> SimulatedDisk {
    let machine = SimulatedDisk::new(seed);
    let process = machine.process();
    let disk = process.disk();
    for directory in ["/tmp", "/data", "/data/db", "/data/journal", "/fwlog"] {
        disk.make_directory(Path::new(directory), 0o700).unwrap();
    }
    for (path, content) in files {
        if path.ends_with("fw.position") {
            continue;
        }
        let file = disk.open(path, Access::CreateNew(0o600)).unwrap();
        file.write_at(0, content).unwrap();
    }
    machine
}

#[test]
fn what_is_copied_file_by_file_while_commits_go_on_is_an_environment_at_a_commit() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    environment.begin_backup_mode("a test").unwrap();
    let still = data_files(&machine);
    let redo = environment.core().redo().unwrap().point.position;
    let location = environment.core().log_location().unwrap();
    let first = location.naming.file_name(redo.segment);
    let tool = Arc::new(Mutex::new(Tool::default()));
    let answered = Arc::new(AtomicU8::new(1));
    let (copies, known) = (Arc::clone(&tool), Arc::clone(&answered));
    machine.set_hook(move |machine, _operation| {
        let mut tool = copies.lock().unwrap();
        tool.step(machine, known.load(Ordering::SeqCst));
    });
    for round in 2..=80 {
        commit(&environment, &shop, round);
        answered.store(round, Ordering::SeqCst);
        match round % 10 {
            3 => environment.create_database("late").unwrap(),
            4 => commit(&environment, &environment.database("late").unwrap(), round),
            6 => environment.drop_database("late").unwrap(),
            8 => {
                let master = environment.master("a switch").unwrap();
                master.writer().switch().unwrap();
            }
            9 => assert!(environment.checkpoint().is_err()),
            _ => {}
        }
    }
    machine.clear_hook();
    assert_eq!(data_files(&machine), still);
    let made = std::mem::take(&mut tool.lock().unwrap().made);
    assert!(made.len() > 20, "{}", made.len());
    let mut torn = 0;
    for (seed, (at_least, files)) in (2..).zip(made) {
        let copy = machine_with(&files, seed);
        let found = content(&recovered_on(&copy).unwrap());
        assert!(
            (at_least..=80).contains(&found),
            "{found} and not {at_least}"
        );
        // The copy of a segment may end anywhere behind what was there in the beginning: then the copy ends there.
        let mut files = files.clone();
        let (newest, log) = files
            .iter_mut()
            .rfind(|(path, _)| path.starts_with("/fwlog") && !path.ends_with("fw.position"))
            .unwrap();
        let least = if newest.ends_with(&first) {
            usize::try_from(redo.offset).unwrap()
        } else {
            HEADER_SIZE
        };
        let room = log.len().saturating_sub(least);
        if room > 0 {
            log.truncate(least + usize::from(found) * 131 % room);
            let copy = machine_with(&files, seed);
            assert!(content(&recovered_on(&copy).unwrap()) <= found);
            torn += 1;
        }
    }
    assert!(torn > 5, "{torn}");
    environment.end_backup_mode().unwrap();
    environment.checkpoint().unwrap();
    assert_ne!(data_files(&machine), still);
}

#[test]
fn a_power_cut_at_any_operation_in_the_mode_loses_nothing() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    environment.begin_backup_mode("a test").unwrap();
    let answered = Arc::new(AtomicU8::new(1));
    let cuts = Arc::new(Mutex::new(Vec::new()));
    let (kept, known) = (Arc::clone(&cuts), Arc::clone(&answered));
    machine.set_hook(move |machine, operation| {
        if operation.kind.changes() {
            let after = machine.after_power_cut(machine.operations());
            after.clear_hook();
            kept.lock()
                .unwrap()
                .push((known.load(Ordering::SeqCst), after));
        }
    });
    for round in 2..=12 {
        commit(&environment, &shop, round);
        answered.store(round, Ordering::SeqCst);
    }
    environment.end_backup_mode().unwrap();
    environment.checkpoint().unwrap();
    machine.clear_hook();
    let cuts = std::mem::take(&mut *cuts.lock().unwrap());
    assert!(cuts.len() > 30, "{}", cuts.len());
    for (answered, after) in cuts {
        let recovered = recovered_on(&after).unwrap();
        let found = content(&recovered);
        assert!(
            found == answered || found == answered + 1,
            "{found}, {answered}"
        );
        assert!(!recovered.core().backup_mode().is_on());
    }
}

#[test]
fn each_bound_ends_it_and_is_told_as_what_it_is() {
    let machine = SimulatedDisk::new(1);
    let (environment, shop) = with_shop(&machine);
    let core = environment.core();
    let low = |what| [Space::low(what)];
    let begin = || environment.begin_backup_mode("a test").unwrap();
    let ended = || core.backup_mode().ended().map(|ended| ended.why.word());
    begin();
    core.look_after_backup_mode(Instant::now(), &low("data"));
    assert!(core.backup_mode().is_on(), "it fills no disk of data files");
    core.look_after_backup_mode(Instant::now(), &low(SCRATCH_DIRECTORY));
    assert_eq!(ended(), Some("no-room"));
    begin();
    core.look_after_backup_mode(Instant::now(), &low(LOG));
    assert_eq!(ended(), Some("no-room"));
    begin();
    let later = Instant::now() + Duration::from_hours(2);
    core.look_after_backup_mode(later, &[]);
    assert_eq!(ended(), Some("time"));
    begin();
    commit(&environment, &shop, 2);
    let gathered = core.gathered_bytes(core.backup_mode().on().unwrap().log_bytes);
    assert!(gathered >= 40 * PAGE_SIZE as u64, "{gathered}");
    // Who has to write the data files does.
    core.write_data_files(None).unwrap();
    assert_eq!(ended(), Some("written"));
    let told = environment.end_backup_mode().unwrap_err().to_string();
    assert!(told.contains("ended by itself"), "{told}");
    begin();
    environment.stop().unwrap();
    assert_eq!(ended(), Some("stopping"));
    assert_eq!(content(&recovered_on(&machine).unwrap()), 2);
}
