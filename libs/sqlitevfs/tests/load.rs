//! Much at once: large transactions, large databases, many threads.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::Database;
use rusqlite::Connection;

fn count(connection: &Connection) -> i64 {
    connection
        .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
        .unwrap()
}

#[test]
fn a_large_transaction_spills_pages_and_journal_and_comes_out_right() {
    let database = Database::new();
    let writer = database.connect_with(256 << 10, 100);
    database.run(&writer, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)";
    database.run(
        &writer,
        &format!("{rows} INSERT INTO t SELECT i, randomblob(1500) FROM n"),
    );
    database.store.checkpoint(&|_| ()).unwrap();
    let sum = "SELECT sum(length(b)) FROM t";
    let before: i64 = writer.0.query_row(sum, (), |row| row.get(0)).unwrap();
    // Rolled back: the journal has more than fits into memory.
    writer.1.allow_write(true);
    writer
        .0
        .execute_batch("BEGIN; UPDATE t SET b = randomblob(1400); ROLLBACK")
        .unwrap();
    assert_eq!(
        writer
            .0
            .query_row(sum, (), |row| row.get::<_, i64>(0))
            .unwrap(),
        before
    );
    writer
        .0
        .execute_batch("UPDATE t SET b = randomblob(1400)")
        .unwrap();
    let set = writer.1.take_write_set().unwrap();
    let in_memory = set
        .pages
        .iter()
        .filter(|e| e.1.in_memory().is_some())
        .count();
    assert!(
        in_memory <= 64 && set.pages.len() > 1000,
        "{in_memory} of {}",
        set.pages.len()
    );
    assert!(set.pages.is_sorted_by(|a, b| a.0 < b.0));
    database.publish(set);
    writer.1.allow_write(false);
    assert_eq!(
        writer
            .0
            .query_row(sum, (), |row| row.get::<_, i64>(0))
            .unwrap(),
        3000 * 1400
    );
    database.check(&writer.0);
}

fn write_rounds(database: &Database, begin: &Barrier) {
    let writer = database.connect_with(16 << 20, 100);
    begin.wait();
    for turn in 0..600 {
        let insert = format!("INSERT INTO u VALUES ({turn}, zeroblob(9000), 1)");
        database.run(
            &writer,
            &format!("BEGIN; UPDATE t SET b = {turn}; {insert}; COMMIT"),
        );
        if turn % 40 == 39 {
            database.run(&writer, "DELETE FROM u; VACUUM");
        }
    }
}

#[test]
fn readers_on_other_threads_see_whole_transactions_while_writers_and_checkpoints_run() {
    let database = Database::new();
    let writer = database.connect_with(16 << 20, 100);
    database.run(
        &writer,
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b); CREATE TABLE u(a, b, c)",
    );
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)";
    database.run(&writer, &format!("{rows} INSERT INTO t SELECT i, 0 FROM n"));
    let (done, begin) = (AtomicBool::new(false), Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = database.connect_with(1 << 20, 100);
                begin.wait();
                while !done.load(Ordering::Relaxed) {
                    let spread = "SELECT max(b) - min(b) FROM t";
                    let spread: i64 = reader.0.query_row(spread, (), |row| row.get(0)).unwrap();
                    assert_eq!(spread, 0);
                }
            });
        }
        scope.spawn(|| {
            begin.wait();
            while !done.load(Ordering::Relaxed) {
                database.store.checkpoint(&|_| ()).unwrap();
            }
        });
        // In a thread of its own, so that the others end also when it fails.
        let work = scope.spawn(|| write_rounds(&database, &begin));
        let outcome = work.join();
        done.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    database.check(&writer.0);
}

#[test]
#[ignore = "writes 2 GiB to the temporary directory"]
fn a_database_beyond_one_gib_leaves_the_lock_page_alone() {
    let database = Database::new();
    let writer = database.connect_with(8 << 20, 4000);
    database.run(
        &writer,
        "CREATE TABLE t(a); INSERT INTO t VALUES (zeroblob(900000000))",
    );
    let lock_page = pagestore::LOCK_PAGE;
    writer.1.allow_write(true);
    writer
        .0
        .execute("INSERT INTO t VALUES (randomblob(200000000))", ())
        .unwrap();
    let set = writer.1.take_write_set().unwrap();
    assert!(set.page_count > lock_page.get());
    assert!(set.pages.iter().all(|(page, _)| *page != lock_page));
    database.publish(set);
    writer.1.allow_write(false);
    database.check(&writer.0);
    database.run(&writer, "DELETE FROM t WHERE length(a) = 900000000; VACUUM");
    assert_eq!(count(&writer.0), 1);
    database.check(&writer.0);
}
