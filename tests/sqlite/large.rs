//! Transactions, databases and values that are larger than memory should be.

use std::time::Instant;

use dbtests::client::Client;
use dbtests::{Cluster, Server, Settings};

use crate::scale::{BESIDE, MIB, checkpoint, is_large, scaled, stays_within};

/// Pages of content in a table, and what else is to be remembered of it.
const TABLE: &str = "CREATE TABLE t (a bigint PRIMARY KEY, b bytea, c text)";
/// Rows of one page each.
const ROWS_A_MIB: u64 = 256;

/// A budget for page versions: `CheckpointSize`.
fn budget() -> u64 {
    scaled(16 * MIB, 256 * MIB)
}

fn settings(settings: Settings) -> Settings {
    settings.set("Server", "CheckpointSize", format!("{}m", budget() / MIB))
}

/// Says how long a step took: for people, nothing depends on it.
#[expect(clippy::print_stdout, reason = "the report says how long it took")]
fn timed<T>(what: &str, step: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = step();
    println!("{what}: {:.1} s", start.elapsed().as_secs_f64());
    result
}

/// Rows with `mib` MiB of noise, from `first` on.
fn fill(client: &Client, first: u64, mib: u64) {
    insert(client, first, mib, "gen_random_bytes(3990), NULL");
}

/// Rows of one page each, 64 MiB a statement.
fn insert(client: &Client, first: u64, mib: u64, content: &str) {
    let mut from = first;
    let end = first + mib * ROWS_A_MIB;
    while from < end {
        let to = end.min(from + 64 * ROWS_A_MIB);
        client.run(&format!(
            "INSERT INTO t SELECT g, {content} FROM generate_series({from}, {}) AS g",
            to - 1
        ));
        from = to;
    }
}

/// New content in all rows up to `last`, 64 MiB a statement.
fn change_all(client: &Client, last: u64, length: u64) {
    let step = 64 * ROWS_A_MIB;
    for from in (1..=last).step_by(usize::try_from(step).expect("a small number")) {
        client.run(&format!(
            "UPDATE t SET b = gen_random_bytes({length}) WHERE a BETWEEN {from} AND {}",
            from + step - 1
        ));
    }
}

fn rows(server: &Server) -> u64 {
    let count = server.client("big").value("SELECT count(*) FROM t");
    count.parse().expect("a number")
}

/// What a server may take: the budget, two write sets, some 300 bytes for each page that waits in a
/// scratch file, and the rest.
fn limit(mib: u64) -> u64 {
    budget() + 64 * MIB + mib * ROWS_A_MIB * 300 + BESIDE
}

