//! A small table for tests that need some rows, not many.

use dbtests::Server;

/// The database that most tests use.
pub(crate) const SHOP: &str = "shop";

/// Makes the database with one table.
pub(crate) fn open(master: &Server) {
    master.sql("system", "CREATE DATABASE shop");
    master.sql(
        SHOP,
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT NOT NULL, price NUMERIC(10,2))",
    );
}

/// Adds so many rows, one transaction each.
pub(crate) fn sell(master: &Server, count: u32) {
    let client = master.client(SHOP);
    for number in 0..count {
        client.run(&format!(
            "INSERT INTO item (name, price) VALUES ('item {number}', {number}.50)"
        ));
    }
}

/// Rows in the table.
pub(crate) fn items(server: &Server) -> u64 {
    server.sql(SHOP, "SELECT count(*) FROM item")[0][0]
        .parse()
        .expect("a number")
}
