//! A master that was left behind: its slave was promoted without it, and it is started again as the master that it was.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use dbtests::{
    Client, Cluster, Follower, LONG, PASSWORD, Server, compare, files, follower, wait_for,
};
use serde_json::Value;

use crate::shop::{SHOP, items, open, sell};

/// A master with a slave that has all of it.
pub(crate) fn pair() -> (Cluster, Follower) {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    let mut there = cluster.follow();
    cluster.wait_for_slave(&mut there);
    (cluster, there)
}

/// The slave becomes the master, as soon as it knows that nobody feeds it.
pub(crate) fn promote(slave: &Server) {
    wait_for("the slave to miss its master", LONG, || {
        let run = slave.dbctl(&["replication", "promote"]);
        (run.code == Some(0)).then_some(())
    });
}

/// A dbrepl from the new master to the old one.
fn back(cluster: &Cluster, options: &[&str]) -> Follower {
    let log = cluster.folder().join("back.log");
    let command = follower::dbrepl(&cluster.slave, &cluster.master, options);
    Follower::run(command, log)
}

pub(crate) fn status(server: &Server) -> Value {
    let run = server.dbctl(&["status", "--json"]);
    serde_json::from_str(run.out.trim()).expect("a status")
}

fn fenced(server: &Server) -> String {
    status(server)["fenced"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn wait_for_slave_role(server: &Server) {
    wait_for("the old master to be a slave", LONG, || {
        (status(server)["role"] == "Slave").then_some(())
    });
}

/// What a server keeps of lost transactions the root notes by itself, which is a commit. Waits for it.
pub(crate) fn wait_for_noted(root: &Server, slave: &Server) {
    let kept = files::list(&slave.data_dir().join("lost"), "");
    let is_told = |directory: &PathBuf| {
        let text = std::fs::read_to_string(directory.join("lost.json"));
        text.is_ok_and(|text| !text.contains("\"made_by\": \"to\""))
    };
    if !kept.iter().any(is_told) {
        return;
    }
    let name = slave.settings().name();
    wait_for("what was lost to be noted", LONG, || {
        let run = root.dbctl(&["lost", "status", "--json"]);
        let known: Value = serde_json::from_str(run.out.trim()).ok()?;
        let mut known = known.as_array()?.iter();
        known.any(|fork| fork["instance"] == name).then_some(())
    });
}

fn wait_for_all(root: &Server, slave: &Server) {
    wait_for("the old master to have all", LONG, || {
        let durable = root.command("forwardlog status").remove("position")?;
        let applied = slave.command("replication status").remove("applied")?;
        (applied.split(' ').next() == Some(durable.as_str())).then_some(())
    });
}

/// Until the old master has what the new one has, while nobody writes; then both have the same.
pub(crate) fn settle_and_compare(root: &Server, slave: &Server) {
    // What it has lost is on its disk only once it follows; and that it is noted is one commit more.
    wait_for_all(root, slave);
    wait_for_noted(root, slave);
    wait_for_all(root, slave);
    compare::databases(root, slave);
    compare::logs(root, slave);
}

#[test]
fn a_master_that_lost_nothing_ends_its_writers_and_follows_by_itself() {
    let (mut cluster, mut there) = pair();
    cluster.master.kill9();
    there.stop();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    // As a service manager would.
    cluster.master.start();
    assert_eq!(status(&cluster.master)["role"], "Master");
    let writer = cluster.master.client(SHOP);
    writer.run("BEGIN");
    writer.run("INSERT INTO item (name, price) VALUES ('never', 1)");
    let reader = cluster.master.client(SHOP);
    let mut back = back(&cluster, &["-v"]);
    wait_for_slave_role(&cluster.master);
    let told = writer
        .try_rows("COMMIT")
        .expect_err("its transaction is over");
    let refusal = dbtests::Refusal::of(&told);
    assert!(
        writer.is_closed() || refusal.is_some_and(|it| it.code == "57P01"),
        "{told:?}"
    );
    assert!(
        cluster.master.log().contains("master was the root until"),
        "{}",
        cluster.master.log()
    );
    // Readers go on; who writes is told that this is a slave.
    assert_eq!(
        reader.value("SELECT count(*) FROM item WHERE name = 'never'"),
        "0"
    );
    let refused = cluster.master.client(SHOP).refused("DELETE FROM item");
    assert_eq!(refused.code, "25006");
    sell(&cluster.slave, 5);
    settle_and_compare(&cluster.slave, &cluster.master);
    assert_eq!(items(&cluster.master), 20);
    wait_for("the fence to be gone", LONG, || {
        fenced(&cluster.master).is_empty().then_some(())
    });
    let lost = files::list(&cluster.master.fwlog_dir(), "lost");
    assert_eq!(lost.len(), 1, "what was cut is kept: {lost:?}");
    let configuration = String::from_utf8(files::read(&cluster.master.config_path()));
    assert!(configuration.expect("text").contains("Role = Slave"));
    cluster.master.restart();
    assert_eq!(status(&cluster.master)["role"], "Slave");
    sell(&cluster.slave, 1);
    settle_and_compare(&cluster.slave, &cluster.master);
    back.stop();
}

/// Sells until it is told to end, or the server is gone; counts what was acknowledged.
fn sell_on(address: std::net::SocketAddr, over: &AtomicBool, sold: &AtomicU64) {
    let client = Client::connect(address, SHOP, PASSWORD).expect("a connection");
    while !over.load(Ordering::SeqCst) {
        let insert = "INSERT INTO item (name, price) VALUES ('sold', 2)";
        if client.try_rows(insert).is_err() {
            return;
        }
        sold.fetch_add(1, Ordering::SeqCst);
    }
}

/// A master that has acknowledged what its slave does not have, killed under its writers, the slave promoted, and the
/// master started again; and how much was acknowledged.
fn left_behind() -> (Cluster, u64) {
    let (mut cluster, mut there) = pair();
    there.stop();
    let (over, sold) = (AtomicBool::new(false), AtomicU64::new(0));
    let address = cluster.master.address();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| sell_on(address, &over, &sold));
        }
        let more = wait_for("clients to write", LONG, || {
            let sold = sold.load(Ordering::SeqCst);
            (sold >= 20).then_some(sold)
        });
        assert!(more >= 20);
        cluster.master.kill9();
        over.store(true, Ordering::SeqCst);
    });
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    cluster.master.start();
    assert_eq!(status(&cluster.master)["role"], "Master");
    (cluster, sold.load(Ordering::SeqCst))
}

