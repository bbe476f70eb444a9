//! Prepared statements and portals.

use dbtests::Client;
use tokio_postgres::types::Type;

use crate::Shop;

fn items(shop: &Shop, count: u32) -> Client {
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT, price NUMERIC(8,2))");
    client.run(&format!(
        "INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(1, {count}) AS g(n)"
    ));
    client
}

#[test]
fn a_portal_gives_its_rows_in_pieces() {
    let shop = Shop::open();
    let mut client = items(&shop, 25);
    let (driver, waiter) = client.driver_mut();
    waiter.wait(async {
        let transaction = driver.transaction().await.unwrap();
        let statement = transaction
            .prepare("SELECT id FROM item ORDER BY id")
            .await
            .unwrap();
        let portal = transaction.bind(&statement, &[]).await.unwrap();
        let mut seen = Vec::new();
        for expected in [10, 10, 5, 0] {
            let rows = transaction.query_portal(&portal, 10).await.unwrap();
            assert_eq!(rows.len(), expected);
            seen.extend(rows.iter().map(|row| row.get::<_, i32>(0)));
        }
        assert_eq!(seen, (1..=25).collect::<Vec<_>>());
        transaction.commit().await.unwrap();
    });
}

#[test]
fn parameters_and_columns_are_described() {
    let shop = Shop::open();
    let client = items(&shop, 3);
    let sql = "SELECT id, name, price, count(*) OVER () AS all_of_them FROM item WHERE id = $1 AND name = $2";
    let statement = client.wait(client.driver().prepare(sql)).unwrap();
    assert_eq!(statement.params(), [Type::INT4, Type::TEXT]);
    let columns: Vec<_> = statement
        .columns()
        .iter()
        .map(|column| (column.name(), column.type_().clone()))
        .collect();
    let expected = [
        ("id", Type::INT4),
        ("name", Type::TEXT),
        ("price", Type::NUMERIC),
        ("all_of_them", Type::INT8),
    ];
    assert_eq!(columns, expected);
    let row = client
        .wait(client.driver().query_one(&statement, &[&2, &"item 2"]))
        .unwrap();
    assert_eq!(row.get::<_, i64>("all_of_them"), 1);
}

#[test]
fn a_prepared_statement_is_used_many_times_and_notices_a_schema_change() {
    let shop = Shop::open();
    let client = items(&shop, 3);
    let select = client
        .wait(
            client
                .driver()
                .prepare("SELECT name FROM item WHERE id = $1"),
        )
        .unwrap();
    let name = |id: i32| -> String {
        client
            .wait(client.driver().query_one(&select, &[&id]))
            .unwrap()
            .get(0)
    };
    for id in 1..=3 {
        assert_eq!(name(id), format!("item {id}"));
    }
    shop.client().run("ALTER TABLE item ADD COLUMN color TEXT");
    assert_eq!(name(2), "item 2");
    let all = client
        .wait(client.driver().prepare("SELECT * FROM item"))
        .unwrap();
    shop.client().run("ALTER TABLE item DROP COLUMN color");
    let error = client.wait(client.driver().query(&all, &[])).unwrap_err();
    assert_eq!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("0A000")
    );
}

#[test]
fn returning_gives_what_was_written() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE entry (id SERIAL PRIMARY KEY, note TEXT DEFAULT 'none')");
    for expected in 1..=3 {
        let sql = "INSERT INTO entry DEFAULT VALUES RETURNING id, note";
        let row = client.wait(client.driver().query_one(sql, &[])).unwrap();
        assert_eq!(
            (row.get::<_, i32>(0), row.get::<_, &str>(1)),
            (expected, "none")
        );
    }
    let sql = "UPDATE entry SET note = $1 WHERE id > $2 RETURNING id";
    let rows = client
        .wait(client.driver().query(sql, &[&"new", &1]))
        .unwrap();
    assert_eq!(rows.len(), 2);
}

