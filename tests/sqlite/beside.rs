//! READ COMMITTED blocks of sessions beside each other: what was added by those that have committed is there, once, and
//! nothing else; no COMMIT fails because others were faster.

use std::collections::BTreeMap;
use std::thread;

use dbtests::{Client, Cluster};

use crate::random::{Random, seeds};

const WORKERS: u64 = 4;
/// Blocks of each worker.
const BLOCKS: usize = 40;
const COUNTERS: u64 = 4;
const KEYS: u64 = 60;
const SCHEMA: &str = "CREATE TABLE counter (id int PRIMARY KEY, n bigint NOT NULL);
     CREATE TABLE item (key text UNIQUE, counter int REFERENCES counter (id), by int NOT NULL);
     INSERT INTO counter SELECT i, 0 FROM generate_series(0, 3) AS i;";

/// What a block has done, if it has committed.
#[derive(Debug, Default, Clone)]
struct Done {
    added: BTreeMap<u64, i64>,
    keys: Vec<String>,
}

impl Done {
    fn add(&mut self, counter: u64, amount: i64) {
        *self.added.entry(counter).or_default() += amount;
    }
}

/// Runs one step; an error is one that a block may meet.
fn step(client: &Client, random: &mut Random, worker: u64, done: &mut Done) -> Result<(), String> {
    let run = |sql: &str| {
        client.try_rows(sql).map_err(|error| {
            let refusal = dbtests::client::Refusal::of(&error);
            refusal.unwrap_or_else(|| panic!("{sql}: {error}")).code
        })
    };
    let counter = random.below(COUNTERS);
    let amount = 1 + i64::try_from(random.below(9)).expect("a small number");
    match random.below(6) {
        0 => {
            run(&format!(
                "UPDATE counter SET n = n + {amount} WHERE id = {counter}"
            ))?;
            done.add(counter, amount);
        }
        1 => {
            let sql =
                format!("UPDATE counter SET n = n + {amount} WHERE id = {counter} RETURNING n");
            assert_eq!(run(&sql)?.len(), 1);
            done.add(counter, amount);
        }
        2 => {
            // Right only if nobody changes the row between the two.
            let sql = format!("SELECT n FROM counter WHERE id = {counter} FOR UPDATE");
            let rows = run(&sql)?;
            let n: i64 = rows[0][0]
                .as_deref()
                .expect("a value")
                .parse()
                .expect("a number");
            run(&format!(
                "UPDATE counter SET n = {} WHERE id = {counter}",
                n + amount
            ))?;
            done.add(counter, amount);
        }
        3 => {
            run("UPDATE counter SET n = n + 1 WHERE n % 2 = 0 OR n % 2 <> 0")?;
            (0..COUNTERS).for_each(|counter| done.add(counter, 1));
        }
        4 => {
            let key = format!("k{}", random.below(KEYS));
            run(&format!(
                "INSERT INTO item VALUES ('{key}', {counter}, {worker})"
            ))?;
            done.keys.push(key);
        }
        _ => {
            run("SELECT sum(n), (SELECT count(*) FROM item) FROM counter")?;
        }
    }
    Ok(())
}

/// One block; `None` when it was refused and rolled back.
fn block(client: &Client, random: &mut Random, worker: u64) -> Option<Done> {
    let mut done = Done::default();
    client.run("BEGIN");
    let mut saved: Option<Done> = None;
    for _ in 0..=random.below(5) {
        if saved.is_none() && random.one_in(4) {
            client.run("SAVEPOINT s");
            saved = Some(done.clone());
        }
        if let Err(code) = step(client, random, worker, &mut done) {
            assert!(matches!(code.as_str(), "23505" | "40P01"), "{code}");
            let Some(back) = saved.clone() else {
                client.run("ROLLBACK");
                return None;
            };
            client.run("ROLLBACK TO s");
            done = back;
        }
        if random.one_in(3) {
            thread::yield_now();
        }
    }
    if random.one_in(6) {
        client.run("ROLLBACK");
        return None;
    }
    client.run("COMMIT");
    Some(done)
}

#[test]
fn what_read_committed_blocks_have_added_is_there() {
    let cluster = Cluster::start();
    for seed in seeds(4) {
        let database = format!("b{seed}");
        cluster
            .master
            .sql("system", &format!("CREATE DATABASE {database}"));
        let judge = cluster.master.client(&database);
        judge.run(SCHEMA);
        let done: Vec<Done> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let client = cluster.master.client(&database);
                    scope.spawn(move || {
                        let mut random = Random::new(seed * 100 + worker);
                        (0..BLOCKS)
                            .filter_map(|_| block(&client, &mut random, worker))
                            .collect::<Vec<Done>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("a worker"))
                .collect()
        });
        assert!(done.len() > BLOCKS, "{} blocks have committed", done.len());
        for counter in 0..COUNTERS {
            let added: i64 = done
                .iter()
                .filter_map(|done| done.added.get(&counter))
                .sum();
            let there = judge.value(&format!("SELECT n FROM counter WHERE id = {counter}"));
            assert_eq!(
                there,
                added.to_string(),
                "counter {counter}, ELOQDB_SEED={seed}"
            );
        }
        let mut keys: Vec<String> = done.iter().flat_map(|done| done.keys.clone()).collect();
        keys.sort();
        let there = judge.rows("SELECT key FROM item ORDER BY key");
        let there: Vec<String> = there.into_iter().flatten().collect();
        assert_eq!(there, keys, "ELOQDB_SEED={seed}");
    }
    cluster.synchronize();
    cluster.compare();
}
