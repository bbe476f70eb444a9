//! The connection to the slave: reached, logged in, and carrying messages both ways.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use dbconfig::{AddressFamily, HostService};
use dbproto::{Message, Offer, REPLICATION_PARAMETER};
use tls::{ClientTls, Line, Refused};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use link::{Frame, FrameReader, Login, MAX_COPY, frame_head};

use crate::bandwidth::BandwidthLimit;
use crate::credentials::{Credentials, Password};
use crate::error::{ExitCode, ShipError};
use crate::ship::Destination;

/// A slave that doesn't answer within this time isn't there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The start-up takes a key derivation and a look into a table, on a machine that may be busy.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// A slave has to sync what it got, which can take a while on a busy disk; but who stops dbrepl waits.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// A last message goes within this time, or not at all.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What to do about a slave that says what can't be understood.
const SAME_RELEASE: &str = "use dbrepl and dbserver of the same release";

/// Messages that may wait for the socket. More would only hide how slow it is.
const OUT_QUEUE: usize = 2;

/// Messages of the slave that may wait for the loop.
const IN_QUEUE: usize = 64;

/// What came from the slave.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Box<Message>),
    /// The slave has finished, after it was asked to.
    Done,
    /// The connection is no more.
    Lost(ShipError),
}

/// What goes to the slave.
#[derive(Debug)]
pub struct Outgoing {
    head: BytesMut,
    tail: Bytes,
}

impl Outgoing {
    /// A message, as it is or with its blocks compressed.
    pub fn message(message: &Message, pack: bool) -> Self {
        let mut body = BytesMut::with_capacity(64);
        let tail = if pack {
            message.encode_packed(&mut body)
        } else {
            message.encode_parts(&mut body)
        };
        let mut head = BytesMut::with_capacity(5 + body.len());
        frame_head(b'd', body.len() + tail.len(), &mut head);
        head.extend_from_slice(&body);
        Self { head, tail }
    }

    /// Bytes on the socket.
    pub(crate) fn bytes(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Nothing follows; the slave finishes what it has.
    pub fn done() -> Self {
        let mut head = BytesMut::new();
        frame_head(b'c', 0, &mut head);
        Self {
            head,
            tail: Bytes::new(),
        }
    }
}

/// What an `ErrorResponse` means.
pub(crate) fn refused(frame: &Frame) -> ShipError {
    link::from_error(frame.body()).into()
}

/// A server to be reached.
pub(crate) struct Peer<'a> {
    /// Where it is.
    pub(crate) address: &'a HostService,
    /// How the line is secured.
    pub(crate) tls: &'a ClientTls,
    /// Who logs in.
    pub(crate) credentials: &'a Credentials,
    /// The value of the start-up parameter `replication`.
    pub(crate) purpose: &'static str,
}

/// A connection that has switched to `CopyBoth`.
pub(crate) struct Opened {
    /// What the server sends.
    pub(crate) reader: FrameReader<Box<dyn AsyncRead + Unpin + Send>>,
    /// What it gets.
    pub(crate) write: Box<dyn AsyncWrite + Unpin + Send>,
    /// This side's address, as the server sees it where nothing translates it.
    pub(crate) from: SocketAddr,
    /// What it has said that it can do.
    pub(crate) offer: Option<String>,
}

impl Opened {
    /// Connects and logs in.
    pub(crate) async fn reach(peer: &Peer<'_>) -> Result<Self, ShipError> {
        let server = peer.address;
        let stream = connect(server).await?;
        let from = stream.local_addr().map_err(|error| {
            ShipError::unreachable(format!("the connection to {server} was lost: {error}"))
        })?;
        let login = async {
            let line = Line::agree(stream, &server.host, peer.tls).await;
            let line = line.map_err(|why| not_agreed(&server.to_string(), &why))?;
            let binding = line.binding();
            let (read, mut write): Halves = match line {
                Line::Clear(stream) => {
                    let (read, write) = stream.into_split();
                    (Box::new(read), Box::new(write))
                }
                secured @ Line::Tls(_) => {
                    let (read, write) = tokio::io::split(secured);
                    (Box::new(read), Box::new(write))
                }
            };
            let mut reader = FrameReader::new(read);
            let password = peer.credentials.password.as_ref();
            let login = Login {
                user: &peer.credentials.user,
                password: password.map(Password::reveal),
                purpose: peer.purpose,
                program: "dbrepl",
            };
            let offer = login.log_in(&mut reader, &mut write, binding).await?;
            Ok(Self {
                reader,
                write,
                from,
                offer,
            })
        };
        timeout(LOGIN_TIMEOUT, login).await.map_err(|_| {
            ShipError::unreachable(format!(
                "{server} accepted the connection, but does not answer"
            ))
        })?
    }
}

