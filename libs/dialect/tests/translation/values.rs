//! Numbers and texts: the scale of results, the limits of columns, division.

use crate::support::{Database, short};

fn types(database: &Database, sql: &str) -> Vec<String> {
    let columns = database.analyze(sql).columns;
    let shown = columns
        .iter()
        .map(|ty| ty.as_ref().map_or("-".to_owned(), short));
    shown.collect()
}

#[test]
fn the_scale_of_a_numeric_result_follows_its_operands() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (n numeric(8,2), r numeric(5,4), plain numeric, i int, l bigint, f float8);
         INSERT INTO t VALUES (7.5, 0.125, 3.14159, 4, 3000000000, 2.5), (-2, 1, 10, 3, 1, 0.1)",
    );
    assert_eq!(
        database.differences(
            "SELECT {} FROM t",
            &[
                ("n + i", "11.50 1.00"),
                ("n - r", "7.3750 -3.0000"),
                ("n * r", "0.937500 -2.000000"),
                ("n * 1.10", "8.2500 -2.2000"),
                ("n / i", "1.8750000000000000 -0.66666666666666666667"),
                ("n / r", "60.0000000000000000 -2.0000000000000000"),
                ("plain / 7", "0.44879857142857142857 1.4285714285714286"),
                ("n % 2", "1.50 0.00"),
                ("-n", "-7.50 2.00"),
                ("n * f", "18.75 -0.2"),
                ("n + plain", "10.64159 8.00"),
                ("n ^ 2", "56.2500000000000000 4.0000000000000000"),
                ("sqrt(plain)", "1.772453102341498 3.162277660168379"),
                ("sum(n)", "5.50"),
                ("sum(n * i)", "24.00"),
                ("sum(l)", "3000000001"),
                ("sum(DISTINCT i / 2.0)", "3.5000000000000000"),
                ("min(n)", "-2.00"),
                ("avg(n)", "2.7500000000000000"),
                ("avg(i)", "3.5000000000000000"),
                ("avg(f)", "1.3"),
                ("stddev(n)", "6.7175144212722015"),
                ("round(avg(n), 3)", "2.750"),
                ("round(n)", "8 -2"),
                ("round(n, -2)", "0 0"),
                ("coalesce(n, 0)", "7.50 -2.00"),
                ("greatest(n, r)", "7.50 1.0000"),
                ("CASE WHEN i > 3 THEN n ELSE r END", "7.50 1.0000"),
                ("n - lag(n) OVER (ORDER BY i)", "NULL 9.50"),
                ("n::int", "8 -2"),
                ("1.50", "1.50 1.50"),
                ("(SELECT sum(n) FROM t)", "5.50 5.50"),
            ]
        ),
        ""
    );
    assert_eq!(
        types(
            &database,
            "SELECT n, n + i, sum(n), n * f FROM t GROUP BY n, i, f"
        ),
        ["numeric(8,2)", "numeric", "numeric", "float8"]
    );
    assert_eq!(
        database.rows("SELECT 1 UNION SELECT n FROM t ORDER BY 1"),
        ["-2.00", "1", "7.50"]
    );
    assert_eq!(database.rows("VALUES (1), (1.25)"), ["1", "1.25"]);
}

