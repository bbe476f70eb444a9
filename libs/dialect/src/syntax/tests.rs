//! What PostgreSQL's grammar makes of texts.

use super::ast::Statement;
use super::compact::{joins, query, value};
use super::parse;

/// The position and the message of a refusal.
fn refusal(sql: &str) -> (usize, String) {
    match parse(sql) {
        Ok(found) => panic!("{sql} is taken: {found:?}"),
        Err(error) => (error.position.unwrap_or_default(), error.message),
    }
}

#[test]
fn operators_bind_as_in_postgresql() {
    for (text, tree) in [
        ("a < b AND c = d", "AND((a < b), (c = d))"),
        ("NOT a = b", "NOT((a = b))"),
        ("a = NOT b = c", "(a = NOT((b = c)))"),
        ("- 2 ^ 2", "((- 2) ^ 2)"),
        ("2 ^ 3 ^ 2", "((2 ^ 3) ^ 2)"),
        ("a || b + c", "(a || (b + c))"),
        ("a || b || c", "((a || b) || c)"),
        ("a -> b ->> c", "((a -> b) ->> c)"),
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("x IS NULL = y", "((x IS Null) = y)"),
        ("x = y IS NULL", "((x = y) IS Null)"),
        ("x IS NULL IS NOT TRUE", "((x IS Null) IS NOT True)"),
        ("a BETWEEN 1 AND 2 AND c", "AND((a BETWEEN 1 AND 2), c)"),
        (
            "a::int BETWEEN 1 AND 2 OR b",
            "OR((a::int4 BETWEEN 1 AND 2), b)",
        ),
        ("a = b BETWEEN 1 AND 2", "(a = (b BETWEEN 1 AND 2))"),
        (
            "a NOT LIKE b || c ESCAPE 'x' = d",
            "((a NOT Like (b || c) ESCAPE 'x') = d)",
        ),
        ("a IN (1, 2) = b", "((a IN (1, 2)) = b)"),
        ("-a::int", "(- a::int4)"),
        ("- a COLLATE \"C\"", "((- a) COLLATE C)"),
        ("~ a + b", "(~ (a + b))"),
        ("a OPERATOR(pg_catalog.*) b * c", "(a * (b * c))"),
        ("a + b AT TIME ZONE c", "(a + pg_catalog.timezone(c, b))"),
        ("a <@ b = c", "((a <@ b) = c)"),
        ("a OR b AND c OR d", "OR(a, AND(b, c), d)"),
        ("a = ANY (b) AND c", "AND((a = ANY b), c)"),
        ("a LIKE ALL (b)", "(a ~~ ALL b)"),
    ] {
        assert_eq!(value(text), tree, "{text}");
    }
}

#[test]
fn comparisons_do_not_follow_each_other() {
    for (text, position, near) in [
        ("SELECT a = b = c", 14, "="),
        ("SELECT a < b = c", 14, "="),
        ("SELECT a LIKE b LIKE c", 17, "LIKE"),
        ("SELECT a BETWEEN 1 AND 2 BETWEEN 3 AND 4", 26, "BETWEEN"),
        ("SELECT x IS DISTINCT FROM y IS NULL", 29, "IS"),
    ] {
        let message = format!("syntax error at or near \"{near}\"");
        assert_eq!(refusal(text), (position, message), "{text}");
    }
}

#[test]
fn special_calls_have_the_names_of_postgresqls_grammar() {
    for (text, tree) in [
        ("extract(YEAR FROM d)", "pg_catalog.extract('year', d)"),
        ("position(a IN b)", "pg_catalog.position(b, a)"),
        ("substring(x FROM 1 FOR 2)", "pg_catalog.substring(x, 1, 2)"),
        ("substring(x FOR 2)", "pg_catalog.substring(x, 1, 2::int4)"),
        ("substring(x FOR 2 FROM 1)", "pg_catalog.substring(x, 1, 2)"),
        (
            "substring(x SIMILAR p ESCAPE e)",
            "pg_catalog.substring(x, p, e)",
        ),
        ("substring(x, 1)", "substring(x, 1)"),
        ("trim(LEADING 'x' FROM y)", "pg_catalog.ltrim(y, 'x')"),
        ("trim(y)", "pg_catalog.btrim(y)"),
        ("(a, b) OVERLAPS (c, d)", "pg_catalog.overlaps(a, b, c, d)"),
        ("collation for (x)", "pg_catalog.pg_collation_for(x)"),
        ("normalize(x, nfkc)", "pg_catalog.normalize(x, 'NFKC')"),
        ("\"coalesce\"(a, b)", "coalesce(a, b)"),
    ] {
        assert_eq!(value(text), tree, "{text}");
    }
}

#[test]
fn types_have_the_catalogs_names() {
    for (text, tree) in [
        ("x::float(24)", "x::float4"),
        ("x::float(25)", "x::float8"),
        (
            "x::float(54)",
            "precision for type float must be less than 54 bits",
        ),
        ("x::dec(3,2)", "x::numeric(3, 2)"),
        ("x::char", "x::bpchar(1)"),
        ("x::\"char\"", "x::char"),
        ("char 'abc'", "'abc'::bpchar"),
        ("x::national character varying(3)", "x::varchar(3)"),
        ("x::timestamp(3) with time zone", "x::timestamptz(3)"),
        ("x::int array[3]", "x::int4[]"),
        ("x::int[][]", "x::int4[][]"),
        (
            "interval '1' day to second(3)",
            "'1'::interval(3) DayToSecond",
        ),
        ("interval(3) '1'", "'1'::interval(3)"),
        ("foo.bar(1) 'x'", "'x'::foo.bar(1)"),
    ] {
        assert_eq!(value(text), tree, "{text}");
    }
}

