//! What passes between the client and the master: values, rows, counts, errors, COPY, cancel.

use std::pin::pin;

use bytes::Bytes;
use dbtests::{LONG, psycopg2, wait_for};
use futures::SinkExt as _;
use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::Type;

use super::Forwarding;
use crate::shop::SHOP;

#[test]
fn prepared_statements_pass_with_their_values_rows_and_counts() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    let driver = client.driver();
    let insert = client
        .wait(driver.prepare(
            "INSERT INTO item (name, price) VALUES ($1, $2::text::numeric) RETURNING id, name",
        ))
        .unwrap();
    assert_eq!(insert.params(), [Type::TEXT, Type::TEXT]);
    for (number, name) in ["a", "näme", "", "it's"].into_iter().enumerate() {
        let row = client
            .wait(driver.query_one(&insert, &[&name, &"1.50"]))
            .unwrap();
        assert_eq!(
            (row.get::<_, i32>(0), row.get::<_, &str>(1)),
            (i32::try_from(number).unwrap() + 1, name)
        );
    }
    let nothing: Option<&str> = None;
    let refused = client
        .wait(driver.query_one(&insert, &[&nothing, &"1"]))
        .unwrap_err();
    assert_eq!(refused.code().unwrap().code(), "23502");
    let update = client
        .wait(driver.prepare("UPDATE item SET price = price + 1 WHERE id > $1"))
        .unwrap();
    assert_eq!(client.wait(driver.execute(&update, &[&2_i32])).unwrap(), 2);
    assert_eq!(
        client.wait(driver.execute(&update, &[&100_i32])).unwrap(),
        0
    );
}

#[test]
fn a_portal_has_its_limit_in_a_transaction_that_has_made_the_table_that_it_reads() {
    let forwarding = Forwarding::start();
    let mut client = forwarding.client();
    let (driver, waiter) = client.driver_mut();
    let transaction = waiter.wait(driver.transaction()).unwrap();
    waiter
        .wait(transaction.batch_execute("CREATE TABLE made (a int, b text)"))
        .unwrap();
    let fill =
        waiter
            .wait(transaction.prepare(
                "INSERT INTO made SELECT g, 'row ' || g FROM generate_series(1, $1::int) g",
            ))
            .unwrap();
    assert_eq!(
        waiter.wait(transaction.execute(&fill, &[&7_i32])).unwrap(),
        7
    );
    let read = waiter
        .wait(transaction.prepare("SELECT a, b FROM made ORDER BY a"))
        .unwrap();
    assert_eq!(read.columns()[0].type_(), &Type::INT4);
    let portal = waiter.wait(transaction.bind(&read, &[])).unwrap();
    let mut portions = Vec::new();
    loop {
        let rows = waiter.wait(transaction.query_portal(&portal, 3)).unwrap();
        portions.push(
            rows.iter()
                .map(|row| row.get::<_, i32>(0))
                .collect::<Vec<_>>(),
        );
        if rows.len() < 3 {
            break;
        }
    }
    assert_eq!(portions, [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
    let nested = "SAVEPOINT s; ALTER TABLE made ADD COLUMN c int; ROLLBACK TO s";
    waiter.wait(transaction.batch_execute(nested)).unwrap();
    waiter.wait(transaction.commit()).unwrap();
    // The statement goes on behind the transaction, and is this server's then.
    assert_eq!(waiter.wait(driver.query(&read, &[])).unwrap().len(), 7);
    let none = waiter
        .wait(driver.query("SELECT pg_is_in_recovery()", &[]))
        .unwrap();
    assert!(none[0].get::<_, bool>(0));
}

#[test]
fn statements_that_are_sent_without_a_wait_between_are_one_transaction() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    let driver = client.driver();
    let insert = client
        .wait(driver.prepare("INSERT INTO item (name) VALUES ($1)"))
        .unwrap();
    let many = (0..50).map(|number| {
        let (driver, insert) = (&driver, &insert);
        async move { driver.execute(insert, &[&format!("item {number}")]).await }
    });
    let done = client.wait(futures::future::join_all(many));
    assert!(done.into_iter().all(|count| count.unwrap() == 1));
    assert_eq!(forwarding.names().len(), 50);
    assert_eq!(client.value("SELECT count(*) FROM item"), "50");
}

#[test]
fn errors_have_the_fields_that_the_master_gives_them() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    client.run("CREATE TABLE code (id int CONSTRAINT code_key PRIMARY KEY, name text CONSTRAINT short CHECK (length(name) < 5))");
    client.run("INSERT INTO code VALUES (1, 'a')");
    let fields = |sql: &str| {
        let error = client.try_rows(sql).unwrap_err();
        let error = error.as_db_error().unwrap();
        let position = match error.position() {
            Some(ErrorPosition::Original(position)) => *position,
            _ => 0,
        };
        let text = |field: Option<&str>| field.unwrap_or_default().to_owned();
        (
            error.code().code().to_owned(),
            error.message().to_owned(),
            [
                text(error.detail()),
                text(error.table()),
                text(error.constraint()),
            ],
            position,
        )
    };
    assert_eq!(
        fields("INSERT INTO code VALUES (1, 'b')"),
        (
            "23505".into(),
            "duplicate key value violates unique constraint \"code_key\"".into(),
            [
                "Key (id)=(1) already exists.".into(),
                "code".into(),
                "code_key".into()
            ],
            0
        )
    );
    let (code, _, [_, table, constraint], _) = fields("INSERT INTO code VALUES (2, 'too long')");
    assert_eq!(
        (code.as_str(), table.as_str(), constraint.as_str()),
        ("23514", "code", "short")
    );
    // A place is one in the text that the client has sent.
    client.run("BEGIN; CREATE TABLE later (a int)");
    let (code, message, _, position) = fields("INSERT INTO later VALUES (1); SELECT b FROM later");
    assert_eq!(
        (code.as_str(), message.as_str(), position),
        ("42703", "column \"b\" does not exist", 38)
    );
    client.run("ROLLBACK");
}

