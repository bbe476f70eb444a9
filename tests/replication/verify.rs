//! `dbctl replication verify`: two servers compared at one commit while both run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use dbtests::{Cluster, LONG, PASSWORD, Server, files, wait_for};
use serde_json::Value;

use crate::shop::{SHOP, open, sell};

const PAGE: usize = 4096;

/// The verdict, which must have this exit code.
#[track_caller]
fn verdict(cluster: &Cluster, slave: &str, code: i32) -> Value {
    let run = cluster
        .master
        .dbctl(&["replication", "verify", slave, "--json"]);
    assert_eq!(run.code, Some(code), "{run:?}");
    serde_json::from_str(run.out.trim()).expect("a verdict")
}

fn shop(verdict: &Value) -> &Value {
    let databases = verdict["databases"].as_array().expect("databases");
    let shop = databases.iter().find(|it| it["database"] == SHOP);
    shop.expect("the shop")
}

/// A table of a few MiB, which is in the data files of both.
fn filled() -> Cluster {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 20);
    cluster.master.sql(
        SHOP,
        "CREATE TABLE large (id SERIAL PRIMARY KEY, text TEXT);
         INSERT INTO large (text) SELECT repeat('x', 1000) FROM generate_series(1, 6000)",
    );
    cluster.master.dbctl(&["checkpoint"]).ok();
    cluster.synchronize();
    cluster
}

/// The number of a page that the slave has otherwise than its master from now on.
fn change_a_page(cluster: &mut Cluster) -> usize {
    cluster.slave.dbctl(&["checkpoint"]).ok();
    cluster.slave.stop();
    // A page with another content and the right sum for it: no disk does that.
    let path = cluster.slave.data_dir().join("db/shop.db");
    let (mut data, mut sums) = (
        files::read(&path),
        files::read(&path.with_extension("db.sum")),
    );
    let page = data.len() / PAGE - 3;
    let bytes = &mut data[(page - 1) * PAGE..page * PAGE];
    bytes[PAGE - 7] ^= 1;
    let sum = fwlog::page_crc((&*bytes).try_into().expect("a page"));
    let place = 4096 + 4 * (page - 1);
    sums[place..place + 4].copy_from_slice(&sum.to_le_bytes());
    files::write(&path, &data);
    files::write(&path.with_extension("db.sum"), &sums);
    cluster.slave.start();
    page
}

#[test]
fn a_slave_that_goes_on_is_equal_at_one_commit_while_clients_write() {
    let cluster = filled();
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    // What was made after the slave's newest checkpoint is left out.
    wait_for("the slave's checkpoint", LONG, || {
        (shop(&verdict(&cluster, "slave", 0))["skipped"] == false).then_some(())
    });
    let done = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        for number in 0..2 {
            let (master, done) = (&cluster.master, &done);
            scope.spawn(move || {
                let client = master.client(SHOP);
                let mut round = number;
                while !done.load(Ordering::SeqCst) {
                    round += 7;
                    client.run(&format!(
                        "UPDATE large SET text = repeat('{}', 1000) WHERE id % 97 = {}",
                        round % 10,
                        round % 97
                    ));
                    client.run(&format!("INSERT INTO large (text) VALUES ('{round}')"));
                }
            });
        }
        let verdicts: Vec<_> = (0..5).map(|_| verdict(&cluster, "slave", 0)).collect();
        done.store(true, Ordering::SeqCst);
        verdicts
    });
    let commits: Vec<_> = seen.iter().map(|it| it["commit"].as_u64()).collect();
    assert!(
        commits.is_sorted_by(|one, other| one < other),
        "{commits:?}"
    );
    for verdict in &seen {
        assert_eq!(verdict["equal"], true, "{verdict}");
        assert_eq!(shop(verdict)["skipped"], false);
    }
    // At rest it is the checksum that both print.
    cluster.wait_for_slave(&mut follower);
    let address = cluster.slave.address().to_string();
    let last = verdict(&cluster, &address, 0);
    for server in [&cluster.master, &cluster.slave] {
        let printed = server.command(&format!("database checksum {SHOP}"));
        assert_eq!(shop(&last)["checksum"], printed["checksum"].as_str());
    }
    follower.stop();
    cluster.compare();
}

