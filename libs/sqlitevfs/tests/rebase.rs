//! Private transactions whose pages are brought onto a newer commit: the database is what plain SQLite makes of the same
//! statements one after the other, and it is sound.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Database, Session};
use pagestore::CommitNumber;
use proptest::prelude::*;
use rusqlite::Connection;
use sqlitevfs::WriteMode;

const SCHEMA: &str = "CREATE TABLE t(id INTEGER PRIMARY KEY, v);
     CREATE TABLE u(id INTEGER PRIMARY KEY, v);
     CREATE INDEX of_u ON u(v);
     WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
     INSERT INTO t SELECT i, hex(zeroblob(i % 20)) FROM n;
     WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
     INSERT INTO u SELECT i, hex(zeroblob(i % 20)) FROM n";

/// One transaction of a session whose rows are nobody else's: those whose number has this remainder.
type Statements = Vec<(u8, i64, u32)>;

fn texts(statements: &Statements, remainder: i64) -> Vec<String> {
    statements
        .iter()
        .map(|(kind, id, size)| {
            let id = id * 3 + remainder;
            let table = if kind % 4 == 0 { "u" } else { "t" };
            match kind / 4 {
                0 => format!("UPDATE {table} SET v = hex(zeroblob({size})) WHERE id = {id}"),
                // The length stays.
                1 => format!("UPDATE {table} SET v = replace(v, '00', 'AB') WHERE id = {id}"),
                2 => format!("DELETE FROM {table} WHERE id = {id}"),
                _ => format!(
                    "INSERT OR IGNORE INTO {table} VALUES ({id}, hex(zeroblob({size} % 40)))"
                ),
            }
        })
        .collect()
}

fn statements() -> impl Strategy<Value = Statements> {
    let size = prop_oneof![8 => 0..30_u32, 1 => 30..3000_u32];
    prop::collection::vec((0..20_u8, 0..80_i64, size), 1..4)
}

struct Run {
    database: Database,
    plain: Connection,
    sessions: [Session; 2],
    reader: Session,
    reshaped: CommitNumber,
}

impl Run {
    fn new() -> Self {
        let database = Database::new();
        let sessions = [database.connect(), database.connect()];
        let reader = database.connect();
        database.run(&sessions[0], SCHEMA);
        let plain = Connection::open_in_memory().unwrap();
        plain.execute_batch(SCHEMA).unwrap();
        let reshaped = database.store.latest().0;
        Self {
            database,
            plain,
            sessions,
            reader,
            reshaped,
        }
    }

    fn commit_with_permit(&mut self, session: usize, texts: &[String]) {
        let (connection, handle) = &self.sessions[session];
        let before = self.database.store.snapshot_latest();
        handle.allow_write(true);
        let text = texts.join("; ");
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {text}; COMMIT"))
            .unwrap();
        if let Some(set) = handle.take_write_set() {
            let reshapes = set.reshapes(&before).unwrap();
            let commit = self.database.publish(set);
            if reshapes {
                self.reshaped = commit;
            }
        }
        handle.allow_write(false);
        self.plain.execute_batch(&text).unwrap();
    }

    fn run_private(&self, session: usize, texts: &[String]) {
        let (connection, handle) = &self.sessions[session];
        handle.set_write_mode(WriteMode::Offer);
        let text = texts.join("; ");
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {text}; COMMIT"))
            .unwrap();
    }

    /// Publishes what was run privately, or does it anew; whether the first.
    fn settle(&mut self, session: usize, texts: &[String]) -> bool {
        let (connection, handle) = &self.sessions[session];
        let newest = self.database.store.snapshot_latest();
        let seen = content(connection);
        let Some(offer) = handle.offer() else {
            handle.withdraw();
            self.plain.execute_batch(&texts.join("; ")).unwrap();
            return true;
        };
        let set = if self.reshaped > offer.base() {
            None
        } else {
            offer.onto(&newest).unwrap()
        };
        let Some(set) = set else {
            assert_eq!(content(connection), seen, "what is offered stays in sight");
            handle.withdraw();
            self.commit_with_permit(session, texts);
            return false;
        };
        let reshapes = set.reshapes(&newest).unwrap();
        handle.settle();
        handle.allow_write(false);
        let commit = self.database.publish(set);
        if reshapes {
            self.reshaped = commit;
        }
        self.plain.execute_batch(&texts.join("; ")).unwrap();
        true
    }

