//! What a former root has lost is known at the root, and so everywhere, without a step of a person; until it is settled, the
//! former root follows the root alone.

use std::path::Path;
use std::thread;

use dbtests::{Cluster, Follower, LONG, Server, Settings, follower, wait_for};
use serde_json::Value;

use crate::fencing::{pair, promote, settle_and_compare};
use crate::lost::json;
use crate::rejoin::{feed, is_back, kept, may_ask};
use crate::shop::{SHOP, sell};

/// A master with three transactions that its slave has not; the slave was promoted, and has two others. The master runs again.
fn left_behind(change: impl FnOnce(Settings) -> Settings) -> Cluster {
    let (mut cluster, mut there) = pair();
    let quiet =
        "CREATE TABLE quiet (id int PRIMARY KEY, v text); INSERT INTO quiet VALUES (1, 'as ever')";
    cluster.master.sql(SHOP, quiet);
    cluster.wait_for_slave(&mut there);
    there.stop();
    sell(&cluster.master, 3);
    cluster.master.kill9();
    promote(&cluster.slave);
    sell(&cluster.slave, 2);
    may_ask(&mut cluster.master);
    cluster.master.reconfigure(change);
    cluster.master.start();
    cluster
}

fn changed(server: &Server, table: &str) -> String {
    let sql = format!("SELECT eloqdb_changed_since_fork('{table}', 1)");
    server.sql(SHOP, &sql)[0][0].clone()
}

pub(crate) fn forks(server: &Server) -> Value {
    json(&server.dbctl(&["lost", "status", "--json"]))
}

/// A slave of the new root, and the dbrepl between the two.
fn third_below(cluster: &Cluster) -> (Server, Follower) {
    let folder = cluster.folder().path();
    let mut third = Server::create(folder, Settings::new("third", "Slave"));
    third.start();
    let command = follower::dbrepl(&cluster.slave, &third, &["-v"]);
    let to_third = Follower::run(command, folder.join("third.log"));
    settle_and_compare(&cluster.slave, &third);
    (third, to_third)
}

fn feed_from(third: &Server, cluster: &Cluster, options: &[&str], log: &str) -> Follower {
    let command = follower::dbrepl(third, &cluster.master, options);
    Follower::run(command, cluster.folder().join(log))
}

#[test]
fn what_a_former_root_has_lost_is_known_at_the_root_without_a_step() {
    let cluster = left_behind(|settings| settings);
    let (root, master) = (&cluster.slave, &cluster.master);
    let unknown = root.dbctl(&["lost", "check", "master"]);
    assert_eq!(
        (unknown.code, unknown.out.lines().next()),
        (Some(1), Some("master NEEDS TO BE RESTARTED FIRST"))
    );
    assert_eq!(changed(root, "quiet"), "1", "no fork is known");
    let from = root.address().to_string();
    let run = thread::scope(|scope| {
        let command = scope.spawn(|| master.dbctl(&["rejoin", "--from", &from]));
        is_back(master);
        let mut back = feed(&cluster, master, &[]);
        let run = command.join().expect("a command");
        back.stop();
        run
    });
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.err.contains("slave knows what master has lost"),
        "{run:?}"
    );
    let check = root.dbctl(&["lost", "check", "master"]);
    assert_eq!(
        (check.code, check.out.lines().next()),
        (Some(1), Some("master DOES NOT NEED TO BE RESTARTED"))
    );
    let known = forks(root);
    assert_eq!(known.as_array().map(Vec::len), Some(1), "{known}");
    let fork = &known[0];
    assert_eq!(
        (
            fork["instance"].as_str(),
            fork["role"].as_str(),
            fork["transactions"].as_u64(),
            fork["open"].as_u64()
        ),
        (Some("master"), Some("primary"), Some(3), Some(3)),
        "{fork}"
    );
    assert_eq!([changed(root, "quiet"), changed(root, "item")], ["0", "1"]);
    // It is fed by the root, and knows the same; who is promoted next does, too.
    let mut back = feed(&cluster, master, &[]);
    settle_and_compare(root, master);
    assert_eq!(forks(master), known);
    let (directory, _) = kept(master);
    let applied = root.dbctl(&["lost", "apply", &directory.display().to_string(), "--json"]);
    assert_eq!(json(&applied)["applied"], 3, "{applied:?}");
    assert_eq!(root.dbctl(&["lost", "complete"]).code, Some(0));
    settle_and_compare(root, master);
    assert!(forks(master)[0]["settled"].is_string());
    let name = directory.file_name().expect("a name").to_string_lossy();
    let purged = master.dbctl(&["lost", "purge", &name]);
    assert_eq!(purged.code, Some(0), "it is settled: {purged:?}");
    back.stop();
}

