//! Columns of arrays, of enums and of domains: what is copied, what is kept while other sessions have other settings, and what is
//! prepared while a type changes.

use std::pin::pin;

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, connect, count, refused};

/// The rows of a query as texts, with bars between the columns.
async fn rows(client: &Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).await.unwrap();
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let fields = (0..row.len()).map(|at| row.get(at).unwrap_or("NULL"));
        fields.collect::<Vec<_>>().join("|")
    })
    .collect()
}

/// Copies what one statement gives into what another takes.
async fn copied(client: &Client, out: &str, into: &str) -> u64 {
    let stream = client.copy_out(out).await.unwrap();
    let pieces: Vec<Bytes> = stream.try_collect().await.unwrap();
    let sink = client.copy_in::<_, Bytes>(into).await.unwrap();
    let mut sink = pin!(sink);
    for piece in pieces {
        sink.send(piece).await.unwrap();
    }
    sink.finish().await.unwrap()
}

const TABLES: &str = "CREATE TYPE mood AS ENUM ('sad', 'happy');
    CREATE TABLE a (id int, t text[], s timestamptz[], n numeric(5,2)[], b bytea[], m mood, UNIQUE (s), UNIQUE (m));
    CREATE TABLE b (LIKE_A);
    INSERT INTO a VALUES (1, '{a,\"b c\",NULL}', '{2024-07-01 10:00+00}', '{1.005}', '{\"\\\\x00ff\"}', 'happy'),
        (2, '{}', '[0:1]={2024-01-01 10:00+00,infinity}', NULL, '{{\"\\\\x61\"},{NULL}}', 'sad'), (3, NULL, NULL, '{}', NULL, NULL)";

fn tables() -> String {
    let like = "id int, t text[], s timestamptz[], n numeric(5,2)[], b bytea[], m mood";
    TABLES.replace("LIKE_A", like)
}

