//! `dbctl replication verify`: two servers compared at one commit while both run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dbtests::{Cluster, LONG, files, wait_for};
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
