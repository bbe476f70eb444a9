-- Statements whose answers stand in cases.txt, as PostgreSQL 15 gave them; record.sh writes that anew. Each case is a
-- line, and runs in a transaction of its own that is rolled back, on the tables of setup.sql.

-- integers
SELECT 17 / 5, -17 / 5, 17 % -5, 5 % 3
SELECT 1 / (SELECT count(*) FROM author WHERE id > 99)
SELECT pages * 1000 FROM book WHERE id = 12
SELECT pages * 100::smallint FROM book WHERE id = 12
SELECT 9223372036854775807 + 1
SELECT -2147483648, -9223372036854775808, 9223372036854775808
SELECT 12 & 10, 12 | 3, 12 # 10, ~0, 1 << 5, -32 >> 2
SELECT abs(-2147483648)
SELECT abs(-7::smallint), sign(-3), mod(11, 4), div(11, 4)
SELECT gcd(84, 36), lcm(4, 6), factorial(10)
SELECT factorial(-1)
SELECT '  42 '::int, '-0'::int, '+7'::bigint
SELECT '4 2'::int
SELECT '99999'::smallint
SELECT ''::int
SELECT 2.5::int, 3.5::int, -2.5::int, 0.5::smallint
SELECT 1e10::int
SELECT 7::int2 + 7::int8, pg_typeof(7::int2 + 7::int4)
SELECT int4 '5' ^ 2, 2 ^ -1, 0 ^ 0
SELECT to_hex(255), to_hex(-1)
SELECT 5 / 0.0
SELECT width_bucket(5.35, 0.024, 10.06, 5), width_bucket(0, ARRAY[1, 5, 9]), width_bucket(5, ARRAY[1, 5, 9])
SELECT 3 BETWEEN 1 AND 3, 3 NOT BETWEEN 4 AND 9, 3 BETWEEN SYMMETRIC 9 AND 1
SELECT 1 = 1.0, 1 < 1.5, 2 > 1.5::real
SELECT greatest(3, NULL, 7), least(3, NULL, 7), greatest(NULL, NULL)

-- numeric
SELECT 1.0 / 3, 10 / 4.0, 2::numeric / 3, 1.10 + 2.20, 1.5 * 1.5
SELECT 0.1 + 0.2 = 0.3, 0.1::float8 + 0.2::float8 = 0.3::float8
SELECT round(2.5), round(-2.5), round(2.345, 2), round(1234.5, -2)
SELECT trunc(2.99), trunc(-2.99, 1), ceil(2.01), floor(-2.01)
SELECT price, price * 3, price / 7 FROM book ORDER BY id
SELECT sum(price), avg(price), min(price), max(price), count(price) FROM book
SELECT '12.3456'::numeric(6,2), 1e3::numeric, 1.5e-3, 1000000::numeric
SELECT 12345.678::numeric(5,2)
SELECT 'NaN'::numeric, 'Infinity'::numeric, '-inf'::numeric, 'NaN'::numeric = 'NaN'::numeric
SELECT 'nan'::numeric > 1e100, 'Infinity'::numeric - 'Infinity'::numeric
SELECT 1::numeric / 0
SELECT sqrt(2::numeric), exp(1.0), ln(10.0), log(1000.0), log(2.0, 64.0), power(2.0, 0.5)
SELECT sqrt(-1.0)
SELECT ln(0.0)
SELECT scale(1.500), min_scale(1.500), trim_scale(1.500)
SELECT 123456789012345678901234567890 * 987654321098765432109876543210
SELECT 0.00000000000000000001 + 1, -0.0, 00.10
SELECT to_char(1234.5, '9,999.99'), to_char(-0.5, 'FM0.00'), to_char(5, '000'), to_char(1e6, '9.99EEEE')
SELECT to_char(485, 'RN'), to_char(12, '99th'), to_char(-7, '9PR'), to_char(3.14, 'S9.9')
SELECT to_number('1,234.50', '9,999.99'), to_number('-7', 'S9')
SELECT 'abc'::numeric
SELECT '1_000'::numeric
SELECT 10::numeric % 3.3, mod(-7.5, 2), div(7.5, 2)
SELECT numeric '1.50' = numeric '1.5', numeric '1.50'::text = numeric '1.5'::text
SELECT count(DISTINCT v) FROM (VALUES (1.0), (1.00), (2)) AS t(v)
SELECT sum(v), avg(v) FROM (VALUES (0.1), (0.2), (0.30)) AS t(v)
SELECT stddev(v), variance(v), stddev_pop(v), var_pop(v) FROM (VALUES (1), (2), (4)) AS t(v)
SELECT 1.23::real, 1.23::float8, 1e400
SELECT '1e400'::float8
SELECT cast(1.9 AS numeric(3)), 99.95::numeric(3,1)
SELECT 4.35 * 100, 1.1::numeric(3,1) || ''
SELECT random() BETWEEN 0 AND 1, pi(), degrees(pi()), radians(90)

-- floats
SELECT 0.1::real, 0.1::double precision, 1e-5::real, 123456789::real
SELECT rating, rating * 2, rating + 0.1 FROM book ORDER BY id
SELECT fee, fee / 3, fee * fee FROM loan ORDER BY id
SELECT 'Infinity'::float8, '-Infinity'::float8, 'NaN'::float8, 'NaN'::float8 > 'Infinity'::float8
SELECT 1::float8 / 0
SELECT 1e308::float8 * 10
SELECT 1e-320::float8 / 1e10
SELECT round(0.5::float8), round(1.5::float8), round(-0.5::float8), trunc(-1.5::float8)
SELECT sqrt(16::float8), cbrt(8), power(2::float8, 10), exp(0::float8), ln(1::float8)
SELECT sin(0), cos(0), tan(0), asin(1), acos(1), atan(1), atan2(1, 1)
SELECT sind(30), cosd(60), tand(45), sinh(1), cosh(0), tanh(0)
SELECT acos(2)
SELECT 1.5::float8::int, 2.5::float8::int, -1.5::float8::int
SELECT 1e20::float8::bigint
SELECT 100000000000000000000::float8, 1e15::float8, 1e16::float8, 0.0001::float8, 0.00001::float8
SELECT 1.5::real = 1.5, 0.1::real = 0.1
SELECT avg(rating), sum(rating) FROM book
SELECT corr(x, y), covar_pop(x, y), regr_slope(y, x), regr_intercept(y, x), regr_count(y, x) FROM (VALUES (1, 2), (2, 4), (3, 7)) AS t(x, y)
SELECT 'x'::float8
SELECT float8 '-0' = 0, sign(-2.5::float8)

-- booleans and NULL
SELECT true AND NULL, false AND NULL, true OR NULL, NOT NULL::boolean
SELECT 'yes'::boolean, 'off'::boolean, '1'::boolean, ' t '::boolean
SELECT 'maybe'::boolean
SELECT true::int, 0::boolean, 1::boolean::text
SELECT alive, NOT alive, alive = true FROM author ORDER BY id
SELECT count(*) FROM author WHERE alive IS NOT TRUE
SELECT NULL IS NULL, 1 IS NOT NULL, NULL = NULL, (1, NULL) IS NULL, (1, NULL) IS NOT NULL
SELECT 1 IS DISTINCT FROM NULL, NULL IS NOT DISTINCT FROM NULL
SELECT coalesce(NULL, NULL, 3), nullif(4, 4), nullif(4, 5)
SELECT coalesce(price, 0), coalesce(isbn, 'none') FROM book ORDER BY id
SELECT title FROM book WHERE price <> 9.90 ORDER BY id
SELECT title FROM book WHERE author_id NOT IN (1, 2) ORDER BY id
SELECT title FROM book WHERE author_id NOT IN (1, NULL) ORDER BY id
SELECT 1 WHERE NULL
SELECT CASE WHEN NULL THEN 'a' ELSE 'b' END, CASE 3 WHEN 1 THEN 'x' WHEN 3 THEN 'y' END
SELECT CASE WHEN price > 10 THEN 'dear' WHEN price > 0 THEN 'cheap' ELSE 'free' END FROM book ORDER BY id
SELECT bool_and(alive), bool_or(alive), every(alive) FROM author
SELECT id FROM book ORDER BY price NULLS FIRST, id
SELECT id FROM book ORDER BY price DESC, id
SELECT id FROM book ORDER BY price DESC NULLS LAST, id
SELECT 1 + true
SELECT true > false, true = 't'
SELECT id FROM author WHERE id
SELECT num_nulls(1, NULL, 'a'), num_nonnulls(1, NULL, 'a')

-- texts
SELECT 'a' || 'b', 'a' || 1, 2.50 || 'x', 'a' || NULL, 'q' || true
SELECT length('Brontë'), octet_length('Brontë'), bit_length('ab'), char_length('')
SELECT upper('brontë'), lower('ÀÉ'), initcap('two words-here')
SELECT substring('abcdef' FROM 2 FOR 3), substring('abcdef', 4), substr('abcdef', -1, 4), substring('abcdef' FOR 2)
SELECT substring('abc' FROM 2 FOR -1)
SELECT left('abcdef', 2), left('abcdef', -2), right('abcdef', 3), right('abcdef', -4)
SELECT lpad('7', 3, '0'), rpad('ab', 5, 'xy'), lpad('abcdef', 3)
SELECT trim('  a '), ltrim('xxabx', 'x'), rtrim('abxx', 'x'), btrim('xyaxy', 'xy'), trim(LEADING 'z' FROM 'zzaz')
SELECT rtrim('a  ') || '|', trim(TRAILING FROM ' b ') || '|'
SELECT position('c' IN 'abcabc'), strpos('abc', 'z'), overlay('abcdef' PLACING 'XX' FROM 3 FOR 2)
SELECT replace('banana', 'an', 'x'), translate('12345', '143', 'ax'), reverse('abc'), repeat('ab', 3)
SELECT split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), split_part('a,b,c', ',', 9)
SELECT split_part('a,b', ',', 0)
SELECT starts_with('abc', 'ab'), 'abc' ^@ 'b', ascii('ë'), chr(235), chr(65)
SELECT chr(0)
SELECT md5('abc'), encode(sha256('abc'), 'hex')
SELECT quote_ident('a b'), quote_ident('ab'), quote_literal('it''s'), quote_nullable(NULL)
SELECT format('%s has %L and %I', 'a', 'b''c', 'd e'), format('%2$s %1$s', 'a', 'b'), format('%-5s|%5s|', 'a', 'b'), format('100%%')
SELECT format('%d', 1)
SELECT concat('a', NULL, 1, true), concat_ws('-', 'a', NULL, 'b'), concat_ws(NULL, 'a', 'b')
SELECT concat_ws(',', VARIADIC ARRAY['x', 'y', NULL]), concat(VARIADIC '{1,2}'::int[])
SELECT 'abc' LIKE 'a%', 'abc' LIKE '_b_', 'a%c' LIKE 'a\%c', 'ABC' ILIKE 'a%', 'abc' NOT LIKE 'b%'
SELECT 'a_c' LIKE 'a!_c' ESCAPE '!', 'abc' LIKE 'a!_c' ESCAPE '!'
SELECT 'abc' SIMILAR TO '(a|z)b?c', 'abc' SIMILAR TO 'ab'
SELECT 'abc123' ~ '\d+$', 'ABC' ~* 'abc', 'abc' !~ '^b', 'abc' !~* 'B'
SELECT regexp_replace('a1b22', '\d+', '#', 'g'), regexp_replace('abc', '(b)', '<\1>'), regexp_match('k=v', '(\w)=(\w)')
SELECT regexp_matches('aXbX', '[a-z]X', 'g')
SELECT regexp_split_to_array('a, b,c', ',\s*'), regexp_count('banana', 'a'), regexp_substr('x12y', '\d+'), regexp_instr('abc', 'c')
SELECT 'a' ~ '('
SELECT substring('x=42;' FROM '=(\d+)'), substring('abcdefg' SIMILAR 'a#"%#"g' ESCAPE '#')
SELECT string_to_array('1,2,,3', ','), string_to_array('a b', ' ', 'b'), array_to_string(ARRAY['a', NULL, 'c'], '-', '*')
SELECT 'a' < 'B', 'a' < 'b', 'Z' < 'a', 'é' > 'z'
SELECT 'abc' = 'abc  ', 'abc'::char(5) = 'abc', 'abc'::char(5) || '|', length('ab'::char(5))
SELECT 'toolong'::varchar(3), 'toolong'::char(3), 'x'::char(4)
SELECT E'a\tb\\n\x41\u00e9', U&'\00e9', $$it's$$, $t$a$$b$t$
SELECT 'one' 'two'
SELECT isbn, length(isbn), isbn || '.' FROM book WHERE id IN (10, 12) ORDER BY id
SELECT title FROM book WHERE title > 'N' ORDER BY title DESC
SELECT string_agg(title, ', ' ORDER BY title), string_agg(DISTINCT left(title, 1), '') FROM book
SELECT note, length(note), encode(mark, 'hex'), mark FROM reading ORDER BY at
SELECT 'x'::name, 'a'::"char", octet_length('\x0102'::bytea)
SELECT to_char(123, '999') || to_char(date '2024-05-06', 'YYYY')
SELECT normalize(U&'e\0301', NFC) = U&'\00e9', unistr('\00e9'), 'a' IS NFC NORMALIZED, U&'e\0301' IS NOT NORMALIZED
SELECT parse_ident('"Some".thing')
SELECT string_to_table('a,b', ',')

