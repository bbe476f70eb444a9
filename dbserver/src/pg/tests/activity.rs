//! `pg_stat_activity`, and what one session may do to another.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{PASSWORD, Server, connect, count, refused};

/// The rows of a query, values beside each other.
async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap();
    let row = |message: SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => {
            let values = (0..row.len()).map(|at| row.get(at).unwrap_or("NULL"));
            Some(values.collect::<Vec<_>>().join(" | "))
        }
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

async fn pid(client: &Client) -> i64 {
    count(client, "SELECT pg_backend_pid()::bigint").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_what_all_sessions_do() {
    let server = Server::start().await;
    let (judge, thinks, failed) = (
        server.client().await,
        server
            .client_after("SET application_name = 'till'; CREATE TABLE t(a INT)")
            .await,
        server.client().await,
    );
    thinks
        .batch_execute("BEGIN; INSERT INTO t VALUES (1)")
        .await
        .unwrap();
    assert_eq!(
        refused(failed.batch_execute("BEGIN; SELECT 1/0").await),
        "22012"
    );
    let seen = rows(
        &judge,
        "SELECT datname, usename, application_name, client_addr, state, wait_event, query FROM pg_stat_activity \
         WHERE pid <> pg_backend_pid() ORDER BY pid",
    )
    .await;
    assert_eq!(
        seen,
        [
            "shop | dba | till | 127.0.0.1 | idle in transaction | ClientRead | BEGIN; INSERT INTO t VALUES (1)",
            "shop | dba |  | 127.0.0.1 | idle in transaction (aborted) | ClientRead | BEGIN; SELECT 1/0",
        ]
    );
    let own = "SELECT state, query, wait_event, xact_start = now(), query_start = statement_timestamp(), \
               state_change >= backend_start, backend_type, client_port = inet_client_port() \
               FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    let expected = format!("active | {own} | NULL | t | t | t | client backend | t");
    assert_eq!(rows(&judge, own).await, [expected]);
    thinks.batch_execute("COMMIT").await.unwrap();
    let after = "SELECT state, xact_start, d.datname, r.rolname FROM pg_stat_activity a \
                 JOIN pg_database d ON d.oid = a.datid JOIN pg_roles r ON r.oid = a.usesysid \
                 WHERE application_name = 'till'";
    assert_eq!(rows(&judge, after).await, ["idle | NULL | shop | dba"]);
    // The extended protocol, too.
    let prepared = failed.prepare("SELECT 7").await;
    assert!(prepared.is_err(), "the block has failed");
    failed.batch_execute("ROLLBACK").await.unwrap();
    failed.query_one("SELECT 7::bigint", &[]).await.unwrap();
    let last = rows(
        &judge,
        "SELECT state, query FROM pg_stat_activity WHERE query LIKE '%7::bigint'",
    )
    .await;
    assert_eq!(last, ["idle | SELECT 7::bigint"]);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_and_ends_its_own_sessions_alone() {
    let server = Server::start().await;
    let dba = server
        .client_after(&format!("CREATE USER ann PASSWORD '{PASSWORD}'"))
        .await;
    let mut parameters = server.parameters("shop");
    parameters.user("ann");
    let ann = connect(&parameters).await.unwrap();
    let second = connect(&parameters).await.unwrap();
    second.batch_execute("SELECT 2").await.unwrap();
    let seen = rows(
        &ann,
        "SELECT usename, state, query, client_addr IS NULL FROM pg_stat_activity WHERE pid <> pg_backend_pid() ORDER BY pid",
    )
    .await;
    assert_eq!(
        seen,
        [
            "dba | NULL | <insufficient privilege> | t",
            "ann | idle | SELECT 2 | f"
        ]
    );
    let (other, own) = (pid(&dba).await, pid(&second).await);
    for function in ["pg_cancel_backend", "pg_terminate_backend"] {
        let sql = format!("SELECT {function}({other})");
        assert_eq!(refused(ann.simple_query(&sql).await), "42501");
        let nobody = format!("SELECT {function}(123456)");
        assert_eq!(rows(&ann, &nobody).await, ["f"]);
    }
    let ends = format!(
        "SELECT pg_cancel_backend({own}), pg_terminate_backend({own}, 9223372036854775807)"
    );
    assert_eq!(rows(&ann, &ends).await, ["t | t"]);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ann'";
    assert_eq!(count(&dba, left).await, 1);
    let negative = "SELECT pg_terminate_backend(1, -1)";
    assert_eq!(refused(dba.simple_query(negative).await), "22003");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_the_right_to_write_is_seen_with_the_one_who_has_it() {
    let server = Server::start().await;
    let (holder, waiter, judge) = (
        server.client_after("CREATE TABLE t(a INT)").await,
        server.client().await,
        server.client().await,
    );
    holder
        .batch_execute("BEGIN; CREATE TABLE u(a INT)")
        .await
        .unwrap();
    let (holds, waits) = (pid(&holder).await, pid(&waiter).await);
    let task = tokio::spawn(async move { waiter.batch_execute("CREATE TABLE v(a INT)").await });
    let asked = format!("SELECT pg_blocking_pids({waits})");
    while rows(&judge, &asked).await != [format!("{{{holds}}}")] {
        assert!(!task.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
    let seen = rows(
        &judge,
        &format!(
            "SELECT state, wait_event_type, wait_event FROM pg_stat_activity WHERE pid = {waits}"
        ),
    )
    .await;
    assert_eq!(seen, ["active | Lock | write permit"]);
    holder.batch_execute("COMMIT").await.unwrap();
    task.await.unwrap().unwrap();
    server.stop();
}
