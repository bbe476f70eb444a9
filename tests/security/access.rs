//! `[db-access]`: who may come to which database, and what somebody who may not is told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bytes::BytesMut;
use dbtests::process::run;
use dbtests::programs::ours;
use dbtests::{Client, Cluster, Folder, PASSWORD, Refusal, Server, Settings, follower};
use postgres_protocol::message::frontend;

use crate::SHOP;

/// A master with the database shop, and more in its sections.
fn server(folder: &Folder, keys: &[(&str, &str, &str)]) -> Server {
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    restart_with(&mut server, keys);
    server
}

fn restart_with(server: &mut Server, keys: &[(&str, &str, &str)]) {
    server.reconfigure(|settings| {
        keys.iter()
            .fold(settings, |settings, (section, key, value)| {
                settings.set(section, key, value)
            })
    });
    server.restart();
}

fn refusal(server: &Server, database: &str) -> Refusal {
    let error = Client::connect(server.address(), database, PASSWORD).err();
    Refusal::of(&error.expect("a refusal")).expect("the server's words")
}

/// The line of the log that says why.
fn refused_line(server: &Server) -> String {
    let log = server.log();
    let line = log.lines().rfind(|line| line.contains("access refused"));
    line.expect("a refusal").to_owned()
}

/// Where a key stands in the file.
fn place(server: &Server, section: &str, key: &str) -> String {
    let name = format!("{section}.{key}");
    let told = server.dbctl(&["--json", "config", "get", &name]).ok();
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let path = server.config_path();
    format!("{}:{}: {key} of [{section}]", path.display(), told["line"])
}

/// A start-up packet for SQL.
fn start_up(user: &str, database: &str) -> BytesMut {
    let mut packet = BytesMut::new();
    let parameters = [("user", user), ("database", database)];
    frontend::startup_message(parameters, &mut packet).expect("no name has a NUL");
    packet
}

#[test]
fn a_refused_client_learns_nothing_and_the_log_has_the_line() {
    let folder = Folder::new();
    let rule = [("db-access shop", "allow-users", "app, ann")];
    let server = server(&folder, &rule);
    let told = refusal(&server, SHOP);
    let expected = Refusal {
        code: "28000".to_owned(),
        message: "no access for host \"127.0.0.1\", user \"dba\", database \"shop\"".to_owned(),
        detail: String::new(),
        hint: String::new(),
    };
    assert_eq!(told, expected);
    let line = refused_line(&server);
    let rule = place(&server, "db-access shop", "allow-users");
    for part in [" WARN ", "host=127.0.0.1", "user=\"dba\"", &rule] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // The other databases have no rules of their own; one that is not there is no other than one that is.
    assert_eq!(server.sql("system", "SELECT 1")[0][0], "1");
    // No password is asked for: the first answer is the error, and the connection ends.
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream
        .write_all(&start_up("nobody", SHOP))
        .expect("a packet");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    assert_eq!(answer.first(), Some(&b'E'), "{answer:?}");
    let words = String::from_utf8_lossy(&answer).replace("nobody", "dba");
    assert!(words.contains(&expected.message), "{words}");
    for secret in ["db-access", "allow", ".cfg", "rule"] {
        assert!(!words.contains(secret), "{words}");
    }
}

#[test]
fn refusals_of_one_host_are_a_few_lines() {
    let folder = Folder::new();
    let server = server(&folder, &[("db-access shop", "deny", "127.0.0.0/8")]);
    for number in 0..50 {
        let mut stream = TcpStream::connect(server.address()).expect("a connection");
        let packet = start_up(&format!("user{number}"), SHOP);
        stream.write_all(&packet).expect("a packet");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer.first(), Some(&b'E'));
    }
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains("access refused"));
    // Three, and a count where a minute is over meanwhile.
    assert!(lines.count() < 10, "{log}");
}

