//! Random statements through the shim give what they give in plain SQLite: results, errors and the
//! content of every table. Two connections write in turn, others hold old snapshots, checkpoints
//! run in between.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fmt::Write as _;

use common::{Database, Session};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use sqlitevfs::WriteMode;

const TABLES: [&str; 3] = ["t0", "t1", "t2"];

/// Something done to both databases.
#[derive(Clone, Debug)]
enum Step {
    /// Autocommit.
    Statement(String),
    /// In a transaction of several statements; the last part says how it ends.
    Transaction(Vec<String>, bool),
    /// In a transaction of the other connection that has no permit and is rolled back.
    Private(Vec<String>),
    /// The other connection writes from now on.
    Turn,
    Checkpoint,
    Vacuum,
    /// A reader takes a snapshot and keeps it.
    Pin,
    Unpin,
}

fn statement() -> impl Strategy<Value = String> {
    let table = prop::sample::select(TABLES.to_vec());
    let id = 0..60_i64;
    let size = prop_oneof![4 => 0..200_u32, 2 => 200..4000_u32, 1 => 4000..40_000_u32];
    (table, id, size, 0..16_u8).prop_map(|(table, id, size, kind)| match kind {
        0..=3 => format!("INSERT INTO {table}(id, v) VALUES ({id}, zeroblob({size}))"),
        4 => format!(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {id})
             INSERT OR REPLACE INTO {table}(id, v) SELECT i * 3, hex(zeroblob({size} % 500)) FROM n"
        ),
        5 => format!("UPDATE {table} SET v = hex(zeroblob({size} % 3000)) WHERE id < {id}"),
        6 => format!("UPDATE {table} SET id = id + 1 WHERE id > {id}"),
        7 => format!("DELETE FROM {table} WHERE id % 7 = {id} % 7"),
        8 => format!("DELETE FROM {table}"),
        9 => format!("CREATE TABLE IF NOT EXISTS {table}(id INTEGER PRIMARY KEY, v NOT NULL)"),
        10 => format!("CREATE INDEX i{id} ON {table}(v, id)"),
        11 => format!("DROP INDEX IF EXISTS i{id}"),
        12 => format!("DROP TABLE {table}"),
        13 => format!("ALTER TABLE {table} ADD COLUMN c{id} DEFAULT {size}"),
        // Fails in the middle: the statement journal takes back what it did.
        14 => format!("INSERT INTO {table}(id, v) SELECT id + 1000, NULLIF(id, {id}) FROM {table}"),
        _ => format!("INSERT INTO {table}(id, v) VALUES ({id}, 1), ({id} + 1, 2), ({id}, 3)"),
    })
}

fn in_transaction() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => statement(),
        1 => Just("SAVEPOINT s".to_owned()),
        1 => Just("ROLLBACK TO s".to_owned()),
        1 => Just("RELEASE s".to_owned()),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let transaction = (prop::collection::vec(in_transaction(), 1..8), any::<bool>());
    let private = prop::collection::vec(in_transaction(), 1..8);
    let step = prop_oneof![
        2 => private.prop_map(Step::Private),
        10 => statement().prop_map(Step::Statement),
        6 => transaction.prop_map(|(statements, commit)| Step::Transaction(statements, commit)),
        3 => Just(Step::Turn),
        2 => Just(Step::Checkpoint),
        1 => Just(Step::Vacuum),
        2 => Just(Step::Pin),
        2 => Just(Step::Unpin),
    ];
    prop::collection::vec(step, 1..60)
}

/// What a statement answered: changed rows or the error.
fn run(connection: &Connection, sql: &str) -> Result<usize, String> {
    let changed = connection
        .execute(sql, ())
        .map_err(|error| error.to_string())?;
    // Other statements answer what an earlier one of the same connection changed.
    let changes = ["INSERT", "UPDATE", "DELETE", "WITH"]
        .iter()
        .any(|word| sql.starts_with(word));
    Ok(if changes { changed } else { 0 })
}

