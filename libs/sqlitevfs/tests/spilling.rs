//! Transactions that do not fit into SQLite's cache: a cache of ten pages writes to the shim in the
//! middle of everything. What comes out is what plain SQLite gives.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Database, Session};
use rusqlite::Connection;

/// The same statements on both sides.
struct Pair {
    database: Database,
    session: Session,
    plain: Connection,
}

impl Pair {
    fn new(schema: &str) -> Self {
        let database = Database::new();
        let session = database.connect_with(20 << 10, 40);
        let plain = Connection::open_in_memory().unwrap();
        plain.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let pair = Self {
            database,
            session,
            plain,
        };
        pair.commit(schema);
        pair
    }

    /// Runs statements in both; both take them or both refuse.
    fn run(&self, sql: &str) {
        let ours = self.session.0.execute_batch(sql).map_err(|e| e.to_string());
        let plain = self.plain.execute_batch(sql).map_err(|e| e.to_string());
        assert_eq!(ours, plain, "{sql}");
        assert_eq!(
            self.session.0.is_autocommit(),
            self.plain.is_autocommit(),
            "{sql}"
        );
        self.check(&self.session.0);
    }

    /// The same, and what it commits is published.
    fn commit(&self, sql: &str) {
        self.session.1.allow_write(true);
        self.run(sql);
        if let Some(set) = self.session.1.take_write_set() {
            self.database.publish(set);
        }
        self.session.1.allow_write(false);
        self.check(&self.database.connect().0);
    }

    fn check(&self, ours: &Connection) {
        let digest = "SELECT count(*), sum(a), sum(length(b)), sum(unicode(b)), max(b) FROM t";
        let of = |connection: &Connection| -> Vec<rusqlite::types::Value> {
            let row = |row: &rusqlite::Row<'_>| (0..5).map(|at| row.get(at)).collect();
            connection.query_row(digest, (), row).unwrap()
        };
        assert_eq!(of(ours), of(&self.plain));
    }
}

const SCHEMA: &str = "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c UNIQUE); CREATE INDEX t_b ON t(b);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800)
     INSERT INTO t SELECT i, hex(zeroblob(i % 700)) || i, i FROM n;";

#[test]
fn savepoints_within_savepoints_are_undone_after_their_pages_were_written() {
    let pair = Pair::new(SCHEMA);
    pair.session.1.allow_write(true);
    pair.run("BEGIN; UPDATE t SET b = 'one' || b WHERE a % 2 = 0; SAVEPOINT x");
    pair.run("DELETE FROM t WHERE a % 3 = 0; SAVEPOINT y");
    pair.run("INSERT INTO t SELECT a + 1000, hex(zeroblob(900)), c + 1000 FROM t; SAVEPOINT z");
    pair.run("UPDATE t SET b = hex(zeroblob(1200)); CREATE TABLE u AS SELECT * FROM t");
    pair.run("ROLLBACK TO z");
    pair.run("DELETE FROM t WHERE a > 1500; RELEASE z");
    pair.run("ROLLBACK TO y; ROLLBACK TO y");
    pair.run("UPDATE t SET b = b || 'two' WHERE a % 5 = 0");
    pair.run("ROLLBACK TO x");
    pair.run("UPDATE t SET b = 'three' || b WHERE a % 7 = 0; RELEASE x");
    pair.commit("COMMIT");
    pair.database.check(&pair.session.0);
}

#[test]
fn a_statement_that_fails_late_takes_back_what_was_written_already() {
    let pair = Pair::new(SCHEMA);
    let fails = "INSERT INTO t SELECT a + 1000, hex(zeroblob(1500)), CASE a WHEN 790 THEN 1 ELSE a + 1000 END FROM t ORDER BY a";
    pair.commit(fails);
    pair.session.1.allow_write(true);
    pair.run("BEGIN; UPDATE t SET b = b || '.'");
    pair.run(fails);
    pair.run("SAVEPOINT s");
    pair.run("UPDATE t SET b = b || '!', c = CASE a WHEN 795 THEN 5 ELSE c END");
    pair.run(fails);
    pair.run("ROLLBACK TO s; DELETE FROM t WHERE a % 9 = 0");
    // This one gives up the whole transaction.
    pair.run("INSERT OR ROLLBACK INTO t VALUES (1, 'again', 1)");
    pair.session.1.allow_write(false);
    assert!(pair.session.1.take_write_set().is_none());
    pair.commit("DELETE FROM t WHERE a > 400");
    pair.database.check(&pair.session.0);
}

#[test]
fn a_transaction_that_was_written_and_rolled_back_leaves_nothing() {
    let pair = Pair::new(SCHEMA);
    for round in 0..5 {
        pair.session.1.allow_write(true);
        pair.run(&format!(
            "BEGIN; UPDATE t SET b = hex(zeroblob(1000 + {round})); DROP INDEX t_b; DELETE FROM t WHERE a > {round};
             INSERT INTO t SELECT a + 5000, b, c + 5000 FROM t; ROLLBACK"
        ));
        assert!(pair.session.1.take_write_set().is_none());
        pair.session.1.allow_write(false);
        pair.commit("UPDATE t SET b = b || '-' WHERE a % 100 = 1");
    }
    pair.database.check(&pair.session.0);
}
