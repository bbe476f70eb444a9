//! Who may define what: enums and domains, and definitions that wait for each other.

use dbtests::{Client, Folder, LONG, Server};

use crate::SHOP;
use crate::privileges::{THEIRS, denied, psql, refused, server, user};

/// Shop is dba's and has the enum `mood` and the domain `price`; everybody may connect.
fn with_types(folder: &Folder) -> Server {
    let server = server(folder, &["ann", "bob"]);
    server.client(SHOP).run(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN price AS numeric CHECK (VALUE > 0);
         GRANT CONNECT ON DATABASE shop TO PUBLIC",
    );
    server
}

#[test]
fn enums_and_domains_are_their_owners() {
    let folder = Folder::new();
    let server = with_types(&folder);
    let (dba, ann, bob) = (
        server.client(SHOP),
        user(&server, "ann"),
        user(&server, "bob"),
    );
    for sql in [
        "CREATE TYPE hers AS ENUM ('a')",
        "CREATE DOMAIN hers AS int",
    ] {
        denied(&ann, sql, "permission denied for schema public");
    }
    dba.run("GRANT CREATE ON SCHEMA public TO ann");
    for (sql, name) in [
        ("ALTER TYPE mood ADD VALUE 'so so'", "mood"),
        ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad'", "mood"),
        ("ALTER TYPE mood RENAME VALUE 'sad' TO 'glad'", "mood"),
        ("ALTER TYPE mood OWNER TO ann", "mood"),
        ("DROP TYPE mood", "mood"),
        ("DROP TYPE IF EXISTS nothing, mood", "mood"),
        ("ALTER DOMAIN price OWNER TO ann", "price"),
        ("DROP DOMAIN price", "price"),
    ] {
        denied(&ann, sql, &format!("must be owner of type {name}"));
    }
    // Everybody may use one, and what one has made is one's own.
    ann.run(
        "CREATE TABLE t (m mood, p price); INSERT INTO t VALUES ('sad', 1);
         CREATE TYPE hers AS ENUM ('a'); CREATE DOMAIN worth AS int; ALTER TYPE hers ADD VALUE 'b'",
    );
    denied(&bob, "DROP TYPE hers", "must be owner of type hers");
    denied(&bob, "DROP DOMAIN worth", "must be owner of type worth");
    assert_eq!(
        psql(
            &server,
            "dba",
            "SELECT typname, pg_get_userbyid(typowner) FROM pg_type WHERE typtype IN ('e', 'd') AND typnamespace = 2200 ORDER BY 1"
        ),
        "hers|ann\nmood|dba\nprice|dba\nworth|ann\n"
    );
    let kept = dba.refused("DROP ROLE ann");
    assert_eq!(
        kept.detail,
        "owner of table t in database shop\nowner of type hers in database shop\nowner of type worth in database shop\n\
         privileges for schema public in database shop"
    );
    // Another owner, and one who is no member of it.
    denied(
        &ann,
        "ALTER TYPE hers OWNER TO bob",
        "must be member of role \"bob\"",
    );
    dba.run("ALTER TYPE hers OWNER TO bob; ALTER DOMAIN worth OWNER TO bob");
    denied(
        &ann,
        "ALTER TYPE hers ADD VALUE 'c'",
        "must be owner of type hers",
    );
    bob.run("ALTER TYPE hers ADD VALUE 'c'; DROP TYPE hers; DROP DOMAIN worth");
    // The owner goes with it.
    dba.run("CREATE TYPE hers AS ENUM ('a'); CREATE DOMAIN worth AS int");
    denied(&bob, "DROP TYPE hers", "must be owner of type hers");
    denied(&bob, "DROP DOMAIN worth", "must be owner of type worth");
}

/// Ann's statement waits for a definition of dba's, which is then committed; gives what she was told.
fn behind(
    server: &Server,
    dba: &Client,
    defines: &str,
    waits: &str,
) -> Result<(), (String, String)> {
    let ann = user(server, "ann");
    dba.run(&format!("BEGIN; {defines}"));
    std::thread::scope(|scope| {
        let told = scope.spawn(move || match ann.try_rows(waits) {
            Ok(_) => Ok(()),
            Err(error) => {
                let told = dbtests::Refusal::of(&error).expect("the server's words");
                Err((told.code, told.message))
            }
        });
        dbtests::wait_for("ann to wait for dba", LONG, || {
            let count = dba.value(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ann' AND wait_event_type = 'Lock'",
            );
            (count == "1").then_some(())
        });
        dba.run("COMMIT");
        told.join().expect("an answer")
    })
}

