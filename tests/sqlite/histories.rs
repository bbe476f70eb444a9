//! Random histories on a server and on plain SQLite. One session writes at a time, so that the
//! outcome is determined; others hold snapshots and read what was there when they began; a slave
//! follows.

use dbtests::{Client, Cluster, Follower, LONG, wait_for};
use rusqlite::Connection;

use crate::generator::{Generator, SCHEMA, Sql};
use crate::pair::{Answer, content, fresh, ours, plain, refused};
use crate::random::{Random, seeds};

/// Steps of a history.
const STEPS: usize = 90;

type Content = Vec<(&'static str, Answer)>;

/// A session that reads one snapshot.
struct Reader {
    client: Client,
    /// What it must see, while it has a snapshot.
    sees: Option<Content>,
}

struct History<'a> {
    random: &'a mut Random,
    writers: Vec<Client>,
    turn: usize,
    readers: Vec<Reader>,
    plain: Connection,
    /// Savepoints that are open; `None` outside of a block.
    savepoints: Option<Vec<String>>,
    /// For the report of a failure.
    statements: Vec<String>,
}

impl<'a> History<'a> {
    fn new(random: &'a mut Random, connect: impl Fn() -> Client) -> Self {
        let writers: Vec<Client> = (0..3).map(|_| connect()).collect();
        for sql in SCHEMA {
            writers[0].run(sql);
        }
        Self {
            random,
            writers,
            turn: 0,
            readers: (0..2)
                .map(|_| Reader {
                    client: connect(),
                    sees: None,
                })
                .collect(),
            plain: fresh(),
            savepoints: None,
            statements: Vec::new(),
        }
    }

    fn writer(&self) -> &Client {
        &self.writers[self.turn]
    }

    /// Runs a statement on both sides; they must answer the same.
    fn both(&mut self, sql: &Sql) -> bool {
        let text: String = sql.ours().chars().take(300).collect();
        self.statements.push(format!("{}: {text}", self.turn));
        let on_server = ours(self.writer(), sql);
        let reason = format!("{:?}", on_server.as_ref().err());
        let on_server = on_server.unwrap_or_else(|refusal| refused(&refusal));
        let in_plain = plain(&self.plain, sql);
        assert_eq!(on_server, in_plain, "{reason}\n{}", self.report());
        in_plain.is_done()
    }

    fn command(&mut self, text: &str) {
        assert!(self.both(&Sql::new(text)), "{}", self.report());
    }

    fn report(&self) -> String {
        format!(
            "the statements, by session:\n{}",
            self.statements.join("\n")
        )
    }

    fn step(&mut self) {
        match (self.random.below(20), &self.savepoints) {
            (0..=2, None) => {
                self.turn = usize::try_from(self.random.below(3)).expect("small");
                let begin = *self
                    .random
                    .pick(&["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"]);
                self.statements.push(format!("{}: {begin}", self.turn));
                self.writer().run(begin);
                self.plain.execute_batch("BEGIN").expect("no block is open");
                self.savepoints = Some(Vec::new());
            }
            (0..=1, Some(_)) => {
                let end = *self.random.pick(&["COMMIT", "COMMIT", "ROLLBACK"]);
                self.end(end);
            }
            (2..=3, Some(open)) => {
                // A name may stand for several; the newest counts.
                let name = format!("s{}", self.random.below(3));
                let mut open = open.clone();
                open.push(name.clone());
                self.command(&format!("SAVEPOINT {name}"));
                self.savepoints = Some(open);
            }
            (4..=5, Some(open)) if !open.is_empty() => {
                let open = open.clone();
                let release = self.random.one_in(3);
                self.back_to(&open, release);
            }
            (6, _) => self.take_snapshot(),
            (7, _) => self.look(),
            (8 | 9, _) => {
                let sql = Generator(self.random).definition();
                self.attempt(&sql);
            }
            (10..=12, _) => {
                let sql = Generator(self.random).query();
                self.attempt(&sql);
            }
            (13, None) => {
                let sql = *self
                    .random
                    .pick(&["VACUUM FULL", "ANALYZE", "CHECKPOINT", "VACUUM"]);
                self.statements.push(format!("{}: {sql}", self.turn));
                self.writer().run(sql);
            }
            _ => {
                let sql = Generator(self.random).change();
                self.attempt(&sql);
            }
        }
    }

    /// COMMIT or ROLLBACK. Where a deferred constraint refuses COMMIT, the server has rolled back.
    fn end(&mut self, end: &str) {
        if !self.both(&Sql::new(end)) {
            self.plain
                .execute_batch("ROLLBACK")
                .expect("a block is open");
        }
        self.savepoints = None;
    }