#[tokio::test(flavor = "multi_thread")]
async fn arrays_and_enums_are_copied_in_every_format() {
    let server = Server::start().await;
    let client = server.client_after(&tables()).await;
    for format in ["text", "csv", "binary"] {
        client.batch_execute("DELETE FROM b").await.unwrap();
        let out = format!("COPY a TO STDOUT (FORMAT {format})");
        let into = format!("COPY b FROM STDIN (FORMAT {format})");
        assert_eq!(copied(&client, &out, &into).await, 3, "{format}");
        let same = "SELECT count(*) FROM a JOIN b ON a.id = b.id AND a.t IS NOT DISTINCT FROM b.t
            AND a.s IS NOT DISTINCT FROM b.s AND a.n IS NOT DISTINCT FROM b.n AND a.b IS NOT DISTINCT FROM b.b
            AND a.m IS NOT DISTINCT FROM b.m";
        assert_eq!(count(&client, same).await, 3, "{format}");
    }
    let sink = client
        .copy_in::<_, Bytes>("COPY b (m) FROM STDIN")
        .await
        .unwrap();
    let mut sink = pin!(sink);
    sink.send(Bytes::from_static(b"glad\n")).await.unwrap();
    assert_eq!(refused(sink.finish().await), "22P02");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_one_value_whatever_the_session_shows() {
    let server = Server::start().await;
    let client = server.client_after(&tables()).await;
    let other = server
        .client_after(
            "SET TimeZone = 'Europe/Berlin'; SET DateStyle = 'German'; SET bytea_output = 'escape'",
        )
        .await;
    let shown = rows(&other, "SELECT s, b, s::text FROM a WHERE id = 1").await;
    let moment = "{\"01.07.2024 12:00:00 CEST\"}";
    assert_eq!(shown, [format!("{moment}|{{\"\\\\000\\\\377\"}}|{moment}")]);
    // What it writes is the same array as the other session's.
    let again = "INSERT INTO a (id, s) VALUES (9, ARRAY['01.07.2024 12:00'::timestamptz])";
    assert_eq!(refused(other.batch_execute(again).await), "23505");
    let found = "SELECT count(*) FROM a WHERE s = '{01.07.2024 12:00}'";
    assert_eq!(count(&other, found).await, 1);
    let server = {
        drop((client, other));
        server.restart().await
    };
    let client = server.client().await;
    let kept = rows(&client, "SELECT s, t FROM a ORDER BY s").await;
    assert_eq!(
        kept,
        [
            "[0:1]={\"2024-01-01 10:00:00+00\",infinity}|{}",
            "{\"2024-07-01 10:00:00+00\"}|{a,\"b c\",NULL}",
            "NULL|NULL"
        ]
    );
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_of_arrays_and_enums_serves() {
    let server = Server::start().await;
    let client = server.client_after(&tables()).await;
    for condition in [
        "s = '{2024-07-01 10:00+00}'",
        "s > '{}'",
        "m = 'sad'",
        "m > 'sad'",
    ] {
        let plan = rows(
            &client,
            &format!("EXPLAIN SELECT id FROM a WHERE {condition}"),
        )
        .await;
        let plan = plan.concat();
        assert!(plan.contains("Index Scan"), "{condition}: {plan}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_and_a_view_show_the_labels_of_now() {
    let server = Server::start().await;
    let client = server.client_after(&tables()).await;
    client
        .batch_execute("PREPARE p AS SELECT m FROM a ORDER BY m; CREATE VIEW v AS SELECT m::text AS t FROM a WHERE m IS NOT NULL")
        .await
        .unwrap();
    assert_eq!(rows(&client, "EXECUTE p").await, ["sad", "happy", "NULL"]);
    let other = server.client().await;
    for sql in [
        "ALTER TYPE mood ADD VALUE 'so so' BEFORE 'happy'",
        "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'",
        "UPDATE a SET m = 'so so' WHERE id = 3",
    ] {
        other.batch_execute(sql).await.unwrap();
    }
    assert_eq!(rows(&client, "EXECUTE p").await, ["blue", "so so", "happy"]);
    assert_eq!(
        rows(&client, "SELECT t FROM v ORDER BY t").await,
        ["blue", "happy", "so so"]
    );
    // What is rolled back was never there.
    let undone = "BEGIN; ALTER TYPE mood ADD VALUE 'glad'; ROLLBACK; SELECT 'glad'::mood";
    assert_eq!(refused(client.batch_execute(undone).await), "22P02");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_select_alone_sees_labels() {
    let server = Server::start().await;
    let client = server
        .client_after(&format!(
            "{}; CREATE USER ann PASSWORD 'x'; GRANT CONNECT ON DATABASE shop TO ann; GRANT SELECT ON a TO ann",
            tables()
        ))
        .await;
    let mut parameters = server.parameters("shop");
    parameters.user("ann").password("x");
    let ann = connect(&parameters).await.unwrap();
    assert_eq!(
        rows(&ann, "SELECT m, t[1] FROM a WHERE m = 'happy'").await,
        ["happy|a"]
    );
    assert_eq!(
        refused(ann.simple_query("SELECT * FROM eloqdb_type").await),
        "42P01"
    );
    drop((client, ann));
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_into_a_column_meets_the_conditions_of_its_domain() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE DOMAIN price AS numeric(8,2) NOT NULL CHECK (VALUE >= 0); CREATE TABLE t (id int, p price);
            CREATE TABLE k (p numeric(8,2) PRIMARY KEY); CREATE TABLE c (p price REFERENCES k ON UPDATE CASCADE);
            INSERT INTO k VALUES (1); INSERT INTO c VALUES (1)",
        )
        .await;
    let sink = client
        .copy_in::<_, Bytes>("COPY t FROM STDIN")
        .await
        .unwrap();
    let mut sink = pin!(sink);
    sink.send(Bytes::from_static(b"1\t5\n2\t-1\n"))
        .await
        .unwrap();
    let error = sink.finish().await.unwrap_err();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        error.message(),
        "value for domain price violates check constraint \"price_check\""
    );
    assert_eq!(error.constraint(), Some("price_check"));
    assert_eq!(error.table(), None);
    for (sql, state) in [
        ("INSERT INTO t SELECT 1, -2", "23514"),
        ("INSERT INTO t (id) VALUES (1)", "23502"),
        ("UPDATE k SET p = -1", "23514"),
        ("CREATE TABLE x (a price[])", "0A000"),
        ("ALTER TABLE t ALTER p TYPE int", "0A000"),
        ("DROP DOMAIN price CASCADE", "2BP01"),
    ] {
        assert_eq!(refused(client.batch_execute(sql).await), state, "{sql}");
    }
    // A table that is made anew keeps them.
    client
        .batch_execute("ALTER TABLE t ALTER id TYPE text; ALTER TABLE t RENAME p TO q; ALTER TABLE t RENAME TO u")
        .await
        .unwrap();
    assert_eq!(
        refused(client.batch_execute("INSERT INTO u VALUES ('a', -1)").await),
        "23514"
    );
    client
        .batch_execute("INSERT INTO u VALUES ('a', 1)")
        .await
        .unwrap();
    let shown = "SELECT domain_name, column_name FROM information_schema.columns WHERE table_name = 'u' ORDER BY 2";
    assert_eq!(rows(&client, shown).await, ["NULL|id", "price|q"]);
    server.stop();
}
