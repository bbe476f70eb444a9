//! Transactions that do not fit into one block.

use dbtests::Cluster;

use crate::shop::{SHOP, items, open, sell};

/// One transaction that writes about so many pages.
fn write_pages(cluster: &Cluster, pages: u32) {
    // Random bytes do not compress; 3,600 of them and their key take a page.
    cluster.master.sql(
        SHOP,
        &format!(
            "BEGIN; CREATE TABLE IF NOT EXISTS large (id SERIAL PRIMARY KEY, body BYTEA); \
             INSERT INTO large (body) SELECT gen_random_bytes(3600) FROM generate_series(1, {pages}); COMMIT"
        ),
    );
}

fn compare(cluster: &Cluster, rows: &str) {
    cluster.synchronize();
    assert_eq!(
        cluster.slave.sql(SHOP, "SELECT count(*) FROM large")[0][0],
        rows
    );
    cluster.compare();
}

#[test]
fn transactions_of_64_pages_and_of_several_megabytes_arrive() {
    let cluster = Cluster::start();
    open(&cluster.master);
    write_pages(&cluster, 64);
    compare(&cluster, "64");
    write_pages(&cluster, 255);
    write_pages(&cluster, 257);
    compare(&cluster, "576");
    write_pages(&cluster, 5_000);
    sell(&cluster.master, 3);
    compare(&cluster, "5576");
    assert_eq!(items(&cluster.slave), 3);
}

#[test]
fn a_large_transaction_that_is_rolled_back_leaves_nothing() {
    let cluster = Cluster::start();
    open(&cluster.master);
    write_pages(&cluster, 10);
    let client = cluster.master.client(SHOP);
    client.run("BEGIN");
    client.run(
        "INSERT INTO large (body) SELECT gen_random_bytes(3600) FROM generate_series(1, 3000)",
    );
    client.run("ROLLBACK");
    assert_eq!(client.value("SELECT count(*) FROM large"), "10");
    sell(&cluster.master, 1);
    compare(&cluster, "10");
}

#[test]
fn a_crash_after_a_large_transaction_keeps_all_of_it() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    write_pages(&cluster, 2_000);
    cluster.master.kill9();
    cluster.master.start();
    compare(&cluster, "2000");
    // The slave has parts and commit in its own log, too.
    cluster.slave.kill9();
    cluster.slave.start();
    assert_eq!(
        cluster.slave.sql(SHOP, "SELECT count(*) FROM large")[0][0],
        "2000"
    );
    cluster.compare();
}
