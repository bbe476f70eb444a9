//! The engine without its front end: what is committed survives, whatever happens in between.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene has failed"
)]

mod copies;
mod cut;
mod damaged;
mod roles;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dbconfig::Config;
use dbserver::clients::Sessions;
use dbserver::control_plane;
use dbserver::environment::Environment;
use dbserver::error::EngineError;
use dbserver::system::create;
use dbserver::system::users::Users;
use dbserver::system::{statement, verifier};
use pgtypes::SqlState;
use tempfile::TempDir;

/// An environment in a temporary directory: `data`, `fw` and the configuration beside them.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        create::create(
            &home.config(true),
            &verifier::from_password("secret").unwrap(),
        )
        .unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn config(&self, forward_log: bool) -> Config {
        let at = self.path().display();
        let log = if forward_log {
            format!("FwLog = {at}/fw/fw-%N")
        } else {
            String::new()
        };
        let text = format!(
            "[Server]\nService = 0\nDataDir = {at}/data\nInstance = north\n\
             [ForwardLog]\n{log}\n[Replication]\nRole = Master\nTmpDir = {at}\n"
        );
        let path = self.path().join("eloqdb.cfg");
        disk::Disk::real()
            .write_atomic(&path, text.as_bytes(), 0o600)
            .unwrap();
        Config::load(&path).unwrap()
    }

    fn start(&self) -> Arc<Environment> {
        Environment::start(self.config(true), Sessions::new(10)).unwrap()
    }

    /// What a crash at this moment would leave, as another home.
    fn crashed(&self) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for part in ["data", "fw"] {
            copy_directory(&self.path().join(part), &copy.path().join(part));
        }
        copy
    }
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_directory(&entry.path(), &target);
        } else {
            // The server goes on: a file that it replaces may have gone since it was listed.
            match fs::copy(entry.path(), target) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
    }
}

fn run(environment: &Environment, database: &str, sql: &str) {
    let database = environment.database(database).unwrap();
    let work = |connection: &rusqlite::Connection| {
        connection.execute_batch(sql).map_err(statement::internal)
    };
    statement::write(environment, &database, work).unwrap();
}

fn count(environment: &Environment, database: &str) -> i64 {
    let database = environment.database(database).unwrap();
    statement::read(&database, |connection| {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
    })
    .unwrap()
}

fn command(environment: &Arc<Environment>, text: &str, name: &str) -> String {
    let table = control_plane::run(
        environment,
        control_plane::Person::without_connection("dba"),
        text,
    )
    .unwrap();
    let row = table
        .rows
        .iter()
        .find(|row| row[0].as_deref() == Some(name));
    row.unwrap()[1].clone().unwrap()
}

fn checksum(environment: &Arc<Environment>, database: &str) -> String {
    command(
        environment,
        &format!("database checksum {database}"),
        "checksum",
    )
}

const TABLE: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)";

/// More pages than fit into one block.
const LARGE: &str = "INSERT INTO t (b) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                     WHERE i < 60000) SELECT i || hex(zeroblob(20)) FROM n";

#[test]
fn a_crash_before_and_after_a_checkpoint_loses_nothing() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    for round in 0..100 {
        run(
            &environment,
            "shop",
            &format!("INSERT INTO t (b) VALUES ('{round}')"),
        );
        if round == 50 {
            environment.checkpoint().unwrap();
        }
    }
    let expected = checksum(&environment, "shop");
    let crashed = home.crashed();
    environment.stop().unwrap();
    // Recovered twice: the second start finds what the first one crashed with.
    let again = crashed.start();
    for again in [crashed.crashed().start(), again] {
        assert_eq!(count(&again, "shop"), 100);
        assert_eq!(checksum(&again, "shop"), expected);
        assert_eq!(command(&again, "database verify shop", "result"), "ok");
    }
}

