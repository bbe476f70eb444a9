//! Data files that a disk or a person has damaged: refused, named, and made anew.

use std::path::PathBuf;

use dbserver::databases::host::Host;
use dbserver::environment::rebuild;
use pgtypes::SqlState;

use super::*;

const PAGE: usize = 4096;
const ROWS: i64 = 2000;

impl Home {
    fn file(&self, name: &str) -> PathBuf {
        self.path().join("data").join(name)
    }

    fn start_with(&self, line: &str) -> Result<Arc<Environment>, EngineError> {
        let mut config = self.config(true);
        // What the log can mend is told all the same.
        config.server.repair_from = dbconfig::RepairFrom::OFF;
        if line == "VerifyData = read" {
            config.server.verify_data = dbconfig::VerifyData::Read;
        }
        Environment::start(config, Sessions::new(10))
    }

    fn refused(&self) -> String {
        match self.start_with("") {
            Err(error @ (EngineError::Damaged(_) | EngineError::WrongFile(_))) => {
                let text = error.to_string();
                let other_file = [
                    "it is an old copy",
                    "the file is missing",
                    "belongs to database",
                ]
                .iter()
                .any(|words| text.contains(words));
                assert_eq!(
                    matches!(error, EngineError::WrongFile(_)),
                    other_file,
                    "{text}"
                );
                assert_eq!(error.sqlstate(), SqlState::DATA_CORRUPTED);
                assert!(error.hint().unwrap().contains("--rebuild"));
                error.to_string()
            }
            Err(error) => error.to_string() + ": not called damage",
            Ok(_) => "not refused".to_owned(),
        }
    }

    fn rebuild(&self) -> Result<(), EngineError> {
        rebuild::prepare(&Host::system(), &self.config(true))
    }

    /// All names in DataDir and below it.
    fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for directory in ["data", "data/db"] {
            for entry in fs::read_dir(self.path().join(directory)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                names.push(format!("{directory}/{name}"));
            }
        }
        names.sort();
        names
    }
}

/// The environment's lock goes with it.
fn stop(environment: Arc<Environment>) {
    environment.stop().unwrap();
    drop(environment);
}

fn fill(environment: &Environment, database: &str) {
    environment.create_database(database).unwrap();
    run(environment, database, TABLE);
    run(
        environment,
        database,
        &format!(
            "INSERT INTO t (b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
             WHERE i < {ROWS}) SELECT i || hex(zeroblob(20)) FROM n"
        ),
    );
}

/// A server with two databases, stopped cleanly or not; and the checksum of the first.
fn stopped(clean: bool) -> (Home, String) {
    let home = Home::new();
    let environment = home.start();
    for name in ["shop", "books"] {
        fill(&environment, name);
    }
    environment.checkpoint().unwrap();
    run(&environment, "shop", "DELETE FROM t WHERE a % 7 = 0");
    let expected = checksum(&environment, "shop");
    if clean {
        stop(environment);
        return (home, expected);
    }
    let crashed = home.crashed();
    stop(environment);
    (crashed, expected)
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut content = fs::read(path).unwrap();
    change(&mut content);
    let disk = disk::Disk::real();
    disk.write_atomic(path, &content, 0o600).unwrap();
}

fn flip(path: &Path, offset: usize) {
    edit(path, |content| content[offset] ^= 1);
}

#[test]
fn a_flipped_bit_in_any_data_file_keeps_the_server_from_starting() {
    for file in ["db/shop.db", "db/books.db", "system.db"] {
        let (home, _) = stopped(true);
        let path = home.file(file);
        flip(&path, PAGE + 17);
        let text = home.refused();
        assert_eq!(
            text,
            format!(
                "{}: page 2 at byte offset 4096 does not fit its checksum",
                path.display()
            )
        );
        flip(&path, PAGE + 17);
        let environment = home.start();
        assert_eq!(count(&environment, "books"), ROWS);
        stop(environment);
    }
}

#[test]
fn many_damaged_pages_are_counted_and_the_first_are_named() {
    let (home, _) = stopped(true);
    edit(&home.file("db/shop.db"), |content| {
        for page in content.chunks_exact_mut(PAGE).skip(3).take(12) {
            page[9] = !page[9];
        }
    });
    let text = home.refused();
    assert!(text.contains("page 4 at byte offset 12288"), "{text}");
    assert!(text.ends_with("and 7 more pages"), "{text}");
}

#[test]
fn with_verify_data_read_only_the_damaged_page_is_refused() {
    let (home, _) = stopped(true);
    let path = home.file("db/shop.db");
    let last = fs::metadata(&path).unwrap().len();
    flip(&path, usize::try_from(last).unwrap() - 5);
    let environment = home.start_with("VerifyData = read").unwrap();
    assert_eq!(count(&environment, "books"), ROWS);
    let report = command(&environment, "database verify shop", "result");
    assert_eq!(report, "damaged");
    stop(environment);
    // A file that is too short is found all the same.
    edit(&path, |content| content.truncate(content.len() - PAGE));
    let error = home.start_with("VerifyData = read").err().unwrap();
    assert!(error.to_string().contains("too short"), "{error}");
}

