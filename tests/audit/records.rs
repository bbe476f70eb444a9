//! Audit records, on a master and on its slave.

use dbtests::{Cluster, Server, Settings, files};

use crate::{fields, told};

fn audited() -> Settings {
    Settings::master().set("ForwardLog", "EnableAudit", "on")
}

#[test]
fn each_commit_says_who_did_it_from_where_and_how() {
    let cluster = Cluster::with(audited(), Settings::slave());
    let master = &cluster.master;
    master.sql("system", "CREATE DATABASE shop");
    master.sql("system", "CREATE USER app PASSWORD 'never in the log'");
    let client = master.client("shop");
    client.run("SET application_name = 'till 7'");
    client.run("CREATE TABLE item (id int PRIMARY KEY, name text)");
    client.run("INSERT INTO item VALUES (1, 'nail'), (2, 'screw')");
    client.run("BEGIN");
    client.run("UPDATE item SET name = 'bolt' WHERE id = 2");
    client.run("SAVEPOINT here");
    client.run("DELETE FROM item");
    client.run("ROLLBACK TO here");
    client.run("COMMIT");
    // None of these changes anything.
    client.run("BEGIN");
    client.run("DELETE FROM item");
    client.run("ROLLBACK");
    client.run("UPDATE item SET name = 'x' WHERE id = 99");
    client.rows("SELECT * FROM item");
    client.refused("INSERT INTO item VALUES (1, 'again')");
    // Two commits.
    client.run("VACUUM FULL ANALYZE");
    let all = told(master, &["audit"]);
    let expected = [
        ["null", "SERVER", "database shop is made"],
        ["null", "SERVER", "user app is made, with privilege user"],
        [
            "shop",
            "CREATE TABLE",
            "CREATE TABLE item (id int PRIMARY KEY, name text)",
        ],
        [
            "shop",
            "INSERT",
            "INSERT INTO item VALUES (1, 'nail'), (2, 'screw')",
        ],
        [
            "shop",
            "UPDATE",
            "UPDATE item SET name = 'bolt' WHERE id = 2",
        ],
        ["shop", "SAVEPOINT", "SAVEPOINT here"],
        ["shop", "DELETE", "DELETE FROM item"],
        ["shop", "ROLLBACK", "ROLLBACK TO here"],
        ["shop", "VACUUM", "VACUUM FULL ANALYZE"],
        ["shop", "VACUUM", "VACUUM FULL ANALYZE"],
    ];
    assert_eq!(fields(&all, ["database", "kind", "statement"]), expected);
    let who = fields(&all[2..], ["user", "program"]);
    assert!(who.iter().all(|who| who == &["dba", "till 7"]), "{who:?}");
    let addresses = fields(&all, ["address"]);
    assert!(addresses.iter().all(|[a]| a.starts_with("127.0.0.1:")));
    // Four of them are one transaction.
    let commits = fields(&all[2..], ["commit"]);
    assert!(commits[2..6].iter().all(|commit| commit == &commits[2]));
    filters(master);
    cluster.synchronize();
    cluster.compare();
    assert_eq!(told(&cluster.slave, &["audit"]), all);
    for file in files::list(&master.fwlog_dir(), "fw-") {
        let bytes = files::read(&file);
        let secret = b"never in the log";
        assert!(!bytes.windows(secret.len()).any(|part| part == secret));
    }
}

fn filters(master: &Server) {
    let count = |words: &[&str]| told(master, &[&["audit"], words].concat()).len();
    assert_eq!(count(&["--kind", "insert"]), 1);
    assert_eq!(count(&["--kind", "insert", "--kind", "SERVER"]), 3);
    assert_eq!(count(&["--database", "shop"]), 8);
    assert_eq!(count(&["--database", "other"]), 0);
    assert_eq!(count(&["-u", "dba"]), 10);
    assert_eq!(count(&["-u", "app"]), 0);
    assert_eq!(count(&["--to", "2001-01-01"]), 0);
    assert_eq!(count(&["--from", "2001-01-01 00:00:00+02"]), 10);
    master.dbctl(&["fwlog", "audit", "--from", "soon"]).fails(2);
    let csv = master
        .dbctl(&["fwlog", "audit", "--csv", "--kind", "DELETE"])
        .ok();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[0].starts_with("time,commit,position,database,user,"),
        "{csv}"
    );
    assert!(lines[1].ends_with(",DELETE,DELETE FROM item"), "{csv}");
}

#[test]
fn a_prepared_statement_is_told_once_however_often_it_runs() {
    let folder = dbtests::Folder::new();
    let mut master = Server::create(folder.path(), audited());
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    let client = master.client("shop");
    client.run("CREATE TABLE item (id int PRIMARY KEY)");
    let driver = client.driver();
    client.wait(async {
        driver.batch_execute("BEGIN").await.expect("begin");
        let insert = driver
            .prepare("INSERT INTO item VALUES ($1)")
            .await
            .expect("a statement");
        for id in 0..100 {
            driver.execute(&insert, &[&id]).await.expect("a row");
        }
        driver.batch_execute("COMMIT").await.expect("commit");
    });
    let inserts = told(&master, &["audit", "--kind", "INSERT"]);
    assert_eq!(
        fields(&inserts, ["statement"]),
        [["INSERT INTO item VALUES ($1)\n-- and 99 more times"]]
    );
}

#[test]
fn without_audit_there_are_no_records() {
    let folder = dbtests::Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    master.sql("shop", "CREATE TABLE item (id int)");
    assert_eq!(told(&master, &["audit"]).len(), 0);
    let rows = told(&master, &["rows"]);
    assert_eq!(
        fields(&rows, ["operation", "table", "user"]),
        [["create table", "item", "null"]]
    );
    let told = master.dbctl(&["fwlog", "rows", "-u", "dba"]);
    assert!(
        told.out.is_empty() && told.err.contains("EnableAudit"),
        "{told:?}"
    );
}
