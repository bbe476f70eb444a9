//! A connection to the master, as the session that it is for uses it: frames both ways, and a wait that cancel requests,
//! time limits and the end of the session reach.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use futures::FutureExt as _;
use postgres_protocol::message::frontend;
use rustix::net::RecvFlags;
use tls::ClientTls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clients::SessionEntry;
use crate::databases::permit::InterruptReason;
use crate::environment::Seen;
use crate::failure::Failure;
use crate::pg::forward::answer::{self, Answer};
use crate::pg::redirect;

/// Type byte and length.
const HEAD: usize = 5;
/// Longest message of a master: as its clients' may be.
const LONGEST: usize = 0x3fff_ffff;
/// How long a master may take to stop a statement that it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long a session that is ended waits for the master to hear of it.
const LAST_WORD_LIMIT: Duration = Duration::from_secs(1);
/// What the kernel has is read within this time, if it is anything.
const UNREAD_LIMIT: Duration = Duration::from_millis(100);
/// It is asked again so often: a request that comes before its statement is for nobody.
const STOP_AGAIN: Duration = Duration::from_millis(200);

/// A message of the master.
pub(super) struct Frame {
    /// Its type.
    pub(super) kind: u8,
    /// All of it, as it came.
    pub(super) bytes: Bytes,
}

impl Frame {
    /// What follows type and length.
    pub(super) fn body(&self) -> &[u8] {
        self.bytes.get(HEAD..).unwrap_or_default()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The connection is lost, for this reason.
    Lost(String),
    /// This server ends the session.
    Ended,
    /// The connection is given up, for what the client hears: it cannot be used on.
    GivenUp(Failure),
}

/// Who waits for an answer, and what he has been asked to stop.
pub(super) struct Watch {
    entry: Arc<SessionEntry>,
    stopping: Option<Stopping>,
}

/// The master was asked to stop the statement.
struct Stopping {
    /// So long it may go on.
    until: Instant,
    /// Then it is asked again.
    again: Instant,
}

impl Watch {
    /// The statement of this session.
    pub(super) fn of(entry: &Arc<SessionEntry>) -> Self {
        Self {
            entry: Arc::clone(entry),
            stopping: None,
        }
    }
}

/// The connection.
pub(super) struct Line {
    stream: tls::Line<TcpStream>,
    input: BytesMut,
    output: BytesMut,
    /// The master as the configuration calls it.
    pub(super) target: Arc<str>,
    address: SocketAddr,
    /// What asks the master to stop the running statement, and how.
    cancel: Bytes,
    tls: ClientTls,
    /// Requests to stop a statement that are under way to the master.
    asked: Vec<JoinHandle<()>>,
    /// The settings that the session there has; `None`: only it knows.
    pub(super) settings: Option<BTreeMap<String, String>>,
    /// How far a reader sees there, as it has told last.
    pub(super) seen: Option<Seen>,
}

impl Line {
    /// A connection that has logged in.
    pub(super) fn new(
        (stream, input): (tls::Line<TcpStream>, BytesMut),
        (target, address): (&str, SocketAddr),
        (cancel, tls): (Bytes, ClientTls),
    ) -> Self {
        Self {
            stream,
            input,
            output: BytesMut::new(),
            target: target.into(),
            address,
            cancel,
            tls,
            asked: Vec::new(),
            settings: Some(BTreeMap::new()),
            seen: None,
        }
    }

    /// Where messages to the master go, to be sent by a flush.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Sends what is in the buffer.
    pub(super) async fn flush(&mut self, watch: &mut Watch) -> Result<(), Broken> {
        // A request that came behind its statement would stop the next one.
        while let Some(asked) = self.asked.last_mut() {
            if let Err(error) = asked.await {
                tracing::debug!(%error, "a cancel request has ended badly");
            }
            self.asked.pop();
        }
        loop {
            self.stop(watch).await?;
            tokio::select! {
                biased;
                sent = send(&mut self.stream, &mut self.output) => return sent.map_err(|error| lost(&error)),
                () = watch.entry.stopped.notified() => {}
                () = next_turn(watch.stopping.as_ref()) => {}
            }
        }
    }

