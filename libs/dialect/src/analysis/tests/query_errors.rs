//! What is refused in expressions, grouping and sorting.

use super::{differences, refusal};

/// Statements, and what PostgreSQL says of them.
const REFUSED: &str = r#"
SELECT percentile_disc(e.id) WITHIN GROUP (ORDER BY (SELECT n.i FROM nums n WHERE n.i = 1)) FROM emp e GROUP BY 1
    42803 8 aggregate functions are not allowed in GROUP BY
SELECT id FROM emp ORDER BY array_agg('1'::json), id
    42883 29 could not identify an ordering operator for type json[]
SELECT id, (SELECT percentile_disc(cos(n.f)) WITHIN GROUP (ORDER BY float8(e.id)) FROM nums n) FROM emp e
    42803 40 outer-level aggregate cannot contain a lower-level variable in its direct arguments
SELECT (NULL)['a']
    42804 9 cannot subscript type unknown because it does not support subscripting
SELECT ARRAY[['25'::oid, 2.5]]
    42846 26 ARRAY could not convert type numeric to oid
SELECT nowhere.id IN (SELECT nothing.id FROM emp) FROM emp
    42P01 30 missing FROM-clause entry for table "nothing"
SELECT ('1')[e.id] FROM emp AS x
    42804 9 cannot subscript type unknown because it does not support subscripting
SELECT ('{1}')[1:2]
    42804 9 cannot subscript type unknown because it does not support subscripting
SELECT lag(id) IGNORE NULLS OVER (ORDER BY id) FROM emp
    42601 23 syntax error at or near "NULLS"
SELECT id FROM emp ORDER BY id FETCH FIRST NULL ROWS WITH TIES
    2201W - row count cannot be null in FETCH FIRST ... WITH TIES clause
SELECT id FROM emp ORDER BY id FETCH FIRST (NULL) ROWS WITH TIES
    2201W - row count cannot be null in FETCH FIRST ... WITH TIES clause
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 3) SELECT n FROM t
    0A000 70 LIMIT in a recursive query is not implemented
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t OFFSET 1) SELECT n FROM t
    0A000 71 OFFSET in a recursive query is not implemented
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t FOR UPDATE) SELECT n FROM t
    0A000 - FOR UPDATE/SHARE in a recursive query is not implemented
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT t.n FROM emp LEFT JOIN t ON t.n = emp.id) SELECT n FROM t
    42P19 74 recursive reference to query "t" must not appear within an outer join
WITH RECURSIVE t(n) AS (SELECT 1::numeric(3,0) UNION ALL SELECT (n + 1)::numeric(10,0) FROM t) SELECT n FROM t
    42804 32 recursive query "t" column 1 has type numeric(3,0) in non-recursive term but type numeric overall
SELECT null FROM emp GROUP BY GROUPING SETS (()) FOR UPDATE
    0A000 - FOR UPDATE is not allowed with GROUP BY clause
SELECT ('{1,2}'::int[])[true]
    42804 25 array subscript must have type integer
SELECT nope FROM emp
    42703 8 column "nope" does not exist
SELECT e.nope FROM emp e
    42703 8 column e.nope does not exist
SELECT emp.name FROM emp e
    42P01 8 invalid reference to FROM-clause entry for table "emp"
SELECT x.name FROM emp e
    42P01 8 missing FROM-clause entry for table "x"
SELECT * FROM nowhere
    42P01 15 relation "nowhere" does not exist
SELECT * FROM public.nowhere
    42P01 15 relation "public.nowhere" does not exist
SELECT * FROM other.emp
    42P01 15 relation "other.emp" does not exist
SELECT id FROM emp, dept
    42702 8 column reference "id" is ambiguous
SELECT name FROM emp JOIN dept ON emp.dept_id = dept.id
    42702 8 column reference "name" is ambiguous
SELECT * FROM emp, emp
    42712 - table name "emp" specified more than once
