//! Recursive queries that read themselves where SQLite does not.

use crate::support::Database;

fn database() -> Database {
    let database = Database::new();
    database.run(
        "CREATE TABLE d (id int, parent int);
         INSERT INTO d VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4)",
    );
    database
}

#[test]
fn a_query_inside_a_recursive_term_is_read_in_its_place() {
    let database = database();
    for (sql, expected) in [
        (
            "WITH RECURSIVE q AS (SELECT id FROM d WHERE id = 2 UNION ALL (WITH x AS (SELECT * FROM q) SELECT d.id FROM x JOIN d ON d.parent = x.id)) SELECT * FROM q",
            &["2", "4", "5"][..],
        ),
        (
            "WITH RECURSIVE q(n) AS (VALUES (1) UNION ALL SELECT m + 1 FROM (SELECT n AS m, n * 2 AS twice FROM q WHERE n < 3) s WHERE twice < 6) SELECT * FROM q",
            &["1", "2", "3"],
        ),
        (
            "WITH RECURSIVE q(n) AS (VALUES (1) UNION ALL (WITH a AS (SELECT n FROM q WHERE n < 4), b(m) AS (SELECT n + 1 FROM a), c AS (SELECT 10 AS k) SELECT m FROM b, c WHERE m < k)) SELECT * FROM q",
            &["1", "2", "3", "4"],
        ),
        (
            "WITH RECURSIVE o(x) AS (SELECT 1 UNION (WITH i AS (SELECT 2) SELECT * FROM o UNION SELECT * FROM i)) SELECT * FROM o ORDER BY 1",
            &["1", "2"],
        ),
        (
            "SELECT * FROM (WITH RECURSIVE q AS (SELECT id FROM d WHERE id = 2 UNION ALL (WITH x AS (SELECT * FROM q) SELECT d.id FROM x LEFT JOIN d ON d.parent = x.id WHERE x.id IS NOT NULL)) SELECT * FROM q) s",
            &["2", "4", "5", "NULL"],
        ),
        (
            "WITH RECURSIVE q AS (SELECT * FROM d WHERE id = 1 UNION ALL (WITH x AS (SELECT * FROM q) SELECT * FROM x)) SELECT id FROM q LIMIT 3",
            &["1", "1", "1"],
        ),
    ] {
        assert_eq!(database.rows(sql), expected, "{sql}");
    }
}

#[test]
fn what_sqlite_can_not_do_in_a_recursion_is_refused_by_name() {
    let database = database();
    for sql in [
        "WITH RECURSIVE x(a) AS (VALUES ('a') UNION ALL (WITH z AS (SELECT * FROM x) SELECT z.a || z1.a FROM z CROSS JOIN z AS z1 WHERE length(z.a || z1.a) < 5)) SELECT * FROM x",
        "WITH RECURSIVE q(n) AS (VALUES (1) UNION ALL (WITH s AS (SELECT max(n) OVER () AS n FROM q) SELECT n + 1 FROM s WHERE n < 3)) SELECT * FROM q",
        "WITH RECURSIVE q(n) AS (VALUES (1) UNION ALL (SELECT n + 1 FROM q WHERE n < 3 UNION ALL SELECT 7)) SELECT * FROM q LIMIT 5",
    ] {
        let error = database.try_rows(sql).unwrap_err();
        assert!(
            error.starts_with("0A000 a recursive query that reads itself"),
            "{error}"
        );
    }
}

#[test]
fn a_recursive_term_reads_its_table_once() {
    let database = database();
    for step in [
        "SELECT a.n + 1 FROM q a, q b WHERE a.n < 3",
        "(SELECT n + 1 FROM q WHERE n < 3 UNION ALL SELECT n + 2 FROM q WHERE n < 3)",
    ] {
        let sql = format!("WITH RECURSIVE q(n) AS (VALUES (1) UNION ALL {step}) SELECT * FROM q");
        let error = database.try_rows(&sql).unwrap_err();
        assert_eq!(
            error,
            "42P19 recursive reference to query \"q\" must not appear more than once"
        );
    }
}
