//! The types of parameters.

use super::{differences, parameters};

/// Statements, and what PostgreSQL says of them.
const INFERRED: &str = r#"
SELECT $1::int
    integer
SELECT CAST($1 AS text)
    text
SELECT * FROM emp WHERE id = $1
    integer
SELECT * FROM emp WHERE $1 = id
    integer
SELECT * FROM emp WHERE name = $1
    text
SELECT * FROM emp WHERE name LIKE $1
    text
SELECT * FROM emp WHERE salary > $1
    numeric
SELECT * FROM emp WHERE hired > $1
    date
SELECT * FROM emp WHERE active = $1
    boolean
SELECT * FROM emp WHERE $1
    boolean
SELECT * FROM emp WHERE NOT $1
    boolean
SELECT * FROM emp WHERE $1 AND active
    boolean
SELECT * FROM emp WHERE id + $1 > 5
    integer
SELECT * FROM emp WHERE hired + $1 > hired
    42725 31 operator is not unique: date + unknown
SELECT * FROM emp WHERE hired - $1 > 5
    date
SELECT * FROM emp WHERE id IN ($1, $2)
    integer, integer
SELECT * FROM emp WHERE $1 IN (id, dept_id)
    integer
SELECT * FROM emp WHERE id = ANY($1)
    integer[]
SELECT * FROM emp WHERE name = ANY($1)
    text[]
SELECT * FROM emp WHERE name = ANY($1::text[])
    text[]
SELECT * FROM emp WHERE id BETWEEN $1 AND $2
    integer, integer
SELECT * FROM emp WHERE $1 BETWEEN id AND salary
    integer
SELECT * FROM emp WHERE $1 IS NULL
    42P18 - could not determine data type of parameter $1
SELECT * FROM emp WHERE ($1::int IS NULL OR id = $1)
    integer
SELECT * FROM emp WHERE id IS DISTINCT FROM $1
    integer
SELECT * FROM emp WHERE (id, name) = ($1, $2)
    integer, text
SELECT * FROM emp WHERE (id, name) IN (($1, $2))
    integer, text
SELECT * FROM emp WHERE lower(name) = lower($1)
    text
SELECT * FROM emp WHERE length($1) = 2
    text
SELECT * FROM emp WHERE id = (SELECT $1::int)
    integer
SELECT * FROM emp WHERE id IN (SELECT i FROM nums WHERE b = $1)
    bigint
SELECT * FROM emp WHERE $1 IN (SELECT id FROM dept)
    integer
SELECT * FROM emp LIMIT $1 OFFSET $2
    bigint, bigint
SELECT * FROM emp ORDER BY $1
    text
SELECT $1
    text
SELECT $1, $2
    text, text
SELECT $1 || 'x'
    text
SELECT 'x' || $1
    text
SELECT $1 || name FROM emp
    text
SELECT 1 + $1
    integer
SELECT $1 + 1.5
    numeric
SELECT $1 * f FROM nums
    double precision
SELECT b + $1 FROM nums
    bigint
SELECT s + $1 FROM nums
    smallint
SELECT -$1::int
    integer
SELECT COALESCE($1, 1)
    integer
SELECT COALESCE(name, $1) FROM emp
    character varying
SELECT COALESCE($1, $2)
    text, text
SELECT NULLIF($1, 1)
    integer
SELECT NULLIF(id, $1) FROM emp
    integer
SELECT GREATEST($1, hired) FROM emp
    date
SELECT CASE WHEN $1 THEN 1 END
    boolean
SELECT CASE WHEN true THEN $1 ELSE 1 END
    integer
SELECT CASE id WHEN $1 THEN $2 ELSE 'x' END FROM emp
    integer, text
SELECT CASE $1 WHEN 1 THEN 2 END
    42883 16 operator does not exist: text = integer
SELECT ARRAY[1, $1]
    integer
SELECT ARRAY[$1, $2]
    text, text
SELECT lower($1)
    text
SELECT upper($1), length($2)
    text, text
SELECT substr($1, $2, $3)
    text, integer, integer
SELECT substring($1 FROM $2)
    text, text
SELECT round($1, 2)
    numeric
SELECT sqrt($1)
    double precision
SELECT power($1, $2)
    double precision, double precision
SELECT concat($1, $2)
    42P18 - could not determine data type of parameter $1
SELECT date_trunc('day', $1::timestamp)
    timestamp without time zone
SELECT date_trunc($1, hired) FROM emp
    text
SELECT extract(year FROM $1::date)
    date
SELECT to_char($1::date, $2)
    date, text
SELECT hired + $1 * interval '1 day' FROM emp
    double precision
SELECT $1::date + 1
    date
SELECT $1 + interval '1 day'
    interval
SELECT $1 - $2::date
    date, date
SELECT sum($1::int)
    integer
SELECT count($1)
    42P18 - could not determine data type of parameter $1
SELECT string_agg(name, $1) FROM emp
    text
SELECT lag(name, $1) OVER (ORDER BY id) FROM emp
    integer
SELECT ntile($1) OVER () FROM emp
    integer
