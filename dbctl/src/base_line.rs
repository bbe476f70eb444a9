//! A connection on which a server gives a copy of itself: the base conversation, as the side that takes.
//!
//! What takes works with files and blocks, on a thread of its own; the connection goes on meanwhile, and says each second how far
//! that is.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use dbproto::SILENCE_LIMIT;
use dbproto::base::{Asked, BASE_PARAMETER, Given, Offer, StageStatus};
use link::{Frame, FrameReader, LinkError, Login, MAX_COPY, frame_head};
use tls::Line;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use crate::connection::CANNOT_REACH;
use crate::credentials::Credentials;
use crate::error::{CommandError, Result};
use crate::place::{Place, Way};
use crate::target::Target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The start-up takes a key derivation, on a machine that may be busy.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// Messages that wait for who takes.
const QUEUE: usize = 4;

type Reader = Box<dyn AsyncRead + Unpin + Send>;
type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// A connection that is open for the conversation.
pub(crate) struct BaseLine {
    reader: FrameReader<Reader>,
    write: Writer,
    /// The version that both sides speak.
    pub(crate) version: u16,
}

/// The end of it for who takes.
pub(crate) struct Ends {
    /// What the server says; the last one may be an error.
    pub(crate) given: mpsc::Receiver<Result<Given>>,
    /// What it is told. The conversation ends with this.
    pub(crate) asked: mpsc::UnboundedSender<Asked>,
    /// How far the taker is.
    pub(crate) status: Arc<Mutex<Option<StageStatus>>>,
}

impl BaseLine {
    /// Connects to the first endpoint that answers, and logs in.
    pub(crate) async fn open(target: &Target, credentials: &mut Credentials) -> Result<Self> {
        let mut reasons = Vec::new();
        for endpoint in &target.endpoints {
            let places = match Place::of(endpoint, &target.tls).await {
                Ok(places) => places,
                Err(failure) => {
                    reasons.push(failure.message);
                    continue;
                }
            };
            for place in &places {
                match connect(place).await {
                    Ok(halves) => return Self::log_in(place, halves, credentials).await,
                    Err(why) => reasons.push(format!("{CANNOT_REACH} {}: {why}", place.shown)),
                }
            }
        }
        Err(CommandError::unreachable(reasons.join("\n"))
            .with_hint("is the server running? -h and -s say where it is"))
    }

    async fn log_in(
        place: &Place,
        mut halves: Halves,
        credentials: &mut Credentials,
    ) -> Result<Self> {
        loop {
            let Halves {
                reader,
                mut write,
                binding,
            } = halves;
            let mut reader = FrameReader::new(reader);
            let login = Login {
                user: &credentials.user,
                password: credentials.password.as_deref(),
                purpose: BASE_PARAMETER,
                program: "dbctl",
            };
            let logged_in = timeout(
                LOGIN_TIMEOUT,
                login.log_in(&mut reader, &mut write, binding),
            );
            let offer = match logged_in.await {
                Ok(Ok(offer)) => offer.unwrap_or_default(),
                Ok(Err(LinkError::NoPassword { .. })) if credentials.password.is_none() => {
                    credentials.ask()?;
                    let again = connect(place).await;
                    halves = again.map_err(|why| {
                        CommandError::unreachable(format!("{CANNOT_REACH} {}: {why}", place.shown))
                    })?;
                    continue;
                }
                Ok(Err(error)) => return Err(link_failure(&error, &place.shown)),
                Err(_) => {
                    return Err(CommandError::unreachable(format!(
                        "{} accepts the connection, and does not answer",
                        place.shown
                    )));
                }
            };
            let no_copies = |why: String| {
                CommandError::error(format!("{} gives no copies: {why}", place.shown))
                    .with_hint("are dbctl and its dbserver of the same release?")
            };
            let offer = offer.parse::<Offer>();
            let offer = offer.map_err(|why| no_copies(why.to_string()))?;
            let common = Offer::base().common(&offer, &place.shown);
            let common = common.map_err(|refuse| no_copies(refuse.to_string()))?;
            return Ok(Self {
                reader,
                write,
                version: common.version(),
            });
        }
    }