SELECT * FROM emp e JOIN dept e ON true
    42712 - table name "e" specified more than once
SELECT 1 + 'x'
    22P02 12 invalid input syntax for type integer: "x"
SELECT 'a' + 1
    22P02 8 invalid input syntax for type integer: "a"
SELECT 1 || 2
    42883 10 operator does not exist: integer || integer
SELECT name + 1 FROM emp
    42883 13 operator does not exist: character varying + integer
SELECT id = name FROM emp
    42883 11 operator does not exist: integer = character varying
SELECT hired = 1 FROM emp
    42883 14 operator does not exist: date = integer
SELECT hired + salary FROM emp
    42883 14 operator does not exist: date + numeric
SELECT active + 1 FROM emp
    42883 15 operator does not exist: boolean + integer
SELECT - name FROM emp
    42883 8 operator does not exist: - character varying
SELECT - hired FROM emp
    42883 8 operator does not exist: - date
SELECT @ active FROM emp
    42883 8 operator does not exist: @ boolean
SELECT NOT id FROM emp
    42804 12 argument of NOT must be type boolean, not type integer
SELECT id AND active FROM emp
    42804 8 argument of AND must be type boolean, not type integer
SELECT active OR name FROM emp
    42804 18 argument of OR must be type boolean, not type character varying
SELECT name FROM emp WHERE id
    42804 28 argument of WHERE must be type boolean, not type integer
SELECT name FROM emp WHERE salary
    42804 28 argument of WHERE must be type boolean, not type numeric
SELECT name FROM emp HAVING id
    42804 29 argument of HAVING must be type boolean, not type integer
SELECT count(*) FROM emp HAVING count(*)
    42804 33 argument of HAVING must be type boolean, not type bigint
SELECT 1 FROM emp e JOIN dept d ON e.dept_id
    42804 36 argument of JOIN/ON must be type boolean, not type integer
SELECT id::date FROM emp
    42846 10 cannot cast type integer to date
SELECT active::numeric FROM emp
    42846 14 cannot cast type boolean to numeric
SELECT hired::int FROM emp
    42846 13 cannot cast type date to integer
SELECT salary::bool FROM emp
    42846 14 cannot cast type numeric to boolean
SELECT CAST(hired AS numeric) FROM emp
    42846 8 cannot cast type date to numeric
SELECT 'abc'::int
    22P02 8 invalid input syntax for type integer: "abc"
SELECT 'abc'::numeric
    22P02 8 invalid input syntax for type numeric: "abc"
SELECT '2024-13-01'::date
    22008 8 date/time field value out of range: "2024-13-01"
SELECT 'maybe'::bool
    22P02 8 invalid input syntax for type boolean: "maybe"
SELECT int 'x'
    22P02 12 invalid input syntax for type integer: "x"
SELECT '99999999999'::int4
    22003 8 value "99999999999" is out of range for type integer
SELECT '40000'::int2
    22003 8 value "40000" is out of range for type smallint
SELECT 1::nosuchtype
    42704 11 type "nosuchtype" does not exist
SELECT 1::int4(3)
    42601 11 type modifier is not allowed for type "int4"
SELECT '1'::numeric(1001)
    22023 13 NUMERIC precision 1001 must be between 1 and 1000
SELECT '1'::numeric(5,2000)
    22023 13 NUMERIC scale 2000 must be between -1000 and 1000
SELECT 'a'::varchar(0)
    22023 13 length for type varchar must be at least 1
SELECT 'a'::varchar(99999999)
    22023 13 length for type varchar cannot exceed 10485760
SELECT 'a'::char(0)
    22023 13 length for type char must be at least 1
SELECT nofunc(1)
    42883 8 function nofunc(integer) does not exist
SELECT nofunc('a', 1, emp.id) FROM emp
    42883 8 function nofunc(unknown, integer, integer) does not exist
SELECT lower(1)
    42883 8 function lower(integer) does not exist
SELECT lower()
    42883 8 function lower() does not exist