#[test]
fn an_error_in_a_block_leaves_its_end_or_a_way_back() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    client
        .run("CREATE TABLE code (id int PRIMARY KEY, name text); INSERT INTO code VALUES (1, 'a')");
    client.run("BEGIN; INSERT INTO code VALUES (2, 'b'); SAVEPOINT s");
    assert_eq!(
        client.refused("INSERT INTO code VALUES (1, 'x')").code,
        "23505"
    );
    assert_eq!(
        client.refused("INSERT INTO code VALUES (3, 'x')").code,
        "25P02"
    );
    client.run("ROLLBACK TO s; INSERT INTO code VALUES (3, 'c'); COMMIT");
    client.run("BEGIN; INSERT INTO code VALUES (4, 'd')");
    assert_eq!(client.refused("SELECT 1 / 0").code, "22012");
    client.run("COMMIT");
    assert_eq!(
        client.rows("SELECT id FROM code ORDER BY id").concat(),
        ["1", "2", "3"]
    );
    // What is only found at COMMIT.
    client.run("CREATE TABLE part (code int REFERENCES code DEFERRABLE INITIALLY DEFERRED)");
    client.run("BEGIN; INSERT INTO part VALUES (9)");
    assert_eq!(client.refused("COMMIT").code, "23503");
    assert_eq!(client.refused("INSERT INTO part VALUES (9)").code, "23503");
    client.run("INSERT INTO part VALUES (1)");
    assert_eq!(client.value("SELECT count(*) FROM part"), "1");
}