-- bytes
SELECT '\x4142'::bytea, 'a\\b'::bytea, E'\\000'::bytea
SELECT encode('\xdeadbeef', 'hex'), encode('\xdeadbeef', 'base64'), encode('\x00ff', 'escape')
SELECT decode('3q2+7w==', 'base64'), decode('ff', 'hex')
SELECT decode('f', 'hex')
SELECT length('\x0102'::bytea), substring('\x010203'::bytea FROM 2), '\x01'::bytea || '\x02'::bytea
SELECT get_byte('\x0102'::bytea, 1), set_byte('\x0102'::bytea, 0, 255), get_bit('\x01'::bytea, 0)
SELECT get_byte('\x01'::bytea, 5)
SELECT '\xff'::bytea > '\x01ff'::bytea, position('\x02'::bytea IN '\x0102'::bytea)
SELECT convert_from('\xc3ab', 'UTF8'), convert_to('ë', 'LATIN1')
SELECT convert_from('\xff', 'UTF8')
SELECT '\xzz'::bytea
SELECT md5('\x00'::bytea), trim('\x00'::bytea FROM '\x000100'::bytea)

-- dates and times
SELECT '2024-02-29'::date, date 'Feb 3 2021', '20210304'::date, '2021-1-2'::date
SELECT '2023-02-29'::date
SELECT '13/13/2020'::date
SELECT 'nonsense'::date
SELECT date '2024-03-01' - 1, date '2024-03-01' - date '2024-02-01', date '2024-01-31' + interval '1 month'
SELECT born, born + 1, extract(year FROM born), extract(dow FROM born) FROM author ORDER BY id
SELECT published - born FROM book JOIN author ON author.id = author_id ORDER BY book.id
SELECT 'infinity'::date, '-infinity'::timestamp, isfinite(date '2024-01-01')
SELECT timestamp '2024-01-31 12:34:56.789', '2024-01-31T12:34'::timestamp, timestamp(0) '2024-01-31 12:34:56.5'
SELECT timestamptz '2024-07-01 12:00+02', '2024-07-01 12:00 Europe/Berlin'::timestamptz, '2024-07-01 12:00Z'::timestamptz
SELECT timestamp '2024-07-01 12:00' AT TIME ZONE 'Europe/Berlin', timestamptz '2024-07-01 12:00Z' AT TIME ZONE 'Asia/Tokyo'
SELECT timestamp '2024-01-01' AT TIME ZONE 'Nowhere/Else'
SELECT extract(epoch FROM timestamptz '2024-01-01Z'), extract(week FROM date '2024-12-30'), extract(isoyear FROM date '2024-12-30'), extract(quarter FROM date '2024-05-01')
SELECT extract(microseconds FROM time '01:02:03.5'), extract(doy FROM date '2024-12-31'), extract(century FROM date '2000-01-01'), extract(millennium FROM date '2001-01-01')
SELECT extract(hour FROM date '2024-01-01')
SELECT extract(fortnight FROM date '2024-01-01')
SELECT date_part('month', timestamp '2024-05-06'), date_trunc('hour', timestamp '2024-05-06 07:08:09'), date_trunc('week', date '2024-05-09')
SELECT date_trunc('decade', timestamp '2024-05-06'), date_trunc('quarter', timestamptz '2024-05-06Z')
SELECT date_bin('15 minutes', timestamp '2024-05-06 07:08:09', timestamp '2024-01-01')
SELECT age(timestamp '2024-03-01', timestamp '2023-12-25'), age(date '2000-02-29', date '1999-01-31')
SELECT interval '1 year 2 months 3 days 4:05:06', interval '-1 day', interval '36 hours', interval '1.5 months'
SELECT interval 'P1Y2M3DT4H5M6S', interval '1-2', interval '5' HOUR, interval '1 2:03' DAY TO MINUTE
SELECT interval '1 day' * 2.5, interval '1 month' / 4, interval '3 days' + interval '25 hours', -interval '1 day'
SELECT interval '1 month' = interval '30 days', interval '24 hours' = interval '1 day', interval '1 day' > interval '23:59'
SELECT interval 'x days'
SELECT justify_days(interval '65 days'), justify_hours(interval '50 hours'), justify_interval(interval '1 mon -1 hour')
SELECT make_date(2024, 2, 29), make_time(8, 15, 23.5), make_timestamp(2013, 7, 15, 8, 15, 23.5), make_interval(days => 10, hours => 3)
SELECT make_date(2023, 2, 29)
SELECT to_char(timestamp '2024-05-06 17:08:09.123', 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(date '2024-05-06', 'FMDay, DDth FMMonth YYYY'), to_char(timestamp '2024-05-06 17:08', 'HH12 AM')
SELECT to_char(interval '1 day 02:03:04', 'DD HH24:MI:SS'), to_char(date '2024-12-30', 'IYYY-IW-ID'), to_char(date '2024-05-06', 'Q J CC')
SELECT to_date('05 Dec 2000', 'DD Mon YYYY'), to_timestamp('2024-05-06 07:08', 'YYYY-MM-DD HH24:MI'), to_timestamp(0.5)
SELECT to_date('2024-13-01', 'YYYY-MM-DD')
SELECT time '12:34:56' + interval '90 minutes', time '23:00' - time '01:30', time '24:00'
SELECT time '25:00'
SELECT timetz '12:00+02', timetz '12:00+02' = timetz '10:00+00', timetz '12:00+02' AT TIME ZONE 'UTC'
SELECT taken, taken::date, taken::time, due, due - taken FROM loan ORDER BY id
SELECT sum(kept), avg(kept), min(kept), max(kept) FROM loan
SELECT kept, kept * 2, extract(day FROM kept) FROM loan ORDER BY kept
SELECT timestamp '2024-01-01' < date '2024-01-02', timestamptz '2024-01-01 00:00Z' = timestamp '2024-01-01'
SELECT (date '2024-01-01', date '2024-06-01') OVERLAPS (date '2024-05-01', interval '1 month')
SELECT generate_series(date '2024-01-30', date '2024-02-01', interval '1 day')
SELECT current_date = now()::date, now() = transaction_timestamp(), clock_timestamp() >= now()
SELECT '294276-12-31'::timestamp + interval '1 year'
SELECT '5874898-01-01'::date
SELECT timestamp '2024-03-31 02:30', timestamp 'epoch', date 'epoch'
SELECT '2024-05-06 07:08:09 BC'::timestamp, '0044-03-15 BC'::date
SELECT '10:20 PM'::time, '04:05:06.789-8'::timetz

-- identifiers of rows and addresses
SELECT '7D444840-9DC0-11D1-B245-5FFDCE74FAD2'::uuid, '{7d4448409dc011d1b2455ffdce74fad2}'::uuid
SELECT '7d44'::uuid
SELECT place, place < 'ffffffff-ffff-ffff-ffff-ffffffffffff' FROM reading ORDER BY at
SELECT inet '192.168.1.5/24', cidr '10.0.0.0/8', inet '::1', inet '10.1.2.3' << inet '10.0.0.0/8'
SELECT host(inet '10.0.0.1/8'), masklen(inet '10.0.0.1/8'), network(inet '10.1.2.3/8'), broadcast(inet '10.0.0.1/8'), family(inet '::1')
SELECT cidr '10.0.0.1/8'
SELECT inet '10.0.0.256'
SELECT pg_typeof(1), pg_typeof('a'), pg_typeof(NULL), pg_typeof(now()), pg_typeof(1.5), pg_typeof('{}'::jsonb), pg_typeof(ARRAY[1])

-- JSON
SELECT '{"a": 1,  "b": [1, 2]}'::json, '{"b": [1, 2], "a": 1, "a": 2}'::jsonb
SELECT '{bad}'::json
SELECT '[1, 2'::jsonb
SELECT tags -> 'lang', tags ->> 'lang', tags -> 'copies' -> 0, tags #>> '{copies,1}', tags -> 2 FROM book ORDER BY id
SELECT tags ? 'lang', tags ?| ARRAY['x', 'copies'], tags ?& ARRAY['lang', 'copies'], tags @> '{"lang": "en"}' FROM book ORDER BY id
SELECT '{"a": 1}'::jsonb || '{"b": 2}', '[1]'::jsonb || '2', '{"a": 1, "b": 2}'::jsonb - 'a', '[1, 2, 3]'::jsonb - 1
SELECT '{"a": {"b": 1}}'::jsonb #- '{a,b}', '{"a": [1, 2]}'::jsonb #> '{a,1}', '{"a": null}'::jsonb ->> 'a'
SELECT ('{"a": {"b": [7]}}'::jsonb)['a']['b'][0], ('[1, 2]'::jsonb)[-1], ('5'::jsonb)[0]
SELECT jsonb_set('{"a": 1}', '{b}', '2'), jsonb_set('{"a": [1]}', '{a,0}', '9'), jsonb_insert('[1, 2]', '{1}', '5')
SELECT json_build_object('a', 1, 'b', NULL, 'c', true), json_build_array(1, 'x', 1.50, NULL), jsonb_build_object('d', date '2024-01-01')
SELECT json_build_object('a')
SELECT to_json('x"y'::text), to_jsonb(1.50), to_json(ARRAY[1, 2]), to_json(timestamp '2024-01-01 10:00')
SELECT row_to_json(author) FROM author WHERE id = 2
SELECT json_agg(title ORDER BY id), jsonb_agg(price ORDER BY id) FROM book WHERE id < 13
SELECT json_object_agg(id, name ORDER BY id), jsonb_object_agg(name, id) FROM author WHERE id < 3
SELECT json_typeof('{}'), json_typeof('[]'), jsonb_typeof('1'), jsonb_typeof('null'), jsonb_typeof('"x"'), jsonb_typeof('true')
SELECT json_array_length('[1, [2, 3]]'), jsonb_array_length('[]')
SELECT jsonb_array_length('{}')
SELECT key, value FROM jsonb_each('{"a": 1, "b": "x"}') ORDER BY key
SELECT key, value FROM json_each_text('{"a": 1, "b": null}')
SELECT value FROM jsonb_array_elements('[1, {"a": 2}, null]')
SELECT json_array_elements_text('["x", 1, null]')
SELECT jsonb_object_keys('{"b": 1, "a": 2}')
SELECT jsonb_pretty('{"a": [1, 2], "b": {}}')
SELECT jsonb_strip_nulls('{"a": null, "b": [null]}'), json_strip_nulls('{"a": null}')
SELECT json_extract_path('{"a": {"b": 5}}', 'a', 'b'), jsonb_extract_path_text('{"a": [10, 20]}', 'a', '1')
SELECT '{"a": 1}'::jsonb = '{ "a" : 1.0 }'::jsonb, '[1]'::jsonb < '[2]'::jsonb, '1'::jsonb::int, '"x"'::jsonb #>> '{}'
SELECT '"x"'::jsonb::int
SELECT '1.50'::jsonb, '1e2'::jsonb, '"\u00e9"'::jsonb, '"\u0000"'::json
SELECT '"\u0000"'::jsonb
SELECT b.title, c.value FROM book b, jsonb_array_elements(b.tags -> 'copies') AS c ORDER BY 1, 2
SELECT * FROM json_to_recordset('[{"a": 1, "b": "x"}, {"a": null}]') AS t(a int, b text)
SELECT * FROM jsonb_to_record('{"a": 1, "b": [1, 2], "c": {"x": 1}, "d": "2024-01-05", "e": null}') AS t(a int, b int[], c jsonb, d date, e text, f text)
SELECT * FROM json_to_recordset('[{"a": "x"}]') AS t(a int)
SELECT * FROM json_to_record('{"a": 1}')
SELECT json_object('{a,1,b,2}'), jsonb_object('{a,b}', '{1,2}')
SELECT '{"a": 1}' -> 'a'
SELECT '{"a": {"c": 1}, "b": 2}'::jsonb @> '{"a": {}}', '[1, 2]'::jsonb <@ '[2, 1, 3]'::jsonb

-- arrays and rows
SELECT ARRAY[1, 2, 3], ARRAY['a', NULL], ARRAY[[1, 2], [3, 4]], '{1,2}'::int[], ARRAY[]::text[]
SELECT ARRAY[]
SELECT (ARRAY[5, 6, 7])[2], (ARRAY[5, 6])[9], (ARRAY[1, 2, 3, 4])[2:3], ('{a,b,c}'::text[])[:2]
SELECT array_length(ARRAY[1, 2], 1), cardinality(ARRAY[[1], [2]]), array_ndims(ARRAY[[1]]), array_lower(ARRAY[1], 1), array_upper(ARRAY[1, 2], 1)
SELECT array_append(ARRAY[1], 2), array_prepend(0, ARRAY[1]), array_cat(ARRAY[1], ARRAY[2]), ARRAY[1] || 2, 0 || ARRAY[1], ARRAY[1] || ARRAY[2]
SELECT array_remove(ARRAY[1, 2, 1], 1), array_replace(ARRAY[1, 2], 2, 9), array_position(ARRAY['a', 'b'], 'b'), array_positions(ARRAY[1, 2, 1], 1)
SELECT ARRAY[1, 2] @> ARRAY[2], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1, 2] && ARRAY[2, 3], ARRAY[1, 2] = ARRAY[1, 2], ARRAY[1, 2] < ARRAY[1, 3]
SELECT 2 = ANY (ARRAY[1, 2]), 3 <> ALL (ARRAY[1, 2]), 1 = ANY ('{}'::int[]), NULL = ANY (ARRAY[1])
SELECT unnest(ARRAY[3, 1, 2]) ORDER BY 1
SELECT u.v, u.n FROM unnest(ARRAY['a', 'b']) WITH ORDINALITY AS u(v, n)
SELECT array_agg(id ORDER BY id DESC), array_agg(price ORDER BY id) FROM book
SELECT ARRAY(SELECT name FROM author ORDER BY id)
SELECT '{1,2'::int[]
SELECT '{1,x}'::int[]
SELECT '{"a b",NULL,"NULL","c\"d"}'::text[], ARRAY['a b', 'NULL', '', 'x,y']
SELECT ROW(1, 'a'), (1, NULL), ROW(1, 2) = ROW(1, 2), (1, 2) < (1, 3), (1, NULL) = (1, 2)
SELECT (1, 2) = (1, 2, 3)
SELECT id FROM book WHERE (author_id, pages) IN ((2, 480), (3, 153)) ORDER BY id
SELECT array_fill(7, ARRAY[3]), array_dims(ARRAY[[1, 2]]), array_to_string(ARRAY[1, NULL, 3], ',')
SELECT generate_subscripts(ARRAY[5, 6], 1)
SELECT (ARRAY[1, 2, 3])[2:], (ARRAY[1, 2, 3])[5:9], ('[5:7]={1,2,3}'::int[])[6:7]
SELECT ARRAY[1.0, 2] = ARRAY[1, 2.00], ARRAY['a'] < ARRAY['b', 'a'], ARRAY[1, NULL] = ARRAY[1, NULL]
SELECT format('%s-%s', VARIADIC '{a,b}'::text[]), format('x', VARIADIC NULL::text[])
SELECT ARRAY[1, 'x']
SELECT trim_array(ARRAY[1, 2, 3], 1), ARRAY[1, 2]::text[], ARRAY[1.5, 2]::int[], '{1,2}'::int[]::text[]

