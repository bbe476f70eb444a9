//! Translated queries give what PostgreSQL gives.

use crate::support::{Database, short};

fn value(sql: &str) -> String {
    Database::new().one(&format!("SELECT {sql}"))
}

/// Expressions, and what they give.
const EXPRESSIONS: &[(&str, &str)] = &[
    ("1::text || 'a'", "1a"),
    ("'12'::int + 1", "13"),
    ("'1.5'::numeric(10,1)::text", "1.5"),
    ("(1 + 2)::bigint::text", "3"),
    ("CAST('2024-1-5' AS date)", "2024-01-05"),
    ("date '2024/1/5'", "2024-01-05"),
    ("timestamp '2024-01-05 1:02'", "2024-01-05 01:02:00"),
    (
        "timestamp with time zone '2024-01-05 01:00+01'",
        "2024-01-05 00:00:00+00",
    ),
    ("now()::date", "2024-06-09"),
    ("current_date", "2024-06-09"),
    ("date '2024-02-28' + 2", "2024-03-01"),
    ("now() - interval '1 day'", "2024-06-08 15:04:05.25+00"),
    ("now() + '1 hour'::interval", "2024-06-09 16:04:05.25+00"),
    ("date '2024-03-01' - date '2024-02-01'", "29"),
    ("interval '1' day * 3", "3 days"),
    ("interval '1-6' year to month", "1 year 6 mons"),
    ("interval '90' minute", "01:30:00"),
    ("'1 day 02:03:04'::interval hour", "1 day 02:00:00"),
    ("interval '2.345 s' second(1)", "00:00:02.3"),
    ("'3 mons 5 days'::interval month", "3 mons"),
    ("extract(year from now())", "2024"),
    ("date_trunc('month', now())", "2024-06-01 00:00:00+00"),
    ("to_char(now(), 'YYYY')", "2024"),
    ("E'a\\tb'", "a\tb"),
    ("$$it's$$", "it's"),
    ("N'x'", "x"),
    ("'abc' LIKE 'A%'", "f"),
    ("'abc' ILIKE 'A%'", "t"),
    ("'abc' NOT ILIKE 'A%'", "f"),
    ("'a%c' LIKE 'a\\%c'", "t"),
    ("'abc' ~ '^a'", "t"),
    ("'abc' ~* '^A'", "t"),
    ("'abc' !~ '^a'", "f"),
    ("'abc' !~* '^A'", "f"),
    ("'abc' ~~ 'a%' AND NOT 'abc' !~~ 'a%'", "t"),
    ("position('c' in 'abc')", "3"),
    ("substring('abcdef' from 2 for 3)", "bcd"),
    ("substring('abcdef' for 2)", "ab"),
    ("substring('abcdef', 0, 3)", "ab"),
    ("trim(both 'x' from 'xxaxx')", "a"),
    ("trim(leading from '  a ')", "a "),
    ("trim('  a ')", "a"),
    ("left('abc', 2) || right('abc', 1)", "abc"),
    ("greatest(1, NULL, 3)", "3"),
    ("1 IN (1, 2) AND 3 = ANY(ARRAY[1, 3])", "t"),
    ("1 <> ALL (ARRAY[2, 3])", "t"),
    ("2 = ANY('{1,2}'::int[])", "t"),
    ("NULL IS NOT DISTINCT FROM NULL", "t"),
    ("(NULL > 1) IS UNKNOWN", "t"),
    ("5 / 2", "2"),
    ("5.0 / 2", "2.5000000000000000"),
    ("2 ^ 10", "1024"),
    ("'a' || 1 + 2", "a3"),
    ("1 = 1 IS TRUE", "t"),
    ("CASE WHEN 't'::bool THEN 'y' ELSE 'n' END", "y"),
    ("'t'::boolean::text", "true"),
    ("'\\xff'::bytea::text", "\\xff"),
    ("coalesce(NULL, 'x')", "x"),
    (
        "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    ),
    ("round(2.345, 2)", "2.35"),
    (
        "string_agg(x, ',' ORDER BY x DESC) FROM (VALUES ('a'), ('b')) AS t(x)",
        "b,a",
    ),
    (
        "count(*) FILTER (WHERE x > 1) FROM generate_series(1, 3) AS x",
        "2",
    ),
    ("sum(n) FROM generate_series(10, 1, -3) AS g(n)", "22"),
    (
        "max(d) FROM generate_series(date '2024-01-01', date '2024-01-03', interval '1 day') AS d",
        "2024-01-03 00:00:00+00",
    ),
    ("pg_catalog.upper('a')", "A"),
    ("row_number() OVER (PARTITION BY 1 ORDER BY 1)", "1"),
    ("count(*) FROM (SELECT generate_series(1, 4)) AS s", "4"),
    ("'a' = 'a' COLLATE \"C\"", "t"),
    (
        "x FROM (SELECT 1 AS x UNION (SELECT 2)) q ORDER BY x OFFSET 1 FETCH FIRST 1 ROW ONLY",
        "2",
    ),
    ("1 LIMIT ALL OFFSET 0", "1"),
    (
        "('2024-01-01 00:00:00'::timestamp AT TIME ZONE 'UTC')::text",
        "2024-01-01 00:00:00+00",
    ),
    ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72"),
    ("current_user || current_database()", "dbashop"),
];

#[test]
fn expressions_mean_what_they_mean_in_postgresql() {
    let database = Database::new();
    assert_eq!(database.differences("SELECT {}", EXPRESSIONS), "");
}

#[test]
fn result_columns_are_named_as_postgresql_names_them() {
    let database = Database::new();
    database.run("CREATE TABLE t (id int PRIMARY KEY, name text)");
    assert_eq!(
        database.names("SELECT 1, count(*), id, name::text, 1::int, now(), CASE WHEN true THEN 1 END, t.id x, coalesce(id, 0), id + 1 AS sum, EXISTS (SELECT 1), current_date FROM t GROUP BY id, name"),
        ["?column?", "count", "id", "name", "int4", "now", "case", "x", "coalesce", "sum", "exists", "current_date"]
    );
}

#[test]
fn null_sorts_after_values_unless_asked() {
    let database = Database::new();
    let rows = |order: &str| {
        database
            .rows(&format!(
                "SELECT x FROM (VALUES (2), (NULL), (1)) AS t(x) ORDER BY x {order}"
            ))
            .join(" ")
    };
    assert_eq!(rows(""), "1 2 NULL");
    assert_eq!(rows("DESC"), "NULL 2 1");
    assert_eq!(rows("NULLS FIRST"), "NULL 1 2");
    assert_eq!(rows("DESC NULLS LAST"), "2 1 NULL");
}

#[test]
fn types_of_parameters_come_from_their_surroundings() {
    let database = Database::new();
    database.run("CREATE TABLE acct (id bigint PRIMARY KEY, balance numeric(10,2), name varchar(20), at timestamptz, ok boolean, d date)");
    let types = |sql: &str| -> Vec<String> {
        database
            .analyze(sql)
            .parameters
            .iter()
            .map(|ty| ty.as_ref().map_or("-".to_owned(), short))
            .collect()
    };
    assert_eq!(
        types("INSERT INTO acct (id, name, at) VALUES ($1, $2, $3), ($4, $5, now())"),
        ["int8", "varchar", "timestamptz", "int8", "varchar"]
    );
    assert_eq!(
        types("INSERT INTO acct VALUES ($1, $2)"),
        ["int8", "numeric"]
    );
    assert_eq!(
        types("UPDATE acct SET balance = balance + $1, ok = $3 WHERE id = $2"),
        ["numeric", "int8", "bool"]
    );
    assert_eq!(
        types(
            "SELECT * FROM acct a JOIN acct b ON a.id = b.id WHERE b.at BETWEEN $1 AND $2 AND a.name IN ($3, $4)"
        ),
        ["timestamptz", "timestamptz", "varchar", "varchar"]
    );
    assert_eq!(
        types("SELECT $1::int, $2 FROM acct WHERE ok = $3 LIMIT $4 OFFSET $5"),
        ["int4", "text", "bool", "int8", "int8"]
    );
    assert_eq!(
        types("SELECT * FROM acct WHERE name LIKE $1 AND d > $2 AND lower(name) = lower($3)"),
        ["text", "date", "text"]
    );
    assert_eq!(
        types(
            "WITH q AS (SELECT id AS k FROM acct) DELETE FROM acct USING q WHERE q.k = $1 AND q.k = acct.id"
        ),
        ["int8"]
    );
    assert_eq!(
        types("SELECT id FROM acct WHERE id = ANY($1)"),
        ["bigint[]"]
    );
    assert_eq!(
        types("SELECT coalesce($1, balance), CASE WHEN ok THEN $2 ELSE name END FROM acct"),
        ["numeric", "varchar"]
    );
}

#[test]
fn types_of_results_are_known_where_postgresql_fixes_them() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int PRIMARY KEY, n numeric(8,2), f real, s text, at timestamp)");
    let types = |sql: &str| -> Vec<String> {
        database
            .analyze(sql)
            .columns
            .iter()
            .map(|ty| ty.as_ref().map_or("-".to_owned(), short))
            .collect()
    };
    assert_eq!(
        types(
            "SELECT id, n, count(*), sum(id), sum(n), avg(id), min(s), max(at), now(), id = 1, 'x', 1, 1.5, id::text, NULL, coalesce(n, 0), at - at FROM t GROUP BY id"
        ),
        [
            "int4",
            "numeric(8,2)",
            "int8",
            "int8",
            "numeric",
            "numeric",
            "text",
            "timestamp",
            "timestamptz",
            "bool",
            "text",
            "int4",
            "numeric",
            "text",
            "text",
            "numeric",
            "interval"
        ]
    );
    assert_eq!(
        types("SELECT * FROM t"),
        ["int4", "numeric(8,2)", "float4", "text", "timestamp"]
    );
    assert_eq!(
        types("SELECT q.* , 1 FROM (SELECT id AS a FROM t) q"),
        ["int4", "int4"]
    );
    assert_eq!(
        types("UPDATE t SET s = 'x' RETURNING id, s"),
        ["int4", "text"]
    );
}