#[test]
fn a_clean_stop_leaves_a_file_that_sqlite_opens() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", LARGE);
    environment.stop().unwrap();
    let file = home.path().join("data/db/shop.db");
    let plain = rusqlite::Connection::open(file).unwrap();
    let rows: i64 = plain
        .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 60_000);
    let verdict: String = plain
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn a_transaction_larger_than_a_block_is_recovered_whole() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", LARGE);
    run(&environment, "shop", "DELETE FROM t WHERE a % 2 = 0");
    let expected = checksum(&environment, "shop");
    let again = home.crashed().start();
    assert_eq!(count(&again, "shop"), 30_000);
    assert_eq!(checksum(&again, "shop"), expected);
}

#[test]
fn a_database_dropped_and_made_again_keeps_its_new_content() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", LARGE);
    environment.checkpoint().unwrap();
    environment.drop_database("shop").unwrap();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", "INSERT INTO t (b) VALUES ('new')");
    assert_eq!(count(&home.crashed().start(), "shop"), 1);
    environment.checkpoint().unwrap();
    assert_eq!(count(&home.crashed().start(), "shop"), 1);
}

#[test]
fn a_shrunk_and_regrown_database_is_recovered_byte_for_byte() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", LARGE);
    environment.checkpoint().unwrap();
    run(&environment, "shop", "DELETE FROM t WHERE a > 1000");
    let shop = environment.database("shop").unwrap();
    let pages = || shop.store().snapshot_latest().page_count();
    let before = pages();
    vacuum(&environment, "shop");
    assert!(pages() < before);
    run(&environment, "shop", LARGE);
    let expected = checksum(&environment, "shop");
    assert_eq!(checksum(&home.crashed().start(), "shop"), expected);
}

fn vacuum(environment: &Environment, name: &str) {
    use dbserver::databases::permit::Interrupt;
    let shop = environment.database(name).unwrap();
    let permit = shop
        .acquire_permit(&Interrupt::for_this_thread(), None)
        .unwrap();
    let (connection, handle) = shop.open_connection().unwrap();
    handle.allow_write(true);
    connection.execute_batch("VACUUM").unwrap();
    let queued = environment
        .commit(&shop, &permit, handle.take_write_set().unwrap())
        .unwrap();
    drop(permit);
    environment.wait_durable(&queued).unwrap();
}

#[test]
fn switching_forward_logging_off_and_on_begins_a_generation_and_loses_nothing() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    for (word, insert) in [("disable", "off"), ("enable", "on")] {
        control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            &format!("forwardlog {word}"),
        )
        .unwrap();
        run(
            &environment,
            "shop",
            &format!("INSERT INTO t (b) VALUES ('{insert}')"),
        );
        assert_eq!(
            count(&home.crashed().start(), "shop"),
            count(&environment, "shop")
        );
    }
    let position = command(&environment, "forwardlog status", "position");
    assert!(position.starts_with("2-1:"), "{position}");
}

#[test]
fn a_second_server_on_the_same_environment_is_refused() {
    let home = Home::new();
    let _first = home.start();
    let second = Environment::start(home.config(true), Sessions::new(1));
    let error = second.err().unwrap();
    assert!(matches!(error, EngineError::State { .. }), "{error}");
    assert!(error.to_string().contains("another server runs"), "{error}");
}

#[test]
fn an_environment_is_not_made_twice_and_not_over_another_log() {
    let home = Home::new();
    let verifier = verifier::from_password("secret").unwrap();
    assert_eq!(
        create::create(&home.config(true), &verifier)
            .unwrap_err()
            .sqlstate(),
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE
    );
    fs::remove_dir_all(home.path().join("data")).unwrap();
    let error = create::create(&home.config(true), &verifier).unwrap_err();
    assert!(
        error.to_string().contains("segments of another log"),
        "{error}"
    );
}

#[test]
fn the_last_dba_can_not_be_dropped() {
    let home = Home::new();
    let environment = home.start();
    let users = Users::of(&environment);
    assert!(users.drop("dba").unwrap_err().hint().is_some());
    assert_eq!(
        users.drop("nobody").unwrap_err().sqlstate(),
        SqlState::UNDEFINED_OBJECT
    );
    assert_eq!(users.all().unwrap().len(), 1);
}

