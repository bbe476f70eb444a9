//! A backup is what the server had at one commit; the next one stores what differs.

use std::sync::mpsc::{TryRecvError, channel};
use std::thread;

use dbtests::process::Background;
use dbtests::{Cluster, LONG, files, wait_for};
use serde_json::Value;

use crate::support::{Shop, checksum, items, json, with_password};

fn pages(backup: &Value, of: &str) -> u64 {
    backup[of].as_u64().expect("a number")
}

#[test]
fn a_backup_has_the_checksums_of_the_server_and_the_next_one_stores_what_differs() {
    let shop = Shop::start();
    shop.sell(60);
    let full = shop.create(&["--label", "the first one"]);
    assert_eq!(full["compared_with"], Value::Null);
    assert_eq!(pages(&full, "pages_equal"), 0);
    for database in full["databases"].as_array().expect("databases") {
        let name = database["name"].as_str().expect("a name");
        assert_eq!(database["checksum"], checksum(&shop.master, name), "{name}");
    }
    shop.sell(1);
    let next = shop.create(&[]);
    assert_eq!(next["compared_with"], full["backup"]);
    let (taken, all) = (pages(&next, "pages_taken"), pages(&next, "pages"));
    assert!(taken * 5 < all, "{taken} of {all}");
    assert!(pages(&next, "bytes_stored") * 5 < pages(&full, "bytes_stored"));
    let list = json(&shop.look("list", &[]).ok());
    let backups = list["backups"].as_array().expect("backups");
    assert_eq!(backups.len(), 2);
    assert_eq!(backups[0]["label"], "the first one");
    assert_eq!(list["restorable"]["to"]["commit"], next["commit"]);
    for how in ["--quick", "--data"] {
        let verified = json(&shop.look("verify", &[how]).ok());
        assert_eq!(verified["findings"], Value::Array(Vec::new()), "{how}");
    }
    // All anew, whatever there is.
    let again = shop.create(&["--full"]);
    assert_eq!(pages(&again, "pages_equal"), 0);
}

#[test]
fn a_slave_gives_a_backup_too() {
    let shop = Shop::start();
    let cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql("shop", "CREATE TABLE t (id INT)");
    // What is made behind the last checkpoint of the master is in the log that belongs to a slave's backup.
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    let backup = json(&shop.create_by(&cluster.slave, &[]).ok());
    let databases = backup["databases"].as_array().expect("databases");
    let found = databases.iter().find(|it| it["name"] == "shop");
    assert_eq!(
        found.expect("the shop")["checksum"],
        checksum(&cluster.master, "shop")
    );
}

/// It has no log that a slave could follow: a backup is its moment, and comes back as one.
#[test]
fn a_server_without_forward_log_is_backed_up_too() {
    let shop = Shop::start();
    let mut alone = shop.copy("alone");
    alone.init().ok();
    alone.start();
    alone.sql("system", "CREATE DATABASE shop");
    alone.sql("shop", "CREATE TABLE items (id INT)");
    alone.sql("shop", "INSERT INTO items VALUES (1), (2)");
    json(&shop.create_by(&alone, &[]).ok());
    let mut copy = shop.copy("copy");
    shop.restore(&copy, &[]).ok();
    copy.start();
    assert_eq!(items(&copy), 2);
    assert_eq!(checksum(&copy, "shop"), checksum(&alone, "shop"));
}

/// Transfers between accounts go on meanwhile; two take a backup each at the same time.
#[test]
fn two_backups_at_once_of_a_server_that_writes_are_each_of_one_moment() {
    let shop = Shop::start();
    shop.sell(40);
    let master = &shop.master;
    master.sql(
        "shop",
        "CREATE TABLE account (id INT PRIMARY KEY, amount INT)",
    );
    master.sql(
        "shop",
        "INSERT INTO account SELECT n, 100 FROM generate_series(1, 50) AS n",
    );
    let (made, done) = thread::scope(|scope| {
        let (stop, stopped) = channel::<()>();
        let writing = scope.spawn(move || {
            let client = master.client("shop");
            let mut transfers = 0_u32;
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                let (from, to) = (1 + transfers % 50, 1 + (transfers * 7 + 3) % 50);
                client.run("BEGIN");
                client.run(&format!(
                    "UPDATE account SET amount = amount - 1 WHERE id = {from}"
                ));
                client.run(&format!(
                    "UPDATE account SET amount = amount + 1 WHERE id = {to}"
                ));
                client.run("COMMIT");
                transfers += 1;
            }
            transfers
        });
        let both = [(); 2].map(|()| scope.spawn(|| shop.create(&[])));
        let made = both.map(|one| one.join().expect("a backup"));
        drop(stop);
        (made, writing.join().expect("the writer"))
    });
    assert!(done > 0);
    assert_ne!(made[0]["backup"], made[1]["backup"]);
    json(&shop.look("verify", &["--data"]).ok());
    for (name, backup) in ["one", "other"].into_iter().zip(&made) {
        let mut copy = shop.copy(name);
        let id = backup["backup"].as_str().expect("a name");
        shop.restore(&copy, &["--as", "copy", id]).ok();
        copy.start();
        let sum = copy.client("shop").value("SELECT sum(amount) FROM account");
        assert_eq!(sum, "5000");
        assert_eq!(items(&copy), 40);
    }
}

