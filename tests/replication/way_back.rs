//! A switchover is refused where nobody would feed the old root afterwards.

use dbtests::{Cluster, Follower, LONG, compare, follower, wait_for};
use serde_json::Value;

use crate::shop::{items, open, sell};
use crate::sources::{Site, shown, wait_for_all, wait_for_state};

const SWITCHOVER: [&str; 3] = ["replication", "switchover", "slave"];

#[test]
fn a_switchover_after_which_nobody_would_feed_the_old_root_is_refused_unless_that_is_meant() {
    let cluster = Cluster::start();
    let (master, slave) = (&cluster.master, &cluster.slave);
    open(master);
    sell(master, 3);
    let mut there = cluster.follow();
    cluster.wait_for_slave(&mut there);
    let told = master.dbctl(&SWITCHOVER).fails(1);
    for part in [
        "cannot become root: no dbrepl of slave waits for master, which nobody would feed (R0115)",
        "nothing has changed",
        "--one-way",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(master.command("status")["role"], "Master");
    assert_eq!(slave.command("status")["role"], "Slave");
    sell(master, 1);
    cluster.wait_for_slave(&mut there);
    let run = master.dbctl(&["replication", "switchover", "slave", "--one-way", "--json"]);
    let proof: Value = serde_json::from_str(&run.ok()).expect("a proof");
    assert_eq!(proof["slave_is_fed"], false);
    sell(slave, 1);
    // What was told of is mended by the dbrepl that was missing.
    let command = follower::dbrepl(slave, master, &["-v"]);
    let mut back = Follower::run(command, cluster.folder().join("back.log"));
    wait_for("the old root to have all", LONG, || {
        (items(master) == items(slave)).then_some(())
    });
    // The other one waits at the new root by now: the way back is open.
    let home = ["replication", "switchover", "master"];
    slave.dbctl(&home).ok();
    compare::databases(slave, master);
    back.stop();
    there.stop();
}

#[test]
fn a_passive_source_that_becomes_active_with_its_server_is_a_way_back() {
    let site = Site::configured();
    let (master, slave) = (&site.master, &site.slave);
    sell(master, 3);
    site.wait_for_slave();
    let address = master.address().to_string();
    slave
        .dbctl(&["source", "start", "master", &address, "--passive"])
        .ok();
    let told = master.dbctl(&SWITCHOVER).fails(1);
    assert!(told.contains("no dbrepl of slave waits"), "{told}");
    slave
        .dbctl(&["source", "deactivate", "master", "--auto"])
        .ok();
    assert_eq!(shown(slave, "master")["state"], "passive");
    master.dbctl(&SWITCHOVER).ok();
    wait_for_state(slave, "master", "shipping");
    sell(slave, 2);
    wait_for_all(slave, master);
    compare::databases(slave, master);
}
