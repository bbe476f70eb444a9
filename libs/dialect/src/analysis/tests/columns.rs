//! The columns of results.

use super::{analyzed, columns, differences};

/// Statements, and what PostgreSQL says of them.
const RESULTS: &str = r#"
SELECT 1
    ?column? integer
SELECT 'a'
    ?column? text
SELECT NULL
    ?column? text
SELECT 1.5
    ?column? numeric
SELECT 3000000000
    ?column? bigint
SELECT 99999999999999999999
    ?column? numeric
SELECT 1e3
    ?column? numeric
SELECT -2147483648
    ?column? integer
SELECT true AND false
    ?column? boolean
SELECT 1 + 1, 1 + 1.5, 1::int2 + 1::int2, 1::int8 + 1
    ?column? integer, ?column? numeric, ?column? smallint, ?column? bigint
SELECT i + b, i + s, s + s, i + f, b * f, i / s, i % b FROM nums
    ?column? bigint, ?column? integer, ?column? smallint, ?column? double precision, ?column? double precision, ?column? integer, ?column? bigint
SELECT -i, -s, -b, -f, + i FROM nums
    ?column? integer, ?column? smallint, ?column? bigint, ?column? double precision, ?column? integer
SELECT i ^ 2, 2 ^ f, |/ f, @ i FROM nums
    ?column? double precision, ?column? double precision, ?column? double precision, ?column? integer
SELECT i & s, i | 1, ~i, i << 2, b >> 1, i # 1 FROM nums
    ?column? integer, ?column? integer, ?column? integer, ?column? integer, ?column? bigint, ?column? integer
SELECT salary + 1, salary * 2, salary / 3, -salary, salary % 2 FROM emp
    ?column? numeric, ?column? numeric, ?column? numeric, ?column? numeric, ?column? numeric
SELECT salary + 1.5::float8, salary + id FROM emp
    ?column? double precision, ?column? numeric
SELECT hired + 1, hired - 1, hired - hired, 1 + hired FROM emp
    ?column? date, ?column? date, ?column? integer, ?column? date
SELECT hired + interval '1 day', hired + time '10:00', hired - interval '1 day' FROM emp
    ?column? timestamp without time zone, ?column? timestamp without time zone, ?column? timestamp without time zone
SELECT timestamp '2024-01-01' - timestamp '2023-01-01', timestamp '2024-01-01' - interval '1 day'
    ?column? interval, ?column? timestamp without time zone
SELECT interval '1 day' * 2, interval '1 day' / 2, 2.5 * interval '1 day', - interval '1 day'
    ?column? interval, ?column? interval, ?column? interval, ?column? interval
SELECT timestamptz '2024-01-01' - timestamp '2024-01-01', time '10:00' - time '09:00', time '10:00' + interval '1 hour'
    ?column? interval, ?column? interval, ?column? time without time zone
SELECT name || 'x', 'x' || id, name || name, id || 'a' FROM emp
    ?column? text, ?column? text, ?column? text, ?column? text
SELECT name, name::text, name::varchar, name::varchar(5), name::char(3) FROM emp
    name character varying(20), name text, name character varying, name character varying(5), name character(3)
SELECT salary, salary::numeric, salary::numeric(5,1), salary::int, salary::text FROM emp
    salary numeric(10,2), salary numeric, salary numeric(5,1), salary integer, salary text
SELECT CAST(id AS bigint), id::smallint, id::float8, id::real, id::numeric, id::bool, id::text FROM emp
    id bigint, id smallint, id double precision, id real, id numeric, id boolean, id text
SELECT '1'::int, '2024-01-01'::date, 'true'::bool, '1.5'::numeric(10,3), 'x'::varchar(7)
    int4 integer, date date, bool boolean, numeric numeric(10,3), varchar character varying(7)
SELECT date '2024-01-01', timestamp '2024-01-01 10:00', interval '1 day', time '10:00'
    date date, timestamp timestamp without time zone, interval interval, time time without time zone
SELECT '2024-01-01'::timestamp(3), '10:00'::time(2), '1 day'::interval
    timestamp timestamp(3) without time zone, time time(2) without time zone, interval interval