-- queries
SELECT b.title, a.name FROM book b JOIN author a ON a.id = b.author_id ORDER BY b.id
SELECT b.title, a.name FROM book b LEFT JOIN author a ON a.id = b.author_id ORDER BY b.id
SELECT a.name, b.title FROM book b RIGHT JOIN author a ON a.id = b.author_id ORDER BY a.id, b.id
SELECT a.name, b.title FROM author a FULL JOIN book b ON a.id = b.author_id AND b.id > 11 ORDER BY a.id, b.id
SELECT count(*) FROM author CROSS JOIN book
SELECT count(*) FROM author, book WHERE author.id = author_id
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS l(k, x) JOIN (VALUES (2, 'c'), (3, 'd')) AS r(k, y) USING (k)
SELECT * FROM (VALUES (1, 'a')) AS l(k, x) NATURAL JOIN (VALUES (1, 'c')) AS r(k, y)
SELECT x.k, j.k FROM ((VALUES (1)) AS l(k) JOIN (VALUES (1)) AS r(m) ON k = m) AS j(k, m), (VALUES (5)) AS x(k)
SELECT id FROM author, book WHERE title = 'Notes'
SELECT a.nothing FROM author a
SELECT nothing.id FROM author
SELECT author.id FROM author a
SELECT * FROM no_such_table
SELECT a.name, (SELECT count(*) FROM book WHERE author_id = a.id) FROM author a ORDER BY a.id
SELECT (SELECT id FROM book)
SELECT (SELECT id, title FROM book)
SELECT name FROM author WHERE EXISTS (SELECT FROM book WHERE author_id = author.id AND price > 10) ORDER BY id
SELECT name FROM author WHERE id IN (SELECT author_id FROM book) ORDER BY id
SELECT name FROM author WHERE id NOT IN (SELECT author_id FROM book)
SELECT name FROM author WHERE id > ALL (SELECT author_id FROM book WHERE author_id IS NOT NULL)
SELECT title FROM book WHERE price = (SELECT max(price) FROM book)
SELECT a.name, last.title FROM author a, LATERAL (SELECT title FROM book WHERE author_id = a.id ORDER BY published DESC LIMIT 1) AS last ORDER BY a.id
SELECT a.name, s.total, s.real, s.bytes FROM author a LEFT JOIN LATERAL (SELECT sum(price) AS total, max(rating) / 3 AS real, '\x00ff'::bytea AS bytes FROM book WHERE author_id = a.id) s ON s.total > 0 ORDER BY a.id
SELECT a.id, g FROM author a, LATERAL generate_series(1, a.id) AS g WHERE a.id < 3 ORDER BY 1, 2
SELECT a.id, l.x, l.y, l.z, l.w FROM author a, LATERAL (SELECT a.id / 3.0 AS x, 1e-310::float8 * a.id AS y, ('\x0' || a.id)::bytea AS z, NULL::int AS w) AS l ORDER BY 1
SELECT a.id, u.v FROM author a, LATERAL (VALUES (a.id), (a.id * 10)) AS u(v) WHERE u.v > 2 ORDER BY 1, 2
SELECT a.id, c.n, d.n FROM author a, LATERAL (SELECT count(*) AS n FROM book WHERE author_id = a.id) AS c, LATERAL (SELECT c.n * 2 AS n) AS d ORDER BY 1
SELECT b.id, l.t FROM author a, book b JOIN LATERAL (SELECT a.name || b.title AS t) AS l ON b.author_id = a.id ORDER BY 1
SELECT a.id FROM author a RIGHT JOIN LATERAL (SELECT a.id AS n) AS l ON true
SELECT id FROM author INTERSECT ALL SELECT author_id FROM book ORDER BY 1
SELECT name, x FROM author, (SELECT name || '!' AS x) AS s
SELECT DISTINCT author_id FROM book ORDER BY author_id
SELECT DISTINCT ON (author_id) author_id, title FROM book ORDER BY author_id, published
SELECT DISTINCT author_id FROM book ORDER BY title
SELECT id FROM book ORDER BY 1 DESC LIMIT 2 OFFSET 1
SELECT id FROM book ORDER BY id FETCH FIRST 2 ROWS ONLY
SELECT id FROM book ORDER BY 5
SELECT id FROM book LIMIT -1
SELECT id AS n FROM book ORDER BY n + 1
SELECT title AS t FROM book WHERE t = 'x'
SELECT 1 UNION SELECT 2 UNION ALL SELECT 2 ORDER BY 1
SELECT 1 UNION SELECT 1.0
SELECT 1 UNION SELECT 'a'
SELECT 1, 2 UNION SELECT 1
SELECT author_id FROM book INTERSECT SELECT id FROM author ORDER BY 1
SELECT id FROM author EXCEPT SELECT author_id FROM book
SELECT id FROM author EXCEPT ALL SELECT author_id FROM book ORDER BY 1
SELECT NULL UNION SELECT 1 ORDER BY 1
(SELECT id FROM author ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM book ORDER BY id LIMIT 1)
VALUES (1, 'a'), (2, NULL)
VALUES (1), (2.5), (NULL)
VALUES (1, 2), (3)
TABLE author
WITH t AS (SELECT 1 AS a) SELECT a, a + 1 FROM t
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n * 2 FROM t WHERE n < 50) SELECT n FROM t
WITH RECURSIVE t AS (SELECT 1 AS n, 'a' AS p UNION ALL SELECT n + 1, p || 'b' FROM t WHERE n < 3) SELECT * FROM t
WITH a AS (SELECT id FROM author), b AS (SELECT count(*) AS c FROM a) SELECT c FROM b
WITH t AS (SELECT 1), t AS (SELECT 2) SELECT 1
SELECT twice FROM priced ORDER BY id
SELECT * FROM priced WHERE twice > 20 ORDER BY id
SELECT 1 AS "Mixed Case", 2 AS select_
SELECT "ID" FROM author
SELECT FROM author
SELECT *
SELECT id, FROM author
SELEC 1
SELECT 'unterminated
SELECT author.* FROM author WHERE author.id = 4
SELECT author FROM author WHERE id = 4
SELECT a.*, 1 FROM (SELECT 1 AS x) AS a
SELECT g FROM generate_series(1, 10, 3) AS g
SELECT * FROM generate_series(3, 1)
SELECT * FROM generate_series(3, 1, NULL::int) WITH ORDINALITY
SELECT generate_series(1, 3), 'x'
SELECT * FROM ROWS FROM (generate_series(1, 2), generate_series(5, 7)) AS t(a, b)
SELECT g FROM generate_series(1, 3, 0) AS g
SELECT title FROM book WHERE 1
SELECT title FROM book WHERE count(*) > 1
SELECT nofunction(1)
SELECT lower(1)
SELECT sum(title) FROM book
SELECT title + 1 FROM book
SELECT id FROM book WHERE title = 1
SELECT current_user = session_user, current_database() = current_catalog, current_schema()