/// Scenario: a former root below one that is none, before and after what it has lost is settled.
#[test]
fn a_former_root_follows_a_secondary_only_once_what_it_has_lost_is_settled() {
    let cluster = left_behind(|settings| settings);
    let (root, master) = (&cluster.slave, &cluster.master);
    let (third, mut to_third) = third_below(&cluster);
    // It writes, and hears from the slave's log who is the root.
    let mut refused = feed_from(&third, &cluster, &["-v"], "fenced.log");
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    master.dbctl(&["rejoin"]).ok();
    is_back(master);
    let sentence = "and has unsettled lost transactions: it must rejoin at the root (slave) first";
    let mut once = feed_from(&third, &cluster, &["-v", "-S"], "once.log");
    assert_eq!(once.ended().code(), Some(5), "{}", once.output());
    assert!(once.output().contains(sentence), "{}", once.output());
    assert!(master.log().contains(sentence), "{}", master.log());
    let mut waits = feed_from(&third, &cluster, &["-v"], "waits.log");
    wait_for("the slave to say why it is not fed", LONG, || {
        let status = json(&master.dbctl(&["replication", "status", "--json"]));
        let why = status[0]["reason"].as_str()?.contains(sentence);
        (status[0]["state"] == "refused" && why).then_some(())
    });
    assert!(waits.is_running(), "{}", waits.output());
    // A person does what is to be done.
    let (directory, _) = kept(master);
    root.dbctl(&["lost", "apply", &directory.display().to_string()]);
    assert_eq!(root.dbctl(&["lost", "complete"]).code, Some(0));
    settle_and_compare(root, master);
    assert!(waits.is_running(), "{}", waits.output());
    waits.stop();
    to_third.stop();
}

#[test]
fn a_former_root_that_may_follow_any_slave_tells_the_root_through_it() {
    let cluster = left_behind(|settings| settings.set("Replication", "FormerRootBelow", "any"));
    let (root, master) = (&cluster.slave, &cluster.master);
    let (third, mut to_third) = third_below(&cluster);
    let mut refused = feed_from(&third, &cluster, &["-v"], "fenced.log");
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    master.dbctl(&["rejoin"]).ok();
    is_back(master);
    let mut back = feed_from(&third, &cluster, &["-v"], "back.log");
    settle_and_compare(root, master);
    let known = wait_for("the root to know what was lost", LONG, || {
        let known = forks(root);
        known[0]["instance"].is_string().then_some(known)
    });
    assert_eq!(known[0]["instance"], "master");
    settle_and_compare(root, master);
    assert_eq!(forks(master), known);
    back.stop();
    to_third.stop();
}

/// Takes a server back to where the root has left its log, by the command alone, while somebody starts a dbrepl of the root.
fn rejoin(root: &Server, server: &Server, folder: &Path) {
    let from = root.address().to_string();
    let run = thread::scope(|scope| {
        let command = scope.spawn(|| server.dbctl(&["rejoin", "--from", &from]));
        is_back(server);
        let log = folder.join(format!("to-{}.log", server.settings().name()));
        let mut back = Follower::run(follower::dbrepl(root, server, &["-v"]), log);
        let run = command.join().expect("a command");
        back.stop();
        run
    });
    assert_eq!(run.code, Some(0), "{run:?}");
}

/// Scenario: A dies, B becomes the root, and dies before anybody has applied what A has lost; C becomes the root. A and B come
/// back.
#[test]
fn what_two_former_roots_have_lost_is_known_and_applied_at_the_third() {
    let (mut cluster, mut there) = pair();
    let folder = cluster.folder().path().to_owned();
    cluster.wait_for_slave(&mut there);
    there.stop();
    let mut third = Server::create(&folder, Settings::new("third", "Slave"));
    third.start();
    follower::replicate(&cluster.master, &third, &["-S"]);
    let add = |server: &Server, id: u32, name: &str| {
        let sql = format!("INSERT INTO item (id, name) VALUES ({id}, '{name}')");
        server.sql(SHOP, &sql);
    };
    for id in 101..=103 {
        add(&cluster.master, id, "of the first");
    }
    cluster.master.kill9();
    promote(&cluster.slave);
    follower::replicate(&cluster.slave, &third, &["-S"]);
    for id in 201..=202 {
        add(&cluster.slave, id, "of the second");
    }
    cluster.slave.kill9();
    promote(&third);
    add(&third, 301, "of the third");
    for server in [&mut cluster.master, &mut cluster.slave] {
        may_ask(server);
        server.start();
    }
    for server in [&cluster.master, &cluster.slave] {
        rejoin(&third, server, &folder);
    }
    let known = forks(&third);
    let told = |name: &str| {
        let mut forks = known.as_array().expect("forks").iter();
        let fork = forks.find(|fork| fork["instance"] == name);
        fork.expect("a fork of that name")
    };
    assert_eq!(
        [&told("master")["open"], &told("slave")["open"]],
        [3, 2],
        "{known}"
    );
    let floor = json(&third.dbctl(&["lost", "floor", "--json"]));
    assert_eq!(floor["instance"], "master", "the older fork: {floor}");
    for (server, count) in [(&cluster.slave, 2), (&cluster.master, 3)] {
        let (directory, _) = kept(server);
        let file = directory.display().to_string();
        let applied = third.dbctl(&["lost", "apply", &file, "--json"]);
        assert_eq!(json(&applied)["applied"], count, "{applied:?}");
    }
    let rows = third.sql(SHOP, "SELECT count(*) FROM item WHERE id > 100");
    assert_eq!(rows, [["6"]]);
}