SELECT upper(id) FROM emp
    42883 8 function upper(integer) does not exist
SELECT length(1)
    42883 8 function length(integer) does not exist
SELECT substr(1, 2)
    42883 8 function substr(integer, integer) does not exist
SELECT round('x')
    22P02 14 invalid input syntax for type double precision: "x"
SELECT round(1.5, 'a')
    22P02 19 invalid input syntax for type integer: "a"
SELECT abs(name) FROM emp
    42883 8 function abs(character varying) does not exist
SELECT abs(active) FROM emp
    42883 8 function abs(boolean) does not exist
SELECT sum(name) FROM emp
    42883 8 function sum(character varying) does not exist
SELECT avg(active) FROM emp
    42883 8 function avg(boolean) does not exist
SELECT sum(*) FROM emp
    42883 8 function sum() does not exist
SELECT sum() FROM emp
    42883 8 function sum() does not exist
SELECT count() FROM emp
    42809 8 count(*) must be used to call a parameterless aggregate function
SELECT max(active) FROM emp
    42883 8 function max(boolean) does not exist
SELECT lower(DISTINCT name) FROM emp
    42809 8 DISTINCT specified, but lower is not an aggregate function
SELECT lower(*) FROM emp
    42883 8 function lower() does not exist
SELECT lower(name ORDER BY name) FROM emp
    42809 8 ORDER BY specified, but lower is not an aggregate function
SELECT lower(name) FILTER (WHERE true) FROM emp
    42809 8 FILTER specified, but lower is not an aggregate function
SELECT lower(name) OVER () FROM emp
    42809 8 OVER specified, but lower is not a window function nor an aggregate function
SELECT row_number() FROM emp
    42809 8 window function row_number requires an OVER clause
SELECT rank() FROM emp
    42809 8 window function rank requires an OVER clause
SELECT name, count(*) FROM emp
    42803 8 column "emp.name" must appear in the GROUP BY clause or be used in an aggregate function
SELECT name, count(*) FROM emp GROUP BY dept_id
    42803 8 column "emp.name" must appear in the GROUP BY clause or be used in an aggregate function
SELECT salary FROM emp GROUP BY name
    42803 8 column "emp.salary" must appear in the GROUP BY clause or be used in an aggregate function
SELECT id + salary FROM emp GROUP BY name
    42803 8 column "emp.id" must appear in the GROUP BY clause or be used in an aggregate function
SELECT e.salary FROM emp e GROUP BY e.dept_id
    42803 8 column "e.salary" must appear in the GROUP BY clause or be used in an aggregate function
SELECT count(*) FROM emp HAVING name = 'x'
    42803 33 column "emp.name" must appear in the GROUP BY clause or be used in an aggregate function
SELECT count(*) FROM emp ORDER BY name
    42803 35 column "emp.name" must appear in the GROUP BY clause or be used in an aggregate function
SELECT dept_id FROM emp GROUP BY dept_id ORDER BY salary
    42803 51 column "emp.salary" must appear in the GROUP BY clause or be used in an aggregate function
SELECT dept_id FROM emp GROUP BY dept_id HAVING salary > 1
    42803 49 column "emp.salary" must appear in the GROUP BY clause or be used in an aggregate function
SELECT d.name, e.name FROM emp e JOIN dept d ON e.dept_id = d.id GROUP BY d.id
    42803 16 column "e.name" must appear in the GROUP BY clause or be used in an aggregate function
SELECT (SELECT e.name) FROM emp e GROUP BY e.dept_id
    42803 16 subquery uses ungrouped column "e.name" from outer query
SELECT count(*) FROM emp GROUP BY count(*)
    42803 35 aggregate functions are not allowed in GROUP BY
SELECT count(*) FROM emp GROUP BY 1
    42803 8 aggregate functions are not allowed in GROUP BY
SELECT count(count(*)) FROM emp
    42803 14 aggregate function calls cannot be nested
