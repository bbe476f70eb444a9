SET TimeZone = 'UTC';
CREATE TABLE author (id int PRIMARY KEY, name varchar(30) NOT NULL, born date, alive boolean NOT NULL DEFAULT true);
CREATE TABLE book (id int PRIMARY KEY, author_id int REFERENCES author, title text NOT NULL, price numeric(8,2), pages smallint, isbn char(13), rating real, published date, tags jsonb, CONSTRAINT book_price CHECK (price >= 0));
CREATE UNIQUE INDEX book_isbn ON book (isbn);
CREATE TABLE loan (id bigserial PRIMARY KEY, book_id int NOT NULL REFERENCES book ON DELETE CASCADE, taken timestamp NOT NULL, due timestamptz, kept interval, fee double precision);
CREATE TABLE reading (at time, place uuid, mark bytea, note text);
INSERT INTO author VALUES (1, 'Ada', '1815-12-10', false), (2, 'Brontë', '1818-07-30', false), (3, 'Calvino', '1923-10-15', false), (4, 'Dillard', '1945-04-30', true);
INSERT INTO book VALUES (10, 1, 'Notes', 12.50, 66, '9780000000010', 4.5, '1843-09-01', '{"lang": "en", "copies": [1, 2]}'),
 (11, 2, 'Villette', 9.90, 480, '9780000000011', 4.25, '1853-01-28', '{"lang": "en"}'),
 (12, 2, 'Shirley', NULL, 572, NULL, 3.75, '1849-10-26', NULL),
 (13, 3, 'Cosmicomics', 14.00, 153, '9780000000013', 4.75, '1965-11-15', '{"lang": "it", "copies": []}'),
 (14, NULL, 'Anonymous', 0.00, NULL, NULL, NULL, NULL, '["a", null, 1.50]');
INSERT INTO loan (book_id, taken, due, kept, fee) VALUES (10, '2024-02-28 09:15:00', '2024-03-13 09:15:00+00', '13 days 04:30:00', 0.1),
 (10, '2024-04-01 10:00:00.25', '2024-04-15 10:00:00+02', NULL, 0.2), (11, '2024-12-31 23:59:59.999999', '2025-01-14 23:59:59+00', '1 mon 2 days', 1e10), (13, '1999-12-31 00:00:00', NULL, '-1 days', NULL);
INSERT INTO reading VALUES ('08:30', '7d444840-9dc0-11d1-b245-5ffdce74fad2', '\x00ff', E'tab\tand\nline'), ('23:59:59.5', NULL, '', '');
CREATE VIEW priced AS SELECT id, title, price * 2 AS twice FROM book WHERE price > 0;
