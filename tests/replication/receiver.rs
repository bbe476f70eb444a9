//! `dbctl receiver`: a slave refuses those who feed it, or applies nothing of what comes.

use dbtests::{LONG, Server, compare, wait_for};
use serde_json::Value;

use crate::shop::{items, sell};
use crate::sources::{Site, refused, shown};

#[test]
fn a_receiver_that_is_shut_down_refuses_sources_until_it_is_started() {
    let mut site = Site::configured();
    sell(&site.master, 2);
    site.wait_for_slave();
    let receiver = |site: &Site, words: &[&str]| site.slave.dbctl(&[&["receiver"], words].concat());
    assert_eq!(receiver(&site, &["checkhealth"]).code, Some(0));
    receiver(&site, &["shutdown"]).ok();
    assert!(receiver(&site, &["shutdown"]).ok().contains("already"));
    let health = receiver(&site, &["checkhealth"]);
    assert_eq!(health.code, Some(1));
    assert!(
        health.out.contains("the receiver is shut down by dba"),
        "{health:?}"
    );
    // Both sides say who has wanted it, while both run.
    let is_told = |server: &Server| {
        let told = server.dbctl(&["replication", "check"]).out;
        told.contains("shut down by dba") && told.contains("'dbctl receiver start'")
    };
    assert!(is_told(&site.slave));
    wait_for("the master to know", LONG, || {
        is_told(&site.master).then_some(())
    });
    let before = items(&site.slave);
    sell(&site.master, 2);
    site.slave.restart();
    assert!(is_told(&site.slave), "also after a restart");
    let said = wait_for("the source to be told", LONG, || {
        let reason = shown(&site.master, "slave")["reason"].as_str()?.to_owned();
        reason
            .contains("the receiver of this slave was shut down by dba")
            .then_some(reason)
    });
    assert!(said.contains("receiver start"), "{said}");
    assert_eq!(items(&site.slave), before);
    assert_eq!(site.health(&["slave"]), Some(3));
    receiver(&site, &["start"]).ok();
    site.wait_for_slave();
    // Nobody feeds it.
    site.master.stop();
    wait_for("nobody to feed it", LONG, || {
        (receiver(&site, &["checkhealth"]).code == Some(3)).then_some(())
    });
}

#[test]
fn applying_alone_can_be_held_while_the_log_goes_on_to_be_received() {
    let mut site = Site::configured();
    sell(&site.master, 2);
    site.wait_for_slave();
    let before = items(&site.slave);
    let receiver = |site: &Site, words: &[&str]| site.slave.dbctl(&[&["receiver"], words].concat());
    receiver(&site, &["shutdown", "--updateonly"]).ok();
    sell(&site.master, 40);
    let received = |site: &Site| {
        wait_for("the log to be received", LONG, || {
            let end = site
                .master
                .command("forwardlog status")
                .remove("position")?;
            let durable = site.slave.command("replication status");
            let durable = durable.get("durable in the mirror")?.clone();
            (durable.split(' ').next() == Some(end.as_str())).then_some(())
        });
    };
    received(&site);
    assert_eq!(items(&site.slave), before);
    let health = receiver(&site, &["checkhealth"]);
    assert_eq!(health.code, Some(1));
    assert!(
        health.out.contains("applying: held by operator dba since"),
        "{health:?}"
    );
    let backlog = receiver(&site, &["showbacklog", "--json"]).ok();
    let backlog: Value = serde_json::from_str(&backlog).expect("JSON");
    assert!(
        backlog["commits"].as_u64() >= Some(40) && backlog["bytes"].as_u64() > Some(0),
        "{backlog}"
    );
    let status = site.slave.command("replication status");
    assert_eq!(status["replication"], "suspended");
    let told = refused(&site.slave, "replication promote --force");
    assert!(
        told.message.contains(
            "cannot become root: this slave does not apply its log: applying: held by operator dba"
        ),
        "{told:?}"
    );
    assert!(told.hint.contains("receiver start"));
    // It survives restarts, clean or not, and what was held is applied once it is let go.
    site.slave.restart();
    assert_eq!(items(&site.slave), before);
    sell(&site.master, 5);
    received(&site);
    site.slave.kill9();
    site.slave.start();
    received(&site);
    assert_eq!(items(&site.slave), before);
    assert_eq!(receiver(&site, &["checkhealth"]).code, Some(1));
    receiver(&site, &["start", "--updateonly"]).ok();
    site.wait_for_slave();
    assert_eq!(items(&site.slave), items(&site.master));
    wait_for("it to be fed again", LONG, || {
        (receiver(&site, &["checkhealth"]).code == Some(0)).then_some(())
    });
    compare::databases(&site.master, &site.slave);
    compare::logs(&site.master, &site.slave);
}