-- groups
SELECT author_id, count(*), sum(pages), avg(price) FROM book GROUP BY author_id ORDER BY author_id
SELECT author_id, count(*) FROM book GROUP BY author_id HAVING count(*) > 1
SELECT author_id, title FROM book GROUP BY author_id
SELECT count(*), count(price), count(DISTINCT author_id) FROM book
SELECT sum(id), max(title) FROM book WHERE id > 99
SELECT count(*) FILTER (WHERE price > 10), sum(pages) FILTER (WHERE id > 11) FROM book
SELECT extract(century FROM published) AS c, count(*) FROM book GROUP BY c ORDER BY c
SELECT author_id, count(*) FROM book GROUP BY 1 ORDER BY 2 DESC, 1
SELECT a.id, a.name, count(b.id) FROM author a LEFT JOIN book b ON b.author_id = a.id GROUP BY a.id ORDER BY a.id
SELECT author_id, price, count(*) FROM book GROUP BY ROLLUP (author_id, price) ORDER BY author_id, price, 3
SELECT author_id, count(*), grouping(author_id) FROM book GROUP BY GROUPING SETS ((author_id), ()) ORDER BY 3, 1
SELECT author_id, alive, count(*) FROM book JOIN author ON author.id = author_id GROUP BY CUBE (author_id, alive) ORDER BY 1, 2
SELECT author_id, count(*), grouping(author_id) FROM book GROUP BY CUBE (author_id) HAVING count(*) > 1 ORDER BY grouping(author_id), author_id
SELECT title, author_id FROM book GROUP BY ROLLUP (author_id)
SELECT grouping(title) FROM book GROUP BY author_id
SELECT 1 FROM author GROUP BY ()
SELECT sum(sum(id)) FROM book
SELECT max(count(*)) FROM book
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY pages), percentile_disc(0.5) WITHIN GROUP (ORDER BY pages), mode() WITHIN GROUP (ORDER BY author_id) FROM book
SELECT percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY pages) FROM book
SELECT bit_and(id), bit_or(id), bit_xor(id) FROM book
SELECT min(born), max(born), min(name), max(alive::text) FROM author
SELECT 1 FROM author HAVING 1 < 2
SELECT count(*) FROM author GROUP BY ()
SELECT sum(1::smallint), pg_typeof(sum(id)), pg_typeof(sum(id::bigint)), pg_typeof(avg(rating)) FROM book
SELECT sum(v) FROM (VALUES (9223372036854775807), (1)) AS t(v)
SELECT array_agg(DISTINCT author_id ORDER BY author_id DESC) FROM book
SELECT string_agg(title, id) FROM book
SELECT count(*) FROM book GROUP BY count(*)
SELECT author_id FROM book GROUP BY author_id ORDER BY title

-- windows
SELECT id, row_number() OVER (ORDER BY id DESC), rank() OVER (ORDER BY author_id), dense_rank() OVER (ORDER BY author_id) FROM book ORDER BY id
SELECT id, sum(pages) OVER (PARTITION BY author_id ORDER BY id), count(*) OVER () FROM book ORDER BY id
SELECT id, lag(title) OVER (ORDER BY id), lead(title, 2, 'none') OVER (ORDER BY id) FROM book ORDER BY id
SELECT id, first_value(id) OVER w, last_value(id) OVER w, nth_value(id, 2) OVER w FROM book WINDOW w AS (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) ORDER BY id
SELECT id, ntile(2) OVER (ORDER BY id), percent_rank() OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM book ORDER BY id
SELECT id, sum(id) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM book ORDER BY id
SELECT id, count(*) OVER (ORDER BY published RANGE BETWEEN '10 years' PRECEDING AND CURRENT ROW) FROM book WHERE published IS NOT NULL ORDER BY id
SELECT id, sum(id) OVER (ORDER BY author_id GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM book ORDER BY id
SELECT author_id, sum(count(*)) OVER (ORDER BY author_id) FROM book GROUP BY author_id ORDER BY 1
SELECT id FROM book WHERE row_number() OVER () = 1
SELECT row_number() FROM book
SELECT sum(id) OVER (ORDER BY id ROWS -1 PRECEDING) FROM book
SELECT id, count(*) OVER (ORDER BY published RANGE BETWEEN '3000 days' PRECEDING AND '12 hours' FOLLOWING) FROM book WHERE published IS NOT NULL ORDER BY id
SELECT id, sum(id) OVER (ORDER BY rating::float8 DESC RANGE BETWEEN 0.25 PRECEDING AND CURRENT ROW) FROM book WHERE rating IS NOT NULL ORDER BY id
SELECT ntile(0) OVER () FROM book
SELECT avg(price) OVER (ORDER BY id ROWS 1 PRECEDING) FROM book ORDER BY id

-- changes
INSERT INTO author VALUES (5, 'Eco') RETURNING *; SELECT count(*) FROM author
INSERT INTO author (id, name) VALUES (1, 'again')
INSERT INTO author (id) VALUES (9)
INSERT INTO author VALUES (9, 'a name that is far too long for its column')
INSERT INTO author VALUES (9, 'x', 'no date')
INSERT INTO author VALUES (1, 2, 3, 4, 5)
INSERT INTO author (id, name, nope) VALUES (9, 'x', 1)
INSERT INTO author (id, id) VALUES (9, 9)
INSERT INTO book (id, author_id, title) VALUES (20, 99, 'x')
INSERT INTO book (id, title, price) VALUES (20, 'x', 1234567)
INSERT INTO book (id, title, price, pages) VALUES (20, 'x', 9.999, 40000)
INSERT INTO book (id, title, price) VALUES (20, 'x', 9.999), (21, 'y', NULL) RETURNING id, price
INSERT INTO book (id, title, isbn) VALUES (20, 'x', '9780000000010')
INSERT INTO author VALUES (1, 'Lovelace') ON CONFLICT (id) DO UPDATE SET name = excluded.name || ' of ' || author.name RETURNING id, name
INSERT INTO author VALUES (1, 'x') ON CONFLICT DO NOTHING RETURNING id
INSERT INTO author VALUES (1, 'x') ON CONFLICT (name) DO NOTHING
INSERT INTO author VALUES (1, 'x') ON CONFLICT DO UPDATE SET name = 'x'
INSERT INTO author SELECT id + 100, name FROM author WHERE id < 3 RETURNING id, alive
INSERT INTO author (id, name, alive) VALUES (7, 'G', DEFAULT) RETURNING alive
INSERT INTO loan DEFAULT VALUES
INSERT INTO loan (book_id, taken) VALUES (10, now()) RETURNING id > 4, due
UPDATE book SET price = price + 1 WHERE author_id = 2 RETURNING id, price
UPDATE book SET price = DEFAULT, title = upper(title) WHERE id = 10 RETURNING price, title
UPDATE book SET (pages, rating) = (1, 2.5) WHERE id = 10 RETURNING pages, rating
UPDATE book SET (pages, rating) = (SELECT 5, 1) WHERE id = 10 RETURNING pages, rating
UPDATE book b SET title = a.name || ': ' || b.title FROM author a WHERE a.id = b.author_id AND b.id < 12 RETURNING b.title
UPDATE book SET nope = 1
UPDATE book SET title = NULL
UPDATE book SET pages = 'x'
UPDATE book SET id = 11 WHERE id = 10
UPDATE book SET pages = pages * 100 WHERE id = 12
UPDATE book SET id = id + 1, id = 3
UPDATE book SET tags['copies'][3] = '9', title = 'T' WHERE id = 13 RETURNING tags
DELETE FROM book WHERE id = 12 RETURNING title; SELECT count(*) FROM book
DELETE FROM book USING author a WHERE a.id = author_id AND a.name = 'Ada' RETURNING book.id, a.name; SELECT count(*) FROM loan
DELETE FROM nowhere
CREATE TABLE made AS SELECT id, title, price FROM book WHERE id < 12; SELECT * FROM made ORDER BY id
SELECT id, name INTO copied FROM author WHERE alive; SELECT * FROM copied
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (a * 2) STORED); INSERT INTO g VALUES (3); SELECT * FROM g; INSERT INTO g VALUES (1, 1)
CREATE TABLE i (a int GENERATED ALWAYS AS IDENTITY, b text); INSERT INTO i (b) VALUES ('x'), ('y') RETURNING a; INSERT INTO i VALUES (5, 'z')
CREATE TABLE author (a int)
CREATE TABLE w (a money)
ALTER TABLE author ADD COLUMN extra int DEFAULT 4; SELECT extra FROM author WHERE id = 1
CREATE SEQUENCE s START 5; SELECT nextval('s'), nextval('s'); SELECT currval('s'), lastval()
SELECT nextval('no_such_sequence')
SELECT setval('loan_id_seq', 50), nextval('loan_id_seq')
DROP TABLE author
DROP TABLE loan; DROP TABLE book; DROP TABLE author; SELECT * FROM author
DROP VIEW priced; DROP TABLE IF EXISTS nowhere
ALTER TABLE author DROP COLUMN id
INSERT INTO book (id, title, price) VALUES (21, 'x', -1)
UPDATE book SET price = -price WHERE id = 10
CREATE INDEX CONCURRENTLY book_title ON book (title)

-- the catalog
SELECT 'book'::regclass, 'int4'::regtype, 'character varying(3)'::regtype, 'priced'::regclass
SELECT 'nowhere'::regclass
SELECT 'NoÉΩ'::regclass
SELECT 'nothing'::regtype
SELECT relname, relkind FROM pg_class WHERE oid = 'book_isbn'::regclass
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'book'::regclass ORDER BY 1
SELECT pg_get_viewdef('priced'::regclass), pg_get_viewdef('priced'::regclass, true)
CREATE VIEW w AS SELECT a.name, count(*) AS n, string_agg(b.title, ', ' ORDER BY b.id) FROM author a LEFT JOIN book b ON b.author_id = a.id WHERE a.born > '1800-01-01' GROUP BY a.name HAVING count(*) > 0 ORDER BY lower(a.name) DESC LIMIT 3; SELECT pg_get_viewdef('w'::regclass), pg_get_viewdef('w'::regclass, true)
CREATE VIEW w AS SELECT id FROM book JOIN loan USING (id) UNION ALL SELECT id FROM author WHERE id IN (SELECT author_id FROM book) AND NOT EXISTS (SELECT 1 FROM loan WHERE book_id = author.id); SELECT pg_get_viewdef('w'::regclass), pg_get_viewdef('w'::regclass, true)
SELECT pg_get_indexdef('book_isbn'::regclass), pg_get_indexdef('author_pkey'::regclass)
CREATE TEMP TABLE book (z int); SELECT count(*) FROM book; DROP TABLE book; SELECT count(*) FROM book

