//! What dbctl sends to a server, and what it makes of the answers.

use std::net::TcpListener;
use std::process::Command;

use crate::support::fake_server::{FakeServer, Reply};
use crate::support::{Run, dbctl, run, run_with_input, write};

fn at(server: &FakeServer, words: &[&str]) -> Command {
    let mut command = dbctl();
    command
        .args(["-h", "127.0.0.1", "-s", &server.port.to_string()])
        .args(words);
    command
}

fn ask(server: &FakeServer, words: &[&str]) -> Run {
    run(&mut at(server, words))
}

const STATUS: Reply = Reply::Table(
    &["name", "value"],
    &[
        &[Some("forward log"), Some("enabled")],
        &[Some("segment"), Some("fw-12-3")],
    ],
);

#[test]
fn a_list_is_printed_aligned_and_as_one_object() {
    let server = FakeServer::start(None, |_| STATUS);
    let text = ask(&server, &["forwardlog", "status"]).ok();
    assert_eq!(text, "forward log enabled\nsegment     fw-12-3\n");
    for words in [
        ["--json", "forwardlog", "status"],
        ["forwardlog", "status", "--json"],
    ] {
        let json = ask(&server, &words).ok();
        assert_eq!(
            json,
            "{\"forward_log\":\"enabled\",\"segment\":\"fw-12-3\"}\n"
        );
    }
    assert_eq!(
        server.received()[..2],
        ["user=dba,database=system", "DBCTL 'forwardlog status'"]
    );
}

#[test]
fn options_behind_a_command_are_the_clients_and_none_reaches_the_server() {
    let server = FakeServer::start(Some("sesame"), |_| STATUS);
    let port = server.port.to_string();
    let behind = [
        "status",
        "-h",
        "127.0.0.1",
        "-s",
        &port,
        "-u",
        "op",
        "-p",
        "sesame",
    ];
    run(dbctl().args(behind)).ok();
    assert_eq!(
        server.received(),
        ["user=op,database=system", "DBCTL 'status'"]
    );
    let told = ask(&server, &["status", "-s"]).fails(2);
    assert!(told.contains("--service"), "{told}");
    // One connection for all lines has one user.
    let mut lines = at(&server, &["-p", "sesame", "-i"]);
    let told = run_with_input(&mut lines, "status -u other\n").fails(2);
    assert!(told.contains("the same for all lines"), "{told}");
    assert_eq!(server.statements().len(), 1);
}

#[test]
fn a_table_is_printed_aligned_and_as_an_array() {
    let server = FakeServer::start(None, |_| {
        Reply::Table(
            &["slave", "lag bytes"],
            &[&[Some("s1"), Some("1024")], &[Some("s2"), None]],
        )
    });
    let text = ask(&server, &["replication", "status"]).ok();
    assert_eq!(text, "slave  lag bytes\ns1          1024\ns2\n");
    let json = ask(&server, &["--json", "replication", "status"]).ok();
    assert_eq!(
        json,
        "[{\"slave\":\"s1\",\"lag_bytes\":\"1024\"},{\"slave\":\"s2\",\"lag_bytes\":null}]\n"
    );
}

#[test]
fn user_and_password_come_from_options_or_environment() {
    let server = FakeServer::start(Some("sesame"), |_| Reply::Done("DBCTL"));
    ask(&server, &["-u", "op", "-p", "sesame", "checkpoint"]).ok();
    let mut by_environment = at(&server, &["checkpoint"]);
    run(by_environment
        .env("EQ_DBUSER", "env")
        .env("EQ_DBPASSWORD", "sesame"))
    .ok();
    let users: Vec<String> = server
        .received()
        .into_iter()
        .filter(|line| line.starts_with("user="))
        .collect();
    assert_eq!(
        users,
        ["user=op,database=system", "user=env,database=system"]
    );
}

#[test]
fn a_wrong_or_missing_password_is_refused_with_exit_4() {
    let server = FakeServer::start(Some("sesame"), |_| STATUS);
    let wrong = ask(&server, &["-p", "nonsense", "status"]).fails(4);
    assert!(wrong.contains("password authentication failed"), "{wrong}");
    assert!(!wrong.contains("nonsense"), "{wrong}");
    let missing = ask(&server, &["status"]).fails(4);
    assert!(missing.contains("EQ_DBPASSWORD"), "{missing}");
}

