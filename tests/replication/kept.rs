//! How long the log is kept: for itself, and for slaves.

use std::fs;

use dbtests::{Cluster, Follower, LONG, Server, Settings, compare, follower, process, wait_for};
use fwlog::SegmentId;

use crate::shop::{SHOP, items, open};

/// A master and a slave that keep all.
fn master_and_slave() -> Cluster {
    let cluster = Cluster::start();
    open(&cluster.master);
    let large = "CREATE TABLE large (id SERIAL PRIMARY KEY, body BYTEA)";
    cluster.master.sql(SHOP, large);
    cluster
}

/// The master keeps so much of its log from now on, and so much of it for slaves.
fn keep(cluster: &mut Cluster, keep: &str, for_slaves: &str) {
    cluster.master.reconfigure(|settings| {
        settings
            .set("ForwardLog", "FwKeep", keep)
            .set("ForwardLog", "FwKeepForSlaves", for_slaves)
    });
    cluster.master.restart();
}

/// The same without a restart.
fn keep_from_now_on(cluster: &mut Cluster, keep: &str, for_slaves: &str) {
    let master = &mut cluster.master;
    master.reconfigure(|settings| {
        settings
            .set("Server", "MaxSessions", "77")
            .set("ForwardLog", "FwKeep", keep)
            .set("ForwardLog", "FwKeepForSlaves", for_slaves)
    });
    master.process().signal("HUP");
    wait_for("the master to read its configuration again", LONG, || {
        let log = cluster.master.log();
        let taken = [
            format!("SIGHUP: FwKeep is {keep} now"),
            format!("SIGHUP: FwKeepForSlaves is {for_slaves} now"),
            "SIGHUP: MaxSessions in [Server] has changed, which holds at the next start".into(),
        ];
        taken.iter().all(|line| log.contains(line)).then_some(())
    });
}

/// So many more segments of at least 20 KB, none of which a restart needs.
fn grow(master: &Server, segments: u32) {
    let client = master.client(SHOP);
    for _ in 0..segments {
        client.run("INSERT INTO large (body) VALUES (gen_random_bytes(20000))");
        master.dbctl(&["forwardlog", "switch"]).ok();
    }
    master.dbctl(&["checkpoint"]).ok();
}

fn names(server: &Server) -> Vec<SegmentId> {
    let directory = server.segments();
    directory.segments().iter().map(|it| it.id).collect()
}

fn first(server: &Server) -> SegmentId {
    *names(server).first().expect("a segment")
}

/// The rows of `forwardlog remove` with these words: segment, result and reason.
fn remove(server: &Server, words: &[&str]) -> Vec<(String, String, String)> {
    let command = [&["--json", "forwardlog", "remove"], words].concat();
    let run = server.dbctl(&command).ok();
    let told: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    let segments = told["segments"].as_array().expect("segments").iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let told = segments.map(|it| {
        let result = if it["removed"] == true {
            "goes"
        } else {
            "stays"
        };
        (text(&it["segment"]), result.to_owned(), text(&it["reason"]))
    });
    told.collect()
}

/// Why the oldest segment stays that does.
fn why(server: &Server, words: &[&str]) -> String {
    let told = remove(server, &[words, &["--dry-run"]].concat());
    let stays = told.into_iter().find(|(_, result, _)| result == "stays");
    stays.expect("a segment").2
}

/// The one slot of a server, by the columns of `slot list`.
fn slot(server: &Server) -> serde_json::Value {
    let run = server.dbctl(&["--json", "slot", "list"]).ok();
    let told: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    told[0].clone()
}

fn checked(server: &Server) -> String {
    let run = server.dbctl(&["replication", "check"]);
    run.out + &run.err
}

fn copied(master: &Server, slave: &Server) -> process::Run {
    let source = master.address().to_string();
    let options = ["-v", "-S", "--init", "auto", "--source", &source];
    let run = process::run(&mut follower::dbrepl(master, slave, &options), b"");
    assert_eq!(run.code, Some(0), "{}\n{}", run.err, slave.log());
    run
}

