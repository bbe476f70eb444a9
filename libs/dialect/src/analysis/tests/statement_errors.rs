//! What is refused in windows, set operations, joins, common table expressions and changes.

use super::{differences, refusal};

/// Statements, and what PostgreSQL says of them.
const REFUSED: &str = r#"
SELECT count(*) OVER (ORDER BY id ROWS NULL PRECEDING) FROM emp
    22004 - frame starting offset must not be null
SELECT count(*) OVER (ORDER BY id GROUPS BETWEEN CURRENT ROW AND NULL FOLLOWING) FROM emp
    22004 - frame ending offset must not be null
SELECT sum(id) OVER (w ROWS 1 PRECEDING), count(DISTINCT id) OVER w FROM emp WINDOW w AS (ORDER BY id ROWS CURRENT ROW)
    0A000 43 DISTINCT is not implemented for window functions
SELECT count(*) OVER (ORDER BY nope), more FROM emp
    42703 39 column "more" does not exist
SELECT count(*) OVER w FROM emp WINDOW w AS (ORDER BY nope) ORDER BY other
    42703 70 column "other" does not exist
SELECT count(*) OVER w FROM emp WINDOW w AS (ORDER BY nope)
    42703 55 column "nope" does not exist
SELECT count(*) OVER w FROM emp WHERE name = 3 WINDOW w AS (ORDER BY id), w AS (ORDER BY id)
    42883 44 operator does not exist: character varying = integer
SELECT id, count(*) OVER (ORDER BY id ROWS nope PRECEDING), sum(more) OVER () FROM emp
    42703 65 column "more" does not exist
SELECT count(*) OVER w FROM emp
    42704 22 window "w" does not exist
SELECT count(*) OVER (w) FROM emp WINDOW w AS (PARTITION BY id), w AS (ORDER BY id)
    42P20 71 window "w" is already defined
SELECT count(*) OVER (w PARTITION BY name) FROM emp WINDOW w AS (PARTITION BY id)
    42P20 22 cannot override PARTITION BY clause of window "w"
SELECT count(*) OVER (w ORDER BY name) FROM emp WINDOW w AS (ORDER BY id)
    42P20 22 cannot override ORDER BY clause of window "w"
SELECT count(*) OVER (w) FROM emp WINDOW w AS (ORDER BY id ROWS CURRENT ROW)
    42P20 22 cannot copy window "w" because it has a frame clause
SELECT count(*) OVER (GROUPS 1 PRECEDING) FROM emp
    42P20 22 GROUPS mode requires an ORDER BY clause
SELECT count(*) OVER (RANGE 1 PRECEDING) FROM emp
    42P20 22 RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column
SELECT count(*) OVER (ROWS 'x' PRECEDING) FROM emp
    22P02 28 invalid input syntax for type bigint: "x"
SELECT count(*) OVER (ROWS id PRECEDING) FROM emp
    42P10 28 argument of ROWS must not contain variables
SELECT count(*) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM emp
    42P20 52 frame starting from current row cannot have preceding rows
SELECT count(*) OVER (ROWS BETWEEN UNBOUNDED FOLLOWING AND CURRENT ROW) FROM emp
    42P20 36 frame start cannot be UNBOUNDED FOLLOWING
SELECT count(*) OVER (ROWS BETWEEN CURRENT ROW AND UNBOUNDED PRECEDING) FROM emp
    42P20 52 frame end cannot be UNBOUNDED PRECEDING
SELECT count(*) OVER (ROWS BETWEEN 1 FOLLOWING AND CURRENT ROW) FROM emp
    42P20 52 frame starting from following row cannot have preceding rows
SELECT count(*) OVER (ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM emp
    42P20 52 frame starting from following row cannot have preceding rows
SELECT count(DISTINCT id) OVER () FROM emp
    0A000 8 DISTINCT is not implemented for window functions
SELECT row_number() FILTER (WHERE true) OVER () FROM emp
    0A000 8 FILTER is not implemented for non-aggregate window functions
SELECT sum(salary ORDER BY id) OVER () FROM emp
    0A000 8 aggregate ORDER BY is not implemented for window functions
SELECT lag(name, 'x') OVER (ORDER BY id) FROM emp
    22P02 18 invalid input syntax for type integer: "x"
SELECT lag(name, 1, 2) OVER (ORDER BY id) FROM emp
    42883 8 function lag(character varying, integer, integer) does not exist
SELECT ntile(name) OVER () FROM emp
    42883 8 function ntile(character varying) does not exist
SELECT salary, sum(salary) OVER () FROM emp GROUP BY dept_id
    42803 8 column "emp.salary" must appear in the GROUP BY clause or be used in an aggregate function
SELECT percentile_cont(0.5) FROM emp
    42883 8 function percentile_cont(numeric) does not exist
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY name) FROM emp
    42883 8 function percentile_cont(numeric, character varying) does not exist
