//! A rolling upgrade: servers and dbrepl of two versions with one another.
//!
//! `ELOQDB_OLD_PROGRAMS` names the directory of the programs of the release before (`docs/testing.md`); without it
//! this version stands on all sides.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::{
    Folder, Follower, LONG, PASSWORD, Server, Settings, compare, process, programs, wait_for,
};

use crate::copies::forget_beginning;
use crate::shop::{items, open, sell};

/// The programs of the release before, and of this one.
fn versions() -> [PathBuf; 2] {
    let new = programs::directory();
    let old = env::var_os("ELOQDB_OLD_PROGRAMS").map_or_else(|| new.clone(), PathBuf::from);
    [old, new]
}

fn is_old(programs: &Path) -> bool {
    programs != programs::directory()
}

fn dbrepl(programs: &Path, from: &Server, to: &Server, options: &[&str]) -> Command {
    let like = dbtests::follower::dbrepl(from, to, options);
    let mut command = programs::of(programs, "dbrepl");
    command.args(like.get_args());
    for (name, value) in like.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command
}

#[track_caller]
fn ship(programs: &Path, from: &Server, to: &Server, init: &str) -> String {
    let run = process::run(
        &mut dbrepl(programs, from, to, &["-v", "--init", init, "-S"]),
        b"",
    );
    assert_eq!(run.code, Some(0), "{}\n{}", run.err, to.log());
    run.err
}

fn server(folder: &Folder, settings: Settings, programs: &Path) -> Server {
    let mut server = Server::prepare(folder.path(), settings);
    server.run_by(programs);
    server.init().ok();
    server.start();
    server
}

/// Brings the slave over by a copy; `false`: the two versions have none in common and say so, and the slave is as it was.
#[track_caller]
fn copied(shipper: &Path, from: &Server, to: &Server) -> bool {
    let options = ["-v", "--init", "auto", "-S"];
    let run = process::run(&mut dbrepl(shipper, from, to, &options), b"");
    if run.code == Some(0) {
        assert!(run.err.contains("the copy is complete"), "{}", run.err);
        return true;
    }
    assert_eq!(run.code, Some(5), "{}\n{}", run.err, to.log());
    assert!(run.err.contains("no common version"), "{}", run.err);
    assert!(run.err.contains("update the programs"), "{}", run.err);
    to.sql("system", "SELECT 1");
    false
}

/// Shipping, a copy and a re-synchronization.
fn goes(master: &Path, shipper: &Path, slave: &Path) {
    let folder = Folder::new();
    let from = server(&folder, Settings::master(), master);
    let mut to = server(&folder, Settings::slave(), slave);
    open(&from);
    sell(&from, 5);
    ship(shipper, &from, &to, "never");
    compare::databases(&from, &to);
    compare::logs(&from, &to);
    sell(&from, 5);
    forget_beginning(&from);
    let empty = server(&folder, Settings::new("empty", "Slave"), slave);
    for taker in [&to, &empty] {
        if !copied(shipper, &from, taker) {
            let mixed = [master, shipper, slave].into_iter().any(is_old);
            assert!(mixed, "one version refuses its own copy");
            return;
        }
        compare::databases(&from, taker);
    }
    // Both go on where they are.
    sell(&from, 5);
    to.restart();
    for slave in [&to, &empty] {
        ship(shipper, &from, slave, "never");
        compare::databases(&from, slave);
    }
}

#[test]
fn servers_and_dbrepl_of_two_versions_work_with_one_another() {
    let [old, new] = versions();
    if !is_old(&old) {
        return goes(&new, &new, &new);
    }
    for mask in 0..7_u8 {
        let of = |bit: u8| if mask >> bit & 1 == 1 { &new } else { &old };
        println!("new: {mask:03b} (master, dbrepl, slave from the right)");
        goes(of(0), of(1), of(2));
    }
}

/// What an old root or an old slave does not know changes nothing, and is called by its name.
fn refused_by_the_old_one(folder: &Folder, (root, slave): (&Server, &Server), state: &str) {
    let new = programs::directory();
    let name = slave.settings().name();
    let command = dbrepl(&new, root, slave, &["-v"]);
    let mut fed = Follower::run(command, folder.join(&format!("dbrepl-{name}.log")));
    fed.wait_for_line("up-to-date");
    let mut switchover = programs::of(&new, "dbctl");
    switchover.arg("-c").arg(root.config_path());
    switchover.args(["replication", "switchover", name]);
    let run = process::run(switchover.env("EQ_DBPASSWORD", PASSWORD), b"");
    let told = "a switchover needs version ";
    assert!(run.code == Some(1) && run.err.contains(told), "{run:?}");
    assert!(run.err.contains(state), "{run:?}");
    assert_eq!(root.command("status")["role"], "Master");
    sell(root, 1);
    fed.stop();
}

/// The last one of the chain first: south below north, and east below south.
#[test]
fn a_chain_is_upgraded_one_by_one_while_clients_write() {
    let [old, new] = versions();
    let folder = Folder::new();
    let mut north = server(&folder, Settings::new("north", "Master"), &old);
    let mut south = server(&folder, Settings::new("south", "Slave"), &old);
    let mut east = server(&folder, Settings::new("east", "Slave"), &old);
    open(&north);
    let ship_all = |programs: &Path, north: &Server, south: &Server, east: &Server| {
        sell(north, 3);
        ship(programs, north, south, "never");
        ship(programs, south, east, "never");
        compare::databases(north, south);
        compare::databases(south, east);
        compare::logs(north, east);
    };
    let upgrade = |server: &mut Server| {
        server.stop();
        server.run_by(&new);
        server.start();
    };
    ship_all(&old, &north, &south, &east);
    upgrade(&mut east);
    ship_all(&old, &north, &south, &east);
    upgrade(&mut south);
    ship_all(&new, &north, &south, &east);
    // Nothing but what the old version knows is on the disk yet: the way back is open.
    south.stop();
    south.run_by(&old);
    south.start();
    ship_all(&new, &north, &south, &east);
    upgrade(&mut south);
    if is_old(&old) {
        refused_by_the_old_one(
            &folder,
            (&north, &south),
            "of the master, which has an older one (R0110)",
        );
    }
    // The old root ends with all that it has at south, which takes over; it comes back below it.
    sell(&north, 3);
    north.stop();
    ship(&new, &north, &south, "never");
    south.dbctl(&["replication", "promote", "--force"]).ok();
    sell(&south, 3);
    north.reconfigure(|settings| settings.set("Replication", "Role", "Slave"));
    if is_old(&old) {
        north.start();
        refused_by_the_old_one(
            &folder,
            (&south, &north),
            "of north, which has an older one (R0111)",
        );
        north.stop();
    }
    north.run_by(&new);
    north.start();
    ship(&new, &south, &north, "never");
    ship(&new, &south, &east, "never");
    compare::databases(&south, &north);
    compare::databases(&south, &east);
    assert_eq!(items(&north), items(&south));
    wait_for("south to be the master", LONG, || {
        (south.command("status")["role"] == "Master").then_some(())
    });
}
