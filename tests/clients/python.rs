//! Python's psycopg2, where it is installed: a driver on libpq.

use dbtests::{process, programs, psycopg2};

use crate::Shop;

const SCRIPT: &str = r#"
import datetime, decimal, os, psycopg2, psycopg2.errorcodes, psycopg2.extras
connection = psycopg2.connect(host="127.0.0.1", port=os.environ["SHOP_PORT"], user="dba", dbname="shop")
cursor = connection.cursor()
cursor.execute("CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE, price numeric(8,2), day date, body bytea)")
row = ("näme", decimal.Decimal("12.50"), datetime.date(2026, 2, 28), b"\x00\xff")
cursor.execute("INSERT INTO item (name, price, day, body) VALUES (%s, %s, %s, %s) RETURNING id", row)
assert cursor.fetchone() == (1,)
connection.commit()
cursor.execute("SELECT name, price, day, body FROM item")
name, price, day, body = cursor.fetchone()
assert (name, price, day, bytes(body)) == row, (name, price, day, bytes(body))
try:
    cursor.execute("INSERT INTO item (name) VALUES (%s)", ("näme",))
    raise SystemExit("not refused")
except psycopg2.errors.UniqueViolation:
    connection.rollback()
psycopg2.extras.execute_values(cursor, "INSERT INTO item (name) VALUES %s", [("item %d" % n,) for n in range(1000)])
connection.commit()
with connection.cursor(name="pieces") as pieces:
    pieces.itersize = 100
    pieces.execute("SELECT id FROM item ORDER BY id")
    assert sum(1 for _ in pieces) == 1001
connection.commit()
print("ok", connection.server_version >= 140000)
"#;

#[test]
fn psycopg2_works_as_with_postgresql() {
    let shop = Shop::open();
    if let Some(run) = psycopg2(SCRIPT, &shop.server) {
        assert_eq!(run.ok(), "ok True\n");
    }
}

const CHECK: &str = r#"
import sqlite3, sys
connection = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
print(connection.execute("SELECT count(*), sum(id) FROM item").fetchone())
"#;

#[test]
fn after_a_clean_stop_any_sqlite_tool_reads_the_data_files() {
    let Some(mut python) = programs::other("python3") else {
        println!("skipped: python3 is not installed");
        return;
    };
    let mut shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, body TEXT)");
    client.run(
        "INSERT INTO item SELECT n, encode(gen_random_bytes(100), 'hex') FROM generate_series(1, 1000) AS g(n)",
    );
    drop(client);
    shop.server.stop();
    let file = shop.server.data_dir().join("db/shop.db");
    let run = process::run(python.args(["-c", CHECK]).arg(file), b"");
    assert_eq!(run.ok(), "(1000, 500500)\n");
}
