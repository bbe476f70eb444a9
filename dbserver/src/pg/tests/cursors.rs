use super::{Server, count};

const FILL: &str = "CREATE TABLE t(a INT PRIMARY KEY, b INT);
    INSERT INTO t SELECT value, value FROM (WITH RECURSIVE n(value) AS
    (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 100) SELECT value FROM n) AS n";

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_is_read_in_portions() {
    let server = Server::start().await;
    let mut client = server.client_after(FILL).await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction
        .bind("SELECT a FROM t ORDER BY a", &[])
        .await
        .unwrap();
    let mut seen = Vec::new();
    loop {
        let rows = transaction.query_portal(&portal, 30).await.unwrap();
        if rows.is_empty() {
            break;
        }
        assert!(rows.len() <= 30);
        seen.extend(rows.iter().map(|row| row.get::<_, i32>(0)));
    }
    assert_eq!(seen, (1..=100).collect::<Vec<i32>>());
    transaction.commit().await.unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_portal_does_not_see_what_its_transaction_writes_later() {
    let server = Server::start().await;
    let mut client = server.client_after(FILL).await;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction
        .bind("SELECT b FROM t ORDER BY a", &[])
        .await
        .unwrap();
    assert_eq!(
        transaction.query_portal(&portal, 10).await.unwrap().len(),
        10
    );
    transaction
        .execute("UPDATE t SET b = -1", &[])
        .await
        .unwrap();
    let rest = transaction.query_portal(&portal, 0).await.unwrap();
    let rest: Vec<i32> = rest.iter().map(|row| row.get(0)).collect();
    assert_eq!(rest, (11..=100).collect::<Vec<i32>>());
    transaction.commit().await.unwrap();
    assert_eq!(count(&client, "SELECT min(b)::bigint FROM t").await, -1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sql_cursor_is_fetched_and_moved() {
    let server = Server::start().await;
    let client = server.client_after(FILL).await;
    client
        .batch_execute("BEGIN; DECLARE c CURSOR FOR SELECT a FROM t ORDER BY a; MOVE 5 IN c")
        .await
        .unwrap();
    let rows = client.query("FETCH 3 FROM c", &[]).await.unwrap();
    let rows: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(rows, [6, 7, 8]);
    client.batch_execute("CLOSE c; COMMIT").await.unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_with_hold_outlives_its_transaction() {
    let server = Server::start().await;
    let client = server.client_after(FILL).await;
    client
        .batch_execute("BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT a FROM t ORDER BY a; COMMIT; DELETE FROM t")
        .await
        .unwrap();
    assert_eq!(
        client.query("FETCH ALL FROM c", &[]).await.unwrap().len(),
        100
    );
    server.stop();
}