-- sessions
SHOW server_encoding
SET DateStyle = 'SQL, DMY'; SELECT date '01/02/2024', timestamp '2024-05-06 07:08:09'
SET IntervalStyle = 'iso_8601'; SELECT interval '1 day 02:03:04', interval '-1 mon'
SET TimeZone = 'America/New_York'; SELECT timestamptz '2024-07-01 12:00Z', timestamp '2024-01-01 00:00'::timestamptz
SET bytea_output = 'escape'; SELECT '\x00414bff'::bytea
SET extra_float_digits = 0; SELECT 0.1::float8 + 0.2::float8, 1::float8 / 3
SET no_such_setting = 1
SET TimeZone = 'Mars/Olympus'
SHOW no_such_setting
PREPARE p AS SELECT $1 + 1, $2 || 'x'; EXECUTE p(1, 'a'); DEALLOCATE p
EXECUTE nothing
PREPARE p (int) AS SELECT title FROM book WHERE id = $1; EXECUTE p(10); EXECUTE p('x')
DECLARE c CURSOR FOR SELECT id FROM book ORDER BY id; FETCH 2 FROM c; FETCH 1 FROM c; CLOSE c
SAVEPOINT a; INSERT INTO author VALUES (6, 'F'); ROLLBACK TO a; SELECT count(*) FROM author
ROLLBACK TO nowhere
SELECT set_config('application_name', 'cases', false), current_setting('application_name')

-- views over what was renamed since, and joins with names
CREATE VIEW v AS SELECT * FROM author; ALTER TABLE author RENAME TO writer; ALTER TABLE writer RENAME name TO called; ALTER TABLE writer ADD more int; SELECT pg_get_viewdef('v'); SELECT * FROM v ORDER BY id LIMIT 1
CREATE VIEW v AS SELECT * FROM author; CREATE VIEW w AS SELECT id FROM v; ALTER VIEW v RENAME COLUMN id TO number; ALTER VIEW v RENAME TO u; SELECT pg_get_viewdef('w'); SELECT count(number) FROM u
CREATE TABLE a (x int, y int); CREATE TABLE b (x int, z int); CREATE VIEW v AS SELECT * FROM a JOIN b USING (x); ALTER TABLE b RENAME x TO k; ALTER TABLE b ADD x int; SELECT pg_get_viewdef('v', true)
CREATE TABLE a (x int, y int); CREATE TABLE b (x int, z int); CREATE VIEW v AS SELECT j.* FROM (a FULL JOIN b USING (x)) AS j (k); SELECT pg_get_viewdef('v')
CREATE TABLE a (x int, y int); CREATE TABLE b (x int, z int); CREATE VIEW v AS SELECT m.x, c.z FROM a JOIN b USING (x) AS m, b c; SELECT pg_get_viewdef('v')
CREATE VIEW v AS WITH RECURSIVE t (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n, sum(n) OVER (PARTITION BY n ORDER BY n DESC) FROM t; SELECT pg_get_viewdef('v')
SELECT m.id FROM author JOIN book m USING (id) AS m
CREATE TABLE a (x int); CREATE TABLE b (x int); SELECT m.x FROM a JOIN b USING (x) AS m FOR UPDATE OF m

-- constraints that are violated
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int REFERENCES p); INSERT INTO c VALUES (1, 7)
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int CONSTRAINT k REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1); DELETE FROM p
CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int, p int REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1); UPDATE c SET p = 2
CREATE TABLE s (id serial, n smallint); INSERT INTO s (n) VALUES (100000)
CREATE TABLE t (k int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'a'); WITH n AS (SELECT 'b' AS v) INSERT INTO t VALUES (1, 'x') ON CONFLICT (k) DO UPDATE SET v = (SELECT v FROM n); SELECT * FROM t

-- where names are looked up
SET search_path = nowhere; SELECT current_schema, current_schemas(true), current_schemas(false); SELECT count(*) FROM public.author; SELECT count(*) FROM author
SET search_path = ''; CREATE TABLE t (a int)
SET search_path = public, pg_catalog; SELECT current_schemas(true); SHOW search_path
SET search_path = "$user", public; SHOW search_path
SELECT set_config('search_path', '', false); SELECT count(*) FROM author
COMMENT ON INDEX author_pkey IS 'key'; SELECT obj_description('author_pkey'::regclass, 'pg_class')
SET search_path = ''; SELECT to_regclass('author'), to_regclass('public.author')
SET search_path = ''; SELECT 'public.author'::regclass, pg_table_is_visible('public.author'::regclass), 'author'::regclass
SET search_path = public, pg_catalog; SELECT 'author'::regclass, 'pg_class'::regclass, pg_get_viewdef('priced')
SET search_path = 'nowhere, "a""b"'; SELECT current_schemas(false)

-- WITH whose queries change rows
WITH gone AS (DELETE FROM loan WHERE book_id = 10 RETURNING id, taken, due, kept, fee) SELECT * FROM gone ORDER BY id
WITH moved AS (DELETE FROM reading WHERE note = '' RETURNING *) INSERT INTO reading SELECT at, place, mark || '\x01', 'moved' FROM moved RETURNING *
WITH a AS (INSERT INTO author VALUES (7, 'Eco', '1932-01-05') RETURNING id, name), b AS (INSERT INTO book (id, author_id, title, tags) SELECT 70, id, 'of ' || name, '{"b": 1}' FROM a RETURNING title, tags) SELECT a.name, a.id, b.title, b.tags FROM a, b
WITH up (which, was) AS (UPDATE book SET price = price + 1 WHERE author_id = 1 RETURNING id, title) UPDATE loan SET fee = 9 FROM up WHERE book_id = up.which RETURNING loan.book_id, fee
WITH few AS (SELECT id FROM book WHERE price < 10), gone AS (DELETE FROM loan USING few WHERE loan.book_id = few.id RETURNING loan.id) SELECT count(*) FROM gone
WITH x AS (DELETE FROM reading) SELECT * FROM x
WITH x AS (INSERT INTO author (id, name) VALUES (8, NULL) RETURNING id) SELECT * FROM x
SELECT * FROM (WITH x AS (DELETE FROM reading RETURNING note) SELECT * FROM x) AS q

-- what is granted, and columns of the standard's catalog
GRANT SELECT, INSERT, UPDATE ON author TO PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC
GRANT nonsense ON author TO PUBLIC
GRANT USAGE ON author TO PUBLIC
GRANT SELECT (nothing) ON author TO PUBLIC
SELECT column_name, data_type, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, dtd_identifier, is_self_referencing, identity_cycle FROM information_schema.columns WHERE table_name IN ('book', 'loan', 'reading') ORDER BY table_name, ordinal_position
CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 2), b interval day to second(3)); SELECT identity_start, identity_increment, identity_maximum, identity_minimum, interval_type, datetime_precision FROM information_schema.columns WHERE table_name = 't' ORDER BY 1
INSERT INTO author (id) VALUES (9)
INSERT INTO author VALUES (9, 'Ada'), (9, 'Bob') ON CONFLICT (name) DO NOTHING
CREATE UNIQUE INDEX u ON author (lower(name)); INSERT INTO author VALUES (9, 'ADA')
INSERT INTO book (id, title, price) VALUES (10, 'x', 1) ON CONFLICT (id) DO UPDATE SET price = -1

