//! Every kind of statement of PostgreSQL's grammar is done, or refused by its name: none is accepted and ignored.

use tokio_postgres::Client;

use super::{Server, refused};

/// A statement of each kind that is done, and a question whose answer it changes; `-` where the session alone tells.
const DONE: &[(&str, &str, &str)] = &[
    (
        "CREATE TABLE k1 (a int PRIMARY KEY, b int)",
        "SELECT count(*) FROM pg_class WHERE relname = 'k1'",
        "1",
    ),
    (
        "INSERT INTO k1 VALUES (1, 1), (2, 2)",
        "SELECT count(*) FROM k1",
        "2",
    ),
    (
        "UPDATE k1 SET b = 7 WHERE a = 1",
        "SELECT b FROM k1 WHERE a = 1",
        "7",
    ),
    ("DELETE FROM k1 WHERE a = 2", "SELECT count(*) FROM k1", "1"),
    (
        "CREATE TYPE k_type AS ENUM ('a', 'b')",
        "SELECT count(*) FROM pg_type WHERE typname = 'k_type'",
        "1",
    ),
    (
        "ALTER TYPE k_type ADD VALUE 'c'",
        "SELECT count(*) FROM pg_enum WHERE enumlabel IN ('a', 'c')",
        "2",
    ),
    (
        "ALTER TYPE k_type RENAME VALUE 'c' TO 'd'",
        "SELECT count(*) FROM pg_enum WHERE enumlabel IN ('c', 'd')",
        "1",
    ),
    (
        "DROP TYPE k_type",
        "SELECT count(*) FROM pg_type WHERE typname = 'k_type'",
        "0",
    ),
    (
        "CREATE TYPE k_row AS (a int, b text)",
        "SELECT count(*) FROM pg_type WHERE typname = 'k_row' AND typtype = 'c'",
        "1",
    ),
    (
        "DROP TYPE k_row",
        "SELECT count(*) FROM pg_type WHERE typname IN ('k_row', '_k_row')",
        "0",
    ),
    (
        "CREATE DOMAIN k_domain AS int CHECK (VALUE > 0)",
        "SELECT count(*) FROM pg_constraint WHERE conname = 'k_domain_check'",
        "1",
    ),
    (
        "DROP DOMAIN k_domain",
        "SELECT count(*) FROM pg_type WHERE typname = 'k_domain'",
        "0",
    ),
    (
        "ALTER TABLE k1 ADD c int DEFAULT 5, ALTER b TYPE bigint",
        "SELECT c FROM k1",
        "5",
    ),
    ("ALTER TABLE k1 RENAME c TO d", "SELECT d FROM k1", "5"),
    (
        "ALTER TABLE k1 DROP COLUMN d",
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'k1'::regclass AND attnum > 0",
        "2",
    ),
    (
        "ALTER TABLE k1 ADD CONSTRAINT k1_b CHECK (b > 0)",
        "SELECT count(*) FROM pg_constraint WHERE conname = 'k1_b'",
        "1",
    ),
    (
        "ALTER TABLE k1 RENAME CONSTRAINT k1_b TO k1_c",
        "SELECT count(*) FROM pg_constraint WHERE conname = 'k1_c'",
        "1",
    ),
    (
        "ALTER TABLE k1 DROP CONSTRAINT k1_c",
        "SELECT count(*) FROM pg_constraint WHERE conname = 'k1_c'",
        "0",
    ),
    (
        "CREATE INDEX k1_i ON k1 (b)",
        "SELECT count(*) FROM pg_class WHERE relname = 'k1_i'",
        "1",
    ),
    (
        "ALTER INDEX k1_i RENAME TO k1_j",
        "SELECT count(*) FROM pg_class WHERE relname = 'k1_j'",
        "1",
    ),
    (
        "DROP INDEX k1_j",
        "SELECT count(*) FROM pg_class WHERE relname = 'k1_j'",
        "0",
    ),
    (
        "CREATE VIEW v1 AS SELECT a FROM k1",
        "SELECT a FROM v1",
        "1",
    ),
    (
        "CREATE OR REPLACE VIEW v1 AS SELECT a, 3 AS n FROM k1",
        "SELECT n FROM v1",
        "3",
    ),
    (
        "COMMENT ON TABLE k1 IS 'said'",
        "SELECT obj_description('k1'::regclass)",
        "said",
    ),
    (
        "COMMENT ON COLUMN k1.b IS 'also'",
        "SELECT col_description('k1'::regclass, 2)",
        "also",
    ),
    (
        "CREATE SEQUENCE s1 START 5",
        "SELECT nextval('s1')::text",
        "5",
    ),
    (
        "ALTER SEQUENCE s1 RESTART 9",
        "SELECT nextval('s1')::text",
        "9",
    ),
    (
        "DROP SEQUENCE s1",
        "SELECT count(*) FROM pg_class WHERE relname = 's1'",
        "0",
    ),
    ("CREATE TABLE k2 AS SELECT 8 AS x", "SELECT x FROM k2", "8"),
    ("TRUNCATE k2", "SELECT count(*) FROM k2", "0"),
    (
        "DROP VIEW v1",
        "SELECT count(*) FROM pg_class WHERE relname = 'v1'",
        "0",
    ),
    (
        "DROP TABLE k2",
        "SELECT count(*) FROM pg_class WHERE relname = 'k2'",
        "0",
    ),
    (
        "SET application_name = 'kinds'",
        "SHOW application_name",
        "kinds",
    ),
    (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SHOW default_transaction_read_only",
        "off",
    ),
    ("RESET application_name", "-", ""),
    ("SET ROLE dba", "SHOW role", "dba"),
    ("RESET ROLE", "SHOW role", "none"),
    ("SET SESSION AUTHORIZATION DEFAULT", "-", ""),
    ("PREPARE p1 AS SELECT 6", "EXECUTE p1", "6"),
    ("DEALLOCATE p1", "-", ""),
    ("BEGIN", "-", ""),
    (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SHOW transaction_isolation",
        "repeatable read",
    ),
    ("SET CONSTRAINTS ALL DEFERRED", "-", ""),
    ("LOCK TABLE k1", "-", ""),
    ("SAVEPOINT a", "-", ""),
    ("ROLLBACK TO a", "-", ""),
    ("RELEASE a", "-", ""),
    ("DECLARE c1 CURSOR FOR SELECT a FROM k1", "FETCH c1", "1"),
    ("MOVE c1", "-", ""),
    ("CLOSE c1", "-", ""),
    ("COMMIT", "-", ""),
    (
        "START TRANSACTION READ ONLY",
        "SHOW transaction_read_only",
        "on",
    ),
    ("ROLLBACK", "SHOW transaction_read_only", "off"),
    ("EXPLAIN SELECT 1", "-", ""),
    ("ANALYZE k1", "-", ""),
    ("VACUUM k1", "-", ""),
    ("REINDEX TABLE k1", "-", ""),
    ("CHECKPOINT", "-", ""),
    ("CLUSTER", "-", ""),
    (
        "GRANT SELECT ON k1 TO dba",
        "SELECT has_table_privilege('k1', 'SELECT')::text",
        "true",
    ),
    (
        "ALTER TABLE k1 OWNER TO dba",
        "SELECT tableowner FROM pg_tables WHERE tablename = 'k1'",
        "dba",
    ),
    ("DISCARD PLANS", "-", ""),
    ("DISCARD SEQUENCES", "-", ""),
    (
        "CREATE TEMP TABLE own (a int)",
        "SELECT count(*) FROM own",
        "0",
    ),
    ("DISCARD TEMP", "-", ""),
    ("DISCARD ALL", "-", ""),
    ("UNLISTEN there", "-", ""),
    (
        "CREATE ROLE one LOGIN PASSWORD 'x'",
        "SELECT count(*) FROM pg_roles WHERE rolname = 'one'",
        "1",
    ),
    ("ALTER ROLE one PASSWORD 'y'", "-", ""),
    (
        "ALTER ROLE one SET work_mem = '1MB'",
        "SELECT setconfig::text FROM pg_db_role_setting",
        "{work_mem=1MB}",
    ),
    (
        "DROP ROLE one",
        "SELECT count(*) FROM pg_roles WHERE rolname = 'one'",
        "0",
    ),
    (
        "CREATE DATABASE other",
        "SELECT count(*) FROM pg_database WHERE datname = 'other'",
        "1",
    ),
    (
        "ALTER DATABASE other RENAME TO another",
        "SELECT count(*) FROM pg_database WHERE datname = 'another'",
        "1",
    ),
    (
        "ALTER DATABASE another SET work_mem = '2MB'",
        "SELECT setconfig::text FROM pg_db_role_setting",
        "{work_mem=2MB}",
    ),
    (
        "DROP DATABASE another",
        "SELECT count(*) FROM pg_database WHERE datname = 'another'",
        "0",
    ),
    ("VALUES (1)", "-", ""),
    ("TABLE k1", "-", ""),
    ("WITH w AS (SELECT 1) SELECT * FROM w", "-", ""),
    (
        "DROP TABLE k1",
        "SELECT count(*) FROM pg_class WHERE relname = 'k1'",
        "0",
    ),
];

