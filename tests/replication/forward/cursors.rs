//! Cursors of a transaction that runs on the master.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bytes::BytesMut;
use dbtests::{LONG, PASSWORD};
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use super::Forwarding;
use crate::shop::SHOP;

/// A client that sends messages which no driver for Rust sends.
struct Raw {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Raw {
    /// Logs in as dba.
    fn log_in(forwarding: &Forwarding) -> Self {
        let address = forwarding.cluster.slave.address();
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        let mut raw = Self {
            stream,
            buffer: BytesMut::new(),
        };
        let parameters = [("user", "dba"), ("database", SHOP)];
        raw.send(|out| frontend::startup_message(parameters, out).expect("it is good"));
        let mut scram = ScramSha256::new(PASSWORD.as_bytes(), ChannelBinding::unsupported());
        loop {
            match raw.message() {
                Message::AuthenticationSasl(_) => raw.send(|out| {
                    let first = scram.message();
                    frontend::sasl_initial_response(SCRAM_SHA_256, first, out).expect("it is good");
                }),
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data()).expect("it is good");
                    raw.send(|out| {
                        frontend::sasl_response(scram.message(), out).expect("it is good");
                    });
                }
                Message::ReadyForQuery(_) => return raw,
                other => assert!(!matches!(other, Message::ErrorResponse(_)), "refused"),
            }
        }
    }

    fn send(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        put(&mut out);
        self.stream.write_all(&out).expect("a connection");
    }

    fn message(&mut self) -> Message {
        loop {
            if let Some(message) = Message::parse(&mut self.buffer).expect("it is good") {
                return message;
            }
            let mut bytes = [0; 8192];
            let read = self.stream.read(&mut bytes).expect("an answer");
            assert!(read > 0, "the server has hung up");
            self.buffer.extend_from_slice(&bytes[..read]);
        }
    }

    /// What comes up to `ReadyForQuery`, a letter a message.
    fn answers(&mut self) -> String {
        let mut answers = String::new();
        loop {
            answers.push(match self.message() {
                Message::RowDescription(_) => 'T',
                Message::DataRow(_) => 'D',
                Message::CommandComplete(_) => 'C',
                Message::ErrorResponse(_) => 'E',
                Message::ReadyForQuery(_) => return answers,
                _ => '.',
            });
        }
    }

    fn query(&mut self, sql: &str) -> String {
        self.send(|out| frontend::query(sql, out).expect("it is good"));
        self.answers()
    }

    fn describe_portal(&mut self, name: &str) -> String {
        self.send(|out| {
            frontend::describe(b'P', name, out).expect("it is good");
            frontend::sync(out);
        });
        self.answers()
    }
}

/// Bug: psycopg's named cursors ask for the columns of the portal that DECLARE has made, and the slave did not know it.
#[test]
fn a_cursor_of_the_master_is_described_as_the_portal_that_it_is() {
    let forwarding = Forwarding::start();
    let mut raw = Raw::log_in(&forwarding);
    let begin =
        "BEGIN; INSERT INTO item (name) VALUES ('a'); DECLARE c CURSOR FOR SELECT name FROM item";
    assert_eq!(raw.query(begin), "CCC");
    assert_eq!(raw.describe_portal("c"), "T");
    assert_eq!(raw.query("FETCH ALL FROM c"), "TDC");
    assert_eq!(raw.describe_portal("nothing"), "E");
    assert_eq!(raw.query("COMMIT"), "C", "the block has failed");
    assert_eq!(forwarding.names(), [""; 0]);
    assert_eq!(raw.describe_portal("c"), "E");
    assert_eq!(raw.query("SELECT 1"), "TDC");
}

/// Bug: what runs on the master ran there as portals p1, p2, p3 …
#[test]
fn a_cursor_may_have_any_name() {
    let forwarding = Forwarding::start();
    let client = forwarding.client();
    client.run("BEGIN; INSERT INTO item (name) VALUES ('a')");
    for number in 1..10 {
        client.run(&format!("DECLARE p{number} CURSOR FOR SELECT {number}"));
    }
    assert_eq!(client.value("FETCH ALL FROM p5"), "5");
    client.run("COMMIT");
    assert_eq!(forwarding.names(), ["a"]);
}