-- columns of arrays: an order, an equality and an index of their own
CREATE TABLE w (id int PRIMARY KEY, a int[], t text[] NOT NULL DEFAULT '{}'); INSERT INTO w VALUES (1, '{1,2,NULL}', '{a,"b c"}'), (2, ARRAY[3], DEFAULT), (3, NULL, ARRAY['x', NULL]); SELECT * FROM w ORDER BY a DESC NULLS LAST
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{10}'), ('{9}'), ('{}'), (NULL), ('{9,1}'), ('{{1}}'), ('[0:0]={9}'), ('{NULL}'); SELECT a FROM w ORDER BY a
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{10}'), ('{9}'), ('{9,1}'); CREATE INDEX ON w (a); SELECT a FROM w WHERE a >= '{9,0}' ORDER BY a
CREATE TABLE w (a numeric[] UNIQUE); INSERT INTO w VALUES ('{1.0,2}'); INSERT INTO w VALUES ('{1,2.00}')
CREATE TABLE w (a int[] PRIMARY KEY); INSERT INTO w VALUES ('{1,2}'); INSERT INTO w VALUES (NULL)
CREATE TABLE w (a text[]); INSERT INTO w VALUES ('{a}'), ('{a}'), ('{b}'), (NULL), (NULL); SELECT a, count(*) FROM w GROUP BY a ORDER BY a
CREATE TABLE w (a text[]); INSERT INTO w VALUES ('{a}'), ('{a}'), ('{b}'); SELECT DISTINCT a FROM w ORDER BY 1; SELECT count(DISTINCT a), min(a), max(a) FROM w
CREATE TABLE w (a int[] PRIMARY KEY); CREATE TABLE v (b int[] REFERENCES w); INSERT INTO w VALUES ('{1}'); INSERT INTO v VALUES ('{1}'); INSERT INTO v VALUES ('{2}')
CREATE TABLE w (a timestamptz[], d date[], i interval[], f float8[], b bytea[], u uuid[]); INSERT INTO w VALUES ('{2024-07-01 12:00+02,infinity}', '{2024-01-31,0044-03-15 BC}', '{1 day,25:00}', '{0.1,NaN,-Infinity}', '{"\\x00ff",NULL}', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'); SELECT * FROM w
CREATE TABLE w (a timestamptz[]); SET TimeZone = 'Europe/Berlin'; INSERT INTO w VALUES ('{2024-07-01 12:00}'), (ARRAY[timestamptz '2024-01-01 10:00+00']); SET TimeZone = 'UTC'; SELECT a, a[1], a = ARRAY[timestamptz '2024-07-01 10:00+00'], to_json(a) FROM w ORDER BY a; SET DateStyle = 'German'; SELECT a, a[1], a::text FROM w ORDER BY a
CREATE TABLE w (a varchar(3)[], n numeric(5,2)[], c char(3)[], s timestamp(0)[]); INSERT INTO w VALUES ('{abc,ab}', '{1.005,2}', '{a,NULL}', '{2024-01-01 10:00:00.6}'); SELECT *, c[1] || '|' FROM w
CREATE TABLE w (a varchar(3)[]); INSERT INTO w VALUES ('{abcd}')
CREATE TABLE w (a varchar(3)[]); INSERT INTO w VALUES (ARRAY['abcd']::varchar(3)[]); SELECT a FROM w
CREATE TABLE w (n numeric(4,2)[]); INSERT INTO w VALUES (ARRAY[1, 100])
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1,x}')
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1,2')
CREATE TABLE w (a int[]); INSERT INTO w VALUES (1)
CREATE TABLE w (a int[]); INSERT INTO w VALUES (ARRAY['a'])
CREATE TABLE w (a int[]); INSERT INTO w VALUES (ARRAY[1.6, 2.5]), ('{{1,2},{3,4}}'), (ARRAY[]::int[]); SELECT a, array_dims(a), cardinality(a), a[1], a[2][1], a[1:1], a[:][2:] FROM w ORDER BY 1
CREATE TABLE w (id int, a int[3][3], b int ARRAY, c int ARRAY[4], d text[] DEFAULT ARRAY['x']::text[] CHECK (cardinality(d) < 3)); INSERT INTO w (id, a) VALUES (1, '{1,2,3,4}'); SELECT * FROM w; INSERT INTO w (d) VALUES ('{1,2,3}')
CREATE TABLE w (id int, a int[]); INSERT INTO w VALUES (1, '{1,2,3}'), (2, NULL), (3, '{}'); UPDATE w SET a[2] = 9; SELECT a FROM w ORDER BY id
CREATE TABLE w (id int, a int[]); INSERT INTO w VALUES (1, '{1,2,3}'), (2, NULL); UPDATE w SET a[5] = 5, a[0] = 0; SELECT a FROM w ORDER BY id
CREATE TABLE w (id int, a int[]); INSERT INTO w VALUES (1, '{1,2,3}'), (2, NULL); UPDATE w SET a[2:3] = '{8,9}'; SELECT a FROM w ORDER BY id
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{{1,2},{3,4}}'); UPDATE w SET a[1][2] = 9, a[2:2][1:2] = '{7,8}'; SELECT a FROM w
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{{1,2},{3,4}}'); UPDATE w SET a[3][1] = 9
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1}'); UPDATE w SET a[1] = 'x'
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1}'); UPDATE w SET a[1] = now()
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1}'); UPDATE w SET a[NULL] = 1
CREATE TABLE w (a int); UPDATE w SET a[1] = 1
CREATE TABLE w (a varchar(2)[]); INSERT INTO w VALUES ('{a}'); UPDATE w SET a[2] = 'abc'
CREATE TABLE w (a text[]); INSERT INTO w VALUES ('{red,blue}'), ('{green}'), (NULL), ('{}'); SELECT a FROM w WHERE 'red' = ANY (a); SELECT a FROM w WHERE a @> '{red}'; SELECT a FROM w WHERE a && ARRAY['green', 'x']; SELECT a FROM w WHERE a <@ ARRAY['green', 'x'] ORDER BY a; SELECT a FROM w WHERE NOT 'red' = ANY (a) ORDER BY a
CREATE TABLE w (id int, a text[]); INSERT INTO w VALUES (1, '{red,blue}'), (2, '{}'); SELECT id, x, n FROM w, unnest(a) WITH ORDINALITY AS u(x, n); SELECT id, x FROM w LEFT JOIN LATERAL unnest(a) AS u(x) ON true ORDER BY 1, 2; SELECT id, unnest(a) FROM w
CREATE TABLE w (a int[], b int[]); INSERT INTO w VALUES ('{1,2}', '{3}'); SELECT a || b, a || 9, 0 || a, a || NULL, array_cat(a, b), array_append(a, NULL) FROM w
CREATE TABLE w (g int, a int[]); INSERT INTO w VALUES (1, '{1,2}'), (1, '{3,4}'), (2, NULL); SELECT array_agg(a ORDER BY a) FROM w WHERE g = 1; SELECT ARRAY(SELECT a FROM w WHERE g = 1 ORDER BY a); SELECT array_agg(a) FROM w WHERE g = 2
CREATE TABLE w (a int[]); INSERT INTO w VALUES ('{1}'), ('{1,2}'); SELECT array_agg(a) FROM w
CREATE TABLE w (a int[], t text[]); INSERT INTO w VALUES ('{1,2}', '{3,4}'); SELECT a::text[], t::int[], a::numeric[], a::float8[], a::varchar[], a::text, a::text::bigint[] FROM w
SELECT '{1.5,2.5}'::numeric[]::int[], '{2024-01-31}'::date[]::timestamp[], '{t,f}'::bool[]::text[], '{1,0}'::int[]::bool[], '{"2024-01-31 10:00"}'::timestamp[]::date[]
SELECT '{a}'::text[]::int[]
SELECT '{t}'::bool[]::date[]
SELECT '{abcd,ef}'::varchar(2)[], ARRAY['abcd']::char(2)[], '{1.25}'::numeric(3,1)[], '{{1.25},{2}}'::numeric[]::numeric(3,1)[]
CREATE TABLE w (a int[]); ALTER TABLE w ADD b text[] DEFAULT '{x}'; INSERT INTO w (a) VALUES ('{1}'); ALTER TABLE w ALTER a TYPE text[], ALTER b TYPE text USING b[1]; SELECT *, pg_typeof(a), pg_typeof(b) FROM w
CREATE TABLE w (a int[]); ALTER TABLE w ALTER a TYPE int
CREATE TABLE w (a int[], b varchar(5)[], c numeric(4,1)[]); SELECT attname, format_type(atttypid, atttypmod), attndims, atttypid::regtype FROM pg_attribute WHERE attrelid = 'w'::regclass AND attnum > 0 ORDER BY attnum
CREATE TABLE w (a int[], b varchar(5)[]); SELECT column_name, data_type, udt_name, character_maximum_length FROM information_schema.columns WHERE table_name = 'w' ORDER BY ordinal_position; SELECT object_name, object_type, collection_type_identifier, data_type, udt_name, dtd_identifier FROM information_schema.element_types WHERE object_name = 'w' ORDER BY 3
CREATE TABLE w AS SELECT ARRAY[1, 2] AS a, '{a}'::text[] AS t; CREATE VIEW v AS SELECT a, t, a[1] AS f FROM w; SELECT *, pg_typeof(a), pg_typeof(t) FROM v
CREATE TABLE w (a int[], b int GENERATED ALWAYS AS (a[1]) STORED); INSERT INTO w VALUES ('{7}'); CREATE INDEX ON w ((a[2])); SELECT * FROM w
CREATE TABLE w (a json[]); INSERT INTO w VALUES ('{"{\"a\": 1}"}'); SELECT a, a[1] ->> 'a' FROM w; SELECT a FROM w ORDER BY a
CREATE TABLE w (a bytea[]); INSERT INTO w VALUES ('{"\\x61","\\x6263"}'); SELECT unnest(a) FROM w; SELECT '\x61'::bytea = ANY (a), a[2], array_to_string(a, ',') FROM w; SELECT x, length(x) FROM w, unnest(a) AS x
CREATE TABLE w (a inet[], b char(3)[], c "char"[], n name[], t time[], z timetz[], o oid[]); INSERT INTO w VALUES ('{10.0.0.1,10.0.0.0/8}', '{a}', '{x}', '{n}', '{10:00}', '{10:00+02}', '{4294967295}'); SELECT *, 'a'::char(3) = ANY (b), b = '{a}', b @> '{a}' FROM w
CREATE TABLE w (a jsonb[]); INSERT INTO w VALUES (ARRAY['{"b":1,"a":2}'::jsonb, NULL]); SELECT a, to_jsonb(a), row_to_json(w) FROM w
CREATE TABLE w (a int[] NOT NULL); INSERT INTO w VALUES (NULL)
CREATE TABLE w (a mood[])
CREATE TABLE w (a int[x])
CREATE TABLE w (a serial[])
SELECT ARRAY[1, 2, 3][1:2][1], (ARRAY[[1, 2], [3, 4]])[1:2][2:2], (ARRAY[[1, 2], [3, 4]])[2], ('[0:2]={1,2,3}'::int[])[0:1], (ARRAY[1, 2])[:1], (ARRAY[1, 2])['1']
SELECT (ARRAY[1, 2])[1.5], (ARRAY[1, 2])[NULL], (ARRAY[1, 2])[NULL:2]
SELECT (ARRAY[1, 2])['a'::text]
SELECT array_position('{2024-01-31}'::date[], '2024-01-31'), array_remove('{1.0,2}'::numeric[], 1), array_append('{2024-01-31 10:00}'::timestamp[], NULL), array_position('{"\\x61"}'::bytea[], '\x61')
CREATE TABLE w (id int, a int[], b text[]); INSERT INTO w (id, a[1:2], b[2]) VALUES (1, '{1,2}', 'x'); INSERT INTO w (a[1], a[3], id) VALUES (5, 6, 2); INSERT INTO w (id, a[2]) SELECT g, g * 10 FROM generate_series(3, 4) g; SELECT * FROM w ORDER BY id
CREATE TABLE w (id int, a int[]); INSERT INTO w (id, a[1], a) VALUES (1, 2, '{1}')
CREATE TABLE w (id int PRIMARY KEY, a int[]); INSERT INTO w VALUES (1, '{1,2}'); INSERT INTO w VALUES (1, '{8,9}') ON CONFLICT (id) DO UPDATE SET a[1] = excluded.a[2], a[3] = w.a[1] RETURNING a
CREATE TABLE w (a text PRIMARY KEY); INSERT INTO w VALUES (NULL)
CREATE TABLE w (a text, b int, PRIMARY KEY (a, b)); INSERT INTO w VALUES ('x', NULL)
SELECT ARRAY(SELECT ARRAY[i, i * 2] FROM generate_series(1, 3) i), ARRAY(SELECT '{}'::int[] WHERE false)

