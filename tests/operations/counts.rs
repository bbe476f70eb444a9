//! What a small transaction costs in waits and in calls of the kernel.
//!
//! These do not depend on how fast the machine is, nor on the build: a wake-up too many, or a write
//! too many, shows here long before it shows in a time on a machine that others use, too.

use std::collections::BTreeMap;
use std::fs;

use dbtests::{Client, Cluster};

/// Over so many transactions an average is steady.
const TRANSACTIONS: i32 = 2000;

/// Waits of all threads (voluntary context switches), and calls that read and write files.
/// Sockets are read by calls of their own, which are not counted here.
#[derive(Debug, Default, Clone)]
struct Counts {
    waits: BTreeMap<String, u64>,
    reads: u64,
    writes: u64,
}

impl Counts {
    /// Of a process, from its start until now.
    fn of(pid: u32) -> Self {
        let calls = fs::read_to_string(format!("/proc/{pid}/io")).expect("the kernel's accounts");
        let mut counts = Self {
            reads: number(&calls, "syscr:"),
            writes: number(&calls, "syscw:"),
            ..Self::default()
        };
        for task in fs::read_dir(format!("/proc/{pid}/task")).expect("threads") {
            let task = task.expect("a thread");
            // A thread may end meanwhile.
            if let Ok(status) = fs::read_to_string(task.path().join("status")) {
                let name = task.file_name().to_string_lossy().into_owned();
                let waits = number(&status, "voluntary_ctxt_switches:");
                counts.waits.insert(name, waits);
            }
        }
        counts
    }

    /// Waits, reads and writes a transaction since then.
    fn since(&self, before: &Self) -> [f64; 3] {
        let waits: u64 = self
            .waits
            .iter()
            .map(|(task, now)| now - before.waits.get(task).unwrap_or(&0))
            .sum();
        [
            waits,
            self.reads - before.reads,
            self.writes - before.writes,
        ]
        .map(|count| f64::from(u32::try_from(count).expect("few")) / f64::from(TRANSACTIONS))
    }
}

fn number(text: &str, key: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
        .expect("a number")
}

fn transactions(client: &Client, count: i32) {
    let driver = client.driver();
    client.wait(async {
        let prepare = |sql| driver.prepare(sql);
        let begin = prepare("BEGIN").await.expect("prepared");
        let update = prepare("UPDATE accounts SET balance = balance + $1 WHERE id = $2")
            .await
            .expect("prepared");
        let insert = prepare("INSERT INTO history (account, delta) VALUES ($1, $2)")
            .await
            .expect("prepared");
        let commit = prepare("COMMIT").await.expect("prepared");
        for number in 0..count {
            let account = number % 1000 + 1;
            driver.execute(&begin, &[]).await.expect("begun");
            driver
                .execute(&update, &[&number, &account])
                .await
                .expect("updated");
            driver
                .execute(&insert, &[&account, &number])
                .await
                .expect("inserted");
            driver.execute(&commit, &[]).await.expect("committed");
        }
    });
}

#[test]
fn a_small_transaction_takes_no_more_waits_and_calls_than_it_did() {
    let mut cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql(
        "shop",
        "CREATE TABLE accounts (id int PRIMARY KEY, balance int);
         CREATE TABLE history (id serial PRIMARY KEY, account int, delta int);
         INSERT INTO accounts SELECT number, 0 FROM generate_series(1, 1000) AS number",
    );
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let client = cluster.master.client("shop");
    // What is made once is made before.
    transactions(&client, TRANSACTIONS / 10);
    cluster.wait_for_slave(&mut follower);

    let pids = [
        cluster.master.process().pid(),
        follower.process().pid(),
        cluster.slave.process().pid(),
    ];
    let before = pids.map(Counts::of);
    transactions(&client, TRANSACTIONS);
    cluster.wait_for_slave(&mut follower);
    let after = pids.map(Counts::of);

    // About twice what was counted when this was written: waits, reads, writes a transaction. Less
    // is usual on a busy machine, where more transactions share a message and a wake-up; the
    // master's writes (four answers, the log, a wake-up) are the same everywhere.
    let bounds = [
        ("master", [11.0, 0.5, 9.0]),
        ("dbrepl", [3.0, 10.0, 2.0]),
        ("slave", [10.0, 0.5, 6.5]),
    ];
    let counted: Vec<_> = after
        .iter()
        .zip(&before)
        .map(|(after, before)| after.since(before))
        .collect();
    println!("waits, reads, writes a transaction: {counted:?}");
    for ((name, most), counted) in bounds.iter().zip(&counted) {
        let within = counted.iter().zip(most).all(|(count, most)| count <= most);
        assert!(
            within,
            "waits, reads and writes a transaction of {name}: {counted:?}, at most {most:?}"
        );
    }
}
