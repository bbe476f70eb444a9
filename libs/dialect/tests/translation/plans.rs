//! How SQLite goes about printed statements.

use crate::support::Database;

/// Statements, and the steps of SQLite.
const PLANS: &[(&str, &str)] = &[
    (
        "SELECT n FROM t WHERE a = $1",
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "SELECT a FROM t WHERE n = $1",
        "SEARCH t USING COVERING INDEX t_n (n=?)",
    ),
    (
        "SELECT a FROM t WHERE n > 5 ORDER BY n LIMIT 3",
        "SEARCH t USING COVERING INDEX t_n (n>?)",
    ),
    (
        "SELECT a FROM t WHERE d BETWEEN '2024-01-01' AND current_date",
        "SEARCH t USING COVERING INDEX t_d (d>? AND d<?)",
    ),
    (
        "SELECT a FROM t WHERE v = 'x' AND a > $1",
        "SEARCH t USING COVERING INDEX t_v (v=? AND a>?)",
    ),
    (
        "SELECT a FROM t WHERE u IN ($1, $2)",
        "SEARCH t USING COVERING INDEX t_u (u=?)",
    ),
    (
        "SELECT a FROM t WHERE v LIKE 'ab%'",
        "SEARCH t USING COVERING INDEX t_v (v>? AND v<?)",
    ),
    (
        "SELECT a FROM t WHERE lower(v) = lower($1)",
        "SEARCH t USING COVERING INDEX t_lower (<expr>=?)",
    ),
    (
        "SELECT n FROM t WHERE (v, a) = ('x', 1) AND u IS NOT NULL",
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "SELECT n FROM t WHERE a = ANY($1)",
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\nSCAN json_each VIRTUAL TABLE INDEX 1:",
    ),
    ("SELECT max(n) FROM t", "SEARCH t USING COVERING INDEX t_n"),
    (
        "SELECT n, count(*) FROM t GROUP BY n",
        "SCAN t USING COVERING INDEX t_n",
    ),
    (
        "UPDATE t SET n = n + 1 WHERE a IN ($1, 2)",
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "DELETE FROM t USING u WHERE a = u.k",
        "SEARCH main.t USING INTEGER PRIMARY KEY (rowid=?)\nLIST SUBQUERY 1\nSCAN u\nSEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "UPDATE t SET n = 1 FROM u WHERE a = u.k",
        "SCAN u\nSEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "SELECT n FROM t, u WHERE a = u.k",
        "SCAN u\nSEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "SELECT n FROM t CROSS JOIN u WHERE a = u.k",
        "SCAN u\nSEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    (
        "WITH q AS (SELECT a FROM t) SELECT t.n FROM q JOIN t ON t.a = q.a ORDER BY q.a LIMIT 3 OFFSET 1",
        "SCAN t\nSEARCH t_2 USING INTEGER PRIMARY KEY (rowid=?)",
    ),
];

#[test]
fn keys_and_indexes_find_what_conditions_ask_for() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (a int PRIMARY KEY, n numeric(10,2), d date, v varchar(9), u uuid);
         CREATE INDEX t_n ON t (n); CREATE INDEX t_d ON t (d); CREATE INDEX t_v ON t (v, a); CREATE INDEX t_u ON t (u); CREATE INDEX t_lower ON t (lower(v)); CREATE TABLE u (k int)",
    );
    for (sql, steps) in PLANS {
        assert_eq!(database.plan(sql), *steps, "{sql}");
    }
}
