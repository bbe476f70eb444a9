//! What stands in a directory, and what becomes of it when the disk, the log or a person has altered something.

#![expect(clippy::unwrap_used, reason = "tests, also outside of test functions")]

#[path = "replay/log.rs"]
mod log;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::testing::{Fault, Kind, SimulatedDisk};
use disk::{Access, Disk};
use fwlog::{CommitNumber, DatabaseId, EnvironmentId, Generation, InstanceId, LogPoint, Timestamp};
use lost::{
    Description, Directory, Facts, Fork, ForkState, Line, LogState, MadeBy, Place, Root, Standing,
    Summary,
};
use rowdiff::{Image, PAGE_SIZE};
use rusqlite::Connection;

use log::Log;

const DOCUMENTATION: &str = include_str!("../../../docs/lost-transactions.md");

/// A log of a shop, a fork in it, and two transactions behind that.
struct Lost {
    log: Log,
    fork: (LogPoint, CommitNumber),
}

/// The pages of a database after each of these statements.
fn states(statements: &[&str]) -> Vec<Vec<Image>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let connection = Connection::open(&path).unwrap();
    let pages = |statement: &&str| {
        connection.execute_batch(statement).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let images = bytes.chunks(PAGE_SIZE);
        images
            .map(|page| Arc::new(page.try_into().unwrap()))
            .collect()
    };
    statements.iter().map(pages).collect()
}

fn changed(before: &[Image], after: &[Image]) -> Vec<u32> {
    let differs = |at: &usize| before.get(*at) != after.get(*at);
    let all = (0..after.len()).filter(differs);
    all.map(|at| u32::try_from(at + 1).unwrap()).collect()
}

impl Lost {
    fn new() -> Self {
        let states = states(&[
            "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL)",
            "INSERT INTO item VALUES (1, 'a', 1.5), (2, 'b', NULL)",
            "UPDATE item SET name = 'c' WHERE id = 1",
            "DELETE FROM item WHERE id = 2; ",
        ]);
        let mut log = Log::new();
        let mut before: &[Image] = &[];
        let mut fork = log.end();
        for (index, after) in states.iter().enumerate() {
            if index == 2 {
                fork = log.end();
            }
            log.commit(before, after, &changed(before, after));
            before = after;
        }
        Self { log, fork }
    }

    fn facts(&self) -> Facts {
        Facts {
            made_by: MadeBy::Rejoin,
            standing: Standing::Primary,
            environment: EnvironmentId::from_bytes([9; 16]),
            instance: "north".to_owned(),
            instance_id: InstanceId::from_bytes([7; 16]),
            fork: Fork {
                point: self.fork.0,
                commit: self.fork.1,
                time: Some(Timestamp::from_micros(1_799_999_999_000_000)),
                generation: self.log.generation(),
            },
            root: Some(Root {
                instance: "south".to_owned(),
                generation: Generation::new(2),
                id: self.log.generation(),
            }),
            plan: "cut".to_owned(),
            time: Timestamp::from_micros(1_800_000_000_000_000),
        }
    }

    fn place(&self) -> Place {
        Self::place_on(self.log.machine())
    }

    fn place_on(machine: &SimulatedDisk) -> Place {
        let disk = machine.process().disk();
        let directory = PathBuf::from("/data/lost");
        disk.make_directory(&directory, 0o700).unwrap();
        Place { disk, directory }
    }

    /// The directory, with the state at the fork as the log tells it.
    fn keep(&self) -> Result<Summary, lost::Error> {
        self.keep_on(self.log.machine())
    }

    fn keep_on(&self, machine: &SimulatedDisk) -> Result<Summary, lost::Error> {
        let disk = machine.process().disk();
        let directory = PathBuf::from("/data/lost");
        let made = disk.make_directory(&directory, 0o700);
        made.map_err(|source| lost::Error::Io {
            what: "make",
            path: directory.clone(),
            source,
        })?;
        let (store, place) = (log::store(machine), Place { disk, directory });
        let state = LogState::read(&store, self.fork.0, (&place.disk, &place.directory))?;
        let state = state.expect("the log begins with its environment");
        let known = ForkState::Known(state.databases());
        lost::write(&place, &self.facts(), &known, &store)
    }

    fn open(&self, made: &Summary) -> Directory {
        Directory::open(&self.disk(), &made.directory).unwrap()
    }

    fn disk(&self) -> Disk {
        self.log.machine().process().disk()
    }
}

fn lines(directory: &Directory) -> Vec<Line> {
    directory.lines().unwrap().map(Result::unwrap).collect()
}

fn text(machine: &SimulatedDisk, path: &Path) -> String {
    let content = machine.content(path.to_str().unwrap()).unwrap();
    String::from_utf8(content).unwrap()
}

