-- What a program asks of the sample shop. expected.txt holds what PostgreSQL 15 answers; record.sh makes it.
-- Each answer has one right order. Errors are compared by their SQLSTATE.
SET timezone = 'UTC';

\echo == rows
SELECT 'country', count(*) FROM country UNION ALL SELECT 'category', count(*) FROM category
    UNION ALL SELECT 'supplier', count(*) FROM supplier UNION ALL SELECT 'product', count(*) FROM product
    UNION ALL SELECT 'customer', count(*) FROM customer UNION ALL SELECT 'orders', count(*) FROM orders
    UNION ALL SELECT 'order_line', count(*) FROM order_line UNION ALL SELECT 'payment', count(*) FROM payment
    ORDER BY 1;

\echo == every type
SELECT * FROM country ORDER BY code;
SELECT id, parent_id, name, position, return_period FROM category ORDER BY id;
SELECT * FROM supplier ORDER BY id;
SELECT * FROM product WHERE id IN (1, 5, 41, 82, 123, 246, 500) ORDER BY id;
SELECT * FROM customer WHERE id <= 8 ORDER BY id;
SELECT * FROM orders WHERE id IN (1, 13, 17, 26, 34, 19999, 20000) ORDER BY id;
SELECT * FROM payment WHERE amount < -2000 ORDER BY amount, id LIMIT 5;

\echo == conditions
SELECT name FROM product WHERE name LIKE 'Small %Lamp' ORDER BY name;
SELECT name FROM product WHERE name ILIKE '%SMALL%chisel%' ORDER BY 1;
SELECT count(*) FROM customer WHERE born_on BETWEEN '1980-01-01' AND '1989-12-31' AND newsletter;
SELECT count(*) FROM customer WHERE born_on IS NULL OR NOT newsletter;
SELECT count(*) FROM orders WHERE placed_at >= '2024-02-29' AND placed_at < '2024-03-01';
SELECT count(*) FROM orders WHERE placed_at >= '2024-02-29 12:00:00+02';
SELECT count(*) FROM orders WHERE state <> ALL (ARRAY['delivered', 'shipped']);
SELECT count(*) FROM orders WHERE state = ANY ('{open,paid}');
SELECT sku FROM product WHERE active IS TRUE AND stock = 0 ORDER BY sku LIMIT 4;
SELECT city FROM customer WHERE country_code = 'PL' GROUP BY city HAVING count(*) > 5 ORDER BY city;
SELECT count(*) FROM customer WHERE (country_code, newsletter) = ('DE', true);
SELECT count(*) FROM product WHERE label = '\x7d675f5ac5b6'::bytea;
SELECT id, name FROM customer WHERE token = 'a74ffd63-fd62-4b00-a812-97b0a3369f72';

\echo == sums
SELECT sum(quantity * unit_price), min(unit_price), max(unit_price), count(DISTINCT product_id) FROM order_line;
SELECT method, count(*), sum(amount) FROM payment GROUP BY method ORDER BY method;
SELECT state, count(*), avg(postage)::numeric(6,2) FROM orders GROUP BY state ORDER BY 2 DESC, 1;
SELECT count(*) FILTER (WHERE newsletter), count(*) FILTER (WHERE NOT newsletter) FROM customer;
SELECT extract(year FROM placed_at) AS year, count(*) FROM orders GROUP BY 1 ORDER BY 1;
SELECT to_char(placed_at, 'YYYY-MM') AS month, count(*) FROM orders GROUP BY 1 ORDER BY 1 DESC LIMIT 4;
SELECT date_trunc('month', placed_at) AS month, sum(postage)::numeric(12,2) FROM orders GROUP BY 1 ORDER BY 1 LIMIT 3;
SELECT bool_and(active), bool_or(active), min(listed_on), max(listed_on) FROM product;
SELECT string_agg(code, ',' ORDER BY code) FROM country WHERE NOT eu;
SELECT round(avg(rating)::numeric, 3), min(since) FROM supplier;

\echo == joins
SELECT c.name, count(*) AS orders FROM orders o JOIN customer u ON u.id = o.customer_id
    JOIN country c ON c.code = u.country_code GROUP BY c.name ORDER BY orders DESC, c.name LIMIT 6;
