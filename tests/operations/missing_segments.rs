//! Segments that dbrepl needs and does not find, and files that only look like segments.

use std::path::{Path, PathBuf};

use dbtests::{Cluster, Folder, Server, Settings, files};

use crate::shop::{items, open, sell, told, try_to_sell, wait_for_log, wait_for_trouble};

fn rename(from: &Path, to: &Path) {
    let moved = std::process::Command::new("mv").arg(from).arg(to).status();
    assert!(moved.expect("mv").success());
}

/// A cluster whose slave has the beginning; gives the segments that it lacks.
fn lagging() -> (Cluster, Vec<PathBuf>) {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 5);
    cluster.synchronize();
    for _ in 0..3 {
        cluster.master.dbctl(&["forwardlog", "switch"]).ok();
        sell(&cluster.master, 5);
    }
    let has = cluster.slave.segments().segments().last().expect("one").id;
    let lacks = cluster
        .master
        .segments()
        .segments()
        .iter()
        .filter(|segment| segment.id > has && segment.sealed.is_some())
        .map(|segment| segment.path.clone())
        .collect();
    (cluster, lacks)
}

#[test]
fn a_renamed_segment_is_named_with_exit_code_5_and_waited_for_when_following() {
    let (cluster, lacks) = lagging();
    let aside = lacks[0].with_extension("bak");
    rename(&lacks[0], &aside);
    let name = lacks[0].display().to_string();
    for goal in [&["-S"][..], &["-G"], &["-T", "2100-01-01"]] {
        let told = cluster.replicate(goal).fails(5);
        assert!(
            told.contains(&name),
            "{goal:?}: it names the segment: {told}"
        );
        assert!(told.contains("hint: "), "{goal:?}: {told}");
    }
    let mut follower = cluster.follow();
    follower.wait_for_line("waiting for it to come back");
    assert!(follower.output().contains(&name), "{}", follower.output());
    dbtests::waiting::pause(std::time::Duration::from_secs(3));
    assert!(follower.is_running());
    rename(&aside, &lacks[0]);
    cluster.wait_for_slave(&mut follower);
    assert_eq!(items(&cluster.slave), 20);
    let output = follower.output();
    assert_eq!(
        output.matches("waiting for it").count(),
        1,
        "said once: {output}"
    );
    follower.stop();
    cluster.compare();
}

#[test]
fn a_removed_segment_at_the_slaves_own_place_is_named_too() {
    let (cluster, _) = lagging();
    let at = cluster.slave.segments().segments().last().unwrap().id;
    let path = cluster.master.segments().get(at).unwrap().path.clone();
    // The slave's segment has a rest that it has not got.
    let slave_has = cluster.slave.segments().get(at).unwrap().sealed.is_some();
    assert!(!slave_has);
    let rest = files::hide(&path);
    let next = cluster
        .master
        .segments()
        .segments()
        .iter()
        .find(|s| s.id > at)
        .unwrap()
        .path
        .clone();
    let hidden = files::hide(&next);
    let told = cluster.replicate(&["-S"]).fails(5);
    assert!(told.contains(&path.display().to_string()), "{told}");
    files::unhide(&hidden);
    files::unhide(&rest);
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 20);
    cluster.compare();
}

#[test]
fn a_copy_under_another_name_is_named_and_moved_away_by_a_person() {
    let (mut cluster, lacks) = lagging();
    let directory = cluster.master.fwlog_dir();
    let copy = directory.join("fw-1-99");
    std::fs::copy(&lacks[0], &copy).unwrap();
    // Replication goes by the file that is called as it should be.
    cluster.synchronize();
    wait_for_log(
        &cluster.master,
        "fw-1-99 is out of place, and stops the next start",
        0,
    );
    wait_for_trouble(&cluster.master, Some("fw-1-99 is out of place"));
    let check = || cluster.master.dbctl(&["replication", "check"]);
    assert_eq!(check().code, Some(2));
    // Moved away as it was told, it is not missed.
    rename(&copy, &directory.join("fw-1-99.copy"));
    wait_for_log(&cluster.master, "fw-1-99 is gone, and nothing needs it", 0);
    wait_for_trouble(&cluster.master, None);
    assert!(!check().out.contains("out of place"));
    assert_eq!(told(&cluster.master, "a restart needs it"), 0);
    // Before the redo point it stops no start, but a dbrepl.
    let old = directory.join("fw-1-1");
    let own = directory.join("fw-1-1.own");
    rename(&old, &own);
    // Looks that do not see it.
    dbtests::waiting::pause(std::time::Duration::from_secs(3));
    std::fs::copy(&lacks[0], &old).unwrap();
    wait_for_trouble(
        &cluster.master,
        Some("fw-1-1 is out of place, and stops a dbrepl"),
    );
    rename(&own, &old);
    wait_for_trouble(&cluster.master, None);
    rename(&directory.join("fw-1-99.copy"), &copy);
    wait_for_trouble(&cluster.master, Some("fw-1-99 is out of place"));
    sell(&cluster.master, 5);
    cluster.master.kill9();
    let told = cluster
        .master
        .try_start()
        .expect_err("it must not guess")
        .fails(1);
    assert!(told.contains("fw-1-99"), "{told}");
    assert!(told.contains("hint: Move the file out"), "{told}");
    // A name that is no segment's does no harm.
    rename(&copy, &directory.join("fw-1-2.copy"));
    cluster.master.start();
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 25);
    cluster.compare();
}