SELECT string_agg(name) FROM emp
    42883 8 function string_agg(character varying) does not exist
SELECT string_agg(name, 1) FROM emp
    42883 8 function string_agg(character varying, integer) does not exist
SELECT string_agg(DISTINCT name, ',' ORDER BY id) FROM emp
    42P10 47 in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list
SELECT array_agg(name ORDER BY nope) FROM emp
    42703 32 column "nope" does not exist
SELECT count(*) FILTER (WHERE id) FROM emp
    42804 31 argument of FILTER must be type boolean, not type integer
SELECT count(*) FILTER (WHERE count(*) > 1) FROM emp
    42803 31 aggregate functions are not allowed in FILTER
SELECT id FROM emp UNION SELECT name FROM dept
    42804 33 UNION types integer and text cannot be matched
SELECT id FROM emp UNION SELECT id, name FROM dept
    42601 33 each UNION query must have the same number of columns
SELECT id, name FROM emp EXCEPT SELECT id FROM dept
    42601 40 each EXCEPT query must have the same number of columns
SELECT 1 UNION SELECT 'x'
    22P02 23 invalid input syntax for type integer: "x"
SELECT 1 UNION ALL SELECT true
    42804 27 UNION types integer and boolean cannot be matched
SELECT hired FROM emp INTERSECT SELECT salary FROM emp
    42804 40 INTERSECT types date and numeric cannot be matched
SELECT id FROM emp UNION SELECT id FROM dept ORDER BY name
    42703 55 column "name" does not exist
SELECT id FROM emp UNION SELECT id FROM dept ORDER BY id + 1
    0A000 55 invalid UNION/INTERSECT/EXCEPT ORDER BY clause
SELECT id FROM emp UNION SELECT id FROM dept ORDER BY 2
    42P10 55 ORDER BY position 2 is not in select list
SELECT id FROM emp UNION SELECT id FROM dept FOR UPDATE
    0A000 - FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT
SELECT DISTINCT id FROM emp FOR UPDATE
    0A000 - FOR UPDATE is not allowed with DISTINCT clause
SELECT count(*) FROM emp FOR UPDATE
    0A000 - FOR UPDATE is not allowed with aggregate functions
SELECT id FROM emp FOR UPDATE OF x
    42P01 34 relation "x" in FOR UPDATE clause not found in FROM clause
VALUES (1), (2, 3)
    42601 14 VALUES lists must all be the same length
VALUES (1), ('x')
    22P02 14 invalid input syntax for type integer: "x"
VALUES (1), (true)
    42804 14 VALUES types integer and boolean cannot be matched
VALUES (DEFAULT)
    42601 9 DEFAULT is not allowed in this context
SELECT DEFAULT
    42601 8 DEFAULT is not allowed in this context
SELECT *
    42601 8 SELECT * with no tables specified is not valid
SELECT x.*
    42P01 8 missing FROM-clause entry for table "x"
SELECT x.* FROM emp
    42P01 8 missing FROM-clause entry for table "x"
SELECT * FROM emp JOIN dept USING (nope)
    42703 - column "nope" specified in USING clause does not exist in left table
SELECT * FROM emp JOIN dept USING (dept_id)
    42703 - column "dept_id" specified in USING clause does not exist in right table
SELECT * FROM emp JOIN dept USING (salary)
    42703 - column "salary" specified in USING clause does not exist in right table
SELECT * FROM emp JOIN dept USING (name, name)
    42701 - column name "name" appears more than once in USING clause
SELECT * FROM emp JOIN dept ON true JOIN nums USING (name)
    42702 - common column name "name" appears more than once in left table
SELECT * FROM emp JOIN dept ON true JOIN dept d USING (name)
    42702 - common column name "name" appears more than once in left table