#[test]
fn whole_values_of_type_numeric_divide_with_a_fraction() {
    let database = Database::new();
    database.run("CREATE TABLE t (n numeric(10,2)); INSERT INTO t VALUES (5)");
    assert_eq!(database.one("SELECT n / 2 FROM t"), "2.5000000000000000");
    assert_eq!(value("7 / 2"), "3");
}

#[test]
fn refusals_name_the_feature_and_the_place() {
    let database = Database::new();
    for (sql, sqlstate, position) in [
        ("SELECT DISTINCT ON (1) a FROM t", "42P01", Some(31)),
        ("SELECT * FROM a, LATERAL (SELECT 1) b", "42P01", Some(15)),
        ("SELECT 'é', FROM t", "42601", Some(13)),
        ("SELEC 1", "42601", Some(1)),
        ("SELECT 1 +", "42601", None),
        ("SELECT 'x", "42601", Some(8)),
        ("SELECT x::mood", "42704", Some(11)),
        ("SELECT 'x'::int", "22P02", Some(8)),
        ("SELECT * FROM nowhere.t", "42P01", Some(15)),
        ("CALL p()", "0A000", Some(1)),
        (
            "CREATE FUNCTION f() RETURNS int AS 'x' LANGUAGE sql",
            "0A000",
            Some(8),
        ),
        ("INSERT INTO t SELECT 1 ON CONFLICT", "42601", None),
    ] {
        let error = dialect::analyze(sql, &database).expect_err(sql);
        assert_eq!(error.sqlstate.as_str(), sqlstate, "{sql}: {error}");
        if position.is_some() {
            assert_eq!(error.position, position, "{sql}: {error}");
        }
    }
}

