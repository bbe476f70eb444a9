use futures::{StreamExt, TryStreamExt, future};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::Type;

use super::{Server, count, refused, sqlstate};

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_common_type_go_and_come_in_binary() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE v(b BOOLEAN, s SMALLINT, i INT, l BIGINT, f DOUBLE PRECISION, t TEXT, y BYTEA)",
        )
        .await;
    let insert = "INSERT INTO v VALUES($1, $2, $3, $4, $5, $6, $7)";
    let bytes: &[u8] = &[0, 1, 255];
    client
        .execute(
            insert,
            &[
                &true,
                &-3i16,
                &7i32,
                &(1i64 << 40),
                &2.5f64,
                &"größe",
                &bytes,
            ],
        )
        .await
        .unwrap();
    let row = client.query_one("SELECT * FROM v", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!(row.get::<_, i16>(1), -3);
    assert_eq!(row.get::<_, i32>(2), 7);
    assert_eq!(row.get::<_, i64>(3), 1 << 40);
    assert!((row.get::<_, f64>(4) - 2.5).abs() < f64::EPSILON);
    assert_eq!(row.get::<_, &str>(5), "größe");
    assert_eq!(row.get::<_, &[u8]>(6), bytes);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_described_with_the_types_of_its_parameters_and_columns() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(id INT PRIMARY KEY, price NUMERIC(10,2), at DATE)")
        .await;
    let statement = client
        .prepare("SELECT * FROM t WHERE id = $1 AND price > $2")
        .await
        .unwrap();
    assert_eq!(statement.params(), [Type::INT4, Type::NUMERIC]);
    let types: Vec<_> = statement
        .columns()
        .iter()
        .map(|column| column.type_().clone())
        .collect();
    assert_eq!(types, [Type::INT4, Type::NUMERIC, Type::DATE]);
    let typed = client
        .prepare_typed("SELECT $1", &[Type::INT8])
        .await
        .unwrap();
    assert_eq!(typed.params(), [Type::INT8]);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_their_sqlstate_and_leave_the_session_usable() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE t(a INT PRIMARY KEY, b TEXT NOT NULL, c INT CHECK (c > 0));
             CREATE TABLE u(a INT REFERENCES t(a)); INSERT INTO t VALUES(1, 'x', 1)",
        )
        .await;
    for (sql, expected) in [
        ("INSERT INTO t VALUES(1, 'y', 1)", "23505"),
        ("INSERT INTO t VALUES(2, NULL, 1)", "23502"),
        ("INSERT INTO t VALUES(2, 'x', 0)", "23514"),
        ("INSERT INTO u VALUES(7)", "23503"),
        ("SELECT * FROM nosuch", "42P01"),
        ("SELECT nosuch FROM t", "42703"),
        ("SELEC 1", "42601"),
        ("SELECT nosuch(1)", "42883"),
        ("PRAGMA journal_mode = WAL", "42501"),
        ("ATTACH 'x.db' AS x", "42601"),
    ] {
        let simple = refused(client.simple_query(sql).await);
        let extended = refused(client.query(sql, &[]).await);
        assert_eq!(
            (simple.as_str(), extended.as_str()),
            (expected, expected),
            "{sql}"
        );
    }
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_one_transaction_up_to_its_first_error() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT PRIMARY KEY)")
        .await;
    let script = "INSERT INTO t VALUES(1); INSERT INTO t VALUES(1); INSERT INTO t VALUES(2)";
    assert_eq!(refused(client.simple_query(script).await), "23505");
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 0);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_script_has_its_place_in_the_whole_text() {
    let server = Server::start().await;
    let client = server.client().await;
    let error = client
        .simple_query("SELECT 1; SELECT * FRM t")
        .await
        .unwrap_err();
    assert_eq!(sqlstate(&error), "42601");
    let position = error
        .as_db_error()
        .and_then(|error| error.position().cloned());
    if let Some(tokio_postgres::error::ErrorPosition::Original(position)) = position {
        assert!(position > 10, "{position}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_text_and_comments_are_empty_queries() {
    let server = Server::start().await;
    let client = server.client().await;
    for sql in ["", ";", " -- nothing\n;"] {
        let messages = client.simple_query(sql).await.unwrap();
        let tags: Vec<_> = messages
            .iter()
            .filter(|message| matches!(message, SimpleQueryMessage::CommandComplete(_)))
            .collect();
        assert!(tags.len() <= 1, "{sql:?}");
    }
    assert!(client.query("", &[]).await.unwrap().is_empty());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_count_what_was_changed() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a INT)").await;
    for (sql, rows) in [
        ("INSERT INTO t VALUES(1), (2), (3)", 3),
        ("UPDATE t SET a = a + 1 WHERE a > 1", 2),
        ("INSERT INTO t SELECT a FROM t RETURNING a", 3),
        ("DELETE FROM t WHERE a = 99", 0),
    ] {
        assert_eq!(client.execute(sql, &[]).await.unwrap(), rows, "{sql}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_result_arrives_whole_and_in_order() {
    let server = Server::start().await;
    let client = server.client().await;
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
               SELECT i::bigint, 'row ' || i FROM n";
    let rows = client.query_raw(sql, Vec::<i32>::new()).await.unwrap();
    let mut expected = 0i64;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await.unwrap() {
        expected += 1;
        assert_eq!(row.get::<_, i64>(0), expected);
    }
    assert_eq!(expected, 60_000);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_statements_answer_in_order() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t(a BIGINT)").await;
    let insert = client.prepare("INSERT INTO t VALUES($1)").await.unwrap();
    let select = client.prepare("SELECT count(*) FROM t").await.unwrap();
    let work = (0..50i64).map(|i| {
        let (client, insert, select) = (&client, &insert, &select);
        async move {
            let (_, row) = future::try_join(
                client.execute_raw(insert, [i]),
                client.query_one(select, &[]),
            )
            .await
            .unwrap();
            row.get::<_, i64>(0)
        }
    });
    let counts: Vec<i64> = futures::stream::iter(work).buffered(50).collect().await;
    assert_eq!(counts, (1..=50).collect::<Vec<i64>>());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_whose_result_changed_its_columns_is_refused() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(a INT); INSERT INTO t VALUES(1)")
        .await;
    let statement = client.prepare("SELECT * FROM t").await.unwrap();
    assert_eq!(client.query(&statement, &[]).await.unwrap().len(), 1);
    let other = server.client().await;
    other
        .batch_execute("ALTER TABLE t ADD COLUMN b TEXT")
        .await
        .unwrap();
    assert_eq!(refused(client.query(&statement, &[]).await), "0A000");
    assert_eq!(
        client
            .query_one("SELECT * FROM t", &[])
            .await
            .unwrap()
            .len(),
        2
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_rare_forms_are_postgresqls() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE t (a int)").await;
    for (sql, expected) in [
        (
            "SELECT count(*) FROM (WITH q AS (SELECT random() AS r FROM generate_series(1, 5))
             SELECT r FROM q UNION SELECT r FROM q) s",
            Some("5"),
        ),
        (
            "SELECT percentile_disc(ARRAY[0.5, 1.0]) WITHIN GROUP (ORDER BY a) FROM t",
            None,
        ),
        (
            "SELECT ARRAY[['a', 'bc'], ['def', 'g']]::text[]",
            Some("{{a,bc},{def,g}}"),
        ),
        (
            "SELECT ARRAY[[1, 2], [3, 4]]::bigint[]",
            Some("{{1,2},{3,4}}"),
        ),
        (
            "SELECT count(*) FROM (SELECT 1 FROM (VALUES (1, 2, 3)) v(a, b, c)
             GROUP BY DISTINCT ROLLUP (a, b), ROLLUP (a, c)) s",
            Some("5"),
        ),
    ] {
        let rows = client.simple_query(sql).await.unwrap();
        let row = rows.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        });
        assert_eq!(row.flatten().as_deref(), expected, "{sql}");
    }
}