#[test]
fn rows_of_copy_pass_in_both_directions() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    let copy = |rows: Vec<String>| {
        client.wait(async {
            let sink = client
                .driver()
                .copy_in("COPY item (name, price) FROM STDIN (FORMAT csv)")
                .await?;
            let mut sink = pin!(sink);
            for row in rows {
                sink.send(Bytes::from(row)).await?;
            }
            sink.finish().await
        })
    };
    let rows: Vec<String> = (0..20_000).map(|n| format!("item {n},{n}.25\n")).collect();
    assert_eq!(copy(rows).unwrap(), 20_000);
    assert_eq!(client.value("SELECT count(*) FROM item"), "20000");
    // A row in the middle that is none: the master says so while more is sent, and nothing of it stays.
    let mut rows: Vec<String> = (0..20_000).map(|n| format!("again {n},1\n")).collect();
    rows[50] = "bad,price\n".to_owned();
    let error = copy(rows).unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "22P02");
    assert!(error.where_().unwrap().contains("line 51"), "{error:?}");
    assert_eq!(client.value("SELECT count(*) FROM item"), "20000");
    // In a block, with psql, and out again.
    let script = "BEGIN;\nCOPY item (name) FROM STDIN;\none\ntwo\n\\.\nCOPY (SELECT name FROM item WHERE price IS NULL ORDER BY id) TO STDOUT;\nCOMMIT;\nSELECT count(*) FROM item;\n";
    let out = forwarding
        .cluster
        .slave
        .psql(SHOP, &["-q", "-A", "-t"], script)
        .ok();
    assert_eq!(out, "one\ntwo\n20002\n");
    let script = "\\copy item (name) from pstdin\nthree\n\\.\nSELECT count(*) FROM item;\n";
    let out = forwarding
        .cluster
        .slave
        .psql(SHOP, &["-q", "-A", "-t"], script)
        .ok();
    assert_eq!(out, "20003\n");
}

#[test]
fn a_statement_of_the_master_is_cancelled_by_its_client_and_by_time() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    let sleep = "BEGIN; INSERT INTO item (name) VALUES ('a'); SELECT pg_sleep(600)";
    let cancel = client.driver().cancel_token();
    let watch = forwarding.cluster.master.client("system");
    let refused = std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| client.try_rows(sleep).unwrap_err());
        wait_for("the statement to run there", LONG, || {
            let sessions = watch.rows("DBCTL 'session list'");
            let runs = |session: &Vec<String>| session[2] == SHOP && session[7] == "active";
            sessions.iter().any(runs).then_some(())
        });
        let here = forwarding.client();
        let target = forwarding.cluster.master.address().to_string();
        wait_for("the list of the slave to say where it runs", LONG, || {
            let listed = forwarding
                .cluster
                .slave
                .sql("system", "DBCTL 'session list'");
            listed
                .iter()
                .any(|session| session[8] == target)
                .then_some(())
        });
        here.wait(cancel.cancel_query(tokio_postgres::NoTls))
            .unwrap();
        sleeps.join().unwrap()
    });
    let refused = refused.as_db_error().unwrap();
    assert_eq!(
        (refused.code().code(), refused.message()),
        ("57014", "canceling statement due to user request")
    );
    client.run("ROLLBACK; SET statement_timeout = '200ms'");
    let refused = client.refused(sleep);
    assert_eq!(
        refused.message,
        "canceling statement due to statement timeout"
    );
    client.run("ROLLBACK; SET statement_timeout = 0; INSERT INTO item (name) VALUES ('b')");
    assert_eq!(forwarding.names(), ["b"]);
}

const SCRIPT: &str = r#"
import os, psycopg2
connection = psycopg2.connect(host="127.0.0.1", port=os.environ["SHOP_PORT"], user="dba", dbname="shop")
cursor = connection.cursor()
cursor.execute("INSERT INTO item (name, price) VALUES (%s, %s) RETURNING id", ("by python", 1))
assert cursor.fetchone() == (1,)
cursor.execute("SELECT count(*) FROM item")
assert cursor.fetchone() == (1,)
connection.commit()
cursor.execute("SELECT name FROM item")
assert cursor.fetchone() == ("by python",)
try:
    cursor.execute("UPDATE item SET price = 2")
    raise SystemExit("not refused")
except psycopg2.errors.ReadOnlySqlTransaction:
    connection.rollback()
connection.autocommit = True
cursor.execute("UPDATE item SET price = 2")
assert cursor.rowcount == 1
cursor.execute("SELECT price FROM item")
print(cursor.fetchone()[0])
"#;

#[test]
fn psycopg2_needs_the_slaves_address_only() {
    let forwarding = Forwarding::start();
    if let Some(run) = psycopg2(SCRIPT, &forwarding.cluster.slave) {
        assert_eq!(run.ok(), "2.00\n");
    }
}