    /// The next message. Cancelling loses nothing.
    pub(super) async fn frame(&mut self, watch: &mut Watch) -> Result<Frame, Broken> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(frame);
            }
            self.stop(watch).await?;
            tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.input) => match read {
                    Ok(0) => return Err(Broken::Lost("it has closed the connection".into())),
                    Ok(_) => {}
                    Err(error) => return Err(lost(&error)),
                },
                () = watch.entry.stopped.notified() => {}
                () = next_turn(watch.stopping.as_ref()) => {}
            }
        }
    }

    /// The next message that means something for the statement; what the master says beside it is noted.
    pub(super) async fn answer(&mut self, watch: &mut Watch) -> Result<(Answer, Frame), Broken> {
        loop {
            let frame = self.frame(watch).await?;
            match answer::read(&frame).map_err(|why| Broken::Lost(why.to_owned()))? {
                Answer::Nothing => {}
                Answer::Seen(seen) => self.seen = Some(seen),
                Answer::Fatal(why) => return Err(Broken::Lost(why)),
                other => return Ok((other, frame)),
            }
        }
    }

    /// A word of goodbye, if it can be said without a wait, on a connection that nothing goes on on.
    pub(super) fn say_goodbye(mut self) {
        let mut goodbye = BytesMut::new();
        frontend::terminate(&mut goodbye);
        if let Some(Err(error)) = send(&mut self.stream, &mut goodbye).now_or_never() {
            tracing::debug!(%error, "the master was gone before its session");
        }
    }

    fn take(&mut self) -> Result<Option<Frame>, Broken> {
        let Some(Ok(length)) = self.input.get(1..).map(|mut rest| rest.try_get_u32()) else {
            return Ok(None);
        };
        let length = length as usize;
        if !(4..=LONGEST).contains(&length) {
            return Err(Broken::Lost("it does not speak the protocol".into()));
        }
        if self.input.len() <= length {
            return Ok(None);
        }
        let bytes = self.input.split_to(length + 1).freeze();
        let kind = bytes.first().copied().unwrap_or_default();
        Ok(Some(Frame { kind, bytes }))
    }

    /// Itself, if it is alive.
    pub(super) async fn if_alive(mut self) -> Option<Self> {
        self.is_alive().await.then_some(self)
    }

    /// Whether it can be used for another transaction: nobody has closed it meanwhile, and the master has said nothing
    /// that ends it.
    pub(super) async fn is_alive(&mut self) -> bool {
        // What has come is looked at in the kernel: nobody has waited for it since the last transaction.
        let mut first = [0];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let has_more = match rustix::net::recv(self.stream.get_ref(), &mut first, flags) {
            Ok((_, 0)) => return false,
            Ok(_) => true,
            Err(error) => {
                if error != rustix::io::Errno::AGAIN {
                    return false;
                }
                false
            }
        };
        if has_more {
            // Within TLS that may be nothing that the session says.
            let read = self.stream.read_buf(&mut self.input);
            match tokio::time::timeout(UNREAD_LIMIT, read).await {
                Ok(Ok(1..)) | Err(_) => {}
                Ok(_) => return false,
            }
        }
        loop {
            match self.take() {
                Ok(None) => return self.input.is_empty(),
                Ok(Some(frame)) => match answer::read(&frame) {
                    Ok(Answer::Nothing | Answer::Notice) => {}
                    Ok(Answer::Seen(seen)) => self.seen = Some(seen),
                    Ok(_) | Err(_) => return false,
                },
                Err(_) => return false,
            }
        }
    }

    /// Does what the session was told: the master is asked to stop a statement that is to be stopped.
    async fn stop(&mut self, watch: &mut Watch) -> Result<(), Broken> {
        match watch.entry.interrupt.reason() {
            None => Ok(()),
            Some(InterruptReason::Terminate) => {
                // What was sent behind the statement would hide from the master that nobody is here any more.
                let limit = LAST_WORD_LIMIT;
                redirect::send_cancel(self.address, &self.cancel, limit, &self.tls).await;
                Err(Broken::Ended)
            }
            Some(InterruptReason::UserRequest | InterruptReason::StatementTimeout) => {
                let now = Instant::now();
                let until = watch
                    .stopping
                    .as_ref()
                    .map_or(now + STOP_LIMIT, |asked| asked.until);
                if now >= until {
                    return Err(Broken::Lost("it does not stop the statement".into()));
                }
                if watch
                    .stopping
                    .as_ref()
                    .is_none_or(|asked| now >= asked.again)
                {
                    let again = now + STOP_AGAIN;
                    watch.stopping = Some(Stopping { until, again });
                    let (address, packet) = (self.address, self.cancel.clone());
                    let tls = self.tls.clone();
                    self.asked.push(tokio::spawn(async move {
                        redirect::send_cancel(address, &packet, STOP_LIMIT, &tls).await;
                    }));
                }
                Ok(())
            }
        }
    }
}

/// Cancelling loses nothing.
async fn send(stream: &mut tls::Line<TcpStream>, output: &mut BytesMut) -> std::io::Result<()> {
    stream.write_all_buf(output).await?;
    stream.flush().await
}

fn lost(error: &std::io::Error) -> Broken {
    Broken::Lost(error.to_string())
}

/// Ready when the master is to be asked again; never where it was not asked.
async fn next_turn(stopping: Option<&Stopping>) {
    match stopping {
        Some(stopping) => tokio::time::sleep_until(stopping.again).await,
        None => std::future::pending().await,
    }
}