/// Both directions of a socket.
type Halves = (
    Box<dyn AsyncRead + Unpin + Send>,
    Box<dyn AsyncWrite + Unpin + Send>,
);

/// An open connection in `CopyBoth`. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    /// Messages to the slave; waits while the socket is busy.
    pub out: mpsc::Sender<Outgoing>,
    /// What the slave sends.
    pub incoming: mpsc::Receiver<Incoming>,
    /// This side's address, as the slave sees it where nothing translates it.
    pub from: SocketAddr,
    /// What the slave can do beyond the version of the protocol.
    offer: Option<Offer>,
    /// The two tasks that own the socket; they end with this.
    tasks: JoinSet<()>,
}

impl Connection {
    /// Connects and logs in.
    pub async fn open(to: &Destination) -> Result<Self, ShipError> {
        let peer = Peer {
            address: &to.slave,
            tls: &to.options.tls,
            credentials: &to.credentials,
            purpose: REPLICATION_PARAMETER,
        };
        let opened = Opened::reach(&peer).await?;
        let limit = BandwidthLimit::new(to.options.bandwidth, Instant::now());
        let (out, out_queue) = mpsc::channel(OUT_QUEUE);
        let (in_queue, incoming) = mpsc::channel(IN_QUEUE);
        let mut tasks = JoinSet::new();
        tasks.spawn(send_all(opened.write, limit, out_queue, in_queue.clone()));
        let patience = to.connect.heartbeat_wait;
        tasks.spawn(receive_all(opened.reader, in_queue, patience));
        Ok(Self {
            out,
            incoming,
            from: opened.from,
            // One that says nothing, or what can't be read, is asked for nothing.
            offer: opened.offer.and_then(|offer| offer.parse().ok()),
            tasks,
        })
    }

    /// Whether the slave can do this, and this side, too.
    pub fn can(&self, capability: &str) -> bool {
        let own = Offer::replication();
        let offer = self.offer.as_ref();
        offer.is_some_and(|offer| offer.can(capability)) && own.can(capability)
    }

    /// Ends the conversation: the slave finishes what it was sent before this returns, unless it
    /// takes too long.
    pub async fn finish(mut self) {
        let ended = timeout(FINISH_TIMEOUT, async {
            if self.out.send(Outgoing::done()).await.is_err() {
                return;
            }
            while let Some(Incoming::Message(_)) = self.incoming.recv().await {}
        });
        if ended.await.is_err() {
            tracing::debug!("the slave did not confirm the end of replication");
        }
    }

    /// Closes the connection after what waits to be sent has gone.
    pub async fn close(self) {
        let Self {
            out,
            incoming: _incoming,
            from: _,
            offer: _,
            mut tasks,
        } = self;
        drop(out);
        // The first task to end is the one that sends, or the connection is gone.
        drop(timeout(CLOSE_TIMEOUT, tasks.join_next()).await);
    }
}

async fn connect(slave: &HostService) -> Result<TcpStream, ShipError> {
    let port = slave
        .service
        .resolve()
        .map_err(|why| ShipError::usage(why.to_string()))?;
    let family = slave.service.family();
    let found = lookup_host((slave.host.as_str(), port))
        .await
        .map_err(|error| {
            ShipError::unreachable(format!("slave {slave} can't be reached: {error}"))
                .hint("check the host name")
        })?;
    let mut last = None;
    for address in found {
        let wanted = match family {
            AddressFamily::Any | AddressFamily::V46 => true,
            AddressFamily::V4 => address.is_ipv4(),
            AddressFamily::V6 => address.is_ipv6(),
        };
        if !wanted {
            continue;
        }
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream
                    .set_nodelay(true)
                    .map_err(|error| ShipError::unreachable(error.to_string()))?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = Some(error.to_string()),
            Err(_) => last = Some("no answer".to_owned()),
        }
    }
    let why = last.unwrap_or_else(|| "the host has no address of this family".to_owned());
    Err(
        ShipError::unreachable(format!("slave {slave} can't be reached: {why}"))
            .hint("is its dbserver running, and does Listen in its eloqdb.cfg have this address?"),
    )
}

