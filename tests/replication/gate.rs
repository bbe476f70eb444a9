//! What holds the log back on purpose: a delay, and a filter of the operator's.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dbtests::compare;
use dbtests::{Cluster, Follower, LONG, Server, files, follower, process, wait_for};
use serde_json::Value;

use crate::shop::{SHOP, items, open, sell};

fn filled() -> Cluster {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    cluster
}

fn follow(cluster: &Cluster, options: &[&str]) -> Follower {
    let options = [&["-v"], options].concat();
    let command = follower::dbrepl(&cluster.master, &cluster.slave, &options);
    Follower::run(command, cluster.folder().join("gate.log"))
}

/// How the one replication stands that a server knows of.
fn standing(server: &Server) -> Option<Value> {
    let run = server.dbctl(&["replication", "status", "--json"]);
    let all: Value = serde_json::from_str(run.out.trim()).ok()?;
    all.get(0).cloned()
}

#[track_caller]
fn wait_for_standing(server: &Server, state: &str, reason: &str) -> Value {
    wait_for(
        &format!("replication to be {state}: {reason}"),
        LONG,
        || {
            standing(server).filter(|one| {
                let why = one["reason"].as_str().unwrap_or_default();
                one["state"] == state && why.contains(reason)
            })
        },
    )
}

fn applied(server: &Server) -> u64 {
    let status = server.dbctl(&["replication", "status", "--json"]).ok();
    let all: Value = serde_json::from_str(status.trim()).expect("JSON");
    all[0]["applied"]["commit"].as_u64().expect("a commit")
}

#[test]
fn a_delayed_slave_is_behind_on_purpose_and_that_is_no_trouble() {
    let cluster = filled();
    sell(&cluster.master, 3);
    let mut follower = follow(&cluster, &["--delay", "1h"]);
    for server in [&cluster.master, &cluster.slave] {
        let status = wait_for_standing(server, "following", "delayed by 1 h");
        assert_eq!(status["delay_in_seconds"], 3600.0);
        assert_eq!(status["lag_in_commits"], 3, "{status}");
        let checked = server.dbctl(&["replication", "check"]).ok();
        assert!(
            checked.starts_with("ok:") && checked.contains("delayed by 3600"),
            "{checked}"
        );
    }
    // What is committed meanwhile waits, too; the log is kept for it.
    sell(&cluster.master, 2);
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster
        .master
        .dbctl(&["forwardlog", "remove", "--keep", "0"])
        .ok();
    assert_eq!(items(&cluster.slave), 5);
    assert!(follower.is_running());
    follower.stop();
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 10);
    compare::databases(&cluster.master, &cluster.slave);
}

