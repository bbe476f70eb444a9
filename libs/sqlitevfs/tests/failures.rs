//! What a connection answers when something is in the way: stale snapshots, lost commits, no space.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Database;
use rusqlite::{Connection, ErrorCode};
use sqlitevfs::OpenOptions;

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
        .unwrap()
}

#[test]
fn a_transaction_on_an_old_snapshot_cannot_write() {
    let database = Database::new();
    let (first, second) = (database.connect(), database.connect());
    database.run(&first, "CREATE TABLE t(a)");
    second.1.allow_write(true);
    second
        .0
        .execute_batch("BEGIN; SELECT count(*) FROM t")
        .unwrap();
    assert_eq!(count(&second.0), 0);
    database.run(&first, "INSERT INTO t VALUES (1)");
    let error = second
        .0
        .execute_batch("INSERT INTO t VALUES (2)")
        .unwrap_err();
    assert_eq!(
        error.sqlite_error().map(|e| e.extended_code),
        Some(rusqlite::ffi::SQLITE_BUSY_SNAPSHOT)
    );
    assert!(
        second
            .1
            .take_error()
            .unwrap()
            .to_string()
            .contains("too old to write")
    );
    second.0.execute_batch("ROLLBACK").unwrap();
    database.run(&second, "INSERT INTO t VALUES (2)");
    assert_eq!(count(&first.0), 2);
}

#[test]
fn without_the_permit_a_pending_write_set_stops_the_connection() {
    let database = Database::new();
    let writer = database.connect();
    database.run(&writer, "CREATE TABLE t(a)");
    writer.1.allow_write(true);
    writer.0.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    writer.1.allow_write(false);
    assert!(
        writer
            .0
            .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
            .is_err()
    );
    assert!(
        writer
            .1
            .take_error()
            .unwrap()
            .to_string()
            .contains("not been taken")
    );
}

#[test]
fn a_connection_whose_commit_was_discarded_cannot_go_on() {
    let database = Database::new();
    let writer = database.connect();
    database.run(&writer, "CREATE TABLE t(a)");
    writer.1.allow_write(true);
    writer.0.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    writer.1.discard_write_set();
    assert!(writer.1.take_write_set().is_none());
    assert!(
        writer
            .0
            .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
            .is_err()
    );
    assert_eq!(count(&database.connect().0), 0);
}

#[test]
fn after_a_rewind_connections_that_wrote_must_be_opened_anew_and_readers_go_on() {
    let database = Database::new();
    let (writer, reader) = (database.connect(), database.connect());
    let durable = database.run(&writer, "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    assert_eq!(count(&reader.0), 1);
    database.run_not_durable(&writer, "INSERT INTO t VALUES (2)");
    database.store.rewind(durable);
    assert!(
        writer
            .0
            .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
            .is_err()
    );
    assert_eq!(count(&reader.0), 1);
    let writer = database.connect();
    database.run(&writer, "INSERT INTO t VALUES (3), (4)");
    assert_eq!(count(&reader.0), 3);
    database.check(&reader.0);
}

#[test]
fn a_file_with_another_page_size_is_refused() {
    let database = Database::new();
    let path = database.directory.path().join("small.db");
    let plain = Connection::open(&path).unwrap();
    plain
        .execute_batch("PRAGMA page_size = 1024; CREATE TABLE t(a); INSERT INTO t VALUES (1)")
        .unwrap();
    plain
        .execute_batch("INSERT INTO t VALUES (hex(zeroblob(9000)))")
        .unwrap();
    drop(plain);
    let store = database.load(&path);
    let error = sqlitevfs::open(&store, database.options(1 << 20, 1000))
        .err()
        .unwrap();
    assert!(error.to_string().contains("page size is 1024"), "{error}");
}

#[test]
fn a_transaction_that_finds_no_scratch_space_fails_whole_and_the_next_one_works() {
    let database = Database::new();
    let scratch_dir = database.directory.path().join("missing");
    let options = OpenOptions {
        scratch_dir: scratch_dir.clone(),
        ..database.options(40960, 40)
    };
    let session = sqlitevfs::open(&database.store, options).unwrap();
    database.run(
        &session,
        "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'one')",
    );
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)";
    let large = format!("{rows} INSERT INTO t SELECT i, hex(zeroblob(1000)) FROM n");
    session.1.allow_write(true);
    for sql in [
        format!("BEGIN; UPDATE t SET b = 2; {large}; COMMIT"),
        large.clone(),
    ] {
        let error = session.0.execute_batch(&sql).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(ErrorCode::SystemIoFailure),
            "{error}"
        );
        assert!(
            session
                .1
                .take_error()
                .unwrap()
                .to_string()
                .contains("missing: cannot make")
        );
        assert!(session.0.is_autocommit());
        assert!(session.1.take_write_set().is_none());
        assert_eq!(count(&session.0), 1);
    }
    database.run(&session, "INSERT INTO t VALUES (2, 'two')");
    database.check(&session.0);
    std::fs::create_dir(&scratch_dir).unwrap();
    database.run(&session, &large);
    assert_eq!(count(&session.0), 502);
    database.check(&session.0);
}

#[test]
fn an_ended_snapshot_stops_its_reader_and_says_why() {
    let database = Database::new();
    let (writer, reader) = (database.connect(), database.connect_with(1 << 20, 40));
    database.run(&writer, "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 2)");
    reader
        .1
        .pin_snapshot(Some(database.store.snapshot_durable()));
    assert_eq!(count(&reader.0), 1);
    let newest = database.run(&writer, "DELETE FROM t");
    assert_eq!(database.store.end_snapshots_before(newest), 1);
    assert!(
        reader
            .0
            .query_row("SELECT count(*) FROM t", (), |_| Ok(()))
            .is_err()
    );
    assert!(
        reader
            .1
            .take_error()
            .unwrap()
            .to_string()
            .contains("too old")
    );
    reader.1.pin_snapshot(None);
    assert_eq!(count(&reader.0), 0);
}