#[test]
fn values_are_brought_within_the_limits_of_their_columns() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (n numeric(4,2), s smallint, i int, v varchar(3), c char(3));
         CREATE TABLE source (n numeric, l bigint, x text); INSERT INTO source VALUES (19.995, 7, 'abc  ')",
    );
    for (column, value, expected) in [
        ("n", "19.995", "20.00"),
        ("n", "'1.005'", "1.01"),
        ("n", "1 / 3.0", "0.33"),
        ("n", "(SELECT n FROM source)", "20.00"),
        ("i", "2.5", "3"),
        ("s", "-32768", "-32768"),
        ("v", "'ab    '", "'ab '"),
        ("v", "12", "'12'"),
        ("v", "'a' || 'b'", "'ab'"),
        ("c", "'a  '", "'a  '"),
        ("c", "(SELECT x FROM source)", "'abc'"),
    ] {
        database.run("DELETE FROM t");
        database.run(&format!("INSERT INTO t ({column}) VALUES ({value})"));
        assert_eq!(
            database.one(&format!("SELECT {column} FROM t")),
            expected.trim_matches('\'')
        );
        database.run(&format!(
            "UPDATE t SET {column} = NULL; UPDATE t SET {column} = {value}"
        ));
        assert_eq!(
            database.one(&format!("SELECT {column} FROM t")),
            expected.trim_matches('\'')
        );
    }
    for (column, value, message) in [
        ("n", "100", "numeric field overflow"),
        ("n", "'99.999'", "numeric field overflow"),
        ("n", "10 * 10.0", "numeric field overflow"),
        ("s", "32768", "smallint out of range"),
        ("i", "2147483647 + 1", "integer out of range"),
        ("i", "(SELECT 3000000000)", "integer out of range"),
        ("i", "3e9", "integer out of range"),
        (
            "v",
            "'abcd'",
            "value too long for type character varying(3)",
        ),
        ("v", "1234", "value too long for type character varying(3)"),
        ("c", "'ab' || 'cd'", "value too long for type character(3)"),
    ] {
        for sql in [
            format!("INSERT INTO t ({column}) VALUES ({value})"),
            format!("UPDATE t SET {column} = {value}"),
        ] {
            let error = database.execute(&sql).expect_err(&sql);
            assert!(error.contains(message), "{sql}: {error}");
        }
    }
}

#[test]
fn rows_of_a_query_are_brought_within_limits_too() {
    let database = Database::new();
    database.run(
        "CREATE TABLE source (n numeric, l bigint, x text);
         INSERT INTO source VALUES (19.995, 7, 'abc'), (1, 3000000000, 'long');
         CREATE TABLE t (n numeric(4,2), i int PRIMARY KEY, v varchar(3))",
    );
    database.run("INSERT INTO t SELECT * FROM source WHERE l = 7 ON CONFLICT (i) DO NOTHING");
    assert_eq!(database.rows("SELECT n, i, v FROM t"), ["20.00|7|abc"]);
    for (sql, message) in [
        (
            "INSERT INTO t (i) SELECT l FROM source WHERE l > 7",
            "integer out of range",
        ),
        (
            "INSERT INTO t (i, v) SELECT 1, x FROM source WHERE l > 7",
            "value too long",
        ),
    ] {
        let error = database.execute(sql).expect_err(sql);
        assert!(error.contains(message), "{sql}: {error}");
    }
}

#[test]
fn what_has_the_type_of_its_column_is_stored_as_it_is() {
    let database = Database::new();
    database.run("CREATE TABLE t (id bigint PRIMARY KEY, v varchar(9), n numeric(9,2), i int)");
    for sql in [
        "INSERT INTO t SELECT * FROM t",
        "INSERT INTO t (id, i) VALUES ($1, $2)",
        "UPDATE t SET v = v, n = n, i = i, id = i WHERE id = $1",
    ] {
        // A key is not left to SQLite to fill.
        let sqlite = database.analyze(sql).sqlite.concat();
        // A key that may be NULL is looked at, because SQLite would make a number of it.
        let sqlite = sqlite.replace("pg_not_null", "");
        assert!(!sqlite.contains("pg_"), "{sqlite}");
    }
}

#[test]
fn division_by_zero_is_refused() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (i int, n numeric(8,2), f float8); INSERT INTO t VALUES (0, 0, 0)");
    for expression in [
        "1 / 0",
        "1 / i",
        "1 % i",
        "1.5 / n",
        "1.5 % n",
        "f / f",
        "1 / (i - i)",
    ] {
        let error = database
            .try_rows(&format!("SELECT {expression} FROM t"))
            .unwrap_err();
        assert!(error.contains("division by zero"), "{expression}: {error}");
    }
    assert_eq!(database.one("SELECT 1 / nullif(i, 0) FROM t"), "NULL");
    assert_eq!(
        database.differences(
            "SELECT {}",
            &[
                ("7 / 2", "3"),
                ("-7 / 2", "-3"),
                ("-7 % 3", "-1"),
                ("7.5 % 2", "1.5"),
                ("7.0 / 2", "3.5000000000000000"),
            ]
        ),
        ""
    );
}