SELECT name FROM emp JOIN dept USING (id)
    42702 8 column reference "name" is ambiguous
SELECT * FROM emp e JOIN dept d ON e.id = x.id
    42P01 43 missing FROM-clause entry for table "x"
SELECT * FROM emp e, dept d JOIN nums n ON e.id = n.i
    42P01 44 invalid reference to FROM-clause entry for table "e"
SELECT * FROM emp e, (SELECT e.id) s
    42P01 30 invalid reference to FROM-clause entry for table "e"
SELECT * FROM (SELECT id FROM emp)
    42601 15 subquery in FROM must have an alias
SELECT s.name FROM (SELECT id FROM emp) s
    42703 8 column s.name does not exist
SELECT * FROM (SELECT id FROM emp) s(a, b)
    42P10 - table "s" has 1 columns available but 2 columns specified
SELECT id FROM (SELECT id FROM emp) s(a)
    42703 8 column "id" does not exist
SELECT * FROM emp e(a, b, c, d, f, g, h)
    42P10 - table "e" has 6 columns available but 7 columns specified
SELECT emp.id FROM (emp JOIN dept USING (id)) j
    42P01 8 invalid reference to FROM-clause entry for table "emp"
WITH x AS (SELECT 1), x AS (SELECT 2) SELECT * FROM x
    42712 23 WITH query name "x" specified more than once
WITH x(a, b) AS (SELECT 1) SELECT * FROM x
    42P10 6 WITH query "x" has 1 columns available but 2 columns specified
WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x
    42P01 26 relation "y" does not exist
WITH x AS (SELECT 1 AS a) SELECT b FROM x
    42703 34 column "b" does not exist
WITH x AS (SELECT 1 AS a) SELECT * FROM x, x
    42712 - table name "x" specified more than once
WITH RECURSIVE t AS (SELECT * FROM t) SELECT * FROM t
    42P19 16 recursive query "t" does not have the form non-recursive-term UNION [ALL] recursive-term
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1.5 FROM t) SELECT * FROM t
    42804 32 recursive query "t" column 1 has type integer in non-recursive term but type numeric overall
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n, 2 FROM t) SELECT * FROM t
    42601 51 each UNION query must have the same number of columns
WITH RECURSIVE t(n) AS (SELECT 1 INTERSECT SELECT n FROM t) SELECT * FROM t
    42P19 16 recursive query "t" does not have the form non-recursive-term UNION [ALL] recursive-term
INSERT INTO nowhere VALUES (1)
    42P01 13 relation "nowhere" does not exist
INSERT INTO emp (nope) VALUES (1)
    42703 18 column "nope" of relation "emp" does not exist
INSERT INTO emp (id, id) VALUES (1, 2)
    42701 22 column "id" specified more than once
INSERT INTO emp (id, name) VALUES (1)
    42601 22 INSERT has more target columns than expressions
INSERT INTO emp (id) VALUES (1, 'x')
    42601 33 INSERT has more expressions than target columns
INSERT INTO dept VALUES (1, 'a', 2)
    42601 34 INSERT has more expressions than target columns
INSERT INTO dept VALUES (1), (2, 'x')
    42601 31 VALUES lists must all be the same length
INSERT INTO dept (id) SELECT id, name FROM emp
    42601 34 INSERT has more expressions than target columns
INSERT INTO dept (id, name) SELECT id FROM emp
    42601 23 INSERT has more target columns than expressions
INSERT INTO emp (id) VALUES ('x')
    22P02 30 invalid input syntax for type integer: "x"
INSERT INTO emp (id) VALUES (true)
    42804 30 column "id" is of type integer but expression is of type boolean
INSERT INTO emp (id) SELECT name FROM dept
    42804 29 column "id" is of type integer but expression is of type text
INSERT INTO emp (hired) VALUES (1)
    42804 33 column "hired" is of type date but expression is of type integer
INSERT INTO emp (active) VALUES (1)
    42804 34 column "active" is of type boolean but expression is of type integer
INSERT INTO emp (active) VALUES ('x')
    22P02 34 invalid input syntax for type boolean: "x"
INSERT INTO emp (hired) VALUES ('2024-02-30')
    22008 33 date/time field value out of range: "2024-02-30"