#[test]
fn a_large_transaction_takes_little_memory_on_master_slave_and_in_recovery() {
    let mib = scaled(96, 2048);
    let mut cluster = Cluster::with(settings(Settings::master()), settings(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE big");
    let writer = cluster.master.client("big");
    writer.run(TABLE);
    fill(&writer, 1, 1);
    let before = ROWS_A_MIB;
    let reader = cluster.master.client("big");
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t");

    writer.run("BEGIN");
    timed("statements", || fill(&writer, before + 1, mib));
    writer.run("SAVEPOINT s; DELETE FROM t WHERE a % 3 = 0; ROLLBACK TO s");
    timed("commit", || writer.run("COMMIT"));
    let after = before + mib * ROWS_A_MIB;
    assert_eq!(reader.value("SELECT count(*) FROM t"), before.to_string());
    stays_within(&mut cluster.master, limit(mib), "master, large transaction");
    timed("checkpoint", || checkpoint(&cluster.master));
    assert_eq!(
        reader.value("SELECT count(*), sum(length(b)) FROM t"),
        before.to_string()
    );
    reader.run("COMMIT");
    assert_eq!(reader.value("SELECT count(*) FROM t"), after.to_string());
    stays_within(&mut cluster.master, limit(mib), "master, its checkpoint");

    timed("slave", || cluster.synchronize());
    stays_within(&mut cluster.slave, limit(mib), "slave");
    cluster.compare();

    // Killed after the commit, before a checkpoint; and in the middle of the next one.
    writer.run("BEGIN");
    change_all(&writer, after, 3990);
    writer.run("COMMIT");
    cluster.master.kill9();
    timed("recovery of the master", || cluster.master.start());
    assert_eq!(rows(&cluster.master), after);
    stays_within(&mut cluster.master, limit(mib), "master, recovery");
    let writer = cluster.master.client("big");
    writer.run("BEGIN");
    fill(&writer, after + 1, mib / 2);
    cluster.master.kill9();
    cluster.master.start();
    assert_eq!(rows(&cluster.master), after);
    cluster.slave.kill9();
    cluster.slave.start();
    timed("slave", || cluster.synchronize());
    cluster.slave.kill9();
    timed("recovery of the slave", || cluster.slave.start());
    stays_within(&mut cluster.slave, limit(mib), "slave, recovery");
    cluster.compare();
}

/// Zeros take no room in the log, so nothing there tells how much the page versions take.
#[test]
fn transactions_that_come_faster_than_checkpoints_take_little_memory() {
    let (count, mib) = (scaled(30, 200), 12);
    let mut cluster = Cluster::with(settings(Settings::master()), settings(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE big");
    let writer = cluster.master.client("big");
    writer.run(TABLE);
    let mut next = 1;
    for round in 0..count {
        // One large, and in other rounds many that are too small to be written in parts.
        let pieces = if round % 2 == 0 { 1 } else { 24 };
        for _ in 0..pieces {
            let end = next + mib * ROWS_A_MIB / pieces;
            writer.run(&format!(
                "INSERT INTO t SELECT g, decode(repeat('00', 3990), 'hex'), NULL FROM generate_series({next}, {}) AS g",
                end - 1
            ));
            next = end;
        }
    }
    assert_eq!(rows(&cluster.master), next - 1);
    stays_within(&mut cluster.master, limit(mib), "master, fast transactions");
    cluster.synchronize();
    stays_within(&mut cluster.slave, limit(mib), "slave, fast transactions");
    cluster.master.kill9();
    cluster.master.start();
    stays_within(&mut cluster.master, limit(mib), "master, recovery");
    cluster.synchronize();
    cluster.compare();
}

/// An open snapshot keeps old pages, not new ones.
#[test]
fn an_old_snapshot_costs_disk_and_not_memory() {
    let (mib, rounds) = (scaled(24, 256), 6);
    let mut cluster = Cluster::with(settings(Settings::master()), settings(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE big");
    let writer = cluster.master.client("big");
    writer.run(TABLE);
    fill(&writer, 1, mib);
    checkpoint(&cluster.master);
    let reader = cluster.master.client("big");
    let seen = "SELECT sum(length(b)), count(*), min(encode(substring(b, 1, 8), 'hex')) FROM t";
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    let before = reader.rows(seen);
    for _ in 0..rounds {
        change_all(&writer, mib * ROWS_A_MIB, 3980);
        checkpoint(&cluster.master);
    }
    assert_eq!(reader.rows(seen), before);
    // PINNED_LIMIT, for what the snapshot reads.
    stays_within(
        &mut cluster.master,
        limit(2 * mib) + 64 * MIB,
        "master, old snapshot",
    );
    reader.run("COMMIT");
    cluster.synchronize();
    cluster.compare();
}

/// Beyond 1 GiB lies the page that SQLite never uses; beyond 2 and 4 GiB offsets need more bits.
#[test]
fn a_database_grows_the_same_on_master_and_slave() {
    let (steps, mib) = (scaled(3, 40), scaled(8, 256));
    let mut cluster = Cluster::with(settings(Settings::master()), settings(Settings::slave()));
    cluster.master.sql("system", "CREATE DATABASE big");
    let mut writer = cluster.master.client("big");
    writer.run(TABLE);
    for step in 0..steps {
        // Mostly the same bytes: the log takes less disk than the pages.
        let first = step * mib * ROWS_A_MIB + 1;
        let content = "gen_random_bytes(150), repeat('large ', 630)";
        insert(&writer, first, mib, content);
        if step % 4 == 3 {
            timed(&format!("slave at step {step}"), || cluster.synchronize());
        }
    }
    timed("slave", || cluster.synchronize());
    timed("checkpoint", || checkpoint(&cluster.master));
    timed("compare", || cluster.compare());
    stays_within(&mut cluster.master, limit(mib), "master, large database");
    stays_within(&mut cluster.slave, limit(mib), "slave, large database");
    timed("stop", || cluster.master.stop());
    timed("start", || cluster.master.start());
    writer = cluster.master.client("big");
    let last = steps * mib * ROWS_A_MIB;
    assert_eq!(rows(&cluster.master), last);
    // All over the file.
    writer.run(&format!(
        "UPDATE t SET b = gen_random_bytes(140) WHERE a % {} = 0",
        steps * 7
    ));
    cluster.master.kill9();
    timed("recovery", || cluster.master.start());
    timed("slave", || cluster.synchronize());
    cluster.compare();
    if !is_large() {
        writer = cluster.master.client("big");
        writer.run(&format!("DELETE FROM t WHERE a > {}", last / 3));
        writer.run("VACUUM FULL");
        cluster.synchronize();
        cluster.compare();
    }
}