SELECT u.id, u.name FROM customer u LEFT JOIN orders o ON o.customer_id = u.id WHERE o.id IS NULL ORDER BY u.id LIMIT 5;
SELECT p.sku, p.name FROM product p WHERE NOT EXISTS (SELECT 1 FROM order_line l WHERE l.product_id = p.id) ORDER BY p.id LIMIT 5;
SELECT o.id, l.line, p.name, l.quantity, l.unit_price, l.quantity * l.unit_price AS amount
    FROM orders o JOIN order_line l ON l.order_id = o.id JOIN product p USING (id)
    WHERE o.id = 1234 ORDER BY l.line;
SELECT o.id, p.name, l.quantity FROM orders o JOIN order_line l ON l.order_id = o.id
    JOIN product p ON p.id = l.product_id WHERE o.id BETWEEN 15000 AND 15002 ORDER BY o.id, l.line;
SELECT parent.name, child.name FROM category parent RIGHT JOIN category child ON child.parent_id = parent.id ORDER BY child.id;
SELECT a.code, b.code FROM country a CROSS JOIN country b WHERE a.currency = b.currency AND a.code < b.code
    AND a.currency <> 'EUR' ORDER BY 1, 2;

\echo == views
SELECT * FROM order_total WHERE order_id IN (1, 777, 20000) ORDER BY order_id;
SELECT * FROM customer_summary ORDER BY order_count DESC, id LIMIT 5;
SELECT * FROM category_sales ORDER BY turnover DESC LIMIT 4;
SELECT * FROM reorder ORDER BY stock, sku LIMIT 5;

\echo == windows and common tables
SELECT department, category, turnover, rank() OVER (PARTITION BY department ORDER BY turnover DESC)
    FROM category_sales ORDER BY department, 4 LIMIT 6;
WITH monthly AS (SELECT date_trunc('month', booked_at) AS month, sum(amount) AS amount FROM payment GROUP BY 1)
    SELECT month, amount, sum(amount) OVER (ORDER BY month) AS so_far FROM monthly ORDER BY month LIMIT 5;
WITH RECURSIVE tree (id, path) AS (
        SELECT id, name::text FROM category WHERE parent_id IS NULL
        UNION ALL
        SELECT c.id, tree.path || ' / ' || c.name FROM category c JOIN tree ON tree.id = c.parent_id)
    SELECT path FROM tree ORDER BY path LIMIT 7;
SELECT id, row_number() OVER (ORDER BY price DESC, id), (price - lag(price) OVER (ORDER BY price DESC, id))::numeric(10,2)
    FROM product ORDER BY price DESC, id LIMIT 4;
SELECT n, (SELECT count(*) FROM product WHERE price >= n) FROM generate_series(100, 600, 100) AS n;

\echo == expressions
SELECT upper(left(name, 3)), length(name), position('a' IN name), replace(name, ' ', '_') FROM product WHERE id = 5;
SELECT initcap('hello world'), lpad('7', 3, '0'), split_part('a-b-c', '-', 2), trim(both 'x' FROM 'xxaxx'), reverse('abc');
SELECT substring(sku FROM 1 FOR 3), substring(sku, 5), sku || '/' || id FROM product WHERE id = 5;
SELECT 7 / 2, 7 % 3, -7 / 2, abs(-5), sign(-2.5), round(2.567, 2), trunc(2.9), mod(7, 4);
SELECT 1::boolean, 't'::boolean, '12'::integer + 1, 12.5::text, '2026-01-31'::date + 1, '1.50'::numeric(5,1), 3.7::integer;
SELECT date '2026-03-01' - date '2026-02-01', timestamp '2026-01-31 10:00' + interval '1 month', age(date '2026-03-01', date '2024-01-15');
SELECT extract(dow FROM date '2026-06-30'), extract(epoch FROM timestamp '2026-01-01 00:00:00')::bigint, date_part('month', date '2026-06-30');
SELECT coalesce(NULL, 'x'), nullif(3, 3), greatest(1, 5, 3), least('b', 'a'), CASE WHEN 1 > 2 THEN 'no' ELSE 'yes' END;
SELECT attributes->>'colour', attributes->'pieces', (attributes->>'pieces')::integer * 2 FROM product WHERE id IN (5, 7, 17) ORDER BY id;
SELECT 'abc' ~ '^a.c$', 'abc' !~ 'x', 'ABC' ~* 'b', regexp_replace('a1b22', '[0-9]+', '#', 'g');
SELECT md5('shop'), encode('\x00ff'::bytea, 'hex'), octet_length('größe'), char_length('größe'), ascii('A'), chr(228);
SELECT true AND NULL, NULL OR true, NOT false, NULL IS NULL, 1 IS DISTINCT FROM NULL, 5 BETWEEN 1 AND 5;
SELECT E'tab\there', 'it''s', $$dollar 'quoted'$$, U&'\00e4';

