//! How far a slave is, as its master's operator sees it.

use dbtests::Cluster;

use crate::shop::{open, sell};

#[test]
fn the_master_shows_its_slaves_and_how_far_they_lag() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    let before = cluster
        .master
        .dbctl(&["--json", "replication", "status"])
        .ok();
    assert_eq!(before.trim(), "[]", "no dbrepl has run yet");
    cluster.synchronize();
    let (slave, position) = standing(&cluster);
    assert_eq!(slave["lag_in_commits"], 0);
    assert_eq!(slave["lag_in_seconds"], 0.0);
    assert_eq!(slave["applied"]["position"], position.as_str());
    assert_eq!(slave["state"], "not connected", "-S has ended");
    // Without dbrepl the note stays, and the lag grows with the master's log.
    sell(&cluster.master, 7);
    let (slave, _) = standing(&cluster);
    assert_eq!(slave["lag_in_commits"], 7);
    assert_eq!(slave["applied"]["position"], position.as_str());
    let bytes: u64 = slave["lag_in_bytes"].as_u64().unwrap();
    assert!(bytes > 0, "{slave}");
}

/// The slave's line, and the master's own position.
fn standing(cluster: &Cluster) -> (serde_json::Value, String) {
    let text = cluster
        .master
        .dbctl(&["--json", "replication", "status"])
        .ok();
    let rows: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let rows = rows.as_array().expect("an array");
    assert_eq!(rows.len(), 1, "{text}");
    let position = cluster
        .master
        .command("forwardlog status")
        .remove("position");
    (rows[0].clone(), position.expect("a position"))
}
