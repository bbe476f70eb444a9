-- Statements with parameters, as a driver sends them: prepared without types, then values between bars. Answers stand in
-- parameters.txt.
SELECT title FROM book WHERE id = $1 | 10
SELECT title FROM book WHERE id + 1 = $1 | 12
SELECT title FROM book WHERE $1 > id ORDER BY id | 12
SELECT id FROM book WHERE price > $1 ORDER BY id | 9.99
SELECT id FROM book WHERE price * 2 <= $1 ORDER BY id | 19.80
SELECT id FROM book WHERE title = $1 | Villette
SELECT id FROM book WHERE title LIKE $1 || '%' | Cos
SELECT id FROM book WHERE published < $1 ORDER BY id | 1850-01-01
SELECT id FROM book WHERE published + 1 = $1 | 1965-11-16
SELECT id FROM book WHERE rating = $1 | 4.25
SELECT id FROM book WHERE isbn = $1 | 9780000000011
SELECT id FROM book WHERE pages BETWEEN $1 AND $2 ORDER BY id | 100 | 500
SELECT id FROM book WHERE id IN ($1, $2, $3) ORDER BY id | 10 | 13 | 99
SELECT id FROM book WHERE id = ANY($1) ORDER BY id | {10,12}
SELECT name FROM author WHERE alive = $1 | true
SELECT name FROM author WHERE NOT $1 OR id = 1 ORDER BY id | t
SELECT id FROM loan WHERE taken >= $1 ORDER BY id | 2024-04-01 10:00:00.25
SELECT id FROM loan WHERE due > $1 ORDER BY id | 2024-04-15 00:00:00+00
SELECT id FROM loan WHERE kept > $1 ORDER BY id | 12 days
SELECT id FROM loan WHERE fee < $1 ORDER BY id | 0.15
SELECT note FROM reading WHERE place = $1 | 7d444840-9dc0-11d1-b245-5ffdce74fad2
SELECT at FROM reading WHERE mark = $1 | \x00ff
SELECT at FROM reading WHERE at < $1 | 12:00
SELECT tags ->> $1 FROM book WHERE id = 10 | lang
SELECT id FROM book WHERE tags @> $1 ORDER BY id | {"lang": "en"}
SELECT $1::int + 1 | 41
SELECT $1 + 1 | 41
SELECT $1 || 'x' | y
SELECT $1::text, $2::numeric, $3::boolean | a | 1.50 | f
SELECT coalesce($1, 7) | 3
SELECT CASE WHEN $1 THEN 'a' ELSE 'b' END | false
SELECT $1 = 1, 2 > $2 | 1 | 5
SELECT round($1, 1) | 2.55
SELECT upper($1), length($2) | abc | abcd
SELECT date_trunc($1, timestamp '2024-05-06 07:08') | month
SELECT timestamp '2024-05-06' + $1 | 1 day
SELECT now() - $1 < now() | 1 day
SELECT sum(id) = $1 FROM author | 10
SELECT author_id FROM book GROUP BY author_id HAVING count(*) > $1 | 1
SELECT id FROM book ORDER BY id LIMIT $1 OFFSET $2 | 2 | 1
SELECT n FROM (VALUES (1), (2)) AS t(n) WHERE n = $1 | 2
SELECT g FROM generate_series(1, $1) AS g | 3
WITH t AS (SELECT id AS k FROM author) SELECT k FROM t WHERE k < $1 ORDER BY k | 3
WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < $1) SELECT n FROM t | 3
SELECT a.name, s.n FROM author a, LATERAL (SELECT count(*) AS n FROM book WHERE author_id = a.id AND id > $1) s ORDER BY a.id | 11
INSERT INTO author (id, name, born) VALUES ($1, $2, $3) RETURNING id, name, born, alive | 77 | Zed | 1999-12-31
INSERT INTO book (id, title, price, tags) VALUES ($1, $2, $3, $4) RETURNING price, tags | 77 | T | 3.456 | {"b":1,"a":2}
UPDATE book SET price = price + $1 WHERE id = $2 RETURNING price | 0.5 | 10
UPDATE book SET price = $1 WHERE id = 10 RETURNING price | NULL
DELETE FROM book WHERE id > $1 RETURNING id | 13
SELECT $1 | untyped
SELECT $2::int | 1 | 2
SELECT title FROM book WHERE id = $1 | x
SELECT title FROM book WHERE id = $1 AND title = $1 | 10
SELECT $1::smallint | 40000
SELECT 1 / $1 | 0
SELECT id FROM book WHERE nope = $1 | 1
SELECT $1::json -> 'a' | {"a": [1]}
SELECT $1::bytea, $2::uuid | \x0102 | 7d444840-9dc0-11d1-b245-5ffdce74fad2
SELECT $1::int[], $2::text[] | {1,NULL} | {a,"b c"}
SELECT $1::timestamptz, $2::date, $3::time, $4::interval | 2024-05-06 07:08:09.5+02 | 2024-02-29 | 12:34:56 | 1 mon -2 days 03:00:00
SELECT $1::real, $2::float8, $3::bigint, $4::char(3) | 0.1 | 1e300 | -9223372036854775808 | ab
SELECT $1::timestamptz[], $2::numeric(5,2)[], $3::bytea[], $4::varchar(3)[] | {2024-05-06 07:08:09.5+02,NULL} | {1.005,2} | {"\\x00ff"} | {abc,NULL}
SELECT $1::int[] @> $2, $1 && $2, $1 || $2, $1 < $2 | {1,2} | {2}
SELECT ($1::text[])[$2], ($1::text[])[$2:], cardinality($1::text[]) | {a,b,"c d"} | 2
SELECT u.* FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS u(a, b, n) | {1,2,3} | {x,NULL}
SELECT $1::interval[], $2::date[], $3::float8[], $4::bool[], $5::uuid[], $6::jsonb[] | {1 day,NULL} | {0044-03-15 BC,infinity} | {0.1,NaN} | {t,f} | {7d444840-9dc0-11d1-b245-5ffdce74fad2} | {"{\"b\": 1}"}
SELECT $1::int[] | {1,x}