SELECT id = 1, name = 'x', hired > '2024-01-01', active = true, id IS NULL, name IS NOT NULL FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean
SELECT id BETWEEN 1 AND 2, id IN (1, 2), name LIKE 'a%', name ILIKE 'a', name SIMILAR TO 'a', name ~ 'x' FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean
SELECT id IS DISTINCT FROM 1, active IS TRUE, NOT active, active IS NOT UNKNOWN FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean
SELECT COALESCE(id, 1), COALESCE(name, 'x'), COALESCE(salary, 0), COALESCE(NULL, 1.5) FROM emp
    coalesce integer, coalesce character varying, coalesce numeric, coalesce numeric
SELECT COALESCE(name, name), COALESCE(salary, salary), COALESCE(i, b), COALESCE(s, 1), COALESCE(i, f) FROM emp, nums
    coalesce character varying(20), coalesce numeric(10,2), coalesce bigint, coalesce integer, coalesce double precision
SELECT NULLIF(id, 1), NULLIF(name, 'x'), NULLIF(salary, 0), NULLIF(1, 1.5) FROM emp
    nullif integer, nullif text, nullif numeric(10,2), nullif numeric
SELECT GREATEST(1, 2.5), LEAST(id, 1), GREATEST(hired, '2024-01-01'), GREATEST(name, 'x') FROM emp
    greatest numeric, least integer, greatest date, greatest character varying
SELECT CASE WHEN active THEN 1 ELSE 2.5 END, CASE WHEN active THEN name END, CASE id WHEN 1 THEN 'a' ELSE 'b' END FROM emp
    case numeric, case character varying, case text
SELECT CASE WHEN active THEN salary ELSE id END, CASE WHEN true THEN NULL END FROM emp
    id numeric, case text
SELECT lower(name), upper('x'), length(name), substr(name, 1, 2), trim(name), replace(name, 'a', 'b') FROM emp
    lower text, upper text, length integer, substr text, btrim text, replace text
SELECT position('a' IN name), substring(name FROM 2 FOR 3), overlay(name PLACING 'x' FROM 1), left(name, 2) FROM emp
    position integer, substring text, overlay text, left text
SELECT abs(id), abs(salary), abs(f), round(salary), round(salary, 1), round(f), ceil(salary), floor(f) FROM emp, nums
    abs integer, abs numeric, abs double precision, round numeric, round numeric, round double precision, ceil numeric, floor double precision
SELECT sqrt(4), power(2, 3), mod(5, 2), sign(-1), ln(2.0), exp(1), random(), pi()
    sqrt double precision, power double precision, mod integer, sign double precision, ln numeric, exp double precision, random double precision, pi double precision
SELECT count(*), count(id), sum(id), sum(salary), avg(id), avg(salary), min(name), max(hired) FROM emp
    count bigint, count bigint, sum bigint, sum numeric, avg numeric, avg numeric, min text, max date
SELECT sum(i), sum(b), sum(s), sum(f), avg(f), avg(s), max(f), min(b) FROM nums
    sum bigint, sum numeric, sum bigint, sum double precision, avg double precision, avg numeric, max double precision, min bigint
SELECT bool_and(active), bool_or(active), every(active), string_agg(name, ','), array_agg(id), array_agg(name) FROM emp
    bool_and boolean, bool_or boolean, every boolean, string_agg text, array_agg integer[], array_agg character varying[]
SELECT stddev(salary), variance(id), stddev_pop(f), corr(f, f), bit_and(i), bit_or(b) FROM emp, nums
    stddev numeric, variance numeric, stddev_pop double precision, corr double precision, bit_and integer, bit_or bigint
SELECT count(*) FILTER (WHERE active), sum(DISTINCT salary) FROM emp
    count bigint, sum numeric
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f) FROM nums
    percentile_cont double precision
SELECT mode() WITHIN GROUP (ORDER BY name) FROM emp
    mode character varying
