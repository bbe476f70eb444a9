//! What may happen to sites, each as one story: `docs/scenarios.md` says which test shows which.

use std::thread;

use dbtests::{Client, LONG, PASSWORD, Refusal, Server, files, follower, process, wait_for};

use crate::fencing::{pair, promote, status};
use crate::shop::{SHOP, items, open, sell};
use crate::sites::Sites;
use crate::switchover::{Over, Writers};

/// A port at which nobody answers.
const NOBODY: &str = "127.0.0.1:1";

/// From its next start on the server asks these, and writes where nobody answers.
fn asks(server: &mut Server, peers: &str) {
    let password = server.config_path().with_file_name("password");
    files::write_private(&password, PASSWORD);
    server.reconfigure(|settings| {
        settings
            .set("Replication", "PeerPasswordFile", "password")
            .set("Replication", "StartGuard", "ask")
            .set("Replication", "Peers", peers)
    });
}

/// What a dbrepl says that ends by itself, with exit code 5.
#[track_caller]
fn given_up(source: &Server, slave: &Server) -> String {
    let mut dbrepl = follower::dbrepl(source, slave, &["-v"]);
    process::run_within(&mut dbrepl, b"", LONG).fails(5)
}

/// A dies; B, which has been fed late, becomes the root. C has more of A's log, and E below it; D is below B.
#[test]
fn a_sibling_that_is_ahead_of_the_new_root_is_refused_by_name_and_nobody_below_notices() {
    let mut sites = Sites::start(&["a", "b", "c", "d", "e"]);
    open(sites.at("a"));
    sell(sites.at("a"), 10);
    for (source, slave) in [("a", "b"), ("a", "c"), ("b", "d"), ("c", "e")] {
        sites.feed(source, slave);
    }
    sites.settle("a", &["b", "c", "d", "e"]);
    sites.stop_feeding("b");
    sell(sites.at("a"), 4);
    sites.settle("a", &["c", "e"]);
    sites.at_mut("a").kill9();
    sites.stop_feeding("c");
    promote(sites.at("b"));
    sell(sites.at("b"), 2);
    // D goes on below B, and no word of it was needed.
    sites.settle("b", &["d"]);
    // C is told where the two part; what it and E have stays there.
    let told = given_up(sites.at("b"), sites.at("c"));
    assert!(
        told.contains("the slave's log differs from the master's after 1-"),
        "{told}"
    );
    for name in ["c", "e"] {
        assert_eq!(items(sites.at(name)), 14, "{name}");
    }
    // A is fenced, with the number of what only it, C and E have.
    sites.at_mut("a").start();
    let told = given_up(sites.at("b"), sites.at("a"));
    assert!(
        told.contains("4 transactions of a are not there, the first at 1-"),
        "{told}"
    );
    let refused = sites.at("a").client(SHOP).refused("DELETE FROM item");
    assert_eq!(refused.code, "25006");
    assert!(
        refused.hint.contains("left behind as the root: write on b"),
        "{refused:?}"
    );
    assert_eq!(items(sites.at("b")), 12);
    sites.settle("b", &["d"]);
}

/// A does not hear of B, and writes; then they meet.
#[test]
fn a_root_that_nobody_has_answered_is_fenced_with_what_it_has_written_once_they_meet() {
    let (mut cluster, mut there) = pair();
    cluster.master.kill9();
    there.stop();
    promote(&cluster.slave);
    sell(&cluster.slave, 2);
    asks(&mut cluster.master, NOBODY);
    cluster.master.start();
    wait_for("the old root to write", LONG, || {
        (status(&cluster.master)["role"] == "Master").then_some(())
    });
    sell(&cluster.master, 3);
    let told = given_up(&cluster.slave, &cluster.master);
    assert!(
        told.contains("3 transactions of master are not there"),
        "{told}"
    );
    assert_eq!(status(&cluster.master)["role"], "Slave");
    let fenced = status(&cluster.master)["fenced"].to_string();
    assert!(fenced.contains("3 transactions of master"), "{fenced}");
    // Each has what it had; nothing was mixed.
    assert_eq!((items(&cluster.master), items(&cluster.slave)), (13, 12));
}

/// B and C were both promoted behind one point: no data moves, whichever of the two comes to the other.
#[test]
fn two_siblings_that_were_both_promoted_say_so_whichever_comes_to_the_other() {
    let mut sites = Sites::start(&["a", "b", "c"]);
    open(sites.at("a"));
    sell(sites.at("a"), 5);
    sites.feed("a", "b");
    sites.feed("a", "c");
    sites.settle("a", &["b", "c"]);
    sites.at_mut("a").kill9();
    for name in ["b", "c"] {
        sites.stop_feeding(name);
        promote(sites.at(name));
    }
    sell(sites.at("b"), 1);
    sell(sites.at("c"), 2);
    for _ in 0..2 {
        for (source, slave) in [("b", "c"), ("c", "b")] {
            let told = given_up(sites.at(source), sites.at(slave));
            assert!(told.contains("are both roots"), "{told}");
            let words = status(sites.at(slave))["two_roots"].to_string();
            assert!(words.contains("are both roots"), "{words}");
        }
        assert_eq!((items(sites.at("b")), items(sites.at("c"))), (6, 7));
        for name in ["b", "c"] {
            assert_eq!(status(sites.at(name))["role"], "Master");
            sites.at_mut(name).restart();
        }
    }
}