INSERT INTO emp (id) VALUES (nope)
    42703 30 column "nope" does not exist
INSERT INTO emp (id) VALUES (id)
    42703 30 column "id" does not exist
INSERT INTO emp (id) VALUES (count(*))
    42803 30 aggregate functions are not allowed in VALUES
INSERT INTO dept VALUES (1, 'a') RETURNING nope
    42703 44 column "nope" does not exist
INSERT INTO dept VALUES (1, 'a') RETURNING count(*)
    42803 44 aggregate functions are not allowed in RETURNING
INSERT INTO dept VALUES (1, 'a') ON CONFLICT ON CONSTRAINT nope DO NOTHING
    42704 - constraint "nope" for table "dept" does not exist
INSERT INTO dept VALUES (1, 'a') ON CONFLICT DO UPDATE SET name = 'x'
    42601 34 ON CONFLICT DO UPDATE requires inference specification or constraint name
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET nope = 'x'
    42703 65 column "nope" of relation "dept" does not exist
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = excluded.nope
    42703 72 column excluded.nope does not exist
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = id
    42702 72 column reference "id" is ambiguous
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET id = name
    42702 70 column reference "name" is ambiguous
INSERT INTO dept VALUES (1, 'a') ON CONFLICT (id) DO UPDATE SET name = name WHERE id
    42702 72 column reference "name" is ambiguous
INSERT INTO dept VALUES (1, 'a') RETURNING excluded.id
    42P01 44 missing FROM-clause entry for table "excluded"
UPDATE nowhere SET a = 1
    42P01 8 relation "nowhere" does not exist
UPDATE emp SET nope = 1
    42703 16 column "nope" of relation "emp" does not exist
UPDATE emp SET id = 1, id = 2
    42601 - multiple assignments to same column "id"
UPDATE emp SET id = 'x'
    22P02 21 invalid input syntax for type integer: "x"
UPDATE emp SET id = name
    42804 21 column "id" is of type integer but expression is of type character varying
UPDATE emp SET hired = 1
    42804 24 column "hired" is of type date but expression is of type integer
UPDATE emp SET active = id
    42804 25 column "active" is of type boolean but expression is of type integer
UPDATE emp SET (id, name) = (1, 2, 3)
    42601 29 number of columns does not match number of values
UPDATE emp SET id = count(*)
    42803 21 aggregate functions are not allowed in UPDATE
UPDATE emp SET id = row_number() OVER ()
    42P20 21 window functions are not allowed in UPDATE
UPDATE emp SET id = 1 WHERE name
    42804 29 argument of WHERE must be type boolean, not type character varying
UPDATE emp SET id = 1 WHERE count(*) > 1
    42803 29 aggregate functions are not allowed in WHERE
UPDATE emp e SET id = 1 WHERE emp.id = 2
    42P01 31 invalid reference to FROM-clause entry for table "emp"
UPDATE emp e SET e.id = 1
    42703 18 column "e" of relation "emp" does not exist
UPDATE emp SET id = 1 FROM emp
    42712 - table name "emp" specified more than once
UPDATE emp SET id = 1 FROM dept WHERE id = 1
    42702 39 column reference "id" is ambiguous
UPDATE emp SET name = dept.name FROM dept WHERE dept.id = emp.dept_id RETURNING name
    42702 81 column reference "name" is ambiguous
UPDATE emp SET id = dept.id FROM nums
    42P01 21 missing FROM-clause entry for table "dept"
UPDATE emp SET id = 1 RETURNING nope
    42703 33 column "nope" does not exist
DELETE FROM nowhere
    42P01 13 relation "nowhere" does not exist
DELETE FROM emp WHERE nope = 1
    42703 23 column "nope" does not exist
DELETE FROM emp WHERE id
    42804 23 argument of WHERE must be type boolean, not type integer
DELETE FROM emp e WHERE emp.id = 1
    42P01 25 invalid reference to FROM-clause entry for table "emp"
DELETE FROM emp USING emp
    42712 - table name "emp" specified more than once
DELETE FROM emp USING dept WHERE id = 1
    42702 34 column reference "id" is ambiguous
DELETE FROM emp WHERE max(id) = 1
    42803 23 aggregate functions are not allowed in WHERE
DELETE FROM emp RETURNING count(*)
    42803 27 aggregate functions are not allowed in RETURNING
