//! Those who read on the slave while it follows.

use dbtests::Cluster;

use crate::shop::{SHOP, open, sell};

#[test]
fn a_schema_change_is_seen_by_a_reader_that_is_open_on_the_slave() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 2);
    cluster.synchronize();
    let reader = cluster.slave.client(SHOP);
    let statement = reader
        .wait(reader.driver().prepare("SELECT count(*) FROM item"))
        .unwrap();
    let count = || -> i64 {
        reader
            .wait(reader.driver().query_one(&statement, &[]))
            .unwrap()
            .get(0)
    };
    assert_eq!(count(), 2);

    cluster
        .master
        .sql(SHOP, "ALTER TABLE item ADD COLUMN color TEXT DEFAULT 'red'");
    cluster
        .master
        .sql(SHOP, "CREATE INDEX item_name ON item (name)");
    cluster.master.sql(
        SHOP,
        "CREATE TABLE extra (a int); INSERT INTO extra VALUES (42)",
    );
    cluster.synchronize();
    assert_eq!(reader.value("SELECT color FROM item LIMIT 1"), "red");
    assert_eq!(reader.value("SELECT a FROM extra"), "42");
    assert_eq!(count(), 2, "a statement prepared before goes on");

    cluster.master.sql(SHOP, "DROP TABLE extra");
    cluster.synchronize();
    assert_eq!(reader.refused("SELECT a FROM extra").code, "42P01");
    cluster.compare();
}

#[test]
fn a_long_reader_keeps_its_state_while_the_slave_goes_on() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 100);
    cluster.synchronize();
    let reader = cluster.slave.client(SHOP);
    reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(reader.value("SELECT count(*) FROM item"), "100");
    sell(&cluster.master, 100);
    cluster.master.sql(SHOP, "UPDATE item SET name = 'changed'");
    cluster.synchronize();
    assert_eq!(reader.value("SELECT count(*) FROM item"), "100");
    assert_eq!(
        reader.value("SELECT count(*) FROM item WHERE name = 'changed'"),
        "0"
    );
    reader.run("COMMIT");
    assert_eq!(
        reader.value("SELECT count(*) FROM item WHERE name = 'changed'"),
        "200"
    );
}

#[test]
fn readers_on_the_slave_see_whole_transactions_only() {
    let cluster = Cluster::start();
    cluster.master.sql("system", "CREATE DATABASE bank");
    cluster.master.sql(
        "bank",
        "CREATE TABLE account (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL); \
         INSERT INTO account SELECT n, 100 FROM generate_series(1, 10) AS g(n)",
    );
    cluster.synchronize();
    let mut follower = cluster.follow();
    let writer = cluster.master.client("bank");
    let reader = cluster.slave.client("bank");
    for round in 0..200 {
        let (from, to) = (round % 10 + 1, (round * 7 + 3) % 10 + 1);
        writer.run(&format!(
            "BEGIN; UPDATE account SET balance = balance - 5 WHERE id = {from}; \
             UPDATE account SET balance = balance + 5 WHERE id = {to}; COMMIT"
        ));
        assert_eq!(reader.value("SELECT sum(balance) FROM account"), "1000");
    }
    cluster.wait_for_slave(&mut follower);
    follower.stop();
    cluster.compare();
}

#[test]
fn tables_that_are_rebuilt_and_written_at_once_arrive_also_after_a_crash() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 50);
    let writer = cluster.master.client(SHOP);
    for round in 0..5 {
        writer.run(&format!(
            "ALTER TABLE item ADD COLUMN note{round} TEXT DEFAULT 'none'"
        ));
        writer.run(&format!(
            "UPDATE item SET note{round} = 'round ' || id WHERE id % 5 = {round}"
        ));
        writer.run(&format!(
            "CREATE INDEX item_note{round} ON item (note{round})"
        ));
        writer.run(&format!("DELETE FROM item WHERE id = {}", round * 7 + 1));
        if round == 2 {
            writer.run("ALTER TABLE item DROP COLUMN price");
            writer.run("BEGIN; ALTER TABLE item RENAME COLUMN name TO title; ROLLBACK");
        }
        cluster.synchronize();
        cluster.slave.kill9();
        cluster.slave.start();
        cluster.compare();
    }
    let question = "SELECT * FROM item ORDER BY id";
    assert_eq!(
        cluster.slave.sql(SHOP, question),
        cluster.master.sql(SHOP, question)
    );
}
