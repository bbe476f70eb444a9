//! TRUNCATE beside other statements and other sessions: SQLite tells nothing of the rows that it throws away.

use super::locks::{answer, run, waiting};
use super::{Server, count};

const TABLE: &str =
    "DROP TABLE IF EXISTS t; CREATE TABLE t(a int PRIMARY KEY); INSERT INTO t VALUES (1), (2)";

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_gone_whatever_the_transaction_did_beside() {
    let server = Server::start().await;
    let client = server.client().await;
    for (transaction, left) in [
        ("TRUNCATE t", "NULL"),
        ("BEGIN; TRUNCATE t; COMMIT", "NULL"),
        (
            "BEGIN; TRUNCATE t; INSERT INTO t VALUES (1), (3); COMMIT",
            "1 3",
        ),
        (
            "BEGIN; INSERT INTO t VALUES (3); TRUNCATE t; COMMIT",
            "NULL",
        ),
        (
            "BEGIN; UPDATE t SET a = 5 WHERE a = 1; TRUNCATE t; INSERT INTO t VALUES (4); COMMIT",
            "4",
        ),
        ("BEGIN; SAVEPOINT s; TRUNCATE t; RELEASE s; COMMIT", "NULL"),
        (
            "BEGIN; INSERT INTO t VALUES (3); SAVEPOINT s; TRUNCATE t; ROLLBACK TO s; COMMIT",
            "1 2 3",
        ),
        (
            "BEGIN; TRUNCATE t; ROLLBACK; BEGIN; TRUNCATE t; COMMIT",
            "NULL",
        ),
        (
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; TRUNCATE t; COMMIT",
            "NULL",
        ),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT a FROM t; TRUNCATE t; COMMIT",
            "NULL",
        ),
        (
            "CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (9); BEGIN; TRUNCATE t; COMMIT; DROP TABLE t",
            "1 2",
        ),
    ] {
        run(&client, TABLE).await;
        run(&client, transaction).await;
        let rows = "SELECT string_agg(a::text, ' ' ORDER BY a) FROM t";
        assert_eq!(answer(&client, rows).await, left, "{transaction}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_those_who_have_rows_of_the_table() {
    let server = Server::start().await;
    let (judge, writer) = (server.client_after(TABLE).await, server.client().await);
    for begin in ["", "BEGIN; INSERT INTO t VALUES (8); "] {
        run(&writer, "BEGIN; INSERT INTO t VALUES (3)").await;
        let other = server.client().await;
        run(&other, begin).await;
        let task = waiting(other, &judge, "TRUNCATE t").await;
        run(&writer, "COMMIT").await;
        let (other, answer) = task.await.unwrap();
        assert_eq!(answer, "#0");
        run(&other, "COMMIT").await;
        assert_eq!(count(&judge, "SELECT count(*) FROM t").await, 0);
    }
    run(&writer, "BEGIN; TRUNCATE t").await;
    let task = waiting(server.client().await, &judge, "INSERT INTO t VALUES (7)").await;
    run(&writer, "INSERT INTO t VALUES (6); COMMIT").await;
    assert_eq!(task.await.unwrap().1, "#1");
    assert_eq!(count(&judge, "SELECT sum(a) FROM t").await, 13);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_never_waited_for_with_the_write_permit() {
    let server = Server::start().await;
    let (writer, definer) = (server.client_after(TABLE).await, server.client().await);
    for locks in ["LOCK TABLE t", "TRUNCATE t"] {
        run(&writer, "BEGIN; INSERT INTO t VALUES (3)").await;
        run(&definer, "BEGIN; CREATE TABLE u(b int)").await;
        assert_eq!(answer(&definer, locks).await, "40P01");
        run(&writer, "COMMIT; DELETE FROM t").await;
        run(&definer, "ROLLBACK").await;
    }
    // What was done by rows only is taken along, with its savepoints.
    let judge = server.client_after("CREATE TABLE w(c int)").await;
    run(&writer, "BEGIN; INSERT INTO w VALUES (1)").await;
    run(
        &definer,
        "BEGIN; INSERT INTO t VALUES (1); SAVEPOINT s; INSERT INTO t SELECT generate_series(10, 700)",
    )
    .await;
    run(&definer, "INSERT INTO t VALUES (5)").await;
    let task = waiting(definer, &judge, "LOCK TABLE w").await;
    run(&writer, "COMMIT").await;
    let (definer, _) = task.await.unwrap();
    run(&definer, "ROLLBACK TO s; INSERT INTO t VALUES (2); COMMIT").await;
    assert_eq!(count(&judge, "SELECT sum(a) FROM t").await, 3);
    // A serializable transaction can't go on where others have committed.
    run(&writer, "BEGIN; INSERT INTO w VALUES (1)").await;
    run(
        &definer,
        "BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (3)",
    )
    .await;
    assert_eq!(answer(&definer, "LOCK TABLE w").await, "40001");
    server.stop();
}
