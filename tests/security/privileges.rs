//! Who may do what: databases, tables, sequences, groups, as PostgreSQL has them.

use dbtests::{Client, Cluster, Folder, PASSWORD, Refusal, Server, Settings};

use crate::SHOP;

/// The password of everybody but dba.
pub(crate) const THEIRS: &str = "their own";

/// A master with the database shop, which is dba's, and users.
pub(crate) fn server(folder: &Folder, users: &[&str]) -> Server {
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    make(&server, users);
    server
}

fn make(server: &Server, users: &[&str]) {
    server.sql("system", "CREATE DATABASE shop");
    for user in users {
        server.sql("system", &format!("CREATE USER {user} PASSWORD '{THEIRS}'"));
    }
}

pub(crate) fn log_in(server: &Server, user: &str, database: &str) -> Result<Client, Refusal> {
    let mut config = Client::config(server.address(), database, THEIRS);
    config.user(user);
    Client::with(&config).map_err(|error| Refusal::of(&error).expect("the server's words"))
}

#[track_caller]
pub(crate) fn user(server: &Server, name: &str) -> Client {
    log_in(server, name, SHOP).expect("may come in")
}

#[track_caller]
pub(crate) fn denied(client: &Client, sql: &str, message: &str) {
    let refusal = client.refused(sql);
    let told = (refusal.code.as_str(), refusal.message.as_str());
    assert_eq!(told, ("42501", message), "{sql}");
}

#[track_caller]
pub(crate) fn refused(refusal: &Refusal, code: &str, message: &str) {
    let told = (refusal.code.as_str(), refusal.message.as_str());
    assert_eq!(told, (code, message));
}

pub(crate) fn psql(server: &Server, name: &str, command: &str) -> String {
    let connection = format!(
        "host=127.0.0.1 port={} user={name} dbname={SHOP}",
        server.address().port()
    );
    let mut psql = dbtests::programs::needed("psql", "postgresql-client");
    let password = if name == "dba" { PASSWORD } else { THEIRS };
    psql.args(["-X", "-A", "-t", &connection, "-c", command])
        .env("PGPASSWORD", password);
    dbtests::process::run(&mut psql, b"").ok()
}

#[test]
fn a_database_is_its_owners_until_he_lets_others_in() {
    let folder = Folder::new();
    let server = server(&folder, &["ann", "bob"]);
    let dba = server.client(SHOP);
    dba.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE SEQUENCE s");
    let refusal = log_in(&server, "ann", SHOP).err().expect("a refusal");
    refused(&refusal, "42501", "permission denied for database \"shop\"");
    assert_eq!(refusal.detail, "User does not have CONNECT privilege.");

    dba.run("GRANT CONNECT ON DATABASE shop TO ann");
    let ann = user(&server, "ann");
    denied(&ann, "SELECT * FROM t", "permission denied for table t");
    denied(
        &ann,
        "CREATE TABLE u (a int)",
        "permission denied for schema public",
    );
    denied(
        &ann,
        "CREATE TEMP TABLE u (a int)",
        "permission denied to create temporary tables in database \"shop\"",
    );

    // Read-only, in a session that is there already.
    dba.run("GRANT SELECT ON DATABASE shop TO ann");
    assert_eq!(ann.value("SELECT a FROM t"), "1");
    denied(
        &ann,
        "INSERT INTO t VALUES (2)",
        "permission denied for table t",
    );
    denied(
        &ann,
        "SELECT nextval('s')",
        "permission denied for sequence s",
    );
    // Read-write.
    dba.run("GRANT ALL ON DATABASE shop TO ann");
    ann.run("INSERT INTO t VALUES (2); CREATE TABLE u (a int); SELECT nextval('s')");
    assert_eq!(
        psql(
            &server,
            "dba",
            "SELECT datacl FROM pg_database WHERE datname = 'shop'"
        ),
        "{dba=arwdDxtUCTc/dba,ann=arwdDxtUCTc/dba}\n"
    );
    // None.
    dba.run("REVOKE ALL ON DATABASE shop FROM ann");
    denied(&ann, "SELECT * FROM t", "permission denied for table t");
    assert_eq!(
        ann.value("SELECT count(*) FROM u"),
        "0",
        "what she has made is hers"
    );
    assert!(log_in(&server, "ann", SHOP).is_err());

    dba.run("GRANT CONNECT ON DATABASE shop TO PUBLIC");
    let bob = user(&server, "bob");
    denied(&bob, "SELECT * FROM u", "permission denied for table u");
    denied(&bob, "DROP DATABASE shop", "must be owner of database shop");
    // Another owner.
    dba.run("ALTER DATABASE shop OWNER TO bob");
    assert_eq!(bob.value("SELECT a FROM t LIMIT 1"), "1");
    bob.run("SELECT * FROM u; DROP TABLE u");
    let told = bob.refused("CREATE DATABASE more");
    refused(&told, "42501", "permission denied to create database");
}

