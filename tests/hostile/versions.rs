//! Clients that speak other versions of protocol 3, byte by byte, and the keys of their cancel requests.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use dbtests::{Folder, LONG, Server, Settings, wait_for};

use crate::source::{NEGOTIATE, Source};

/// `BackendKeyData`.
const KEY: u8 = b'K';
/// The code of a cancel request, where a version stands in a start-up packet.
const CANCEL: u32 = 80_877_102;

/// Logs in with version 3.`minor`; gives the connection, what is said of the version, and number and key for cancels.
fn speak(server: &Server, minor: u32, option: &str) -> (Source, Option<Bytes>, Bytes) {
    let database = ("system", (option, "1"));
    let version = (3 << 16) + minor;
    let (source, said) = Source::speak(version, server.address(), database, b'Z');
    let of = |kind| said.iter().find(|(other, _)| *other == kind);
    let negotiated = of(NEGOTIATE).map(|(_, content)| content.clone());
    // It comes before the password is asked for.
    assert!(negotiated.is_none() || said.first().is_some_and(|(kind, _)| *kind == NEGOTIATE));
    let (_, key) = of(KEY).expect("a key");
    (source, negotiated, key.clone())
}

/// A connection that asks for a cancel, and is closed without an answer.
fn cancel(server: &Server, key: &[u8]) {
    let mut packet = BytesMut::new();
    packet.put_u32(u32::try_from(8 + key.len()).expect("a short key"));
    packet.put_u32(CANCEL);
    packet.put_slice(key);
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.set_read_timeout(Some(LONG)).expect("a timeout");
    stream.write_all(&packet).expect("written");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an end");
    assert_eq!(answer, b"", "whoever asks for a cancel is told nothing");
}

fn server(folder: &Folder) -> Server {
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    server
}

#[test]
fn a_newer_version_gets_the_newest_and_unknown_options_are_named() {
    let folder = Folder::new();
    let server = server(&folder);
    for (minor, option, told, key_bytes) in [
        (0, "my.tag", None, 4),
        (1, "my.tag", None, 4),
        (2, "my.tag", None, 32),
        (3, "my.tag", Some(&b"\0\x03\0\x02\0\0\0\0"[..]), 32),
        (9999, "my.tag", Some(b"\0\x03\0\x02\0\0\0\0"), 32),
        (0, "_pq_.x", Some(b"\0\x03\0\0\0\0\0\x01_pq_.x\0"), 4),
        (2, "_pq_.x", Some(b"\0\x03\0\x02\0\0\0\x01_pq_.x\0"), 32),
    ] {
        let (_source, negotiated, key) = speak(&server, minor, option);
        assert_eq!(negotiated.as_deref(), told, "3.{minor} with {option}");
        assert_eq!(key.len(), 4 + key_bytes, "3.{minor}");
    }
}

#[test]
fn a_cancel_needs_the_whole_key_of_its_version() {
    let folder = Folder::new();
    let server = server(&folder);
    for minor in [0, 2] {
        let (mut source, _, key) = speak(&server, minor, "my.tag");
        source.query("SELECT pg_sleep(1000)");
        let pid = key.clone().get_u32();
        let state = || {
            let sql = format!("SELECT state FROM pg_stat_activity WHERE pid = {pid}");
            server.sql("system", &sql).concat().concat()
        };
        wait_for("the statement to run", LONG, || {
            (state() == "active").then_some(())
        });
        let mut wrong = key.to_vec();
        *wrong.last_mut().expect("a key") ^= 1;
        let short = &key[..key.len().min(8)];
        let longer = [&key[..], b"\0\0\0\0"].concat();
        let mut guesses = vec![&wrong[..], &longer];
        if minor == 2 {
            guesses.push(short);
        }
        for guess in guesses {
            cancel(&server, guess);
            assert_eq!(state(), "active", "{guess:?}");
        }
        cancel(&server, &key);
        let (kind, told) = source.frame().expect("an answer");
        assert_eq!(kind, b'E');
        assert!(told.windows(7).any(|part| part == b"C57014\0"), "{told:?}");
    }
}