/// Readers of a slave that becomes the root go on: their statements, and what a cursor has begun to read.
#[test]
fn readers_and_cursors_go_on_while_their_slave_becomes_the_root() {
    let (mut cluster, mut there) = pair();
    let slave = &cluster.slave;
    let reader = slave.client(SHOP);
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    reader.run("DECLARE goods CURSOR FOR SELECT name FROM item ORDER BY id");
    assert_eq!(reader.rows("FETCH 3 FROM goods").len(), 3);
    let at_any_time = slave.client(SHOP);
    assert_eq!(at_any_time.value("SELECT count(*) FROM item"), "10");
    cluster.master.kill9();
    there.stop();
    promote(slave);
    sell(slave, 5);
    assert_eq!(reader.rows("FETCH ALL FROM goods").len(), 7);
    assert_eq!(reader.value("SELECT count(*) FROM item"), "10");
    reader.run("COMMIT");
    assert_eq!(reader.value("SELECT count(*) FROM item"), "15");
    reader.run("INSERT INTO item (name, price) VALUES ('late', 1)");
    assert_eq!(at_any_time.value("SELECT count(*) FROM item"), "16");
}

/// A root that is left behind ends those who write what is replicated, and nobody else.
#[test]
fn a_session_in_a_local_database_outlives_the_end_of_its_server_as_the_root() {
    let (mut cluster, mut there) = pair();
    cluster.master.kill9();
    there.stop();
    promote(&cluster.slave);
    sell(&cluster.slave, 1);
    cluster.master.start();
    let master = &cluster.master;
    master
        .dbctl(&["database", "create", "scratch", "--local"])
        .ok();
    let local = master.client("scratch");
    local.run("CREATE TABLE pile (id INT PRIMARY KEY)");
    let in_shop = master.client(SHOP);
    for client in [&local, &in_shop] {
        client.run("BEGIN");
    }
    local.run("INSERT INTO pile VALUES (1)");
    in_shop.run("INSERT INTO item (name, price) VALUES ('lost', 1)");
    let command = follower::dbrepl(&cluster.slave, master, &["-v"]);
    let mut back = dbtests::Follower::run(command, cluster.folder().join("back.log"));
    wait_for("the old root to have all", LONG, || {
        (items(master) == items(&cluster.slave)).then_some(())
    });
    let ended = |client: &Client| {
        let told = client.try_rows("COMMIT").err()?;
        Some(Refusal::of(&told).map(|it| it.code))
    };
    // It had not written anything that counts: its client hears that it is over.
    let told = ended(&in_shop);
    assert!(
        matches!(&told, Some(None)) || told == Some(Some("57P01".into())),
        "{told:?}"
    );
    assert_eq!(ended(&local), None, "the local one is committed");
    assert_eq!(local.value("SELECT count(*) FROM pile"), "1");
    back.stop();
}

/// A database is taken out of replication and put back while others are written and sent.
#[test]
fn a_database_moves_whole_while_others_are_written() {
    let (cluster, mut there) = pair();
    let (master, slave) = (&cluster.master, &cluster.slave);
    master.sql("system", "CREATE DATABASE moved");
    master.sql(
        "moved",
        "CREATE TABLE pile (id INT PRIMARY KEY); INSERT INTO pile SELECT i FROM generate_series(1, 500) i",
    );
    let rows = |server: &Server| server.client("moved").value("SELECT count(*) FROM pile");
    let writers = Writers::default();
    thread::scope(|scope| {
        scope.spawn(|| writers.write([master.address(); 2]));
        let _over = Over(&writers);
        for to in ["off", "on", "off", "on"] {
            writers.wait_for(5);
            let command = format!("DBCTL 'database set moved replication {to}'");
            wait_for("the database to move", LONG, || {
                master.client("system").try_rows(&command).ok()
            });
            assert_eq!(rows(master), "500", "{to}");
        }
    });
    cluster.wait_for_slave(&mut there);
    writers.check(slave);
    assert_eq!(rows(slave), "500");
    cluster.compare();
    there.stop();
}

/// The hint of 25006 names the root, also two levels up.
#[test]
fn a_write_on_a_slave_is_told_where_the_root_is() {
    let mut sites = Sites::start(&["a", "b", "c"]);
    open(sites.at("a"));
    sites.feed("a", "b");
    sites.feed("b", "c");
    sites.settle("a", &["b", "c"]);
    sites.wait_for_tree("c", &["0 a -", "1 b -", "2 c following"]);
    for name in ["b", "c"] {
        let refused = sites.at(name).client(SHOP).refused("DELETE FROM item");
        assert_eq!(refused.code, "25006");
        assert_eq!(
            refused.hint,
            "This server is a slave: the root is a; write there."
        );
    }
    let command = sites.at("b").client("system");
    let refused = command.refused("CREATE DATABASE other");
    assert!(refused.hint.contains("the root is a"), "{refused:?}");
}