#[test]
fn dbrepl_comes_from_where_it_may_alone() {
    let mut cluster = Cluster::start();
    let system = ("db-access system", "allow", "127.0.0.1");
    let elsewhere = ("db-access replication", "allow", "127.0.0.2");
    restart_with(&mut cluster.slave, &[system, elsewhere]);
    let refused = follower::replicate(&cluster.master, &cluster.slave, &["-S"]).fails(4);
    assert!(
        refused.contains("no access for host \"127.0.0.1\""),
        "{refused}"
    );
    let line = refused_line(&cluster.slave);
    let rule = place(&cluster.slave, "db-access replication", "allow");
    assert!(line.contains(&rule), "{line}");
    // What else opens the same database is another matter.
    cluster.slave.dbctl(&["status"]).ok();
    let here = ("db-access replication", "allow", "127.0.0.2, 127.0.0.1");
    restart_with(&mut cluster.slave, &[here]);
    cluster.synchronize();
}

#[test]
fn a_host_is_named_by_its_name_and_one_that_is_lost_is_told_once() {
    let folder = Folder::new();
    let lost = "no-such-host.invalid";
    let mut server = server(&folder, &[("db-access shop", "allow", "localhost")]);
    assert_eq!(server.sql(SHOP, "SELECT 1")[0][0], "1");

    restart_with(&mut server, &[("db-access shop", "deny", "localhost")]);
    assert_eq!(refusal(&server, SHOP).code, "28000");
    let rule = place(&server, "db-access shop", "deny");
    assert!(refused_line(&server).contains(&rule));

    let rules = [
        ("db-access shop", "deny", "none"),
        ("db-access shop", "allow", lost),
    ];
    restart_with(&mut server, &rules);
    for _ in 0..2 {
        assert_eq!(refusal(&server, SHOP).code, "28000");
    }
    let log = server.log();
    let told = "can't be resolved: in allow it is nobody";
    assert_eq!(log.matches(told).count(), 1, "{log}");
    let line = refused_line(&server);
    assert!(
        line.contains(&format!("{lost} can't be resolved")),
        "{line}"
    );

    // It could be anybody.
    let rules = [
        ("db-access shop", "deny", lost),
        ("db-access shop", "allow", "all"),
    ];
    restart_with(&mut server, &rules);
    assert_eq!(refusal(&server, SHOP).code, "28000");
    assert_eq!(server.sql("system", "SELECT 1")[0][0], "1");
}

#[test]
fn the_sections_of_databases_are_checked_read_and_set() {
    let folder = Folder::new();
    let mut server = server(&folder, &[]);
    let get = |server: &Server, name: &str| server.dbctl(&["config", "get", name]);
    let name = "db-access shop.allow-users";
    let missing = get(&server, name).fails(2);
    assert!(missing.contains("has no key allow-users"), "{missing}");
    let set = server.dbctl(&["config", "set", name, "app"]).ok();
    assert!(set.contains("[db-access shop] allow-users = app"), "{set}");
    assert_eq!(get(&server, name).ok(), "app\n");
    assert_eq!(get(&server, "db-access.allow-users").ok(), "all\n");
    server
        .dbctl(&["config", "set", "db-access shpo.deny", "::1"])
        .ok();
    let shown = server.dbctl(&["config", "get"]).ok();
    assert!(shown.contains("db-access shpo"), "{shown}");
    server.dbctl(&["config", "check"]).ok();
    let refused = server
        .dbctl(&["config", "set", "db-access shop.allow", "10.0.0.300"])
        .fails(2);
    assert!(
        refused.contains("neither a network nor the name"),
        "{refused}"
    );
    let mut check = ours("dbserver");
    check.arg("-c").arg(server.config_path()).arg("--check");
    let checked = run(&mut check, b"");
    assert!(!checked.out.contains("unknown section"), "{checked:?}");

    server.restart();
    let log = server.log();
    let warned = |name: &str| {
        let told = format!("[db-access {name}] is for a database that is not there");
        log.lines()
            .any(|line| line.contains(" WARN ") && line.contains(&told))
    };
    assert!(warned("shpo"), "{log}");
    assert!(!warned("shop"), "{log}");
    assert_eq!(refusal(&server, SHOP).code, "28000");
    // The database postgres is the server's own where there is none of that name.
    restart_with(&mut server, &[("db-access system", "deny-users", "dba")]);
    for database in ["system", "postgres"] {
        assert_eq!(refusal(&server, database).code, "28000", "{database}");
    }
}