#[test]
fn rows_are_locked_before_the_limit_counts_them() {
    let database = Database::new();
    database.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)");
    let sql = "SELECT a FROM t WHERE a = 1 ORDER BY a DESC LIMIT 3 FOR UPDATE OF t SKIP LOCKED";
    let statement = database.analyze(sql);
    assert!(statement.locks_rows && !statement.writes);
    let text = &statement.sqlite[0];
    assert!(
        text.contains("LIMIT -1) WHERE pg_lock_row('t', \"row 0\", 3, 2) LIMIT "),
        "{text}"
    );
    assert!(!database.analyze("SELECT a FROM t").locks_rows);
}

#[test]
fn statements_are_classified_by_what_they_do() {
    let database = Database::new();
    database.run("CREATE TABLE t (id serial PRIMARY KEY, a int)");
    let insert = database
        .analyze("WITH q AS (SELECT 1 AS x) INSERT INTO t (a) SELECT x FROM q RETURNING id");
    assert!(insert.writes && insert.returning && !insert.by_key);
    assert_eq!(insert.tag.render(3), "INSERT 0 3");
    for by_key in [
        "INSERT INTO t (id, a) VALUES (1, 2)",
        "UPDATE t SET a = a + 1 WHERE id = 1",
        "DELETE FROM t WHERE id = $1 AND a > 2",
    ] {
        assert!(database.analyze(by_key).by_key, "{by_key}");
    }
    for search in [
        "UPDATE t SET a = a + 1 WHERE a = 1",
        "UPDATE t SET a = (SELECT max(id) FROM t) WHERE id = 1",
        "DELETE FROM t",
    ] {
        assert!(!database.analyze(search).by_key, "{search}");
    }
    assert!(
        database
            .analyze("UPDATE t SET id = 7 WHERE a = 1")
            .moves_rows
    );
    assert!(
        !database
            .analyze("UPDATE t SET a = 7 WHERE id = 1")
            .moves_rows
    );
    assert!(!database.analyze("EXPLAIN DELETE FROM t").writes);
    assert!(database.analyze("TRUNCATE t").writes);
    assert_eq!(
        database.analyze("TRUNCATE t").tag.render(0),
        "TRUNCATE TABLE"
    );
}