/// A statement of each kind that is not there.
const REFUSED: &[&str] = &[
    "ALTER AGGREGATE a(int) RENAME TO b",
    "ALTER COLLATION c REFRESH VERSION",
    "ALTER CONVERSION c RENAME TO d",
    "ALTER DATABASE shop SET TABLESPACE t",
    "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO dba",
    "ALTER EVENT TRIGGER e DISABLE",
    "ALTER EXTENSION plpgsql UPDATE",
    "ALTER FOREIGN DATA WRAPPER f OPTIONS (a 'b')",
    "ALTER FOREIGN TABLE f ADD a int",
    "ALTER FUNCTION f(int) IMMUTABLE",
    "ALTER LANGUAGE plpgsql RENAME TO l",
    "ALTER LARGE OBJECT 1 OWNER TO dba",
    "ALTER MATERIALIZED VIEW m RENAME TO n",
    "ALTER OPERATOR + (int, int) OWNER TO dba",
    "ALTER OPERATOR CLASS o USING btree RENAME TO p",
    "ALTER OPERATOR FAMILY o USING btree RENAME TO p",
    "ALTER POLICY p ON t RENAME TO q",
    "ALTER PROCEDURE p(int) RENAME TO q",
    "ALTER PUBLICATION p ADD TABLE t",
    "ALTER ROUTINE r(int) RENAME TO s",
    "ALTER RULE r ON t RENAME TO s",
    "ALTER SCHEMA public RENAME TO p",
    "ALTER SERVER s VERSION '1'",
    "ALTER STATISTICS s RENAME TO t",
    "ALTER SUBSCRIPTION s DISABLE",
    "ALTER SYSTEM SET work_mem = '1MB'",
    "ALTER TABLESPACE pg_default RENAME TO p",
    "ALTER TEXT SEARCH CONFIGURATION c RENAME TO d",
    "ALTER TRIGGER g ON t RENAME TO h",
    "ALTER USER MAPPING FOR dba SERVER s OPTIONS (a 'b')",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE t ADD EXCLUDE USING gist (a WITH =)",
    "ALTER TABLE t SET UNLOGGED",
    "CALL p(1)",
    "CLUSTER t USING t_pkey",
    "COMMENT ON FUNCTION abs(int) IS 'x'",
    "CREATE ACCESS METHOD m TYPE INDEX HANDLER h",
    "CREATE AGGREGATE a(int) (SFUNC = f, STYPE = int)",
    "CREATE CAST (int AS text) WITHOUT FUNCTION",
    "CREATE COLLATION c (LOCALE = 'C')",
    "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f",
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()",
    "CREATE EXTENSION hstore",
    "CREATE FOREIGN DATA WRAPPER f",
    "CREATE FOREIGN TABLE f (a int) SERVER s",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE LANGUAGE l",
    "CREATE MATERIALIZED VIEW m AS SELECT 1",
    "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)",
    "CREATE OPERATOR CLASS o FOR TYPE int USING btree AS STORAGE int",
    "CREATE OPERATOR FAMILY o USING btree",
    "CREATE POLICY p ON t",
    "CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1'",
    "CREATE PUBLICATION p",
    "CREATE RULE r AS ON INSERT TO t DO NOTHING",
    "CREATE SERVER s FOREIGN DATA WRAPPER f",
    "CREATE STATISTICS s ON a, b FROM t",
    "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p",
    "CREATE TABLE c () INHERITS (t)",
    "CREATE TABLE c (a int UNIQUE DEFERRABLE)",
    "CREATE TABLE c (a int, \"A\" int)",
    "CREATE TABLE c PARTITION OF t DEFAULT",
    "CREATE UNLOGGED TABLE c (a int)",
    "CREATE TABLESPACE x LOCATION '/x'",
    "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)",
    "CREATE TRANSFORM FOR int LANGUAGE l (FROM SQL WITH FUNCTION f(internal))",
    "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    "CREATE TYPE e",
    "CREATE TYPE e AS RANGE (SUBTYPE = int)",
    "CREATE USER MAPPING FOR dba SERVER s",
    "DO 'BEGIN END'",
    "DROP ACCESS METHOD m",
    "DROP CAST (int AS text)",
    "DROP CONVERSION c",
    "DROP EVENT TRIGGER e",
    "DROP EXTENSION plpgsql",
    "DROP FOREIGN DATA WRAPPER f",
    "DROP FOREIGN TABLE f",
    "DROP LANGUAGE plpgsql",
    "DROP OPERATOR + (int, int)",
    "DROP OPERATOR CLASS o USING btree",
    "DROP OPERATOR FAMILY o USING btree",
    "DROP OWNED BY dba",
    "DROP POLICY p ON t",
    "DROP RULE r ON t",
    "DROP SCHEMA public",
    "DROP SUBSCRIPTION s",
    "DROP TABLESPACE pg_default",
    "DROP TEXT SEARCH CONFIGURATION c",
    "DROP TRANSFORM FOR int LANGUAGE l",
    "DROP USER MAPPING FOR dba SERVER s",
    "GRANT dba TO dba GRANTED BY dba",
    "IMPORT FOREIGN SCHEMA s FROM SERVER s INTO public",
    "LOAD 'x'",
    "MERGE INTO t USING t AS u ON t.a = u.a WHEN MATCHED THEN DO NOTHING",
    "REASSIGN OWNED BY dba TO dba",
    "REFRESH MATERIALIZED VIEW m",
    "SECURITY LABEL ON TABLE t IS 'x'",
];

