//! What nobody waits for any more is not gone on with.

use dbtests::process::Background;
use dbtests::{Folder, LONG, PASSWORD, Server, Settings, wait_for};

const LONG_STATEMENT: &str = "SELECT pg_sleep(1000)";

/// Waits until so many sessions run the long statement.
fn running(server: &Server, count: usize) {
    wait_for("the statements to run, or not", LONG, || {
        let sessions = server.dbctl(&["session", "list"]).ok();
        let active = sessions.lines().filter(|line| line.contains(" active"));
        // The one that asks is active, too.
        (active.count() == count + 1).then_some(())
    });
}

fn start(folder: &Folder, server: &Server) -> Background {
    let mut command = server.dbctl_command();
    command
        .args(["sql", LONG_STATEMENT])
        .env("EQ_DBPASSWORD", PASSWORD);
    Background::start(&mut command, &folder.join("sql.log"))
}

#[test]
fn ctrl_c_in_dbctl_and_a_client_that_vanishes_cancel_the_statement_on_the_server() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let mut sql = start(&folder, &server);
    running(&server, 1);
    sql.signal("INT");
    let status = wait_for("dbctl to end", LONG, || sql.ended());
    assert_eq!(status.code(), Some(1));
    assert!(
        sql.output()
            .contains("canceling statement due to user request"),
        "{}",
        sql.output()
    );
    running(&server, 0);

    let mut sql = start(&folder, &server);
    running(&server, 1);
    sql.kill9();
    running(&server, 0);
    assert!(
        server.log().contains("the client has gone"),
        "{}",
        server.log()
    );
}

#[test]
fn a_script_can_be_one_transaction() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    let script = folder.join("script.sql");
    dbtests::files::write(
        &script,
        "CREATE TABLE a (i int);\nCREATE TABLE a (i int);\n",
    );
    let path = script.display().to_string();
    let run = || server.dbctl(&["sql", "-d", "shop", "--single-transaction", "-f", &path]);
    assert!(run().fails(1).contains("already exists"));
    dbtests::files::write(
        &script,
        "CREATE TABLE a (i int);\nINSERT INTO a VALUES (1);\n",
    );
    run().ok();
    assert_eq!(server.sql("shop", "SELECT i FROM a"), [["1"]]);
    // What would end it halfway is refused, and nothing is done.
    for (line, word) in [
        ("\\c system", "\\c"),
        ("COMMIT;", "COMMIT"),
        ("rollback work;", "ROLLBACK"),
    ] {
        let text = format!("INSERT INTO a VALUES (2);\n{line}\nSELECT 1;\n");
        dbtests::files::write(&script, &text);
        let told = run().fails(1);
        let words = format!("script.sql:2: {word} can't be in a script that is one transaction");
        assert!(told.contains(&words), "{told}");
    }
    dbtests::files::write(
        &script,
        "SAVEPOINT s;\nINSERT INTO a VALUES (3);\nROLLBACK TO SAVEPOINT s;\n",
    );
    run().ok();
    assert_eq!(server.sql("shop", "SELECT i FROM a"), [["1"]]);
}

#[test]
fn ctrl_c_in_a_shutdown_that_is_to_come_leaves_it_scheduled_and_says_so() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let mut command = server.dbctl_command();
    command
        .args(["shutdown", "3600"])
        .env("EQ_DBPASSWORD", PASSWORD);
    let mut shutdown = Background::start(&mut command, &folder.join("shutdown.log"));
    let scheduled = || server.command("status").remove("stop scheduled");
    wait_for("the stop to be scheduled", LONG, scheduled);
    let output = wait_for("dbctl to have printed the answer", LONG, || {
        let output = shutdown.output();
        output.contains("in 3600 s").then_some(output)
    });
    assert!(!output.contains("cancel"), "{output}");
    wait_for("dbctl to end", LONG, || {
        shutdown.signal("INT");
        shutdown.ended()
    });
    let output = shutdown.output();
    assert!(
        output.contains("the stop stays scheduled; 'dbctl shutdown cancel' takes it back"),
        "{output}"
    );
    let at = scheduled().expect("it stays");
    assert!(at.starts_with("at "), "{at}");
    let json = server.dbctl(&["--json", "status"]).ok();
    assert!(json.contains("\"stop_scheduled\":\"20"), "{json}");
    server.dbctl(&["shutdown", "--cancel"]).ok();
    assert_eq!(scheduled(), None);
    let json = server.dbctl(&["--json", "status"]).ok();
    assert!(json.contains("\"stop_scheduled\":null"), "{json}");
    let usage = server.dbctl(&["shutdown", "soon"]).fails(2);
    assert!(
        usage.contains("| cancel] [--no-wait]") && !usage.contains("[--no-wait] ["),
        "{usage}"
    );
}