#[test]
fn a_missing_data_file_or_sum_file_is_not_an_empty_database() {
    for clean in [true, false] {
        for file in ["db/shop.db", "db/shop.db.sum", "system.db"] {
            let (home, _) = stopped(clean);
            let path = home.file(file);
            let aside = home.path().join("aside");
            disk::Disk::real().rename(&path, &aside).unwrap();
            let text = home.refused();
            assert_eq!(text, format!("{}: the file is missing", path.display()));
            assert!(!path.exists());
            disk::Disk::real().rename(&aside, &path).unwrap();
            let environment = home.start();
            assert_eq!(count(&environment, "books"), ROWS);
            stop(environment);
        }
    }
}

#[test]
fn the_files_of_another_database_and_of_another_day_are_refused() {
    let (home, _) = stopped(true);
    let aside = home.crashed();
    for suffix in ["", ".sum"] {
        let from = aside.file(&format!("db/books.db{suffix}"));
        fs::copy(from, home.file(&format!("db/shop.db{suffix}"))).unwrap();
    }
    let text = home.refused();
    assert!(text.contains("belongs to database number"), "{text}");

    for suffix in ["", ".sum"] {
        let file = format!("db/shop.db{suffix}");
        fs::copy(aside.file(&file), home.file(&file)).unwrap();
    }
    let environment = home.start();
    run(&environment, "shop", "DELETE FROM t WHERE a > 5");
    stop(environment);
    for suffix in ["", ".sum"] {
        let file = format!("db/shop.db{suffix}");
        fs::copy(aside.file(&file), home.file(&file)).unwrap();
    }
    let text = home.refused();
    assert!(text.contains("it is an old copy"), "{text}");
}

#[test]
fn a_database_dropped_before_the_crash_needs_no_file() {
    let (home, _) = stopped(true);
    let environment = home.start();
    environment.checkpoint().unwrap();
    environment.drop_database("books").unwrap();
    // The control file still lists it; the log says that it is gone.
    let crashed = home.crashed();
    stop(environment);
    assert!(!crashed.file("db/books.db").exists());
    assert!(!crashed.file("db/books.db.sum").exists());
    let again = crashed.start();
    assert!(again.database("books").is_err());
    stop(again);
}

#[test]
fn damaged_files_are_made_anew_from_the_log_and_set_aside() {
    for clean in [true, false] {
        let (home, expected) = stopped(clean);
        let (shop, system) = (home.file("db/shop.db"), home.file("system.db"));
        flip(&shop, 3 * PAGE);
        edit(&system, |content| content.truncate(100));
        let damaged = fs::read(&shop).unwrap();
        home.refused();
        home.rebuild().unwrap();
        let environment = home.start();
        assert_eq!(checksum(&environment, "shop"), expected);
        assert_eq!(count(&environment, "books"), ROWS);
        let names = home.names();
        let aside = names
            .iter()
            .find(|name| name.starts_with("data/db/shop.db.damaged-"));
        let aside = home.path().join(aside.unwrap());
        assert_eq!(fs::read(aside).unwrap(), damaged);
        // Killed before its first checkpoint, it makes them once more.
        let crashed = home.crashed();
        stop(environment);
        for home in [crashed, home] {
            let again = home.start();
            assert_eq!(checksum(&again, "shop"), expected);
            let verdict = command(&again, "database verify shop", "result");
            assert_eq!(verdict, "ok");
            again.checkpoint().unwrap();
            run(&again, "shop", "DELETE FROM t WHERE a > 5");
            stop(again);
            let last = home.start();
            assert_eq!(count(&last, "shop"), 5);
            stop(last);
        }
    }
}

#[test]
fn a_rebuild_without_the_whole_log_is_refused_before_anything_is_touched() {
    let (home, _) = stopped(true);
    flip(&home.file("db/shop.db"), 3 * PAGE);
    let before = home.names();
    let mut segments: Vec<_> = fs::read_dir(home.path().join("fw"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("fw-"))
        .collect();
    segments.sort();
    let disk = disk::Disk::real();
    let aside = home.path().join("segment");
    for (place, wanted) in [
        (0, "all from 1-1 on before it are missing"),
        (segments.len() / 2, "is missing"),
        (segments.len() - 1, "it ends before"),
    ] {
        disk.rename(&segments[place], &aside).unwrap();
        let error = home.rebuild().unwrap_err();
        let text = error.to_string();
        assert!(text.contains(wanted), "without segment {place}: {text}");
        assert!(error.hint().unwrap().contains("Nothing was touched"));
        disk.rename(&aside, &segments[place]).unwrap();
        assert_eq!(home.names(), before);
    }
    let largest = segments
        .iter()
        .max_by_key(|path| fs::metadata(path).unwrap().len());
    flip(largest.unwrap(), 5000);
    let text = home.rebuild().unwrap_err().to_string();
    assert!(text.contains("fw-"), "{text}");
    assert_eq!(home.names(), before);
}

#[test]
fn a_file_in_the_place_of_a_new_database_is_not_taken_for_it() {
    let home = Home::new();
    let environment = home.start();
    let path = home.file("db/shop.db");
    let disk = disk::Disk::real();
    disk.write_atomic(&path, &[7; PAGE], 0o600).unwrap();
    let error = environment.create_database("shop").unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE);
    assert_eq!(fs::read(&path).unwrap(), [7; PAGE]);
    disk.remove(&path).unwrap();
    environment.create_database("shop").unwrap();
    stop(environment);
}