/// What a statement needs; with that and no more it runs.
const NEEDS: &[(&str, &str)] = &[
    ("SELECT", "SELECT count(*) FROM t"),
    ("SELECT", "SELECT 1 WHERE EXISTS (SELECT 1 FROM t)"),
    ("SELECT", "WITH x AS (SELECT * FROM t) SELECT * FROM x"),
    (
        "SELECT",
        "SELECT 1 FROM (VALUES (1)) v(i), LATERAL (SELECT id FROM t WHERE id = i) l",
    ),
    ("SELECT", "EXPLAIN SELECT * FROM t"),
    (
        "SELECT",
        "PREPARE p AS SELECT * FROM t; EXECUTE p; DEALLOCATE p",
    ),
    (
        "SELECT",
        "BEGIN; DECLARE c CURSOR FOR SELECT * FROM t; COMMIT",
    ),
    ("SELECT", "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE; COMMIT"),
    ("SELECT, UPDATE", "SELECT * FROM t FOR UPDATE"),
    ("SELECT, UPDATE", "SELECT * FROM t FOR SHARE"),
    (
        "INSERT",
        "INSERT INTO t VALUES (2, 'y') ON CONFLICT DO NOTHING",
    ),
    (
        "INSERT, SELECT",
        "INSERT INTO t VALUES (3, 'y') RETURNING id",
    ),
    (
        "INSERT, SELECT",
        "INSERT INTO t VALUES (3, 'y') ON CONFLICT (id) DO NOTHING",
    ),
    (
        "INSERT, SELECT, UPDATE",
        "INSERT INTO t VALUES (3, 'y') ON CONFLICT (id) DO UPDATE SET a = excluded.a",
    ),
    ("UPDATE", "UPDATE t SET a = 'z'"),
    ("UPDATE, SELECT", "UPDATE t SET a = a || '!'"),
    ("UPDATE, SELECT", "UPDATE t SET a = 'z' WHERE id = 1"),
    (
        "UPDATE, SELECT",
        "WITH d AS (UPDATE t SET a = 'q' WHERE id = 1 RETURNING id) SELECT * FROM d",
    ),
    ("DELETE, SELECT", "DELETE FROM t WHERE id = 7"),
    ("DELETE", "DELETE FROM t"),
    ("TRUNCATE", "TRUNCATE t"),
];

const NO_T: &str = "permission denied for table t";

/// Tables of dba's; ann may connect.
fn with_tables(folder: &Folder) -> Server {
    let server = server(folder, &["ann"]);
    server.client(SHOP).run(
        "CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'x');
         CREATE SEQUENCE s; CREATE TABLE n (id serial, a int); GRANT CONNECT ON DATABASE shop TO ann",
    );
    server
}

#[test]
fn each_statement_needs_what_postgresql_says() {
    let folder = Folder::new();
    let server = with_tables(&folder);
    let (dba, ann) = (server.client(SHOP), user(&server, "ann"));
    for (privileges, sql) in NEEDS {
        let alone = !sql.contains("; ");
        // One less is not enough.
        for missing in privileges.split(", ") {
            dba.run(&format!(
                "GRANT {privileges} ON t TO ann; REVOKE {missing} ON t FROM ann"
            ));
            if alone {
                denied(&ann, sql, NO_T);
            }
            dba.run("REVOKE ALL ON t FROM ann");
        }
        dba.run(&format!("GRANT {privileges} ON t TO ann"));
        ann.run(sql);
        dba.run("REVOKE ALL ON t FROM ann; INSERT INTO t VALUES (1, 'x') ON CONFLICT DO NOTHING");
    }
}

