//! Locks on whole tables: LOCK TABLE, and who waits for it.

use std::pin::pin;

use bytes::Bytes;
use futures::SinkExt;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::locks::{answer, run, until_it_waits, waiting};
use super::{Server, count, sqlstate};

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_locked_in_their_modes() {
    let server = Server::start().await;
    let judge = server.client_after("CREATE TABLE n(i int)").await;
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let client = server.client().await;
        tasks.push(tokio::spawn(async move {
            for _ in 0..5 {
                run(&client, "BEGIN; LOCK TABLE n IN EXCLUSIVE MODE").await;
                let next = count(&client, "SELECT coalesce(max(i), 0)::bigint + 1 FROM n").await;
                run(&client, &format!("INSERT INTO n VALUES({next}); COMMIT")).await;
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&judge, "SELECT count(DISTINCT i) FROM n").await, 20);
    let first = server.client().await;
    run(&first, "BEGIN; LOCK TABLE n IN SHARE MODE").await;
    assert_eq!(answer(&judge, "SELECT count(*) FROM n").await, "20");
    assert_eq!(
        answer(&judge, "BEGIN; LOCK n IN ROW EXCLUSIVE MODE NOWAIT").await,
        "55P03"
    );
    run(
        &judge,
        "ROLLBACK; BEGIN; LOCK n IN SHARE MODE NOWAIT; COMMIT",
    )
    .await;
    let task = waiting(server.client().await, &judge, "INSERT INTO n VALUES(0)").await;
    run(&first, "COMMIT").await;
    assert_eq!(task.await.unwrap().1, "#1");
    assert_eq!(answer(&judge, "LOCK TABLE n").await, "25P01");
    assert_eq!(answer(&judge, "BEGIN; LOCK TABLE nowhere").await, "42P01");
    server.stop();
}

const SCENE: &str = "CREATE TABLE t(a int PRIMARY KEY, b text); INSERT INTO t VALUES(1, 'one');
                     CREATE INDEX t_b ON t(b);";
const LOCK: &str = "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE";

/// Bug: COPY wrote into a table that somebody else had locked, and so did what found no row to change, or defined it anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_writes_to_a_table_that_is_locked_waits() {
    let server = Server::start().await;
    let (holder, judge) = (server.client_after(SCENE).await, server.client().await);
    for sql in [
        "INSERT INTO t VALUES(2, 'two')",
        "INSERT INTO t SELECT 3, 'three' WHERE false",
        "UPDATE t SET b = 'x' WHERE a = 1",
        "UPDATE t SET b = 'x' WHERE a = 99",
        "DELETE FROM t WHERE a = 99",
        "WITH gone AS (DELETE FROM t WHERE a = 99 RETURNING a) INSERT INTO t SELECT a FROM gone",
        "TRUNCATE t",
        "CREATE INDEX t_a ON ONLY t(a, b)",
        "ALTER INDEX t_b RENAME TO t_bb",
        "DROP INDEX IF EXISTS t_bb, t_a",
        "ALTER TABLE t ADD COLUMN c int",
        "ALTER TABLE IF EXISTS ONLY public.t ADD CHECK (a > 0), ALTER b SET NOT NULL",
        "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME TO t",
        "DROP TABLE IF EXISTS nowhere, t",
    ] {
        run(&holder, LOCK).await;
        let task = waiting(server.client().await, &judge, sql).await;
        run(&holder, "COMMIT").await;
        let answered = task.await.unwrap().1;
        assert!(answered.starts_with('#'), "{sql}: {answered}");
    }
    server.stop();
}

/// COPY FROM STDIN of one row that must wait for another session; when this returns, it does.
async fn copying(
    client: Client,
    judge: &Client,
    row: &'static str,
) -> JoinHandle<(Client, String)> {
    let pid = count(&client, "SELECT pg_backend_pid()::bigint").await;
    let task = tokio::spawn(async move {
        let copied = async {
            let mut sink = pin!(client.copy_in("COPY t FROM STDIN").await?);
            sink.send(Bytes::from_static(row.as_bytes())).await?;
            sink.finish().await
        };
        let answered = match copied.await {
            Ok(rows) => format!("#{rows}"),
            Err(error) => sqlstate(&error),
        };
        (client, answered)
    });
    until_it_waits(judge, pid, &task).await;
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_copied_into_a_table_when_it_is_free() {
    let server = Server::start().await;
    let (holder, judge) = (server.client_after(SCENE).await, server.client().await);
    for mode in [
        "SHARE",
        "SHARE ROW EXCLUSIVE",
        "EXCLUSIVE",
        "ACCESS EXCLUSIVE",
    ] {
        run(&holder, &format!("BEGIN; LOCK TABLE t IN {mode} MODE")).await;
        let task = copying(server.client().await, &judge, "10\tnew\n").await;
        // The one that waits has not the write permit meanwhile.
        run(
            &judge,
            "CREATE TABLE other(i int); INSERT INTO other VALUES(1); DROP TABLE other",
        )
        .await;
        run(&holder, "DELETE FROM t WHERE a = 10; COMMIT").await;
        assert_eq!(task.await.unwrap().1, "#1", "{mode}");
        assert_eq!(count(&judge, "SELECT count(*) FROM t").await, 2, "{mode}");
    }
    // What the transaction has done before waits with it, and a table of its own is nobody's business.
    run(&holder, LOCK).await;
    let own = server
        .client_after("CREATE TEMP TABLE t(a int, b text)")
        .await;
    let mut sink = pin!(own.copy_in("COPY t FROM STDIN").await.unwrap());
    sink.send(Bytes::from_static(b"1\town\n")).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 1);
    let client = server.client_after("CREATE TABLE other(i int)").await;
    run(&client, "BEGIN; INSERT INTO other VALUES(7)").await;
    let task = copying(client, &judge, "11\tnew\n").await;
    run(&holder, "COMMIT").await;
    let (client, answered) = task.await.unwrap();
    assert_eq!(answered, "#1");
    run(&client, "COMMIT").await;
    let both = "SELECT count(*) FROM t, other WHERE i = 7 AND a = 11";
    assert_eq!(count(&judge, both).await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_keeps_others_from_locking_its_table_and_not_from_changing_it() {
    let server = Server::start().await;
    let (copier, judge) = (server.client_after(SCENE).await, server.client().await);
    run(&copier, "BEGIN").await;
    let mut sink = pin!(copier.copy_in("COPY t FROM STDIN").await.unwrap());
    sink.send(Bytes::from_static(b"10\tnew\n")).await.unwrap();
    assert_eq!(sink.finish().await.unwrap(), 1);
    run(&judge, "BEGIN; UPDATE t SET b = 'x' WHERE a = 1").await;
    run(&judge, "LOCK t IN ROW EXCLUSIVE MODE NOWAIT").await;
    assert_eq!(answer(&judge, "LOCK t IN SHARE MODE NOWAIT").await, "55P03");
    run(&copier, "COMMIT").await;
    run(&judge, "ROLLBACK").await;
    // Who has changed definitions can't let others commit, so it can't wait.
    run(&judge, LOCK).await;
    run(&copier, "SET lock_timeout = 1").await;
    assert_eq!(
        answer(&copier, "UPDATE t SET b = 'y' WHERE a = 99").await,
        "55P03"
    );
    run(&copier, "BEGIN; CREATE TABLE other(i int)").await;
    assert_eq!(answer(&copier, "ALTER TABLE t ADD c int").await, "40P01");
    server.stop();
}

/// Bug: a block that had a snapshot already inserted a key that COPY, or a statement behind its 10,000th row, had
/// committed since, and heard of it at COMMIT.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_which_nobody_was_told_is_found_on_a_newer_snapshot() {
    let server = Server::start().await;
    let scene = "CREATE TABLE t(a int PRIMARY KEY, b text); CREATE TABLE other(i int)";
    let (block, judge) = (server.client_after(scene).await, server.client().await);
    for (key, fill) in [
        ("7", None),
        (
            "20500",
            Some("INSERT INTO t SELECT g, 'x' FROM generate_series(10000, 21000) g"),
        ),
    ] {
        for begin in ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"] {
            run(&judge, "TRUNCATE t").await;
            run(
                &block,
                &format!("{begin}; INSERT INTO other VALUES(1); INSERT INTO t VALUES(-1)"),
            )
            .await;
            if let Some(fill) = fill {
                run(&judge, fill).await;
            } else {
                let mut sink = pin!(judge.copy_in("COPY t FROM STDIN").await.unwrap());
                sink.send(Bytes::from_static(b"7\tnew\n")).await.unwrap();
                assert_eq!(sink.finish().await.unwrap(), 1);
            }
            if begin == "BEGIN" {
                let upsert = format!("INSERT INTO t VALUES({key}) ON CONFLICT DO NOTHING");
                assert_eq!(answer(&block, &upsert).await, "#0", "{key}");
                run(&block, "SAVEPOINT s").await;
                let insert = format!("INSERT INTO t VALUES({key})");
                assert_eq!(answer(&block, &insert).await, "23505", "{key}");
                run(&block, "ROLLBACK TO s").await;
            } else {
                // Rows that are new are in nobody's way.
                run(&block, "INSERT INTO t VALUES(-2); UPDATE t SET b = 'own'").await;
                assert_eq!(answer(&block, "SELECT count(*) FROM t").await, "2");
            }
            run(&block, "COMMIT").await;
        }
    }
    server.stop();
}

/// Bug: it was translated before it waited, so ALTER TABLE took away what another one had committed meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_definition_that_has_waited_is_about_the_table_as_it_is_then() {
    let server = Server::start().await;
    let (first, judge) = (server.client().await, server.client().await);
    let adds = "ALTER TABLE t ADD c int; UPDATE t SET c = 100";
    for (before, sql, expected) in [
        (adds, "ALTER TABLE t ALTER b TYPE text", "(1,2,100)"),
        (adds, "ALTER TABLE t ADD CHECK (b > 0)", "(1,2,100)"),
        (
            adds,
            "ALTER TABLE t ALTER b SET NOT NULL, ADD d int",
            "(1,2,100,)",
        ),
        (adds, "ALTER TABLE t DROP b", "(1,100)"),
        (adds, "ALTER TABLE t ADD IF NOT EXISTS c text", "(1,2,100)"),
        (
            "CREATE INDEX i ON t(b)",
            "CREATE INDEX IF NOT EXISTS i ON t(b)",
            "(1,2)",
        ),
        (
            "DROP INDEX IF EXISTS i; ALTER TABLE t ALTER b TYPE text",
            "ALTER TABLE t ADD CHECK (b > '1')",
            "(1,2)",
        ),
    ] {
        let scene = "DROP TABLE IF EXISTS t; CREATE TABLE t(a int PRIMARY KEY, b int); INSERT INTO t VALUES(1, 2)";
        run(&judge, scene).await;
        run(&first, &format!("{LOCK}; {before}")).await;
        let task = waiting(server.client().await, &judge, sql).await;
        run(&first, "COMMIT").await;
        let answered = task.await.unwrap().1;
        assert!(answered.starts_with('#'), "{sql}: {answered}");
        assert_eq!(
            answer(&judge, "SELECT t::text FROM t").await,
            expected,
            "{sql}"
        );
    }
    // Rows that are copied in have the types that the columns have by then.
    run(
        &judge,
        "DROP TABLE t; CREATE TABLE t(a int PRIMARY KEY, b int)",
    )
    .await;
    run(
        &first,
        &format!("{LOCK}; ALTER TABLE t ALTER b TYPE numeric(10,2)"),
    )
    .await;
    let task = copying(server.client().await, &judge, "1\t2\n").await;
    run(&first, "COMMIT").await;
    assert_eq!(task.await.unwrap().1, "#1");
    assert_eq!(answer(&judge, "SELECT b FROM t").await, "2.00");
    server.stop();
}
