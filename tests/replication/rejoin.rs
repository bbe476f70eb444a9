//! A former root, or a slave that is ahead, goes back to where its log has left that of the root, and follows.

use std::path::PathBuf;
use std::thread;

use dbtests::process::Run;
use dbtests::{
    Cluster, Follower, LONG, PASSWORD, Server, Settings, compare, files, follower, wait_for,
};
use serde_json::Value;

use crate::fencing::{pair, promote, settle_and_compare, status};
use crate::shop::{SHOP, items, sell};
use crate::sources::with_login;

/// From its next start on the server can ask others.
pub(crate) fn may_ask(server: &mut Server) {
    let password = server.config_path().with_file_name("password");
    files::write_private(&password, PASSWORD);
    server.reconfigure(|settings| settings.set("Replication", "PeerPasswordFile", "password"));
}

/// A dbrepl from the new root to this server.
pub(crate) fn feed(cluster: &Cluster, to: &Server, options: &[&str]) -> Follower {
    let log = cluster
        .folder()
        .join(&format!("to-{}.log", to.address().port()));
    let options: Vec<&str> = ["-v"].iter().chain(options).copied().collect();
    Follower::run(follower::dbrepl(&cluster.slave, to, &options), log)
}

/// Where a checkpoint of the root was.
enum Checkpoint {
    /// Before its slave left it.
    Before,
    /// After that.
    Behind,
}

/// A master with 10 rows and 7 more that its slave has not, killed; the slave is promoted, and has 5 others. The master
/// runs again, as it was.
fn left_behind(checkpoint: &Checkpoint, change: impl FnOnce(Settings) -> Settings) -> Cluster {
    let (mut cluster, mut there) = pair();
    if matches!(checkpoint, Checkpoint::Before) {
        cluster.master.dbctl(&["checkpoint"]).ok();
        cluster.wait_for_slave(&mut there);
    }
    there.stop();
    sell(&cluster.master, 7);
    cluster
        .master
        .sql(SHOP, "UPDATE item SET price = 99 WHERE id = 1");
    if matches!(checkpoint, Checkpoint::Behind) {
        cluster.master.dbctl(&["checkpoint"]).ok();
    }
    cluster.master.kill9();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    may_ask(&mut cluster.master);
    cluster.master.reconfigure(change);
    cluster.master.start();
    cluster
}

/// What a server has kept of transactions that it has taken back: one directory.
pub(crate) fn kept(server: &Server) -> (PathBuf, Value) {
    let all = files::list(&server.data_dir().join("lost"), "");
    assert_eq!(all.len(), 1, "one directory: {all:?}");
    let directory = &all[0];
    let told = files::read(&directory.join("lost.json"));
    let told = String::from_utf8(told).expect("text");
    // Its last line seals it.
    let end = told.rfind('}').map_or(told.len(), |end| end + 1);
    let told = serde_json::from_str(&told[..end]).expect("JSON");
    (directory.clone(), told)
}

fn check_kept(server: &Server, role: &str) {
    let (directory, told) = kept(server);
    assert_eq!(told["role"], role, "{told}");
    assert_eq!(told["transactions"], 8, "{told}");
    assert_eq!(told["exact"], true, "{told}");
    assert_eq!(told["root"]["instance"], "slave", "{told}");
    assert!(told["root"]["id"].is_string(), "{told}");
    let rows = String::from_utf8(files::read(&directory.join("lost.jsonl"))).expect("text");
    assert!(rows.contains("item 6") && rows.contains("99"), "{rows}");
}

pub(crate) fn json(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{run:?}");
    serde_json::from_str(run.out.trim()).expect("JSON")
}

pub(crate) fn is_back(server: &Server) {
    wait_for("the server to be back", LONG, || {
        server
            .log()
            .contains("this server is back at that point of its log")
            .then_some(())
    });
}