SELECT row_number() OVER (), rank() OVER (ORDER BY id), ntile(4) OVER (ORDER BY id), percent_rank() OVER (ORDER BY id) FROM emp
    row_number bigint, rank bigint, ntile integer, percent_rank double precision
SELECT lag(name) OVER (ORDER BY id), lead(salary, 1, 0) OVER (ORDER BY id), first_value(hired) OVER (ORDER BY id), nth_value(id, 2) OVER () FROM emp
    lag character varying, lead numeric, first_value date, nth_value integer
SELECT sum(salary) OVER (PARTITION BY dept_id ORDER BY id ROWS 1 PRECEDING), count(*) OVER w FROM emp WINDOW w AS (PARTITION BY dept_id)
    sum numeric, count bigint
SELECT dept_id, count(*) FROM emp GROUP BY dept_id
    dept_id integer, count bigint
SELECT dept_id, max(name) AS top FROM emp GROUP BY 1 ORDER BY 2
    dept_id integer, top text
SELECT lower(name) AS l, count(*) FROM emp GROUP BY l HAVING count(*) > 1
    l text, count bigint
SELECT lower(name), count(*) FROM emp GROUP BY lower(name)
    lower text, count bigint
SELECT id, name, count(*) FROM emp GROUP BY id
    id integer, name character varying(20), count bigint
SELECT e.name, d.name FROM emp e JOIN dept d ON e.dept_id = d.id GROUP BY e.id, d.id
    name character varying(20), name text
SELECT id + 1 FROM emp GROUP BY id + 1 ORDER BY id + 1
    ?column? integer
SELECT dept_id FROM emp GROUP BY dept_id HAVING sum(salary) > 10
    dept_id integer
SELECT * FROM emp
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean
SELECT e.* FROM emp e
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean
SELECT e.*, d.name AS dname FROM emp e JOIN dept d ON e.dept_id = d.id
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean, dname text
SELECT * FROM emp JOIN dept USING (id)
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean, name text
SELECT * FROM emp NATURAL JOIN dept
    id integer, name character varying, salary numeric(10,2), dept_id integer, hired date, active boolean
SELECT id, name FROM emp FULL JOIN dept USING (id, name)
    id integer, name character varying
SELECT * FROM emp LEFT JOIN dept ON emp.dept_id = dept.id
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean, id integer, name text
SELECT * FROM nums CROSS JOIN dept
    i integer, b bigint, s smallint, f double precision, id integer, name text
SELECT j.* FROM (emp JOIN dept USING (id)) j
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean, name text
SELECT * FROM (nums n JOIN dept d ON n.i = d.id) j(a, b2, c)
    a integer, b2 bigint, c smallint, f double precision, id integer, name text
SELECT * FROM nums JOIN (SELECT id AS i, name FROM dept) d USING (i)
    i integer, b bigint, s smallint, f double precision, name text
SELECT n.i FROM nums n JOIN (SELECT b AS i FROM nums) m USING (i)
    i integer
SELECT i FROM nums n JOIN (SELECT b AS i FROM nums) m USING (i)
    i bigint
SELECT i FROM nums n FULL JOIN (SELECT b AS i FROM nums) m USING (i)
    i bigint
SELECT * FROM (SELECT id, name FROM emp) s
    id integer, name character varying(20)
SELECT s.a, b FROM (SELECT id, name FROM emp) s(a, b)
    a integer, b character varying(20)
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v
    column1 integer, column2 text
SELECT * FROM (VALUES (1, 'a'), (2, NULL)) v(x, y)
    x integer, y text
VALUES (1, 'a', 1.5), (2, NULL, 3)
    column1 integer, column2 text, column3 numeric
VALUES (NULL), ('2024-01-01'::date)
    column1 date
TABLE dept
    id integer, name text
SELECT (SELECT max(id) FROM emp), (SELECT name FROM dept LIMIT 1), EXISTS (SELECT 1), ARRAY(SELECT id FROM emp)
    max integer, name text, exists boolean, array integer[]