SELECT sum(max(salary)) FROM emp
    42803 12 aggregate function calls cannot be nested
SELECT id FROM emp WHERE count(*) > 1
    42803 26 aggregate functions are not allowed in WHERE
SELECT id FROM emp WHERE sum(salary) > 1
    42803 26 aggregate functions are not allowed in WHERE
SELECT 1 FROM emp e JOIN dept d ON count(*) > 1
    42803 36 aggregate functions are not allowed in JOIN conditions
SELECT sum(salary) OVER () FROM emp WHERE row_number() OVER () = 1
    42P20 43 window functions are not allowed in WHERE
SELECT dept_id FROM emp GROUP BY row_number() OVER ()
    42P20 34 window functions are not allowed in GROUP BY
SELECT dept_id FROM emp GROUP BY dept_id HAVING row_number() OVER () = 1
    42P20 49 window functions are not allowed in HAVING
SELECT sum(row_number() OVER ()) FROM emp
    42803 12 aggregate function calls cannot contain window function calls
SELECT sum(sum(salary) OVER ()) OVER () FROM emp
    42P20 12 window function calls cannot be nested
SELECT name FROM emp GROUP BY 3
    42P10 31 GROUP BY position 3 is not in select list
SELECT name FROM emp GROUP BY 0
    42P10 31 GROUP BY position 0 is not in select list
SELECT name FROM emp ORDER BY 2
    42P10 31 ORDER BY position 2 is not in select list
SELECT name FROM emp ORDER BY 0
    42P10 31 ORDER BY position 0 is not in select list
SELECT name FROM emp ORDER BY -1
    42P10 31 ORDER BY position -1 is not in select list
SELECT name FROM emp ORDER BY 'x'
    42601 31 non-integer constant in ORDER BY
SELECT name FROM emp GROUP BY 'x'
    42601 31 non-integer constant in GROUP BY
SELECT name FROM emp ORDER BY 1.5
    42601 31 non-integer constant in ORDER BY
SELECT name FROM emp ORDER BY nope
    42703 31 column "nope" does not exist
SELECT name AS a, id AS a FROM emp ORDER BY a
    42702 45 ORDER BY "a" is ambiguous
SELECT name AS a FROM emp ORDER BY a || 'x'
    42703 36 column "a" does not exist
SELECT name AS a FROM emp WHERE a = 'x'
    42703 33 column "a" does not exist
SELECT name AS a FROM emp HAVING a = 'x'
    42703 34 column "a" does not exist
SELECT DISTINCT name FROM emp ORDER BY salary
    42P10 40 for SELECT DISTINCT, ORDER BY expressions must appear in select list
SELECT DISTINCT ON (name) name FROM emp ORDER BY salary
    42P10 21 SELECT DISTINCT ON expressions must match initial ORDER BY expressions
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM c), c AS (SELECT * FROM a) SELECT * FROM a
    0A000 16 mutual recursion between WITH items is not implemented
WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a
    42P01 26 relation "b" does not exist
SELECT DISTINCT ON (nope) name FROM emp
    42703 21 column "nope" does not exist
SELECT name FROM emp LIMIT 'x'
    22P02 28 invalid input syntax for type bigint: "x"
SELECT name FROM emp LIMIT name
    42804 28 argument of LIMIT must be type bigint, not type character varying
SELECT name FROM emp LIMIT id
    42P10 28 argument of LIMIT must not contain variables
SELECT name FROM emp OFFSET true
    42804 29 argument of OFFSET must be type bigint, not type boolean
SELECT name FROM emp LIMIT count(*)
    42803 28 aggregate functions are not allowed in LIMIT
SELECT CASE WHEN id THEN 1 END FROM emp
    42804 18 argument of CASE/WHEN must be type boolean, not type integer
SELECT CASE WHEN true THEN 1 ELSE name END FROM emp
    42804 28 CASE types character varying and integer cannot be matched