    /// The ends for who takes, and what carries messages until those are dropped. `rate`: bytes a second that are read at most.
    pub(crate) fn split(self, rate: Option<u64>) -> (Ends, impl Future<Output = ()>) {
        let (to_taker, given) = mpsc::channel(QUEUE);
        let (asked, from_taker) = mpsc::unbounded_channel();
        let status = Arc::default();
        let ends = Ends {
            given,
            asked,
            status: Arc::clone(&status),
        };
        let carrier = Carrier {
            reader: self.reader,
            write: self.write,
            to_taker,
            status,
            rate,
            free_at: Instant::now(),
        };
        (ends, carrier.carry(from_taker))
    }
}

/// A connection before its start-up.
struct Halves {
    reader: Reader,
    write: Writer,
    binding: Option<Vec<u8>>,
}

async fn connect(place: &Place) -> std::result::Result<Halves, String> {
    let reached = match &place.way {
        Way::Network { host, address } => {
            let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
            let stream = stream.map_err(|_| "no answer".to_owned())?;
            let stream = stream.map_err(|error| error.to_string())?;
            stream
                .set_nodelay(true)
                .map_err(|error| error.to_string())?;
            let line = Line::agree(stream, host, &place.tls.0).await;
            let line = line.map_err(|why| why.to_string())?;
            let binding = line.binding();
            let (reader, write) = tokio::io::split(line);
            (
                Box::new(reader) as Reader,
                Box::new(write) as Writer,
                binding,
            )
        }
        Way::Local(local) => {
            let stream = UnixStream::connect(&local.path).await;
            let stream = stream.map_err(|error| error.to_string())?;
            let (reader, write) = stream.into_split();
            (Box::new(reader) as Reader, Box::new(write) as Writer, None)
        }
    };
    let (reader, write, binding) = reached;
    Ok(Halves {
        reader,
        write,
        binding,
    })
}

/// What a failure of the conversation means for the exit code.
fn link_failure(error: &LinkError, shown: &str) -> CommandError {
    match error {
        LinkError::Told {
            sqlstate,
            message,
            hint,
        } => {
            let failure = match sqlstate.as_str() {
                "42501" => CommandError::refused(message.as_str())
                    .with_hint("a backup needs the privileges of dba or operator"),
                refused if refused.starts_with("28") => CommandError::refused(message.as_str()),
                refused if refused.starts_with("57P") => {
                    CommandError::unreachable(message.as_str())
                }
                _ => CommandError::error(message.as_str()),
            };
            let failure = if hint.is_empty() {
                failure
            } else {
                failure.with_hint(hint)
            };
            failure.at(shown)
        }
        LinkError::NoPassword { .. } | LinkError::Unproved | LinkError::UnknownAuthentication => {
            CommandError::refused(format!("{shown}: the server {error}"))
        }
        LinkError::OddUser => CommandError::usage(format!("the server {error}")),
        LinkError::Left(_)
        | LinkError::Lost(_)
        | LinkError::Unreadable(_)
        | LinkError::ImpossibleLength { .. } => {
            CommandError::unreachable(format!("{shown}: the server {error}"))
        }
    }
}

struct Carrier {
    reader: FrameReader<Reader>,
    write: Writer,
    to_taker: mpsc::Sender<Result<Given>>,
    status: Arc<Mutex<Option<StageStatus>>>,
    rate: Option<u64>,
    /// Nothing is read before that time.
    free_at: Instant,
}

impl Carrier {
    async fn carry(mut self, from_taker: mpsc::UnboundedReceiver<Asked>) {
        if let Err(failure) = self.talk(from_taker).await {
            // Where the taker has ended, it has said why.
            drop(self.to_taker.send(Err(failure)).await);
        }
    }

