//! A dbrepl or a client that logs in as it should, and then sends whatever it is told.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use dbproto::{Identify, Identity, Message, PROTOCOL_VERSION, Refuse, Role, state};
use dbtests::{LONG, PASSWORD, wait_for};
use fwlog::{EnvironmentId, LogPoint};
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message as Answer;
use postgres_protocol::message::frontend;

const AUTHENTICATION: u8 = b'R';
const ERROR: u8 = b'E';
/// `NegotiateProtocolVersion`.
pub(crate) const NEGOTIATE: u8 = b'v';

/// Its connection.
pub(crate) struct Source {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Source {
    /// Logs in as dba and asks for replication; the slave has switched to messages.
    pub(crate) fn log_in(address: SocketAddr) -> Self {
        let replication = ("replication", dbproto::REPLICATION_PARAMETER);
        Self::greet(address, dbproto::REPLICATION_DATABASE, replication, b'W')
    }

    /// Logs in as dba for SQL; the server is ready for a query.
    pub(crate) fn session(address: SocketAddr, database: &str) -> Self {
        Self::greet(address, database, ("application_name", "hostile"), b'Z')
    }

    /// Logs in; `ready` is the type of the message that ends the start-up.
    fn greet(address: SocketAddr, database: &str, more: (&str, &str), ready: u8) -> Self {
        Self::speak(3 << 16, address, (database, more), ready).0
    }

    /// Logs in with this version of the protocol; gives what the server has said on the way, types and contents.
    pub(crate) fn speak(
        version: u32,
        address: SocketAddr,
        (database, more): (&str, (&str, &str)),
        ready: u8,
    ) -> (Self, Vec<(u8, Bytes)>) {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        let mut source = Self {
            stream,
            buffer: BytesMut::new(),
        };
        let parameters = [("user", "dba"), ("database", database), more];
        source.write(|out| {
            frontend::startup_message(parameters, out).expect("it is good");
            (&mut out[4..8]).put_u32(version);
        });
        let mut said = Vec::new();
        let mut scram = ScramSha256::new(PASSWORD.as_bytes(), ChannelBinding::unsupported());
        loop {
            let (kind, frame) = source.frame().expect("an answer");
            said.push((kind, frame.slice(5..)));
            if kind == ready {
                return (source, said);
            }
            // The driver's reader does not know all that newer versions say.
            if !matches!(kind, AUTHENTICATION | ERROR) {
                continue;
            }
            match Answer::parse(&mut BytesMut::from(&frame[..])).expect("it is good") {
                Some(Answer::AuthenticationSasl(_)) => source.write(|out| {
                    let first = scram.message();
                    frontend::sasl_initial_response(SCRAM_SHA_256, first, out).expect("it is good");
                }),
                Some(Answer::AuthenticationSaslContinue(body)) => {
                    scram.update(body.data()).expect("it is good");
                    source.write(|out| {
                        frontend::sasl_response(scram.message(), out).expect("it is good");
                    });
                }
                Some(Answer::ErrorResponse(_)) => panic!("refused: {frame:?}"),
                _ => {}
            }
        }
    }

    /// Logs in, introduces itself as the master of this environment, and hears who the slave is.
    pub(crate) fn meet(address: SocketAddr, environment: EnvironmentId) -> (Self, Identity) {
        // The slave may not have noticed yet that the one before has left.
        wait_for("the slave to be free", LONG, || {
            let mut source = Self::log_in(address);
            source.send(&Message::Identify(identify(environment)));
            let identity = source.identity()?;
            Some((source, identity))
        })
    }

    /// The same, and the log goes on where the slave stands.
    pub(crate) fn start(address: SocketAddr, environment: EnvironmentId) -> (Self, LogPoint) {
        let (mut source, identity) = Self::meet(address, environment);
        let point = identity.durable.expect("a slave that has something").point;
        source.send(&Message::Start { at: Some(point) });
        (source, point)
    }

    fn identity(&mut self) -> Option<Identity> {
        loop {
            match self.message() {
                Some(Message::Identity(identity)) => return Some(identity),
                // It may report how far it is at any time.
                Some(Message::Status(_)) => {}
                Some(Message::Refuse(refuse)) if refuse.sqlstate == state::IN_USE => return None,
                other => panic!("not an identity: {other:?}"),
            }
        }
    }

    fn write(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        put(&mut out);
        self.raw(&out);
    }

    /// Sends bytes as they are. The slave may have hung up.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _gone = self.stream.write_all(bytes);
    }

    /// Sends a query, without waiting for its answer.
    pub(crate) fn query(&mut self, sql: &str) {
        self.write(|out| frontend::query(sql, out).expect("it is good"));
    }

    /// Sends bytes as one message.
    pub(crate) fn payload(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len() + 4).expect("it is good");
        let mut frame = vec![b'd'];
        // PostgreSQL's protocol has its lengths in network order.
        frame.extend(length.to_le_bytes().iter().rev());
        frame.extend_from_slice(payload);
        self.raw(&frame);
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &Message) {
        let mut out = BytesMut::new();
        message.encode(&mut out);
        self.payload(&out);
    }

    /// The next frame, with its type; `None`: the slave has hung up.
    pub(crate) fn frame(&mut self) -> Option<(u8, Bytes)> {
        loop {
            if let Some(head) = self.buffer.first_chunk::<5>() {
                let [kind, length @ ..] = *head;
                let length = length.iter().fold(0, |sum, b| sum << 8 | usize::from(*b)) + 1;
                if self.buffer.len() >= length {
                    return Some((kind, self.buffer.split_to(length).freeze()));
                }
            }
            let mut piece = [0; 4096];
            match self.stream.read(&mut piece) {
                Ok(0) => return None,
                Ok(read) => self.buffer.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer: {error}"),
            }
        }
    }

    /// The next message of the slave.
    pub(crate) fn message(&mut self) -> Option<Message> {
        loop {
            let (kind, frame) = self.frame()?;
            if kind == b'd' {
                return Some(Message::decode(frame.slice(5..)).expect("a readable message"));
            }
        }
    }

    /// Reads to the end; the slave's last word must be a refusal.
    #[track_caller]
    pub(crate) fn refusal(mut self) -> Refuse {
        let mut last = None;
        while let Some(message) = self.message() {
            last = Some(message);
        }
        match last {
            Some(Message::Refuse(refuse)) => refuse,
            other => panic!("not refused, the last word was {other:?}"),
        }
    }

    /// Reads until the server has hung up; gives its last frame.
    pub(crate) fn end(mut self) -> Option<Bytes> {
        let mut last = None;
        while let Some((_, frame)) = self.frame() {
            last = Some(frame);
        }
        last
    }

    /// Sends bytes again and again and reads nothing, until the server does not read either.
    pub(crate) fn choke(&mut self, bytes: &[u8]) {
        let limit = Some(Duration::from_secs(1));
        self.stream.set_write_timeout(limit).expect("a timeout");
        while self.stream.write_all(bytes).is_ok() {}
    }
}

/// A master that fits every slave of the environment.
pub(crate) fn identify(environment: EnvironmentId) -> Identify {
    Identify {
        protocol: PROTOCOL_VERSION,
        format: 1,
        environment,
        instance: "master".into(),
        role: Role::Master,
        page_size: 4096,
        volume_limit: 0,
        durable: None,
        pack: true,
        greeting: None,
    }
}
