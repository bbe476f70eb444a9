//! MERGE beside other sessions, its rights, and its plan. What it does with rows stands in `tests/cases`.

use tokio_postgres::SimpleQueryMessage;

use super::{PASSWORD, Server, connect, refused, sqlstate};

const SCENE: &str =
    "CREATE TABLE t(id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10), (2, 20);
                     CREATE TABLE s(id int, n int); INSERT INTO s VALUES (1, 11), (3, 33);";
const MERGE: &str = "MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.n)";

/// The rows, or the SQLSTATE.
async fn answer(client: &tokio_postgres::Client, sql: &str) -> String {
    let messages = match client.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => return sqlstate(&error),
    };
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_needs_its_right_and_what_is_read_needs_select() {
    let server = Server::start().await;
    let dba = server.client_after(SCENE).await;
    dba.batch_execute(&format!(
        "CREATE USER ann PASSWORD '{PASSWORD}'; ALTER DATABASE shop OWNER TO dba; GRANT CONNECT ON DATABASE shop TO ann"
    ))
    .await
    .unwrap();
    let mut parameters = server.parameters("shop");
    let ann = connect(parameters.user("ann")).await.unwrap();
    let insert =
        "MERGE INTO t USING s ON false WHEN NOT MATCHED THEN INSERT VALUES (s.id + 100, s.n)";
    let delete = "MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN DELETE";
    for (granted, sql, refused_before) in [
        ("INSERT ON t", insert, true),
        ("SELECT ON s", insert, false),
        ("SELECT ON t", MERGE, true),
        ("UPDATE ON t", MERGE, false),
        ("SELECT ON t", delete, true),
        ("DELETE ON t", delete, false),
    ] {
        assert_eq!(refused(ann.batch_execute(sql).await), "42501", "{granted}");
        dba.batch_execute(&format!("GRANT {granted} TO ann"))
            .await
            .unwrap();
        let now = answer(&ann, sql).await;
        assert_eq!(now == "42501", refused_before, "{granted}: {now}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_sees_what_others_have_committed_since_its_transaction_began() {
    let server = Server::start().await;
    let (one, other) = (server.client_after(SCENE).await, server.client().await);
    one.batch_execute("BEGIN; SELECT * FROM t").await.unwrap();
    other
        .batch_execute("INSERT INTO t VALUES (3, 30); UPDATE s SET n = 12 WHERE id = 1")
        .await
        .unwrap();
    one.batch_execute(MERGE).await.unwrap();
    one.batch_execute("COMMIT").await.unwrap();
    let rows = answer(&other, "SELECT id || ' ' || n FROM t ORDER BY id").await;
    assert_eq!(rows, "1 12\n2 20\n3 33");
    // In one snapshot it can't.
    one.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t")
        .await
        .unwrap();
    other
        .batch_execute("UPDATE t SET n = 0 WHERE id = 1")
        .await
        .unwrap();
    assert_eq!(refused(one.batch_execute(MERGE).await), "40001");
    one.batch_execute("ROLLBACK").await.unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_takes_all_others_back_and_is_told() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    client
        .batch_execute("ALTER TABLE t ADD CONSTRAINT small CHECK (n < 33)")
        .await
        .unwrap();
    let error = client.batch_execute(MERGE).await.unwrap_err();
    let told = error.as_db_error().unwrap();
    assert_eq!(told.code().code(), "23514");
    assert_eq!(told.detail(), Some("Failing row contains (3, 33)."));
    let rows = answer(&client, "SELECT id || ' ' || n FROM t ORDER BY id").await;
    assert_eq!(rows, "1 10\n2 20");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn its_plan_is_that_of_its_join() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    let plan = answer(&client, &format!("EXPLAIN {MERGE}")).await;
    assert!(plan.starts_with("Merge on t"), "{plan}");
    assert!(plan.contains("on t"), "{plan}");
    assert_eq!(answer(&client, "SELECT n FROM t WHERE id = 1").await, "10");
    server.stop();
}