#[test]
fn a_backup_that_is_killed_does_not_exist_and_the_next_one_does() {
    let shop = Shop::start();
    shop.sell(150);
    let mut command = shop.master.dbctl_command();
    with_password(&mut command).args(["backup", "create", &shop.url, "--rate", "8m"]);
    let mut taking = Background::start(&mut command, &shop.folder.join("taking.log"));
    wait_for("a backup to begin", LONG, || {
        assert!(taking.ended().is_none(), "{}", taking.output());
        let list = shop.look("list", &[]);
        if list.code != Some(0) {
            return None;
        }
        let list = json(&list.out);
        let unfinished = list["unfinished"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        unfinished.then_some(())
    });
    taking.kill9();
    let list = json(&shop.look("list", &[]).ok());
    assert_eq!(list["backups"], Value::Array(Vec::new()));
    let backup = shop.create(&[]);
    let list = json(&shop.look("list", &[]).ok());
    assert_eq!(list["backups"][0]["backup"], backup["backup"]);
    assert_eq!(list["unfinished"].as_array().map(Vec::len), Some(1));
    json(&shop.look("verify", &[]).ok());
}

#[test]
fn what_can_not_be_done_is_named() {
    let shop = Shop::start();
    let nowhere = shop.folder.join("nowhere").display().to_string();
    let told = shop.master.dbctl(&["backup", "create", &nowhere]).fails(3);
    assert!(told.contains("there is no repository"), "{told}");
    let told = shop
        .master
        .dbctl(&["backup", "create", "ftp://x/y"])
        .fails(2);
    assert!(told.contains("ftp://x/y"), "{told}");
    let told = shop.create_by(&shop.master, &["--rate", "fast"]).fails(2);
    assert!(told.contains("--rate"), "{told}");
    let mut command = shop.master.dbctl_command();
    command.args(["backup", "create", &shop.url]);
    let wrong = command.env("EQ_DBPASSWORD", "wrong");
    dbtests::process::run(wrong, b"").fails(4);
    // One that may not replicate.
    let password = ["user", "create", "clerk"];
    shop.master.dbctl_with_new_password(&password, "clerk").ok();
    let mut command = shop.master.dbctl_command();
    command.args(["-u", "clerk", "backup", "create", &shop.url]);
    let run = dbtests::process::run(command.env("EQ_DBPASSWORD", "clerk"), b"");
    assert_eq!(run.code, Some(4), "{run:?}");
    let told = shop
        .look("verify", &["20060418T185417Z-000000070412"])
        .fails(1);
    assert!(told.contains("has no log, and no backup"), "{told}");
    shop.create(&[]);
    let told = shop
        .look("verify", &["20060418T185417Z-000000070412"])
        .fails(1);
    assert!(told.contains("there is no backup"), "{told}");
    // A pack that is gone.
    let packs = shop.packs();
    let pack = packs.first().expect("a pack");
    std::fs::remove_file(pack).expect("a pack that goes");
    let told = shop.look("verify", &["--quick"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let name = files::name(pack);
    assert!(
        told.out.contains(&name) && told.out.contains("missing"),
        "{}",
        told.out
    );
}

#[test]
fn what_no_rule_keeps_goes_in_two_steps() {
    let shop = Shop::start();
    shop.sell(5);
    let first = shop.create(&[]);
    shop.sell(1);
    let second = shop.create(&["--full"]);
    let told = shop.look("prune", &[]).fails(2);
    assert!(told.contains("--keep-daily"), "{told}");
    let fates = |words: &[&str]| -> Vec<String> {
        let told = json(&shop.look("prune", words).ok());
        let backups = told["backups"].as_array().expect("backups");
        let fates = backups.iter().map(|it| it["fate"].to_string());
        fates.collect()
    };
    let dry = fates(&["--keep-daily", "1", "--dry-run"]);
    assert!(dry[0].contains("marked"), "{dry:?}");
    let marked = fates(&["--keep-daily", "1"]);
    assert_eq!(marked, dry, "nothing was changed by the first one");
    let waits = fates(&["--keep-daily", "1"]);
    assert!(waits[0].contains("to be removed from"), "{waits:?}");
    let packs = shop.packs().len();
    let removed = fates(&["--keep-daily", "1", "--grace", "0"]);
    assert!(removed[0].contains("\"removed\""), "{removed:?}");
    assert!(shop.packs().len() < packs);
    let list = json(&shop.look("list", &[]).ok());
    let left = list["backups"].as_array().expect("backups");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["backup"], second["backup"]);
    assert_ne!(left[0]["backup"], first["backup"]);
    json(&shop.look("verify", &[]).ok());
}