#[test]
fn a_cleanly_stopped_server_starts_without_its_old_segments_and_a_crashed_one_does_not() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", "INSERT INTO t (b) VALUES ('kept')");
    let crashed = home.crashed();
    environment.stop().unwrap();
    drop(environment);
    for home in [&home, &crashed] {
        for entry in fs::read_dir(home.path().join("fw")).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    let again = home.start();
    assert_eq!(count(&again, "shop"), 1);
    run(&again, "shop", "INSERT INTO t (b) VALUES ('new')");
    assert_eq!(count(&home.crashed().start(), "shop"), 2);
    let error = Environment::start(crashed.config(true), Sessions::new(1))
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("does not have what recovery needs"),
        "{error}"
    );
}

#[test]
fn a_dumped_database_is_a_plain_file_and_comes_back_by_restore() {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    run(&environment, "shop", LARGE);
    let file = home.path().join("shop dump.db");
    let quoted = format!("'{}'", file.display());
    let dump = |name: &str| {
        control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            &format!("database dump {name} {quoted}"),
        )
    };
    dump("shop").unwrap();
    assert_eq!(
        dump("shop").unwrap_err().sqlstate(),
        SqlState::IO_ERROR,
        "a file is never overwritten"
    );
    let restore = format!("database restore copy {quoted}");
    control_plane::run(
        &environment,
        control_plane::Person::without_connection("dba"),
        &restore,
    )
    .unwrap();
    assert_eq!(
        checksum(&environment, "copy"),
        checksum(&environment, "shop")
    );
    assert_eq!(count(&home.crashed().start(), "copy"), 60_000);
    let error = control_plane::run(
        &environment,
        control_plane::Person::without_connection("dba"),
        &restore,
    )
    .unwrap_err();
    assert_eq!(error.sqlstate(), SqlState::DUPLICATE_DATABASE);
    disk::Disk::real()
        .write_atomic(&file, b"no database", 0o600)
        .unwrap();
    let bad = format!("database restore bad {quoted}");
    assert!(
        control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            &bad
        )
        .is_err()
    );
    assert!(environment.database("bad").is_err());
}

#[test]
fn a_file_of_another_kind_is_refused_with_what_it_is_and_how_it_becomes_ours() {
    let home = Home::new();
    let environment = home.start();
    for (pragma, says, hint) in [
        (
            "page_size = 1024",
            "its pages have 1024 bytes",
            "page_size = 4096",
        ),
        (
            "page_size = 65536",
            "its pages have 65536 bytes",
            "page_size = 4096",
        ),
        ("journal_mode = WAL", "(WAL)", "journal_mode = DELETE"),
        ("encoding = 'UTF-16'", "UTF-16", "encoding = 'UTF-8'"),
    ] {
        let file = home.path().join("other.db");
        let other = rusqlite::Connection::open(&file).unwrap();
        let made = format!("PRAGMA {pragma}; CREATE TABLE a (b); INSERT INTO a VALUES ('c')");
        other.execute_batch(&made).unwrap();
        drop(other);
        let error = control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            &format!("database restore other '{}'", file.display()),
        )
        .unwrap_err();
        assert!(error.to_string().contains(says), "{pragma}: {error}");
        assert!(error.hint().unwrap().contains(hint), "{pragma}: {error}");
        disk::Disk::real().remove(&file).unwrap();
    }
}

#[test]
fn the_number_of_a_dropped_database_is_not_used_again() {
    let home = Home::new();
    let environment = home.start();
    let number = |environment: &Environment| environment.database("shop").unwrap().id();
    environment.create_database("shop").unwrap();
    let first = number(&environment);
    environment.drop_database("shop").unwrap();
    environment.stop().unwrap();
    drop(environment);
    let again = home.start();
    again.create_database("shop").unwrap();
    assert!(number(&again) > first);
}
