//! A connection that sees all that a server says: types of columns, and values as they are sent.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use bytes::{Buf, BytesMut};
use dbtests::{LONG, PASSWORD};
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;

use crate::answer::{Answer, Fault, Rows};

/// A session.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Wire {
    /// Logs in as dba.
    pub(crate) fn connect(address: SocketAddr, database: &str) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(LONG)).expect("a timeout");
        stream.set_nodelay(true).expect("a setting");
        let mut wire = Self {
            stream,
            buffer: BytesMut::new(),
        };
        let parameters = [("user", "dba"), ("database", database)];
        wire.send(|out| frontend::startup_message(parameters, out).expect("it is good"));
        let mut scram = ScramSha256::new(PASSWORD.as_bytes(), ChannelBinding::unsupported());
        loop {
            match wire.message() {
                Message::AuthenticationSasl(_) => wire.send(|out| {
                    let first = scram.message();
                    frontend::sasl_initial_response(SCRAM_SHA_256, first, out).expect("it is good");
                }),
                Message::AuthenticationSaslContinue(body) => {
                    scram.update(body.data()).expect("it is good");
                    wire.send(|out| {
                        frontend::sasl_response(scram.message(), out).expect("it is good");
                    });
                }
                Message::ReadyForQuery(_) => break,
                message => assert!(
                    !matches!(message, Message::ErrorResponse(_)),
                    "the login is refused"
                ),
            }
        }
        wire
    }

    /// Asks by the simple protocol.
    pub(crate) fn ask(&mut self, sql: &str) -> Answer {
        self.send(|out| frontend::query(sql, out).expect("no zero byte"));
        self.answer()
    }

    /// Asks for one statement's rows in the binary format.
    pub(crate) fn ask_binary(&mut self, sql: &str) -> Answer {
        self.send(|out| {
            frontend::parse("", sql, [], out).expect("no zero byte");
            let none: [i16; 0] = [];
            let bound = frontend::bind(
                "",
                "",
                none,
                std::iter::empty::<()>(),
                |(), _| Ok(postgres_protocol::IsNull::Yes),
                [1],
                out,
            );
            assert!(bound.is_ok(), "it is good");
            frontend::describe(b'P', "", out).expect("it is good");
            frontend::execute("", 0, out).expect("it is good");
            frontend::sync(out);
        });
        self.answer()
    }

    fn send(&mut self, put: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        put(&mut out);
        self.stream.write_all(&out).expect("a server that listens");
    }

    /// The type of the next message, and the whole of it.
    fn frame(&mut self) -> (u8, BytesMut) {
        loop {
            if let Some(length) = self.buffer.get(1..5) {
                let length = 1 + Buf::get_u32(&mut &*length) as usize;
                if self.buffer.len() >= length {
                    return (self.buffer[0], self.buffer.split_to(length));
                }
            }
            let mut piece = [0; 16 << 10];
            let count = match self.stream.read(&mut piece) {
                // The process was stopped for a while.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.expect("an answer"),
            };
            assert!(count > 0, "the server has hung up");
            self.buffer.extend_from_slice(&piece[..count]);
        }
    }

    fn message(&mut self) -> Message {
        let (_, mut frame) = self.frame();
        let message = Message::parse(&mut frame).expect("a message");
        message.expect("a whole message")
    }

    fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        let mut rows = Rows::default();
        loop {
            let (kind, frame) = self.frame();
            let mut body = &frame[5..];
            match kind {
                b'T' => rows.columns = (0..body.get_u16()).map(|_| column(&mut body)).collect(),
                b'D' => {
                    let row: Vec<_> = (0..body.get_u16()).map(|_| field(&mut body)).collect();
                    let row = row
                        .into_iter()
                        .zip(&rows.columns)
                        .map(|(field, (_, ty, _))| {
                            field.map(|value| match ty {
                                700 | 701 => without_sign(value),
                                1021 | 1022 => without_signs(&value),
                                _ => value,
                            })
                        });
                    let row = row.collect();
                    rows.rows.push(row);
                }
                b'C' => {
                    rows.tag = text(&mut body);
                    answer.results.push(std::mem::take(&mut rows));
                }
                b'E' => answer.fault = Some(fault(body)),
                b'Z' => return answer,
                _ => {}
            }
        }
    }
}

fn text(body: &mut &[u8]) -> String {
    let end = body.iter().position(|byte| *byte == 0).expect("an end");
    let text = String::from_utf8_lossy(&body[..end]).into_owned();
    body.advance(end + 1);
    text
}

fn column(body: &mut &[u8]) -> (String, u32, i32) {
    let name = text(body);
    body.advance(6);
    let ty = body.get_u32();
    body.advance(2);
    let modifier = body.get_i32();
    body.advance(2);
    (name, ty, modifier)
}

fn field(body: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(body.get_i32()).ok()?;
    let value = body[..length].to_vec();
    body.advance(length);
    Some(value)
}

/// NaN of a double in the binary format has a sign that depends on the machine, and we have no -0.
fn without_sign(mut value: Vec<u8>) -> Vec<u8> {
    if value == b"-0" {
        value.remove(0);
    }
    if value == [0x80, 0, 0, 0, 0, 0, 0, 0] || value == [0x80, 0, 0, 0] {
        value[0] = 0;
    }
    if value == [0xff, 0xf8, 0, 0, 0, 0, 0, 0] || value == [0xff, 0xc0, 0, 0] {
        value[0] = 0x7f;
    }
    value
}

/// The same of an array: lengths before elements, behind 12 bytes and 8 for each dimension.
fn without_signs(array: &[u8]) -> Vec<u8> {
    // The text of one begins with a brace.
    if array.first() != Some(&0) {
        return array.to_vec();
    }
    let head = 12 + 8 * usize::try_from(Buf::get_u32(&mut &*array)).expect("small");
    let (head, mut rest) = array.split_at(head);
    let mut out = head.to_vec();
    while rest.has_remaining() {
        out.extend_from_slice(&rest[..4]);
        out.extend(without_sign(field(&mut rest).unwrap_or_default()));
    }
    out
}

fn fault(mut body: &[u8]) -> Fault {
    let mut fault = Fault::default();
    while body.has_remaining() {
        let value = match body.get_u8() {
            0 => break,
            b'C' => &mut fault.code,
            b'M' => &mut fault.message,
            _ => {
                text(&mut body);
                continue;
            }
        };
        *value = text(&mut body);
    }
    fault
}