-- enums
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE w (id int, m mood DEFAULT 'ok'); INSERT INTO w VALUES (1, 'happy'), (2, 'sad'); INSERT INTO w (id) VALUES (3); INSERT INTO w VALUES (4, NULL); SELECT id, m FROM w ORDER BY m DESC NULLS LAST, id
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE w (m mood); INSERT INTO w VALUES ('sad'), ('ok'), ('ok'), ('happy'); SELECT m, count(*) FROM w GROUP BY m ORDER BY m; SELECT DISTINCT m FROM w ORDER BY 1 DESC; SELECT min(m), max(m) FROM w; SELECT m FROM w WHERE m > 'sad' AND m <> 'happy'; SELECT m = 'ok', m::text || '!', m IN ('sad', 'happy'), coalesce(m, 'ok') FROM w ORDER BY m
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT 'sad'::mood, CAST('ok' AS mood), 'sad'::mood < 'ok', 'ok'::text::mood, 'sad'::mood::varchar, enum_first(NULL::mood), enum_last(NULL::mood), to_json('ok'::mood), row_to_json(ROW('ok'::mood)), concat('ok'::mood, 1), format('%s', 'sad'::mood), greatest('sad'::mood, 'ok')
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT 'glad'::mood
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood); INSERT INTO w VALUES ('glad')
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood, t text); INSERT INTO w VALUES ('ok', 'sad'); SELECT * FROM w WHERE m = t
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood, t text); INSERT INTO w VALUES ('ok', 'sad'); INSERT INTO w (m) SELECT t FROM w
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood, t text); INSERT INTO w VALUES ('ok', 'sad'); INSERT INTO w (m) SELECT t::mood FROM w; SELECT m FROM w ORDER BY m
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood PRIMARY KEY, n mood UNIQUE CHECK (n > 'sad')); INSERT INTO w VALUES ('ok', 'ok'); INSERT INTO w VALUES ('sad', 'sad')
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood PRIMARY KEY); CREATE TABLE v (m mood REFERENCES w); INSERT INTO w VALUES ('ok'); INSERT INTO v VALUES ('ok'); INSERT INTO v VALUES ('sad')
CREATE TYPE mood AS ENUM ('sad', 'sad')
CREATE TYPE mood AS ENUM ('sad'); CREATE TYPE mood AS ENUM ('ok')
CREATE TYPE mood AS ENUM (); SELECT 'x'::mood
CREATE TYPE "My Mood" AS ENUM ('a b', 'c''d'); CREATE TABLE w (m "My Mood"); INSERT INTO w VALUES ('c''d'), ('a b'); SELECT m, pg_typeof(m) FROM w ORDER BY m; SELECT 'x'::"My Mood"
CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'; SELECT 'fine'::mood > 'sad'; SELECT 'ok'::mood
CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood RENAME VALUE 'x' TO 'fine'
CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'ok'
CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'x' BEFORE 'y'
ALTER TYPE nomood ADD VALUE 'x'
DROP TYPE nomood
DROP TYPE IF EXISTS nomood
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood); DROP TYPE mood
CREATE TYPE mood AS ENUM ('sad', 'ok'); DROP TYPE mood; SELECT 'ok'::mood
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT enumsortorder, enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE typname = 'mood' ORDER BY 1; SELECT typtype, typcategory, typlen, typname FROM pg_type WHERE typname = 'mood'
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood NOT NULL DEFAULT 'ok'); SELECT column_name, data_type, udt_schema, udt_name, column_default FROM information_schema.columns WHERE table_name = 'w'; SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'w'::regclass AND attnum > 0
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood); INSERT INTO w VALUES ('ok'); CREATE VIEW v AS SELECT m, m::text AS t, m > 'sad' AS g FROM w; SELECT * FROM v; SELECT pg_get_viewdef('v'::regclass)
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (t text); INSERT INTO w VALUES ('ok'); ALTER TABLE w ALTER t TYPE mood USING t::mood; SELECT t, t > 'sad' FROM w; ALTER TABLE w ALTER t TYPE text; SELECT t || 'x' FROM w
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w AS SELECT 'ok'::mood AS m; UPDATE w SET m = 'sad' RETURNING m; SELECT m, CASE WHEN m = 'sad' THEN 'ok' ELSE m END FROM w UNION SELECT 'ok', 'ok' ORDER BY 1
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT 'ok'::mood + 1
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT 'ok'::mood = 1
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE weather AS ENUM ('sad', 'ok'); SELECT 'ok'::mood = 'ok'::weather
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT m, row_number() OVER (ORDER BY m DESC), lag(m) OVER (ORDER BY m) FROM (VALUES ('ok'::mood), ('sad')) AS v(m) ORDER BY 1
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood NOT NULL DEFAULT 'ok' CHECK (m <> 'sad')); SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'w'::regclass
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood); CREATE INDEX i ON w (m) WHERE m > 'sad'; INSERT INTO w VALUES ('ok'), ('sad'); SELECT pg_get_indexdef('i'::regclass), m FROM w WHERE m > 'sad'
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT 'mood'::regtype, 'mood'::regtype::oid > 0, pg_typeof('ok'::mood), format_type('mood'::regtype, -1), to_regtype('mood')
CREATE TYPE mood AS ENUM ('sad', 'ok'); PREPARE p (mood) AS SELECT $1, $1 > 'sad'; EXECUTE p ('ok'); EXECUTE p ('x')
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TEMP TABLE w (m mood); INSERT INTO w VALUES ('ok'); SELECT * FROM w
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE w (m mood); INSERT INTO w SELECT 'ok'; WITH x AS (SELECT m FROM w) SELECT m, (SELECT m FROM x), EXISTS (SELECT 1 FROM x WHERE m = 'ok') FROM x
CREATE TYPE mood AS ENUM ('sad', 'ok'); SELECT count(DISTINCT m), string_agg(m::text, ',' ORDER BY m DESC), json_agg(m ORDER BY m), mode() WITHIN GROUP (ORDER BY m), percentile_disc(0.5) WITHIN GROUP (ORDER BY m) FROM (VALUES ('ok'::mood), ('sad'), ('ok')) v(m)

-- domains
CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE TABLE w (a posint, b int); INSERT INTO w VALUES (1, 1), (NULL, 2); SELECT a + 1, a FROM w ORDER BY b; INSERT INTO w VALUES (0, 3)
CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE TABLE w (a posint); INSERT INTO w VALUES (1); UPDATE w SET a = -1
CREATE DOMAIN need AS text NOT NULL DEFAULT 'x' CONSTRAINT short CHECK (length(VALUE) < 4); CREATE TABLE w (a need, b int); INSERT INTO w (b) VALUES (1); SELECT * FROM w; INSERT INTO w VALUES (NULL, 2)
CREATE DOMAIN need AS text NOT NULL DEFAULT 'x' CONSTRAINT short CHECK (length(VALUE) < 4); CREATE TABLE w (a need, b need DEFAULT 'y'); INSERT INTO w VALUES (DEFAULT, DEFAULT); SELECT * FROM w; INSERT INTO w VALUES ('abcd', 'a')
CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE >= 0) CHECK (VALUE < 1000); CREATE TABLE w (p price); INSERT INTO w VALUES (1.005), (999.99); SELECT p, p * 2 FROM w ORDER BY p; INSERT INTO w VALUES (1000)
CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE TABLE w (id posint PRIMARY KEY, x int); INSERT INTO w VALUES (1, 1); INSERT INTO w VALUES (NULL, 2)
CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE TABLE w (x int); INSERT INTO w VALUES (1); ALTER TABLE w ADD p posint; SELECT * FROM w; INSERT INTO w VALUES (1, -5)
CREATE DOMAIN tags AS text[] CHECK (cardinality(VALUE) < 3); CREATE TABLE w (t tags); INSERT INTO w VALUES ('{a,b}'); SELECT t[1], t FROM w; INSERT INTO w VALUES ('{a,b,c}')
CREATE DOMAIN posint AS int CHECK (nothing > 0)
CREATE DOMAIN posint AS int CHECK (VALUE || 'x')
CREATE DOMAIN posint AS nosuch
CREATE DOMAIN posint AS int; CREATE DOMAIN posint AS text
CREATE DOMAIN posint AS int; CREATE TABLE w (a posint); DROP DOMAIN posint
CREATE DOMAIN posint AS int; DROP DOMAIN posint; CREATE TABLE w (a posint)
DROP DOMAIN IF EXISTS nosuch
DROP DOMAIN nosuch
DROP DOMAIN int4
CREATE DOMAIN posint AS int NOT NULL CHECK (VALUE > 0); CREATE TABLE w (a posint); SELECT format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = 'w'::regclass AND attnum > 0; SELECT typtype, typnotnull, typbasetype::regtype FROM pg_type WHERE typname = 'posint'; SELECT conname, contype, conrelid FROM pg_constraint WHERE contypid <> 0 AND conname = 'posint_check'; SELECT column_name, data_type, domain_schema, domain_name, is_nullable FROM information_schema.columns WHERE table_name = 'w'; SELECT domain_name, data_type FROM information_schema.domains WHERE domain_name = 'posint'; SELECT count(*) FROM pg_constraint WHERE conrelid = 'w'::regclass

-- schemas
CREATE SCHEMA shop; CREATE TABLE shop.item (id serial PRIMARY KEY, name text UNIQUE, kind int REFERENCES author (id)); INSERT INTO shop.item (name) VALUES ('a'), ('b'); SELECT item.name, shop.item.id FROM shop.item ORDER BY 2
CREATE SCHEMA shop; CREATE TABLE shop.item (id int); SELECT * FROM item
CREATE SCHEMA shop; CREATE TABLE shop.author (id int); INSERT INTO shop.author VALUES (7); SET search_path = shop, public; SELECT id FROM author; SELECT count(*) FROM public.author; SELECT title FROM book WHERE id = 10
CREATE SCHEMA shop; SET search_path = shop; CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); SELECT schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE tablename = 't'
CREATE SCHEMA shop; SET search_path = shop; SELECT current_schema, current_schemas(true), current_schemas(false)
SELECT current_schema(), current_schemas(false)
SET search_path = nowhere; SELECT current_schema()
SET search_path = nowhere; CREATE TABLE t (a int)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int CHECK (a > 0)); INSERT INTO shop.t VALUES (0)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int NOT NULL); INSERT INTO shop.t VALUES (NULL)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int PRIMARY KEY); INSERT INTO shop.t VALUES (1), (1)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int REFERENCES book); INSERT INTO shop.t VALUES (99)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); DROP SCHEMA shop
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); CREATE VIEW shop.v AS SELECT a FROM shop.t; DROP SCHEMA shop CASCADE; SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'
CREATE SCHEMA shop; DROP SCHEMA shop; DROP SCHEMA shop
DROP SCHEMA IF EXISTS shop; SELECT 1
CREATE SCHEMA shop; CREATE SCHEMA shop
CREATE SCHEMA IF NOT EXISTS public; SELECT 1
CREATE SCHEMA pg_shop
CREATE TABLE nowhere.t (a int)
SELECT * FROM nowhere.t
DROP TABLE nowhere.t
CREATE SCHEMA shop; DROP TABLE shop.t
CREATE SCHEMA shop; SELECT * FROM shop.t
CREATE SCHEMA shop; ALTER TABLE shop.t ADD b int
CREATE SCHEMA shop; CREATE SEQUENCE shop.s START 5; SELECT nextval('shop.s'), currval('shop.s'), last_value FROM shop.s
CREATE SCHEMA shop; CREATE SEQUENCE shop.s; SELECT nextval('s')
CREATE SCHEMA shop; CREATE SEQUENCE shop.s; SET search_path = shop; SELECT nextval('s'); SELECT 's'::regclass, 'shop.s'::regclass::text
CREATE SCHEMA shop; CREATE TABLE shop.t (id serial, a text DEFAULT 'x'); INSERT INTO shop.t DEFAULT VALUES RETURNING id, a; SELECT pg_get_serial_sequence('shop.t', 'id'), column_default FROM information_schema.columns WHERE table_name = 't' ORDER BY 2 DESC
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); SELECT 'shop.t'::regclass, to_regclass('t'), to_regclass('shop.t'), to_regnamespace('shop')
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); SELECT n.nspname, c.relname, pg_table_is_visible(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relname = 't'
CREATE SCHEMA shop; CREATE TABLE shop.t (a int PRIMARY KEY, b text); SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema = 'shop' ORDER BY 3; SELECT constraint_name, table_schema, constraint_type FROM information_schema.table_constraints WHERE table_schema = 'shop' AND constraint_type = 'PRIMARY KEY'
CREATE SCHEMA shop; SELECT schema_name FROM information_schema.schemata WHERE schema_name IN ('shop', 'public') ORDER BY 1
CREATE SCHEMA shop; CREATE TABLE shop.a (id int PRIMARY KEY); CREATE TABLE shop.b (a int REFERENCES shop.a ON DELETE CASCADE); SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'shop.b'::regclass; SET search_path = shop; SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'b'::regclass
CREATE SCHEMA shop; CREATE VIEW shop.v AS SELECT id, name FROM author; SELECT pg_get_viewdef('shop.v'::regclass); SET search_path = shop; SELECT pg_get_viewdef('v'::regclass)
CREATE SCHEMA shop; SET search_path = shop, public; CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; RESET search_path; SELECT pg_get_viewdef('shop.v'::regclass); SELECT * FROM shop.v
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); ALTER TABLE shop.t RENAME TO u; ALTER TABLE shop.u ADD COLUMN b int DEFAULT 3; ALTER TABLE shop.u RENAME COLUMN a TO c; INSERT INTO shop.u VALUES (1); SELECT * FROM shop.u
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); ALTER TABLE shop.t ADD PRIMARY KEY (a), ADD CHECK (a > 1); SELECT conname FROM pg_constraint WHERE conrelid = 'shop.t'::regclass ORDER BY 1
CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'happy'); CREATE TABLE shop.t (m shop.mood); INSERT INTO shop.t VALUES ('happy'); SELECT m, m = 'happy'::shop.mood FROM shop.t
CREATE SCHEMA shop; CREATE TYPE shop.mood AS ENUM ('sad', 'happy'); SELECT 'sad'::mood
CREATE SCHEMA shop; CREATE DOMAIN shop.price AS int CHECK (VALUE > 0); CREATE TABLE shop.t (p shop.price); INSERT INTO shop.t VALUES (-1)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); COMMENT ON TABLE shop.t IS 'one'; COMMENT ON COLUMN shop.t.a IS 'two'; COMMENT ON SCHEMA shop IS 'three'; SELECT obj_description('shop.t'::regclass, 'pg_class'), col_description('shop.t'::regclass, 1), obj_description('shop'::regnamespace, 'pg_namespace')
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); TRUNCATE shop.t; LOCK TABLE shop.t; ANALYZE shop.t; SELECT count(*) FROM shop.t
CREATE SCHEMA shop; CREATE TABLE shop.t AS SELECT id FROM author; UPDATE shop.t SET id = id + 1 WHERE shop.t.id = 1; DELETE FROM shop.t AS x WHERE x.id = 3; SELECT id FROM shop.t ORDER BY id
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); CREATE TABLE shop.t (a int)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); CREATE TABLE IF NOT EXISTS shop.t (a int); SELECT 1
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); INSERT INTO shop.t (b) VALUES (1)
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); SELECT shop.t.b FROM shop.t
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); SELECT has_schema_privilege('shop', 'CREATE'), has_table_privilege('shop.t', 'SELECT')
CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO PUBLIC; SELECT nspname FROM pg_namespace WHERE nspacl IS NOT NULL AND nspname = 'shop'
CREATE SCHEMA shop; CREATE TABLE shop.a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES shop.a); DROP TABLE shop.a
CREATE SCHEMA shop; CREATE TABLE shop.a (id int); CREATE VIEW v AS SELECT id FROM shop.a; DROP TABLE shop.a
CREATE SCHEMA shop; CREATE TEMP TABLE t (a int); CREATE TABLE shop.t (b int); INSERT INTO t VALUES (1); SELECT * FROM t; SELECT count(*) FROM shop.t
CREATE SCHEMA "My Shop"; CREATE TABLE "My Shop"."The Table" ("A b" int); INSERT INTO "My Shop"."The Table" VALUES (1); SELECT "The Table"."A b", '"My Shop"."The Table"'::regclass FROM "My Shop"."The Table"
CREATE TABLE "a.b" (c int); INSERT INTO "a.b" VALUES (1); SELECT "a.b".c, '"a.b"'::regclass FROM "a.b"; ALTER TABLE "a.b" RENAME TO "d.e"; SELECT * FROM public."d.e"
CREATE SCHEMA shop; CREATE TABLE shop.t (a int); INSERT INTO shop.t VALUES (1) RETURNING shop.t.a, t.a
CREATE SCHEMA shop; CREATE TABLE shop.t (id int PRIMARY KEY, a int); INSERT INTO shop.t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = t.a + excluded.a; INSERT INTO shop.t VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET a = t.a + excluded.a RETURNING a