#[test]
fn nothing_comes_before_its_time_and_all_comes_after_it() {
    const DELAY: Duration = Duration::from_secs(2);
    let cluster = filled();
    let committed = SystemTime::now();
    sell(&cluster.master, 3);
    let delay = format!("{}ms", DELAY.as_millis());
    let told = cluster.replicate(&["-S", "--delay", &delay]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    let took = committed.elapsed().expect("a clock that was not set");
    assert!(took >= DELAY, "{took:?}");
    assert_eq!(items(&cluster.slave), 8);
    cluster.compare();
}

/// A filter that writes down what it is asked, and holds the transaction of that number.
fn filter(cluster: &Cluster, holds: u64) -> (String, PathBuf) {
    let asked = cluster.folder().join("asked");
    let script = cluster.folder().join("filter.sh");
    let text = format!(
        "while read -r line; do\n printf '%s\\n' \"$line\" >>{}\n case $line in\n *'\"commit\":{holds},'*) echo hold;;\n *) echo pass;;\n esac\ndone\n",
        asked.display()
    );
    files::write(&script, text);
    (format!("sh {}", script.display()), asked)
}

fn asked(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn a_filter_is_asked_about_each_transaction_in_order() {
    let cluster = filled();
    // From here on the master's control file names the shop.
    cluster.master.dbctl(&["checkpoint"]).ok();
    let first = applied(&cluster.slave) + 1;
    sell(&cluster.master, 20);
    cluster.master.sql("system", "CREATE DATABASE late");
    cluster.master.sql("late", "CREATE TABLE t (a int)");
    let (command, path) = filter(&cluster, 0);
    let told = cluster.replicate(&["-S", "--filter", &command]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    cluster.compare();
    let asked = asked(&path);
    let numbers: Vec<u64> = asked
        .iter()
        .map(|it| it["commit"].as_u64().expect("a number"))
        .collect();
    let expected: Vec<u64> = (first..=applied(&cluster.slave)).collect();
    assert_eq!(numbers, expected);
    let of_shop = asked.iter().filter(|it| it["database"] == SHOP);
    assert_eq!(of_shop.count(), 20);
    let last = asked.last().expect("a transaction");
    assert_eq!(last["database"], "late");
    let pages = last["page_numbers"].as_array().expect("a list");
    assert_eq!(last["pages"].as_u64(), Some(pages.len() as u64));
    assert!(last["bytes"].as_u64() >= Some(4096), "{last}");
}

#[test]
fn a_filter_that_holds_stops_the_log_before_that_transaction() {
    let cluster = filled();
    let held = applied(&cluster.slave) + 3;
    sell(&cluster.master, 6);
    let (command, path) = filter(&cluster, held);
    let mut follower = follow(&cluster, &["--filter", &command]);
    let words = format!("before commit {held}");
    for server in [&cluster.master, &cluster.slave] {
        wait_for_standing(server, "held", &words);
        let checked = server.dbctl(&["replication", "check"]);
        assert_eq!(checked.code, Some(2), "{checked:?}");
        assert!(checked.out.contains(&words), "{checked:?}");
    }
    wait_for("what is before it", LONG, || {
        (items(&cluster.slave) == 7).then_some(())
    });
    assert_eq!(
        asked(&path).len(),
        3,
        "one answer a transaction, and no more questions"
    );
    assert!(follower.is_running());
    follower.stop();
    // With a goal it can't be reached.
    let told = cluster.replicate(&["-S", "--filter", &command]).fails(1);
    assert!(told.contains(&words), "{told}");
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 11);
    cluster.compare();
}

#[test]
fn nothing_is_sent_without_the_filters_word() {
    let cluster = filled();
    sell(&cluster.master, 6);
    for (command, why) in [
        ("read -r line; echo pass; exit 3", "has ended with 3"),
        ("read -r line; echo perhaps", "neither pass nor hold"),
    ] {
        let before = items(&cluster.slave);
        let options = ["-v", "--filter", command];
        let mut dbrepl = follower::dbrepl(&cluster.master, &cluster.slave, &options);
        let told = process::run(&mut dbrepl, b"").fails(1);
        assert!(told.contains(why), "{told}");
        let sentence = "nothing is sent without its word";
        assert!(told.contains(sentence), "{told}");
        assert!(items(&cluster.slave) <= before + 1);
        wait_for_standing(&cluster.slave, "refused", why);
    }
    cluster.synchronize();
    cluster.compare();
}

#[test]
fn what_goes_through_no_gate_is_not_made_by_itself() {
    let cluster = Cluster::start();
    open(&cluster.master);
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    cluster.master.dbctl(&["checkpoint"]).ok();
    let segments = cluster.master.segments();
    let first = segments.segments().first().expect("a segment");
    fs::remove_file(&first.path).expect("a segment to remove");
    let options = ["-v", "-S", "--init", "auto", "--delay", "1s"];
    let mut dbrepl = follower::dbrepl(&cluster.master, &cluster.slave, &options);
    let told = process::run(&mut dbrepl, b"").fails(5);
    assert!(told.contains("no longer begins at the beginning"), "{told}");
}