#[test]
fn a_directory_says_what_is_lost_and_proves_itself() {
    let lost = Lost::new();
    let made = lost.keep().unwrap();
    assert_eq!(made.name(), "north-1-3-4-20270115080000");
    let directory = lost.open(&made);
    directory.prove().unwrap();
    directory.prove_lines().unwrap();
    let known = directory.description();
    assert_eq!(*known, made.description);
    assert_eq!(
        (known.transactions, known.changes, known.exact),
        (2, 2, true)
    );
    assert_eq!(known.databases, ["shop"]);
    assert_eq!((known.fork.commit, known.end.commit), (2, 4));
    let names: Vec<&str> = known.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["lost.jsonl", "lost.sql", "segments/fw-1-1"]);
    let told = lines(&directory);
    let [Line::Transaction(first), Line::Transaction(second)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(first.id, format!("{}/3", lost.log.generation()));
    let line = serde_json::to_string(&first.changes).unwrap();
    assert_eq!(
        line,
        r#"[{"table":"item","op":"update","key":{"id":1},"before":{"id":1,"name":"a","price":1.5},"after":{"id":1,"name":"c","price":1.5}}]"#
    );
    assert_eq!(second.changes.len(), 1);
    let script = text(lost.log.machine(), &made.directory.join("lost.sql"));
    for expected in [
        "\\c \"shop\"\n",
        &format!("BEGIN;\nSELECT eloqdb_lost_begin('{}');\n", first.id),
        "UPDATE \"item\" SET \"name\" = 'c' WHERE \"id\" = 1 AND \"name\" IS NOT DISTINCT FROM 'a' AND \"price\" IS NOT DISTINCT FROM '1.5';\n",
        "DELETE FROM \"item\" WHERE \"id\" = 2 AND \"name\" IS NOT DISTINCT FROM 'b' AND \"price\" IS NULL;\n",
        "SELECT eloqdb_lost_expect(1);\nCOMMIT;\n",
    ] {
        assert!(script.contains(expected), "{expected}\n{script}");
    }
}

#[test]
fn what_is_made_again_is_the_same_directory() {
    let lost = Lost::new();
    let first = lost.keep().unwrap();
    let again = lost.keep().unwrap();
    assert_eq!(first.directory, again.directory);
    assert_eq!(first.description, again.description);
    let all = Directory::all(&lost.disk(), Path::new("/data/lost")).unwrap();
    assert_eq!(all.len(), 1);
}

#[test]
fn whatever_fails_or_is_cut_off_there_is_the_whole_directory_or_none() {
    let lost = Lost::new();
    let (mut failed, mut at) = (0, 0);
    loop {
        // The disk as it is, whose operation fails there, and whose power goes then.
        let machine = lost.log.machine().copy();
        machine.fail(Fault::after(at).of(Kind::CHANGES));
        let kept = lost.keep_on(&machine);
        machine.mend();
        let cut = machine.after_power_cut(at);
        for machine in [&machine, &cut] {
            let disk = machine.process().disk();
            for (_, opened) in Directory::all(&disk, Path::new("/data/lost")).unwrap() {
                opened.unwrap().prove().unwrap();
            }
            let made = lost.keep_on(machine).unwrap();
            let directory = Directory::open(&disk, &made.directory).unwrap();
            directory.prove().unwrap();
            assert_eq!(lines(&directory).len(), 2);
        }
        if kept.is_ok() {
            break;
        }
        failed += 1;
        at += 1;
    }
    assert!(failed > 15, "{failed} operations");
}

#[test]
fn a_file_that_is_cut_or_altered_is_seen() {
    let lost = Lost::new();
    let made = lost.keep().unwrap();
    let disk = lost.disk();
    let names: Vec<String> = made.description.files.keys().cloned().collect();
    for name in names.iter().map(String::as_str).chain(["lost.json"]) {
        let path = made.directory.join(name);
        let whole = disk.read(&path).unwrap();
        let proved = || {
            let directory = Directory::open(&disk, &made.directory)?;
            directory.prove()
        };
        proved().unwrap();
        let file = disk.open(&path, Access::Write).unwrap();
        let length = whole.len() as u64;
        for cut in [0, 1, length / 2, length - 1] {
            file.set_length(cut).unwrap();
            assert!(proved().is_err(), "{name} cut at {cut}");
            file.write_at(0, &whole).unwrap();
        }
        for at in [0, length / 3, length - 1] {
            let byte = whole[usize::try_from(at).unwrap()];
            file.write_at(at, &[byte ^ 1]).unwrap();
            assert!(proved().is_err(), "{name} altered at {at}");
            file.write_at(at, &[byte]).unwrap();
        }
        file.write_at(length, b"{}\n").unwrap();
        assert!(proved().is_err(), "{name} lengthened");
        file.set_length(length).unwrap();
        proved().unwrap();
    }
}

#[test]
fn lines_that_end_too_early_are_an_error_wherever_they_are_cut() {
    let lost = Lost::new();
    let made = lost.keep().unwrap();
    let path = made.directory.join("lost.jsonl");
    let disk = lost.disk();
    let whole = disk.read(&path).unwrap();
    let file = disk.open(&path, Access::Write).unwrap();
    for cut in 0..whole.len() as u64 {
        file.set_length(cut).unwrap();
        let read: Result<Vec<Line>, _> = lost.open(&made).lines().unwrap().collect();
        assert!(read.is_err(), "cut at {cut}");
        file.write_at(0, &whole).unwrap();
    }
}

