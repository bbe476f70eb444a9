//! Instances below one that goes back go back in turn, without a person where each may.

use dbtests::{Follower, LONG, Server, Settings, follower, wait_for};

use crate::fencing::{pair, promote, settle_and_compare};
use crate::known_lost::forks;
use crate::lost::json;
use crate::rejoin::{is_back, kept};
use crate::shop::{SHOP, items, sell};

/// What the new root commits meanwhile: a row whose number nobody else has given.
const MEANWHILE: &str = "INSERT INTO item (id, name) VALUES (1000, 'meanwhile')";

/// How many transactions of a server's file are applied, were done before, and conflict.
fn applied(root: &Server, of: &Server) -> [u64; 3] {
    let (directory, _) = kept(of);
    let run = root.dbctl(&["lost", "apply", &directory.display().to_string(), "--json"]);
    let told = json(&run);
    ["applied", "known", "conflict"].map(|name| told[name].as_u64().expect("a number"))
}

/// Scenario: A feeds B and C, C feeds E; A dies, B becomes the root, and C and E have what B has not.
#[test]
fn a_tree_goes_back_from_the_top_down_and_only_the_former_roots_file_is_the_primary() {
    let (mut cluster, mut there) = pair();
    let folder = cluster.folder().path().to_owned();
    let slave_of = |name: &str| {
        let settings = Settings::new(name, "Slave").set("Replication", "Rejoin", "auto");
        let mut server = Server::create(&folder, settings);
        server.start();
        server
    };
    let (third, fourth) = (slave_of("third"), slave_of("fourth"));
    let follow = |source: &Server, slave: &Server, log: &str| {
        Follower::run(follower::dbrepl(source, slave, &["-v"]), folder.join(log))
    };
    let mut to_third = follow(&cluster.master, &third, "to-third.log");
    let mut to_fourth = follow(&third, &fourth, "to-fourth.log");
    cluster.wait_for_slave(&mut there);
    there.stop();
    sell(&cluster.master, 5);
    settle_and_compare(&cluster.master, &third);
    settle_and_compare(&third, &fourth);
    // The last two only the root has.
    to_third.stop();
    sell(&cluster.master, 2);
    cluster.master.kill9();
    promote(&cluster.slave);
    cluster.slave.sql(SHOP, MEANWHILE);
    let root = &cluster.slave;
    let mut to_third = follow(root, &third, "again.log");
    is_back(&third);
    settle_and_compare(root, &third);
    // Its dbrepl may have ended when the log that it reads went back: somebody starts it again.
    if !to_fourth.is_running() {
        to_fourth = follow(&third, &fourth, "to-fourth-again.log");
    }
    is_back(&fourth);
    settle_and_compare(root, &fourth);
    assert_eq!([items(&third), items(&fourth)], [11, 11]);
    // Scenario: A is destroyed, C's file is applied; A's disk is found later.
    assert_eq!(applied(root, &third), [5, 0, 0]);
    // The former root comes last.
    cluster
        .master
        .reconfigure(|settings| settings.set("Replication", "Rejoin", "auto"));
    cluster.master.start();
    let mut to_master = follow(&cluster.slave, &cluster.master, "to-master.log");
    is_back(&cluster.master);
    settle_and_compare(&cluster.slave, &cluster.master);
    let roles = [&third, &fourth, &cluster.master].map(|server| kept(server).1["role"].clone());
    assert_eq!(roles, ["secondary", "secondary", "primary"]);
    // All of it is known at the root, also what the one below the slave has kept.
    wait_for("the root to know of all", LONG, || {
        let known = forks(&cluster.slave);
        (known.as_array().map(Vec::len) == Some(3)).then_some(())
    });
    // What both have is done once, whichever file it comes from; nothing is done twice.
    let root = &cluster.slave;
    assert_eq!(applied(root, &cluster.master), [2, 5, 0]);
    for server in [&third, &fourth, &cluster.master] {
        let known = applied(root, server);
        let all = kept(server).1["transactions"].as_u64();
        assert_eq!((known[0], Some(known[1]), known[2]), (0, all, 0));
    }
    assert_eq!(items(root), 18);
    for server in [&third, &fourth, &cluster.master] {
        settle_and_compare(root, server);
    }
    for follower in [&mut to_third, &mut to_fourth, &mut to_master] {
        follower.stop();
    }
}
