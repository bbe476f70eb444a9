//! Transactions of many sessions that change rows of the same pages at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio_postgres::Client;

use super::{Server, count};

const CLIENTS: i64 = 8;
const ROUNDS: i64 = 60;

/// One transaction: moves an amount between two rows that may be anybody's, adds rows to two logs, and takes one away.
async fn transfer(client: &Client, me: i64, round: i64, sum: &AtomicI64) -> bool {
    let mix = (me * 7919 + round * 104_729) % 1000;
    let (from, to) = (mix % 40, (mix / 7 + 1) % 40);
    let amount = mix % 11;
    let statements = format!(
        "BEGIN;
         UPDATE accounts SET balance = balance - {amount}, note = repeat('x', {size}) WHERE id = {from};
         UPDATE accounts SET balance = balance + {amount} WHERE id = {to};
         INSERT INTO log (account, delta) VALUES ({from}, {amount});
         INSERT INTO named VALUES ('{me} {round}', {amount});
         DELETE FROM named WHERE name = '{me} {gone}';
         COMMIT",
        size = mix % 90,
        gone = round - 3,
    );
    match client.batch_execute(&statements).await {
        Ok(()) => {
            sum.fetch_add(amount, Ordering::SeqCst);
            true
        }
        Err(error) => {
            // Who waits in a circle is told so, and nothing of it is there.
            assert_eq!(super::sqlstate(&error), "40P01");
            client.batch_execute("ROLLBACK").await.unwrap();
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_once_and_the_trees_are_sound() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL, note text);
             INSERT INTO accounts SELECT g, 100, 'x' FROM generate_series(0, 39) AS g;
             CREATE TABLE log (id bigserial PRIMARY KEY, account bigint, delta bigint);
             CREATE TABLE named (name text PRIMARY KEY, delta bigint)",
        )
        .await;
    let (sum, done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let mut tasks = Vec::new();
    for me in 0..CLIENTS {
        let client = server.client().await;
        let (sum, done) = (Arc::clone(&sum), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            for round in 0..ROUNDS {
                if transfer(&client, me, round, &sum).await {
                    done.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let done = done.load(Ordering::SeqCst);
    assert!(done > CLIENTS * ROUNDS / 2, "{done} of all");
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM accounts").await,
        4000
    );
    assert_eq!(count(&client, "SELECT count(*) FROM log").await, done);
    let logged = count(&client, "SELECT sum(delta)::bigint FROM log").await;
    assert_eq!(logged, sum.load(Ordering::SeqCst));
    assert_eq!(
        count(&client, "SELECT count(DISTINCT id) FROM log").await,
        done
    );
    client
        .batch_execute("DBCTL 'database verify shop'")
        .await
        .unwrap();
    // What the log has is what the sessions saw.
    let server = server.restart().await;
    let client = server.client().await;
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM accounts").await,
        4000
    );
    assert_eq!(count(&client, "SELECT count(*) FROM log").await, done);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_another_has_broken_meanwhile_is_refused() {
    let server = Server::start().await;
    let first = server
        .client_after(
            "CREATE TABLE parent (id int PRIMARY KEY);
             CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
             INSERT INTO parent VALUES (1), (2)",
        )
        .await;
    let second = server.client().await;
    first
        .batch_execute("BEGIN; INSERT INTO child VALUES (1, 1)")
        .await
        .unwrap();
    second
        .batch_execute("BEGIN; DELETE FROM parent WHERE id = 1; COMMIT")
        .await
        .unwrap();
    let broken = first.batch_execute("COMMIT").await.unwrap_err();
    assert_eq!(super::sqlstate(&broken), "23503");
    assert_eq!(count(&second, "SELECT count(*) FROM child").await, 0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_came_meanwhile_is_kept() {
    let server = Server::start().await;
    let first = server
        .client_after(
            "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)",
        )
        .await;
    let second = server.client().await;
    first
        .batch_execute("BEGIN; UPDATE t SET v = 10 WHERE id = 1")
        .await
        .unwrap();
    second
        .batch_execute("CREATE INDEX of_t ON t (v); CREATE TABLE other (id int)")
        .await
        .unwrap();
    first.batch_execute("COMMIT").await.unwrap();
    assert_eq!(
        count(&second, "SELECT count(*) FROM t WHERE v = 10").await,
        1
    );
    second
        .batch_execute("DBCTL 'database verify shop'")
        .await
        .unwrap();
    server.stop();
}
