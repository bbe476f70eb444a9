use tokio_postgres::IsolationLevel;

use super::{Server, count, refused};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failure_nothing_runs_until_the_block_ends() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT PRIMARY KEY)")
        .await;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES(1)")
        .await
        .unwrap();
    assert_eq!(
        refused(client.batch_execute("INSERT INTO t VALUES(1)").await),
        "23505"
    );
    assert_eq!(refused(client.batch_execute("SELECT 1").await), "25P02");
    assert_eq!(refused(client.query("SELECT 1", &[]).await), "25P02");
    // The permit is free although the block is still open.
    server
        .client()
        .await
        .batch_execute("INSERT INTO t VALUES(2)")
        .await
        .unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(count(&client, "SELECT sum(a)::bigint FROM t").await, 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_savepoint_brings_back_what_was_before_it() {
    let server = Server::start().await;
    let mut client = server
        .client_after("CREATE TABLE t(a INT PRIMARY KEY)")
        .await;
    let mut outer = client.transaction().await.unwrap();
    let early = outer.savepoint("early").await.unwrap();
    early.execute("INSERT INTO t VALUES(1)", &[]).await.unwrap();
    early.commit().await.unwrap();
    let inner = outer.savepoint("inner").await.unwrap();
    inner.execute("INSERT INTO t VALUES(2)", &[]).await.unwrap();
    assert_eq!(
        refused(inner.execute("INSERT INTO t VALUES(2)", &[]).await),
        "23505"
    );
    inner.rollback().await.unwrap();
    outer.execute("INSERT INTO t VALUES(3)", &[]).await.unwrap();
    assert_eq!(
        refused(outer.batch_execute("ROLLBACK TO nosuch").await),
        "3B001"
    );
    outer.rollback().await.unwrap();
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn others_see_a_transaction_when_it_is_committed_and_not_before() {
    let server = Server::start().await;
    let writer = server.client_after("CREATE TABLE t(a INT)").await;
    writer
        .batch_execute("BEGIN; INSERT INTO t VALUES(1)")
        .await
        .unwrap();
    let reader = server.client_after("BEGIN").await;
    assert_eq!(count(&writer, "SELECT count(*) FROM t").await, 1);
    assert_eq!(count(&reader, "SELECT count(*) FROM t").await, 0);
    writer.batch_execute("COMMIT").await.unwrap();
    assert_eq!(count(&reader, "SELECT count(*) FROM t").await, 1);
    // Having read, it may write all the same.
    reader
        .batch_execute("INSERT INTO t VALUES(2); COMMIT")
        .await
        .unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatable_read_holds_its_snapshot() {
    let server = Server::start().await;
    let mut client = server.client_after("CREATE TABLE t(a INT)").await;
    let other = server.client().await;
    let level = IsolationLevel::RepeatableRead;
    let held = client
        .build_transaction()
        .isolation_level(level)
        .start()
        .await
        .unwrap();
    assert_eq!(
        held.query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    other
        .batch_execute("INSERT INTO t VALUES(1)")
        .await
        .unwrap();
    assert_eq!(
        held.query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        0
    );
    assert_eq!(
        held.execute("INSERT INTO t VALUES(2)", &[]).await.unwrap(),
        1
    );
    held.rollback().await.unwrap();
    let fresh = client
        .build_transaction()
        .isolation_level(level)
        .start()
        .await
        .unwrap();
    assert_eq!(
        fresh
            .query_one("SELECT count(*) FROM t", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        1
    );
    fresh.execute("INSERT INTO t VALUES(3)", &[]).await.unwrap();
    fresh.commit().await.unwrap();
    assert_eq!(count(&other, "SELECT count(*) FROM t").await, 2);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_transaction_refuses_writes() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    client.batch_execute("BEGIN READ ONLY").await.unwrap();
    assert_eq!(
        refused(client.batch_execute("INSERT INTO t VALUES(1)").await),
        "25006"
    );
    client.batch_execute("ROLLBACK").await.unwrap();
    client
        .batch_execute("INSERT INTO t VALUES(1)")
        .await
        .unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_there_after_a_restart() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT); INSERT INTO t VALUES(1)")
        .await;
    client
        .batch_execute("BEGIN; INSERT INTO t VALUES(2)")
        .await
        .unwrap();
    let server = server.restart().await;
    assert_eq!(
        count(&server.client().await, "SELECT count(*) FROM t").await,
        1
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_are_made_and_dropped_outside_transactions_only() {
    let server = Server::start().await;
    let client = server.client_after("BEGIN").await;
    assert_eq!(
        refused(client.batch_execute("CREATE DATABASE other").await),
        "25001"
    );
    client.batch_execute("ROLLBACK").await.unwrap();
    client.batch_execute("CREATE DATABASE other").await.unwrap();
    assert_eq!(
        refused(client.batch_execute("CREATE DATABASE other").await),
        "42P04"
    );
    let other = super::connect(&server.parameters("other")).await.unwrap();
    assert_eq!(
        refused(client.batch_execute("DROP DATABASE other").await),
        "55006"
    );
    assert_eq!(
        refused(client.batch_execute("DROP DATABASE shop").await),
        "55006"
    );
    drop(other);
    while client
        .batch_execute("DROP DATABASE IF EXISTS other")
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        refused(client.batch_execute("DROP DATABASE other").await),
        "3D000"
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_increments_are_all_counted() {
    let server = Server::start().await;
    let setup = server
        .client_after("CREATE TABLE t(a BIGINT); INSERT INTO t VALUES(0)")
        .await;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let client = server.client().await;
        workers.push(tokio::spawn(async move {
            for _ in 0..25 {
                client
                    .batch_execute("BEGIN; UPDATE t SET a = a + 1; COMMIT")
                    .await
                    .unwrap();
            }
        }));
    }
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(count(&setup, "SELECT a FROM t").await, 100);
    server.stop();
}

/// Bug: functions showed values of parameters that ROLLBACK and RESET ALL had taken back.
#[tokio::test(flavor = "multi_thread")]
async fn functions_show_parameters_as_they_are_after_a_rollback() {
    let server = Server::start().await;
    let client = server
        .client_after("SET work_mem = '1GB'; BEGIN; SET work_mem = '2GB'; ROLLBACK")
        .await;
    let shown = async || -> String {
        let row = client.query_one("SELECT current_setting('work_mem')", &[]);
        row.await.unwrap().get(0)
    };
    assert_eq!(shown().await, "1GB");
    client.batch_execute("RESET ALL").await.unwrap();
    assert_eq!(shown().await, "2MB");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_concurrently_stands_in_no_transaction_block() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t (a int)").await;
    for sql in [
        "CREATE INDEX CONCURRENTLY t_a ON t (a)",
        "REINDEX TABLE CONCURRENTLY t",
        "DROP INDEX CONCURRENTLY t_a",
    ] {
        for block in [format!("BEGIN; {sql}"), format!("{sql}; SELECT 1")] {
            assert_eq!(
                refused(client.batch_execute(&block).await),
                "25001",
                "{block}"
            );
            client.batch_execute("ROLLBACK").await.unwrap();
        }
        client.batch_execute(sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn modes_of_a_transaction_are_set_before_its_first_query() {
    let server = Server::start().await;
    let client = server.client().await;
    for (sql, state) in [
        (
            "BEGIN READ ONLY; SELECT 1; SET TRANSACTION READ WRITE",
            "25001",
        ),
        ("BEGIN; SELECT 1; SET TRANSACTION DEFERRABLE", "25001"),
    ] {
        assert_eq!(refused(client.batch_execute(sql).await), state, "{sql}");
        client.batch_execute("ROLLBACK").await.unwrap();
    }
    let shown = async |sql: &str| {
        let rows = client.simple_query(sql).await.unwrap();
        let value = rows.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        value.unwrap()
    };
    client
        .batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE, DEFERRABLE")
        .await
        .unwrap();
    assert_eq!(shown("SHOW transaction_deferrable").await, "on");
    client.batch_execute("COMMIT AND CHAIN").await.unwrap();
    assert_eq!(shown("SHOW transaction_deferrable").await, "on");
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(shown("SHOW transaction_deferrable").await, "off");
}