#[test]
fn literals_lose_quotes_and_escapes() {
    for (text, tree) in [
        ("'it''s'", "'it's'"),
        ("'a'\n 'b'", "'ab'"),
        ("'a' 'b'", "syntax error at or near \"'b'\""),
        ("E'\\x41\\102\\u0043\\n\\q'", "'ABC\nq'"),
        ("E'\\ud83d\\ude00'", "'\u{1f600}'"),
        ("E'\\u00'", "invalid Unicode escape"),
        ("U&'!0041' UESCAPE '!'", "'A'"),
        ("$a$it's$a$", "'it's'"),
        ("X'1f'", "B'00011111'"),
        (
            "0x10",
            "trailing junk after numeric literal at or near \"0x10\"",
        ),
        (
            "1_000",
            "trailing junk after numeric literal at or near \"1_000\"",
        ),
        ("1.", "1."),
        ("99999999999999999999", "99999999999999999999"),
        ("ÀBC", "Àbc"),
        ("U&\"\\0041b\"", "Ab"),
    ] {
        assert_eq!(value(text), tree, "{text}");
    }
    let long = "x".repeat(62) + "é";
    assert_eq!(value(&long), "x".repeat(62));
}

#[test]
fn joins_associate_as_in_postgresql() {
    for (text, tree) in [
        ("a JOIN b ON x JOIN c ON y", "((a on b) on c)"),
        ("a JOIN b JOIN c ON x ON y", "(a on (b on c))"),
        (
            "a NATURAL JOIN b JOIN c USING (x)",
            "((a natural b) using c)",
        ),
        ("a CROSS JOIN b CROSS JOIN c", "((a cross b) cross c)"),
        ("a JOIN b CROSS JOIN c ON x", "(a on (b cross c))"),
        ("a JOIN b", "syntax error at end of input"),
        ("a CROSS JOIN b ON x", "syntax error at or near \"ON\""),
    ] {
        assert_eq!(joins(text), tree, "{text}");
    }
}

#[test]
fn fields_and_subscripts_follow_names_and_parentheses_only() {
    for (text, tree) in [
        ("a.b[1].c", "(a.b[1]).c"),
        ("(f(x)).y", "(f(x)).y"),
        ("f(x).y", "syntax error at or near \".\""),
        ("ARRAY[1][1]", "syntax error at or near \"[\""),
        ("(ARRAY[1])[1]", "ARRAY[1][1]"),
    ] {
        assert_eq!(value(text), tree, "{text}");
    }
}

#[test]
fn a_with_before_a_set_operation_is_that_of_the_whole() {
    let whole =
        query("WITH a AS (SELECT 1) SELECT 1 UNION SELECT 2").map(|query| query.with.is_some());
    assert_eq!(whole, Ok(true));
    let side =
        query("(WITH a AS (SELECT 1) SELECT 1) UNION SELECT 2").map(|query| query.with.is_some());
    assert_eq!(side, Ok(false));
}

#[test]
fn what_only_others_accept_is_refused() {
    for (sql, position) in [
        ("SELECT a = = b", 12),
        ("SELECT a FROM t LIMIT 1, 2", 17),
        ("INSERT OR REPLACE INTO t VALUES (1)", 8),
        ("REPLACE INTO t VALUES (1)", 1),
        ("SELECT a GLOB b", 15),
        ("SELECT [a] FROM t", 8),
        ("SELECT a IS 5", 13),
        ("SELECT a NOT NULL", 14),
        ("SELECT a, FROM t", 11),
        ("SELECT * FROM (SELECT 1)", 15),
        ("PRAGMA x", 1),
        ("FROM t SELECT a", 1),
        ("SELECT 1 SELECT 2", 17),
    ] {
        assert_eq!(refusal(sql).0, position, "{sql}");
    }
}

#[test]
fn a_text_of_blanks_and_comments_is_no_statement() {
    assert_eq!(parse(" -- x\n /* y */ "), Ok(None));
    assert_eq!(parse(";"), Ok(None));
    let (position, _) = refusal("SELECT 1; SELECT 2");
    assert_eq!(position, 11);
}

#[test]
fn other_statements_are_known_by_name() {
    let name = |sql: &str| match parse(sql) {
        Ok(Some(Statement::Other(other))) => other.name,
        other => format!("{other:?}"),
    };
    assert_eq!(name("CREATE TABLE t (a int)"), "CREATE TABLE");
    assert_eq!(name("DROP TABLE t"), "DROP TABLE");
    assert_eq!(refusal("CREATE TABLE t (a int,)").0, 23);
}

#[test]
fn many_terms_of_or_do_not_nest() {
    let terms = vec!["a = 1 + 2"; 5000].join(" OR ");
    assert!(query(&format!("SELECT 1 WHERE {terms}")).is_ok());
    let sum = vec!["a"; 5000].join(" + ");
    assert_eq!(
        refusal(&format!("SELECT {sum}")).1,
        "stack depth limit exceeded"
    );
}
