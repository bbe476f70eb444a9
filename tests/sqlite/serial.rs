//! Sessions that write at the same time, in SERIALIZABLE blocks: what has committed is what plain SQLite
//! gives when it runs the same transactions one after the other.

use std::thread;

use dbtests::{Client, Cluster};
use rusqlite::Connection;

use crate::generator::{Generator, SCHEMA, Sql};
use crate::pair::{Answer, content, fresh, ours, plain, refused};
use crate::random::{Random, seeds};

const WORKERS: usize = 4;
/// Blocks of each worker.
const BLOCKS: usize = 25;

/// What a session was told in a block that has committed.
#[derive(Debug)]
struct Told {
    worker: usize,
    block: usize,
    /// Each change with its answer; a read counts when the block has written before.
    answers: Vec<(Sql, Answer)>,
}

/// The place in the order of commits: a row that each block writes last.
fn sign(worker: usize, block: usize) -> Sql {
    Sql::new(format!(
        "INSERT INTO log (id, what, old, new) SELECT coalesce(max(id), 0) + 1, 'commit', {worker}, {block} FROM log"
    ))
}

/// One block; `None` when it was refused and rolled back.
fn block(client: &Client, random: &mut Random, (worker, block): (usize, usize)) -> Option<Told> {
    let mut answers = Vec::new();
    client.run("BEGIN ISOLATION LEVEL SERIALIZABLE");
    let mut wrote = false;
    for _ in 0..=random.below(4) {
        let reads = random.one_in(4);
        let sql = if reads {
            Generator(random).query()
        } else {
            Generator(random).change()
        };
        match ours(client, &sql) {
            Ok(answer) => {
                wrote |= sql.is_change();
                if wrote {
                    answers.push((sql, answer));
                }
            }
            Err(refusal) => return give_up(client, &refused(&refusal), &refusal.code),
        }
        if random.one_in(3) {
            thread::yield_now();
        }
    }
    let last = sign(worker, block);
    match ours(client, &last) {
        Ok(answer) => answers.push((last, answer)),
        Err(refusal) => return give_up(client, &refused(&refusal), &refusal.code),
    }
    match ours(client, &Sql::new("COMMIT")) {
        Ok(_) => Some(Told {
            worker,
            block,
            answers,
        }),
        Err(refusal) => give_up(client, &refused(&refusal), &refusal.code),
    }
}

/// A refusal ends the block: a constraint, or that others were faster.
fn give_up(client: &Client, answer: &Answer, code: &str) -> Option<Told> {
    assert!(
        *answer != Answer::Refused(None) || matches!(code, "40001" | "40P01"),
        "{code}"
    );
    client.run("ROLLBACK");
    None
}

fn work(client: &Client, seed: u64, worker: usize) -> Vec<Told> {
    let mut random = Random::new(seed * 100 + worker as u64);
    (0..BLOCKS)
        .filter_map(|number| block(client, &mut random, (worker, number)))
        .collect()
}

/// Runs the blocks in plain SQLite in the order in which they have committed.
fn replay(told: &[Told], order: &[(usize, usize)], seed: u64) -> Connection {
    let connection = fresh();
    for place in order {
        let block = told.iter().find(|told| (told.worker, told.block) == *place);
        let block = block.unwrap_or_else(|| panic!("{place:?} committed and was not told so"));
        connection.execute_batch("BEGIN").expect("no block is open");
        for (sql, answer) in &block.answers {
            let now = plain(&connection, sql);
            assert_eq!(
                now,
                *answer,
                "{} of {place:?}, ELOQDB_SEED={seed}",
                sql.ours()
            );
        }
        connection.execute_batch("COMMIT").expect("a block is open");
    }
    connection
}

#[test]
fn blocks_of_concurrent_sessions_are_what_plain_sqlite_gives_one_after_the_other() {
    let cluster = Cluster::start();
    let mut conflicts = 0;
    for seed in seeds(6) {
        let database = format!("c{seed}");
        cluster
            .master
            .sql("system", &format!("CREATE DATABASE {database}"));
        let client = cluster.master.client(&database);
        for sql in SCHEMA {
            client.run(sql);
        }
        let told: Vec<Told> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let client = cluster.master.client(&database);
                    scope.spawn(move || work(&client, seed, worker))
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("a worker"))
                .collect()
        });
        let number = |text: &String| text.parse().expect("a number");
        let order: Vec<(usize, usize)> = client
            .rows("SELECT old, new FROM log WHERE what = 'commit' ORDER BY id")
            .iter()
            .map(|row| (number(&row[0]), number(&row[1])))
            .collect();
        assert_eq!(order.len(), told.len(), "ELOQDB_SEED={seed}");
        conflicts += WORKERS * BLOCKS - told.len();
        let serial = replay(&told, &order, seed);
        let on_server = content(|sql| ours(&client, sql).unwrap_or_else(|r| refused(&r)));
        assert_eq!(
            on_server,
            content(|sql| plain(&serial, sql)),
            "ELOQDB_SEED={seed}"
        );
    }
    assert!(
        conflicts > 0,
        "nothing was ever refused: the sessions did not meet"
    );
    cluster.synchronize();
    cluster.compare();
}