    fn check(&self) {
        let wanted = content(&self.plain);
        for (connection, _) in self.sessions.iter().chain([&self.reader]) {
            assert_eq!(content(connection), wanted);
        }
        self.database.check(&self.reader.0);
    }
}

fn content(connection: &Connection) -> String {
    let all = "SELECT group_concat(id || ':' || v) FROM (SELECT * FROM t ORDER BY id)
        UNION ALL SELECT group_concat(id || ':' || v) FROM (SELECT * FROM u ORDER BY id)";
    let mut statement = connection.prepare_cached(all).unwrap();
    let rows = statement.query_map((), |row| row.get::<_, Option<String>>(0));
    let rows: Vec<_> = rows.unwrap().map(|row| row.unwrap()).collect();
    format!("{rows:?}")
}

static MERGED: AtomicUsize = AtomicUsize::new(0);
static REFUSED: AtomicUsize = AtomicUsize::new(0);

fn play(rounds: &[(Statements, Statements, Vec<Statements>, bool)]) {
    let mut run = Run::new();
    for (first, second, others, checkpoint) in rounds {
        let (first, second) = (texts(first, 0), texts(second, 1));
        run.run_private(0, &first);
        // The third session's rows are written with the permit, by the second connection before it begins.
        for other in others {
            run.commit_with_permit(1, &texts(other, 2));
        }
        run.run_private(1, &second);
        if *checkpoint {
            run.database.store.checkpoint(&|_| ()).unwrap();
        }
        for (session, texts) in [(1, &second), (0, &first)] {
            let merged = run.settle(session, texts);
            let counter = if merged { &MERGED } else { &REFUSED };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        run.check();
    }
}

#[test]
fn what_two_have_changed_at_once_is_what_sqlite_makes_of_both_in_turn() {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = ProptestConfig {
        cases: cases.unwrap_or(150),
        ..ProptestConfig::default()
    };
    let round = (
        statements(),
        statements(),
        prop::collection::vec(statements(), 0..3),
        any::<bool>(),
    );
    proptest!(config, |(rounds in prop::collection::vec(round, 1..12))| play(&rounds));
    let (merged, refused) = (
        MERGED.load(Ordering::Relaxed),
        REFUSED.load(Ordering::Relaxed),
    );
    // Small tables: most rows share their leaf with others.
    assert!(
        merged > refused && refused > 0,
        "{merged} merged, {refused} not"
    );
}

/// SQLite adds a leaf behind the last one without a change to that one, which another transaction may have
/// found room in meanwhile: what the pages above say of it would be wrong.
#[test]
fn a_leaf_that_is_added_behind_the_last_one_is_not_brought_over_a_row_that_went_into_that() {
    let mut run = Run::new();
    let mut merged = 0;
    for next in 0..60 {
        let id = 200 + 10 * next;
        run.commit_with_permit(
            1,
            &[format!("INSERT INTO t VALUES ({id}, hex(zeroblob(20)))")],
        );
        let large = [format!(
            "INSERT INTO t VALUES ({}, hex(zeroblob(1200)))",
            id + 1
        )];
        let small = [format!("INSERT INTO t VALUES ({}, 'x')", id + 2)];
        run.run_private(0, &large);
        run.run_private(1, &small);
        for (session, texts) in [(1, &small), (0, &large)] {
            merged += usize::from(run.settle(session, texts));
        }
        run.check();
    }
    assert!(merged > 0, "the test has met what it is about");
}

#[test]
fn the_cache_of_a_connection_forgets_what_it_has_withdrawn() {
    let run = Run::new();
    // The commit of another has the change counter that the offered one had.
    run.run_private(0, &["UPDATE t SET v = 'offered' WHERE id = 3".to_owned()]);
    run.database
        .run(&run.sessions[1], "UPDATE t SET v = 'kept' WHERE id = 4");
    run.sessions[0].1.withdraw();
    run.sessions[0].1.allow_write(false);
    let value = |id: i64| -> String {
        let (connection, _) = &run.sessions[0];
        let sql = "SELECT v FROM t WHERE id = ?1";
        connection.query_row(sql, [id], |row| row.get(0)).unwrap()
    };
    assert_eq!(value(3), "000000");
    assert_eq!(value(4), "kept");
}