#[test]
fn definitions_are_for_owners() {
    let folder = Folder::new();
    let server = with_tables(&folder);
    let ann = user(&server, "ann");
    for (sql, message) in [
        ("DROP TABLE t", "must be owner of table t"),
        ("ALTER TABLE t ADD COLUMN b int", "must be owner of table t"),
        ("ALTER TABLE t RENAME TO v", "must be owner of table t"),
        ("ALTER TABLE t OWNER TO ann", "must be owner of table t"),
        ("CREATE INDEX i ON t (a)", "must be owner of table t"),
        (
            "COMMENT ON COLUMN t.a IS 'mine'",
            "must be owner of relation t",
        ),
        ("DROP SEQUENCE s", "must be owner of sequence s"),
        ("ANALYZE t", "must be owner of table t"),
        ("REINDEX TABLE t", "must be owner of table t"),
        (
            "GRANT SELECT ON t TO PUBLIC",
            "permission denied for table t",
        ),
        (
            "SELECT last_value FROM s",
            "permission denied for sequence s",
        ),
        ("SELECT setval('s', 7)", "permission denied for sequence s"),
        (
            "SELECT * FROM eloqdb_right",
            "relation \"eloqdb_right\" does not exist",
        ),
    ] {
        let refusal = ann.refused(sql);
        assert_eq!(refusal.message, message, "{sql}");
    }
}

#[test]
fn nobody_reads_by_a_way_around() {
    let folder = Folder::new();
    let server = with_tables(&folder);
    let (dba, ann) = (server.client(SHOP), user(&server, "ann"));
    dba.run("GRANT TEMPORARY ON DATABASE shop TO ann");
    ann.run("PREPARE p AS SELECT * FROM t; CREATE TEMP VIEW x AS SELECT * FROM t; CREATE TEMP VIEW y AS SELECT * FROM x");
    ann.run(
        "PREPARE q(text) AS SELECT $1; CREATE TEMP TABLE own (a int); INSERT INTO own SELECT 1",
    );
    for sql in [
        "EXECUTE p",
        "SELECT * FROM x",
        "SELECT * FROM y",
        "EXECUTE q((SELECT a FROM t LIMIT 1))",
        "CREATE TEMP TABLE stolen AS SELECT * FROM t",
        "SELECT * INTO TEMP stolen FROM t",
        "INSERT INTO own SELECT id FROM t",
        "COPY (SELECT * FROM t) TO STDOUT",
        "SELECT (SELECT a FROM t LIMIT 1)",
        "SELECT * FROM own ORDER BY (SELECT a FROM t LIMIT 1)",
        "VALUES ((SELECT a FROM t LIMIT 1))",
        "SELECT 1 UNION SELECT id FROM t",
        "UPDATE own SET a = (SELECT id FROM t LIMIT 1)",
        "DELETE FROM own USING t WHERE own.a = t.id",
    ] {
        denied(&ann, sql, NO_T);
    }
    assert_eq!(ann.value("SELECT a FROM own"), "1");
}

#[test]
fn counting_and_referring_need_rights_of_their_own() {
    let folder = Folder::new();
    let server = with_tables(&folder);
    let (dba, ann) = (server.client(SHOP), user(&server, "ann"));
    // A serial column asks for a number in the name of who inserts.
    dba.run("GRANT INSERT ON n TO ann; GRANT CREATE ON SCHEMA public TO ann");
    denied(
        &ann,
        "INSERT INTO n (a) VALUES (1)",
        "permission denied for sequence n_id_seq",
    );
    dba.run("GRANT USAGE ON SEQUENCE n_id_seq TO ann");
    ann.run("INSERT INTO n (a) VALUES (1)");
    // A foreign key needs a right on what it refers to; what it checks later needs none.
    let child = "CREATE TABLE child (t int REFERENCES t ON DELETE CASCADE)";
    denied(&ann, child, NO_T);
    dba.run("GRANT REFERENCES ON t TO ann");
    ann.run(child);
    ann.run("INSERT INTO child VALUES (1)");
    dba.run("DELETE FROM t");
    assert_eq!(ann.value("SELECT count(*) FROM child"), "0");
}

