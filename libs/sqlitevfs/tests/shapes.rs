//! How large a database is, and becomes: VACUUM, `auto_vacuum`, files that shrink and grow, values of
//! many pages.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::io::{Read, Seek, SeekFrom, Write};

use common::{Database, Session};
use rusqlite::{Connection, MAIN_DB};

/// Pages and free pages.
fn shape(connection: &Connection) -> (i64, i64) {
    let pragma = |name: &str| {
        let sql = format!("PRAGMA {name}");
        connection.query_row(&sql, (), |row| row.get(0)).unwrap()
    };
    (pragma("page_count"), pragma("freelist_count"))
}

/// Runs the statements on both sides; the databases have the same shape afterwards.
fn both(database: &Database, session: &Session, plain: &Connection, sql: &str) {
    database.run(session, sql);
    plain.execute_batch(sql).unwrap();
    assert_eq!(shape(&session.0), shape(plain), "{sql}");
    let (pages, _) = shape(&session.0);
    assert_eq!(i64::from(database.store.latest().1), pages);
}

fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
         INSERT INTO t SELECT i, hex(zeroblob(i % 3000)) FROM n"
    )
}

#[test]
fn a_database_has_as_many_pages_as_in_plain_sqlite_whatever_happens_to_it() {
    for mode in ["NONE", "FULL", "INCREMENTAL"] {
        let database = Database::new();
        let session = database.connect_with(40 << 10, 40);
        let plain = Connection::open_in_memory().unwrap();
        plain.execute_batch("PRAGMA page_size = 4096").unwrap();
        let run = |sql: &str| both(&database, &session, &plain, sql);
        run(&format!(
            "PRAGMA auto_vacuum = {mode}; CREATE TABLE t(a INTEGER PRIMARY KEY, b)"
        ));
        run(&fill(900));
        run("CREATE INDEX i ON t(b)");
        run("DELETE FROM t WHERE a % 3 > 0");
        run("PRAGMA incremental_vacuum(20)");
        run("BEGIN; DELETE FROM t WHERE a > 500; PRAGMA incremental_vacuum; COMMIT");
        run("DROP INDEX i");
        run("BEGIN; UPDATE t SET b = 'short'; SAVEPOINT s; DROP TABLE t; ROLLBACK TO s; COMMIT");
        run("VACUUM");
        run(&fill(900).replace("SELECT i,", "SELECT i + 5000,"));
        run("PRAGMA auto_vacuum = INCREMENTAL; VACUUM; DELETE FROM t WHERE a > 5000");
        run("PRAGMA incremental_vacuum(7)");
        run("PRAGMA incremental_vacuum");
        run("DROP TABLE t");
        run("VACUUM");
        database.check(&session.0);
    }
}

#[test]
fn a_value_is_read_and_written_in_place_piece_by_piece() {
    let large = std::env::var_os("ELOQDB_LARGE").is_some();
    let size: u64 = if large { 1_000_000_000 } else { 20_000_000 };
    let database = Database::new();
    let session = database.connect_with(1 << 20, 400);
    database.run(
        &session,
        &format!(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES (1, zeroblob({size}))"
        ),
    );
    let places = [0, 4095, size / 2, size - 5];
    let mut expected = vec![0; usize::try_from(size).unwrap()];
    session.1.allow_write(true);
    session.0.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut blob = session.0.blob_open(MAIN_DB, "t", "b", 1, false).unwrap();
    for (byte, place) in (1..).zip(places) {
        blob.seek(SeekFrom::Start(place)).unwrap();
        blob.write_all(&[byte; 5]).unwrap();
        let from = usize::try_from(place).unwrap();
        expected[from..from + 5].fill(byte);
    }
    assert!(blob.seek(SeekFrom::Start(size - 2)).is_ok() && blob.write_all(&[9; 5]).is_err());
    expected[usize::try_from(size).unwrap() - 2..].fill(9);
    blob.close().unwrap();
    session.0.execute_batch("COMMIT").unwrap();
    let set = session.1.take_write_set().unwrap();
    assert!(set.pages.len() < 20, "{} pages", set.pages.len());
    database.publish(set);
    session.1.allow_write(false);

    let reader = database.connect_with(1 << 20, 400);
    let mut blob = reader.0.blob_open(MAIN_DB, "t", "b", 1, true).unwrap();
    let mut read = Vec::new();
    blob.read_to_end(&mut read).unwrap();
    assert!(read == expected);
    drop(blob);
    database.run(&session, "DELETE FROM t; VACUUM");
    database.check(&session.0);
    assert_eq!(shape(&session.0).0, 2);
}

#[test]
fn a_value_beyond_the_limit_is_refused_and_nothing_is_written() {
    let database = Database::new();
    let session = database.connect();
    database.run(&session, "CREATE TABLE t(a)");
    session.1.allow_write(true);
    let limit = rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH;
    session.0.set_limit(limit, 1_000_000).unwrap();
    for sql in [
        "INSERT INTO t VALUES (zeroblob(1000001))",
        "INSERT INTO t VALUES (zeroblob(600000) || zeroblob(600000))",
        "INSERT INTO t SELECT group_concat(hex(zeroblob(400000)), '') FROM (SELECT 1 UNION ALL SELECT 2)",
    ] {
        let error = session.0.execute_batch(sql).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::TooBig),
            "{sql}"
        );
    }
    assert!(session.1.take_write_set().is_none());
}
