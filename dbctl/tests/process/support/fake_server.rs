//! A server that speaks just enough of the protocol to be asked by dbctl, and says what it is
//! told. It listens on a port of its own; each connection is served to its end.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use bytes::{BufMut as _, BytesMut};

/// What the server answers to a statement.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Columns and rows.
    Table(
        &'static [&'static str],
        &'static [&'static [Option<&'static str>]],
    ),
    /// A command tag.
    Done(&'static str),
    /// A notice, then a command tag.
    Notice(&'static str, &'static str),
    /// SQLSTATE and message.
    Error(&'static str, &'static str),
    /// A command tag, then the end of the connection.
    DoneAndClose(&'static str),
}

/// A running server. Its threads end with the test process.
pub(crate) struct FakeServer {
    pub(crate) port: u16,
    received: Arc<Mutex<Vec<String>>>,
}

type Answers = dyn Fn(&str) -> Reply + Send + Sync;

/// A request for TLS, behind its length.
const SSL_REQUEST: [u8; 4] = [4, 210, 22, 47];

impl FakeServer {
    /// Starts a server; with a password, only clients that give it come in.
    pub(crate) fn start(
        password: Option<&'static str>,
        answers: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        let answers: Arc<Answers> = Arc::new(answers);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answers) = (Arc::clone(&log), Arc::clone(&answers));
                thread::spawn(move || {
                    // A client that goes away ends its session.
                    let _ended = Session { stream, log }.serve(password, &*answers);
                });
            }
        });
        Self { port, received }
    }

    /// Start-up packets (as `user=..,database=..`) and statements, in the order of arrival.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().expect("no panic").clone()
    }

    /// The statements alone.
    pub(crate) fn statements(&self) -> Vec<String> {
        let statement = |text: &String| !text.starts_with("user=");
        self.received().into_iter().filter(statement).collect()
    }
}

struct Session {
    stream: TcpStream,
    log: Arc<Mutex<Vec<String>>>,
}

impl Session {
    fn serve(&mut self, password: Option<&str>, answers: &Answers) -> io::Result<()> {
        self.start_up()?;
        if let Some(expected) = password {
            self.send(b'R', |body| body.put_i32(3))?;
            let (_, given) = self.message()?;
            if given.strip_suffix(b"\0") != Some(expected.as_bytes()) {
                return self.error("28P01", "password authentication failed");
            }
        }
        self.send(b'R', |body| body.put_i32(0))?;
        self.ready()?;
        loop {
            let (kind, body) = self.message()?;
            if kind != b'Q' {
                return Ok(());
            }
            let statement = String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(&body));
            self.log
                .lock()
                .expect("no panic")
                .push(statement.to_string());
            match answers(&statement) {
                Reply::Table(columns, rows) => self.table(columns, rows)?,
                Reply::Done(tag) => self.tag(tag)?,
                Reply::Notice(text, tag) => {
                    self.fields(b'N', &[(b'S', "NOTICE"), (b'C', "00000"), (b'M', text)])?;
                    self.tag(tag)?;
                }
                Reply::Error(state, text) => self.error(state, text)?,
                Reply::DoneAndClose(tag) => {
                    self.tag(tag)?;
                    return self.ready();
                }
            }
            self.ready()?;
        }
    }

    fn start_up(&mut self) -> io::Result<()> {
        let mut body = self.body()?;
        // It has no TLS.
        if body == SSL_REQUEST {
            self.stream.write_all(b"N")?;
            body = self.body()?;
        }
        let mut words = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
        let mut shown = Vec::new();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if name == b"user" || name == b"database" {
                let text = String::from_utf8_lossy;
                shown.push(format!("{}={}", text(name), text(value)));
            }
        }
        shown.sort_by(|one, other| other.cmp(one));
        self.log.lock().expect("no panic").push(shown.join(","));
        Ok(())
    }

    fn message(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut kind = [0];
        self.stream.read_exact(&mut kind)?;
        Ok((kind[0], self.body()?))
    }

    fn body(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = length
            .iter()
            .fold(0, |sum, byte| sum * 256 + usize::from(*byte));
        let mut body = vec![0; length.saturating_sub(4)];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    fn send(&mut self, kind: u8, fill: impl FnOnce(&mut BytesMut)) -> io::Result<()> {
        let mut body = BytesMut::new();
        fill(&mut body);
        let mut message = BytesMut::new();
        message.put_u8(kind);
        message.put_i32(i32::try_from(body.len() + 4).expect("a small message"));
        message.put(body);
        self.stream.write_all(&message)
    }

    fn ready(&mut self) -> io::Result<()> {
        self.send(b'Z', |body| body.put_u8(b'I'))
    }

    fn tag(&mut self, tag: &str) -> io::Result<()> {
        self.send(b'C', |body| body.put(format!("{tag}\0").as_bytes()))
    }

    fn error(&mut self, state: &str, text: &str) -> io::Result<()> {
        let fields = [
            (b'S', "ERROR"),
            (b'C', state),
            (b'M', text),
            (b'H', "a hint"),
            (b'P', "8"),
        ];
        self.fields(b'E', &fields)
    }

    fn fields(&mut self, kind: u8, fields: &[(u8, &str)]) -> io::Result<()> {
        self.send(kind, |body| {
            for (name, text) in fields {
                body.put_u8(*name);
                body.put(format!("{text}\0").as_bytes());
            }
            body.put_u8(0);
        })
    }

    fn table(&mut self, columns: &[&str], rows: &[&[Option<&str>]]) -> io::Result<()> {
        let count = |length: usize| i16::try_from(length).expect("few columns");
        self.send(b'T', |body| {
            body.put_i16(count(columns.len()));
            for name in columns {
                body.put(format!("{name}\0").as_bytes());
                // No table, no attribute, type text, any length, no modifier, text format.
                body.put_i32(0);
                body.put_i16(0);
                body.put_i32(25);
                body.put_i16(-1);
                body.put_i32(-1);
                body.put_i16(0);
            }
        })?;
        for row in rows {
            self.send(b'D', |body| {
                body.put_i16(count(row.len()));
                for value in *row {
                    match value {
                        None => body.put_i32(-1),
                        Some(text) => {
                            body.put_i32(i32::try_from(text.len()).expect("a short value"));
                            body.put(text.as_bytes());
                        }
                    }
                }
            })?;
        }
        self.tag(&format!("SELECT {}", rows.len()))
    }
}
