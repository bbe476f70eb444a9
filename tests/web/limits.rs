//! What clients of the page can't do: hold up sessions, or one another.

use std::io::Write as _;
use std::net::TcpStream;

use dbtests::{Folder, Server};

use crate::http::{ask, get, text};
use crate::master;

#[test]
fn it_answers_where_all_sessions_are_taken() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master().set("Server", "MaxSessions", 1));
    server.start();
    // One, and those that are kept for administrators.
    let open: Vec<_> = (0..4).map(|_| server.client("system")).collect();
    let mut config = dbtests::Client::config(server.address(), "system", dbtests::PASSWORD);
    config.application_name("one too many");
    assert!(dbtests::Client::with(&config).is_err());
    let page = text(&server, "/");
    assert!(page.contains("of 1</dd>"), "{page}");
    let metrics = crate::grammar::read(&text(&server, "/metrics"));
    assert!(metrics["eloqdb_sessions_refused_total"].only() >= 1);
    assert_eq!(metrics["eloqdb_sessions_limit"].only(), 1);
    assert_eq!(open[0].value("SELECT 1"), "1");
}

#[test]
fn clients_that_say_nothing_keep_nobody_out() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    let address = server.http_address();
    let silent: Vec<TcpStream> = (0..200)
        .map(|number| {
            let mut stream = TcpStream::connect(address).expect("a connection");
            if number % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: ").expect("sent");
            }
            stream
        })
        .collect();
    assert_eq!(get(&server, "/healthz").status, 200);
    assert_eq!(get(&server, "/").status, 200);
    assert_eq!(server.sql("system", "SELECT 1")[0][0], "1");
    drop(silent);
    server.stop();
}

#[test]
fn a_head_without_end_is_refused() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), master());
    server.start();
    let long = format!("X: {}\r\n", "x".repeat(20 << 10));
    let many = "X: 1\r\n".repeat(100);
    for headers in [long, many] {
        let answer = ask(server.http_address(), "GET", "/", &headers);
        assert_eq!(answer.status, 431, "{answer:?}");
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}
