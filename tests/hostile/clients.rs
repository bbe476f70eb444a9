//! Hostile clients on the ordinary port, while others are served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use dbtests::{Client, Folder, LONG, Server, Settings};

use crate::source::Source;
use dbtests::memory::peak_mib;

const MEMORY_MIB: u64 = 400;

/// More than may be on their way in at a time.
const CLIENTS: usize = 150;

fn server(folder: &Folder) -> Server {
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server.sql(
        "shop",
        "CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)",
    );
    server
}

/// Sends bytes to a fresh connection; gives what comes back until the server hangs up.
fn answer(server: &Server, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a timeout");
    // The server may hang up before it has read all.
    let _gone = stream.write_all(bytes);
    let _closed = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _reset = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const LOGIN: &[u8] = b"\0\0\0\x22\0\x03\0\0user\0dba\0database\0shop\0\0";

const LONGEST: &[u8] = b"\0\0\x27\x10\0\x03\0\0user\0";

/// What comes instead of a login, and the SQLSTATE that it is refused with.
const PACKETS: [(&[u8], &str); 13] = [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "08P01"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "08P01"),
    (b"\0\0\0\0", "08P01"),
    (b"\0\0\0\x07\0\x03\0", "08P01"),
    (b"\xff\xff\xff\xff\0\x03\0\0", "08P01"),
    (b"\0\0\x27\x11\0\x03\0\0", "08P01"),
    (b"\0\0\0\x09\0\x03\0\0\0", "28000"),
    (b"\0\0\0\x09\0\x02\0\0\0", "08P01"),
    // Encryption is asked for again and again.
    (
        b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x2f",
        "08P01",
    ),
    // A client that claims to come from elsewhere, and one that claims so in too many words.
    (
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x07\xc0\0\x02\x01\x12\x34\x1f\xa6",
        "28000",
    ),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", "08P01"),
    // A password of a gigabyte, and one that is none.
    (
        b"\0\0\0\x22\0\x03\0\0user\0dba\0database\0shop\0\0p\x3f\xff\xff\xff",
        "08P01",
    ),
    (
        b"\0\0\0\x22\0\x03\0\0user\0dba\0database\0shop\0\0p\0\0\0\x09what\0",
        "08P01",
    ),
];

#[test]
fn packets_that_are_none_are_refused_in_words() {
    let folder = Folder::new();
    let mut server = server(&folder);
    let others = server.client("shop");
    for (bytes, sqlstate) in PACKETS {
        let told = answer(&server, bytes);
        let fields = format!("C{sqlstate}\0");
        assert!(told.contains(&fields), "{}: {told:?}", bytes.escape_ascii());
    }
    // The longest packet that there may be, all of it a name.
    let name = b"x".repeat(9_987);
    let told = answer(&server, &[LONGEST, &name].concat());
    assert!(
        !told.is_empty() && told.len() < 1000,
        "{} bytes",
        told.len()
    );
    // Half of anything, and then silence or nothing.
    for length in 0..LOGIN.len() {
        drop(answer(&server, &LOGIN[..length]));
    }
    // A cancel for nobody.
    drop(answer(
        &server,
        b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x01\0\0\0\x02",
    ));
    others.run("INSERT INTO item (name) VALUES ('still served')");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let peak = peak_mib(server.process().pid());
    assert!(peak < MEMORY_MIB, "{peak} MiB");
}

#[test]
fn those_who_only_wait_keep_nobody_out() {
    let folder = Folder::new();
    let mut server = server(&folder);
    let others = server.client("shop");
    let waiting: Vec<TcpStream> = (0..CLIENTS)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address()).expect("a connection");
            // Some say nothing, some half of something.
            stream.write_all(&LOGIN[..number % 5]).expect("written");
            stream
        })
        .collect();
    // Who wants to get in gets in, and who is in stays.
    for _ in 0..3 {
        assert_eq!(server.client("shop").value("SELECT 1"), "1");
    }
    others.run("INSERT INTO item (name) VALUES ('still served')");
    drop(waiting);
    let peak = peak_mib(server.process().pid());
    assert!(peak < MEMORY_MIB, "{peak} MiB");
    server.stop();
}