#[test]
fn deep_nesting_is_refused_and_long_chains_are_not() {
    let database = Database::new();
    for open in ["(", "NOT ", "- ", "(SELECT ", "CASE WHEN "] {
        let error =
            dialect::analyze(&format!("SELECT {}1", open.repeat(50_000)), &database).unwrap_err();
        assert!(
            matches!(error.sqlstate.as_str(), "54001" | "42601"),
            "{open} {error}"
        );
    }
    let nested = format!("SELECT {}1{}", "(".repeat(80), ")".repeat(80));
    assert_eq!(database.one(&nested), "1");
    for (first, more, count, expected) in [
        ("1", " + 1", 400, "401"),
        ("true", " AND 1 = 1", 5000, "t"),
        ("1 = 2", " OR 1 = 1", 5000, "t"),
        ("length('x'", " || 'x'", 400, "401"),
        ("1 IN (0", ", 1", 5000, "t"),
    ] {
        let close = if first.contains('(') { ")" } else { "" };
        let chain = format!("SELECT {first}{}{close}", more.repeat(count));
        assert_eq!(database.one(&chain), expected, "{first}{more}");
    }
    let sum = format!("SELECT 1{}", " + 1".repeat(5000));
    let error = database.try_rows(&sum).unwrap_err();
    assert!(error.starts_with("54001"), "{error}");
    let values: Vec<String> = (0..20_000).map(|n| format!("({n}, 'x{n}')")).collect();
    database.run("CREATE TABLE big (a int, b text)");
    database.run(&format!("INSERT INTO big VALUES {}", values.join(",")));
    assert_eq!(database.one("SELECT count(*) FROM big"), "20000");
}

#[test]
fn a_limit_may_read_a_column_of_a_query_around_it() {
    let database = Database::new();
    for (query, expected) in [
        (
            "SELECT (SELECT n FROM (VALUES (1)) x, (SELECT n FROM generate_series(1, 10) n ORDER BY n LIMIT 1 OFFSET s - 1) y) FROM generate_series(1, 3) s",
            &["1", "2", "3"][..],
        ),
        (
            "SELECT (SELECT sum(n) FROM (SELECT n FROM generate_series(1, 10) n ORDER BY n DESC LIMIT s) y) FROM (VALUES (1), (2), (NULL)) v(s)",
            &["10", "19", "55"],
        ),
        (
            "SELECT s, n FROM (VALUES (1), (2)) v(s), LATERAL (SELECT * FROM (VALUES (7), (8), (9)) w(n) ORDER BY n DESC LIMIT s OFFSET s - 1) y",
            &["1|9", "2|8", "2|7"],
        ),
    ] {
        assert_eq!(database.rows(query), expected, "{query}");
    }
    let negative = "SELECT (SELECT 1 LIMIT s) FROM (VALUES (-1)) v(s)";
    let error = database.try_rows(negative).unwrap_err();
    assert_eq!(error, "2201W LIMIT must not be negative");
}
