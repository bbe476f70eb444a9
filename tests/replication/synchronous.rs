//! `SyncSlaves`: commits wait for the disks of slaves, and nobody sees what only this server has.

use std::thread;

use dbtests::process::Run;
use dbtests::{Client, LONG, PASSWORD, Refusal, Server, wait_for};
use serde_json::Value;

use crate::shop::{SHOP, items};
use crate::sources::{Site, wait_for_all};

const ADD: &str = "INSERT INTO item (name, price) VALUES ('one more', 1)";

/// A master whose commits wait for its one slave, and what it does without.
fn site(on_loss: &str, after: &str) -> Site {
    let site = Site::with(|settings, slave| {
        settings
            .set("Replication", "Sources", format!("slave@{slave}"))
            .set("Replication", "SyncSlaves", "any 1")
            .set("Replication", "SyncOnLoss", on_loss)
            .set("Replication", "SyncOnLossAfter", after)
    });
    site.wait_for_slave();
    site
}

fn sync(server: &Server, words: &[&str]) -> Run {
    server.dbctl(&[&["replication", "sync"], words].concat())
}

fn status(server: &Server) -> Value {
    let text = sync(server, &["--json"]).ok();
    serde_json::from_str(text.trim()).expect("JSON")
}

/// So many sessions wait for slaves.
fn wait_for_waiting(server: &Server, sessions: u64) {
    wait_for("sessions to wait for slaves", LONG, || {
        (status(server)["waiting_sessions"] == sessions).then_some(())
    });
}

/// Has those end that wait, as an operator does.
fn cancel_writers(server: &Server) {
    server.sql(
        "system",
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = 'shop' AND state = 'active'",
    );
}

#[test]
fn nobody_sees_a_commit_before_a_slave_has_it_and_who_is_cancelled_is_told_no_success() {
    let mut site = site("wait", "10s");
    let reader = site.master.client(SHOP);
    let writer = site.master.client(SHOP);
    writer.run(ADD);
    assert_eq!(items(&site.master), 1);
    let known = status(&site.master);
    assert_eq!(known["rule"], "any 1");
    assert_eq!(known["released_commit"], known["newest_commit"]);
    assert_eq!(known["slaves"][0]["state"], "quorum");
    assert_eq!(reader.value("SHOW synchronous_standby_names"), "any 1");
    let counted = "SELECT sync_priority, sync_state FROM pg_stat_replication";
    assert_eq!(reader.rows(counted), [["1", "quorum"]]);
    site.slave.process().signal("STOP");
    thread::scope(|scope| {
        let refused = scope.spawn(|| {
            let refused = writer.refused(ADD);
            // It does not see what is not released, either.
            (refused, writer.value("SELECT count(*) FROM item"))
        });
        wait_for_waiting(&site.master, 1);
        assert_eq!(reader.value("SELECT count(*) FROM item"), "1");
        cancel_writers(&site.master);
        let (refused, seen) = refused.join().expect("no panic");
        assert_eq!(refused.code, "40003", "{refused:?}");
        assert!(refused.message.contains("any 1"), "{refused:?}");
        assert_eq!(seen, "1");
    });
    assert_eq!(reader.value("SELECT count(*) FROM item"), "1");
    site.slave.process().signal("CONT");
    wait_for("the commit to be released", LONG, || {
        (reader.value("SELECT count(*) FROM item") == "2").then_some(())
    });
    site.wait_for_slave();
    assert_eq!(items(&site.slave), 2);
}

#[test]
fn a_master_goes_on_alone_after_a_while_says_so_and_waits_again_once_the_slave_has_caught_up() {
    let mut site = site("continue", "1s");
    site.slave.stop();
    let writer = site.master.client(SHOP);
    writer.run(ADD);
    let alone = status(&site.master);
    assert!(alone["alone_since"].is_string(), "{alone}");
    let check = site.master.dbctl(&["replication", "check"]);
    assert!(check.out.contains("SyncSlaves"), "{check:?}");
    // It is alone after a crash, too, and lets clients in at once.
    site.master.kill9();
    site.master.start();
    assert_eq!(items(&site.master), 1);
    assert!(status(&site.master)["alone_since"].is_string());
    site.slave.start();
    wait_for("commits to wait again", LONG, || {
        status(&site.master)["alone_since"].is_null().then_some(())
    });
    site.master.client(SHOP).run(ADD);
    site.wait_for_slave();
    assert_eq!(items(&site.slave), 2);
}

