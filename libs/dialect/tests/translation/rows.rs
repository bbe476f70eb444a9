//! Rows: groups, distinct ones, elements of arrays, and what is often asked of them.

use pgtypes::PgType;

use crate::support::{Database, short};

fn types(database: &Database, sql: &str) -> Vec<String> {
    let columns = database.analyze(sql).columns;
    let shown = columns
        .iter()
        .map(|ty| ty.as_ref().map_or("-".to_owned(), short));
    shown.collect()
}

#[test]
fn distinct_on_gives_the_first_row_of_each_group() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (id int, kind text, n int);
         INSERT INTO t VALUES (1, 'a', 5), (2, 'a', 7), (3, 'b', 1), (4, NULL, 9)",
    );
    for (sql, expected) in [
        (
            "SELECT DISTINCT ON (kind) kind, id FROM t ORDER BY kind, n DESC",
            "a|2 b|3 NULL|4",
        ),
        (
            "SELECT DISTINCT ON (kind) id FROM t WHERE n < 9 ORDER BY kind DESC, id LIMIT 1",
            "3",
        ),
        (
            "SELECT DISTINCT ON (lower(kind)) t.* FROM t WHERE id < 3 ORDER BY lower(kind), id",
            "1|a|5",
        ),
        (
            "SELECT count(*) FROM (SELECT DISTINCT ON (kind) kind FROM t) AS q",
            "3",
        ),
    ] {
        assert_eq!(database.rows(sql).join(" "), expected, "{sql}");
    }
}

#[test]
fn what_ordinary_queries_say_is_understood() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (id int, \"nothing\" text, b boolean, j jsonb, iv interval, ts timestamp, d date);
         INSERT INTO t VALUES (1, 'x', true, '{\"a\":{\"b\":[1,{\"c\":2}]}}', '1 day 02:00', '2024-02-29 12:00', '2024-02-29')",
    );
    assert_eq!(
        database.differences(
            "SELECT {} FROM t",
            &[
                ("nothing", "x"),
                ("t.nothing", "x"),
                ("2 ^ 10", "1024"),
                ("sqrt(16)", "4"),
                ("ceil(1.2)", "2"),
                ("-iv", "-1 days -02:00:00"),
                ("extract(microseconds FROM time '01:02:03.5')", "3500000"),
                ("justify_hours(interval '27 hours')", "1 day 03:00:00"),
                ("j #>> '{a,b,1,c}'", "2"),
                ("j #> '{a,b,0}'", "1"),
                ("j ? 'a' AND NOT j ? 'b'", "t"),
                (
                    "json_build_object('b', b, 'j', j -> 'a')",
                    "{\"b\" : true, \"j\" : {\"b\": [1, {\"c\": 2}]}}",
                ),
                ("pg_typeof(ts)", "timestamp without time zone"),
                ("string_agg(DISTINCT nothing, ',')", "x"),
                ("to_char(1.5, 'FM990.00')", "1.50"),
            ]
        ),
        ""
    );
    for (expression, ty) in [
        ("extract(epoch FROM ts)", "numeric"),
        ("extract(epoch FROM d)", "numeric"),
        ("extract(year FROM ts)", "numeric"),
        ("d - d", "int4"),
        ("ts - ts", "interval"),
        ("d + 1", "date"),
        ("now()::date", "date"),
        ("b AND true", "bool"),
        ("NULL::int", "int4"),
    ] {
        assert_eq!(
            types(&database, &format!("SELECT {expression} FROM t")),
            [ty],
            "{expression}"
        );
    }
}

#[test]
fn arrays_are_unnested_into_rows() {
    let database = Database::new();
    database.run("CREATE TABLE t (a varchar(3), b int, d date)");
    for (sql, expected) in [
        ("SELECT * FROM unnest('{1,2}'::int[])", "1 2"),
        ("SELECT x + 1 FROM unnest(ARRAY[1, 2]) AS x", "2 3"),
        (
            "SELECT p.n, p.s FROM unnest('{1,2}'::int[], '{7,x}'::text[]) AS p(n, s) ORDER BY p.n DESC",
            "2|x 1|7",
        ),
        (
            "SELECT pg_typeof(x) FROM unnest('{7}'::varchar[]) x",
            "character varying",
        ),
        ("SELECT x FROM unnest(('{1,2}'::int2[])::bigint[]) x", "1 2"),
    ] {
        assert_eq!(database.rows(sql).join(" "), expected, "{sql}");
    }
    database.run(
        "INSERT INTO t (a, b, d) SELECT * FROM UNNEST(('{u,v}')::varchar[], ('{1,NULL}')::integer[], ('{2024-1-2,2024-01-03}')::date[])",
    );
    assert_eq!(
        database.rows("SELECT * FROM t").join(" "),
        "u|1|2024-01-02 v|NULL|2024-01-03"
    );
    let parameters = database
        .analyze("SELECT * FROM unnest($1::int[])")
        .parameters;
    assert_eq!(
        parameters,
        [Some(PgType::Composed(pgtypes::Oid::new(1007), -1))],
        "an array of integers"
    );
}

