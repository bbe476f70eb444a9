//! Sequences, and columns that count.

use dialect::{SchemaView, parse_create_table};

use crate::support::Database;

#[test]
fn sequences_count() {
    let database = Database::new();
    database.run("CREATE SEQUENCE s START WITH 10 INCREMENT BY 5");
    assert_eq!(database.one("SELECT nextval('s')"), "10");
    assert_eq!(database.one("SELECT nextval('public.s'::regclass)"), "15");
    assert_eq!(database.one("SELECT setval('s', 100, false)"), "100");
    assert_eq!(database.one("SELECT nextval('s')"), "100");
    database.run(
        "CREATE TABLE t (id serial PRIMARY KEY, n bigint);
         INSERT INTO t VALUES (nextval('t_id_seq'), nextval('s')), (nextval('public.t_id_seq'::regclass), 0)",
    );
    assert_eq!(
        database.rows("SELECT id, n FROM t ORDER BY id"),
        ["1|105", "2|0"]
    );
    assert_eq!(database.one("SELECT currval('t_id_seq'), lastval()"), "2|2");
    assert_eq!(
        database.one("SELECT setval('s', (SELECT max(id) FROM t) + 10)"),
        "12"
    );
    assert_eq!(
        database.analyze("SELECT setval('s', $1)").parameters.len(),
        1
    );
    assert_eq!(
        database.rows("SELECT tablename FROM pg_catalog.pg_tables"),
        ["t"]
    );
    assert!(dialect::analyze("SELECT nextval('other')", &dialect::NoSchema).is_err());
}

#[test]
fn a_serial_column_that_is_no_key_counts() {
    let database = Database::new();
    database.run("CREATE TABLE t (id serial, a text); INSERT INTO t (a) VALUES ('x'), ('y'); INSERT INTO t VALUES (7, 'z')");
    assert_eq!(
        database.rows("SELECT id, a FROM t ORDER BY id"),
        ["1|x", "2|y", "7|z"]
    );
    let info = parse_create_table(&database.create_sql("t").unwrap()).unwrap();
    assert!(info.columns[0].not_null && !info.columns[0].rowid_alias);
    let error = database.execute("INSERT INTO t VALUES (NULL, 'n')");
    assert!(error.unwrap_err().starts_with("23502"));
}

#[test]
fn a_constant_out_of_range_is_refused_before_a_number_is_drawn() {
    let database = Database::new();
    database.run("CREATE TABLE t (id serial, s smallint NOT NULL, b bigint NOT NULL, n numeric(4, 1), v varchar(2))");
    for (columns, values, message) in [
        ("s", "-32769", "smallint out of range"),
        ("s", "32768", "smallint out of range"),
        ("s", "32000 + 768", "smallint out of range"),
        ("b", "-9223372036854775809", "bigint out of range"),
        ("b", "9223372036854775808", "bigint out of range"),
        ("n", "1000", "numeric field overflow"),
        ("v", "'abc'", "value too long for type character varying(2)"),
    ] {
        let sql = format!("INSERT INTO t ({columns}) VALUES ({values})");
        let error = database.execute(&sql).expect_err(&sql);
        assert!(error.contains(message), "{sql}: {error}");
    }
    database.run("INSERT INTO t (s, b, v) VALUES (-32768, -9223372036854775808, 'ab')");
    assert_eq!(
        database.one("SELECT id, s, b, v FROM t"),
        "1|-32768|-9223372036854775808|ab"
    );
}
