//! A master and a slave with some rows, and how to tell that the slave still serves.

use dbtests::{Cluster, Server};

const ROWS: u32 = 5;

/// A cluster in which the slave has some rows, and the master some more.
pub(crate) fn ahead() -> Cluster {
    let cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE shop");
    let shop = cluster.master.client("shop");
    shop.run("CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT NOT NULL)");
    sell(&cluster.master);
    cluster.synchronize();
    sell(&cluster.master);
    cluster
}

/// Some more rows.
pub(crate) fn sell(master: &Server) {
    let client = master.client("shop");
    for number in 0..ROWS {
        client.run(&format!("INSERT INTO item (name) VALUES ('item {number}')"));
    }
}

/// Readers of the slave see what it had.
#[track_caller]
pub(crate) fn assert_serves(slave: &Server) {
    let rows = slave.client("shop").value("SELECT count(*) FROM item");
    assert_eq!(rows, ROWS.to_string());
}
