//! What rows, fields and tables are called.

use crate::support::Database;

fn database() -> Database {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (q1 int, q2 int);
         CREATE TABLE u (q1 int, w text);
         INSERT INTO t VALUES (1, 2);
         INSERT INTO u VALUES (1, 'a')",
    );
    database
}

#[test]
fn a_tables_row_keeps_its_names_and_that_of_a_query_has_those_of_the_alias() {
    let database = database();
    for (sql, expected) in [
        ("SELECT row_to_json(i) FROM t i(x, y)", r#"{"q1":1,"q2":2}"#),
        (
            "SELECT row_to_json(i.*), row_to_json(row(i.*)) FROM t i(x, y)",
            r#"{"q1":1,"q2":2}|{"f1":1,"f2":2}"#,
        ),
        (
            "WITH c AS (SELECT * FROM t) SELECT row_to_json(i) FROM c i(x)",
            r#"{"x":1,"q2":2}"#,
        ),
        (
            "SELECT row_to_json(x.*) FROM t JOIN u USING (q1) AS x",
            r#"{"q1":1}"#,
        ),
        (
            "SELECT row_to_json(j) FROM (t a JOIN u b USING (q1)) AS j(p)",
            r#"{"p":1,"q2":2,"w":"a"}"#,
        ),
        ("SELECT (i).x FROM t i(x, y)", "1"),
    ] {
        assert_eq!(database.one(sql), expected, "{sql}");
    }
}

#[test]
fn an_anonymous_row_has_numbered_fields() {
    let database = database();
    for (sql, expected) in [
        ("SELECT (row(1, 2.0)).f1, (row(1, 2.0)).f2", "1|2.0"),
        ("SELECT (r).f2 FROM (SELECT row(1, 2.0) AS r) ss", "2.0"),
        (
            "WITH c(r) AS (SELECT row(1, 2)) SELECT (r).f2, (s).f1 FROM c, (SELECT r AS s FROM c) x",
            "2|1",
        ),
        (
            "WITH x AS MATERIALIZED (SELECT r FROM (VALUES (1, 2)) r) SELECT (r).column2 FROM x",
            "2",
        ),
    ] {
        assert_eq!(database.one(sql), expected, "{sql}");
    }
    for (sql, state) in [
        ("SELECT (row(1)).f2", "42703"),
        ("SELECT to_json(ARRAY[row(1, 2)])", "0A000"),
        (
            "SELECT row_to_json(s) FROM (SELECT ARRAY[row(t.*, 3)] AS r FROM t) s",
            "0A000",
        ),
    ] {
        let error = database.try_rows(sql).unwrap_err();
        assert!(error.starts_with(state), "{error}");
    }
}

#[test]
fn a_name_may_occur_again_outside_of_a_join_that_has_one() {
    let database = database();
    assert_eq!(
        database.one("SELECT * FROM t x JOIN (u x CROSS JOIN t y(a, b)) j ON x.q1 = j.q1"),
        "1|2|1|a|1|2"
    );
    let error = database
        .try_rows("SELECT * FROM t x JOIN (u x CROSS JOIN t y) ON true")
        .unwrap_err();
    assert!(error.starts_with("42712"), "{error}");
}

#[test]
fn a_table_may_have_the_name_of_the_row_that_was_not_inserted() {
    let database = Database::new();
    database.run("CREATE TABLE excluded (key int PRIMARY KEY, data text); INSERT INTO excluded VALUES (1, '1')");
    let insert = "INSERT INTO excluded VALUES (1, '2') ON CONFLICT (key) DO UPDATE SET data =";
    assert_eq!(
        database.rows(&format!("{insert} 3 RETURNING excluded.*")),
        ["1|3"]
    );
    let error = database
        .execute(&format!("{insert} excluded.data"))
        .unwrap_err();
    assert_eq!(error, "42P09 table reference \"excluded\" is ambiguous");
}
