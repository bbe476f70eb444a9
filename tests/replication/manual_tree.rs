//! The set-up of the manuals: A feeds B and C, B feeds D, C feeds E; and the four ways in which one of them comes up again.

use dbtests::{LONG, Server, wait_for};

use crate::shop::{items, open, sell};
use crate::sites::Sites;

/// A → B, C; B → D; C → E: all have what A has.
fn manual() -> Sites {
    let mut sites = Sites::start(&["a", "b", "c", "d", "e"]);
    open(sites.at("a"));
    sell(sites.at("a"), 10);
    for (source, slave) in [("a", "b"), ("a", "c"), ("b", "d"), ("c", "e")] {
        sites.feed(source, slave);
    }
    sites.settle("a", &["b", "c", "d", "e"]);
    sites
}

/// As soon as it knows that nobody feeds it.
fn promote(slave: &Server) {
    wait_for("the slave to miss its root", LONG, || {
        let run = slave.dbctl(&["replication", "promote"]);
        (run.code == Some(0)).then_some(())
    });
}

#[test]
fn a_root_that_comes_up_as_root_goes_on_with_its_tree() {
    let mut sites = manual();
    sites.at_mut("a").restart();
    sell(sites.at("a"), 5);
    sites.settle("a", &["b", "c", "d", "e"]);
    // Also where it does not stop, but ends.
    sites.at_mut("a").kill9();
    sites.at_mut("a").start();
    sell(sites.at("a"), 5);
    sites.settle("a", &["b", "c", "d", "e"]);
    sites.wait_for_tree(
        "a",
        &[
            "0 a -",
            "1 b following",
            "2 d following",
            "1 c following",
            "2 e following",
        ],
    );
}

#[test]
fn a_secondary_that_comes_up_as_root_takes_the_tree_over_and_those_below_it_notice_nothing() {
    let mut sites = manual();
    sites.at_mut("a").kill9();
    sites.stop_feeding("b");
    promote(sites.at("b"));
    sites.feed("b", "c");
    sell(sites.at("b"), 5);
    sites.settle("b", &["c", "d", "e"]);
    assert_eq!(items(sites.at("e")), 15);
    sites.wait_for_tree(
        "b",
        &["0 b -", "1 c following", "2 e following", "1 d following"],
    );
    sites.wait_for_tree("e", &["0 b -", "1 c -", "2 e following"]);
}

#[test]
fn a_root_that_comes_up_as_secondary_follows_the_new_root() {
    let mut sites = manual();
    sites.at_mut("a").kill9();
    sites.stop_feeding("b");
    promote(sites.at("b"));
    sites.feed("b", "c");
    sell(sites.at("b"), 5);
    // It is started as the root that it was; the new root's dbrepl tells it otherwise.
    sites.at_mut("a").start();
    sites.feed("b", "a");
    sites.settle("b", &["a", "c", "d", "e"]);
    let tree = [
        "0 b -",
        "1 a following",
        "1 c following",
        "2 e following",
        "1 d following",
    ];
    sites.wait_for_tree("b", &tree);
    // And back to how it was, on purpose, with a dbrepl towards B that waits for the root to be there.
    let command = dbtests::follower::dbrepl(sites.at("a"), sites.at("b"), &["-v"]);
    let back = sites.folder().join("back.log");
    let mut back = dbtests::Follower::run(command, back);
    back.wait_for_line("b is the root: it takes no log");
    sites
        .at("b")
        .dbctl(&["replication", "switchover", "a"])
        .ok();
    sites.stop_feeding("c");
    sites.feed("a", "c");
    sell(sites.at("a"), 5);
    sites.settle("a", &["b", "c", "d", "e"]);
    assert_eq!(items(sites.at("d")), 20);
    back.stop();
}

#[test]
fn a_secondary_that_comes_up_as_secondary_gets_its_log_from_whoever_has_it() {
    let mut sites = manual();
    // B is gone: D is fed by A, and then by C. Nothing is copied.
    sites.at_mut("b").kill9();
    sites.stop_feeding("b");
    sites.feed("a", "d");
    sell(sites.at("a"), 5);
    sites.settle("a", &["c", "d", "e"]);
    sites.feed("c", "d");
    sell(sites.at("a"), 5);
    sites.settle("a", &["c", "d", "e"]);
    sites.wait_for_tree("d", &["0 a -", "1 c -", "2 d following"]);
    // B comes back, below D, from which it got nothing before.
    sites.at_mut("b").start();
    sites.feed("d", "b");
    sell(sites.at("a"), 5);
    sites.settle("a", &["b", "c", "d", "e"]);
    assert_eq!(items(sites.at("b")), 25);
    for slave in ["b", "c", "d"] {
        let said = sites.said(slave);
        assert!(!said.contains("a copy of"), "{said}");
    }
}
