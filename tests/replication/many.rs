//! More than one slave, and slaves of other kinds.

use dbtests::{Cluster, Server, Settings, compare, follower};

use crate::shop::{items, open, sell};

/// One more slave of the cluster.
fn another(cluster: &Cluster, settings: Settings) -> Server {
    let mut slave = Server::create(cluster.folder().path(), settings);
    slave.start();
    slave
}

#[test]
fn slaves_side_by_side_get_the_same() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let second = another(&cluster, Settings::new("second", "Slave"));
    sell(&cluster.master, 10);
    cluster.synchronize();
    sell(&cluster.master, 10);
    follower::replicate(&cluster.master, &second, &["-S"]).ok();
    assert_eq!((items(&cluster.slave), items(&second)), (10, 20));
    cluster.synchronize();
    compare::databases(&cluster.slave, &second);
    compare::logs(&cluster.slave, &second);
}

#[test]
fn a_slave_is_the_source_of_further_slaves() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    cluster.synchronize();
    let third = another(&cluster, Settings::new("third", "Slave"));
    follower::replicate(&cluster.slave, &third, &["-S"]).ok();
    assert_eq!(items(&third), 10);
    cluster.master.restart();
    sell(&cluster.master, 10);
    cluster.synchronize();
    follower::replicate(&cluster.slave, &third, &["-S"]).ok();
    compare::databases(&cluster.master, &third);
    compare::logs(&cluster.master, &third);
    // It can be fed by either: the history is one.
    sell(&cluster.master, 10);
    follower::replicate(&cluster.master, &third, &["-S"]).ok();
    assert_eq!(items(&third), 30);
    compare::logs(&cluster.master, &third);
}

#[test]
fn a_slave_without_a_forward_log_of_its_own_follows_too() {
    let settings = Settings::slave().without("ForwardLog", "FwLog");
    let mut cluster = Cluster::with(Settings::master(), settings);
    open(&cluster.master);
    for round in 1..=3 {
        sell(&cluster.master, 20);
        cluster.master.dbctl(&["checkpoint"]).ok();
        cluster.synchronize();
        cluster.slave.kill9();
        cluster.slave.start();
        assert_eq!(items(&cluster.slave), round * 20);
        cluster.synchronize();
        compare::databases(&cluster.master, &cluster.slave);
        cluster.master.restart();
    }
}

#[test]
fn two_at_once_do_not_feed_one_slave() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let mut first = cluster.follow();
    first.wait_for_line("up-to-date");
    let told = cluster.replicate(&["-S"]);
    assert_ne!(told.code, Some(0), "{told:?}");
    assert!(
        told.err.contains("another dbrepl feeds this slave"),
        "{}",
        told.err
    );
    sell(&cluster.master, 5);
    cluster.wait_for_slave(&mut first);
    first.stop();
    cluster.synchronize();
    cluster.compare();
}

#[test]
fn a_promoted_slave_begins_a_generation_that_others_follow() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    let mut second = another(&cluster, Settings::new("second", "Slave"));
    cluster.master.stop();
    cluster.synchronize();
    follower::replicate(&cluster.master, &second, &["-S"]).ok();
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    cluster.slave.start();
    let segment = cluster
        .slave
        .command("forwardlog status")
        .remove("segment")
        .unwrap();
    assert!(segment.starts_with("fw-2-"), "{segment}");
    sell(&cluster.slave, 5);
    follower::replicate(&cluster.slave, &second, &["-S"]).ok();
    assert_eq!(items(&second), 15);
    second.restart();
    compare::databases(&cluster.slave, &second);
    compare::logs(&cluster.slave, &second);
    // The old master, cleanly stopped at the same point, becomes a slave of the new one.
    cluster.master.set_role("Slave");
    cluster.master.start();
    follower::replicate(&cluster.slave, &cluster.master, &["-S"]).ok();
    assert_eq!(items(&cluster.master), 15);
    compare::databases(&cluster.slave, &cluster.master);
}