SELECT id IN (SELECT id FROM dept), id = ANY (SELECT id FROM dept), id > ALL (SELECT i FROM nums) FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean
SELECT ARRAY[1, 2], ARRAY['a', 'b'], ARRAY[1, 2.5], '{1,2}'::int[], ARRAY[]::text[]
    array integer[], array text[], array numeric[], int4 integer[], array text[]
SELECT id = ANY(ARRAY[1, 2]), name = ANY('{a,b}'), id <> ALL(ARRAY[1]) FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean
SELECT id FROM emp UNION SELECT id FROM dept
    id integer
SELECT name FROM emp UNION SELECT name FROM dept
    name character varying
SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2.5, NULL
    a numeric, b text
SELECT i FROM nums UNION SELECT b FROM nums ORDER BY i
    i bigint
SELECT NULL UNION SELECT 1
    ?column? integer
SELECT 'a' UNION SELECT 'b' ORDER BY 1
    ?column? text
SELECT salary FROM emp UNION ALL SELECT salary FROM emp
    salary numeric(10,2)
SELECT salary FROM emp EXCEPT SELECT id FROM dept
    salary numeric
SELECT s FROM nums INTERSECT SELECT f FROM nums
    s double precision
WITH x AS (SELECT id, name FROM emp) SELECT * FROM x
    id integer, name character varying(20)
WITH x(a) AS (SELECT id FROM emp), y AS (SELECT a + 1 AS b FROM x) SELECT a, b FROM x, y
    a integer, b integer
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT 1 AS n, name FROM emp), c AS (SELECT name FROM a) SELECT * FROM a JOIN c USING (name)
    name character varying(20), n integer
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT n, n * 2 AS twice FROM t
    n integer, twice integer
WITH RECURSIVE t AS (SELECT 1 AS n, 'a' AS s UNION ALL SELECT n + 1, s || 'a' FROM t WHERE n < 5) SELECT * FROM t
    n integer, s text
WITH RECURSIVE t AS (SELECT 1 AS n, 'a'::text AS s UNION ALL SELECT n + 1, s || 'a' FROM t WHERE n < 5) SELECT * FROM t
    n integer, s text
SELECT DISTINCT dept_id FROM emp ORDER BY dept_id
    dept_id integer
SELECT DISTINCT ON (dept_id) dept_id, name FROM emp ORDER BY dept_id, salary DESC
    dept_id integer, name character varying(20)
SELECT name AS "Full Name", id "x y" FROM emp ORDER BY "Full Name"
    Full Name character varying(20), x y integer
SELECT id::text::int, (id)::text, -id, id + 1 AS n, (SELECT 1 AS q), (name) FROM emp
    id integer, id text, ?column? integer, n integer, q integer, name character varying(20)
SELECT now(), current_date, current_timestamp, localtime, localtimestamp(2), current_user, current_schema
    now timestamp with time zone, current_date date, current_timestamp timestamp with time zone, localtime time without time zone, localtimestamp timestamp(2) without time zone, current_user name, current_schema name
SELECT extract(year FROM hired), date_part('year', hired), date_trunc('month', hired), age(hired) FROM emp
    extract numeric, date_part double precision, date_trunc timestamp with time zone, age interval
SELECT to_char(hired, 'YYYY'), to_date('2024', 'YYYY'), to_number('1', '9'), to_timestamp(0) FROM emp
    to_char text, to_date date, to_number numeric, to_timestamp timestamp with time zone
SELECT generate_series(1, 3), unnest(ARRAY['a'])
    generate_series integer, unnest text
SELECT * FROM generate_series(1, 3)
    generate_series integer
SELECT * FROM generate_series(1, 3) g
    g integer
SELECT * FROM generate_series(1, 3) WITH ORDINALITY
    generate_series integer, ordinality bigint
SELECT * FROM generate_series(1, 3) AS g(n), unnest(ARRAY['a']) AS u
    n integer, u text
SELECT * FROM generate_series('2024-01-01'::timestamp, '2024-01-02', '1 hour') t
    t timestamp without time zone
SELECT '{"a":1}'::json -> 'a', '{"a":1}'::jsonb ->> 'a', '{"a":1}'::jsonb #> '{a}', '{"a":1}'::jsonb @> '{}'
    ?column? json, ?column? text, ?column? jsonb, ?column? boolean
