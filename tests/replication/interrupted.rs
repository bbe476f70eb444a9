//! A slave's forward log is switched off and on.

use dbtests::{Cluster, Server, Settings, compare, files, follower};
use fwlog::SegmentId;

use crate::shop::{items, open, sell};

/// What `forwardlog status` says first.
fn state(server: &Server) -> String {
    let mut status = server.command("forwardlog status");
    status.remove("forward log").unwrap_or_default()
}

/// The segments in a server's directory of FwLog: all whole?
fn kept(server: &Server) -> (Vec<SegmentId>, bool) {
    let log = server.segments();
    let ids = log.segments().iter().map(|segment| segment.id).collect();
    let whole = log
        .segments()
        .iter()
        .all(|segment| segment.sealed.is_some());
    (ids, whole)
}

fn newest(server: &Server) -> Option<SegmentId> {
    kept(server).0.last().copied()
}

fn another(cluster: &Cluster, name: &str) -> Server {
    let settings = Settings::new(name, "Slave");
    let mut slave = Server::create(cluster.folder().path(), settings);
    slave.start();
    slave
}

#[test]
fn a_slaves_forward_log_stops_at_once_and_begins_with_the_masters_next_segment() {
    let cluster = Cluster::start();
    let (master, slave) = (&cluster.master, &cluster.slave);
    open(master);
    sell(master, 5);
    let mut dbrepl = cluster.follow();
    cluster.wait_for_slave(&mut dbrepl);
    assert_eq!(state(slave), "enabled");

    let told = slave.dbctl(&["forwardlog", "disable"]).ok();
    assert!(
        told.contains("until it is enabled or the server is restarted"),
        "{told}"
    );
    assert_eq!(state(slave), "disabled");
    let (before, whole) = kept(slave);
    assert!(whole, "the interrupted segment is not there: {before:?}");
    assert!(newest(slave) < newest(master));
    slave.dbctl(&["forwardlog", "disable"]).ok();
    for _ in 0..2 {
        sell(master, 5);
        master.dbctl(&["forwardlog", "switch"]).ok();
    }
    sell(master, 5);
    cluster.wait_for_slave(&mut dbrepl);
    assert_eq!(items(slave), 20);
    assert_eq!(kept(slave).0, before, "nothing is written there");

    let told = slave.dbctl(&["forwardlog", "enable"]).ok();
    assert!(
        told.contains("it begins with the master's next segment"),
        "{told}"
    );
    assert_eq!(state(slave), "enabled, from the master's next segment on");
    let json = slave.dbctl(&["--json", "forwardlog", "status"]).ok();
    assert!(
        json.contains("\"enabled\":true,\"begins_with_next_segment\":true"),
        "{json}"
    );
    sell(master, 5);
    cluster.wait_for_slave(&mut dbrepl);
    assert_eq!(kept(slave).0, before, "that segment began before");

    master.dbctl(&["forwardlog", "switch"]).ok();
    sell(master, 5);
    cluster.wait_for_slave(&mut dbrepl);
    assert_eq!(state(slave), "enabled");
    assert_eq!(newest(slave), newest(master));
    dbrepl.stop();
    compare::databases(master, slave);
    compare::logs(master, slave);
    let log = slave.log();
    assert_eq!(log.matches("dbrepl is connected").count(), 1, "{log}");
}

#[test]
fn a_slave_recovers_from_its_journal_and_a_restart_switches_its_log_on_again() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    cluster.slave.dbctl(&["forwardlog", "disable"]).ok();
    let mut sold = 5;
    for round in 0..4 {
        sell(&cluster.master, 5);
        sold += 5;
        cluster.synchronize();
        if round == 1 {
            cluster.master.dbctl(&["checkpoint"]).ok();
        }
        cluster.slave.kill9();
        cluster.slave.start();
        assert_eq!(items(&cluster.slave), sold);
        let wanted = ["enabled, from the master's next segment on", "enabled"];
        assert_eq!(state(&cluster.slave), wanted[usize::from(round > 2)]);
        if round == 2 {
            cluster.master.dbctl(&["forwardlog", "switch"]).ok();
        }
    }
    assert_eq!(newest(&cluster.slave), newest(&cluster.master));
    // A checkpoint of the master behind that, and the journal is not needed any more.
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    cluster.slave.restart();
    let journal = cluster.slave.data_dir().join("journal");
    assert_eq!(
        files::list(&journal, "fw-"),
        Vec::<std::path::PathBuf>::new()
    );
    cluster.synchronize();
    compare::databases(&cluster.master, &cluster.slave);
    compare::logs(&cluster.master, &cluster.slave);
}

