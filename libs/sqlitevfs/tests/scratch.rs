//! A disk of scratch files that fails at any one operation: the transaction fails as a whole, the
//! database is as it was, and the connection is fit for the next one.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use disk::testing::{Fault, SimulatedDisk};
use pagestore::{CommitNumber, Horizon, PageStore, StoreOptions};
use rusqlite::{Connection, ErrorCode};
use sqlitevfs::{FileHandle, OpenOptions};

const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)";

/// More before-images than the journal keeps in memory, more pages than the write set does.
const STATEMENTS: [&str; 7] = [
    "BEGIN IMMEDIATE",
    "UPDATE t SET b = hex(zeroblob(600)) || a",
    "SAVEPOINT s",
    "DELETE FROM t WHERE a % 3 = 0",
    "ROLLBACK TO s",
    "INSERT INTO t SELECT a + 2000, b FROM t WHERE a % 2 = 0",
    "COMMIT",
];

struct Bench {
    disk: SimulatedDisk,
    store: Arc<PageStore>,
    session: (Connection, FileHandle),
}

impl Bench {
    fn new() -> Self {
        let disk = SimulatedDisk::new(7);
        let process = disk.process();
        for directory in ["/data", "/scratch"] {
            let made = process.disk().make_directory(Path::new(directory), 0o700);
            made.unwrap();
        }
        let options = StoreOptions {
            disk: process.disk(),
            scratch_dir: "/scratch".into(),
            database: 1,
            pinned_limit: 0,
        };
        let horizon = Horizon::new(CommitNumber::ZERO);
        let store = PageStore::create(Path::new("/data/main.db"), horizon, options).unwrap();
        let options = OpenOptions {
            scratch_dir: "/scratch".into(),
            write_set_limit: 40 << 10,
            cache_kib: 40,
        };
        let session = sqlitevfs::open(&store, options).unwrap();
        let bench = Self {
            disk,
            store,
            session,
        };
        let (connection, handle) = &bench.session;
        handle.allow_write(true);
        let fill = format!("{ROWS} INSERT INTO t SELECT i, hex(zeroblob(500)) FROM n");
        let schema = "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE INDEX i ON t(b)";
        connection
            .execute_batch(&format!("{schema}; {fill}"))
            .unwrap();
        bench.publish();
        bench.store.checkpoint(&|_| ()).unwrap();
        bench
    }

    fn publish(&self) {
        let set = self.session.1.take_write_set().unwrap();
        let commit = CommitNumber::new(self.store.latest().0.get() + 1);
        self.store.publish(commit, set.page_count, set.pages);
        self.store.horizon().advance(commit);
        self.session.1.allow_write(false);
    }

    fn content(&self) -> (i64, i64, String) {
        let sql = "SELECT count(*), sum(length(b)), max(b) FROM t";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.session.0.query_row(sql, (), row).unwrap()
    }

    /// The transaction with a fault; whether it went through.
    fn attempt(&self, fault: Fault, kind: ErrorKind) -> bool {
        let before = self.content();
        let (connection, handle) = &self.session;
        handle.allow_write(true);
        self.disk.fail(fault);
        let result = STATEMENTS
            .iter()
            .try_for_each(|sql| connection.execute_batch(sql));
        let failed = result.err().map(|error| error.sqlite_error_code());
        if !connection.is_autocommit() {
            // SQLite may have given up the transaction by itself, or leave that to the session.
            let _given_up = connection.execute_batch("ROLLBACK");
        }
        self.disk.mend();
        assert!(connection.is_autocommit());
        let Some(code) = failed else {
            return true;
        };
        let expected = match kind {
            ErrorKind::StorageFull => ErrorCode::DiskFull,
            _ => ErrorCode::SystemIoFailure,
        };
        assert!(
            matches!(code, Some(code) if code == expected || code == ErrorCode::OperationAborted),
            "{code:?}"
        );
        let why = handle.take_error().unwrap();
        assert_eq!(why.is_disk_full(), kind == ErrorKind::StorageFull, "{why}");
        assert!(handle.take_write_set().is_none());
        handle.allow_write(false);
        assert_eq!(self.content(), before);
        false
    }
}

#[test]
fn a_scratch_file_that_fails_at_any_operation_costs_the_transaction_and_nothing_else() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        for lasting in [false, true] {
            let bench = Bench::new();
            let (mut at, mut failures) = (0, 0);
            loop {
                let fault = Fault::after(at).under("/scratch").with(kind);
                let fault = if lasting {
                    fault.and_all_later()
                } else {
                    fault
                };
                if bench.attempt(fault, kind) {
                    break;
                }
                failures += 1;
                // All of the first ones, later some.
                at += 1 + at / 4;
            }
            assert!(failures > 15, "{failures} failures, {at} operations");
            bench.publish();
            assert_eq!(bench.content().0, 1800);
            let check = "PRAGMA integrity_check";
            let result: String = bench
                .session
                .0
                .query_row(check, (), |row| row.get(0))
                .unwrap();
            assert_eq!(result, "ok");
        }
    }
}
