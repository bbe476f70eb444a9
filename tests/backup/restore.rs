//! The past comes back: on an empty machine, up to each moment that is wanted, in each role.

use std::time::Duration;

use dbtests::process::{Background, run};
use dbtests::programs::ours;
use dbtests::{Follower, LONG, PASSWORD, Server, Settings, files, follower, wait_for};
use serde_json::Value;

use crate::support::{Shop, a_second_that_is_over, checksum, commit, items, json};

fn table(text: &str, name: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.expect("a line").trim().to_owned()
}

/// Backup, then more, then the machine is gone: all that was archived comes back, and goes on.
#[test]
fn a_lost_machine_comes_back_and_goes_on_in_the_same_repository() {
    let mut shop = Shop::start();
    shop.sell(20);
    shop.create(&[]);
    shop.sell(5);
    shop.master.dbctl(&["forwardlog", "switch"]).ok();
    shop.sell(2);
    shop.archive(&shop.master).ok();
    let (all, last) = (checksum(&shop.master, "shop"), commit(&shop.master));
    shop.master.kill9();
    std::fs::remove_dir_all(shop.master.data_dir()).expect("it goes");
    std::fs::remove_dir_all(shop.master.fwlog_dir()).expect("it goes");
    let told = shop.restore(&shop.master, &[]).ok();
    assert_eq!(table(&told, "commit "), last.to_string());
    assert_eq!(table(&told, "as "), "master");
    shop.master.start();
    assert_eq!(checksum(&shop.master, "shop"), all);
    assert_eq!(items(&shop.master), 27);
    let history = json(
        &shop
            .master
            .dbctl(&["--json", "replication", "history"])
            .ok(),
    );
    let newest = history
        .as_array()
        .and_then(|all| all.last())
        .expect("a generation");
    assert_eq!(newest["reason"], "restore");
    // It is the new line of the archive.
    shop.sell(1);
    shop.archive(&shop.master).ok();
    shop.create(&[]);
    shop.sell(1);
    shop.archive(&shop.master).ok();
    let verified = run(ours("dbctl").args(["archive", "verify", &shop.url]), b"");
    verified.ok();
    shop.master.stop();
    let mut copy = shop.copy("again");
    shop.restore(&copy, &["--as", "copy"]).ok();
    copy.start();
    assert_eq!(items(&copy), 29);
    // What is there is not written over.
    let told = shop.restore(&shop.master, &[]).fails(1);
    assert!(told.contains("there is an environment"), "{told}");
}

/// A table is dropped by mistake: each point before and behind that is one to go to.
#[test]
fn a_moment_before_a_mistake_comes_back() {
    let shop = Shop::start();
    shop.sell(3);
    let backup = shop.create(&[]);
    let at_backup = backup["commit"].as_u64().expect("a commit");
    let mut known = vec![(at_backup, 3)];
    for count in 4..=8 {
        shop.sell(1);
        known.push((commit(&shop.master), count));
    }
    let before = a_second_that_is_over(&shop.master);
    let position = shop.master.command("forwardlog status")["durable"].clone();
    let position = position
        .split_whitespace()
        .next()
        .expect("a position")
        .to_owned();
    shop.master.sql("shop", "DROP TABLE items");
    let dropped = commit(&shop.master);
    shop.master.sql("shop", "CREATE TABLE other (id INT)");
    shop.archive(&shop.master).ok();
    for (round, (commit, count)) in known.iter().enumerate() {
        let mut copy = shop.copy(&format!("commit{round}"));
        let told = shop.restore(&copy, &["--commit", &commit.to_string()]).ok();
        assert_eq!(table(&told, "commit "), commit.to_string());
        copy.start();
        assert_eq!(items(&copy), *count, "commit {commit}");
        copy.stop();
    }
    let dropped = dropped.to_string();
    let ways: [(&str, [&str; 2]); 3] = [
        ("before", ["--before-commit", &dropped]),
        ("time", ["--time", &before]),
        ("position", ["--position", &position]),
    ];
    for (name, way) in ways {
        let mut copy = shop.copy(name);
        shop.restore(&copy, &way).ok();
        copy.start();
        assert_eq!(items(&copy), 8, "{name}");
    }
    let mut copy = shop.copy("latest");
    shop.restore(&copy, &["--latest"]).ok();
    copy.start();
    copy.client("shop").refused("SELECT count(*) FROM items");
    // What is not there is said, with the nearest that is.
    let never = shop.copy("never");
    let told = shop.restore(&never, &["--commit", "1"]).fails(5);
    assert!(told.contains("no backup leads to commit 1"), "{told}");
    let told = shop.restore(&never, &["--commit", "999999"]).fails(5);
    assert!(told.contains("what there is ends at"), "{told}");
    let told = shop.restore(&never, &["--time", "2999-01-01"]).fails(5);
    assert!(told.contains("--latest takes all"), "{told}");
    let untouched = shop.copy("untouched");
    let told = shop.restore(&untouched, &["--dry-run"]).ok();
    assert_eq!(table(&told, "up to "), "the latest there is");
    assert_eq!(table(&told, "as "), "master");
    assert!(!untouched.data_dir().exists(), "nothing was made");
}