#[test]
fn who_waits_for_a_definition_is_judged_by_what_it_has_made() {
    let folder = Folder::new();
    let server = with_types(&folder);
    let dba = server.client(SHOP);
    dba.run(
        "CREATE TABLE secret (a int); INSERT INTO secret VALUES (7); GRANT CREATE ON SCHEMA public TO ann",
    );
    let owner = |name: &str| {
        dba.value(&format!(
            "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = '{name}'"
        ))
    };
    // What is there already by then does not become hers.
    let told = behind(
        &server,
        &dba,
        "CREATE TABLE late (a int)",
        "CREATE TABLE IF NOT EXISTS late (a int)",
    );
    assert_eq!(told, Ok(()));
    assert_eq!(owner("late"), "dba");
    // A view that would be replaced is by then dba's, and would read with dba's rights.
    let told = behind(
        &server,
        &dba,
        "CREATE VIEW shown AS SELECT 1 AS a",
        "CREATE OR REPLACE VIEW shown AS SELECT a FROM secret",
    );
    let not_hers = |what: &str| Err(("42501".to_owned(), format!("must be owner of {what}")));
    assert_eq!(told, not_hers("view shown"));
    assert_eq!(dba.value("SELECT a FROM shown"), "1");
    // What was hers is another's of the same name.
    let hers = |name: &str| user(&server, "ann").run(&format!("CREATE TABLE {name} (a int)"));
    for (name, waits) in [
        ("one", "DROP TABLE one"),
        ("two", "ALTER TABLE two ADD COLUMN b int"),
        ("three", "ALTER TABLE three OWNER TO ann"),
        ("four", "CREATE INDEX i ON four (a)"),
    ] {
        hers(name);
        let told = behind(
            &server,
            &dba,
            &format!("DROP TABLE {name}; CREATE TABLE {name} (a int)"),
            waits,
        );
        assert_eq!(told, not_hers(&format!("table {name}")), "{waits}");
        assert_eq!(owner(name), "dba", "{waits}");
    }
    hers("five");
    let told = behind(
        &server,
        &dba,
        "DROP TABLE five; CREATE TABLE five (a int)",
        "GRANT SELECT ON five TO bob",
    );
    let message = "permission denied for table five".to_owned();
    assert_eq!(told, Err(("42501".to_owned(), message)));
    let refusal = user(&server, "bob").refused("SELECT * FROM five");
    refused(&refusal, "42501", "permission denied for table five");
}

#[test]
fn a_checkpoint_is_for_those_who_operate_the_server() {
    let folder = Folder::new();
    let server = with_types(&folder);
    let dba = server.client(SHOP);
    let message = "permission denied: this needs the privilege dba or operator";
    denied(&user(&server, "ann"), "CHECKPOINT", message);
    let olga = ["user", "create", "olga", "--privilege", "operator"];
    server.dbctl_with_new_password(&olga, THEIRS).ok();
    dba.run("CHECKPOINT; GRANT CONNECT ON DATABASE shop TO olga");
    user(&server, "olga").run("CHECKPOINT");
    // Who acts as somebody else has that one's rights.
    dba.run("SET ROLE ann");
    denied(&dba, "CHECKPOINT", message);
}

#[test]
fn what_is_behind_the_tables_is_for_owners() {
    let folder = Folder::new();
    let server = with_types(&folder);
    let dba = server.client(SHOP);
    dba.run("CREATE TABLE t (id int PRIMARY KEY); GRANT CREATE ON SCHEMA public TO ann");
    let ann = user(&server, "ann");
    for sql in ["PRAGMA table_info(t)", "PRAGMA integrity_check"] {
        denied(&ann, sql, "must be owner of database shop");
    }
    // A sequence follows the table that it is linked to.
    ann.run("CREATE SEQUENCE hers");
    for sql in [
        "CREATE SEQUENCE other OWNED BY t.id",
        "ALTER SEQUENCE hers OWNED BY t.id",
    ] {
        denied(&ann, sql, "must be owner of table t");
    }
    ann.run("CREATE TABLE own (id int); ALTER SEQUENCE hers OWNED BY own.id; DROP TABLE own");
}
