//! A slave that was away goes on where it stopped.

use dbtests::{Cluster, Settings};

use crate::shop::{items, open, sell};

/// What `replication status` says of the slave's mirror.
fn mirrored(cluster: &Cluster) -> String {
    cluster
        .slave
        .command("replication status")
        .remove("durable in the mirror")
        .unwrap_or_default()
}

/// `ELOQDB_TRANSACTIONS=100000` is the long form.
fn transactions_of_the_pause() -> u32 {
    let number = std::env::var("ELOQDB_TRANSACTIONS").ok();
    number.map_or(2_000, |number| number.parse().expect("a number"))
}

#[test]
fn a_slave_that_was_stopped_catches_up_from_where_it_was() {
    // Small segments: the pause spans several.
    let master = Settings::master().set("ForwardLog", "FwMaxSize", "64k");
    let mut cluster = Cluster::with(master, Settings::slave());
    open(&cluster.master);
    sell(&cluster.master, 200);
    cluster.synchronize();
    let before = mirrored(&cluster);
    cluster.slave.stop();
    let missed = transactions_of_the_pause();
    sell(&cluster.master, missed);
    cluster.slave.start();
    assert_eq!(
        mirrored(&cluster),
        before,
        "a restart loses and adds nothing"
    );

    let told = cluster.synchronize();
    // It begins in the file where it stopped, not in the first one.
    let first = told
        .lines()
        .find(|line| line.contains("processing forward-log file"))
        .unwrap();
    let position = before.split(':').next().unwrap();
    assert!(
        first.ends_with(&format!("fw-{position}")),
        "{first}: stopped at {before}"
    );
    assert_ne!(position, "1-1", "the pause began in a later segment");
    let log = cluster.slave.log();
    let went_on = log
        .lines()
        .rfind(|line| line.contains("replication goes on"));
    let at = before.split(' ').next().unwrap();
    assert!(
        went_on.is_some_and(|line| line.contains(at)),
        "at {at}:\n{log}"
    );
    assert_eq!(items(&cluster.slave), u64::from(missed) + 200);
    assert!(cluster.compare() > 2);
}

#[test]
fn a_follower_outlives_restarts_of_the_slave_and_of_the_master() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    let mut follower = cluster.follow();
    follower.wait_for_line("R1: slave server is up-to-date until");
    sell(&cluster.master, 50);
    cluster.wait_for_slave(&mut follower);
    cluster.slave.restart();
    sell(&cluster.master, 50);
    cluster.wait_for_slave(&mut follower);
    cluster.master.restart();
    sell(&cluster.master, 50);
    cluster.wait_for_slave(&mut follower);
    cluster.slave.kill9();
    cluster.slave.start();
    sell(&cluster.master, 50);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 200);
    follower.stop();
    cluster.compare();
}

#[test]
fn pauses_of_dbrepl_leave_no_trace_in_the_slaves_log() {
    let cluster = Cluster::start();
    open(&cluster.master);
    for _ in 0..5 {
        sell(&cluster.master, 20);
        cluster.synchronize();
        // A second run has nothing to send, and says that it is done.
        let again = cluster.synchronize();
        assert!(again.contains("up-to-date"), "{again}");
        cluster.compare();
    }
    assert_eq!(items(&cluster.slave), 100);
}

#[test]
fn a_follower_tells_of_an_outage_once() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    let mut follower = cluster.follow();
    follower.wait_for_line("up-to-date");
    cluster.slave.stop();
    follower.wait_for_line("trying again");
    // Time for some more attempts; how many does not matter.
    dbtests::waiting::pause(std::time::Duration::from_secs(1));
    cluster.slave.start();
    follower.wait_for_line("connected to slave server again");
    sell(&cluster.master, 1);
    cluster.wait_for_slave(&mut follower);
    let told = follower.output();
    assert_eq!(told.matches("trying again").count(), 1, "{told}");
    follower.stop();
}