#[test]
fn a_type_of_the_same_storage_changes_only_the_definition() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (id serial PRIMARY KEY, v varchar(5), i int, n numeric(6,2));
         CREATE TABLE u (t_id int REFERENCES t(id)); INSERT INTO t (v, i, n) VALUES ('abcde', 70000, 1.5)",
    );
    for change in [
        "v TYPE varchar(20)",
        "v TYPE text",
        "i TYPE bigint",
        "n TYPE numeric(9,3)",
        "id TYPE bigint",
    ] {
        let statement = database.analyze(&format!("ALTER TABLE t ALTER COLUMN {change}"));
        let edit = matches!(statement.needs, Some(dialect::Needs::SchemaEdit { .. }));
        assert!(edit, "{change}: {:?}", statement.needs);
        database.run(&format!("ALTER TABLE t ALTER COLUMN {change}"));
    }
    for (change, message) in [
        (
            "v TYPE varchar(3)",
            "value too long for type character varying(3)",
        ),
        ("i TYPE smallint", "smallint out of range"),
    ] {
        let error = database
            .execute(&format!("ALTER TABLE t ALTER COLUMN {change}"))
            .unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    database.run("INSERT INTO t (v, i) VALUES ('abcdefgh', 3000000000)");
    assert_eq!(database.one("SELECT max(id) FROM t"), "2");
}

#[test]
fn json_is_checked_and_changed() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int, j jsonb); INSERT INTO t VALUES (1, '{\"a\":1,\"b\":[2]}')");
    assert_eq!(
        database.differences(
            "SELECT {} FROM t",
            &[
                ("j - 'a'", "{\"b\": [2]}"),
                (
                    "jsonb_set(j, '{b,0}', '{\"c\":3}')",
                    "{\"a\": 1, \"b\": [{\"c\": 3}]}",
                ),
                ("'1 mon'::interval + '1 day'", "1 mon 1 day"),
                ("'5' + 3", "8"),
                ("upper('äöü') || lower('ÉVA')", "ÄÖÜéva"),
            ]
        ),
        ""
    );
    for sql in [
        "INSERT INTO t VALUES (2, '{bad')",
        "UPDATE t SET j = 'x'",
        "SELECT '{bad'::json",
        "SELECT 1 + 'a'",
    ] {
        let error = database.try_rows(sql).expect_err(sql);
        assert!(error.contains("invalid input syntax"), "{sql}: {error}");
    }
    database.run("UPDATE t AS x SET id = s.n FROM (SELECT 7 AS n) s");
    assert_eq!(
        database.rows("UPDATE t AS x SET id = s.n FROM (SELECT 8 AS n) s RETURNING x.id"),
        ["8"]
    );
}

#[test]
fn a_check_without_a_name_gets_postgresqls() {
    let database = Database::new();
    database.run("CREATE TABLE t (a int CHECK (a > 0), b int, c int CONSTRAINT odd CHECK (c % 2 = 1), CHECK (b < 9), CHECK (a < b))");
    for (row, name) in [
        ("0, 1, 1", "t_a_check"),
        ("1, 9, 1", "t_b_check"),
        ("3, 2, 1", "t_check"),
        ("1, 2, 2", "odd"),
    ] {
        let error = database
            .execute(&format!("INSERT INTO t VALUES ({row})"))
            .unwrap_err();
        assert!(
            error.starts_with("23514") && error.ends_with(&format!("\"{name}\"")),
            "{error}"
        );
    }
}

#[test]
fn bytes_stay_bytes_when_they_are_cut_and_joined() {
    let database = Database::new();
    database.run("CREATE TABLE t (b bytea); INSERT INTO t VALUES ('\\x00ff10')");
    assert_eq!(
        database.differences(
            "SELECT {} FROM t",
            &[
                ("substring(b from 2 for 1) = '\\xff'", "t"),
                ("substr(b, 2, 1) = '\\xff'", "t"),
                ("substring(b, 2) = '\\xff10'", "t"),
                ("b || '\\x01' = '\\x00ff1001'", "t"),
                ("'\\x01' || b || b = '\\x0100ff1000ff10'", "t"),
                ("length(b || b)", "6"),
                ("pg_typeof(b || '\\x41')", "bytea"),
            ]
        ),
        ""
    );
    assert_eq!(
        types(&database, "SELECT b || b, substr(b, 1) FROM t"),
        ["bytea", "bytea"]
    );
}
