//! dbrepl in front of something that is no slave: it says what is wrong, and ends with the right
//! code, or tries again.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use bytes::BytesMut;
use dbproto::{Identity, Message, PROTOCOL_VERSION, Progress, Refuse, Role, Status, state};
use dbtests::{Folder, Run, Server, Settings, follower, process};
use fwlog::{ChainHash, CommitNumber, EnvironmentId, LogPoint, Position, SegmentId, Timestamp};

use crate::log;

const TRUST: &[u8] = b"R\0\0\0\x08\0\0\0\0";
const COPY: &[u8] = b"W\0\0\0\x07\0\0\0";
const SASL: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";

/// Answers every connection with these bytes, whatever is asked; then reads until dbrepl leaves.
fn impostor(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, &answer));
        }
    });
    address
}

fn serve(mut stream: TcpStream, answer: &[u8]) {
    // dbrepl may hang up at any time.
    let mut piece = [0; 4096];
    let hello = stream.read(&mut piece);
    // It has no TLS, and says nothing else of it.
    if hello.is_ok_and(|count| piece[..count] == tls::request::SSL_REQUEST) {
        let _asked = stream.write_all(b"N");
        let _hello = stream.read(&mut piece);
    }
    let _gone = stream.write_all(answer);
    let _half = stream.shutdown(std::net::Shutdown::Write);
    while matches!(stream.read(&mut piece), Ok(1..)) {}
}

/// `CopyData` messages.
fn copies(messages: &[Message]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        let mut body = BytesMut::new();
        message.encode(&mut body);
        bytes.push(b'd');
        let length = u32::try_from(body.len() + 4).expect("it is good");
        bytes.extend(length.to_le_bytes().iter().rev());
        bytes.extend_from_slice(&body);
    }
    bytes
}

fn identity(environment: Option<EnvironmentId>) -> Identity {
    Identity {
        protocol: PROTOCOL_VERSION,
        format: 1,
        environment,
        instance: "../../evil\x1b[2J".into(),
        role: Role::Slave,
        page_size: 4096,
        received: None,
        durable: None,
        sealed: false,
        applied: None,
        log_begins: None,
        forward_log: true,
        volume_limit: 0,
        pack: true,
        greeting: None,
    }
}

fn far_away() -> Progress {
    let position = Position::new(SegmentId::new(u32::MAX, u32::MAX), u64::MAX);
    Progress {
        point: LogPoint::new(position, ChainHash::from_bytes([1; 32])),
        commit: CommitNumber::new(u64::MAX),
        time: Timestamp::from_micros(u64::MAX),
    }
}

fn ship(master: &Server, answer: &[u8]) -> Run {
    let address = impostor(answer.to_vec());
    process::run(
        &mut follower::dbrepl_to(master, address, &["-v", "-S"]),
        b"",
    )
}

/// What it is, what it answers, and the exit codes that fit.
type Case = (&'static str, Vec<u8>, &'static [i32]);

/// What is no server of ours, or none that works.
fn strangers() -> Vec<Case> {
    let hashing = b"R\0\0\0\x29\0\0\0\x0br=abc,s=QUJDREVGR0g=,i=4294967295";
    vec![
        ("nothing", vec![], &[3]),
        (
            "a web server",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            &[1],
        ),
        ("two gigabytes", b"R\x7f\xff\xff\xff".to_vec(), &[1]),
        ("a negative length", b"R\xff\xff\xff\xff".to_vec(), &[1]),
        ("half a message", b"R\0\0\0\x08\0".to_vec(), &[3]),
        (
            "an odd authentication",
            b"R\0\0\0\x08\0\0\0\x63".to_vec(),
            &[1, 4],
        ),
        ("endless hashing", [SASL, hashing].concat(), &[1]),
        (
            "an error with control characters",
            b"E\0\0\0\x1dC57P01\0Mno\nR0: forged\x1b\0\0".to_vec(),
            &[3],
        ),
        ("copying at once", [TRUST, COPY].concat(), &[3]),
        (
            "no message",
            [TRUST, COPY, b"d\0\0\0\x08what"].concat(),
            &[1],
        ),
        (
            "a message of two gigabytes",
            [TRUST, COPY, b"d\x7f\xff\xff\xff"].concat(),
            &[1],
        ),
    ]
}

/// What speaks the protocol, and lies.
fn liars(environment: EnvironmentId) -> Vec<Case> {
    let say = |messages: &[Message]| [TRUST, COPY, &copies(messages)].concat();
    let own = Message::Identity(identity(Some(environment)));
    let foreign = Message::Identity(identity(Some(EnvironmentId::from_bytes([3; 16]))));
    let ahead = Message::Identity(Identity {
        durable: Some(far_away()),
        ..identity(Some(environment))
    });
    let unknown = Message::Hash {
        position: Position::ORIGIN,
        hash: None,
    };
    let boast = Message::Status(Status {
        received: far_away(),
        durable: far_away(),
        applied: far_away(),
        suspended: Some("\x1b[2J".into()),
    });
    let words = Message::Refuse(Refuse::new(state::PREREQUISITE, "no\nR0: forged\x1b[2J"));
    let backwards = Message::KeepAlive {
        source: far_away().into(),
        reply: true,
    };
    vec![
        ("another environment", say(&[foreign]), &[1, 2, 5]),
        ("a place that nobody has", say(&[ahead, unknown]), &[1, 5]),
        ("what was never sent", say(&[own, boast]), &[1]),
        ("a refusal", say(&[words]), &[1, 2]),
        ("the other side's message", say(&[backwards]), &[1]),
    ]
}

#[test]
fn whatever_answers_dbrepl_says_what_is_wrong() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    master.sql("system", "CREATE DATABASE shop");
    let environment = log::environment(&master);
    for (what, answer, codes) in strangers().into_iter().chain(liars(environment)) {
        let run = ship(&master, &answer);
        let code = run.code.unwrap_or(-1);
        assert!(codes.contains(&code), "{what}: {run:?}");
        assert!(!run.err.is_empty(), "{what} needs words");
        assert!(!run.err.contains("panicked"), "{what}: {run:?}");
        assert!(!run.err.contains('\x1b'), "{what}: {run:?}");
        let forged = run.err.lines().any(|line| line.starts_with("R0: forged"));
        assert!(!forged, "{what}: {run:?}");
    }
    // One that says that it is empty gets the log, and is not believed without an answer.
    let empty = copies(&[Message::Identity(identity(Some(environment)))]);
    let run = ship(&master, &[TRUST, COPY, &empty].concat());
    assert_eq!(run.code, Some(3), "{run:?}");
    // What they said of themselves makes no file outside of the log's directory, and the master
    // still knows its slaves.
    assert!(!folder.join("evil").exists());
    master.sql("system", "DBCTL 'replication status'");
    master.stop();
}
