//! Who may read the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dbtests::{Folder, Server};

use crate::grammar;
use crate::http::{ask, get, talk};
use crate::master;

#[test]
fn addresses_that_http_access_does_not_let_in_are_refused_and_told_of() {
    let folder = Folder::new();
    let settings = master().set("http-access", "deny", "127.0.0.0/8");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    for path in ["/", "/metrics", "/healthz"] {
        let answer = get(&server, path);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.body, "no access\n");
    }
    let log = server.log();
    for part in [
        "access to the status page refused: [http-access]",
        "deny of [http-access]",
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    // The service port has rules of its own.
    assert_eq!(server.sql("system", "SELECT 1")[0][0], "1");
}

/// A browser sends the name that its page came from, whatever address that has by now.
#[test]
fn the_page_is_not_answered_by_the_name_of_a_stranger() {
    let folder = Folder::new();
    let settings = master().set("Server", "HttpHosts", "db1.example.com");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    let address = server.http_address();
    let asked = |host: &str, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        talk(address, &request)
    };
    let port = address.port();
    for path in ["/", "/status.json", "/metrics", "/healthz", "/readyz"] {
        let answer = asked(&format!("evil.example:{port}"), path);
        assert_eq!(answer.status, 421, "{path}: {answer:?}");
        assert!(answer.body.contains("HttpHosts"), "{answer:?}");
        for host in [&format!("db1.example.com:{port}"), "localhost", "127.0.0.1"] {
            assert_eq!(asked(host, path).status, 200, "{host} {path}");
        }
    }
    let log = server.log();
    assert!(log.contains("by a name that is not in HttpHosts"), "{log}");
    // Who asks for a password needs no other look: a browser has it for the right name alone.
    server.reconfigure(|settings| {
        settings
            .set("Server", "HttpUser", "ops")
            .set("Server", "HttpPswd", "${STATUS_PASSWORD}")
    });
    server.set_variable("STATUS_PASSWORD", "sesame");
    server.restart();
    let address = server.http_address();
    let request = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
    assert_eq!(talk(address, request).status, 401);
}

#[test]
fn a_password_is_asked_for_and_a_wrong_one_is_told_of() {
    let folder = Folder::new();
    let settings =
        master()
            .set("Server", "HttpUser", "ops")
            .set("Server", "HttpPswd", "${STATUS_PASSWORD}");
    let mut server = Server::prepare(folder.path(), settings);
    server.set_variable("STATUS_PASSWORD", "sesame, open");
    let mut init = server.dbctl_command();
    init.arg("init")
        .env("EQ_DBPASSWORD", dbtests::PASSWORD)
        .env("STATUS_PASSWORD", "sesame, open");
    dbtests::process::run(&mut init, b"").ok();
    server.start();
    let address = server.http_address();
    let asked = |pair: &str| {
        let header = format!("Authorization: Basic {}\r\n", STANDARD.encode(pair));
        ask(address, "GET", "/metrics", &header)
    };
    let nothing = get(&server, "/metrics");
    assert_eq!(nothing.status, 401);
    assert!(nothing.headers["www-authenticate"].starts_with("Basic realm=\"eloqdb\""));
    for wrong in ["ops:sesame", "OPS:sesame, open", ":"] {
        assert_eq!(asked(wrong).status, 401, "{wrong}");
    }
    let good = asked("ops:sesame, open");
    assert_eq!(good.status, 200);
    let metrics = grammar::read(&good.body);
    // Who has said nothing was not denied anything.
    assert_eq!(metrics["eloqdb_access_denied_total"].only(), 3);
    let log = server.log();
    assert!(log.contains("the name or the password is wrong"), "{log}");
    assert!(!log.contains("sesame"), "{log}");
}

#[test]
fn a_file_with_the_password_that_others_can_read_is_refused() {
    let folder = Folder::new();
    let settings = master()
        .set("Server", "HttpUser", "ops")
        .set("Server", "HttpPswd", "sesame");
    let server = Server::prepare(folder.path(), settings);
    let mut check = dbtests::programs::ours("dbserver");
    check.arg("-c").arg(server.config_path()).arg("--check");
    let refused = dbtests::process::run(&mut check, b"").fails(2);
    assert!(
        refused.contains("has a password, and is open to others"),
        "{refused}"
    );
    assert!(!refused.contains("sesame"), "{refused}");
}

#[test]
fn a_port_that_is_taken_keeps_the_server_from_starting() {
    let folder = Folder::new();
    let mut first = Server::create(folder.path(), master());
    first.start();
    let port = first.http_address().port();
    let settings = master().named("second").set("Server", "ServiceHttp", port);
    let mut second = Server::create(folder.path(), settings);
    let mut check = dbtests::programs::ours("dbserver");
    check.arg("-c").arg(second.config_path()).arg("--check");
    let found = dbtests::process::run(&mut check, b"");
    assert_eq!(found.code, Some(1));
    assert!(
        found
            .out
            .contains(&format!("error: port 127.0.0.1:{port} is used")),
        "{found:?}"
    );
    let run = second.try_start().expect_err("the port is taken");
    assert_eq!(run.code, Some(1));
    let told = format!(
        "cannot listen on 127.0.0.1:{port}: another program uses the port; set ServiceHttp to a free one"
    );
    assert!(run.err.contains(&told), "{}", run.err);
    // A stop gives it back.
    first.stop();
    second.start();
    assert_eq!(second.http_address().port(), port);
}