-- domains and tables like others
CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE > 0); SELECT 5::price, '7.255'::price AS b, CAST(3 AS price), NULL::price IS NULL
CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE > 0); SELECT (-5)::price
CREATE DOMAIN named AS text NOT NULL; SELECT NULL::named
CREATE DOMAIN small AS int CHECK (VALUE < 10) CHECK (VALUE % 2 = 0); SELECT n::small FROM generate_series(2, 12, 2) AS g(n)
CREATE DOMAIN small AS int CONSTRAINT few CHECK (VALUE < 10); ALTER DOMAIN small DROP CONSTRAINT few; SELECT 12::small
CREATE DOMAIN small AS int; ALTER DOMAIN small ADD CHECK (VALUE < 10); SELECT 12::small
CREATE DOMAIN small AS int; ALTER DOMAIN small SET NOT NULL; ALTER DOMAIN small SET DEFAULT 4; CREATE TABLE t (a int, b small); INSERT INTO t VALUES (1); SELECT * FROM t
CREATE DOMAIN small AS int; ALTER DOMAIN small DROP CONSTRAINT nothing
ALTER DOMAIN nothing DROP NOT NULL
CREATE TABLE t (LIKE author); SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position
CREATE TABLE t (LIKE author INCLUDING ALL, more int); INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b')
CREATE TABLE t (LIKE book INCLUDING CONSTRAINTS INCLUDING DEFAULTS); INSERT INTO t (id, title, price) VALUES (1, 'a', -1)
CREATE TABLE t (LIKE book INCLUDING INDEXES); SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY 1
CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (1 + 1) STORED); CREATE TABLE u (LIKE t INCLUDING ALL); INSERT INTO u DEFAULT VALUES; SELECT * FROM u
CREATE TABLE t (LIKE nothing)
CREATE TABLE t (x int, LIKE priced, y int); SELECT * FROM t
SELECT (name '/abc')[0], typname[1] FROM pg_type WHERE typname = 'int4'
SELECT acldefault('d', 10) IS NULL, acldefault('q', 10)
DECLARE c SCROLL CURSOR FOR SELECT id FROM author ORDER BY id; FETCH 2 FROM c; FETCH PRIOR FROM c; FETCH ABSOLUTE 3 FROM c; FETCH RELATIVE -1 FROM c; FETCH LAST FROM c; FETCH NEXT FROM c; FETCH BACKWARD ALL FROM c; FETCH FORWARD 2 FROM c
DECLARE c NO SCROLL CURSOR FOR SELECT id FROM author ORDER BY id; FETCH 1 FROM c; FETCH BACKWARD 1 FROM c
DECLARE c CURSOR FOR SELECT id FROM author ORDER BY id; MOVE ABSOLUTE 2 FROM c; FETCH c

-- composite types
CREATE TYPE pair AS (a int, b text); SELECT '(1,x)'::pair, (ROW(2, 'y z')::pair).b, ('(3,)'::pair).b IS NULL
CREATE TYPE pair AS (a int, b text); SELECT (ROW(2, 'y')::pair).*
CREATE TYPE pair AS (a int, b text); SELECT '{"(1,x)",NULL}'::pair[], ARRAY[ROW(1, 'a,b')::pair]
CREATE TYPE pair AS (a int, b text); SELECT '(1)'::pair
CREATE TYPE pair AS (a int, b text); SELECT '(1,2,3)'::pair
CREATE TYPE pair AS (a int, b text); SELECT '1,2'::pair
CREATE TYPE pair AS (a int, b text); SELECT '(x,2)'::pair
CREATE TYPE pair AS (a int, b text); SELECT ROW(1)::pair
CREATE TYPE pair AS (a int, b text); SELECT ROW(now(), 'a')::pair
CREATE TYPE pair AS (a int, b text); SELECT ('(1,2)'::pair).c
CREATE TYPE pair AS (a int, a text)
CREATE TYPE pair AS (a nothing)
CREATE TYPE pair AS (a int); CREATE TYPE pair AS (b int)
CREATE TYPE pair AS (a int); DROP TYPE pair; SELECT '(1)'::pair
CREATE TYPE pair AS (a int); CREATE TYPE twice AS (p pair, q pair[]); DROP TYPE pair
CREATE TYPE pair AS (a int); SELECT typtype, typcategory, typlen, typarray <> 0 FROM pg_type WHERE typname = 'pair'
CREATE TYPE pair AS (a numeric(4,1), d date); CREATE TYPE twice AS (p pair, q pair[]); SELECT ROW(ROW(1.25, '2024-02-01'), '{"(2.5,)"}'::pair[])::twice, (('("(7,2024-01-01)",)'::twice).p).d
CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a positive, b text); SELECT ROW(-1, 'x')::pair
CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (a positive, b text); SELECT '(3,x)'::pair; SELECT '(-3,x)'::pair
CREATE TYPE pair AS (a text, b int, c timestamp); SELECT * FROM json_populate_record(NULL::pair, '{"a": "x", "z": 4, "c": "2024-01-31 10:00"}')
CREATE TYPE pair AS (a text, b int, c timestamp); SELECT * FROM json_populate_record(ROW('x', 3, NULL)::pair, '{"b": null, "c": "2024-01-31"}') AS q
CREATE TYPE pair AS (a text, b int); SELECT * FROM jsonb_populate_recordset(ROW('def', 99)::pair, '[{"a": [1, 2]}, {"b": 7}, {}]') AS q(x, y)
CREATE TYPE pair AS (a text, b int); CREATE TYPE twice AS (p pair, q pair[], j json[]); SELECT p, q, (p).b, j FROM jsonb_populate_record(NULL::twice, '{"p": {"a": "x y", "b": 5}, "q": [{"b": 1}, null, "(a,2)"], "j": ["s", 1, null]}')
CREATE TYPE pair AS (a text, b int); CREATE TYPE twice AS (p pair); SELECT * FROM json_populate_record(NULL::twice, '{"p": 12}')
CREATE TYPE pair AS (a int, b int[]); SELECT * FROM json_populate_record(NULL::pair, '{"b": 12}')
CREATE TYPE pair AS (a text, b int); SELECT * FROM author, json_populate_record(NULL::pair, json_build_object('a', name, 'b', id)) AS q ORDER BY id
CREATE TYPE pair AS (a text, b int); SELECT r FROM json_to_record('{"r": {"a": "x", "b": 5}}') AS x(r pair)
CREATE SCHEMA shop; CREATE TYPE shop.pair AS (a int, b text); SELECT ROW(1, 'x')::shop.pair, ('(1,x)'::shop.pair).b; SELECT '(1,x)'::pair

-- jsonpath
SELECT jsonb_path_query('{"a": [1, 2.50, "x", {"b": null}]}', '$.a[*]')
SELECT jsonb_path_query_array('{"a": [1, 2, 3]}', '$.a[*] ? (@ >= $min)', '{"min": 2}'), jsonb_path_query_first('[1, 2, 3]', '$[last]'), jsonb_path_query_first('[]', '$[*]')
SELECT jsonb_path_exists('{"a": {"b": 1}}', '$.a.b'), jsonb_path_exists('{"a": 1}', '$.b'), jsonb_path_exists('{"a": 1}', 'strict $.b', '{}', true)
SELECT jsonb_path_exists('{"a": 1}', 'strict $.b')
SELECT jsonb_path_match('{"a": 1}', '$.a==1'), jsonb_path_match('{"a": 1}', '$.a > "x"')
SELECT jsonb_path_match('{"a": 1}', '$.a')
SELECT '{"a": [1, 2]}'::jsonb @? '$.a[*] ? (@ > 1)', '{"a": [1, 2]}'::jsonb @@ '$.a[*] > 2', '{"a": 1}'::jsonb @@ '$.a'
SELECT id FROM book WHERE tags @? '$.copies[*]' ORDER BY id
SELECT id FROM book WHERE tags @@ '$.lang=="en"' ORDER BY id
SELECT '$.a[0 to last]?(@.b starts with "x" && exists (@.c))'::jsonpath, '$."a b".size()'::jsonpath
SELECT '$.a +'::jsonpath
SELECT ''::jsonpath
SELECT jsonb_path_query('{"a": 1}', '$.a ? (@==$x)')
SELECT jsonb_path_query('{"a": 1}', '$.a', '[]')
SELECT jsonb_path_query('[1, "x", [2]]', '$[*].type()')
SELECT jsonb_path_query('"a\u00e9"', '$ ? (@ like_regex "^A" flag "i")')
SELECT jsonb_path_query('{"a": {"b": 1, "c": "d"}}', '$.**')
SELECT jsonb_path_query('{"a": [1]}', 'strict $.a.b')
SELECT jsonb_path_query(NULL, '$')