\echo == changes
BEGIN;
INSERT INTO category (parent_id, name, position) VALUES (1, 'Clocks', 5) RETURNING id, return_period;
INSERT INTO product (category_id, supplier_id, sku, name, price, cost, listed_on)
    VALUES (16, 1, 'CLO-1', 'Wall Clock', 39.9, 20, '2026-07-01'), (16, 1, 'CLO-2', 'Alarm Clock', 19.99, 8, '2026-07-01')
    RETURNING id, sku, price, active, stock, attributes;
UPDATE product SET stock = stock + 10, attributes = '{"colour": "black"}' WHERE sku = 'CLO-1' RETURNING stock, attributes;
UPDATE product p SET price = p.price * 1.1 FROM category c WHERE c.id = p.category_id AND c.name = 'Clocks';
SELECT sku, price FROM product WHERE category_id = 16 ORDER BY sku;
INSERT INTO country VALUES ('LV', 'Latvia', 'EUR', 21, 9.9, true) ON CONFLICT (code) DO NOTHING;
INSERT INTO country VALUES ('LV', 'Latvija', 'EUR', 21, 9.9, true) ON CONFLICT (code) DO UPDATE SET name = excluded.name RETURNING name;
DELETE FROM orders WHERE id = 777;
SELECT count(*) FROM order_line WHERE order_id = 777;
ROLLBACK;
BEGIN;
DELETE FROM payment WHERE order_id = 777;
DELETE FROM orders WHERE id = 777;
SELECT count(*) FROM order_line WHERE order_id = 777;
SAVEPOINT before;
DELETE FROM payment;
ROLLBACK TO before;
SELECT count(*) FROM payment;
ROLLBACK;
SELECT count(*) FROM orders WHERE id = 777;

\echo == refusals
INSERT INTO orders (customer_id) VALUES (999999);
INSERT INTO customer (token, name, email, city, country_code) VALUES ('00000000-0000-4000-a000-000000000000', 'X', 'aino.ferrari1@example.com', 'Y', 'DE');
INSERT INTO customer (name) VALUES ('nobody');
INSERT INTO order_line VALUES (1, 99, 1, 0, 1);
INSERT INTO orders (customer_id, state) VALUES (1, 'lost');
DELETE FROM product WHERE id = 1;
SELECT colour FROM product;
SELECT * FROM nowhere;
SELECT no_such_function(1);
SELEC 1;
SELECT 'x'::integer;
CREATE TABLE country (x integer);
SELECT id FROM product JOIN supplier ON true;
INSERT INTO product (id) VALUES (1, 2);

\echo == copy
COPY (SELECT code, name, vat_percent, eu FROM country WHERE currency <> 'EUR' ORDER BY code) TO STDOUT;
COPY (SELECT id, note, deliver_after FROM orders WHERE id IN (17, 34, 13, 442) ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER);
CREATE TABLE basket (id integer PRIMARY KEY, note text, price numeric(8,2), ready boolean, made date);
COPY basket FROM STDIN;
1	tab\there	1.5	t	2026-01-31
2	\N	\N	f	\N
\.
COPY basket (id, note, ready) FROM STDIN WITH (FORMAT csv);
3,"two
lines",yes
4,,no
\.
COPY basket FROM STDIN;
5	x	1	maybe	2026-01-01
\.
COPY basket FROM STDIN;
6	x
\.
SELECT * FROM basket ORDER BY id;
DROP TABLE basket;