#[test]
fn a_view_reads_with_the_rights_of_its_owner() {
    let folder = Folder::new();
    let server = server(&folder, &["ann", "bob"]);
    let dba = server.client(SHOP);
    dba.run(
        "CREATE TABLE t (a int, secret text); INSERT INTO t VALUES (1, 'x'); CREATE VIEW v AS SELECT a FROM t;
         CREATE VIEW w AS SELECT a FROM v; GRANT CONNECT ON DATABASE shop TO PUBLIC; GRANT SELECT ON w TO bob;
         GRANT CREATE ON SCHEMA public TO ann",
    );
    let (ann, bob) = (user(&server, "ann"), user(&server, "bob"));
    assert_eq!(bob.value("SELECT a FROM w"), "1");
    denied(&bob, "SELECT a FROM v", "permission denied for view v");
    denied(
        &bob,
        "SELECT secret FROM t",
        "permission denied for table t",
    );
    // A view over what its owner may not read is made, and can't be read.
    ann.run("CREATE VIEW hers AS SELECT secret FROM t; GRANT SELECT ON hers TO bob");
    denied(&ann, "SELECT * FROM hers", "permission denied for table t");
    denied(&bob, "SELECT * FROM hers", "permission denied for table t");
    dba.run("GRANT SELECT ON t TO ann");
    assert_eq!(bob.value("SELECT secret FROM hers"), "x");
    dba.run("ALTER VIEW hers OWNER TO bob");
    denied(&bob, "SELECT * FROM hers", "permission denied for table t");
}

#[test]
fn rights_follow_what_they_are_on_and_go_with_it() {
    let folder = Folder::new();
    let server = server(&folder, &["ann", "bob"]);
    let dba = server.client(SHOP);
    dba.run("GRANT CONNECT ON DATABASE shop TO PUBLIC; CREATE TABLE t (a int); GRANT SELECT ON t TO ann");
    let ann = user(&server, "ann");
    let prepared = ann
        .wait(ann.driver().prepare("SELECT a FROM t"))
        .expect("a statement");
    dba.run("ALTER TABLE t RENAME TO u");
    ann.run("SELECT a FROM u");
    dba.run("DROP TABLE u; CREATE TABLE u (a int)");
    denied(&ann, "SELECT a FROM u", "permission denied for table u");
    // What is undone was never granted.
    dba.run("BEGIN; GRANT SELECT ON u TO ann");
    denied(&ann, "SELECT a FROM u", "permission denied for table u");
    dba.run("ROLLBACK");
    denied(&ann, "SELECT a FROM u", "permission denied for table u");
    // A prepared statement is judged when it runs.
    dba.run("CREATE TABLE t (a int); GRANT SELECT ON t TO ann");
    let rows = ann.wait(ann.driver().query(&prepared, &[]));
    assert_eq!(rows.expect("no rows").len(), 0);
    dba.run("REVOKE SELECT ON t FROM ann");
    let refusal = ann
        .wait(ann.driver().query(&prepared, &[]))
        .expect_err("a refusal");
    let refusal = Refusal::of(&refusal).expect("the server's words");
    refused(&refusal, "42501", "permission denied for table t");
    // Who has something, or owns something, stays.
    dba.run("GRANT SELECT ON t TO bob WITH GRANT OPTION");
    let bob = user(&server, "bob");
    bob.run("GRANT SELECT ON t TO ann");
    let refusal = dba.refused("REVOKE SELECT ON t FROM bob");
    refused(&refusal, "2BP01", "dependent privileges exist");
    let refusal = dba.refused("DROP ROLE ann");
    let message = "role \"ann\" cannot be dropped because some objects depend on it";
    refused(&refusal, "2BP01", message);
    assert_eq!(refusal.detail, "privileges for table t in database shop");
    dba.run("REVOKE SELECT ON t FROM bob CASCADE");
    denied(&ann, "SELECT a FROM t", "permission denied for table t");
    dba.run("DROP ROLE ann");
    // What is made from now on.
    dba.run("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob; CREATE TABLE later (a int)");
    bob.run("SELECT * FROM later");
    denied(&bob, "SELECT * FROM t", "permission denied for table t");
    assert_eq!(dba.refused("DROP ROLE bob").code, "2BP01");
}