#[test]
fn a_page_that_differs_is_named_and_one_that_the_slave_is_about_to_get_is_not() {
    let mut cluster = filled();
    let page = change_a_page(&mut cluster);
    // The master is ahead.
    cluster
        .master
        .sql(SHOP, "UPDATE large SET text = 'new' WHERE id < 100");
    let address = cluster.slave.address().to_string();
    let found = verdict(&cluster, &address, 1);
    assert_eq!(found["equal"], false);
    assert_eq!(shop(&found)["first_differing_page"], page, "{found}");
    assert!(found["slave_commit"].as_u64() < found["commit"].as_u64());
    let told = cluster.master.dbctl(&["replication", "verify", &address]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.out.contains(&format!("page {page} differs")),
        "{told:?}"
    );
    // The other way round it is no comparison.
    let back = cluster.master.address().to_string();
    let refused = cluster
        .slave
        .dbctl(&["replication", "verify", &back])
        .fails(1);
    assert!(refused.contains("ahead of"), "{refused}");
}

/// What the slave says of its own comparisons.
fn own_verdict(slave: &Server) -> Value {
    let told = slave.dbctl(&["--json", "replication", "status"]).ok();
    let told: Value = serde_json::from_str(&told).expect("JSON");
    told[0]["verified"].clone()
}

/// Starts the slave anew shortly before its `VerifyAt`, and waits for what it finds then.
fn verified_at_its_time(slave: &mut Server) -> Value {
    let found = [3, 12, 48].into_iter().find_map(|lead| {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let due = since_1970.expect("a clock").as_secs() + lead;
        let time = due % (24 * 3600);
        let time = format!("{}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
        slave.reconfigure(|settings| settings.set("Replication", "VerifyAt", time));
        slave.restart();
        // A machine that is busy may have missed it; then it is tried with more time.
        let found = wait_for("a comparison, or its time to be over", LONG, || {
            let found = own_verdict(slave);
            let is_over = SystemTime::now() > SystemTime::UNIX_EPOCH + Duration::from_secs(due + 3);
            (found["result"].is_string() || (is_over && found.is_null())).then_some(found)
        });
        (!found.is_null()).then_some(found)
    });
    found.expect("a comparison at its time")
}

#[test]
fn a_slave_compares_itself_at_its_time_and_a_difference_is_loud() {
    let mut cluster = filled();
    let address = cluster.master.address().to_string();
    let password = cluster.slave.config_path().with_file_name("password");
    files::write_private(&password, PASSWORD);
    cluster.slave.reconfigure(|settings| {
        settings
            .set("Replication", "PeerPasswordFile", "password")
            .set(
                "Replication",
                "VerifyWith",
                format!("127.0.0.1:1, {address}"),
            )
    });
    let found = verified_at_its_time(&mut cluster.slave);
    assert_eq!(found["result"], "equal", "{}", cluster.slave.log());
    let commit = found["commit"].as_u64().expect("a commit");
    let log = cluster.slave.log();
    assert!(
        log.contains(&format!("verified: equal to \"master\" at commit {commit}")),
        "{log}"
    );
    let status = cluster.slave.dbctl(&["status"]).ok();
    assert!(
        status.contains(&format!("equal at commit {commit}, ")),
        "{status}"
    );

    let page = change_a_page(&mut cluster);
    assert!(own_verdict(&cluster.slave).is_null());
    cluster
        .master
        .sql(SHOP, "UPDATE large SET text = 'new' WHERE id < 100");
    cluster.slave.dbctl(&["replication", "verify"]).ok();
    let found = wait_for("the next comparison", LONG, || {
        let found = own_verdict(&cluster.slave);
        found["result"].is_string().then_some(found)
    });
    assert_eq!(found["result"], "differs", "{}", cluster.slave.log());
    assert_eq!(
        (&found["database"], &found["page"]),
        (&SHOP.into(), &page.into())
    );
    let log = cluster.slave.log();
    let error = log
        .lines()
        .find(|line| line.contains(" ERROR "))
        .expect("an error");
    for wanted in [&format!("page {page} of database shop"), "dbrepl --resync"] {
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    let checked = cluster.slave.dbctl(&["replication", "check"]);
    assert_eq!(checked.code, Some(2), "{checked:?}");
    let words = format!("differs at shop page {page} at commit ");
    assert!(checked.out.contains(&words), "{checked:?}");
    // A master that can't be asked is no difference, and no proof.
    cluster.master.stop();
    cluster.slave.dbctl(&["replication", "verify"]).ok();
    let failed = wait_for("a comparison that fails", LONG, || {
        let found = own_verdict(&cluster.slave);
        (found["result"] == "failed").then_some(found)
    });
    let why = failed["reason"].as_str().unwrap_or_default();
    assert!(
        why.contains("127.0.0.1:1: ") && why.contains(&address),
        "{why}"
    );
    // Elsewhere there is nothing that it could be compared with.
    cluster.master.start();
    let refused = cluster.master.dbctl(&["replication", "verify"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
}