#[test]
fn each_session_says_for_how_much_its_commits_wait() {
    let mut site = site("wait", "10s");
    let (writer, reader) = (site.master.client(SHOP), site.master.client(SHOP));
    writer.run("SET synchronous_commit = remote_apply");
    writer.run(ADD);
    assert_eq!(items(&site.slave), 1, "its readers see it");
    site.slave.process().signal("STOP");
    for (level, own) in [("local", "2"), ("off", "3")] {
        writer.run(&format!("SET synchronous_commit = {level}"));
        writer.run(ADD);
        let seen = |client: &Client| client.value("SELECT count(*) FROM item");
        assert_eq!(seen(&writer), own, "{level}: it sees its own");
        assert_eq!(seen(&reader), "1", "{level}: others do not");
    }
    let odd = writer.refused("SET synchronous_commit = sometimes");
    assert_eq!(odd.code, "22023");
    site.slave.process().signal("CONT");
    wait_for("all to be released", LONG, || {
        (reader.value("SELECT count(*) FROM item") == "3").then_some(())
    });
}

#[test]
fn after_a_start_nobody_reads_what_no_slave_has() {
    let mut site = site("wait", "10s");
    site.slave.stop();
    let writer = site.master.client(SHOP);
    writer.run("SET synchronous_commit = local");
    writer.run(ADD);
    site.master.kill9();
    site.master.start();
    let refused = Client::connect(site.master.address(), SHOP, PASSWORD);
    let refused = refused.err().and_then(|error| Refusal::of(&error));
    let refused = refused.expect("a refusal");
    assert_eq!(refused.code, "57P03", "{refused:?}");
    assert_eq!(status(&site.master)["released_commit"], 0);
    site.slave.start();
    wait_for("the server to be open", LONG, || {
        Client::connect(site.master.address(), SHOP, PASSWORD).ok()
    });
    assert_eq!(items(&site.master), 1);
    assert_eq!(items(&site.slave), 1);
}

#[test]
fn an_operator_has_it_go_on_and_the_rule_changes_in_the_running_server() {
    let mut site = site("wait", "10s");
    site.slave.stop();
    let writer = site.master.client(SHOP);
    thread::scope(|scope| {
        let waits = scope.spawn(|| writer.run(ADD));
        wait_for_waiting(&site.master, 1);
        sync(&site.master, &["continue"]).ok();
        waits.join().expect("no panic");
    });
    sync(&site.master, &["wait"]).ok();
    thread::scope(|scope| {
        let waits = scope.spawn(|| writer.run(ADD));
        wait_for_waiting(&site.master, 1);
        site.master
            .reconfigure(|settings| settings.set("Replication", "SyncSlaves", ""));
        site.master.dbctl(&["reload"]).ok();
        waits.join().expect("no panic");
    });
    assert_eq!(items(&site.master), 2);
    let refused = sync(&site.master, &["continue"]).fails(1);
    assert!(refused.contains("SyncSlaves"), "{refused}");
}

#[test]
fn the_server_s_own_statements_wait_too_and_a_checkpoint_takes_no_more_than_is_released() {
    let mut site = site("wait", "10s");
    site.slave.process().signal("STOP");
    thread::scope(|scope| {
        let made = scope.spawn(|| site.master.sql("system", "CREATE DATABASE other"));
        wait_for_waiting(&site.master, 1);
        let checkpoint = site.master.client("system").refused("CHECKPOINT");
        assert!(checkpoint.message.contains("SyncSlaves"), "{checkpoint:?}");
        site.slave.process().signal("CONT");
        made.join().expect("no panic");
    });
    site.master.client("system").run("CHECKPOINT");
}

#[test]
fn with_two_slaves_one_may_be_away() {
    let mut site = Site::with(|settings, slave| {
        settings
            .set("Replication", "Sources", format!("slave@{slave}"))
            .set("Replication", "SyncSlaves", "any 1 (slave, east)")
            .set("Replication", "SyncOnLoss", "wait")
    });
    let east = site.another("east");
    site.source(&["start", "east", &east.address().to_string()])
        .ok();
    wait_for_all(&site.master, &east);
    site.slave.stop();
    site.master.client(SHOP).run(ADD);
    wait_for_all(&site.master, &east);
    assert_eq!(items(&east), 1);
}