#[test]
fn a_column_beside_an_aggregate_needs_group_by() {
    let database = Database::new();
    database.run("CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2), (1, 3)");
    for sql in [
        "SELECT a, count(*) FROM t",
        "SELECT sum(b), t.a FROM t WHERE b > (SELECT 1)",
    ] {
        let error = dialect::analyze(sql, &database).unwrap_err();
        assert_eq!(error.sqlstate.as_str(), "42803", "{sql}");
    }
    for (sql, expected) in [
        ("SELECT a, count(*) FROM t GROUP BY a", "1|2"),
        ("SELECT a, sum(b) OVER () FROM t LIMIT 1", "1|5"),
        ("SELECT a, (SELECT max(b) FROM t) FROM t LIMIT 1", "1|3"),
        (
            "SELECT (SELECT u.a FROM t AS u LIMIT 1), count(*) FROM t",
            "1|2",
        ),
        (
            "SELECT count(*) FROM t UNION ALL SELECT a FROM t GROUP BY a",
            "2 1",
        ),
        (
            "SELECT sum(b) FILTER (WHERE a > 0) OVER w, a FROM t WINDOW w AS () LIMIT 1",
            "5|1",
        ),
    ] {
        assert_eq!(database.rows(sql).join(" "), expected, "{sql}");
    }
}

#[test]
fn distinct_values_are_collected_in_their_order() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (g int, s text, n numeric, i int);
         INSERT INTO t VALUES (1, 'b', 1.50, 10), (1, 'a', 1.5, 9), (1, 'b', 20, 10), (1, NULL, NULL, 9), (2, NULL, NULL, 1)",
    );
    assert_eq!(
        database.differences(
            "SELECT {} FROM t GROUP BY g ORDER BY g",
            &[
                ("string_agg(DISTINCT s, ', ')", "a, b NULL"),
                ("string_agg(DISTINCT s, ',' ORDER BY s DESC)", "b,a NULL"),
                ("string_agg(DISTINCT s, NULL)", "ab NULL"),
                (
                    "string_agg(DISTINCT s, ';') FILTER (WHERE i < 10)",
                    "a NULL"
                ),
                ("string_agg(DISTINCT i::text, '-')", "10-9 1"),
                ("array_agg(DISTINCT i)", "{9,10} {1}"),
                ("array_agg(DISTINCT s)", "{a,b,NULL} {NULL}"),
                ("count(DISTINCT n)", "2 0"),
                ("cardinality(array_agg(DISTINCT n))", "3 1"),
            ]
        ),
        ""
    );
    let error = database.try_rows("SELECT string_agg(DISTINCT s, i::text) FROM t");
    assert!(error.unwrap_err().starts_with("0A000"));
}

#[test]
fn in_looks_for_one_type_of_what_names_no_column() {
    let database = Database::new();
    database.run("CREATE TABLE t (n numeric, i int); INSERT INTO t VALUES (0.1, 1)");
    for (sql, expected) in [
        // As real 0.1 is another number.
        ("SELECT n IN (0.1, '0.5'::float4, 2::int2) FROM t", "f"),
        ("SELECT n IN (n, '0.5'::float4) FROM t", "t"),
        ("SELECT i IN (2, 5::int8, '50377696352436') FROM t", "f"),
        ("SELECT i IN (i, 2) FROM t", "t"),
    ] {
        assert_eq!(database.rows(sql).join(" "), expected, "{sql}");
    }
}

#[test]
fn any_looks_at_all_elements_of_an_array_of_arrays() {
    let database = Database::new();
    for (sql, expected) in [
        ("SELECT 'd' = ANY (ARRAY[['a', 'b'], ['c', 'd']])", "t"),
        ("SELECT 5 <> ALL (ARRAY[[1, 2], [3, 5]])", "f"),
        ("SELECT (ARRAY[[1, 2], [3, 4]])[2][1]", "3"),
    ] {
        assert_eq!(database.rows(sql).join(" "), expected, "{sql}");
    }
}