#[test]
fn by_size_the_oldest_go_by_themselves_and_a_restart_and_slaves_do_without() {
    let mut cluster = master_and_slave();
    keep(&mut cluster, "100k", "0");
    grow(&cluster.master, 12);
    let size = |from: usize| -> u64 {
        let directory = cluster.master.segments();
        let lengths = directory.segments().iter().skip(from);
        lengths
            .filter_map(|it| it.sealed.map(|seal| seal.length))
            .sum()
    };
    wait_for("the log to be as short as it may be", LONG, || {
        (size(1) < 100 << 10).then_some(())
    });
    assert!(size(0) >= 99 << 10, "{} bytes are left", size(0));
    let left = names(&cluster.master);
    assert!(left.len() > 4, "{left:?}");
    assert_eq!(why(&cluster.master, &[]), "within FwKeep");
    cluster.master.kill9();
    cluster.master.start();
    assert!(
        copied(&cluster.master, &cluster.slave)
            .err
            .contains("the copy is complete")
    );
    cluster.compare();
}

#[test]
fn a_slave_that_is_away_finds_what_was_promised() {
    let mut cluster = master_and_slave();
    cluster.synchronize();
    keep(&mut cluster, "0", "64g");
    let needs = slot(&cluster.master)["needs"].as_str().map(str::to_owned);
    grow(&cluster.master, 5);
    let stays = || why(&cluster.master, &[]) == "slave slave needs it";
    wait_for("all to go that the slave does not need", LONG, || {
        stays().then_some(())
    });
    assert_eq!(slot(&cluster.master)["state"], "active");
    // Neither what dbrepl has noted nor the server has to be there all the time.
    let note = cluster.master.fwlog_dir().join("slave-slave.status");
    fs::remove_file(&note).expect("a note to remove");
    cluster.master.kill9();
    cluster.master.start();
    grow(&cluster.master, 2);
    assert_eq!(why(&cluster.master, &[]), "slave slave needs it");
    let told = checked(&cluster.master);
    assert!(
        told.contains("critical: slave slave: not connected"),
        "{told}"
    );
    let after = slot(&cluster.master)["needs"].as_str().map(str::to_owned);
    assert_eq!(after, needs);
    let run = copied(&cluster.master, &cluster.slave);
    assert!(!run.err.contains("copy"), "{}", run.err);
    compare::databases(&cluster.master, &cluster.slave);
    // What it has is not kept for it any more.
    grow(&cluster.master, 1);
    copied(&cluster.master, &cluster.slave);
    let newest = *names(&cluster.master).last().expect("a segment");
    wait_for("the log to be short", LONG, || {
        (first(&cluster.master).sequence.get() + 1 >= newest.sequence.get()).then_some(())
    });
}

#[test]
fn a_slave_that_is_away_for_too_long_is_lost_loudly_and_heals_by_a_copy() {
    let mut cluster = master_and_slave();
    cluster.synchronize();
    keep_from_now_on(&mut cluster, "0", "150k");
    let segment = first(&cluster.master);
    grow(&cluster.master, 12);
    wait_for("the slot to be lost", LONG, || {
        (slot(&cluster.master)["state"] == "lost").then_some(())
    });
    let log = cluster.master.log();
    assert_eq!(log.matches("ERROR").count(), 1, "{log}");
    assert!(
        log.contains("slave slave is lost: it needs the log from"),
        "{log}"
    );
    assert!(log.contains("FwKeepForSlaves is 150.0 KiB"), "{log}");
    wait_for("the log to be short", LONG, || {
        (first(&cluster.master) > segment).then_some(())
    });
    let told = checked(&cluster.master);
    let begins = format!(
        "critical: slave slave: log missing since {}",
        told.split("since ")
            .nth(1)
            .and_then(|it| it.split(": ").next())
            .unwrap_or_default()
    );
    assert!(told.starts_with(&begins), "{told}");
    assert!(told.contains("lost: needs 1-"), "{told}");
    assert!(
        told.contains("; dbrepl re-synchronizes it by itself"),
        "{told}"
    );
    assert!(
        copied(&cluster.master, &cluster.slave)
            .err
            .contains("the copy is complete")
    );
    wait_for("the slot to be kept again", LONG, || {
        (slot(&cluster.master)["state"] == "active").then_some(())
    });
    assert!(!checked(&cluster.master).contains("lost"));
    cluster.compare();
}

