//! What psql 15 and drivers ask about a schema is answered.

use crate::support::Database;

fn shop() -> Database {
    let database = Database::new();
    database.run(
        "CREATE TABLE customer (id bigserial PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'x', total numeric(10,2), CHECK (total > 0));
         CREATE TABLE orders (id int PRIMARY KEY, customer_id bigint REFERENCES customer ON DELETE CASCADE, note json);
         CREATE UNIQUE INDEX orders_note ON orders (note);
         CREATE VIEW v AS SELECT id FROM customer;",
    );
    database
}

/// The oid of a table, as `\d` looks it up.
fn oid(database: &Database, table: &str) -> String {
    let rows = database.rows(&format!(
        "SELECT c.oid,\n  n.nspname,\n  c.relname\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n\
         WHERE c.relname OPERATOR(pg_catalog.~) '^({table})$' COLLATE pg_catalog.default\n  AND pg_catalog.pg_table_is_visible(c.oid)\nORDER BY 2, 3;"
    ));
    assert_eq!(rows.len(), 1);
    let (oid, rest) = rows[0].split_once('|').unwrap();
    assert_eq!(rest, format!("public|{table}"));
    oid.to_owned()
}

#[test]
fn dt_lists_the_tables() {
    let database = shop();
    let rows = database.rows(
        "SELECT n.nspname as \"Schema\",\n  c.relname as \"Name\",\n  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 't' THEN 'TOAST table' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN 'partitioned table' WHEN 'I' THEN 'partitioned index' END as \"Type\",\n  pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\"\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n     LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam\nWHERE c.relkind IN ('r','p','')\n      AND n.nspname <> 'pg_catalog'\n      AND n.nspname !~ '^pg_toast'\n      AND n.nspname <> 'information_schema'\n  AND pg_catalog.pg_table_is_visible(c.oid)\nORDER BY 1,2;",
    );
    assert_eq!(
        rows,
        ["public|customer|table|dba", "public|orders|table|dba"]
    );
}

#[test]
fn d_describes_a_table() {
    let database = shop();
    let oid = oid(&database, "orders");
    let table = database.one(&format!(
        "SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false AS relhasoids, c.relispartition, '', c.reltablespace, CASE WHEN c.reloftype = 0 THEN '' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, c.relreplident, am.amname\nFROM pg_catalog.pg_class c\n LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid)\nLEFT JOIN pg_catalog.pg_am am ON (c.relam = am.oid)\nWHERE c.oid = '{oid}';"
    ));
    assert_eq!(table, "0|r|t|f|t|f|f|f|f||0||p|d|heap");
    let columns = database.rows(&format!(
        "SELECT a.attname,\n  pg_catalog.format_type(a.atttypid, a.atttypmod),\n  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true)\n   FROM pg_catalog.pg_attrdef d\n   WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),\n  a.attnotnull,\n  (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t\n   WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation,\n  a.attidentity,\n  a.attgenerated\nFROM pg_catalog.pg_attribute a\nWHERE a.attrelid = '{}' AND a.attnum > 0 AND NOT a.attisdropped\nORDER BY a.attnum;",
        self::oid(&database, "customer")
    ));
    assert_eq!(
        columns,
        [
            "id|bigint|nextval('customer_id_seq'::regclass)|t|NULL||",
            "name|character varying(40)|'x'::character varying|t|NULL||",
            "total|numeric(10,2)|NULL|f|NULL||"
        ]
    );
    let indexes = database.rows(&format!(
        "SELECT c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),\n  pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace\nFROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i\n  LEFT JOIN pg_catalog.pg_constraint con ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x'))\nWHERE c.oid = '{oid}' AND c.oid = i.indrelid AND i.indexrelid = c2.oid\nORDER BY i.indisprimary DESC, c2.relname;"
    ));
    assert_eq!(
        indexes,
        [
            "orders_pkey|t|t|f|t|CREATE UNIQUE INDEX orders_pkey ON orders USING btree (id)|PRIMARY KEY (id)|p|f|f|f|0",
            "orders_note|f|t|f|t|CREATE UNIQUE INDEX orders_note ON orders USING btree (note)|NULL|NULL|NULL|NULL|f|0"
        ]
    );
    let keys = database.rows(&format!(
        "SELECT true as sametable, conname,\n  pg_catalog.pg_get_constraintdef(r.oid, true) as condef,\n  conrelid::pg_catalog.regclass AS ontable\nFROM pg_catalog.pg_constraint r\nWHERE r.conrelid = '{oid}' AND r.contype = 'f'\n     AND conparentid = 0\nORDER BY conname"
    ));
    assert_eq!(
        keys,
        [
            "t|orders_customer_id_fkey|FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE|orders"
        ]
    );
}