#[test]
fn a_slave_that_is_promoted_while_its_log_is_off_begins_a_generation_in_it() {
    for is_clean in [false, true] {
        let mut cluster = Cluster::start();
        let (even, behind) = (another(&cluster, "even"), another(&cluster, "behind"));
        open(&cluster.master);
        sell(&cluster.master, 5);
        cluster.synchronize();
        follower::replicate(&cluster.master, &behind, &["-S"]).ok();
        cluster.slave.dbctl(&["forwardlog", "disable"]).ok();
        sell(&cluster.master, 5);
        cluster.synchronize();
        follower::replicate(&cluster.master, &even, &["-S"]).ok();
        cluster.master.stop();
        cluster.slave.kill9();
        if is_clean {
            cluster.slave.start();
            cluster.slave.dbctl(&["forwardlog", "disable"]).ok();
            cluster.slave.stop();
        }
        cluster.slave.set_role("Master");
        cluster.slave.start();
        assert_eq!(state(&cluster.slave), "enabled");
        assert_eq!(items(&cluster.slave), 10);
        sell(&cluster.slave, 5);
        let (kept, _) = kept(&cluster.slave);
        assert_eq!(
            kept.last().map(|id| id.generation.get()),
            Some(2),
            "{kept:?}"
        );
        // Who has all that was before goes on; who has not is told what is missing.
        follower::replicate(&cluster.slave, &even, &["-S"]).ok();
        compare::databases(&cluster.slave, &even);
        let told = follower::replicate(&cluster.slave, &behind, &["-S"]).fails(5);
        assert!(told.contains("gone"), "{told}");
        cluster.slave.kill9();
        cluster.slave.start();
        assert_eq!(items(&cluster.slave), 15);
    }
}

#[test]
fn who_reads_an_interrupted_log_is_told_so() {
    let cluster = Cluster::start();
    let (master, slave) = (&cluster.master, &cluster.slave);
    let third = another(&cluster, "third");
    open(master);
    sell(master, 5);
    cluster.synchronize();
    follower::replicate(slave, &third, &["-S"]).ok();
    // It would lose its source.
    let asked = slave.dbctl(&["forwardlog", "disable"]).fails(1);
    assert!(asked.contains("slaves live on this log"), "{asked}");
    assert!(asked.contains("third ("), "{asked}");
    slave.dbctl(&["forwardlog", "disable", "--yes"]).ok();
    sell(master, 5);
    cluster.synchronize();
    let told = follower::replicate(slave, &third, &["-S"]).fails(5);
    assert!(told.contains("forward logging was switched off"), "{told}");
    assert!(told.contains("hint: "), "{told}");
    assert_eq!(items(&third), 5);
    slave.dbctl(&["forwardlog", "enable"]).ok();
    master.dbctl(&["forwardlog", "switch"]).ok();
    sell(master, 5);
    cluster.synchronize();
    let told = follower::replicate(slave, &third, &["-S"]).fails(5);
    assert!(
        told.contains("no longer holds what the slave needs next"),
        "{told}"
    );
    assert!(told.contains("gone"), "{told}");
    // The master still has all of it.
    follower::replicate(master, &third, &["-S"]).ok();
    follower::replicate(slave, &third, &["-S"]).ok();
    compare::databases(master, &third);
}

#[test]
fn a_slave_without_fwlog_has_no_forward_log_to_switch_on() {
    let settings = Settings::slave().without("ForwardLog", "FwLog");
    let cluster = Cluster::with(Settings::master(), settings);
    open(&cluster.master);
    cluster.synchronize();
    let told = cluster.slave.dbctl(&["forwardlog", "enable"]).fails(1);
    assert!(told.contains("FwLog is not set"), "{told}");
    cluster.slave.dbctl(&["forwardlog", "disable"]).ok();
    assert_eq!(state(&cluster.slave), "disabled");
}

#[test]
fn a_further_slave_goes_on_where_nothing_is_missing() {
    let mut cluster = Cluster::start();
    let third = another(&cluster, "third");
    open(&cluster.master);
    sell(&cluster.master, 5);
    // The stop ends a segment: off and on before the next one interrupts nothing.
    cluster.master.stop();
    cluster.synchronize();
    follower::replicate(&cluster.slave, &third, &["-S"]).ok();
    let before = kept(&cluster.slave);
    cluster
        .slave
        .dbctl(&["forwardlog", "disable", "--yes"])
        .ok();
    assert_eq!(kept(&cluster.slave), before);
    let told = follower::replicate(&cluster.slave, &third, &["-S"]).fails(5);
    assert!(told.contains("forward logging was switched off"), "{told}");
    cluster.slave.dbctl(&["forwardlog", "enable"]).ok();
    cluster.master.start();
    sell(&cluster.master, 5);
    cluster.synchronize();
    follower::replicate(&cluster.slave, &third, &["-S"]).ok();
    assert_eq!(items(&third), 10);
    compare::databases(&cluster.master, &third);
    compare::logs(&cluster.master, &third);
    compare::logs(&cluster.master, &cluster.slave);
}
