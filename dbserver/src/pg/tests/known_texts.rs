//! Texts of the simple protocol that differ in numbers only.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, sqlstate};

/// The first row, its columns joined; empty without one.
async fn row(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap();
    let rows = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let columns = (0..row.len()).map(|index| row.get(index).unwrap_or("NULL"));
            Some(columns.collect::<Vec<_>>().join("|"))
        }
        _ => None,
    });
    rows.unwrap_or_default()
}

async fn position(client: &Client, sql: &str) -> (String, String) {
    let error = client.simple_query(sql).await.unwrap_err();
    let error = error.as_db_error().unwrap();
    let position = error.position().map(|position| format!("{position:?}"));
    (error.code().code().to_owned(), position.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_text_has_the_answer_of_its_own_numbers() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t (id int PRIMARY KEY, n numeric(8,2), s smallint, f float8, v text);
             INSERT INTO t VALUES (1, 1.50, 1, 0.5, 'one'), (2, 2, 2, 2, '2'), (3, NULL, NULL, NULL, NULL)",
        )
        .await;
    for id in [1, 2, 3, 1, 4] {
        let wanted = [
            "",
            "1|1.50|1|0.5|one",
            "2|2.00|2|2|2",
            "3|NULL|NULL|NULL|NULL",
            "",
        ];
        assert_eq!(
            row(&client, &format!("SELECT * FROM t WHERE id = {id}")).await,
            wanted[id]
        );
    }
    for (column, number) in [
        ("n", 2),
        ("s", 2),
        ("f", 2),
        ("n", 3),
        ("s", 70_000),
        ("f", 5),
    ] {
        let found = row(
            &client,
            &format!("SELECT id FROM t WHERE {column} = {number}"),
        )
        .await;
        assert_eq!(
            found,
            if number == 2 { "2" } else { "" },
            "{column} = {number}"
        );
    }
    // Larger than an integer, negative, of another kind: a text of its own.
    assert_eq!(
        row(
            &client,
            "SELECT id FROM t WHERE id < 3000000000 ORDER BY 1 DESC"
        )
        .await,
        "3"
    );
    assert_eq!(row(&client, "SELECT id FROM t WHERE n = 1.5").await, "1");
    for (number, changed) in [(10, "11"), (20, "21")] {
        let sql = format!("INSERT INTO t VALUES ({number}, 7, 8, 9, 'x')");
        client.simple_query(&sql).await.unwrap();
        let sql =
            format!("UPDATE t SET id = id + 1, s = {number} WHERE id = {number} RETURNING id");
        assert_eq!(row(&client, &sql).await, changed);
    }
    let grouped = "SELECT count(*), id > 2 FROM t GROUP BY id > 2 ORDER BY 2";
    assert_eq!(row(&client, grouped).await, "2|f");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_that_of_the_text_as_it_was_sent() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t (id int PRIMARY KEY, v text)")
        .await;
    for number in [5, 12_345] {
        let start = format!("SELECT id FROM t WHERE id = {number} AND ");
        let unknown = position(&client, &format!("{start}nope = 1")).await;
        let at = start.len() + 1;
        assert_eq!(unknown, ("42703".into(), format!("Original({at})")));
        let typed = position(&client, &format!("SELECT id FROM t WHERE v = {number}")).await;
        assert_eq!(typed, ("42883".into(), "Original(26)".into()));
    }
    let error = client
        .simple_query("SELECT id FROM t WHERE id = $1")
        .await
        .unwrap_err();
    assert_eq!(sqlstate(&error), "42P02");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_translated_anew_when_the_schema_or_a_setting_is_another() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t (id int, at timestamptz); INSERT INTO t VALUES (1, '2024-01-01 12:00+00')")
        .await;
    let sql = "SELECT * FROM t WHERE id = 1";
    let at = "SELECT count(*) FROM t WHERE at = '2024-01-01 12:00'";
    assert_eq!(row(&client, at).await, "1");
    client
        .simple_query("SET TimeZone = 'Asia/Tokyo'")
        .await
        .unwrap();
    assert_eq!(row(&client, at).await, "0");
    assert_eq!(row(&client, sql).await, "1|2024-01-01 21:00:00+09");
    let other = server.client().await;
    other
        .simple_query("ALTER TABLE t DROP COLUMN at; ALTER TABLE t ADD COLUMN b bool DEFAULT true")
        .await
        .unwrap();
    assert_eq!(row(&client, sql).await, "1|t");
    client
        .simple_query(
            "CREATE TEMPORARY TABLE t (id int, own text); INSERT INTO t VALUES (1, 'own')",
        )
        .await
        .unwrap();
    assert_eq!(row(&client, sql).await, "1|own");
    client.simple_query("DROP TABLE t").await.unwrap();
    assert_eq!(row(&client, sql).await, "1|t");
    // In a transaction that is undone, and after it.
    client
        .simple_query("BEGIN; ALTER TABLE t ADD COLUMN c int DEFAULT 7")
        .await
        .unwrap();
    assert_eq!(row(&client, sql).await, "1|t|7");
    client.simple_query("ROLLBACK").await.unwrap();
    assert_eq!(row(&client, sql).await, "1|t");
    let late = client
        .simple_query("BEGIN; SELECT * FROM t WHERE nope = 1")
        .await
        .unwrap_err();
    assert_eq!(sqlstate(&late), "42703");
    let failed = client.simple_query(sql).await.unwrap_err();
    assert_eq!(sqlstate(&failed), "25P02");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_some_rows_is_found_by_the_numbers_that_it_names() {
    let server = Server::start().await;
    let client = server
        .client_after("create table t (a int, b int); create unique index few on t (b) where a > 0")
        .await;
    let insert = "insert into t values (1, 2) on conflict (b) where a > 0 do nothing returning b";
    assert_eq!(row(&client, insert).await, "2");
    assert_eq!(row(&client, insert).await, "");
    server.stop();
}