#[test]
fn by_hand_a_person_sees_before_what_goes_and_why_the_rest_stays() {
    let cluster = master_and_slave();
    cluster.synchronize();
    grow(&cluster.master, 4);
    let before = names(&cluster.master);
    assert_eq!(why(&cluster.master, &[]), "within FwKeep");
    assert_eq!(
        why(&cluster.master, &["--keep", "0"]),
        "slave slave needs it"
    );
    cluster.synchronize();
    let planned = remove(&cluster.master, &["--keep=0", "--dry-run"]);
    assert_eq!(names(&cluster.master), before, "nothing has happened");
    let goes = |told: &[(String, String, String)]| {
        told.iter()
            .filter(|(_, result, _)| result == "goes")
            .count()
    };
    assert!(goes(&planned) >= 3, "{planned:?}");
    assert_eq!(planned.last().expect("a segment").2, "the newest segment");
    assert!(
        remove(&cluster.master, &[])
            .iter()
            .all(|it| it.1 == "stays")
    );
    assert_eq!(remove(&cluster.master, &["--keep", "0"]), planned);
    assert_eq!(names(&cluster.master), before[goes(&planned)..]);
    let wrong = cluster
        .master
        .dbctl(&["forwardlog", "remove", "--keep"])
        .fails(2);
    assert!(
        wrong.contains("usage: forwardlog remove [--keep"),
        "{wrong}"
    );

    // A slave's log is its own to shorten.
    let of_slave = remove(&cluster.slave, &["--keep", "0"]);
    assert!(goes(&of_slave) >= 3, "{of_slave:?}");
    cluster
        .master
        .dbctl(&["forwardlog", "disable", "--yes"])
        .ok();
    let off = cluster.master.dbctl(&["forwardlog", "remove"]).fails(1);
    assert!(off.contains("forward logging is off"), "{off}");
}

#[test]
fn a_slot_is_dropped_where_a_person_is_sure_and_its_slave_is_not_there() {
    let mut cluster = master_and_slave();
    cluster.synchronize();
    keep(&mut cluster, "0", "64g");
    let mut fed = cluster.follow();
    cluster.wait_for_slave(&mut fed);
    wait_for("a slot", LONG, || {
        (slot(&cluster.master)["name"] == "slave").then_some(())
    });
    let drop = |words: &[&str]| cluster.master.dbctl(&[&["slot", "drop"], words].concat());
    assert!(
        drop(&["slave", "--yes"])
            .fails(1)
            .contains("slave 'slave' is connected")
    );
    fed.stop();
    grow(&cluster.master, 3);
    let refused = drop(&["slave"]).fails(1);
    assert!(
        refused.contains("slave 'slave' could still go on"),
        "{refused}"
    );
    assert_eq!(slot(&cluster.master)["name"], "slave");
    assert!(
        drop(&["north", "--yes"])
            .fails(1)
            .contains("no slave 'north'")
    );
    drop(&["slave", "--yes"]).ok();
    assert!(slot(&cluster.master).is_null());
    assert!(checked(&cluster.master).contains("no slave has been connected"));
    wait_for("its segments to go", LONG, || {
        (names(&cluster.master).len() <= 2).then_some(())
    });
    // It comes back by a copy, and has a slot again, which forgetting it takes, too.
    assert!(
        copied(&cluster.master, &cluster.slave)
            .err
            .contains("the copy is complete")
    );
    wait_for("a slot", LONG, || {
        (slot(&cluster.master)["name"] == "slave").then_some(())
    });
    cluster
        .master
        .dbctl(&["replication", "forget", "slave"])
        .ok();
    assert!(slot(&cluster.master).is_null());
}