#[test]
fn psql_shows_who_may_do_what() {
    let folder = Folder::new();
    let server = server(&folder, &["ann"]);
    let dba = server.client(SHOP);
    dba.run(
        "CREATE ROLE reporting; GRANT reporting TO ann; CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;
         GRANT SELECT ON t TO reporting; GRANT UPDATE ON t TO ann WITH GRANT OPTION; GRANT CONNECT ON DATABASE shop TO ann",
    );
    let shown = psql(&server, "dba", "\\dp");
    assert_eq!(
        shown,
        "public|t|table|dba=arwdDxt/dba\nreporting=r/dba\nann=w*/dba||\npublic|v|view|||\n"
    );
    let shown = psql(&server, "dba", "\\l shop");
    assert!(
        shown.starts_with("shop|dba|UTF8|C|C||libc|dba=arwdDxtUCTc/dba\nann=c/dba\n"),
        "{shown}"
    );
    let shown = psql(&server, "dba", "\\du");
    assert!(shown.contains("ann||{reporting}\n"), "{shown}");
    assert!(shown.contains("reporting|Cannot login|{}\n"), "{shown}");
    assert!(
        shown.contains("dba|Superuser, Create role, Create DB, Replication, Bypass RLS|{}\n"),
        "{shown}"
    );
    let asked = "SELECT has_table_privilege('t', 'SELECT'), has_table_privilege('t', 'UPDATE WITH GRANT OPTION'),
        has_table_privilege('t', 'DELETE'), has_table_privilege('dba', 't', 'DELETE'), pg_has_role('reporting', 'MEMBER'),
        has_database_privilege('shop', 'CONNECT'), has_schema_privilege('public', 'CREATE')";
    assert_eq!(psql(&server, "ann", asked), "t|t|f|t|t|t|f\n");
    let granted = "SELECT grantor, grantee, privilege_type, is_grantable FROM information_schema.table_privileges
        WHERE table_name = 't' AND grantee <> 'dba' ORDER BY 2";
    assert_eq!(
        psql(&server, "dba", granted),
        "dba|ann|UPDATE|YES\ndba|reporting|SELECT|NO\n"
    );
}

#[test]
fn a_slave_holds_to_the_same_and_goes_on_so_as_a_master() {
    let mut cluster = Cluster::start();
    make(&cluster.master, &["ann"]);
    let repl = format!("CREATE ROLE courier LOGIN REPLICATION PASSWORD '{THEIRS}'");
    cluster.master.sql("system", &repl);
    cluster.master.sql(
        SHOP,
        "CREATE TABLE t (a int); CREATE TABLE u (a int); GRANT CONNECT ON DATABASE shop TO ann; GRANT SELECT ON t TO ann",
    );
    cluster.synchronize();
    let ann = user(&cluster.slave, "ann");
    ann.run("SELECT * FROM t");
    denied(&ann, "SELECT * FROM u", "permission denied for table u");
    // Who may only replicate feeds the slave, and comes into no database.
    let refusal = log_in(&cluster.slave, "courier", SHOP)
        .err()
        .expect("a refusal");
    refused(&refusal, "42501", "permission denied for database \"shop\"");
    cluster.master.sql(
        SHOP,
        "REVOKE SELECT ON t FROM ann; GRANT SELECT ON u TO ann",
    );
    let mut dbrepl =
        dbtests::follower::dbrepl(&cluster.master, &cluster.slave, &["-S", "-u", "courier"]);
    let run = dbtests::process::run(dbrepl.env("EQ_DBPASSWORD", THEIRS), b"");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let mut dbrepl =
        dbtests::follower::dbrepl(&cluster.master, &cluster.slave, &["-S", "-u", "ann"]);
    let run = dbtests::process::run(dbrepl.env("EQ_DBPASSWORD", THEIRS), b"");
    assert_eq!(run.code, Some(4), "{}", run.err);
    // In the session that is there.
    ann.run("SELECT * FROM u");
    denied(&ann, "SELECT * FROM t", "permission denied for table t");
    drop(ann);
    cluster.master.stop();
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    cluster.slave.start();
    let ann = user(&cluster.slave, "ann");
    denied(&ann, "SELECT * FROM t", "permission denied for table t");
    denied(
        &ann,
        "INSERT INTO u VALUES (1)",
        "permission denied for table u",
    );
    cluster.slave.sql(SHOP, "GRANT INSERT ON u TO ann");
    ann.run("INSERT INTO u VALUES (1)");
}