/// All that is in a database, as text.
fn content(connection: &Connection) -> String {
    let mut text = String::new();
    let mut schema = connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")
        .unwrap();
    let entries: Vec<(String, Option<String>)> = schema
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (name, sql) in entries {
        writeln!(text, "{name}: {sql:?}").unwrap();
        if !TABLES.contains(&name.as_str()) {
            continue;
        }
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name} ORDER BY id"))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get(column).unwrap() {
                    Value::Blob(bytes) => write!(text, "{} zeros,", bytes.len()).unwrap(),
                    Value::Text(value) => write!(text, "{} text,", value.len()).unwrap(),
                    value => write!(text, "{value:?},").unwrap(),
                }
            }
            text.push('\n');
        }
    }
    text
}

struct Pair {
    database: Database,
    writers: [Session; 2],
    turn: usize,
    reader: Session,
    /// What the reader must see while it is pinned.
    pinned: Option<String>,
    plain: Connection,
}

impl Pair {
    fn new() -> Self {
        let database = Database::new();
        // A cache of ten pages spills in the middle of transactions, a small write set too.
        let connect = || database.connect_with(64 << 10, 40);
        let (writers, reader) = ([connect(), connect()], connect());
        let plain = Connection::open_in_memory().unwrap();
        Self {
            database,
            writers,
            turn: 0,
            reader,
            pinned: None,
            plain,
        }
    }

    fn writer(&self) -> &Session {
        &self.writers[self.turn]
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Statement(sql) => self.write(&[sql]),
            Step::Transaction(statements, commit) => {
                let end = if commit { "COMMIT" } else { "ROLLBACK" };
                let mut all = vec!["BEGIN".to_owned()];
                all.extend(statements);
                all.push(end.to_owned());
                self.write(&all);
            }
            Step::Private(statements) => self.try_out(&statements),
            Step::Vacuum => self.write(&["VACUUM".to_owned()]),
            Step::Turn => self.turn = 1 - self.turn,
            Step::Checkpoint => {
                self.database.store.checkpoint(&|_| ()).unwrap();
            }
            Step::Pin => {
                self.reader
                    .1
                    .pin_snapshot(Some(self.database.store.snapshot_durable()));
                self.pinned = Some(content(&self.plain));
            }
            Step::Unpin => {
                self.reader.1.pin_snapshot(None);
                self.pinned = None;
            }
        }
    }

    /// Runs the statements in both; they belong to one transaction or are one statement.
    fn write(&self, statements: &[String]) {
        let (connection, handle) = self.writer();
        handle.allow_write(true);
        for sql in statements {
            assert_eq!(run(connection, sql), run(&self.plain, sql), "{sql}");
        }
        assert!(connection.is_autocommit() && self.plain.is_autocommit());
        if let Some(set) = handle.take_write_set() {
            self.database.publish(set);
        }
        handle.allow_write(false);
    }

    /// Runs the statements in both and takes them back.
    fn try_out(&self, statements: &[String]) {
        let (connection, handle) = &self.writers[1 - self.turn];
        handle.set_write_mode(WriteMode::Private);
        connection.execute_batch("BEGIN").unwrap();
        self.plain.execute_batch("BEGIN").unwrap();
        for sql in statements {
            assert_eq!(run(connection, sql), run(&self.plain, sql), "{sql}");
        }
        let inside = (content(connection), content(&self.plain));
        assert_eq!(inside.0, inside.1);
        connection.execute_batch("ROLLBACK").unwrap();
        self.plain.execute_batch("ROLLBACK").unwrap();
        assert!(handle.take_write_set().is_none());
        handle.allow_write(false);
    }

    fn check(&self) {
        let expected = content(&self.plain);
        assert_eq!(content(&self.writers[1 - self.turn].0), expected);
        assert_eq!(
            content(&self.reader.0),
            *self.pinned.as_ref().unwrap_or(&expected)
        );
    }

    fn finish(self) {
        let expected = content(&self.plain);
        self.database.check(&self.writer().0);
        let file = Connection::open(self.database.store.path()).unwrap();
        assert_eq!(content(&file), expected);
    }
}

proptest! {
    #[test]
    fn random_statements_answer_what_plain_sqlite_answers(steps in steps()) {
        let mut pair = Pair::new();
        pair.write(&["CREATE TABLE t0(id INTEGER PRIMARY KEY, v NOT NULL)".to_owned()]);
        for step in steps {
            pair.step(step);
            pair.check();
        }
        pair.finish();
    }
}
