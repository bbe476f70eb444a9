//! Values as an ordinary PostgreSQL user meets them: scale, limits, errors of arithmetic.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, count, refused};

/// The first row of the last result as psql shows it, fields joined by `|`.
async fn shown(client: &Client, sql: &str) -> String {
    let messages = client.simple_query(sql).await.unwrap();
    let row = messages.iter().rev().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.unwrap_or_else(|| panic!("no row: {sql}"));
    let fields = (0..row.len()).map(|field| row.get(field).unwrap_or("NULL"));
    fields.collect::<Vec<_>>().join("|")
}

#[tokio::test(flavor = "multi_thread")]
async fn numeric_results_show_the_scale_of_their_operands() {
    let server = Server::start().await;
    let client = server
        .client_after(
            "CREATE TABLE p(id INT, price NUMERIC(8,2)); INSERT INTO p VALUES(1, 4.80), (2, 9.6), (3, 10)",
        )
        .await;
    for (sql, expected) in [
        (
            "SELECT sum(price), max(price), min(price) FROM p",
            "24.40|10.00|4.80",
        ),
        (
            "SELECT sum(price * 2), round(avg(price), 3), count(price) FROM p",
            "48.80|8.133|3",
        ),
        (
            "SELECT price - lag(price) OVER (ORDER BY id) FROM p ORDER BY id LIMIT 1 OFFSET 1",
            "4.80",
        ),
        (
            "SELECT coalesce(sum(price), 0), CASE WHEN true THEN max(price) END FROM p WHERE id = 3",
            "10.00|10.00",
        ),
        (
            "SELECT 0.1 + 0.2, 1.50, 2 * 1.5, round(2.5), 7 / 2, -7 % 3",
            "0.3|1.50|3.0|3|3|-1",
        ),
    ] {
        assert_eq!(shown(&client, sql).await, expected, "{sql}");
    }
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn values_beyond_their_columns_limits_are_refused() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t(i INT, s SMALLINT, v VARCHAR(3), n NUMERIC(4,2))")
        .await;
    for (sql, expected) in [
        ("INSERT INTO t(i) VALUES(2147483648)", "22003"),
        ("INSERT INTO t(s) VALUES(40000)", "22003"),
        ("INSERT INTO t(v) VALUES('abcd')", "22001"),
        ("INSERT INTO t(n) VALUES(100)", "22003"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT 1.0 / 0", "22012"),
        ("SELECT 1 % 0", "22012"),
    ] {
        let simple = refused(client.simple_query(sql).await);
        let extended = refused(client.query(sql, &[]).await);
        assert_eq!(
            (simple.as_str(), extended.as_str()),
            (expected, expected),
            "{sql}"
        );
    }
    let text = "INSERT INTO t(v) VALUES($1)";
    assert_eq!(refused(client.execute(text, &[&"abcd"]).await), "22001");
    // A driver that says its own type is held to the column's limits all the same.
    for (column, ty) in [("i", Type::INT8), ("s", Type::INT8)] {
        let sql = format!("INSERT INTO t({column}) VALUES($1)");
        let statement = client.prepare_typed(&sql, &[ty]).await.unwrap();
        assert_eq!(
            refused(client.execute(&statement, &[&3_000_000_000_i64]).await),
            "22003"
        );
        client.execute(&statement, &[&7_i64]).await.unwrap();
    }
    assert_eq!(count(&client, "SELECT count(*) FROM t").await, 2);
    server.stop();
}
