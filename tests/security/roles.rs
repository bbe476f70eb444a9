//! Groups of roles, and the limits of a role.

use dbtests::{Client, Folder};

use crate::SHOP;
use crate::privileges::{THEIRS, denied, log_in, psql, refused, server, user};

#[test]
fn groups_give_their_rights_to_members() {
    let folder = Folder::new();
    let server = server(&folder, &["ann", "bob", "carl"]);
    let dba = server.client(SHOP);
    dba.run(
        "CREATE TABLE t (a int); CREATE ROLE reporting; GRANT SELECT ON t TO reporting;
         GRANT CONNECT ON DATABASE shop TO PUBLIC; GRANT reporting TO ann; GRANT reporting TO bob WITH ADMIN OPTION;
         ALTER ROLE bob NOINHERIT; GRANT CREATE ON SCHEMA public TO reporting",
    );
    let (ann, bob, carl) = (
        user(&server, "ann"),
        user(&server, "bob"),
        user(&server, "carl"),
    );
    ann.run("SELECT * FROM t");
    denied(&bob, "SELECT * FROM t", "permission denied for table t");
    bob.run("SET ROLE reporting");
    bob.run("SELECT * FROM t; CREATE TABLE theirs (a int)");
    assert_eq!(
        bob.value("SELECT current_user || ' ' || session_user"),
        "reporting bob"
    );
    assert_eq!(
        bob.value("SELECT tableowner FROM pg_tables WHERE tablename = 'theirs'"),
        "reporting"
    );
    bob.run("RESET ROLE");
    ann.run("DROP TABLE theirs");
    // Who may take others in.
    denied(
        &ann,
        "GRANT reporting TO carl",
        "must have admin option on role \"reporting\"",
    );
    bob.run("GRANT reporting TO carl");
    carl.run("SELECT * FROM t");
    let circle = dba.refused("GRANT carl TO reporting");
    refused(
        &circle,
        "0LP01",
        "role \"carl\" is a member of role \"reporting\"",
    );
    dba.run("REVOKE reporting FROM carl");
    denied(&carl, "SELECT * FROM t", "permission denied for table t");
    // Somebody who may do everything acts as another.
    dba.run("SET ROLE carl");
    denied(&dba, "SELECT * FROM t", "permission denied for table t");
    dba.run("RESET ROLE");
    dba.run("SELECT * FROM t");
}

#[test]
fn nobody_becomes_a_role_that_he_is_no_member_of() {
    let folder = Folder::new();
    let server = server(&folder, &["carl"]);
    server.client(SHOP).run(
        "CREATE TABLE t (a int); CREATE ROLE reporting; GRANT CONNECT ON DATABASE shop TO PUBLIC",
    );
    let carl = user(&server, "carl");
    denied(
        &carl,
        "SET ROLE reporting",
        "permission denied to set role \"reporting\"",
    );
    denied(
        &carl,
        "SET ROLE dba",
        "permission denied to set role \"dba\"",
    );
    // Neither by the other ways to set it.
    denied(
        &carl,
        "SELECT set_config('role', 'dba', false)",
        "permission denied to set role \"dba\"",
    );
    denied(&carl, "SELECT * FROM t", "permission denied for table t");
    let mut config = Client::config(server.address(), SHOP, THEIRS);
    config.user("carl").options("-c role=dba");
    let sly = Client::with(&config).expect("a session");
    denied(&sly, "SELECT * FROM t", "permission denied for table t");
    denied(
        &sly,
        "CREATE USER x",
        "permission denied: this needs the privilege dba",
    );
    assert_eq!(sly.value("SELECT current_user"), "carl");
}

#[test]
fn a_role_has_its_limits() {
    let folder = Folder::new();
    let server = server(&folder, &["ann"]);
    let dba = server.client(SHOP);
    dba.run("GRANT CONNECT ON DATABASE shop TO PUBLIC; ALTER ROLE ann CONNECTION LIMIT 1");
    let first = user(&server, "ann");
    let refusal = log_in(&server, "ann", SHOP).err().expect("a refusal");
    refused(&refusal, "53300", "too many connections for role \"ann\"");
    dba.run("ALTER ROLE ann CONNECTION LIMIT -1; ALTER DATABASE shop CONNECTION LIMIT 2");
    let refusal = log_in(&server, "ann", SHOP).err().expect("a refusal");
    refused(
        &refusal,
        "53300",
        "too many connections for database \"shop\"",
    );
    server.client(SHOP).run("SELECT 1");
    dba.run("ALTER DATABASE shop CONNECTION LIMIT -1");
    drop(first);
    for (change, code, message) in [
        (
            "VALID UNTIL '2001-01-01'",
            "28P01",
            "password authentication failed for user \"ann\"",
        ),
        (
            "VALID UNTIL 'infinity' NOLOGIN",
            "28000",
            "role \"ann\" is not permitted to log in",
        ),
        (
            "LOGIN PASSWORD NULL",
            "28P01",
            "password authentication failed for user \"ann\"",
        ),
    ] {
        dba.run(&format!("ALTER ROLE ann {change}"));
        let refusal = log_in(&server, "ann", SHOP).err().expect("a refusal");
        refused(&refusal, code, message);
    }
    dba.run(&format!(
        "ALTER ROLE ann PASSWORD '{THEIRS}' VALID UNTIL '2999-01-01'"
    ));
    user(&server, "ann");
    let md5 = dba.refused("ALTER ROLE ann PASSWORD 'md5c5d9a1b6d5c7d0a5e2f8b6c1d2e3f4a5'");
    assert_eq!(md5.code, "0A000");
    assert_eq!(dba.refused("SET password_encryption = 'md5'").code, "22023");
    assert_eq!(dba.refused("CREATE ROLE x CREATEROLE").code, "0A000");
    assert_eq!(
        dba.refused("GRANT SELECT (a) ON pg_class TO ann").code,
        "42P01"
    );
    let listed = psql(&server, "dba", "\\du");
    assert!(
        listed.contains("ann|Password valid until 2999-01-01 00:00:00+00|{}"),
        "{listed}"
    );
}