SELECT CASE WHEN true THEN hired ELSE salary END FROM emp
    42804 28 CASE types numeric and date cannot be matched
SELECT CASE name WHEN 1 THEN 2 END FROM emp
    42883 18 operator does not exist: character varying = integer
SELECT CASE id WHEN 'x' THEN 2 END FROM emp
    22P02 21 invalid input syntax for type integer: "x"
SELECT COALESCE(id, name) FROM emp
    42804 21 COALESCE types integer and character varying cannot be matched
SELECT COALESCE(1, 'x')
    22P02 20 invalid input syntax for type integer: "x"
SELECT GREATEST(id, hired) FROM emp
    42804 21 GREATEST types integer and date cannot be matched
SELECT LEAST(1, true)
    42804 17 LEAST types integer and boolean cannot be matched
SELECT NULLIF(id, name) FROM emp
    42883 8 operator does not exist: integer = character varying
SELECT NULLIF(hired, 1) FROM emp
    42883 8 operator does not exist: date = integer
SELECT name FROM emp WHERE id IN ('a')
    22P02 35 invalid input syntax for type integer: "a"
SELECT name FROM emp WHERE id IN (1, 'a')
    22P02 38 invalid input syntax for type integer: "a"
SELECT name FROM emp WHERE id IN (1, true)
    42883 31 operator does not exist: integer = boolean
SELECT name FROM emp WHERE id IN (SELECT name FROM dept)
    42883 31 operator does not exist: integer = text
SELECT name FROM emp WHERE id IN (SELECT id, name FROM dept)
    42601 31 subquery has too many columns
SELECT name FROM emp WHERE (id, name) IN (SELECT id FROM dept)
    42601 39 subquery has too few columns
SELECT name FROM emp WHERE (id, name) = (1, 2, 3)
    42601 39 unequal number of entries in row expressions
SELECT name FROM emp WHERE (id, name) = (name, id)
    42883 39 operator does not exist: integer = character varying
SELECT name FROM emp WHERE id = (SELECT id, name FROM dept)
    42601 33 subquery must return only one column
SELECT (SELECT id, name FROM dept)
    42601 8 subquery must return only one column
SELECT name FROM emp WHERE id BETWEEN 1 AND true
    42883 31 operator does not exist: integer <= boolean
SELECT name FROM emp WHERE hired BETWEEN 1 AND 2
    42883 34 operator does not exist: date >= integer
SELECT name FROM emp WHERE id LIKE 'a%'
    42883 31 operator does not exist: integer ~~ unknown
SELECT name FROM emp WHERE name LIKE 1
    42883 33 operator does not exist: character varying ~~ integer
SELECT name FROM emp WHERE id IS TRUE
    42804 28 argument of IS TRUE must be type boolean, not type integer
SELECT name FROM emp WHERE name IS NOT UNKNOWN
    42804 28 argument of IS NOT UNKNOWN must be type boolean, not type character varying
SELECT name FROM emp WHERE id IS DISTINCT FROM active
    42883 31 operator does not exist: integer = boolean
SELECT name FROM emp WHERE id = ANY(1)
    42809 31 op ANY/ALL (array) requires array on right side
SELECT name FROM emp WHERE id = ANY(ARRAY['a','b'])
    42883 31 operator does not exist: integer = text
SELECT name FROM emp WHERE id = ANY(ARRAY[true])
    42883 31 operator does not exist: integer = boolean
SELECT ARRAY[1, 'x']
    22P02 17 invalid input syntax for type integer: "x"
SELECT ARRAY[1, true]
    42804 17 ARRAY types integer and boolean cannot be matched
SELECT ARRAY[]
    42P18 8 cannot determine type of empty array
SELECT id[1] FROM emp
    42804 8 cannot subscript type integer because it does not support subscripting
SELECT ('{}'::int[])[1][2][3][4][5][6][7]
    54000 - number of array dimensions (7) exceeds the maximum allowed (6)