SELECT count(*) OVER (ORDER BY id ROWS $1 PRECEDING) FROM emp
    bigint
SELECT sum(salary) FILTER (WHERE id > $1) FROM emp
    integer
SELECT name FROM emp GROUP BY name HAVING count(*) > $1
    bigint
SELECT $1 UNION SELECT 1
    integer
SELECT 1 UNION SELECT $1
    integer
SELECT $1 UNION SELECT $2
    text, text
SELECT name FROM emp UNION SELECT $1
    character varying
VALUES ($1, 1), (2, $2)
    integer, integer
VALUES ($1)
    text
SELECT * FROM (VALUES ($1, $2)) v(a, b) WHERE a = b
    text, text
SELECT * FROM (SELECT $1 AS a) s
    text
SELECT * FROM generate_series(1, $1)
    integer
SELECT * FROM generate_series($1::int, $2)
    integer, integer
SELECT * FROM unnest($1::int[])
    integer[]
SELECT 1 FROM emp JOIN dept ON emp.id = $1
    integer
WITH x AS (SELECT $1::int AS a) SELECT * FROM x WHERE a = $2
    integer, integer
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + $1 FROM t) SELECT * FROM t LIMIT $2
    integer, bigint
WITH RECURSIVE t(n) AS (SELECT $1::int UNION ALL SELECT n + 1 FROM t WHERE n < $2) SELECT * FROM t
    integer, integer
INSERT INTO dept VALUES ($1, $2)
    integer, text
INSERT INTO emp VALUES ($1, $2, $3, $4, $5, $6)
    integer, character varying, numeric, integer, date, boolean
INSERT INTO dept (name, id) VALUES ($1, $2)
    text, integer
INSERT INTO dept (id) VALUES ($1 + 1)
    integer
INSERT INTO dept (id, name) VALUES ($1, $2), ($3, $4)
    integer, text, integer, text
INSERT INTO dept (name) VALUES (lower($1))
    text
INSERT INTO emp (salary) VALUES ($1 * 2)
    integer
INSERT INTO dept (id, name) SELECT $1, $2
    integer, text
INSERT INTO dept (id, name) SELECT id, $1 FROM emp WHERE id = $2
    text, integer
INSERT INTO dept (id, name) SELECT $1, name FROM emp
    integer
INSERT INTO dept VALUES ($1, 'a') ON CONFLICT (id) DO UPDATE SET name = $2
    integer, text
INSERT INTO dept VALUES ($1, 'a') ON CONFLICT (id) DO UPDATE SET name = excluded.name || $2 WHERE dept.id > $3
    integer, text, integer
INSERT INTO dept VALUES ($1, 'a') RETURNING id + $2
    integer, integer
INSERT INTO dept (id, name) VALUES ($2, $1)
    text, integer
UPDATE emp SET name = $1 WHERE id = $2
    character varying, integer
UPDATE emp SET salary = salary + $1
    numeric
UPDATE emp SET salary = $1, hired = $2, active = $3
    numeric, date, boolean
UPDATE emp SET (id, name) = ($1, $2)
    integer, character varying
UPDATE emp SET salary = COALESCE($1, salary) WHERE id = ANY($2)
    numeric, integer[]
UPDATE emp SET name = d.name || $1 FROM dept d WHERE d.id = $2
    text, integer
UPDATE emp SET active = NOT $1
    boolean
UPDATE emp SET hired = $1::date + $2
    42725 33 operator is not unique: date + unknown
UPDATE nums SET b = $1, s = $2, f = $3
    bigint, smallint, double precision
DELETE FROM emp WHERE id = $1
    integer
DELETE FROM emp WHERE id = $1 RETURNING name = $2
    integer, text
DELETE FROM emp USING dept d WHERE d.name = $1 AND emp.id = $2
    text, integer
SELECT $2::int, $1::text
    text, integer
SELECT id FROM emp WHERE id = $1 AND salary > $1
    integer
SELECT id FROM emp WHERE id = $1 OR dept_id = $1
    integer
SELECT $1::jsonb -> $2
    jsonb, text
SELECT $1::json ->> 'a'
    json
SELECT '{"a":1}'::jsonb @> $1
    jsonb
SELECT name ~ $1 FROM emp
    text
SELECT $1::numeric(10,2)
    numeric
SELECT $1::varchar(5)
    character varying
SELECT EXISTS (SELECT 1 FROM emp WHERE id = $1)
    integer
SELECT id FROM emp WHERE $1 IS NULL OR id = $1
    42P08 26 could not determine data type of parameter $1
SELECT id FROM emp WHERE id = $1 OR $1 IS NULL
    integer
SELECT count($1), $1::int
    42P08 14 could not determine data type of parameter $1
SELECT $2::int
    42P18 - could not determine data type of parameter $1
SELECT id FROM emp WHERE $1 BETWEEN $2 AND id
    42883 29 operator does not exist: text <= integer
SELECT id FROM emp WHERE $1 NOT BETWEEN id AND salary
    integer
"#;

#[test]
fn parameters_get_the_types_that_postgresql_infers() {
    assert_eq!(differences(INFERRED, parameters), "");
}
