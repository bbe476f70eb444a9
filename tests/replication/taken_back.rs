//! A former root comes back in ways that are not the usual one: what it had is kept, or it says why it can't go back.

use dbtests::Cluster;
use dbtests::process::Run;

use crate::fencing::{pair, promote, settle_and_compare};
use crate::rejoin::{feed, is_back, json, kept, may_ask};
use crate::shop::{SHOP, items, sell};

/// `dbctl rejoin` of the former root, at the new one.
fn rejoin(cluster: &Cluster, options: &[&str]) -> Run {
    let root = cluster.slave.address().to_string();
    let command = [&["rejoin", "--from", &root, "--no-wait"], options].concat();
    cluster.master.dbctl(&command)
}

/// A database that was removed behind the fork is in no log: its pages went with its file.
#[test]
fn with_auto_it_waits_for_a_person_where_only_a_copy_helps() {
    let (mut cluster, mut there) = pair();
    cluster.master.sql("system", "CREATE DATABASE archive");
    cluster.wait_for_slave(&mut there);
    there.stop();
    sell(&cluster.master, 7);
    cluster.master.sql("system", "DROP DATABASE archive");
    cluster.master.kill9();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    cluster
        .master
        .reconfigure(|settings| settings.set("Replication", "Rejoin", "auto"));
    cluster.master.start();
    let master = &cluster.master;
    let why = "database \"archive\" was removed behind the fork, and its pages with it";
    let sentence = format!(
        "this server does not go back by itself: it takes a copy ('dbctl rejoin --plan compare'), since {why}"
    );
    for _ in 0..2 {
        let mut refused = feed(&cluster, master, &["--init", "auto"]);
        assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
        let told = master.log().matches(&sentence).count();
        assert_eq!(told, 1, "once: {}", master.log());
        assert_eq!(items(master), 17, "nothing has changed");
        let kept = master.data_dir().join("lost");
        assert!(!kept.exists(), "nothing is taken back");
    }
    // A person says so; then dbrepl brings it.
    let dry = json(&master.dbctl(&["rejoin", "--dry-run", "--json"]));
    assert_eq!(
        [&dry["plan"], &dry["state"]],
        ["compare", "planned"],
        "{dry}"
    );
    assert_eq!(dry["not_cheaper"][1]["why"], why, "{dry}");
    let begun = json(&master.dbctl(&["rejoin", "--json", "--no-wait"]));
    assert_eq!(begun["state"], "awaits-copy", "{begun}");
    let mut back = feed(&cluster, master, &["--init", "auto"]);
    settle_and_compare(&cluster.slave, master);
    assert_eq!(items(master), 15);
    let archives = master.sql(
        "system",
        "SELECT count(*) FROM pg_database WHERE datname = 'archive'",
    );
    assert_eq!(archives, [["1"]], "the new root has it still");
    // Its rows are in no log: what was lost is there as segments, and says why.
    let (_, told) = kept(master);
    assert_eq!(
        [&told["role"], &told["plan"]],
        ["primary", "compare"],
        "{told}"
    );
    assert_eq!(told["exact"], false, "{told}");
    let said = told["why"].as_str().unwrap_or_default();
    assert!(said.contains("\"archive\" was removed"), "{told}");
    back.stop();
}

/// Scenario: A stops cleanly while B is behind, B becomes the root, and A comes back.
#[test]
fn what_a_root_that_stopped_cleanly_had_more_is_what_is_lost() {
    let (mut cluster, mut there) = pair();
    there.stop();
    for id in 101..=103 {
        let sql = format!("INSERT INTO item (id, name) VALUES ({id}, 'of the first')");
        cluster.master.sql(SHOP, &sql);
    }
    // All of it is in its data files.
    cluster.master.stop();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    may_ask(&mut cluster.master);
    cluster.master.start();
    let begun = json(&rejoin(&cluster, &["--json"]));
    assert_eq!(begun["plan"], "log", "{begun}");
    assert_eq!(begun["transactions"], 3, "the lag: {begun}");
    is_back(&cluster.master);
    let mut back = feed(&cluster, &cluster.master, &[]);
    settle_and_compare(&cluster.slave, &cluster.master);
    back.stop();
    assert_eq!(items(&cluster.master), 15);
    let (directory, told) = kept(&cluster.master);
    assert_eq!([&told["transactions"], &told["changes"]], [3, 3], "{told}");
    let applied =
        cluster
            .slave
            .dbctl(&["lost", "apply", &directory.display().to_string(), "--json"]);
    let told = json(&applied);
    assert_eq!([&told["applied"], &told["conflict"]], [3, 0], "{told}");
}

/// Scenario: forward logging was off behind the fork, so what was committed there is in no segment.
#[test]
fn a_root_whose_log_ended_in_the_journal_is_told_that_only_a_copy_helps() {
    let (mut cluster, mut there) = pair();
    there.stop();
    sell(&cluster.master, 3);
    cluster
        .master
        .dbctl(&["forwardlog", "disable", "--yes"])
        .ok();
    sell(&cluster.master, 2);
    cluster.master.kill9();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    may_ask(&mut cluster.master);
    cluster.master.start();
    let refused = rejoin(&cluster, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for part in ["a part of it is in the journal", "--resync"] {
        assert!(refused.err.contains(part), "{part}: {refused:?}");
    }
    assert_eq!(items(&cluster.master), 15, "nothing has changed");
}
