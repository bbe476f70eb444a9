//! No input makes the grammar panic, overflow its stack or point outside the text.

use dialect::syntax::parse;
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "a.b",
    "(",
    ")",
    ",",
    "'x'",
    "E'\\n'",
    "$1",
    "$$x$$",
    "::",
    "int",
    "varchar(3)",
    "CAST(",
    "AS",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "=",
    "ON CONFLICT",
    "DO UPDATE",
    "DO NOTHING",
    "RETURNING",
    "NOT",
    "NULL",
    "WITH",
    "RECURSIVE",
    "interval",
    "'1 day'",
    "+",
    "-",
    "*",
    "/",
    "||",
    "->",
    "LIKE",
    "ESCAPE",
    "ILIKE",
    "SIMILAR TO",
    "IN",
    "BETWEEN",
    "AND",
    "OR",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "FETCH FIRST",
    "ROWS",
    "ONLY",
    "UNION",
    "INTERSECT",
    "EXCEPT ALL",
    "ARRAY[",
    "]",
    "[",
    ":",
    "ANY",
    "ALL",
    "now()",
    "extract(",
    "substring(",
    "trim(",
    "position(",
    "overlay(",
    "coalesce(",
    "1",
    "2.5",
    "1e5",
    "\"Q\"",
    "U&\"x\"",
    "U&'x'",
    "UESCAPE",
    "'!'",
    ";",
    "--",
    "/*",
    "*/",
    ".",
    "FOR UPDATE",
    "date '2020-01-01'",
    "IS",
    "DISTINCT",
    "ON",
    "FILTER (",
    "OVER (",
    "OVER",
    "w",
    "WINDOW",
    "PARTITION BY",
    "COLLATE",
    "AT TIME ZONE",
    "OPERATOR(",
    "pg_catalog.",
    "USING",
    "JOIN",
    "LEFT JOIN",
    "NATURAL",
    "CROSS JOIN",
    "LATERAL",
    "ROWS FROM (",
    "WITH ORDINALITY",
    "GROUP BY",
    "HAVING",
    "ROLLUP (",
    "CUBE (",
    "GROUPING SETS (",
    "DELETE FROM",
    "TABLE",
    "CURRENT_TIMESTAMP",
    "CURRENT OF",
    "DEFAULT",
    "VARIADIC",
    "=>",
    "ROW(",
    "EXISTS (",
    "json_object(",
    "xmlelement(",
    "timestamp",
    "with time zone",
    "CREATE TABLE",
    "PRIMARY KEY",
    "é",
    "~",
    "!",
    "?",
    "@",
    "#",
    "MERGE INTO",
];

fn statement() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.join(" "))
}

fn check(sql: &str) {
    if let Err(error) = parse(sql) {
        let length = sql.chars().count();
        assert!(
            error
                .position
                .is_none_or(|position| position >= 1 && position <= length + 1),
            "{error:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_taken_or_refused(sql in "\\PC{0,80}") {
        check(&sql);
        check(&format!("SELECT {sql}"));
    }

    #[test]
    fn arbitrary_tokens_are_taken_or_refused(sql in statement()) {
        check(&sql);
        check(&format!("SELECT {sql}"));
        check(&format!("SELECT * FROM {sql}"));
        check(&format!("INSERT INTO t {sql}"));
        check(&format!("UPDATE t SET a = {sql}"));
    }
}

#[test]
fn no_nesting_overflows_a_stack_of_two_mebibytes() {
    let shapes = [
        ("SELECT ", "(", "1", ")"),
        ("SELECT ", "NOT ", "a", ""),
        ("SELECT ", "- ", "1", ""),
        ("SELECT ", "~ ", "1", ""),
        ("SELECT ", "CASE WHEN a THEN ", "1", " END"),
        ("SELECT ", "(SELECT ", "1", ")"),
        ("SELECT ", "f(", "1", ")"),
        ("SELECT ", "ARRAY[", "1", "]"),
        ("SELECT ", "[", "1", "]"),
        ("SELECT a", "[1]", "", ""),
        ("SELECT a", ".b", "", ""),
        ("SELECT a", "::int", "", ""),
        ("SELECT a::int", "[]", "", ""),
        ("SELECT 1", " || 1", "", ""),
        ("SELECT 1", " + 1", "", ""),
        ("SELECT 1", " = 1", "", ""),
        ("SELECT 1", " AND 1", "", ""),
        ("SELECT 1", " BETWEEN 1 AND 2", "", ""),
        ("SELECT 1", " AT TIME ZONE 'x'", "", ""),
        ("SELECT a", " COLLATE b", "", ""),
        ("SELECT a", " IS NULL", "", ""),
        ("SELECT a", " IN (1)", "", ""),
        ("SELECT 1", " UNION SELECT 1", "", ""),
        ("SELECT * FROM t", " CROSS JOIN t", "", ""),
        ("SELECT * FROM t", " JOIN t", "", " ON true"),
        ("SELECT * FROM t", " JOIN t ON true", "", ""),
        ("SELECT * FROM ", "(", "t JOIN u ON true", ")"),
        ("SELECT * FROM ", "(SELECT * FROM ", "t", ") x"),
        ("", "(", "SELECT 1", ")"),
        ("", "EXPLAIN ", "SELECT 1", ""),
        ("", "WITH a AS (", "SELECT 1", ") SELECT 1"),
        ("SELECT 1 GROUP BY ", "GROUPING SETS (", "a", ")"),
    ];
    let run = move || {
        for (before, open, middle, close) in shapes {
            for count in [150, 1000, 3999, 10_000] {
                let sql = format!(
                    "{before}{}{middle}{}",
                    open.repeat(count),
                    close.repeat(count)
                );
                drop(parse(&sql));
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    thread
        .map(std::thread::JoinHandle::join)
        .expect("a thread")
        .expect("no panic");
}
