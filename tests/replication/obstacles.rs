//! What keeps a slave from becoming the root is named, and nothing has changed then; and what stays said until it is settled.

use std::sync::mpsc;
use std::thread;

use dbtests::{Cluster, LONG, Server, Settings, files, wait_for};
use serde_json::Value;

use crate::shop::{SHOP, items, open, sell};
use crate::switchover::Pair;

fn json(server: &Server, words: &[&str]) -> Value {
    let run = server.dbctl(words);
    let read = serde_json::from_str(run.out.trim());
    assert!(read.is_ok(), "{run:?}");
    read.expect("asserted")
}

#[track_caller]
fn refused(server: &Server, words: &[&str], why: &str) {
    let run = server.dbctl(words);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains(why), "{why}: {run:?}");
}

const SWITCHOVER: [&str; 3] = ["replication", "switchover", "slave"];

#[test]
fn a_master_that_could_not_follow_and_a_reader_that_holds_back_are_obstacles() {
    let mut cluster = Cluster::with(
        Settings::master().set("Volumes", "MaxSize", "64m"),
        Settings::slave(),
    );
    open(&cluster.master);
    sell(&cluster.master, 10);
    let mut there = cluster.follow();
    cluster.wait_for_slave(&mut there);
    let why = "cannot become root: slave may have larger data files than master, which could not follow it (MaxSize in section [Volumes]: no limit there, 67108864 bytes here)";
    refused(&cluster.master, &SWITCHOVER, why);
    sell(&cluster.master, 1);
    cluster.wait_for_slave(&mut there);
    there.stop();
    cluster
        .master
        .reconfigure(|settings| settings.without("Volumes", "MaxSize"));
    cluster.master.restart();
    let mut there = cluster.follow();
    // Readers in mode 8 see one state as long as they are there.
    let reader = wait_for("the mode", LONG, || {
        cluster.slave.client_in_mode(SHOP, 8).ok()
    });
    reader.run("SELECT 1");
    sell(&cluster.master, 1);
    wait_for("the slave to be held back", LONG, || {
        let status = json(&cluster.slave, &["replication", "status", "--json"]);
        (status[0]["state"] == "suspended").then_some(())
    });
    // The slave says so itself where the master does not know it yet.
    refused(&cluster.master, &SWITCHOVER, "cannot become root: slave ");
    sell(&cluster.master, 1);
    cluster.master.kill9();
    there.stop();
    wait_for("the slave to miss its master", LONG, || {
        let run = cluster.slave.dbctl(&["replication", "promote"]);
        assert_eq!(run.code, Some(1), "{run:?}");
        run.err
            .contains("cannot become root: this slave does not apply its log: ")
            .then_some(())
    });
    assert_eq!(cluster.slave.command("status")["role"], "Slave");
    assert_eq!(reader.value("SELECT count(*) FROM item"), "11");
    let forced = cluster.slave.dbctl(&["replication", "promote", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    assert!(items(&cluster.slave) >= 12);
}

#[test]
fn a_switchover_that_is_over_shows_its_proof_again_and_nobody_is_critical_for_it() {
    let pair = Pair::start();
    let (master, slave) = (&pair.cluster.master, &pair.cluster.slave);
    let words = ["replication", "switchover", "slave", "--json"];
    let proof = json(master, &words);
    for server in [master, slave] {
        let check = server.dbctl(&["replication", "check"]);
        assert_ne!(check.code, Some(2), "{check:?}");
    }
    let again = json(master, &words);
    for key in ["master", "slave", "position", "hash", "commit"] {
        assert_eq!(proof[key], again[key], "{key}");
    }
    sell(slave, 3);
    pair.settle_and_compare();
    let later = json(master, &words);
    assert_eq!(proof["hash"], later["hash"]);
    // Once the other one is the root by something else, that is no proof any more.
    pair.wait_for_feed();
    for _ in 0..2 {
        let back = slave.dbctl(&["replication", "switchover", "master"]);
        assert_eq!(back.code, Some(0), "{back:?}");
    }
    pair.stop();
}

#[test]
fn who_writes_waits_while_the_root_is_read_only_and_who_holds_on_is_ended() {
    let pair = Pair::start();
    let master = &pair.cluster.master;
    let refusal = pair.cluster.slave.dbctl(&["replication", "readonly", "on"]);
    assert_eq!(refusal.code, Some(1), "{refusal:?}");
    let holder = master.client(SHOP);
    holder.run("BEGIN");
    // What can't be carried over takes the right to write at once.
    holder.run("CREATE TABLE held (id INT)");
    let run = master.dbctl(&["replication", "readonly", "on"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let told = holder.try_rows("COMMIT").expect_err("it was ended");
    let code = dbtests::Refusal::of(&told).map(|it| it.code);
    assert!(
        holder.is_closed() || code.as_deref() == Some("57P01"),
        "{told:?}"
    );
    // Readers go on, and the status says what is so.
    assert_eq!(items(master), 10);
    let status = json(master, &["status", "--json"]);
    let words = status["read_only"].as_str().unwrap_or_default().to_owned();
    assert!(
        words.contains("until 'dbctl replication readonly off'"),
        "{words}"
    );
    let asked = master.dbctl(&["replication", "readonly"]).ok();
    assert!(
        asked.contains("until 'dbctl replication readonly off'"),
        "{asked}"
    );
    let usage = master
        .dbctl(&["replication", "readonly", "--for", "1s"])
        .fails(2);
    assert!(
        usage.contains("readonly [on [--for TIME] | off]"),
        "{usage}"
    );
    let impatient = master.client(SHOP);
    impatient.run("SET statement_timeout = '50ms'");
    let late = impatient.refused("INSERT INTO item (name, price) VALUES ('late', 1)");
    assert_eq!(late.code, "57014");
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            sell(master, 2);
            tell.send(()).expect("the test hears");
        });
        wait_for("a writer to wait", LONG, || {
            let status = json(master, &["status", "--json"]);
            let words = status["read_only"].as_str()?;
            words.contains(": 1 do").then_some(())
        });
        assert!(told.try_recv().is_err());
        let run = master.dbctl(&["replication", "readonly", "off"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        told.recv().expect("it writes");
    });
    assert_eq!(items(master), 12);
    // It ends by itself.
    let run = master.dbctl(&["replication", "readonly", "on", "--for", "100ms"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    sell(master, 1);
    pair.settle_and_compare();
    pair.stop();
}

#[test]
fn each_change_of_state_is_one_line_of_the_message_file() {
    let mut pair = Pair::start();
    let path = pair.cluster.folder().join("messages.txt");
    pair.cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "MessageFile", path.display()));
    pair.cluster.slave.restart();
    let lines = || String::from_utf8(files::read(&path)).expect("text");
    let wait_for_line = |part: &str| {
        wait_for(&format!("the message file to have '{part}'"), LONG, || {
            path.exists().then(&lines)?.contains(part).then_some(())
        });
    };
    wait_for_line(" slave: it is a slave (generation 1, 1-");
    wait_for_line("as a slave of master it is following, on its disk up to 1-");
    pair.wait_for_feed();
    // Whoever moves it away gets a new one.
    files::hide(&path);
    let done = pair.cluster.master.dbctl(&SWITCHOVER);
    assert_eq!(done.code, Some(0), "{done:?}");
    wait_for_line(" slave: it is the root, and writes generation 2 of the log (generation 2, 2-1:");
    wait_for_line("slave master is following");
    let text = lines();
    let is_whole = |line: &str| line.contains("Z slave: ") && line.ends_with(')');
    assert!(text.lines().all(is_whole), "{text}");
    pair.stop();
}
