//! What is told of a row that a constraint refuses: its values, as PostgreSQL 15 tells them.

use std::pin::pin;

use bytes::Bytes;
use futures::SinkExt;
use tokio_postgres::Client;

use super::{Server, count};

const SCENE: &str = "CREATE TABLE t(a INT PRIMARY KEY, b TEXT NOT NULL, c NUMERIC(8,2) CHECK (c > 0), d DATE DEFAULT '2020-01-01');
                     INSERT INTO t VALUES (1, 'x', 1.5);
                     CREATE TABLE s(id SERIAL PRIMARY KEY, v TEXT NOT NULL);
                     CREATE TABLE k(a INT PRIMARY KEY, b INT UNIQUE);
                     INSERT INTO k VALUES (1, 1), (2, 2);
                     CREATE TABLE f(a INT REFERENCES t, b INT);
                     CREATE TABLE e(a INT, b VARCHAR(9)); CREATE UNIQUE INDEX e_i ON e ((a + 1), lower(b));
                     INSERT INTO e VALUES (1, 'x')";

/// SQLSTATE and DETAIL of a refused statement.
async fn told(client: &Client, sql: &str) -> String {
    let Err(error) = client.batch_execute(sql).await else {
        return "not refused".to_owned();
    };
    let error = error.as_db_error().unwrap();
    let detail = error.detail().unwrap_or("-");
    format!("{} {detail}", error.code().code())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_shown() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    for (sql, expected) in [
        (
            "INSERT INTO t VALUES (2, NULL, 2)",
            "23502 Failing row contains (2, null, 2.00, 2020-01-01).",
        ),
        (
            "INSERT INTO t(a, c) VALUES (2, 2)",
            "23502 Failing row contains (2, null, 2.00, 2020-01-01).",
        ),
        (
            "INSERT INTO t SELECT g, CASE WHEN g < 7 THEN 'q' END, 1 FROM generate_series(6, 8) g",
            "23502 Failing row contains (7, null, 1.00, 2020-01-01).",
        ),
        (
            "UPDATE t SET b = NULL, c = 9",
            "23502 Failing row contains (1, null, 9.00, 2020-01-01).",
        ),
        (
            "INSERT INTO t VALUES (1, 'x', 2) ON CONFLICT (a) DO UPDATE SET b = NULL",
            "23502 Failing row contains (1, null, 1.50, 2020-01-01).",
        ),
        (
            "INSERT INTO t VALUES (1, 'x', 2) ON CONFLICT (a) DO UPDATE SET c = -1",
            "23514 Failing row contains (1, x, -1.00, 2020-01-01).",
        ),
        (
            "INSERT INTO k VALUES (3, 2) ON CONFLICT (a) DO UPDATE SET b = 2",
            "23505 Key (b)=(2) already exists.",
        ),
        (
            "INSERT INTO k VALUES (1, 9) ON CONFLICT (a) DO UPDATE SET b = 2",
            "23505 Key (b)=(2) already exists.",
        ),
        (
            "INSERT INTO e VALUES (2, 'y'), (1, 'X')",
            "23505 Key ((a + 1), lower(b::text))=(2, x) already exists.",
        ),
        (
            "UPDATE e SET b = 'Y'; INSERT INTO e VALUES (1, 'y') ON CONFLICT DO NOTHING; INSERT INTO e VALUES (1, 'y')",
            "23505 Key ((a + 1), lower(b::text))=(2, y) already exists.",
        ),
        (
            "INSERT INTO s(v) VALUES ('a'), (NULL), ('c')",
            "23502 Failing row contains (2, null).",
        ),
    ] {
        assert_eq!(told(&client, sql).await, expected, "{sql}");
    }
    // Nothing is left of looking at them.
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    client
        .batch_execute("INSERT INTO t VALUES (2, 'y', 2)")
        .await
        .unwrap();
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_of_copy_is_shown_with_its_line() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    for (copy, data, expected) in [
        (
            "COPY t FROM STDIN",
            "7\tp\t1\t2021-01-01\n8\t\\N\t1\t2021-01-01\n",
            "23502 Failing row contains (8, null, 1.00, 2021-01-01). COPY t, line 2: \"8\t\\N\t1\t2021-01-01\"",
        ),
        (
            "COPY t(a, b, c) FROM STDIN (FORMAT csv)",
            "7,p,-1\n",
            "23514 Failing row contains (7, p, -1.00, 2020-01-01). COPY t, line 1: \"7,p,-1\"",
        ),
        (
            "COPY t(a, b) FROM STDIN",
            "7\tp\n1\tq\n",
            "23505 Key (a)=(1) already exists. COPY t, line 2",
        ),
        (
            "COPY f FROM STDIN",
            "1\t1\n9\t2\n",
            "23503 Key (a)=(9) is not present in table \"t\". -",
        ),
    ] {
        let sink = client.copy_in(copy).await.unwrap();
        let mut sink = pin!(sink);
        sink.send(Bytes::from_static(data.as_bytes()))
            .await
            .unwrap();
        let error = sink.finish().await.unwrap_err();
        let error = error.as_db_error().unwrap();
        let told = format!(
            "{} {} {}",
            error.code().code(),
            error.detail().unwrap_or("-"),
            error.where_().unwrap_or("-")
        );
        assert_eq!(told, expected, "{copy}");
    }
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 1);
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_a_result_tells_the_column_of_a_table_that_it_is() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(id SERIAL, name VARCHAR(20), n NUMERIC(10,2)); CREATE VIEW v AS SELECT name FROM t")
        .await;
    for (sql, expected) in [
        ("SELECT name, id + 1, n FROM t", "t.name - t.n"),
        ("SELECT name FROM v", "v.name"),
        ("SELECT q.n FROM (SELECT n FROM t) AS q", "t.n"),
        ("INSERT INTO t(name) VALUES ('a') RETURNING id", "t.id"),
        ("SELECT relname FROM pg_class", "pg_class.relname"),
        ("SELECT id FROM t UNION SELECT 1", "-"),
    ] {
        let prepared = client.prepare(sql).await.unwrap();
        let mut told = Vec::new();
        for column in prepared.columns() {
            let Some(table) = column.table_oid() else {
                told.push("-".to_owned());
                continue;
            };
            let number = column.column_id().unwrap();
            let names = format!(
                "SELECT relname || '.' || attname FROM pg_class c JOIN pg_attribute ON attrelid = c.oid \
                 WHERE c.oid = {table} AND attnum = {number}"
            );
            told.push(client.query_one(&names, &[]).await.unwrap().get(0));
        }
        assert_eq!(told.join(" "), expected, "{sql}");
    }
    server.stop();
}