#[test]
fn what_was_never_committed_is_kept_apart_and_in_no_line() {
    let mut lost = Lost::new();
    let page: Image = Arc::new([7; PAGE_SIZE]);
    lost.log.broken_part(&page);
    let end = lost.log.end().0.position;
    // A block that a crash has cut off.
    let path = format!("/fwlog/fw-{}", end.segment);
    let disk = lost.disk();
    let file = disk.open(Path::new(&path), Access::Write).unwrap();
    file.write_at(end.offset, &[0xab; 300]).unwrap();
    file.sync().unwrap();
    let made = lost.keep().unwrap();
    let directory = lost.open(&made);
    directory.prove().unwrap();
    assert_eq!(made.description.broken, 1);
    assert!(made.description.exact);
    assert_eq!(lines(&directory).len(), 2);
    let tail = format!("broken/tail-{}-{}", end.segment, end.offset);
    assert_eq!(made.description.files[&tail].bytes, 300);
    let told = text(
        lost.log.machine(),
        &made.directory.join("broken/transactions.jsonl"),
    );
    assert!(
        told.starts_with(r#"{"transaction":"#) && told.contains(r#""database":"shop","pages":1"#),
        "{told}"
    );
    // The copy of the segment ends where the log does.
    let copy = made.description.files[&format!("segments/fw-{}", end.segment)].bytes;
    assert_eq!(copy, end.offset);
}

#[test]
fn a_log_that_is_damaged_behind_the_fork_is_told_up_to_there() {
    let lost = Lost::new();
    let disk = lost.disk();
    let path = Path::new("/fwlog/fw-1-1");
    let file = disk.open(path, Access::Write).unwrap();
    let end = lost.log.end().0.position.offset;
    // Within the last block, whose segment goes on in another one.
    let mut byte = [0];
    file.read_exact_at(end - 10, &mut byte).unwrap();
    file.write_at(end - 10, &[byte[0] ^ 1]).unwrap();
    let made = lost.keep().unwrap();
    let directory = lost.open(&made);
    directory.prove().unwrap();
    assert_eq!(made.description.transactions, 1);
    assert_eq!(lines(&directory).len(), 1);
    assert!(
        made.description
            .files
            .keys()
            .any(|name| name.starts_with("broken/tail-"))
    );
}

#[test]
fn without_the_state_at_the_fork_the_log_is_kept_and_no_row_is_told() {
    let lost = Lost::new();
    let unknown = ForkState::Unknown {
        why: "the data files are newer".to_owned(),
        names: vec![(DatabaseId::new(2), "shop".to_owned())],
    };
    let made = lost::write(&lost.place(), &lost.facts(), &unknown, &lost.log.store()).unwrap();
    let known: &Description = &made.description;
    assert!(!known.exact);
    assert_eq!(known.why.as_deref(), Some("the data files are newer"));
    assert_eq!((known.transactions, known.changes), (2, 0));
    let directory = lost.open(&made);
    directory.prove().unwrap();
    for line in lines(&directory) {
        let Line::Transaction(transaction) = line else {
            panic!("{line:?}")
        };
        assert_eq!(transaction.database, "shop");
        assert_eq!(
            transaction.untold.as_deref(),
            Some("the data files are newer")
        );
        assert!(transaction.changes.is_empty());
    }
    let script = text(lost.log.machine(), &made.directory.join("lost.sql"));
    assert!(!script.contains("BEGIN;"), "{script}");
}

#[test]
fn a_point_that_is_not_in_the_log_is_refused() {
    let mut lost = Lost::new();
    lost.fork.0.hash = lost.log.end().0.hash;
    let refused = lost::write(
        &lost.place(),
        &lost.facts(),
        &ForkState::Known(Vec::new()),
        &lost.log.store(),
    );
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("does not have the point"), "{refused}");
}

#[test]
fn a_directory_is_removed_as_a_whole() {
    let lost = Lost::new();
    let made = lost.keep().unwrap();
    lost.open(&made).remove().unwrap();
    let disk = lost.disk();
    assert!(!disk.exists(&made.directory).unwrap());
}

/// The page has every member of the files, and the files have no others.
#[test]
fn the_page_names_all_members() {
    let lost = Lost::new();
    let made = lost.keep().unwrap();
    let known = serde_json::to_value(&made.description).unwrap();
    let mut missing = Vec::new();
    let mut check = |prefix: &str, value: &serde_json::Value| {
        for name in value.as_object().unwrap().keys() {
            if !DOCUMENTATION.contains(&format!("`{prefix}{name}`")) {
                missing.push(format!("{prefix}{name}"));
            }
        }
    };
    check("", &known);
    for part in ["fork", "end", "root"] {
        check(&format!("{part}."), &known[part]);
    }
    for line in lines(&lost.open(&made)) {
        if let Line::Transaction(transaction) = line {
            let transaction = serde_json::to_value(&*transaction).unwrap();
            check("", &transaction);
            check("changes.", &transaction["changes"][0]);
            check("tables.", &transaction["tables"][0]);
        }
    }
    assert!(
        missing.is_empty(),
        "docs/lost-transactions.md lacks {missing:?}"
    );
}