#[test]
fn a_fraction_of_an_aggregate_over_grouping_sets_is_made_of_keys() {
    let database = Database::new();
    database.run("CREATE TABLE t (f float8, b bool); INSERT INTO t VALUES (0.5, true)");
    let sql = "SELECT percentile_disc(CASE WHEN b THEN f ELSE f END) WITHIN GROUP (ORDER BY 3)
        FROM t GROUP BY f, ROLLUP (b)";
    assert_eq!(database.rows(sql), ["3", "3"]);
}

#[test]
fn members_of_one_document_are_set_one_after_the_other() {
    let database = Database::new();
    database.run("CREATE TABLE t (id int, j jsonb); INSERT INTO t VALUES (1, '{\"a\": 1}')");
    database.run("UPDATE t SET j['a'] = '2', j['b'] = '{\"c\": 3}'");
    assert_eq!(
        database.rows("SELECT j FROM t"),
        ["{\"a\": 2, \"b\": {\"c\": 3}}"]
    );
}

#[test]
fn returning_of_another_relation_is_refused() {
    let database = Database::new();
    database.run("CREATE TABLE t (id int, n int)");
    for sql in [
        "UPDATE t SET n = v.b FROM (VALUES (1, 2)) AS v (a, b) WHERE t.id = v.a RETURNING v.b",
        "DELETE FROM t USING generate_series(1, 2) AS g WHERE t.id = g RETURNING g",
        "DELETE FROM t RETURNING n = ANY (SELECT x.id FROM t AS x)",
        "UPDATE t SET n = 1 RETURNING EXISTS (SELECT 1 FROM t AS x)",
    ] {
        let error = database.execute(sql).unwrap_err();
        assert!(error.contains("0A000"), "{sql}: {error}");
    }
}

#[test]
fn an_index_is_inferred_from_what_is_said_twice_and_from_a_pattern() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (key int PRIMARY KEY, fruit text);
         CREATE UNIQUE INDEX ON t (lower(fruit));
         INSERT INTO t VALUES (1, 'Apple')",
    );
    database.run(
        "INSERT INTO t VALUES (1, 'Orange') ON CONFLICT (key, key, key) DO UPDATE SET fruit = excluded.fruit;
         INSERT INTO t VALUES (2, 'ORANGE') ON CONFLICT (lower(fruit), lower(fruit)) DO UPDATE SET fruit = 'Plum'",
    );
    assert_eq!(database.rows("SELECT * FROM t"), ["1|Plum"]);
    database.run(
        "CREATE TABLE u (key int, fruit text, sour bool GENERATED ALWAYS AS (fruit LIKE '%lemon') STORED);
         CREATE UNIQUE INDEX ON u (key) WHERE fruit LIKE '%berry';
         INSERT INTO u VALUES (1, 'Blackberry'), (1, 'Lemon')",
    );
    let insert = "INSERT INTO u VALUES (1, 'Strawberry')";
    assert!(database.execute(insert).unwrap_err().starts_with("23505"));
    database.run(&format!(
        "{insert} ON CONFLICT (key) WHERE fruit LIKE '%berry' DO UPDATE SET fruit = excluded.fruit"
    ));
    assert_eq!(
        database.rows("SELECT * FROM u WHERE fruit LIKE '%y'"),
        ["1|Strawberry|f"]
    );
}

#[test]
fn a_narrower_condition_infers_a_partial_index() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (a bigint, b bigint, c text);
         CREATE UNIQUE INDEX ON t (b) WHERE coalesce(a, 1) > 0;
         INSERT INTO t VALUES (1, 2)",
    );
    let insert = "INSERT INTO t VALUES (1, 2) ON CONFLICT (b)";
    for condition in [
        "coalesce(a, 1) > 0",
        "coalesce(a, 1) > 1",
        "c = 'x' AND coalesce(a, 1) > 0",
    ] {
        database.run(&format!("{insert} WHERE {condition} DO NOTHING"));
    }
    for condition in ["coalesce(a, 1) > -1", "coalesce(a, 1) < 1", "a > 0"] {
        let error = database.execute(&format!("{insert} WHERE {condition} DO NOTHING"));
        assert!(error.unwrap_err().starts_with("42P10"), "{condition}");
    }
}