SELECT to_json(1), json_build_object('a', 1), jsonb_build_array(1), row_to_json(row(1)), json_agg(id) FROM emp
    to_json json, json_build_object json, jsonb_build_array jsonb, row_to_json json, json_agg json
SELECT md5('x'), encode('a'::bytea, 'hex'), 'a'::bytea || 'b'::bytea, octet_length('x'), decode('00', 'hex')
    md5 text, encode text, ?column? bytea, octet_length integer, decode bytea
SELECT concat(1, 'a'), concat_ws(',', 1), format('%s', 1), repeat('a', 2), lpad('a', 3), split_part('a', 'b', 1)
    concat text, concat_ws text, format text, repeat text, lpad text, split_part text
SELECT version(), current_setting('x'), pg_typeof(1), gen_random_uuid()
    version text, current_setting text, pg_typeof regtype, gen_random_uuid uuid
SELECT (1, 2) = (3, 4), (1, 'a') < (2, 'b'), (id, name) IN ((1, 'a')) FROM emp
    ?column? boolean, ?column? boolean, ?column? boolean
SELECT row(1, 2), (1, 'a')
    row record, row record
SELECT name COLLATE "C" FROM emp
    name character varying(20)
SELECT 1 OPERATOR(pg_catalog.+) 2, pg_catalog.lower('X')
    ?column? integer, lower text
INSERT INTO dept VALUES (1, 'a') RETURNING *
    id integer, name text
INSERT INTO dept (id) VALUES (1) RETURNING id, name || 'x' AS n, 1
    id integer, n text, ?column? integer
INSERT INTO dept AS d (id) SELECT id FROM emp RETURNING d.id
    id integer
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id
    id integer
UPDATE emp SET salary = salary * 1.1 WHERE id = 1 RETURNING id, salary, salary * 2
    id integer, salary numeric(10,2), ?column? numeric
UPDATE emp e SET name = d.name FROM dept d WHERE d.id = e.dept_id RETURNING e.*, d.name
    id integer, name character varying(20), salary numeric(10,2), dept_id integer, hired date, active boolean, name text
DELETE FROM emp WHERE id = 1 RETURNING name
    name character varying(20)
DELETE FROM emp USING dept d WHERE d.id = emp.dept_id RETURNING emp.id, d.name
    id integer, name text
INSERT INTO dept VALUES (1, 'a')
    none
"#;

#[test]
fn result_columns_are_named_and_typed_as_postgresqls() {
    assert_eq!(differences(RESULTS, columns), "");
}

#[test]
fn a_column_comes_from_the_table_that_it_is_of_as_it_is() {
    use crate::analysis::OriginTable;
    let origins = |sql: &str| -> String {
        let found = analyzed(sql).unwrap().origins().into_iter();
        let shown = found.map(|origin| match origin {
            Some(origin) => match origin.table {
                OriginTable::Table(name) => format!("{name}.{}", origin.column),
                other => format!("{other:?}"),
            },
            None => "-".to_owned(),
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    for (sql, expected) in [
        (
            "SELECT id, name || 'x', name::text, salary FROM emp",
            "emp.1 - - emp.3",
        ),
        (
            "SELECT * FROM (SELECT name AS n, 1 FROM emp) AS q",
            "emp.2 -",
        ),
        (
            "WITH w AS (SELECT name, dept_id FROM emp) SELECT dept_id, name FROM w",
            "emp.4 emp.2",
        ),
        (
            "SELECT e.name, d.name FROM emp e LEFT JOIN dept d ON d.id = e.dept_id",
            "emp.2 dept.2",
        ),
        ("SELECT id FROM emp UNION SELECT id FROM dept", "-"),
        ("SELECT name FROM emp GROUP BY name", "emp.2"),
        (
            "INSERT INTO dept VALUES (1, 'a') RETURNING name, id + 1",
            "dept.2 -",
        ),
        ("VALUES (1)", "-"),
    ] {
        assert_eq!(origins(sql), expected, "{sql}");
    }
}
