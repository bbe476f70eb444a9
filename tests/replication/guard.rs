//! A server that was the root asks its peers before it writes: whether it still is the root, and whether they have what
//! its log has lost.

use std::path::Path;

use dbtests::{Cluster, Follower, LONG, PASSWORD, Server, Settings, files, follower, wait_for};

use crate::fencing::{pair, promote, settle_and_compare, status};
use crate::rejoin::{is_back, kept};
use crate::shop::{SHOP, items, sell};

/// A port at which nobody answers.
const NOBODY: &str = "127.0.0.1:1";

fn guard_of(server: &Server) -> String {
    let status = status(server);
    status["start_guard"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// From its next start on the server asks these.
fn asks(server: &mut Server, guard: &str, peers: &str) {
    let password = server.config_path().with_file_name("password");
    files::write_private(&password, PASSWORD);
    server.reconfigure(|settings| {
        settings
            .set("Replication", "PeerPasswordFile", "password")
            .set("Replication", "StartGuard", guard)
            .set("Replication", "Peers", peers)
    });
}

#[track_caller]
fn wait_for_role(server: &Server, role: &str) {
    wait_for("the server to have its role", LONG, || {
        (status(server)["role"] == role).then_some(())
    });
}

fn back(cluster: &Cluster) -> Follower {
    let log = cluster.folder().join("back.log");
    let command = follower::dbrepl(&cluster.slave, &cluster.master, &["-v"]);
    Follower::run(command, log)
}

/// Waits until it writes, and does.
fn write_on(server: &Server, count: u32) {
    wait_for_role(server, "Master");
    sell(server, count);
}

#[test]
fn a_root_that_was_left_behind_is_fenced_at_its_start_and_never_writes() {
    for guard in ["ask", "require"] {
        let (mut cluster, mut there) = pair();
        let end = cluster
            .master
            .command("forwardlog status")
            .remove("position");
        cluster.master.kill9();
        there.stop();
        promote(&cluster.slave);
        sell(&cluster.slave, 5);
        let peers = format!("{NOBODY}, {}", cluster.slave.address());
        asks(&mut cluster.master, guard, &peers);
        cluster.master.start();
        // No dbrepl of the new root runs.
        wait_for("the old root to be fenced", LONG, || {
            let fenced = status(&cluster.master)["fenced"].as_str()?.to_owned();
            fenced.contains("master was the root until").then_some(())
        });
        let told = status(&cluster.master);
        assert_eq!(told["role"], "Slave");
        let refused = cluster.master.client(SHOP).refused("DELETE FROM item");
        assert_eq!(refused.code, "25006");
        let now = cluster
            .master
            .command("forwardlog status")
            .remove("position");
        assert_eq!(now, end, "nothing was written");
        let configuration = String::from_utf8(files::read(&cluster.master.config_path()));
        assert!(configuration.expect("text").contains("Role = Slave"));
        let mut back = back(&cluster);
        settle_and_compare(&cluster.slave, &cluster.master);
        assert_eq!(items(&cluster.master), 15);
        back.stop();
    }
}

#[test]
fn where_no_peer_answers_ask_goes_on_with_a_warning_and_require_waits() {
    let (mut cluster, mut there) = pair();
    there.stop();
    cluster.slave.stop();
    let peers = format!("{NOBODY}, {}", cluster.slave.address());
    asks(&mut cluster.master, "ask", &peers);
    cluster.master.kill9();
    cluster.master.start();
    write_on(&cluster.master, 1);
    let told = guard_of(&cluster.master);
    assert!(
        told.contains("no peer has answered: 127.0.0.1:1: "),
        "{told}"
    );
    let check = cluster.master.dbctl(&["replication", "check"]);
    assert!(check.out.contains("no peer has answered"), "{check:?}");

    asks(&mut cluster.master, "require", &peers);
    cluster.master.restart();
    wait_for("the root to say what it waits for", LONG, || {
        let told = guard_of(&cluster.master);
        told.contains("no peer has answered").then_some(())
    });
    let told = guard_of(&cluster.master);
    assert!(told.contains("the root, and does not write yet"), "{told}");
    assert_eq!(status(&cluster.master)["role"], "Slave");
    let refused = cluster.master.client(SHOP).refused("DELETE FROM item");
    assert_eq!(refused.code, "25006");
    let check = cluster.master.dbctl(&["replication", "check"]);
    assert_eq!(check.code, Some(2), "{check:?}");
    // Through restarts, and a promotion that nobody has asked for.
    cluster.master.kill9();
    cluster.master.start();
    let promoted = cluster.master.dbctl(&["replication", "promote"]);
    assert_eq!(promoted.code, Some(1), "{promoted:?}");
    assert!(
        promoted
            .err
            .contains("cannot become root: the root, and does not write yet"),
        "{promoted:?}"
    );
    cluster.slave.start();
    write_on(&cluster.master, 1);
    assert_eq!(guard_of(&cluster.master), "");
    assert_eq!(items(&cluster.master), 12);
    let mut there = cluster.follow();
    cluster.wait_for_slave(&mut there);
    cluster.compare();
    // The generation is the one that was.
    let history = cluster.master.dbctl(&["replication", "history", "--json"]);
    assert!(!history.out.contains("promote"), "{history:?}");
    there.stop();
}

/// An old copy of the master is put back: what it lacks, the slave has.
fn bring_back_old_copy(cluster: &mut Cluster, there: &mut Follower, clean: bool) {
    let folder = cluster.master.folder().to_owned();
    let kept = |name: &str| folder.join(format!("{name}.old"));
    let names = ["data", "fwlog"];
    if clean {
        cluster.master.stop();
    } else {
        cluster.master.kill9();
    }
    for name in names {
        files::copy_directory(&folder.join(name), &kept(name));
    }
    cluster.master.start();
    sell(&cluster.master, 5);
    cluster.master.command("forwardlog switch");
    sell(&cluster.master, 5);
    cluster.wait_for_slave(there);
    cluster.master.kill9();
    for name in names {
        std::fs::remove_dir_all(folder.join(name)).expect("a directory");
        files::copy_directory(&kept(name), &folder.join(name));
    }
}

#[test]
fn an_old_copy_of_the_root_gets_back_what_its_slave_has_before_it_writes() {
    for clean in [true, false] {
        let (mut cluster, mut there) = pair();
        bring_back_old_copy(&mut cluster, &mut there, clean);
        let peers = cluster.slave.address().to_string();
        asks(&mut cluster.master, "ask", &peers);
        cluster.master.start();
        write_on(&cluster.master, 3);
        assert_eq!(items(&cluster.master), 23, "{}", cluster.master.log());
        assert!(
            cluster
                .master
                .log()
                .contains("has back what its log had lost"),
            "{}",
            cluster.master.log()
        );
        // dbrepl has met the root while it was behind, and goes on.
        settle_and_compare(&cluster.master, &cluster.slave);
        cluster.master.restart();
        write_on(&cluster.master, 1);
        settle_and_compare(&cluster.master, &cluster.slave);
        there.stop();
    }
}

#[test]
fn the_dbrepl_of_the_slave_brings_it_back_where_the_peer_cannot_be_asked() {
    let (mut cluster, mut there) = pair();
    bring_back_old_copy(&mut cluster, &mut there, false);
    let end = cluster
        .slave
        .command("replication status")
        .remove("durable in the mirror");
    asks(&mut cluster.master, "require", NOBODY);
    cluster.master.start();
    let mut back = back(&cluster);
    wait_for("the root to have all", LONG, || {
        let has = cluster.master.command("replication status");
        (has.get("durable in the mirror") == end.as_ref()).then_some(())
    });
    // It has asked nobody yet.
    assert_eq!(status(&cluster.master)["role"], "Slave");
    let peers = cluster.slave.address().to_string();
    asks(&mut cluster.master, "require", &peers);
    cluster.master.restart();
    write_on(&cluster.master, 3);
    assert_eq!(items(&cluster.master), 23);
    settle_and_compare(&cluster.master, &cluster.slave);
    there.stop();
    back.stop();
}

#[test]
fn a_root_that_has_written_over_what_its_slave_has_is_told_so_by_name() {
    let (mut cluster, mut there) = pair();
    bring_back_old_copy(&mut cluster, &mut there, false);
    there.stop();
    cluster.master.start();
    sell(&cluster.master, 1);
    let mut back = back(&cluster);
    assert_eq!(back.ended().code(), Some(5), "{}", back.output());
    let told = back.output();
    assert!(
        told.contains("master and slave have written one generation of the log, each for itself"),
        "{told}"
    );
    // One that asks says it, too, and writes nothing more.
    let peers = cluster.slave.address().to_string();
    asks(&mut cluster.master, "ask", &peers);
    cluster.master.restart();
    wait_for("the root to say why it waits", LONG, || {
        guard_of(&cluster.master)
            .contains("each for itself")
            .then_some(())
    });
    assert_eq!(status(&cluster.master)["role"], "Slave");
    let forced = cluster.master.dbctl(&["replication", "promote", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    sell(&cluster.master, 1);
    // Which of the two holds a person says, by where the other one rejoins; where they part, their hashes tell.
    let root = cluster.master.address().to_string();
    asks(&mut cluster.slave, "off", &root);
    cluster.slave.restart();
    let words = ["rejoin", "--from", &root, "--no-wait"];
    let rejoined = cluster.slave.dbctl(&words);
    assert_eq!(rejoined.code, Some(0), "{rejoined:?}");
    is_back(&cluster.slave);
    let (_, told) = kept(&cluster.slave);
    assert_eq!(
        [&told["role"], &told["made_by"], &told["root"]["instance"]],
        ["secondary", "rejoin", "master"],
        "{told}"
    );
    assert!(
        told["transactions"].as_u64() > Some(0) && told["exact"] == true,
        "{told}"
    );
    let mut there = cluster.follow();
    settle_and_compare(&cluster.master, &cluster.slave);
    there.stop();
}

/// Three servers: the second slave is ahead of the first.
fn trio(folder: &Path, cluster: &Cluster) -> (Server, Follower) {
    let mut third = Server::create(folder, Settings::new("third", "Slave"));
    third.start();
    let address = third.address().to_string();
    let command = follower::dbrepl_to_all(&cluster.master, &[address], &["-v"]);
    let follows = Follower::run(command, folder.join("third.log"));
    (third, follows)
}

#[test]
fn what_a_sibling_has_comes_to_the_slave_that_is_promoted_or_it_is_refused_by_name() {
    let (mut cluster, mut there) = pair();
    let (mut third, mut follows) = trio(cluster.folder().path(), &cluster);
    // One of the two is left behind.
    there.stop();
    sell(&cluster.master, 7);
    let end = cluster
        .master
        .command("forwardlog status")
        .remove("position");
    wait_for("the third to have all", LONG, || {
        let applied = third.command("replication status").remove("applied")?;
        (applied.split(' ').next() == end.as_deref()).then_some(())
    });
    let peers = format!("{}, {}", cluster.master.address(), third.address());
    asks(&mut cluster.slave, "ask", &peers);
    cluster.slave.restart();
    let told = cluster.slave.dbctl(&["replication", "promote"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.err
            .contains("cannot become root: master is alive and is the root"),
        "{told:?}"
    );
    cluster.master.kill9();
    follows.stop();
    promote(&cluster.slave);
    assert_eq!(items(&cluster.slave), 17, "{}", cluster.slave.log());
    sell(&cluster.slave, 1);
    let mut on = Follower::run(
        follower::dbrepl(&cluster.slave, &third, &["-v"]),
        cluster.folder().join("on.log"),
    );
    settle_and_compare(&cluster.slave, &third);
    on.stop();
    third.stop();
}

#[test]
fn a_server_of_priority_0_never_becomes_the_root() {
    let (mut cluster, mut there) = pair();
    cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "Priority", 0));
    cluster.slave.restart();
    wait_for("the slave to be fed", LONG, || {
        let status = cluster.master.dbctl(&["replication", "status", "--json"]);
        status.out.contains("\"state\":\"following\"").then_some(())
    });
    let told = cluster
        .master
        .dbctl(&["replication", "switchover", "slave"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.err
            .contains("cannot become root: slave has Priority = 0"),
        "{told:?}"
    );
    sell(&cluster.master, 1);
    cluster.wait_for_slave(&mut there);
    there.stop();
    cluster.master.stop();
    for words in [
        &["replication", "promote"][..],
        &["replication", "promote", "--force"],
    ] {
        let told = cluster.slave.dbctl(words);
        assert!(
            told.err
                .contains("cannot become root: this server has Priority = 0"),
            "{told:?}"
        );
    }
    let refused = cluster
        .slave
        .client("system")
        .refused("DBCTL 'replication promote'");
    assert_eq!(refused.code, "R0115");
    assert_eq!(status(&cluster.slave)["role"], "Slave");
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    let ended = cluster.slave.try_start().expect_err("it does not start");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.err.contains("Priority = 0 and Role = Master"),
        "{ended:?}"
    );
}