#[test]
fn no_server_is_exit_3() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = run(dbctl().args(["-h", "127.0.0.1", "-s", &port.to_string(), "status"])).fails(3);
    assert!(
        error.contains(&format!("cannot reach the server at 127.0.0.1:{port}")),
        "{error}"
    );
    assert!(error.contains("Connection refused"), "{error}");
}

#[test]
fn an_error_of_the_server_comes_with_its_hint_and_its_exit_code() {
    let server = FakeServer::start(None, |statement| {
        let refused = statement.contains("shutdown");
        Reply::Error(if refused { "42501" } else { "25006" }, "not here")
    });
    let error = ask(&server, &["database", "create", "shop"]).fails(1);
    assert_eq!(error, "dbctl: not here\n  hint: a hint\n");
    ask(&server, &["shutdown"]).fails(4);
}

#[test]
fn notices_go_to_standard_error() {
    let server = FakeServer::start(None, |_| Reply::Notice("will take a while", "DBCTL"));
    let done = ask(&server, &["checkpoint"]);
    assert_eq!((done.code, done.out.as_str()), (0, ""));
    assert_eq!(done.err, "NOTICE: will take a while\n");
    assert_eq!(ask(&server, &["--json", "checkpoint"]).ok(), "{}\n");
}

#[test]
fn only_the_verifier_of_a_new_password_is_sent() {
    let server = FakeServer::start(None, |_| Reply::Done("DBCTL"));
    let mut create = at(
        &server,
        &["user", "create", "o'hara", "privilege", "operator"],
    );
    run(create.env("EQ_NEWPASSWORD", "open sesame")).ok();
    let statement = server.statements().remove(0);
    let beginning = "DBCTL 'user create ''o''''hara'' password ''SCRAM-SHA-256$4096:";
    assert!(statement.starts_with(beginning), "{statement}");
    assert!(statement.ends_with("'' privilege operator'"), "{statement}");
    assert!(!statement.contains("sesame"), "{statement}");
    run(at(&server, &["user", "password", "bob"]).env("EQ_NEWPASSWORD", "x")).ok();
    assert!(
        server
            .statements()
            .remove(1)
            .starts_with("DBCTL 'user password bob ''SCRAM-SHA-256$")
    );
    let error = ask(&server, &["user", "password", "bob", "secret"]).fails(2);
    assert!(!error.contains("secret"), "{error}");
    ask(&server, &["user", "create", "bob"]).fails(2);
    run(at(&server, &["user", "create", "bob"]).env("EQ_NEWPASSWORD", "")).fails(2);
    assert_eq!(server.statements().len(), 2);
}

#[test]
fn shutdown_returns_when_the_server_ended_the_connection() {
    let server = FakeServer::start(None, |_| Reply::DoneAndClose("DBCTL"));
    assert_eq!(
        ask(&server, &["shutdown", "5"]).ok(),
        "the server has stopped\n"
    );
    assert_eq!(ask(&server, &["shutdown", "--no-wait"]).ok(), "");
    assert_eq!(ask(&server, &["shutdown", "cancel"]).ok(), "");
    let sent = [
        "DBCTL 'shutdown 5'",
        "DBCTL 'shutdown'",
        "DBCTL 'shutdown cancel'",
    ];
    assert_eq!(server.statements(), sent);
}

#[test]
fn input_mode_uses_one_connection_and_stops_at_the_first_error() {
    let server = FakeServer::start(None, |statement| match statement {
        "DBCTL 'bad'" => Reply::Error("42601", "unknown command"),
        _ => STATUS,
    });
    let input = "status\n# comment\n\nhelp hotbackup\nexit\nstatus\n";
    let echoed = run_with_input(&mut at(&server, &["-i"]), input).ok();
    assert!(
        echoed.starts_with("> status\nforward log enabled\n"),
        "{echoed}"
    );
    assert!(echoed.contains("> help hotbackup\n"), "{echoed}");
    let expected = [
        "user=dba,database=system",
        "DBCTL 'status'",
        "DBCTL 'help hotbackup'",
    ];
    assert_eq!(server.received(), expected);

    let quiet = run_with_input(&mut at(&server, &["-i", "-e"]), "status\nbad\nstatus\n");
    assert_eq!(quiet.out, "forward log enabled\nsegment     fw-12-3\n");
    assert!(quiet.fails(2).contains("line 2: unknown command"));
    assert_eq!(server.statements().len(), 4);
}