/// By the command alone, which waits and has both compare all pages; meanwhile somebody starts a dbrepl of the new root.
#[test]
fn a_former_root_goes_back_by_cutting_its_log_and_is_proved_equal() {
    let cluster = left_behind(&Checkpoint::Before, |settings| settings);
    let root = cluster.slave.address().to_string();
    let master = &cluster.master;
    // It has met nobody, and writes.
    let dry = master.dbctl(&["rejoin", "--from", &root, "--dry-run"]);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    let told = "where slave has become it with generation";
    assert!(
        dry.err.contains(told) && dry.err.contains("it still writes"),
        "{dry:?}"
    );
    let alone = master.dbctl(&["rejoin"]);
    assert!(
        alone
            .err
            .contains("master is the root: it has nobody to rejoin"),
        "{alone:?}"
    );
    let run = thread::scope(|scope| {
        let command = scope.spawn(|| master.dbctl(&["rejoin", "--from", &root]));
        is_back(master);
        let mut back = feed(&cluster, master, &[]);
        let run = command.join().expect("a command");
        back.stop();
        run
    });
    assert_eq!(run.code, Some(0), "{run:?}");
    for part in [
        "plan                 cut",
        "transactions lost    8",
        "equal: master \"slave\" and slave \"master\" at commit",
    ] {
        assert!(run.out.contains(part), "{part}: {run:?}");
    }
    assert_eq!(items(master), 15);
    assert_eq!(
        master.sql(SHOP, "SELECT price FROM item WHERE id = 1"),
        [["0.50"]]
    );
    check_kept(master, "primary");
    // It is a slave as any other.
    let mut back = feed(&cluster, master, &[]);
    sell(&cluster.slave, 3);
    settle_and_compare(&cluster.slave, master);
    assert_eq!(status(master)["fenced"], Value::Null);
    back.stop();
    // The same again has nothing to do.
    let again = master.dbctl(&["rejoin", "--from", &root, "--no-wait", "--json"]);
    assert_eq!(json(&again)["state"], "nothing");
}

