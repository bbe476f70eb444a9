//! Statements that wait while somebody changes the definitions that they were translated for.

use super::locks::{answer, run, until_it_waits, waiting};
use super::{Server, count};

const SCENE: &str = "CREATE TABLE item(i INT PRIMARY KEY, w INT, note VARCHAR(9));
                     INSERT INTO item VALUES(1, 1, 'a'), (2, 2, 'b')";
const DEFINES: &str = "BEGIN; ALTER TABLE item ALTER w TYPE NUMERIC(10,2)";

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_definition_is_run_as_that_definition_says() {
    let server = Server::start().await;
    let (definer, judge) = (server.client_after(SCENE).await, server.client().await);
    let cases = [
        ("UPDATE item SET w = 7 WHERE i = 1", "#1"),
        ("UPDATE item SET w = 7 WHERE i = 1 RETURNING w", "7.00"),
        ("UPDATE item SET w = 7 WHERE i = (SELECT 1)", "#1"),
        ("INSERT INTO item VALUES(3, 7, 'c')", "#1"),
        ("INSERT INTO item VALUES(3, 7) RETURNING w", "7.00"),
        (
            "INSERT INTO item SELECT i + 10, 7 FROM item WHERE i = 2",
            "#1",
        ),
        ("BEGIN; UPDATE item SET w = 7 WHERE i = 1; COMMIT", "#0"),
        ("BEGIN; INSERT INTO item VALUES(3, 7); COMMIT", "#0"),
        (
            "DELETE FROM item WHERE w = 1 RETURNING w / 2",
            "0.50000000000000000000",
        ),
        (
            "SELECT w / 2 FROM item WHERE i = 1 FOR UPDATE",
            "0.50000000000000000000",
        ),
    ];
    for (sql, answered) in cases {
        run(&definer, DEFINES).await;
        let task = waiting(server.client().await, &judge, sql).await;
        run(&definer, "COMMIT").await;
        assert_eq!(task.await.unwrap().1, answered, "{sql}");
        let sevens = "SELECT string_agg(w::text, ' ') FROM item WHERE w = 7";
        let shown = answer(&judge, sevens).await;
        assert!(shown == "7.00" || shown == "NULL", "{sql}: {shown}");
        run(&judge, &format!("DROP TABLE item; {SCENE}")).await;
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_were_bound_before_keep_to_the_new_definition() {
    let server = Server::start().await;
    let (definer, judge) = (server.client_after(SCENE).await, server.client().await);
    for text in [
        "UPDATE item SET w = $1 WHERE i = 1",
        "INSERT INTO item(i, w) VALUES($1 + 1, $1)",
    ] {
        let client = server.client().await;
        let statement = client.prepare(text).await.unwrap();
        let pid = count(&client, "SELECT pg_backend_pid()::bigint").await;
        run(&definer, DEFINES).await;
        let task = tokio::spawn(async move { client.execute(&statement, &[&7_i32]).await });
        until_it_waits(&judge, pid, &task).await;
        run(&definer, "COMMIT").await;
        assert_eq!(task.await.unwrap().unwrap(), 1);
        let shown = answer(&judge, "SELECT w FROM item WHERE w = 7").await;
        assert_eq!(shown, "7.00", "{text}");
        run(&judge, &format!("DROP TABLE item; {SCENE}")).await;
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_definition_that_leaves_it_no_place_is_refused_in_its_words() {
    let server = Server::start().await;
    let (definer, judge) = (server.client_after(SCENE).await, server.client().await);
    for (defines, sql, answered) in [
        (
            "BEGIN; ALTER TABLE item DROP w",
            "UPDATE item SET w = 7 WHERE i = 1",
            "42703",
        ),
        (
            "BEGIN; DROP TABLE item",
            "INSERT INTO item VALUES(3, 7)",
            "42P01",
        ),
        (
            "BEGIN; ALTER TABLE item ALTER note TYPE VARCHAR(2)",
            "UPDATE item SET note = 'abc' WHERE i = 1",
            "22001",
        ),
        (
            "BEGIN; ALTER TABLE item DROP w; ALTER TABLE item ADD w TEXT",
            "UPDATE item SET w = w + 1 WHERE i = 1",
            "42883",
        ),
    ] {
        run(&definer, defines).await;
        let task = waiting(server.client().await, &judge, sql).await;
        run(&definer, "COMMIT").await;
        assert_eq!(task.await.unwrap().1, answered, "{sql}");
        run(&judge, &format!("DROP TABLE IF EXISTS item; {SCENE}")).await;
    }
    // What is taken back leaves what waits as it was.
    run(&definer, DEFINES).await;
    let sql = "UPDATE item SET w = 7 WHERE i = 1 RETURNING w";
    let task = waiting(server.client().await, &judge, sql).await;
    run(&definer, "ROLLBACK").await;
    assert_eq!(task.await.unwrap().1, "7");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_was_bound_before_reads_as_the_new_definition_says() {
    let server = Server::start().await;
    let (mut reader, definer) = (server.client_after(SCENE).await, server.client().await);
    let text = "SELECT (w / 2)::text FROM item WHERE i = 1";
    let statement = reader.prepare(text).await.unwrap();
    let transaction = reader.transaction().await.unwrap();
    let portal = transaction.bind(&statement, &[]).await.unwrap();
    run(&definer, "ALTER TABLE item ALTER w TYPE NUMERIC(10,2)").await;
    let rows = transaction.query_portal(&portal, 0).await.unwrap();
    assert_eq!(rows[0].get::<_, &str>(0), "0.50000000000000000000");
    drop(transaction);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_taken_once_though_the_definitions_have_moved() {
    let server = Server::start().await;
    let definer = server.client_after("CREATE SEQUENCE s").await;
    let mut client = server.client().await;
    let statement = client.prepare("SELECT nextval('s')").await.unwrap();
    for wanted in [1_i64, 2, 3] {
        let transaction = client.transaction().await.unwrap();
        let portal = transaction.bind(&statement, &[]).await.unwrap();
        run(&definer, &format!("CREATE TABLE t{wanted}(a INT)")).await;
        let rows = transaction.query_portal(&portal, 0).await.unwrap();
        assert_eq!(rows[0].get::<_, i64>(0), wanted);
        transaction.commit().await.unwrap();
    }
    server.stop();
}