#[test]
fn sql_prints_frames_and_tags() {
    let server = FakeServer::start(None, |statement| match statement {
        "SELECT 1" => Reply::Table(&["id", "name"], &[&[Some("1"), Some("a")]]),
        "INSERT INTO t VALUES (1)" => Reply::Done("INSERT 0 1"),
        _ => Reply::Done("CREATE TABLE"),
    });
    let text = "CREATE TABLE t (id int); INSERT INTO t VALUES (1); SELECT 1";
    let out = ask(&server, &["sql", "-d", "shop", text]).ok();
    assert_eq!(
        out,
        "CREATE TABLE\nINSERT 0 1\n id | name \n----+------\n  1 | a\n(1 row)\n"
    );
    assert_eq!(server.received()[0], "user=dba,database=shop");
    let json = ask(&server, &["--json", "sql", "SELECT 1"]).ok();
    assert_eq!(json, "[{\"id\":\"1\",\"name\":\"a\"}]\n");
}

#[test]
fn a_script_changes_databases_and_stops_at_the_first_error_with_its_line() {
    let server = FakeServer::start(None, |statement| {
        if statement.starts_with("BAD") {
            Reply::Error("42601", "syntax error")
        } else {
            Reply::Done("OK")
        }
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sql");
    write(
        &path,
        "CREATE DATABASE shop;\n\\c shop\n-- c\nUPDATE a;\n\nBAD 12\n3;\nUPDATE b;\n",
    );
    let name = path.to_str().unwrap();
    let done = ask(&server, &["sql", "-f", name]);
    assert!(
        done.fails(1)
            .starts_with(&format!("dbctl: {name}:7: syntax error"))
    );
    let expected = [
        "user=dba,database=system",
        "CREATE DATABASE shop",
        "user=dba,database=shop",
        "UPDATE a",
        "BAD 12\n3",
    ];
    assert_eq!(server.received(), expected);
}

#[test]
fn a_script_may_come_from_standard_input() {
    let server = FakeServer::start(None, |_| Reply::Done("UPDATE 3"));
    let out = run_with_input(&mut at(&server, &["sql"]), "UPDATE a;\n\\echo done\n").ok();
    assert_eq!(out, "UPDATE 3\ndone\n");
}

#[test]
fn the_place_of_the_server_comes_from_the_configuration() {
    let server = FakeServer::start(None, |_| STATUS);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.cfg");
    write(
        &path,
        &format!("[Server]\nDataDir = d\nService = {}\n", server.port),
    );
    run(dbctl().arg("-c").arg(&path).arg("status")).ok();
    run(dbctl().env("EQ_CONFIG", &path).arg("status")).ok();
    assert_eq!(server.statements().len(), 2);
}

/// Bug: dbctl was silent for half a minute, then asked whether the server was running.
#[test]
fn a_server_that_accepts_and_does_not_answer_is_said_to_hang() {
    // The system accepts for a process that is frozen.
    let frozen = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = frozen.local_addr().expect("an address").port().to_string();
    let error = run(dbctl().args(["-h", "127.0.0.1", "-s", &port, "status"])).fails(3);
    assert!(
        error.contains("accepts the connection, and does not answer"),
        "{error}"
    );
    assert!(error.contains("hangs or is overloaded"), "{error}");
    assert!(!error.contains("is the server running?"), "{error}");
}

/// Bug: it was taken for the password of who asks, and refused as a wrong one.
#[test]
fn a_password_behind_the_name_of_a_new_user_is_refused_before_anybody_is_asked() {
    let server = FakeServer::start(Some("sesame"), |_| Reply::Done("DBCTL"));
    let error = ask(&server, &["user", "create", "bob", "--password", "x"]).fails(2);
    assert!(error.contains("--password is how you log in"), "{error}");
    assert!(error.contains("EQ_NEWPASSWORD"), "{error}");
    assert!(server.received().is_empty());
    let mut before = at(&server, &["-p", "sesame", "user", "create", "bob"]);
    run(before.env("EQ_NEWPASSWORD", "new")).ok();
    assert_eq!(server.statements().len(), 1);
}

#[test]
fn a_wrong_privilege_is_told_before_a_password_is_asked_for() {
    let server = FakeServer::start(None, |_| Reply::Done("DBCTL"));
    let error = ask(&server, &["user", "create", "x", "--privilege", "boss"]).fails(2);
    assert!(error.contains("there is no privilege 'boss'"), "{error}");
    assert_eq!(server.statements().len(), 0);
}