#[test]
fn a_copy_that_is_being_made_keeps_what_comes_behind_it() {
    let mut cluster = master_and_slave();
    keep(&mut cluster, "0", "0");
    let load =
        "INSERT INTO large (body) SELECT gen_random_bytes(20000) FROM generate_series(1, 200)";
    cluster.master.sql(SHOP, load);
    grow(&cluster.master, 2);
    let newest = || *names(&cluster.master).last().expect("a segment");
    wait_for("the beginning to be gone", LONG, || {
        (first(&cluster.master) > SegmentId::FIRST).then_some(())
    });
    let source = cluster.master.address().to_string();
    let slow = ["-v", "--init", "auto", "--source", &source, "-b", "2m"];
    let mut fed = Follower::run(
        follower::dbrepl(&cluster.master, &cluster.slave, &slow),
        cluster.folder().join("dbrepl.log"),
    );
    wait_for("the copy to begin", LONG, || {
        assert!(fed.is_running(), "{}", fed.output());
        cluster
            .slave
            .log()
            .contains("a first copy begins")
            .then_some(())
    });
    let at = newest();
    grow(&cluster.master, 4);
    let told = remove(&cluster.master, &[]);
    let held: Vec<_> = told.iter().filter(|it| it.2.contains("a copy")).collect();
    assert!(held.len() >= 4, "{told:?}");
    assert!(first(&cluster.master) <= at);
    // Segments that the slave has are compared with the master's, which would otherwise go with the copy.
    keep_from_now_on(&mut cluster, "all", "1g");
    wait_for("the copy to be complete", LONG, || {
        assert!(fed.is_running(), "{}", fed.output());
        fed.output().contains("the copy is complete").then_some(())
    });
    cluster.wait_for_slave(&mut fed);
    assert_eq!(fed.output().matches("the copy is complete").count(), 1);
    fed.stop();
    cluster.compare();
}

#[test]
fn a_slave_keeps_its_log_for_slaves_of_its_own() {
    let cluster = master_and_slave();
    let name = Settings::new("third", "Slave");
    let mut third = Server::create(cluster.folder().path(), name);
    third.start();
    cluster.synchronize();
    copied(&cluster.slave, &third);
    wait_for("a slot on the slave", LONG, || {
        (slot(&cluster.slave)["name"] == "third").then_some(())
    });
    grow(&cluster.master, 4);
    cluster.synchronize();
    // Its own restart needs it, too, until its checkpoint has followed.
    wait_for("nothing but the slave to need it", LONG, || {
        (why(&cluster.slave, &["--keep", "0"]) == "slave third needs it").then_some(())
    });
    remove(&cluster.slave, &["--keep", "0"]);
    copied(&cluster.slave, &third);
    compare::databases(&cluster.master, &third);
    let mut told = String::new();
    wait_for("its slot to move on", LONG, || {
        told = why(&cluster.slave, &["--keep", "0"]);
        (told != "slave third needs it").then_some(())
    });
    assert_eq!(items(&third), 0);
    cluster
        .slave
        .dbctl(&["slot", "drop", "third", "--yes"])
        .ok();
    assert!(slot(&cluster.slave).is_null());
}

#[test]
fn wherever_a_crash_comes_between_removals_no_gap_is_left() {
    let mut cluster = master_and_slave();
    cluster.synchronize();
    for round in 0..4 {
        grow(&cluster.master, 15);
        let before = names(&cluster.master);
        let by_itself = if round % 2 == 0 { "0" } else { "all" };
        keep(&mut cluster, by_itself, "50k");
        let more = cluster.master.dbctl_command();
        let by_hand = std::thread::spawn(move || {
            let mut more = more;
            more.args(["forwardlog", "remove", "--keep", "0", "--yes"]);
            more.env("EQ_DBPASSWORD", dbtests::PASSWORD);
            process::run(&mut more, b"")
        });
        wait_for("the first one to go", LONG, || {
            (first(&cluster.master) > before[0]).then_some(())
        });
        cluster.master.kill9();
        by_hand.join().expect("dbctl has an end");
        let directory = cluster.master.segments();
        assert!(directory.gaps().is_empty(), "{:?}", directory.gaps());
        cluster.master.start();
    }
    assert_eq!(slot(&cluster.master)["state"], "lost");
    copied(&cluster.master, &cluster.slave);
    cluster.compare();
}