#[test]
fn a_master_with_more_stays_fenced_and_names_what_would_be_lost() {
    let (mut cluster, sold) = left_behind();
    let mut refused = back(&cluster, &["-v"]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    let told = refused.output();
    assert!(told.contains("master was the root until"), "{told}");
    assert!(
        told.contains("transactions of master are not there, the first at 1-"),
        "{told}"
    );
    assert!(
        told.contains("'dbctl rejoin'") && told.contains("'dbctl source start'"),
        "{told}"
    );
    let words = fenced(&cluster.master);
    let count = words
        .split("; ")
        .find_map(|part| part.split_once(" transactions of master"))
        .and_then(|(count, _)| count.parse::<u64>().ok())
        .unwrap_or_else(|| panic!("{words}"));
    // The last of each client may be there without an answer.
    assert!(
        (sold..=sold + 3).contains(&count),
        "{count} of {sold}: {words}"
    );
    assert!(
        words.contains("slave has become it with generation 2"),
        "{words}"
    );
    let check = cluster.master.dbctl(&["replication", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    assert!(check.out.contains("transactions of master"), "{check:?}");
    // Whatever is restarted, and however the configuration is edited.
    cluster.master.kill9();
    for role in ["Slave", "Master"] {
        cluster.master.set_role(role);
        cluster.master.start();
        assert_eq!(status(&cluster.master)["role"], "Slave");
        assert_eq!(fenced(&cluster.master), words);
        cluster.master.stop();
    }
    cluster.master.start();
    let refused = cluster.master.client(SHOP).refused("DELETE FROM item");
    assert_eq!(refused.code, "25006");
    let promoted = cluster.master.dbctl(&["replication", "promote"]);
    assert!(
        promoted.err.contains("master was the root until"),
        "{promoted:?}"
    );
    assert_eq!(status(&cluster.master)["role"], "Slave");
    // A person gives it up: it is set aside, and the server follows.
    let mut resync = back(&cluster, &["-v", "--resync"]);
    settle_and_compare(&cluster.slave, &cluster.master);
    assert_eq!(items(&cluster.master), 15);
    assert_eq!(fenced(&cluster.master), "");
    resync.stop();
}

#[test]
fn two_that_were_both_made_the_root_say_so_and_neither_yields() {
    let (mut cluster, _) = left_behind();
    let mut refused = back(&cluster, &["-v"]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    let forced = cluster.master.dbctl(&["replication", "promote", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert_eq!(fenced(&cluster.master), "");
    sell(&cluster.master, 1);
    let mut refused = back(&cluster, &["-v"]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    let told = refused.output();
    assert!(told.contains("master and slave are both roots"), "{told}");
    assert!(
        cluster
            .master
            .log()
            .contains("master and slave are both roots")
    );
    let known = cluster.slave.dbctl(&["replication", "status"]);
    assert!(known.out.contains("both roots"), "{known:?}");
    for server in [&cluster.master, &cluster.slave] {
        assert_eq!(status(server)["role"], "Master");
        sell(server, 1);
    }
    // It says so itself, through a restart, until one of the two has the other's log.
    cluster.master.restart();
    let two = |server: &Server| status(server)["two_roots"].as_str().map(str::to_owned);
    let words = two(&cluster.master).expect("it is known");
    assert!(words.contains("master and slave are both roots"), "{words}");
    let check = cluster.master.dbctl(&["replication", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    cluster.master.set_role("Slave");
    cluster.master.restart();
    assert!(two(&cluster.master).is_some(), "its log is what it was");
    let mut resync = back(&cluster, &["-v", "--resync"]);
    // Both have written as much in a generation of one number: a position alone tells nothing before. While it begins anew
    // with its copy it has no status.
    wait_for("the two to be one", LONG, || {
        let told = cluster.master.dbctl(&["status", "--json"]);
        let status = serde_json::from_str::<Value>(told.out.trim()).ok()?;
        status["two_roots"].is_null().then_some(())
    });
    settle_and_compare(&cluster.slave, &cluster.master);
    resync.stop();
}