#[test]
fn what_a_checkpoint_has_written_behind_the_fork_comes_out_of_the_own_log() {
    let mut cluster = left_behind(&Checkpoint::Behind, |settings| settings);
    let mut refused = feed(&cluster, &cluster.master, &[]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    assert!(
        refused.output().contains("'dbctl rejoin'"),
        "{}",
        refused.output()
    );
    // Whatever is restarted meanwhile.
    cluster.master.restart();
    let dry = json(&cluster.master.dbctl(&["rejoin", "--dry-run", "--json"]));
    assert_eq!(
        (&dry["plan"], &dry["state"]),
        (&"log".into(), &"planned".into())
    );
    assert_eq!(dry["transactions"], 8);
    assert!(dry["pages"].as_u64() > Some(0), "{dry}");
    let why = dry["not_cheaper"][0]["why"].as_str().unwrap_or_default();
    assert!(
        why.contains("the data files may have commits up to"),
        "{dry}"
    );
    let cut = cluster.master.dbctl(&["rejoin", "--plan", "cut"]);
    assert_eq!(cut.code, Some(1), "{cut:?}");
    assert!(cut.err.contains("plan cut is not exact here"), "{cut:?}");
    assert_eq!(items(&cluster.master), 17, "nothing has changed");
    cluster.master.dbctl(&["rejoin"]).ok();
    is_back(&cluster.master);
    let mut back = feed(&cluster, &cluster.master, &[]);
    settle_and_compare(&cluster.slave, &cluster.master);
    back.stop();
    assert_eq!(items(&cluster.master), 15);
    check_kept(&cluster.master, "primary");
    cluster.master.kill9();
    cluster.master.start();
    let mut back = feed(&cluster, &cluster.master, &[]);
    sell(&cluster.slave, 1);
    settle_and_compare(&cluster.slave, &cluster.master);
    back.stop();
}

#[test]
fn a_copy_takes_the_place_of_all_where_that_is_wanted() {
    let cluster = left_behind(&Checkpoint::Before, |settings| settings);
    let master = &cluster.master;
    let mut refused = feed(&cluster, master, &["--init", "auto"]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    let compare = ["rejoin", "--plan", "compare", "--json", "--no-wait"];
    assert_eq!(json(&master.dbctl(&compare))["state"], "awaits-copy");
    check_kept(master, "primary");
    // It may be taken back, until the copy comes.
    let given_up = master.dbctl(&["rejoin", "--give-up"]);
    assert!(given_up.out.contains("as it was before"), "{given_up:?}");
    let mut refused = feed(&cluster, master, &["--init", "auto"]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    master.dbctl(&compare).ok();
    let mut back = feed(&cluster, master, &["--init", "auto"]);
    settle_and_compare(&cluster.slave, master);
    assert_eq!(items(master), 15);
    assert_eq!(status(master)["fenced"], Value::Null);
    back.stop();
}

#[test]
fn with_auto_it_goes_back_without_a_person_and_dbrepl_goes_on() {
    let cluster = left_behind(&Checkpoint::Before, |settings| {
        settings.set("Replication", "Rejoin", "auto")
    });
    let mut back = feed(&cluster, &cluster.master, &[]);
    is_back(&cluster.master);
    settle_and_compare(&cluster.slave, &cluster.master);
    assert_eq!(items(&cluster.master), 15);
    check_kept(&cluster.master, "primary");
    assert!(back.is_running(), "{}", back.output());
    back.stop();
}

/// Two slaves; the one that is promoted lacks what the other one has.
#[test]
fn a_slave_that_is_ahead_goes_back_too_and_only_the_roots_file_is_the_primary() {
    let (mut cluster, mut there) = pair();
    let folder = cluster.folder().path().to_owned();
    let mut third = Server::create(&folder, Settings::new("third", "Slave"));
    may_ask(&mut third);
    third.start();
    let command = follower::dbrepl(&cluster.master, &third, &["-v"]);
    let mut to_third = Follower::run(command, folder.join("third.log"));
    cluster.wait_for_slave(&mut there);
    there.stop();
    sell(&cluster.master, 7);
    cluster
        .master
        .sql(SHOP, "UPDATE item SET price = 99 WHERE id = 1");
    settle_and_compare(&cluster.master, &third);
    // One that is only behind takes nothing from anybody.
    let behind = cluster.slave.address().to_string();
    let refused = third.dbctl(&["rejoin", "--from", &behind]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.err.contains("has nothing in the place of"),
        "{refused:?}"
    );
    cluster.master.kill9();
    to_third.stop();
    promote(&cluster.slave);
    sell(&cluster.slave, 5);
    let mut refused = feed(&cluster, &third, &[]);
    assert_eq!(refused.ended().code(), Some(5), "{}", refused.output());
    assert!(
        refused.output().contains("dbctl rejoin"),
        "{}",
        refused.output()
    );
    assert_eq!(items(&third), 17);
    let root = cluster.slave.address().to_string();
    third.dbctl(&["rejoin", "--from", &root, "--no-wait"]).ok();
    is_back(&third);
    let mut back = feed(&cluster, &third, &[]);
    settle_and_compare(&cluster.slave, &third);
    assert_eq!(items(&third), 15);
    check_kept(&third, "secondary");
    back.stop();
}

#[test]
fn what_has_nothing_to_go_back_to_is_refused_by_name() {
    let (mut cluster, mut there) = pair();
    there.stop();
    for server in [&mut cluster.master, &mut cluster.slave] {
        may_ask(server);
        server.restart();
    }
    let slave = cluster.slave.address().to_string();
    let refused = |server: &Server, options: &[&str], why: &str| {
        let run = server.dbctl(&[&["rejoin"], options].concat());
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.err.contains(why), "{why}: {run:?}");
    };
    refused(
        &cluster.master,
        &["--from", &slave],
        "master is the root, and nothing in the log of slave says that it is none any more",
    );
    refused(
        &cluster.master,
        &["--from", "127.0.0.1:1"],
        "127.0.0.1:1 can't be asked",
    );
    refused(
        &cluster.slave,
        &[],
        "this server knows of no root that has left it behind",
    );
    assert_eq!(items(&cluster.master), 10, "nothing has changed");
}

#[test]
fn a_slave_goes_back_to_a_point_that_a_person_names_and_follows_from_there() {
    let (cluster, mut there) = pair();
    let position = |server: &Server| {
        let position = server.command("forwardlog status").remove("position");
        position.expect("a position")
    };
    let earlier = position(&cluster.master);
    sell(&cluster.master, 5);
    cluster.wait_for_slave(&mut there);
    let refused = cluster.master.dbctl(&["rejoin", "--to", &earlier]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused
            .err
            .contains("master is the root: it has nothing to go back for"),
        "{refused:?}"
    );
    let slave = &cluster.slave;
    let fed = slave.dbctl(&["rejoin", "--to", &earlier]);
    assert!(
        fed.err.contains("a dbrepl feeds this server just now"),
        "{fed:?}"
    );
    there.stop();
    let nowhere = slave.dbctl(&["rejoin", "--to", "1-1:131"]);
    assert!(
        nowhere.err.contains("has no border of blocks at 1-1:131"),
        "{nowhere:?}"
    );
    let dry = json(&slave.dbctl(&["rejoin", "--to", &earlier, "--dry-run", "--json"]));
    assert_eq!(
        [&dry["state"], &dry["transactions"]],
        [&Value::from("planned"), &Value::from(5)],
        "{dry}"
    );
    let gone = slave.dbctl(&["rejoin", "--to", &earlier]);
    assert_eq!(gone.code, Some(0), "{gone:?}");
    is_back(slave);
    wait_for("the slave to be ready", LONG, || {
        let ready = slave.dbctl(&["status", "--json"]).code == Some(0);
        ready.then_some(())
    });
    assert_eq!((items(slave), position(slave)), (10, earlier));
    let (_, told) = kept(slave);
    assert_eq!(
        [&told["made_by"], &told["role"]],
        ["to", "secondary"],
        "{told}"
    );
    let mut there = cluster.follow();
    settle_and_compare(&cluster.master, &cluster.slave);
    assert_eq!(items(&cluster.slave), 15);
    // The root has all of it: nothing is lost.
    let known = cluster.master.dbctl(&["lost", "status", "--json"]);
    assert_eq!(known.out.trim(), "[]", "{known:?}");
    there.stop();
}

/// TSM's reversal: the target takes over, the source comes back, takes its role again; what was changed last is what holds.
#[test]
fn a_reversal_of_roles_takes_four_commands_at_most() {
    let folder = dbtests::Folder::new();
    let mut target = Server::create(folder.path(), with_login(&folder, Settings::slave()));
    target.start();
    let to_target = format!("slave@{}", target.address());
    let source = with_login(&folder, Settings::master()).set("Replication", "Sources", to_target);
    let mut source = Server::create(folder.path(), source);
    source.start();
    crate::shop::open(&source);
    sell(&source, 10);
    source.dbctl(&["checkpoint"]).ok();
    settle_and_compare(&source, &target);
    let back = format!("master@{}", source.address());
    target.reconfigure(|settings| settings.set("Replication", "Sources", back));
    target.restart();
    settle_and_compare(&source, &target);
    // The line is cut: what comes now, only the source has.
    target.stop();
    for id in [1, 2] {
        let sql = format!("UPDATE item SET name = 'of the source' WHERE id = {id}");
        source.sql(SHOP, &sql);
    }
    source.kill9();
    target.start();
    // 1
    promote(&target);
    target.sql(SHOP, "UPDATE item SET name = 'of the target' WHERE id >= 2");
    source.start();
    // 2
    let root = target.address().to_string();
    let rejoined = source.dbctl(&["rejoin", "--from", &root]);
    assert_eq!(rejoined.code, Some(0), "{rejoined:?}");
    assert!(rejoined.out.contains("equal: master"), "{rejoined:?}");
    let (directory, told) = kept(&source);
    assert_eq!(told["transactions"], 2, "{told}");
    let lost = String::from_utf8(files::read(&directory.join("lost.jsonl"))).expect("text");
    assert!(lost.contains("of the source"), "{lost}");
    // 3: one row is as the source had found it, and the other is what the target has made of it since.
    let file = directory.display().to_string();
    let applied = target.dbctl(&["lost", "apply", &file, "--json"]);
    assert_eq!(applied.code, Some(1), "{applied:?}");
    let applied: Value = serde_json::from_str(applied.out.trim()).expect("JSON");
    assert_eq!(
        [&applied["applied"], &applied["conflict"]],
        [1, 1],
        "{applied}"
    );
    // 4
    let switched = target.dbctl(&["replication", "switchover", "master"]);
    assert_eq!(switched.code, Some(0), "{switched:?}");
    settle_and_compare(&source, &target);
    assert_eq!(status(&source)["role"], "Master");
    let names = source.sql(SHOP, "SELECT name FROM item ORDER BY id LIMIT 3");
    assert_eq!(
        names,
        [["of the source"], ["of the target"], ["of the target"]]
    );
    compare::databases(&source, &target);
}
