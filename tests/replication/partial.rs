//! A slave that applies some of its master's databases only.

use std::fs;

use dbtests::compare::{self, checksums};
use dbtests::{
    Client, Cluster, LONG, PASSWORD, Refusal, Server, Settings, follower, process, wait_for,
};
use serde_json::Value;

use crate::shop::{SHOP, items, open, sell};

const SCRATCH: &str = "scratch";

fn partial(key: &str, value: &str) -> Settings {
    Settings::slave().set("Replication", key, value)
}

/// A shop, and a database that a partial slave leaves out, each with rows.
fn fill(master: &Server) {
    open(master);
    sell(master, 10);
    master.sql("system", "CREATE DATABASE scratch");
    master.sql(
        SCRATCH,
        "CREATE TABLE pile (id INT PRIMARY KEY, body BYTEA); \
         INSERT INTO pile SELECT i, gen_random_bytes(3000) FROM generate_series(1, 2000) i",
    );
}

/// The slave has all, and its redo begins behind it.
#[track_caller]
fn settle(cluster: &Cluster) {
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    let redo = |server: &Server| server.command("status").remove("redo position");
    wait_for("the slave's checkpoint", LONG, || {
        (redo(&cluster.slave) == redo(&cluster.master)).then_some(())
    });
}

/// dbrepl that makes copies by itself.
#[track_caller]
fn synchronize(master: &Server, slave: &Server, init: &str) -> String {
    let options = ["-v", "-S", "--init", init];
    let run = process::run(&mut follower::dbrepl(master, slave, &options), b"");
    assert_eq!(run.code, Some(0), "{}\n{}", run.err, slave.log());
    run.err
}

fn refused(server: &Server, database: &str) -> Refusal {
    let connected = Client::connect(server.address(), database, PASSWORD);
    Refusal::of(&connected.err().expect("it has no pages")).expect("the server answers")
}

#[track_caller]
fn check_without_scratch(master: &Server, slave: &Server) {
    let refusal = refused(slave, SCRATCH);
    assert_eq!(refusal.code, "55000", "{refusal:?}");
    assert!(
        refusal.message.contains("not applied on slave"),
        "{refusal:?}"
    );
    let listed = slave.sql("system", "DBCTL 'database list'");
    let names: Vec<&str> = listed.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, [SCRATCH, SHOP, "system"]);
    assert_eq!(
        listed[0].last().map(String::as_str),
        Some("(not applied here)")
    );
    assert_eq!(items(slave), items(master));
    assert!(!slave.data_dir().join("db/scratch.db").exists());
    compare::logs(master, slave);
}