    async fn talk(&mut self, mut from_taker: mpsc::UnboundedReceiver<Asked>) -> Result<()> {
        let mut tick = interval(SIGN_OF_LIFE);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut held = None;
        let mut heard = Instant::now();
        loop {
            let room = async {
                match &held {
                    Some(_) => self.to_taker.reserve().await.ok(),
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                asked = from_taker.recv() => match asked {
                    Some(asked) => send(&mut self.write, &asked).await?,
                    None => return finish(&mut self.write).await,
                },
                permit = room => {
                    let Some(permit) = permit else {
                        return finish(&mut self.write).await;
                    };
                    if let Some(given) = held.take() {
                        permit.send(Ok(given));
                    }
                    heard = Instant::now();
                }
                frame = next(&mut self.reader, self.free_at), if held.is_none() => {
                    let frame = frame?;
                    heard = Instant::now();
                    self.free_at = free_at(self.free_at, frame.bytes.len(), self.rate);
                    held = given(frame)?;
                }
                _ = tick.tick() => {
                    if held.is_none() && heard.elapsed() > SILENCE_LIMIT && self.free_at <= Instant::now() {
                        return Err(CommandError::unreachable(format!(
                            "the server has said nothing for {} seconds",
                            SILENCE_LIMIT.as_secs()
                        )));
                    }
                    let status = *self.status.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(status) = status {
                        send(&mut self.write, &Asked::Status(status)).await?;
                    }
                }
            }
        }
    }
}

/// A message for the taker, if it is one.
fn given(frame: Frame) -> Result<Option<Given>> {
    match frame.kind {
        b'd' => {
            let given = Given::decode(frame.into_body().freeze());
            let given = given.map_err(|error| {
                CommandError::error(format!("the server broke the protocol: {error}"))
            })?;
            Ok(Some(given).filter(|given| !matches!(given, Given::Busy)))
        }
        link::ERROR => Err(link_failure(&link::from_error(frame.body()), "the server")),
        b'c' | b'C' | b'Z' => Err(ended()),
        _ => Ok(None),
    }
}

fn ended() -> CommandError {
    CommandError::unreachable("the server ended the conversation")
        .with_hint("its log says why; begin again: what was stored is of use to the next one")
}

async fn next(reader: &mut FrameReader<Reader>, free_at: Instant) -> Result<Frame> {
    sleep_until(free_at).await;
    let frame = reader.next(MAX_COPY).await;
    let frame = frame.map_err(|error| link_failure(&error, "the connection"))?;
    frame.ok_or_else(ended)
}

/// When more may be read, after so many bytes.
fn free_at(before: Instant, bytes: usize, rate: Option<u64>) -> Instant {
    let now = Instant::now();
    let Some(rate) = rate.filter(|rate| *rate > 0) else {
        return now;
    };
    let nanos = bytes as u128 * 1_000_000_000 / u128::from(rate);
    before.max(now) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

async fn send(write: &mut Writer, asked: &Asked) -> Result<()> {
    let mut body = BytesMut::new();
    let tail = asked.encode_parts(&mut body);
    let mut bytes = BytesMut::with_capacity(5 + body.len() + tail.len());
    frame_head(b'd', body.len() + tail.len(), &mut bytes);
    bytes.extend_from_slice(&body);
    bytes.extend_from_slice(&tail);
    put(write, &bytes).await
}

/// Nothing follows.
async fn finish(write: &mut Writer) -> Result<()> {
    let mut bytes = BytesMut::new();
    frame_head(b'c', 0, &mut bytes);
    put(write, &bytes).await
}

async fn put(write: &mut Writer, bytes: &[u8]) -> Result<()> {
    let sent = async {
        write.write_all(bytes).await?;
        write.flush().await
    };
    sent.await.map_err(|error: std::io::Error| {
        CommandError::unreachable(format!("the connection to the server was lost: {error}"))
    })
}