SELECT name COLLATE "nope" FROM emp
    42704 13 collation "nope" for encoding "UTF8" does not exist
SELECT id COLLATE "C" FROM emp
    42804 11 collations are not supported by type integer
SELECT 1 FROM emp WHERE id + 1
    42804 25 argument of WHERE must be type boolean, not type integer
SELECT 1 FROM emp WHERE salary * 2 + 1
    42804 25 argument of WHERE must be type boolean, not type numeric
SELECT COALESCE(id + 1, active AND true) FROM emp
    42804 25 COALESCE types integer and boolean cannot be matched
SELECT CASE WHEN id + 1 THEN 1 END FROM emp
    42804 18 argument of CASE/WHEN must be type boolean, not type integer
SELECT id + 1 FROM emp UNION SELECT name || 'x' FROM dept
    42804 37 UNION types integer and text cannot be matched
INSERT INTO emp (hired) VALUES (1 + 1)
    42804 33 column "hired" is of type date but expression is of type integer
INSERT INTO emp (id) SELECT name || 'x' FROM dept
    42804 29 column "id" is of type integer but expression is of type text
UPDATE emp SET hired = id + 1
    42804 24 column "hired" is of type date but expression is of type integer
UPDATE emp SET active = abs(id)
    42804 25 column "active" is of type boolean but expression is of type integer
SELECT 1 FROM emp LIMIT 1 + id
    42P10 29 argument of LIMIT must not contain variables
SELECT 1 FROM emp LIMIT 'x' || 'y'
    42804 25 argument of LIMIT must be type bigint, not type text
SELECT (id + 1)::date FROM emp
    42846 16 cannot cast type integer to date
SELECT CAST(id + 1 AS date) FROM emp
    42846 8 cannot cast type integer to date
SELECT ARRAY[id + 1, active AND true] FROM emp
    42804 22 ARRAY types integer and boolean cannot be matched
SELECT 1 FROM emp WHERE COALESCE(id, 1)
    42804 25 argument of WHERE must be type boolean, not type integer
SELECT 1 FROM emp WHERE abs(id)
    42804 25 argument of WHERE must be type boolean, not type integer
SELECT 1 FROM emp WHERE id::text
    42804 25 argument of WHERE must be type boolean, not type text
SELECT NOT (id + 1) FROM emp
    42804 13 argument of NOT must be type boolean, not type integer
SELECT id AND id + 1 FROM emp
    42804 8 argument of AND must be type boolean, not type integer
SELECT row(1,2) FROM emp WHERE row(1,2)
    42804 32 argument of WHERE must be type boolean, not type record
SELECT '1'::json = '2'::json
    42883 18 operator does not exist: json = json
SELECT DISTINCT '1'::json
    42883 17 could not identify an equality operator for type json
SELECT '1'::json UNION SELECT '2'::json
    42883 8 could not identify an equality operator for type json
SELECT 1 FROM emp GROUP BY '1'::json
    42883 28 could not identify an equality operator for type json
SELECT 1 FROM emp ORDER BY '1'::json
    42883 28 could not identify an ordering operator for type json
SELECT '1'::json AS j ORDER BY j
    42883 32 could not identify an ordering operator for type json
SELECT '1'::json AS j ORDER BY 1
    42883 32 could not identify an ordering operator for type json
SELECT count(DISTINCT '1'::json)
    42883 23 could not identify an equality operator for type json
SELECT max('1'::json)
    42883 8 function max(json) does not exist
SELECT max('1'::json ORDER BY nothing)
    42883 8 function max(json) does not exist
SELECT percentile_cont('a') WITHIN GROUP (ORDER BY '1'::json)
    42883 8 function percentile_cont(unknown, json) does not exist
SELECT mode() WITHIN GROUP (ORDER BY '1'::json)
    42883 38 could not identify an ordering operator for type json
"#;

#[test]
fn queries_are_refused_as_postgresql_refuses_them() {
    assert_eq!(differences(REFUSED, refusal), "");
}