/// Why the slave and this side have found no way to speak.
fn not_agreed(slave: &str, why: &Refused) -> ShipError {
    let failure = ShipError::unreachable(format!("slave {slave}: {why}"));
    match why {
        Refused::Told(words) => {
            ShipError::from_error_response(&words.sqlstate, &words.message, &words.hint)
        }
        Refused::NoAnswer => ShipError::new(ExitCode::Error, format!("slave {slave}: {why}"))
            .hint("is this the service port of an eloqdb server?"),
        Refused::Lost(_) => failure,
        Refused::NoTls(_) => failure.hint(
            "give the slave a certificate (TlsCert and TlsKey in its eloqdb.cfg), or say --tls prefer where the line is yours",
        ),
        Refused::Handshake(_) => failure.hint(
            "does --ca-file have the authority of the slave's certificate, is the certificate for the name that is given here, and still valid?",
        ),
    }
}

async fn send_all(
    mut write: impl AsyncWrite + Unpin,
    mut limit: BandwidthLimit,
    mut queue: mpsc::Receiver<Outgoing>,
    lost: mpsc::Sender<Incoming>,
) {
    while let Some(Outgoing { head, tail }) = queue.recv().await {
        // One vectored write for both parts: the blocks are never copied into a message.
        let mut message = head.chain(tail);
        let sent = match limit.write_all(&mut write, &mut message).await {
            // Within TLS what is written may wait for the socket.
            Ok(()) => write.flush().await,
            failed => failed,
        };
        if let Err(error) = sent {
            let failure =
                ShipError::unreachable(format!("the connection to the slave was lost: {error}"));
            // The slave may have said why before it closed: the reader tells that first.
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(lost.send(Incoming::Lost(failure)).await);
            return;
        }
    }
}

async fn receive_all(
    mut reader: FrameReader<impl AsyncRead + Unpin>,
    queue: mpsc::Sender<Incoming>,
    patience: Duration,
) {
    loop {
        let incoming = match timeout(patience, reader.next(MAX_COPY)).await {
            Ok(Ok(Some(frame))) => understand(frame),
            Ok(Ok(None)) => Some(Incoming::Lost(ShipError::unreachable(
                "the slave closed the connection",
            ))),
            Ok(Err(failure)) => Some(Incoming::Lost(failure.into())),
            Err(_) => Some(Incoming::Lost(ShipError::unreachable(format!(
                "the slave has said nothing for {} seconds",
                patience.as_secs()
            )))),
        };
        let Some(incoming) = incoming else { continue };
        let last = !matches!(incoming, Incoming::Message(_));
        if queue.send(incoming).await.is_err() || last {
            return;
        }
    }
}

/// `None`: nothing that matters here.
fn understand(frame: Frame) -> Option<Incoming> {
    match frame.kind {
        b'd' => Some(match Message::decode(frame.into_body().freeze()) {
            Ok(message) => Incoming::Message(Box::new(message)),
            Err(error) => Incoming::Lost(
                ShipError::new(
                    ExitCode::Error,
                    format!("the slave broke the protocol: {error}"),
                )
                .hint(SAME_RELEASE),
            ),
        }),
        b'c' => Some(Incoming::Done),
        link::ERROR => Some(Incoming::Lost(link::from_error(&frame.into_body()).into())),
        // Notices, parameter changes.
        b'N' | b'S' | b'A' => None,
        // A slave may close the copy with the messages that end a command.
        b'C' | b'Z' => Some(Incoming::Done),
        kind => Some(Incoming::Lost(
            ShipError::new(
                ExitCode::Error,
                format!(
                    "the slave sent an unexpected message '{}'",
                    kind.escape_ascii()
                ),
            )
            .hint(SAME_RELEASE),
        )),
    }
}
