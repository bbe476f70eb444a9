//! WITH whose queries change rows: what PostgreSQL 15 answers, or a refusal.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, refused, sqlstate};

const SCENE: &str = "CREATE TABLE a(id SERIAL PRIMARY KEY, name VARCHAR(20) NOT NULL, n NUMERIC(8,2), at TIMESTAMPTZ, j JSONB, b BYTEA);
                     CREATE TABLE old(id INT, name TEXT, n NUMERIC, at TIMESTAMPTZ, j JSONB, b BYTEA);
                     CREATE TABLE child(a INT REFERENCES a ON DELETE CASCADE, note TEXT);
                     CREATE VIEW va AS SELECT name FROM a;
                     INSERT INTO a(name, n, at, j, b) VALUES ('x', 1.5, '2026-01-01 10:00+00', '{\"k\": [1, null]}', '\\x00ff'),
                         ('y', NULL, NULL, NULL, NULL), ('z', 3, 'infinity', '\"s\"', '');";

/// The rows, values beside each other, or the SQLSTATE; of what gives no rows the number of changed ones.
async fn answer(client: &Client, sql: &str) -> String {
    let messages = match client.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => return sqlstate(&error),
    };
    let mut rows = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => {
                let values = (0..row.len()).map(|at| row.get(at).unwrap_or("NULL"));
                rows.push(values.collect::<Vec<_>>().join(" | "));
            }
            SimpleQueryMessage::CommandComplete(number) if rows.is_empty() => {
                rows.push(format!("#{number}"));
            }
            _ => {}
        }
    }
    rows.join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_with_returns_is_read_by_the_statement() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    for (sql, expected) in [
        (
            "WITH moved AS (DELETE FROM a WHERE id < 3 RETURNING *) INSERT INTO old SELECT * FROM moved",
            "#2",
        ),
        ("SELECT count(*) FROM a", "1"),
        (
            "SELECT * FROM old ORDER BY id",
            "1 | x | 1.50 | 2026-01-01 10:00:00+00 | {\"k\": [1, null]} | \\x00ff; 2 | y | NULL | NULL | NULL | NULL",
        ),
        (
            "WITH p AS (INSERT INTO a(name) VALUES ('p'), ('q') RETURNING id, name), \
             c AS (INSERT INTO child SELECT id, 'of ' || name FROM p RETURNING a, note) \
             SELECT p.name, c.note FROM p JOIN c ON c.a = p.id ORDER BY 1",
            "p | of p; q | of q",
        ),
        (
            "WITH big(i, what) AS (UPDATE a SET n = 9 WHERE name = 'z' RETURNING id, name) \
             UPDATE old SET name = what FROM big WHERE old.id = 1 RETURNING old.name",
            "z",
        ),
        (
            "WITH plain AS (SELECT 2 AS id), gone AS (DELETE FROM old USING plain WHERE old.id = plain.id RETURNING old.*) \
             SELECT count(*), max(name) FROM gone",
            "1 | y",
        ),
        (
            "WITH n AS (INSERT INTO old(id, n, at) VALUES (7, 0.10, 'infinity') RETURNING n, at, j, n * 2 AS twice) SELECT * FROM n",
            "0.10 | infinity | NULL | 0.20",
        ),
        (
            "WITH x AS (DELETE FROM old RETURNING id) INSERT INTO old(id) SELECT id + 100 FROM x RETURNING id",
            "101; 107",
        ),
        ("WITH x AS (DELETE FROM child) SELECT 1", "1"),
        ("SELECT count(*) FROM child", "0"),
    ] {
        assert_eq!(answer(&client, sql).await, expected, "{sql}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_stand_in_all_parts() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    let sql = "WITH moved AS (DELETE FROM a WHERE id = $2 RETURNING id, name) \
               INSERT INTO old(id, name) SELECT id, name || $1 FROM moved RETURNING name";
    let prepared = client.prepare(sql).await.unwrap();
    assert_eq!(prepared.params(), [Type::TEXT, Type::INT4]);
    for (id, expected) in [(1, "x!"), (2, "y!")] {
        let row = client.query_one(&prepared, &[&"!", &id]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), expected);
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_would_see_what_another_changes_is_refused() {
    let server = Server::start().await;
    let client = server.client_after(SCENE).await;
    for (sql, state) in [
        (
            "WITH x AS (UPDATE a SET n = 0 RETURNING id) SELECT count(*) FROM a",
            "0A000",
        ),
        (
            "WITH x AS (UPDATE a SET n = 0 RETURNING id) SELECT count(*) FROM va",
            "0A000",
        ),
        (
            "WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x WHERE id IN (SELECT a FROM child)",
            "0A000",
        ),
        (
            "WITH x AS (DELETE FROM old RETURNING id), y AS (UPDATE old SET id = 0) SELECT 1",
            "0A000",
        ),
        (
            "WITH r AS (SELECT random() AS v), x AS (INSERT INTO old(id) SELECT v FROM r RETURNING id) SELECT * FROM x, r",
            "0A000",
        ),
        ("WITH x AS (DELETE FROM child) SELECT * FROM x", "0A000"),
        ("WITH x AS (DELETE FROM nope) SELECT 1", "42P01"),
        (
            "WITH x AS (INSERT INTO a(name) VALUES (NULL) RETURNING id) SELECT * FROM x",
            "23502",
        ),
        (
            "SELECT * FROM (WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x) q",
            "0A000",
        ),
        (
            "EXPLAIN WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x",
            "0A000",
        ),
        (
            "COPY (WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x) TO STDOUT",
            "0A000",
        ),
        (
            "DECLARE c CURSOR WITH HOLD FOR WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x",
            "0A000",
        ),
        (
            "CREATE TABLE t AS WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x",
            "0A000",
        ),
        (
            "CREATE VIEW v AS WITH x AS (DELETE FROM a RETURNING id) SELECT * FROM x",
            "0A000",
        ),
        (
            "WITH x AS (DELETE FROM a RETURNING id) INSERT INTO child SELECT id, 'gone' FROM x",
            "23503",
        ),
    ] {
        assert_eq!(refused(client.batch_execute(sql).await), state, "{sql}");
    }
    assert_eq!(
        answer(&client, "SELECT count(*), count(n) FROM a").await,
        "3 | 2"
    );
    server.stop();
}
