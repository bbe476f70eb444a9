//! What the states say where a mistake is behind them: a name given twice, a log put back, a wrong address, a
//! wrong password.

use std::path::Path;

use dbtests::{
    Folder, Follower, LONG, Server, Settings, Traffic, files, follower, process, wait_for,
};

use crate::check::{LOST, Pair, move_to, says, says_because};
use crate::shop::{sell, told};

/// The stopped master is what it was when it was kept; what it has been since is moved away.
fn put_back(pair: &Pair, kept: &Path) {
    for name in ["data", "fwlog"] {
        let place = pair.master.folder().join(name);
        move_to(&place, &pair.folder.join(&format!("{name}.old")));
        move_to(&kept.join(name), &place);
    }
}

#[test]
fn a_second_slave_of_one_name_is_refused_and_changes_nothing_for_the_first() {
    let mut pair = Pair::start();
    let elsewhere = Folder::new();
    let mut second = Server::create(elsewhere.path(), Settings::slave());
    second.start();
    let said = follower::replicate(&pair.master, &second, &["-S"]).fails(2);
    for part in [
        "two slaves are called slave",
        &pair.line.address().to_string(),
        &second.address().to_string(),
        "name of its own",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // One that follows waits until the name is free.
    let mut other = Follower::start(elsewhere.path(), &pair.master, &second);
    other.wait_for_line("two slaves are called slave");
    sell(&pair.master, 1);
    pair.both_say("ok: ");
    assert!(other.is_running());
    other.stop();
    second.kill9();

    // A slave that was moved is no second one.
    pair.dbrepl.kill9();
    let moved = elsewhere.join("moved.log");
    let moved = Follower::run(follower::dbrepl(&pair.master, &pair.slave, &["-v"]), moved);
    pair.both_say("ok: ");
    assert!(!moved.output().contains("two slaves"), "{}", moved.output());
}

#[test]
fn a_log_that_is_put_back_under_a_running_dbrepl_is_noticed() {
    let mut pair = Pair::start();
    pair.master.stop();
    let kept = pair.keep_master();
    pair.master.start();
    sell(&pair.master, 3);
    pair.both_say("ok: slave slave follows, lag 0.0");
    pair.master.stop();
    put_back(&pair, &kept);
    pair.master.start();
    let diverged = "critical: slave slave: diverged since ";
    for server in [&pair.master, &pair.slave] {
        says_because(server, diverged, "copy no file to the master");
    }
    assert_eq!(pair.dbrepl.ended().code(), Some(5));
    sell(&pair.master, 1);
    says(&pair.master, diverged);
}

#[test]
fn a_master_that_went_on_behind_a_slave_that_was_ahead_says_diverged() {
    let mut pair = Pair::start();
    pair.dbrepl.stop();
    pair.master.stop();
    let kept = pair.keep_master();
    pair.master.start();
    sell(&pair.master, 3);
    follower::replicate(&pair.master, &pair.slave, &["-S"]).ok();
    pair.master.kill9();
    put_back(&pair, &kept);
    let told = follower::replicate(&pair.master, &pair.slave, &["-S"]).fails(5);
    assert!(told.contains("never over a file that is there"), "{told}");
    pair.master.start();
    let diverged = "critical: slave slave: diverged since ";
    says_because(&pair.master, diverged, "copy no segment over the master's");

    // The slave's segment over the master's own: the start says what has happened.
    pair.master.stop();
    let segment = crate::shop::open_segment(&pair.slave);
    let name = files::name(&segment);
    let own = pair.master.fwlog_dir().join(&name);
    files::write(&own, files::read(&segment));
    let failed = pair.master.try_start().expect_err("two histories");
    let meets = "two histories meet here";
    assert!(failed.err.contains(meets), "{failed:?}");
}

#[test]
fn a_slave_of_another_master_is_no_trouble_of_this_one() {
    let mut pair = Pair::start();
    let folder = Folder::new();
    let mut foreign = Server::create(folder.path(), Settings::master());
    foreign.start();
    let told = follower::replicate(&foreign, &pair.slave, &["-S"]);
    assert_eq!(told.code, Some(1), "its own dbrepl has it: {told:?}");
    pair.dbrepl.stop();
    let told = follower::replicate(&foreign, &pair.slave, &["-S"]).fails(5);
    assert!(told.contains("check the address"), "{told}");
    says(&foreign, "warning: no slave has been connected");
    let refused = says(&pair.slave, "critical: slave slave: refused since ");
    assert!(!refused.contains("dbctl init"), "{refused}");
    pair.start_dbrepl();
    pair.both_say("ok: ");
    // A slave that was this master's, and has become another's.
    pair.dbrepl.stop();
    pair.slave.stop();
    for name in ["data", "fwlog"] {
        let place = pair.slave.folder().join(name);
        std::fs::remove_dir_all(place).expect("removed");
    }
    pair.slave.init().ok();
    pair.slave.start();
    follower::replicate(&foreign, &pair.slave, &["-S"]).ok();
    pair.start_dbrepl();
    let refused = says(&pair.master, "critical: slave slave: refused since ");
    assert!(refused.contains("replication forget NAME"), "{refused}");
}

/// Second of the day since when it stands as it does.
fn since(server: &Server) -> f64 {
    let json = server.dbctl(&["--json", "replication", "status"]).ok();
    let rows: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let since = rows[0]["since"].as_str().expect("a time").to_owned();
    let (_, time) = since.trim_end_matches('Z').split_once('T').expect("a time");
    let parts = time
        .split(':')
        .map(|part| part.parse::<f64>().expect("a number"));
    parts.fold(0.0, |sum, part| sum * 60.0 + part)
}

#[test]
fn a_silent_dbrepl_is_not_connected_since_it_was_heard_and_comes_back_when_it_was_only_frozen() {
    let mut pair = Pair::start();
    pair.dbrepl.process().signal("STOP");
    says(&pair.slave, LOST);
    let first = since(&pair.slave);
    wait_for("the slave to give it up", LONG, || {
        (told(&pair.slave, "dbrepl has fallen silent") > 0).then_some(())
    });
    let later = says(&pair.slave, LOST);
    assert!(later.contains("fallen silent"), "{later}");
    assert!((since(&pair.slave) - first).abs() < 5.0, "{first}: {later}");
    pair.dbrepl.process().signal("CONT");
    pair.both_say("ok: ");

    // The line.
    pair.line.set(Traffic::Hold);
    says_because(&pair.master, LOST, "the slave does not answer its dbrepl");
    let first = since(&pair.master);
    says_because(
        &pair.master,
        LOST,
        "the slave has said nothing for 30 seconds",
    );
    assert!((since(&pair.master) - first).abs() < 5.0, "{first}");
    pair.line.set(Traffic::Carry);
    pair.both_say("ok: ");

    // The slave, and a dbrepl that is stopped meanwhile does not wait for it.
    pair.slave.process().signal("STOP");
    pair.dbrepl
        .wait_for_line("slave server has not answered since ");
    pair.dbrepl.stop();
    pair.slave.process().signal("CONT");
}

#[test]
fn a_dbrepl_with_a_wrong_password_is_named_by_the_slave() {
    let mut pair = Pair::start();
    pair.dbrepl.stop();
    says_because(&pair.slave, LOST, "dbrepl was stopped");
    let mut command = follower::dbrepl(&pair.master, &pair.slave, &["-S"]);
    let refused = process::run(command.env("EQ_DBPASSWORD", "wrong"), b"");
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let said = says(&pair.slave, "critical: slave slave: refused since ");
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(said.contains("a dbrepl from 127.0.0.1"), "{said}");
    pair.start_dbrepl();
    pair.both_say("ok: ");
}

#[test]
fn without_a_forward_log_no_dbrepl_is_asked_for() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    says(&master, "warning: no slave has been connected");
    master.dbctl(&["forwardlog", "disable"]).ok();
    says(&master, "warning: forward logging is off");
}

#[test]
fn lines_of_a_dbrepl_that_follows_have_their_time_where_no_terminal_is() {
    let pair = Pair::start();
    pair.line.set(Traffic::Carry);
    let output = pair.dbrepl.output();
    for line in output.lines() {
        let (time, text) = line.split_once(' ').expect("a time");
        assert!(time.ends_with('Z') && time.contains('T'), "{line}");
        assert!(text.starts_with('R'), "{line}");
    }
    assert!(output.contains("Z R0: dbrepl 0.2.0 begins"), "{output}");
}