SELECT generate_series(1, 2) FROM emp WHERE generate_series(1, 2) = 1
    0A000 45 set-returning functions are not allowed in WHERE
SELECT * FROM generate_series(1, 'x')
    22P02 34 invalid input syntax for type integer: "x"
SELECT * FROM nofunc(1)
    42883 15 function nofunc(integer) does not exist
SELECT * FROM count(*)
    42803 15 aggregate functions are not allowed in functions in FROM
SELECT * FROM json_to_record('{}')
    42601 15 a column definition list is required for functions returning "record"
SELECT $0
    42P02 8 there is no parameter $0
SELECT * FROM emp WHERE id = $1 AND name = $1
    42883 42 operator does not exist: character varying = integer
SELECT $1 + $2
    42725 11 operator is not unique: unknown + unknown
SELECT lower($1), abs($1)
    42883 19 function abs(text) does not exist
SELECT EXISTS (SELECT nope FROM emp)
    42703 23 column "nope" does not exist
SELECT (SELECT count(*) FROM emp WHERE id = d.id AND d.nope = 1) FROM dept d
    42703 54 column d.nope does not exist
SELECT row(1, 2) = row(1)
    42601 18 unequal number of entries in row expressions
SELECT row(1, 2) < row(1, 'x')
    22P02 27 invalid input syntax for type integer: "x"
SELECT extract(year FROM name) FROM emp
    42883 8 function pg_catalog.extract(unknown, character varying) does not exist
SELECT extract(year FROM id) FROM emp
    42883 8 function pg_catalog.extract(unknown, integer) does not exist
SELECT date_trunc('day', name) FROM emp
    42883 8 function date_trunc(unknown, character varying) does not exist
SELECT hired - 'x' FROM emp
    22007 16 invalid input syntax for type date: "x"
SELECT hired + interval 'x' FROM emp
    22007 25 invalid input syntax for type interval: "x"
SELECT interval '1 day' * 'x'
    22P02 27 invalid input syntax for type double precision: "x"
SELECT salary > 'x' FROM emp
    22P02 17 invalid input syntax for type numeric: "x"
SELECT pg_catalog.lower(name), pg_catalog.nope(1) FROM emp
    42883 32 function pg_catalog.nope(integer) does not exist
SELECT nope.lower(name) FROM emp
    3F000 8 schema "nope" does not exist
SELECT 1 OPERATOR(pg_catalog.+) 'x'
    22P02 33 invalid input syntax for type integer: "x"
SELECT 1 OPERATOR(nope.+) 2
    3F000 10 schema "nope" does not exist
SELECT 1 ## 2
    42883 10 operator does not exist: integer ## integer
SELECT 1 -> 2
    42883 10 operator does not exist: integer -> integer
SELECT 'a' ~ 1
    42883 12 operator does not exist: unknown ~ integer
SELECT name::json -> 1 -> true FROM emp
    42883 24 operator does not exist: json -> boolean
SELECT bool_and(id) FROM emp
    42883 8 function bool_and(integer) does not exist
SELECT concat()
    42883 8 function concat() does not exist
SELECT coalesce()
    42601 17 syntax error at or near ")"
SELECT position(1 IN 'a')
    42883 8 function pg_catalog.position(unknown, integer) does not exist
SELECT substring(name FROM 'a' FOR 2) FROM emp
    22P02 28 invalid input syntax for type integer: "a"
SELECT trim(1)
    42883 8 function pg_catalog.btrim(integer) does not exist
SELECT overlay(1 PLACING 'a' FROM 1)
    42883 8 function pg_catalog.overlay(integer, unknown, integer) does not exist
SELECT to_char(1)
    42883 8 function to_char(integer) does not exist
SELECT to_char(true, 'x')
    42883 8 function to_char(boolean, unknown) does not exist
SELECT a.b.c.d FROM emp
    0A000 8 cross-database references are not implemented: a.b.c.d
SELECT other.emp.id FROM emp
    42P01 8 invalid reference to FROM-clause entry for table "emp"
SELECT emp.id FROM emp, LATERAL (SELECT emp.nope) s
    42703 41 column emp.nope does not exist
"#;

#[test]
fn statements_are_refused_as_postgresql_refuses_them() {
    assert_eq!(differences(REFUSED, refusal), "");
}