#[test]
fn d_asks_what_refers_to_a_table_and_about_features_that_are_not_there() {
    let database = shop();
    let oid = oid(&database, "customer");
    let referring = database.rows(&format!(
        "SELECT conname, conrelid::pg_catalog.regclass AS ontable,\n       pg_catalog.pg_get_constraintdef(oid, true) AS condef\n  FROM pg_catalog.pg_constraint c\n WHERE confrelid IN (SELECT pg_catalog.pg_partition_ancestors('{oid}')\n                     UNION ALL VALUES ('{oid}'::pg_catalog.regclass))\n       AND contype = 'f' AND conparentid = 0\nORDER BY conname;"
    ));
    assert_eq!(
        referring,
        [
            "orders_customer_id_fkey|orders|FOREIGN KEY (customer_id) REFERENCES customer(id) ON DELETE CASCADE"
        ]
    );
    for (sql, width) in [
        (
            format!(
                "SELECT pol.polname, pol.polpermissive,\n  CASE WHEN pol.polroles = '{{0}}' THEN NULL ELSE pg_catalog.array_to_string(array(select rolname from pg_catalog.pg_roles where oid = any (pol.polroles) order by 1),',') END,\n  pg_catalog.pg_get_expr(pol.polqual, pol.polrelid)\nFROM pg_catalog.pg_policy pol\nWHERE pol.polrelid = '{oid}' ORDER BY 1;"
            ),
            4,
        ),
        (
            format!(
                "SELECT oid, stxrelid::pg_catalog.regclass, 'd' = any(stxkind) AS ndist_enabled\nFROM pg_catalog.pg_statistic_ext\nWHERE stxrelid = '{oid}'\nORDER BY 1;"
            ),
            3,
        ),
        (
            format!(
                "SELECT pubname\n     , NULL\n     , NULL\nFROM pg_catalog.pg_publication p\n     JOIN pg_catalog.pg_publication_namespace pn ON p.oid = pn.pnpubid\n     JOIN pg_catalog.pg_class pc ON pc.relnamespace = pn.pnnspid\nWHERE pc.oid ='{oid}' and pg_catalog.pg_relation_is_publishable('{oid}')\nUNION\nSELECT pubname\n     , pg_get_expr(pr.prqual, c.oid)\n     , (CASE WHEN pr.prattrs IS NOT NULL THEN\n         (SELECT string_agg(attname, ', ')\n           FROM pg_catalog.generate_series(0, pg_catalog.array_upper(pr.prattrs::pg_catalog.int2[], 1)) s,\n                pg_catalog.pg_attribute\n          WHERE attrelid = pr.prrelid AND attnum = prattrs[s])\n        ELSE NULL END) FROM pg_catalog.pg_publication p\n     JOIN pg_catalog.pg_publication_rel pr ON p.oid = pr.prpubid\n     JOIN pg_catalog.pg_class c ON c.oid = pr.prrelid\nWHERE pr.prrelid = '{oid}'\nUNION\nSELECT pubname\n     , NULL\n     , NULL\nFROM pg_catalog.pg_publication p\nWHERE p.puballtables AND pg_catalog.pg_relation_is_publishable('{oid}')\nORDER BY 1;"
            ),
            3,
        ),
        (
            format!(
                "SELECT c.oid::pg_catalog.regclass\nFROM pg_catalog.pg_class c, pg_catalog.pg_inherits i\nWHERE c.oid = i.inhparent AND i.inhrelid = '{oid}'\nORDER BY inhseqno;"
            ),
            1,
        ),
    ] {
        assert!(database.rows(&sql).is_empty());
        assert_eq!(database.names(&sql).len(), width, "{sql}");
    }
    let checks = database.rows(&format!(
        "SELECT r.conname, pg_catalog.pg_get_constraintdef(r.oid, true)\nFROM pg_catalog.pg_constraint r\nWHERE r.conrelid = '{oid}' AND r.contype = 'c'\nORDER BY 1;"
    ));
    assert_eq!(checks.len(), 1);
    assert!(checks[0].starts_with("customer_total_check|CHECK ("));
}