#[test]
fn the_whole_log_passes_a_slave_that_applies_one_database_and_goes_on_to_the_next() {
    let mut cluster = Cluster::with(Settings::master(), partial("Apply", SHOP));
    fill(&cluster.master);
    cluster.synchronize();
    check_without_scratch(&cluster.master, &cluster.slave);
    // Through a restart, a crash, and changes of the list.
    cluster.slave.restart();
    cluster
        .master
        .sql(SCRATCH, "DELETE FROM pile WHERE id < 100");
    cluster.master.sql("system", "CREATE DATABASE other");
    sell(&cluster.master, 5);
    cluster.synchronize();
    cluster.slave.kill9();
    cluster.slave.start();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster
        .master
        .sql("system", "ALTER DATABASE other RENAME TO third");
    cluster.master.sql("system", "DROP DATABASE third");
    sell(&cluster.master, 5);
    cluster.synchronize();
    cluster.slave.kill9();
    cluster.slave.start();
    check_without_scratch(&cluster.master, &cluster.slave);
    // A slave of the slave has everything.
    let settings = Settings::new("leaf", "Slave");
    let mut leaf = Server::create(cluster.folder().path(), settings);
    leaf.start();
    let run = follower::replicate(&cluster.slave, &leaf, &["-S"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    compare::databases(&cluster.master, &leaf);
    compare::logs(&cluster.master, &leaf);
}

#[test]
fn a_first_copy_leaves_out_what_is_not_applied() {
    let cluster = Cluster::with(Settings::master(), partial("ApplyNot", SCRATCH));
    fill(&cluster.master);
    synchronize(&cluster.master, &cluster.slave, "always");
    let log = cluster.slave.log();
    let taken = log.split("taken=").nth(1);
    let taken = taken.and_then(|it| it.split_whitespace().next());
    let taken: u32 = taken.expect("a copy").parse().expect("a number");
    assert!(taken < 500, "{taken} pages came: scratch has 2,000");
    check_without_scratch(&cluster.master, &cluster.slave);
    // Nobody gets a copy of it.
    let settings = Settings::new("leaf", "Slave");
    let mut leaf = Server::create(cluster.folder().path(), settings);
    leaf.start();
    let options = ["-v", "-S", "--init", "always"];
    let mut command = follower::dbrepl(&cluster.slave, &leaf, &options);
    let told = process::run(&mut command, b"").fails(5);
    assert!(told.contains("does not have all databases"), "{told}");
}

#[test]
fn the_missing_database_comes_by_itself_when_the_key_is_gone() {
    let mut cluster = Cluster::with(Settings::master(), Settings::slave());
    fill(&cluster.master);
    settle(&cluster);
    cluster.compare();
    // It had all; then it leaves one out, whose files are set aside.
    let only = |settings: Settings| settings.set("Replication", "Apply", SHOP);
    cluster.slave.reconfigure(only);
    cluster.slave.restart();
    sell(&cluster.master, 5);
    cluster.synchronize();
    check_without_scratch(&cluster.master, &cluster.slave);
    let lost = fs::read_dir(cluster.slave.data_dir().join("lost"));
    assert_eq!(lost.expect("what is set aside").count(), 1);
    let status = cluster.slave.command("status");
    assert_eq!(status["applies"], "only shop; left out: scratch");
    // And has all again.
    cluster
        .slave
        .reconfigure(|it| it.without("Replication", "Apply"));
    cluster.slave.restart();
    let status = cluster.slave.command("status");
    assert_eq!(
        status["applies"],
        "all databases; waiting for a copy: scratch"
    );
    let refusal = refused(&cluster.slave, SCRATCH);
    assert!(refusal.message.contains("not on slave yet"), "{refusal:?}");
    let told = cluster.replicate(&["-S"]).fails(5);
    assert!(told.contains("has left out scratch"), "{told}");
    let told = synchronize(&cluster.master, &cluster.slave, "auto");
    assert!(told.contains("the copy is complete"), "{told}");
    sell(&cluster.master, 1);
    cluster.synchronize();
    cluster.compare();
    assert!(!cluster.slave.command("status").contains_key("applies"));
}

#[test]
fn it_is_never_the_root() {
    let mut cluster = Cluster::with(Settings::master(), partial("ApplyNot", SCRATCH));
    fill(&cluster.master);
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    let switchover = ["replication", "switchover", "slave"];
    let told = cluster.master.dbctl(&switchover).fails(1);
    assert!(
        told.contains("R0118") && told.contains("left out: scratch"),
        "{told}"
    );
    assert!(
        told.contains("cannot become root: slave does not have all databases"),
        "{told}"
    );
    // Its master knows it from its own status, too.
    let status = cluster
        .master
        .dbctl(&["replication", "status", "--json"])
        .ok();
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status[0]["partial"], true, "{status}");
    let why = status[0]["reason"].as_str().expect("a reason");
    assert!(why.contains("it leaves databases out"), "{why}");
    wait_for("the tree to show it", LONG, || {
        let tree = cluster.master.dbctl(&["replication", "tree"]).ok();
        tree.contains("it leaves databases out").then_some(())
    });
    sell(&cluster.master, 1);
    follower.stop();
    let refusal = cluster.slave.client("system");
    let refusal = refusal.refused("DBCTL 'replication promote --force'");
    assert_eq!(refusal.code, "R0118", "{refusal:?}");
    settle(&cluster);
    // A configuration that wants both is refused, and a root by its configuration alone is none either.
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    let ended = cluster.slave.try_start().expect_err("no such root");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let without = |it: Settings| it.without("Replication", "ApplyNot");
    cluster.slave.reconfigure(without);
    let ended = cluster.slave.try_start().expect_err("no such root");
    assert!(
        ended.err.contains("does not have all databases"),
        "{ended:?}"
    );
}

#[test]
fn a_comparison_says_what_was_not_compared() {
    let cluster = Cluster::with(Settings::master(), partial("ApplyNot", SCRATCH));
    fill(&cluster.master);
    settle(&cluster);
    let run = cluster.master.dbctl(&[
        "replication",
        "verify",
        &cluster.slave.address().to_string(),
        "--json",
    ]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let verdict: Value = serde_json::from_str(run.out.trim()).expect("a verdict");
    let databases = verdict["databases"].as_array().expect("databases");
    let of = |name| databases.iter().find(|it| it["database"] == name);
    let scratch = of(SCRATCH).expect("named");
    assert_eq!(
        (&scratch["left_out"], &scratch["checksum"]),
        (&Value::Bool(true), &Value::Null)
    );
    assert!(of(SHOP).expect("compared")["checksum"].is_string());
    let verified = cluster.slave.sql("system", "DBCTL 'database verify'");
    let of = |name| verified.iter().find(|row| row[0] == name).expect("a row");
    assert_eq!(
        (&*of(SCRATCH)[4], &*of(SHOP)[4]),
        ("not applied here", "ok")
    );
    let refusal = cluster.slave.client("system");
    let refusal = refusal.refused("DBCTL 'database checksum scratch'");
    assert_eq!(refusal.code, "55000", "{refusal:?}");
    let mut all = checksums(&cluster.master);
    all.remove(SCRATCH);
    for (name, sum) in all {
        let report = cluster.slave.command(&format!("database checksum {name}"));
        assert_eq!(report["checksum"], sum.0, "{name}");
    }
}