#[test]
fn the_server_introduces_itself_as_drivers_expect() {
    let shop = Shop::open();
    let client = shop.client();
    let version = client.parameter("server_version").expect("a version");
    let major: u32 = version
        .split(['.', ' '])
        .next()
        .unwrap()
        .parse()
        .expect(version);
    assert!(major >= 14, "{version}");
    for (name, value) in [
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("in_hot_standby", "off"),
        ("default_transaction_read_only", "off"),
    ] {
        assert_eq!(client.parameter(name), Some(value), "{name}");
    }
    assert!(
        client
            .parameter("DateStyle")
            .is_some_and(|style| style.starts_with("ISO"))
    );
}

#[test]
fn words_that_are_reserved_in_sqlite_alone_are_names() {
    let shop = Shop::open();
    let client = shop.client();
    for word in [
        "add",
        "alter",
        "commit",
        "delete",
        "drop",
        "escape",
        "index",
        "insert",
        "nothing",
        "set",
        "transaction",
        "update",
        "autoincrement",
        "key",
        "action",
        "plan",
    ] {
        client.run(&format!("CREATE TABLE words (id INT, {word} INT)"));
        client.run(&format!("INSERT INTO words (id, {word}) VALUES (1, 7)"));
        client.run(&format!(
            "UPDATE words SET {word} = {word} + 1 WHERE words.{word} = 7"
        ));
        assert_eq!(
            client.value(&format!("SELECT {word} FROM words ORDER BY {word}")),
            "8"
        );
        assert_eq!(
            client.value(&format!("SELECT max(w.{word}) AS {word} FROM words w")),
            "8"
        );
        client.run("DROP TABLE words");
    }
}

#[test]
fn such_words_are_names_of_tables_aliases_and_indexes_too() {
    let shop = Shop::open();
    let client = shop.client();
    for sql in [
        "CREATE TABLE transaction (id SERIAL PRIMARY KEY, set INT UNIQUE, update NUMERIC(8,2) DEFAULT 0)",
        "CREATE INDEX add ON transaction (update, set)",
        "CREATE TABLE index (add INT REFERENCES transaction (set) ON DELETE CASCADE, CHECK (add > 0))",
        "INSERT INTO transaction (set) VALUES (1), (2) ON CONFLICT (set) DO NOTHING",
        "INSERT INTO transaction (set) VALUES (2) ON CONFLICT (set) DO UPDATE SET update = excluded.set",
        "INSERT INTO index SELECT set FROM transaction",
        "ALTER TABLE transaction ADD COLUMN delete TEXT",
        "ALTER TABLE transaction ADD drop TEXT",
        "ALTER TABLE transaction ALTER COLUMN delete SET DEFAULT 'x'",
        "ALTER TABLE transaction ALTER COLUMN delete TYPE VARCHAR(8)",
        "ALTER TABLE transaction RENAME COLUMN drop TO escape",
        "CREATE VIEW alter AS SELECT t.set AS commit, t.update FROM transaction t",
        "WITH add AS (SELECT commit FROM alter) UPDATE transaction SET escape = 'x' WHERE set IN (SELECT commit FROM add)",
        "DELETE FROM transaction WHERE update IS NULL OR set NOT IN (1, 2)",
    ] {
        client.run(sql);
    }
    let joined = "SELECT count(*), sum(a.update) FROM transaction a JOIN index i ON a.set = i.add WHERE escape LIKE '!x' ESCAPE '!'";
    assert_eq!(client.rows(joined), [["2", "2.00"]]);
    let cases = "SELECT CASE WHEN set = 2 THEN update ELSE set END FROM transaction ORDER BY set DESC LIMIT 1";
    assert_eq!(client.value(cases), "2.00");
    let copied = shop.psql(&["-A", "-t"], "COPY transaction (set, escape) TO STDOUT;\n");
    assert_eq!(copied.ok(), "1\tx\n2\tx\n");
    for sql in [
        "DROP VIEW alter",
        "ALTER TABLE index RENAME TO insert",
        "ALTER TABLE transaction DROP COLUMN delete",
        "TRUNCATE insert",
        "DROP INDEX add",
        "DROP TABLE insert, transaction",
    ] {
        client.run(sql);
    }
}