async fn answer(client: &Client, sql: &str) -> String {
    let messages = client
        .simple_query(sql)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    let row = messages.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => {
            Some(row.get(0).unwrap_or("NULL").to_owned())
        }
        _ => None,
    });
    row.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_has_its_effect() {
    let server = Server::start().await;
    let client = server.client().await;
    for (statement, question, expected) in DONE {
        answer(&client, statement).await;
        if *question != "-" {
            assert_eq!(answer(&client, question).await, *expected, "{statement}");
        }
    }
    server.stop();
}

/// Between BEGIN and COMMIT, while another session commits if it gets the permit: what was done is brought onto that.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_in_a_block_has_its_effect_after_the_commits_of_others() {
    let server = Server::start().await;
    let client = server.client_after("CREATE TABLE theirs (a int)").await;
    let other = server.client_after("SET lock_timeout = '20ms'").await;
    let mut open = false;
    let mut beside = 0;
    for (statement, question, expected) in DONE {
        let word = statement.split(' ').next().unwrap_or_default();
        let alone = ["DATABASE", "VACUUM", "CHECKPOINT", "DISCARD ALL"];
        if ["BEGIN", "START"].contains(&word) {
            open = true;
        }
        if open || alone.iter().any(|what| statement.contains(what)) {
            answer(&client, statement).await;
        } else {
            answer(&client, &format!("BEGIN; {statement}")).await;
            let committed = other.batch_execute("INSERT INTO theirs VALUES (1)").await;
            beside += i32::from(committed.is_ok());
            answer(&client, "COMMIT").await;
        }
        if ["COMMIT", "ROLLBACK", "END", "ABORT"].contains(&word) && !statement.contains(" TO ") {
            open = false;
        }
        if *question != "-" {
            assert_eq!(answer(&client, question).await, *expected, "{statement}");
        }
    }
    assert!(beside > 5, "{beside} statements left the permit to others");
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_refused() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE t (a int PRIMARY KEY, b int)")
        .await;
    let mut wrong = Vec::new();
    for statement in REFUSED {
        let state = refused(client.simple_query(statement).await);
        if state != "0A000" {
            wrong.push(format!("{state}: {statement}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop();
}
