//! SQLite's own temporary files have a limit for each connection.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Database;
use sqlitevfs::Error;

/// More than the cache of a connection, so that it is sorted in files.
const SORT: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    SELECT sum(length(line)) FROM (SELECT hex(randomblob(50)) || i AS line FROM n ORDER BY line LIMIT -1 OFFSET 1)";

const MATERIALISED: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
    SELECT count(*) FROM (SELECT DISTINCT hex(randomblob(50)) || i FROM n)";

fn count((connection, _): &common::Session, sql: &str) -> Result<i64, rusqlite::Error> {
    connection.query_row(sql, [], |row| row.get(0))
}

#[test]
fn a_statement_that_needs_more_fails_and_the_connection_goes_on() {
    let database = Database::new();
    let session = database.connect_with(16 << 20, 512);
    let handle = &session.1;
    for sql in [SORT, MATERIALISED] {
        handle.limit_temporary_files(Some(1 << 20));
        let error = count(&session, sql).unwrap_err();
        assert_eq!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::TooBig),
            "{error}"
        );
        assert!(matches!(
            handle.take_error(),
            Some(Error::TemporaryLimit { limit: 1_048_576 })
        ));
        assert_eq!(handle.temporary_bytes(), 0, "what was begun is gone");
        handle.limit_temporary_files(Some(64 << 20));
        assert!(count(&session, sql).unwrap() > 0);
        assert_eq!(handle.temporary_bytes(), 0);
        handle.limit_temporary_files(None);
        assert!(count(&session, sql).unwrap() > 0);
    }
    assert_eq!(count(&session, "SELECT 7").unwrap(), 7);
}

#[test]
fn only_the_statement_fails_whatever_its_transaction_has_done() {
    let database = Database::new();
    let session = database.connect_with(16 << 20, 64);
    session.1.allow_write(true);
    let sql = "CREATE TABLE t (i INTEGER, line TEXT); CREATE TEMP TABLE own (line TEXT); PRAGMA temp.cache_size = 16; BEGIN;
        INSERT INTO t VALUES (1, 'kept'); INSERT INTO own VALUES ('kept')";
    session.0.execute_batch(sql).unwrap();
    session.1.limit_temporary_files(Some(1 << 20));
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        SELECT i, hex(randomblob(50)) AS line FROM n";
    for sql in [
        SORT.to_owned(),
        format!("INSERT INTO t SELECT * FROM ({many}) ORDER BY line"),
        format!("INSERT INTO own SELECT line FROM ({many})"),
        format!("UPDATE t SET i = 2; INSERT INTO own SELECT line FROM ({many})"),
    ] {
        assert!(session.0.execute_batch(&sql).is_err(), "{sql}");
        assert!(matches!(
            session.1.take_error(),
            Some(Error::TemporaryLimit { .. })
        ));
        assert!(!session.0.is_autocommit(), "the transaction goes on");
        assert_eq!(
            count(&session, "SELECT count(*) FROM t WHERE line = 'kept'").unwrap(),
            1
        );
        assert_eq!(count(&session, "SELECT count(*) FROM own").unwrap(), 1);
    }
    session.0.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&session, "SELECT i FROM t").unwrap(), 2);
    let checked: String = session
        .0
        .query_row("PRAGMA temp.integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(checked, "ok");
}

#[test]
fn temporary_tables_count_as_long_as_they_are_there_and_another_connection_has_its_own() {
    let database = Database::new();
    let (one, other) = (database.connect_with(16 << 20, 64), database.connect());
    one.1.limit_temporary_files(Some(4 << 20));
    let fill = "CREATE TEMP TABLE t (line TEXT); PRAGMA temp.cache_size = 16;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO t SELECT hex(randomblob(50)) FROM n";
    one.0.execute_batch(fill).unwrap();
    let used = one.1.temporary_bytes();
    assert!((1 << 20..=4 << 20).contains(&used), "{used}");
    let more = "INSERT INTO t SELECT line FROM t; INSERT INTO t SELECT line FROM t";
    assert!(one.0.execute_batch(more).is_err());
    assert!(one.1.temporary_bytes() <= 4 << 20);
    assert_eq!(count(&one, "SELECT count(*) FROM t").unwrap() % 20_000, 0);
    assert_eq!(other.1.temporary_bytes(), 0);
    assert!(count(&other, SORT).unwrap() > 0);
    let (connection, handle) = one;
    connection.close().unwrap();
    assert_eq!(handle.temporary_bytes(), 0);
}