#[test]
fn a_slave_says_as_long_as_it_is_so_that_a_restart_would_fail() {
    let (mut cluster, _) = lagging();
    cluster.synchronize();
    let slave = &cluster.slave;
    let needed = slave
        .segments()
        .segments()
        .last()
        .expect("one")
        .path
        .clone();
    cluster.master.dbctl(&["forwardlog", "switch"]).ok();
    sell(&cluster.master, 5);
    cluster.synchronize();
    let own = files::read(&needed);
    let harms: [(&str, &dyn Fn()); 3] = [
        ("is gone, and a restart needs it", &|| {
            std::fs::remove_file(&needed).expect("a file");
        }),
        ("is damaged", &|| files::flip(&needed, 20)),
        ("is out of place", &|| {
            std::fs::copy(needed.with_file_name("fw-1-1"), &needed).expect("a copy");
        }),
    ];
    for (says, harm) in harms {
        harm();
        let trouble = wait_for_trouble(slave, Some(says));
        assert!(trouble.contains("since "), "{trouble}");
        let check = slave.dbctl(&["replication", "check"]);
        assert_eq!(check.code, Some(2), "{check:?}");
        assert!(check.out.contains(says), "{check:?}");
        files::write(&needed, &own);
        wait_for_trouble(slave, None);
        slave.dbctl(&["replication", "check"]);
    }
    cluster.slave.kill9();
    cluster.slave.start();
    cluster.compare();
}

#[test]
fn a_segment_of_another_environment_is_named_and_moved_away_by_a_person() {
    let (mut cluster, _) = lagging();
    let folder = Folder::new();
    let mut other = Server::create(folder.path(), Settings::new("other", "Master"));
    let newest = |server: &Server| {
        let segments = server.segments();
        segments.segments().last().expect("one").id.sequence.get()
    };
    let number = newest(&cluster.master) + 1;
    while newest(&other) < number {
        other.start();
        other.stop();
    }
    // It stands where the server's next segment belongs.
    let name = format!("fw-1-{number}");
    let stranger = cluster.master.fwlog_dir().join(&name);
    std::fs::copy(other.fwlog_dir().join(&name), &stranger).unwrap();
    let told = cluster.replicate(&["-S"]).fails(1);
    assert!(
        told.contains(&name) && told.contains("another environment"),
        "{told}"
    );
    assert!(told.contains("hint: move it"), "{told}");
    let said = format!("{name} is out of place, and stops the next start");
    wait_for_log(&cluster.master, &said, 0);
    // Writes wait until it is gone.
    assert_eq!(
        cluster.master.dbctl(&["forwardlog", "switch"]).code,
        Some(1)
    );
    wait_for_trouble(&cluster.master, Some(&name));
    cluster.master.kill9();
    let told = cluster
        .master
        .try_start()
        .expect_err("it is no part of the log")
        .fails(1);
    assert!(
        told.contains(&name) && told.contains("another environment"),
        "{told}"
    );
    std::fs::remove_file(&stranger).unwrap();
    cluster.master.start();
    sell(&cluster.master, 5);
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 25);
    cluster.compare();
}

#[test]
fn a_foreign_file_in_the_way_of_the_next_segment_holds_writes_up_until_it_is_moved() {
    let cluster = Cluster::start();
    let master = &cluster.master;
    open(master);
    let next = master
        .segments()
        .segments()
        .last()
        .unwrap()
        .id
        .next_sequence();
    let path = master.fwlog_dir().join(format!("fw-{next}"));
    files::write(&path, "not a segment");
    assert_eq!(master.dbctl(&["forwardlog", "switch"]).code, Some(1));
    let name = path.display().to_string();
    wait_for_trouble(master, Some(&name));
    assert_eq!(try_to_sell(master), Err("58030".to_owned()));
    rename(&path, &path.with_extension("aside"));
    wait_for_trouble(master, None);
    sell(master, 5);
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 5);
    cluster.compare();
}

#[test]
fn forward_logging_that_was_switched_off_is_told_to_a_follower_and_to_every_later_run() {
    let cluster = Cluster::start();
    let master = &cluster.master;
    open(master);
    sell(master, 5);
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    sell(master, 5);
    master.dbctl(&["forwardlog", "disable", "--yes"]).ok();
    assert_eq!(follower.ended().code(), Some(5));
    let output = follower.output();
    assert!(
        output.contains("forward logging was switched off on the master"),
        "{output}"
    );
    assert!(output.contains("re-synchronize"), "{output}");
    assert_eq!(items(&cluster.slave), 10, "it has all that was logged");
    sell(master, 5);
    for goal in [&["-S"][..], &[]] {
        let told = cluster.replicate(goal).fails(5);
        assert!(told.contains("was switched off"), "{goal:?}: {told}");
    }
    master.dbctl(&["forwardlog", "enable"]).ok();
    sell(master, 5);
    for goal in [&["-S"][..], &[]] {
        let told = cluster.replicate(goal).fails(5);
        assert!(told.contains("forward logging was off"), "{goal:?}: {told}");
    }
    assert_eq!(items(&cluster.slave), 10);
    assert_eq!(items(master), 20);
}
