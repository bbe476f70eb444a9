//! The sample shop of `etc/make-shop.sh`: a script made for PostgreSQL loads, and a program's
//! questions get PostgreSQL's answers.
//!
//! `expected.txt` is what PostgreSQL 15 gave: psql's output, and behind `== errors` its errors.
//! `record.sh` writes it anew.

use std::fs;
use std::process::Command;

use dbtests::data::manifest;
use dbtests::process::run;
use dbtests::{Cluster, Server};

const SHOP: &str = "shop";
const ROWS: [(&str, u64); 8] = [
    ("country", 24),
    ("category", 15),
    ("supplier", 16),
    ("product", 500),
    ("customer", 2_000),
    ("orders", 20_000),
    ("order_line", 60_000),
    ("payment", 20_196),
];

fn script() -> String {
    let mut make = Command::new("sh");
    make.arg(manifest("../etc/make-shop.sh"));
    run(&mut make, b"").ok()
}

fn load(server: &Server) {
    server.sql("system", "CREATE DATABASE shop");
    server
        .psql(SHOP, &["-q", "-o", "/dev/null"], &script())
        .ok();
}

fn count(server: &Server, table: &str) -> u64 {
    server.sql(SHOP, &format!("SELECT count(*) FROM {table}"))[0][0]
        .parse()
        .expect("a number")
}

#[test]
fn the_script_is_the_same_every_time() {
    let script = script();
    assert!(script.len() > 1_000_000, "{} bytes", script.len());
    assert_eq!(script, self::script());
}

#[test]
fn questions_get_the_answers_that_postgresql_gives() {
    let cluster = Cluster::start();
    load(&cluster.master);
    let questions = fs::read_to_string(manifest("shop/queries.sql")).expect("the questions");
    let options = [
        "-A",
        "-t",
        "-q",
        "-v",
        "VERBOSITY=sqlstate",
        "-v",
        "ON_ERROR_STOP=0",
    ];
    let answers = cluster.master.psql(SHOP, &options, &questions);
    let got = format!("{}== errors\n{}", answers.out, answers.err);
    let expected = fs::read_to_string(manifest("shop/expected.txt")).expect("the answers");
    // The first line that differs says more than two texts of 300 lines.
    for (number, (got, expected)) in got.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, expected, "line {} of expected.txt", number + 1);
    }
    assert_eq!(got.lines().count(), expected.lines().count());
}

#[test]
fn the_slave_gets_the_whole_shop() {
    let cluster = Cluster::start();
    load(&cluster.master);
    cluster.synchronize();
    for (table, rows) in ROWS {
        assert_eq!(count(&cluster.master, table), rows, "{table}");
        assert_eq!(count(&cluster.slave, table), rows, "{table} on the slave");
    }
    let question = "SELECT * FROM category_sales ORDER BY turnover DESC";
    assert_eq!(
        cluster.slave.sql(SHOP, question),
        cluster.master.sql(SHOP, question)
    );
    cluster.compare();
}