/// The restored master begins a generation: who has more of the past that was given up is refused by name.
#[test]
fn a_slave_of_the_past_that_was_given_up_is_refused_and_a_restored_slave_follows() {
    let mut shop = Shop::start();
    let mut slave = Server::create(shop.folder.path(), Settings::slave());
    slave.start();
    shop.sell(3);
    shop.create(&[]);
    shop.sell(1);
    let kept = commit(&shop.master);
    shop.sell(2);
    shop.archive(&shop.master).ok();
    follower::replicate(&shop.master, &slave, &["-S"]).ok();
    shop.master.stop();
    std::fs::remove_dir_all(shop.master.data_dir()).expect("it goes");
    shop.restore(&shop.master, &["--commit", &kept.to_string()])
        .ok();
    shop.master.start();
    assert_eq!(items(&shop.master), 4);
    // The log of the past that was given up is kept beside the new one.
    let lost = shop.master.fwlog_dir().join("lost");
    assert!(!files::list(&lost, "").is_empty(), "set aside");
    let told = follower::replicate(&shop.master, &slave, &["-S"]);
    assert_eq!(told.code, Some(5), "{told:?}");
    shop.sell(1);
    shop.create(&[]);
    shop.sell(1);
    shop.archive(&shop.master).ok();
    let mut second = shop.empty("second", "Slave");
    shop.restore(&second, &[]).ok();
    second.start();
    let mut following = Follower::start(shop.folder.path(), &shop.master, &second);
    shop.sell(1);
    wait_for("the restored slave to follow", LONG, || {
        assert!(
            following.process().ended().is_none(),
            "{}",
            following.output()
        );
        (items(&second) == 7).then_some(())
    });
    assert_eq!(checksum(&second, "shop"), checksum(&shop.master, "shop"));
    following.stop();
}

/// A restore that is killed makes nothing that a server would start with, and the same command goes on.
#[test]
fn a_restore_that_is_killed_goes_on() {
    let shop = Shop::start();
    shop.sell(100);
    shop.create(&[]);
    shop.archive(&shop.master).ok();
    let mut copy = shop.copy("copy");
    let mut struck = 0;
    for wait in [20, 60, 120, 250, 400] {
        let mut command = copy.dbctl_command();
        command
            .args(["backup", "restore", "--from", &shop.url])
            .arg(copy.data_dir());
        let log = shop.folder.join("restore.log");
        let mut restoring = Background::start(&mut command, &log);
        let ended = restoring.ended_within(Duration::from_millis(wait));
        if ended.is_some() {
            break;
        }
        restoring.kill9();
        struck += 1;
    }
    assert!(struck > 0);
    // A dbserver that dbctl has begun goes on by itself, and may have made it the state meanwhile.
    wait_for("the restore", LONG, || {
        let again = shop.restore(&copy, &[]);
        let is_under_way = again.err.contains("another server runs");
        let is_done = again.code == Some(0) || again.err.contains("there is an environment");
        assert!(is_done || is_under_way, "{again:?}");
        let lock = copy.data_dir().join("incoming");
        (is_done && files::list(&lock, "").is_empty()).then_some(())
    });
    wait_for("the copy to start", LONG, || copy.try_start().ok());
    assert_eq!(items(&copy), 100);
}

#[test]
fn verify_restores_and_removes_what_it_has_restored() {
    let shop = Shop::start();
    shop.sell(10);
    let backup = shop.create(&[]);
    shop.sell(1);
    shop.archive(&shop.master).ok();
    let scratch = shop.folder.join("scratch");
    std::fs::create_dir(&scratch).expect("a directory");
    let told = shop.look("verify", &["--restore", &scratch.display().to_string()]);
    let told = json(&told.ok());
    assert_eq!(told["backup"], backup["backup"]);
    assert!(told["milliseconds"].as_u64().is_some(), "{told}");
    assert_eq!(told["commit"].as_u64(), Some(commit(&shop.master)));
    assert_eq!(files::list(&scratch, "").len(), 0, "it is removed");
    // A page that is not what it was ends it.
    let packs = shop.packs();
    let pack = packs.first().expect("a pack");
    let length = std::fs::metadata(pack).expect("a file").len();
    files::flip(pack, length - 100);
    let told = shop.look("verify", &["--restore", &scratch.display().to_string()]);
    let told = told.fails(1);
    assert!(told.contains(&files::name(pack)), "{told}");
    assert_eq!(files::list(&scratch, "").len(), 0, "it is removed");
    let told = json(&shop.look("verify", &[]).out);
    assert_ne!(told["backups"][0]["findings"], Value::Array(Vec::new()));
}

#[test]
fn what_a_restore_is_to_be_has_to_fit_its_configuration() {
    let shop = Shop::start();
    shop.create(&[]);
    let slave = shop.empty("slave", "Slave");
    let told = shop.restore(&slave, &["--as", "master"]).fails(2);
    assert!(told.contains("has Role = Slave"), "{told}");
    let master = shop.empty("other", "Master");
    let told = shop.restore(&master, &["--as", "copy"]).fails(2);
    assert!(told.contains("has FwLog"), "{told}");
    let mut command = ours("dbctl");
    let elsewhere = shop.folder.join("elsewhere");
    command
        .args(["backup", "restore", "--as", "master", "--from", &shop.url])
        .arg(&elsewhere)
        .env("EQ_CONFIG", master.config_path())
        .env("EQ_DBPASSWORD", PASSWORD);
    let told = run(&mut command, b"").fails(2);
    assert!(told.contains("is not the DataDir"), "{told}");
    // dbserver says the same of what was never brought.
    std::fs::create_dir_all(&elsewhere).expect("a directory");
    let mut command = ours("dbserver");
    command.args(["recover", "--as", "copy"]).arg(&elsewhere);
    let told = run(&mut command, b"").fails(1);
    assert!(told.contains("nothing to recover"), "{told}");
}