#[test]
fn l_du_dn_and_di_list_what_there_is() {
    let database = shop();
    let databases = database.rows(
        "SELECT d.datname as \"Name\",\n       pg_catalog.pg_get_userbyid(d.datdba) as \"Owner\",\n       pg_catalog.pg_encoding_to_char(d.encoding) as \"Encoding\",\n       d.datcollate as \"Collate\",\n       d.datctype as \"Ctype\",\n       d.daticulocale as \"ICU Locale\",\n       CASE d.datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' END AS \"Locale Provider\",\n       pg_catalog.array_to_string(d.datacl, E'\\n') AS \"Access privileges\"\nFROM pg_catalog.pg_database d\nORDER BY 1;",
    );
    assert_eq!(
        databases,
        [
            "other|dba|UTF8|C|C|NULL|libc|NULL",
            "shop|dba|UTF8|C|C|NULL|libc|NULL"
        ]
    );
    let roles = database.rows(
        "SELECT r.rolname, r.rolsuper, r.rolinherit,\n  r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,\n  r.rolconnlimit, r.rolvaliduntil,\n  ARRAY(SELECT b.rolname\n        FROM pg_catalog.pg_auth_members m\n        JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid)\n        WHERE m.member = r.oid) as memberof\n, r.rolreplication\n, r.rolbypassrls\nFROM pg_catalog.pg_roles r\nWHERE r.rolname !~ '^pg_'\nORDER BY 1;",
    );
    assert_eq!(roles, ["dba|t|t|t|t|t|-1|NULL|{}|t|t"]);
    let schemas = database.rows(
        "SELECT n.nspname AS \"Name\",\n  pg_catalog.pg_get_userbyid(n.nspowner) AS \"Owner\"\nFROM pg_catalog.pg_namespace n\nWHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'\nORDER BY 1;",
    );
    assert_eq!(schemas, ["public|dba"]);
    let indexes = database.rows(
        "SELECT c.relname as \"Name\", c2.relname as \"Table\"\nFROM pg_catalog.pg_class c\n     LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid\n     LEFT JOIN pg_catalog.pg_class c2 ON i.indrelid = c2.oid\nWHERE c.relkind IN ('i','I','')\nORDER BY 1,2;",
    );
    assert_eq!(
        indexes,
        [
            "customer_pkey|customer",
            "orders_note|orders",
            "orders_pkey|orders"
        ]
    );
}

#[test]
fn information_schema_and_drivers_find_tables_and_types() {
    let database = shop();
    assert_eq!(
        database.rows("SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY table_name"),
        ["customer|BASE TABLE", "orders|BASE TABLE", "v|VIEW"]
    );
    assert_eq!(
        database.rows("SELECT column_name, data_type, is_nullable, character_maximum_length FROM information_schema.columns WHERE table_name = 'customer' ORDER BY ordinal_position"),
        ["id|bigint|NO|NULL", "name|character varying|NO|40", "total|numeric|YES|NULL"]
    );
    let types = "SELECT t.typname, t.typtype, t.typelem, r.rngsubtype, t.typbasetype, n.nspname, t.typrelid \
                 FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid \
                 INNER JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 2950";
    assert_eq!(database.one(types), "uuid|b|0|NULL|0|pg_catalog|0");
    assert_eq!(
        database.one("SELECT count(*) FROM pg_catalog.pg_class WHERE oid = 'public.orders'::regclass AND 'orders'::regclass::oid = oid"),
        "1"
    );
    assert_eq!(database.one("SELECT to_regclass('nowhere') IS NULL"), "t");
    assert_eq!(database.one("SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(current_schemas(false)) AND false OR c.relname = 'v'"), "v");
}

#[test]
fn the_size_of_a_relation_is_that_of_its_pages() {
    let database = Database::new();
    database.run(
        "CREATE TABLE t (id text PRIMARY KEY, a int, b text UNIQUE);
         CREATE INDEX t_a ON t (a);
         CREATE VIEW v AS SELECT a FROM t;
         INSERT INTO t SELECT g::text, g, repeat('x', 200) || g FROM generate_series(1, 100) g",
    );
    for (size, pages) in [
        ("pg_relation_size('t')", 7),
        ("pg_relation_size('t', 'main')", 7),
        ("pg_relation_size('t', 'vm')", 0),
        ("pg_table_size('t_pkey')", 1),
        ("pg_table_size('t_b_key')", 7),
        ("pg_table_size('t_a')", 1),
        ("pg_indexes_size('t')", 9),
        ("pg_total_relation_size('t')", 16),
        ("pg_relation_size('v')", 0),
    ] {
        let shown = database.one(&format!("SELECT {size} / 4096"));
        assert_eq!(shown, pages.to_string(), "{size}");
    }
    assert_eq!(database.one("SELECT pg_relation_size(1)"), "NULL");
    assert_eq!(
        database.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname = 't' AND pg_table_size(oid) > 0 ORDER BY 1"),
        ["t"]
    );
}
