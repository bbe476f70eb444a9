//! The log goes on in a new segment or in a new generation; the slave follows.

use dbtests::{Cluster, Settings};

use crate::shop::{items, open, sell};

/// The segment that a server writes, as in `fw-1-3`.
fn segment(cluster: &Cluster) -> String {
    cluster
        .master
        .command("forwardlog status")
        .remove("segment")
        .unwrap_or_default()
}

#[test]
fn a_switch_and_a_restart_each_begin_a_new_sequence() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    // `dbctl init` has written and sealed the first two.
    let first = segment(&cluster);
    let number = |name: &str| -> u32 { name.rsplit('-').next().unwrap().parse().unwrap() };
    assert!(first.starts_with("fw-1-"), "{first}");
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    sell(&cluster.master, 5);
    assert_eq!(segment(&cluster), format!("fw-1-{}", number(&first) + 1));
    cluster.master.restart();
    sell(&cluster.master, 5);
    assert_eq!(segment(&cluster), format!("fw-1-{}", number(&first) + 2));
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 15);
    assert!(cluster.compare() >= 2);
}

#[test]
fn a_follower_goes_through_switches() {
    let cluster = Cluster::start();
    open(&cluster.master);
    let mut follower = cluster.follow();
    for _ in 0..10 {
        sell(&cluster.master, 5);
        cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    }
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 50);
    follower.stop();
    assert!(cluster.compare() >= 10);
}

#[test]
fn forward_logging_switched_off_and_on_ends_replication_with_a_clear_word() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    // A slave would be lost by it.
    let asked = cluster.master.dbctl(&["forwardlog", "disable"]).fails(1);
    assert!(asked.contains("slaves live on this log"), "{asked}");
    assert!(asked.contains("slave ("), "it names it: {asked}");
    assert!(asked.contains("disable --yes"), "{asked}");
    cluster
        .master
        .dbctl(&["forwardlog", "disable", "--yes"])
        .ok();
    assert_eq!(
        cluster.master.command("forwardlog status")["forward log"],
        "disabled"
    );
    sell(&cluster.master, 5);
    cluster.master.dbctl(&["forwardlog", "enable"]).ok();
    sell(&cluster.master, 5);
    assert!(
        segment(&cluster).starts_with("fw-2-"),
        "a new generation: {}",
        segment(&cluster)
    );
    // What was written in between is in no kept segment.
    let told = cluster.replicate(&["-S"]).fails(5);
    assert!(told.contains("hint: "), "{told}");
    assert_eq!(items(&cluster.slave), 5, "the slave serves what it has");
    assert_eq!(items(&cluster.master), 15);
}

#[test]
fn checkpoints_on_the_master_are_followed_and_survive_a_crash_of_both() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    for _ in 0..4 {
        sell(&cluster.master, 25);
        cluster.master.dbctl(&["checkpoint"]).ok();
        cluster.synchronize();
    }
    sell(&cluster.master, 10);
    cluster.synchronize();
    cluster.master.kill9();
    cluster.slave.kill9();
    cluster.master.start();
    cluster.slave.start();
    assert_eq!(items(&cluster.slave), 110);
    assert_eq!(items(&cluster.master), 110);
    cluster.synchronize();
    cluster.compare();
}

#[test]
fn segments_are_their_owners_or_their_groups_to_read() {
    use std::os::unix::fs::PermissionsExt as _;

    for (access, mode) in [("0", 0o600), ("1", 0o640)] {
        let set = |settings: Settings| settings.set("ForwardLog", "GroupReadAccess", access);
        let cluster = Cluster::with(set(Settings::master()), set(Settings::slave()));
        open(&cluster.master);
        cluster.master.dbctl(&["forwardlog", "switch"]).ok();
        cluster.synchronize();
        for server in [&cluster.master, &cluster.slave] {
            let segments = server.segments();
            for segment in segments.segments() {
                let found = std::fs::metadata(&segment.path)
                    .unwrap()
                    .permissions()
                    .mode();
                assert_eq!(found & 0o777, mode, "{}", segment.path.display());
            }
        }
    }
}