    /// ROLLBACK TO or RELEASE one of the open savepoints.
    fn back_to(&mut self, open: &[String], release: bool) {
        let name = self.random.pick(open).clone();
        let at = open
            .iter()
            .rposition(|known| *known == name)
            .expect("picked from there");
        let keep = if release { at } else { at + 1 };
        let what = if release {
            "RELEASE SAVEPOINT"
        } else {
            "ROLLBACK TO SAVEPOINT"
        };
        self.command(&format!("{what} {name}"));
        self.savepoints = Some(open[..keep].to_vec());
    }

    /// A statement that may fail. A block goes on only behind a savepoint then, or ends.
    fn attempt(&mut self, sql: &Sql) {
        if self.both(sql) {
            return;
        }
        let Some(open) = self.savepoints.clone() else {
            return;
        };
        let next = ours(self.writer(), &Sql::new("SELECT 1"));
        assert_eq!(
            next.map_err(|refusal| refusal.code),
            Err("25P02".to_owned()),
            "{}",
            self.report()
        );
        if open.is_empty() || self.random.one_in(3) {
            // COMMIT of a failed block is a ROLLBACK.
            let end = *self.random.pick(&["ROLLBACK", "COMMIT"]);
            self.statements.push(format!("{}: {end}", self.turn));
            self.writer().run(end);
            self.plain
                .execute_batch("ROLLBACK")
                .expect("a block is open");
            self.savepoints = None;
        } else {
            self.back_to(&open, false);
        }
    }

    /// What is committed, as plain SQLite has it: nothing while a block is open.
    fn committed(&self) -> Option<Content> {
        self.savepoints
            .is_none()
            .then(|| content(|sql| plain(&self.plain, sql)))
    }

    /// A reader begins, or ends and begins.
    fn take_snapshot(&mut self) {
        let Some(now) = self.committed() else {
            return;
        };
        let reader = usize::try_from(self.random.below(2)).expect("small");
        let reader = &mut self.readers[reader];
        if reader.sees.is_some() {
            reader.client.run("COMMIT");
        }
        reader.client.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
        reader.sees = Some(now);
        look(reader, &self.statements);
    }

    /// The readers still see what they saw; outside of blocks everybody sees what plain SQLite has.
    fn look(&mut self) {
        for reader in &self.readers {
            look(reader, &self.statements);
        }
        if let Some(now) = self.committed() {
            let other = &self.writers[(self.turn + 1) % 3];
            let seen = content(|sql| answer(other, sql));
            assert_eq!(seen, now, "{}", self.report());
        }
    }

    fn finish(mut self) -> Connection {
        if self.savepoints.is_some() {
            self.end("COMMIT");
        }
        self.look();
        self.plain
    }
}

fn answer(client: &Client, sql: &Sql) -> Answer {
    ours(client, sql).unwrap_or_else(|refusal| refused(&refusal))
}

fn look(reader: &Reader, statements: &[String]) {
    let Some(expected) = &reader.sees else {
        return;
    };
    for (table, expected) in expected {
        if expected.is_done() {
            let seen = answer(&reader.client, &Sql::new(format!("SELECT * FROM {table}")));
            assert_eq!(
                seen,
                *expected,
                "a snapshot of {table}\n{}",
                statements.join("\n")
            );
        }
    }
}

/// The slave, which has followed all the while, has what plain SQLite has.
fn slave_agrees(
    cluster: &Cluster,
    follower: &mut Follower,
    database: &str,
    plain_side: &Connection,
) {
    cluster.wait_for_slave(follower);
    let client = wait_for("the database on the slave", LONG, || {
        Client::connect(cluster.slave.address(), database, dbtests::PASSWORD).ok()
    });
    let seen = content(|sql| answer(&client, sql));
    assert_eq!(
        seen,
        content(|sql| plain(plain_side, sql)),
        "{database} on the slave"
    );
}

#[test]
fn random_histories_end_as_in_plain_sqlite_and_readers_keep_their_snapshots() {
    let cluster = Cluster::start();
    let mut follower = cluster.follow();
    for seed in seeds(12) {
        let database = format!("h{seed}");
        cluster
            .master
            .sql("system", &format!("CREATE DATABASE {database}"));
        let mut random = Random::new(seed);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut history = History::new(&mut random, || cluster.master.client(&database));
            for _ in 0..STEPS {
                history.step();
            }
            history.finish()
        }));
        let plain_side = outcome.unwrap_or_else(|_| panic!("again with ELOQDB_SEED={seed}"));
        slave_agrees(&cluster, &mut follower, &database, &plain_side);
    }
    follower.stop();
    cluster.compare();
}
