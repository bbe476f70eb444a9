//! A client of HTTP that sends what it is told to, and knows nothing of what it asks for.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use dbtests::{LONG, Server};
use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its number.
    pub(crate) status: u16,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// What follows them.
    pub(crate) body: String,
}

/// Sends bytes, and reads what comes until the end.
pub(crate) fn talk(address: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a limit");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let first = lines.next().expect("a status");
    let status = first.split(' ').nth(1).expect("a number");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Answer {
        status: status.parse().expect("a number"),
        headers: headers.collect(),
        body: body.to_owned(),
    }
}

/// Asks with a method and more headers, each with its line end.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    talk(
        address,
        &format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n"),
    )
}

/// Asks a server.
pub(crate) fn get(server: &Server, path: &str) -> Answer {
    ask(server.http_address(), "GET", path, "")
}

/// The text of an answer that must be good.
#[track_caller]
pub(crate) fn text(server: &Server, path: &str) -> String {
    let answer = get(server, path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

/// The status as JSON.
#[track_caller]
pub(crate) fn status(server: &Server) -> Value {
    serde_json::from_str(&text(server, "/status.json")).expect("JSON")
}
