//! No input makes the translation panic, and splitting loses nothing.

use dialect::{NoSchema, analyze, parse_create_table, pg_catalog, split};
use pgtypes::SqlValue;
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
    "CAST",
    "AS",
    "CASE",
    "WHEN",
    "END",
    "INSERT INTO",
    "VALUES",
    "UPDATE",
    "SET",
    "=",
    "ON CONFLICT",
    "DO",
    "RETURNING",
    "CREATE TABLE",
    "PRIMARY KEY",
    "REFERENCES",
    "DEFAULT",
    "NOT",
    "NULL",
    "ALTER TABLE",
    "ADD",
    "CONSTRAINT",
    "DROP",
    "COPY",
    "STDIN",
    "WITH",
    "INTERVAL",
    "'1 day'",
    "+",
    "-",
    "*",
    "/",
    "||",
    "LIKE",
    "ILIKE",
    "IN",
    "BETWEEN",
    "AND",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "UNION",
    "ARRAY[",
    "]",
    "ANY",
    "now()",
    "extract(",
    "substring(",
    "generate_series(",
    "1",
    "2.5",
    "\"Q\"",
    ";",
    "--",
    "/*",
    "*/",
    ".",
    "[",
    "FOR UPDATE",
    "serial",
    "json",
    "date '2020-01-01'",
    "IS",
    "DISTINCT",
    "FILTER",
    "OVER",
    "EXPLAIN",
    "DECLARE",
    "FETCH",
    "TRUNCATE",
    "GRANT",
    "COLLATE",
    "AT TIME ZONE",
    "OPERATOR(",
    "pg_catalog.",
    "'{1,2}'",
    "CHECK",
    "UNIQUE",
    "FOREIGN KEY",
    "USING",
    "INDEX",
    "VIEW",
];

fn statement() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.join(" "))
}

fn check(sql: &str) {
    drop(analyze(sql, &NoSchema));
    drop(parse_create_table(sql));
    let mut last = 0;
    for range in split(sql) {
        assert!(
            range.start >= last && range.end >= range.start && sql.get(range.clone()).is_some()
        );
        last = range.end;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_translated_or_refused(sql in "\\PC{0,80}") {
        check(&sql);
    }

    #[test]
    fn arbitrary_tokens_are_translated_or_refused(sql in statement()) {
        check(&sql);
        check(&format!("SELECT {sql}"));
        check(&format!("CREATE TABLE t ({sql})"));
        check(&format!("ALTER TABLE t {sql}"));
    }
}

proptest! {
    // Names of types are parsed as SQL is.
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn functions_take_any_arguments(text in "\\PC{0,20}", other in "[-0-9:. a-zA-Z{},\\\\%/]{0,24}", number in any::<i64>(), real in any::<f64>()) {
        let values = [SqlValue::Text(text), SqlValue::Text(other), SqlValue::Integer(number), SqlValue::Real(real), SqlValue::Null, SqlValue::Blob(vec![0xff])];
        let objects = pg_catalog::Objects::default();
        for function in pg_catalog::functions() {
            let count = usize::try_from(function.arguments).unwrap_or(3);
            for offset in 0..values.len() {
                let arguments: Vec<SqlValue> = (0..count).map(|at| values[(at + offset) % values.len()].clone()).collect();
                drop((function.run)(&objects, &arguments));
            }
        }
    }
}
