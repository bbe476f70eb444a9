//! Transactions that run without the write permit until they commit.

use tokio_postgres::Client;

use super::{Server, count, refused};

const SCENE: &str = "CREATE TABLE account(id INT PRIMARY KEY, balance INT NOT NULL);
                     INSERT INTO account VALUES(1, 100), (2, 100);";

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_thinks_between_begin_and_commit_holds_nobody_up() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(
        &slow,
        "BEGIN; UPDATE account SET balance = balance + 1 WHERE id = 1",
    )
    .await;
    run(
        &quick,
        "BEGIN; UPDATE account SET balance = balance + 10 WHERE id = 1; COMMIT",
    )
    .await;
    run(
        &quick,
        "UPDATE account SET balance = balance + 100 WHERE id = 1",
    )
    .await;
    assert_eq!(
        count(&quick, "SELECT balance::bigint FROM account WHERE id = 1").await,
        210
    );
    run(&slow, "COMMIT").await;
    // The slow one has added to what was there when it committed.
    assert_eq!(
        count(&quick, "SELECT balance::bigint FROM account WHERE id = 1").await,
        211
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_client_was_told_holds_or_the_transaction_fails_with_40001() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(&slow, "BEGIN; UPDATE account SET balance = 0 WHERE id = 1").await;
    run(&slow, "DELETE FROM account WHERE id = 2").await;
    run(&quick, "DELETE FROM account WHERE id = 2").await;
    assert_eq!(refused(slow.batch_execute("COMMIT").await), "40001");
    // The block is over, and nothing of it has happened.
    assert_eq!(
        count(&slow, "SELECT balance::bigint FROM account WHERE id = 1").await,
        100
    );
    run(
        &slow,
        "BEGIN; UPDATE account SET balance = 7 WHERE id = 1; COMMIT",
    )
    .await;
    assert_eq!(
        count(&quick, "SELECT balance::bigint FROM account WHERE id = 1").await,
        7
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_meanwhile_fails_the_commit() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(&slow, "BEGIN; INSERT INTO account VALUES(3, 1)").await;
    run(&quick, "INSERT INTO account VALUES(3, 2)").await;
    let error = slow.batch_execute("COMMIT").await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "40001");
    assert!(
        error.detail().unwrap().contains("duplicate key"),
        "{error:?}"
    );
    assert_eq!(
        count(&quick, "SELECT balance::bigint FROM account WHERE id = 3").await,
        2
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_after_a_change_sees_it_and_what_others_committed() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    run(
        &slow,
        "BEGIN; UPDATE account SET balance = balance + 1 WHERE id = 1",
    )
    .await;
    run(
        &quick,
        "UPDATE account SET balance = balance + 10 WHERE id = 1",
    )
    .await;
    assert_eq!(
        count(&slow, "SELECT balance::bigint FROM account WHERE id = 1").await,
        111
    );
    run(
        &slow,
        "UPDATE account SET balance = balance + 1 WHERE id = 2; COMMIT",
    )
    .await;
    assert_eq!(
        count(&quick, "SELECT sum(balance)::bigint FROM account").await,
        212
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_lost_twice_waits_for_its_turn_and_wins() {
    let server = Server::start().await;
    let (slow, quick) = (server.client_after(SCENE).await, server.client().await);
    for id in [11, 12] {
        run(&quick, &format!("INSERT INTO account VALUES({id}, 0)")).await;
        run(
            &slow,
            &format!("BEGIN; DELETE FROM account WHERE id = {id}"),
        )
        .await;
        run(&quick, &format!("DELETE FROM account WHERE id = {id}")).await;
        assert_eq!(refused(slow.batch_execute("COMMIT").await), "40001");
    }
    run(&slow, "BEGIN; DELETE FROM account WHERE id = 1").await;
    let waits = tokio::spawn(async move {
        run(&quick, "DELETE FROM account WHERE id = 1").await;
        quick
    });
    run(&slow, "COMMIT").await;
    let quick = waits.await.unwrap();
    assert_eq!(
        count(&quick, "SELECT count(*) FROM account WHERE id = 1").await,
        0
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_and_a_rollback_leave_nothing_of_an_optimistic_run() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    run(&client, "BEGIN; UPDATE account SET balance = 0").await;
    assert_eq!(
        refused(
            client
                .batch_execute("INSERT INTO account VALUES(1, 1)")
                .await
        ),
        "23505"
    );
    assert_eq!(refused(client.batch_execute("SELECT 1").await), "25P02");
    run(&client, "ROLLBACK; BEGIN; DELETE FROM account; ROLLBACK").await;
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM account").await,
        200
    );
    run(
        &client,
        "BEGIN; DELETE FROM account WHERE id = 1; SAVEPOINT s; DELETE FROM account",
    )
    .await;
    run(&client, "ROLLBACK TO s; COMMIT").await;
    assert_eq!(
        count(&client, "SELECT sum(balance)::bigint FROM account").await,
        100
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn select_for_update_keeps_what_it_has_read() {
    let server = Server::start().await;
    let (first, second) = (server.client_after(SCENE).await, server.client().await);
    run(&first, "BEGIN").await;
    let read = "SELECT balance::bigint FROM account WHERE id = 1 FOR UPDATE";
    assert_eq!(count(&first, read).await, 100);
    let waits = tokio::spawn(async move {
        run(
            &second,
            "UPDATE account SET balance = balance + 5 WHERE id = 1",
        )
        .await;
        second
    });
    run(
        &first,
        "UPDATE account SET balance = 101 WHERE id = 1; COMMIT",
    )
    .await;
    let second = waits.await.unwrap();
    assert_eq!(
        count(&second, "SELECT balance::bigint FROM account WHERE id = 1").await,
        106
    );
    server.stop();
}

/// Bug: the catalog's tables, first made in an optimistic run, went with it, and the query that had
/// asked for them found none.
#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_can_be_read_after_a_change() {
    let server = Server::start().await;
    drop(server.client_after(SCENE).await);
    let client = server.client().await;
    run(&client, "BEGIN; UPDATE account SET balance = 7").await;
    let catalog = "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'account'";
    assert_eq!(count(&client, catalog).await, 1);
    run(&client, "COMMIT").await;
    assert_eq!(count(&client, catalog).await, 1);
    server.stop();
}
