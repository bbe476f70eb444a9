//! Connections on one store, as sessions use them: permit, write sets, snapshots, checkpoints.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Database;
use rusqlite::{Connection, ErrorCode};
use sqlitevfs::WriteMode;

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
        .unwrap()
}

#[test]
fn a_reader_sees_a_commit_only_when_it_is_durable() {
    let database = Database::new();
    let (writer, reader) = (database.connect(), database.connect());
    database.run(&writer, "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let commit = database.run_not_durable(&writer, "INSERT INTO t VALUES (2)");
    assert_eq!(count(&reader.0), 1);
    writer.1.allow_write(true);
    assert_eq!(count(&writer.0), 2);
    writer.1.allow_write(false);
    assert_eq!(count(&writer.0), 1);
    database.horizon.advance(commit);
    assert_eq!(count(&reader.0), 2);
    assert_eq!(count(&writer.0), 2);
}

#[test]
fn without_the_permit_a_write_is_busy_at_once() {
    let database = Database::new();
    let connection = database.connect();
    let error = connection.0.execute_batch("CREATE TABLE t(a)").unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    assert!(connection.1.take_write_set().is_none());
}

#[test]
fn two_connections_write_in_turn_and_see_each_other() {
    let database = Database::new();
    let connections = [database.connect(), database.connect()];
    database.run(&connections[0], "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    for turn in 0..40_usize {
        database.run(
            &connections[turn % 2],
            &format!("INSERT INTO t VALUES ({turn}, hex(zeroblob(900)))"),
        );
        assert_eq!(
            count(&connections[(turn + 1) % 2].0),
            i64::try_from(turn).unwrap() + 1
        );
        if turn % 7 == 0 {
            database.store.checkpoint(&|_| ()).unwrap();
        }
    }
    database.check(&connections[0].0);
}

#[test]
fn a_pinned_snapshot_reads_old_data_over_writes_and_checkpoints() {
    let database = Database::new();
    let (writer, reader) = (database.connect(), database.connect());
    database.run(
        &writer,
        "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, zeroblob(20000))",
    );
    reader
        .1
        .pin_snapshot(Some(database.store.snapshot_durable()));
    for value in 2..30 {
        database.run(
            &writer,
            &format!("UPDATE t SET a = {value}, b = zeroblob({value} * 3000)"),
        );
        database.store.checkpoint(&|_| ()).unwrap();
        let seen: (i64, i64) = reader
            .0
            .query_row("SELECT a, length(b) FROM t", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(seen, (1, 20000));
    }
    database.run(&writer, "DELETE FROM t; VACUUM");
    database.store.checkpoint(&|_| ()).unwrap();
    assert_eq!(count(&reader.0), 1);
    database.check(&reader.0);
    reader.1.pin_snapshot(None);
    assert_eq!(count(&reader.0), 0);
}

#[test]
fn a_rolled_back_transaction_leaves_no_write_set() {
    let database = Database::new();
    let connection = database.connect_with(64 << 10, 40);
    database.run(&connection, "CREATE TABLE t(a, b)");
    connection.1.allow_write(true);
    connection.0.execute_batch("BEGIN").unwrap();
    for value in 0..300 {
        connection
            .0
            .execute("INSERT INTO t VALUES (?1, zeroblob(5000))", [value])
            .unwrap();
    }
    connection.0.execute_batch("ROLLBACK").unwrap();
    assert!(connection.1.take_write_set().is_none());
    assert_eq!(count(&connection.0), 0);
    database.run(&connection, "INSERT INTO t VALUES (1, 2)");
    assert_eq!(count(&connection.0), 1);
    database.check(&connection.0);
}

#[test]
fn a_private_transaction_writes_for_itself_only_and_cannot_commit() {
    let database = Database::new();
    let (one, other) = (database.connect(), database.connect());
    database.run(&one, "CREATE TABLE t(a)");
    one.1.set_write_mode(WriteMode::Private);
    one.0
        .execute_batch("BEGIN; INSERT INTO t VALUES (1)")
        .unwrap();
    assert_eq!(count(&one.0), 1);
    database.run(&other, "INSERT INTO t VALUES (2), (3)");
    assert!(one.0.execute_batch("COMMIT").is_err());
    assert!(
        one.1
            .take_error()
            .unwrap()
            .to_string()
            .contains("without the write permit")
    );
    assert!(one.0.is_autocommit());
    assert!(one.1.take_write_set().is_none());
    one.1.allow_write(false);
    assert_eq!(count(&one.0), 2);
    database.run(&one, "INSERT INTO t VALUES (1)");
    assert_eq!(count(&other.0), 3);
    database.check(&other.0);
}

#[test]
fn several_commits_make_one_write_set() {
    let database = Database::new();
    let (writer, reader) = (database.connect(), database.connect());
    database.run(
        &writer,
        "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, zeroblob(50000));
         DELETE FROM t; VACUUM; INSERT INTO t VALUES (2, zeroblob(9000));
         BEGIN; INSERT INTO t VALUES (3, 3); ROLLBACK;",
    );
    assert_eq!(count(&reader.0), 1);
    database.check(&reader.0);
}

#[test]
fn a_schema_change_by_one_connection_is_seen_by_another() {
    let database = Database::new();
    let (one, other) = (database.connect(), database.connect());
    database.run(&one, "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    let mut statement = other.0.prepare("SELECT * FROM t").unwrap();
    let columns = |s: &mut rusqlite::Statement<'_>| {
        let mut rows = s.query(()).unwrap();
        rows.next().unwrap().unwrap().as_ref().column_count()
    };
    assert_eq!(columns(&mut statement), 1);
    database.run(
        &one,
        "ALTER TABLE t ADD COLUMN b DEFAULT 7; CREATE INDEX i ON t(b)",
    );
    assert_eq!(columns(&mut statement), 2);
    let plan: String = other
        .0
        .query_row("EXPLAIN QUERY PLAN SELECT a FROM t WHERE b = 7", (), |r| {
            r.get(3)
        })
        .unwrap();
    assert!(plan.contains("USING INDEX i"), "{plan}");
}

#[test]
fn cursors_that_are_open_over_a_commit_read_on() {
    let database = Database::new();
    let writer = database.connect_with(1 << 20, 40);
    database.run(&writer, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    for value in 0..200 {
        database.run(
            &writer,
            &format!("INSERT INTO t VALUES ({value}, zeroblob(3000))"),
        );
    }
    writer.1.allow_write(true);
    let mut scan = writer
        .0
        .prepare("SELECT a, length(b) FROM t ORDER BY a")
        .unwrap();
    let mut rows = scan.query(()).unwrap();
    assert!(rows.next().unwrap().is_some());
    writer
        .0
        .execute("UPDATE t SET b = zeroblob(4000) WHERE a % 2 = 1", ())
        .unwrap();
    let set = writer.1.take_write_set().unwrap();
    database.publish(set);
    let mut sum = 0;
    while let Some(row) = rows.next().unwrap() {
        sum += row.get::<_, i64>(1).unwrap();
    }
    assert_eq!(sum, 99 * 3000 + 100 * 4000);
    drop(rows);
    drop(scan);
    database.check(&database.connect().0);
}

#[test]
fn a_connection_opens_no_other_database_for_writing() {
    let database = Database::new();
    let connection = database.connect();
    let path = database.directory.path().join("other.db");
    let uri = format!("file:{}?vfs=unix", path.display());
    let attach = |name: &str| connection.0.execute("ATTACH ?1 AS other", [name]);
    for name in [path.to_str().unwrap(), &uri, "eloqdb-0", "eloqdb-1"] {
        assert!(attach(name).is_err(), "{name}");
    }
    assert!(!path.exists());
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE o(a)")
        .unwrap();
    assert!(attach(path.to_str().unwrap()).is_err());
    attach(&uri).unwrap();
    assert!(
        connection
            .0
            .execute("INSERT INTO o VALUES (1)", ())
            .is_err()
    );
}

#[test]
fn connections_are_configured_as_promised() {
    let database = Database::new();
    let (connection, _handle) = database.connect();
    let pragma = |name: &str| -> String {
        let value = |row: &rusqlite::Row<'_>| row.get::<_, rusqlite::types::Value>(0);
        match connection
            .query_row(&format!("PRAGMA {name}"), (), value)
            .unwrap()
        {
            rusqlite::types::Value::Integer(value) => value.to_string(),
            rusqlite::types::Value::Text(value) => value,
            other => format!("{other:?}"),
        }
    };
    assert_eq!(pragma("page_size"), "4096");
    assert_eq!(pragma("synchronous"), "0");
    assert_eq!(pragma("foreign_keys"), "1");
    assert_eq!(pragma("trusted_schema"), "0");
    assert_eq!(pragma("journal_mode"), "truncate");
    assert!(
        connection
            .execute("UPDATE sqlite_schema SET sql = ''", ())
            .is_err()
    );
}

#[test]
fn closed_connections_leave_their_vfs_to_the_next() {
    let database = Database::new();
    database.run(&database.connect(), "CREATE TABLE t(a)");
    for _ in 0..50 {
        let (connection, handle) = database.connect();
        assert_eq!(count(&connection), 0);
        drop(connection);
        assert!(handle.take_write_set().is_none());
    }
    assert_eq!(database.store.memory().snapshots, 0);
}

#[test]
fn a_private_transaction_that_spills_leaves_the_connection_fit_to_write() {
    let database = Database::new();
    let one = database.connect_with(64 << 10, 40);
    database.run(&one, "CREATE TABLE t(a)");
    one.1.set_write_mode(WriteMode::Private);
    one.0
        .execute_batch("BEGIN; INSERT INTO t VALUES (zeroblob(300000)); ROLLBACK")
        .unwrap();
    database.run(&one, "INSERT INTO t VALUES (1)");
    assert_eq!(count(&database.connect().0), 1);
    database.run(&one, "DROP TABLE t; CREATE TABLE other(a)");
    assert!(database.connect().0.prepare("SELECT a FROM other").is_ok());
    database.check(&one.0);
}