#[test]
fn wrong_passwords_get_nobody_in_and_no_line_of_their_own_in_the_log() {
    let folder = Folder::new();
    let mut server = server(&folder);
    // A name that would forge a line, or move the cursor of whoever reads the log.
    let name = "x\n2026-01-01T00:00:00Z ERROR forged\x1b[2J";
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.address().port());
    config.user(name).password("guess").dbname("shop");
    assert!(Client::with(&config).is_err());
    for number in 0..20 {
        // Another user each time: nobody's further ones are slowed.
        config.user(format!("user {number}"));
        let refusal = Client::with(&config)
            .err()
            .and_then(|error| dbtests::Refusal::of(&error));
        assert_eq!(
            refusal.map(|refusal| refusal.code).as_deref(),
            Some("28P01")
        );
    }
    let log = server.log();
    assert!(log.contains("forged"), "it was refused: {log}");
    assert_eq!(log.matches("access refused").count(), 3, "{log}");
    assert!(!log.contains('\x1b'), "{log:?}");
    assert!(
        !log.lines()
            .any(|line| line.starts_with("2026-01-01T00:00:00Z")),
        "{log}"
    );
    server.stop();
}

#[test]
fn a_session_that_breaks_the_protocol_ends_alone() {
    let folder = Folder::new();
    let mut server = server(&folder);
    let others = server.client("shop");
    for message in [
        // A value that claims more bytes than its message has; messages without an end, of a
        // gigabyte and more, of no known type; a length that is none; a string without an end.
        b"B\0\0\0\x10\0\0\0\0\0\x01\0\0\0\x64\0\0".as_slice(),
        b"Q\x40\0\0\0",
        b"d\xff\xff\xff\xff",
        b"Q\0\0\0\x03",
        b"!\0\0\0\x04",
        b"Q\0\0\0\x09abcde",
    ] {
        let mut session = Source::session(server.address(), "shop");
        session.raw(message);
        let last = session.end().expect("a word");
        let told = String::from_utf8_lossy(&last);
        assert!(
            told.contains("C08P01\0"),
            "{}: {told:?}",
            message.escape_ascii()
        );
    }
    others.run("INSERT INTO item (name) VALUES ('still served')");
    assert!(!server.log().contains("panicked"), "{}", server.log());
    server.stop();
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let folder = Folder::new();
    let mut server = server(&folder);
    let mut greedy = Source::session(server.address(), "shop");
    let sql = b"SELECT repeat('x', 1000) FROM generate_series(1, 5000000)\0";
    let mut query = vec![b'Q', 0, 0, 0, u8::try_from(sql.len() + 4).expect("short")];
    query.extend_from_slice(sql);
    greedy.choke(&query);
    server.sql("shop", "INSERT INTO item (name) VALUES ('still served')");
    let peak = peak_mib(server.process().pid());
    assert!(peak < MEMORY_MIB, "{peak} MiB");
    // Nor does it keep the server from stopping.
    server.stop();
    drop(greedy);
}

/// Bug: whatever a client had sent behind its statement, its goodbye above all, hid that it was gone.
#[test]
fn a_client_that_says_goodbye_and_goes_is_not_worked_for() {
    let folder = Folder::new();
    let server = server(&folder);
    let sleepers = || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1000)'";
        server.sql("system", sql).concat().concat()
    };
    let mut source = Source::session(server.address(), "shop");
    source.query("SELECT pg_sleep(1000)");
    dbtests::wait_for("the statement to run", LONG, || {
        (sleepers() == "1").then_some(())
    });
    source.raw(b"X\0\0\0\x04");
    drop(source);
    dbtests::wait_for("the statement to end", LONG, || {
        (sleepers() == "0").then_some(())
    });
    assert!(server.log().contains("the client has gone"));
}
