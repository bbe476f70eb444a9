//! The connection, as both ends use it.

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use dbproto::base::{Asked, Given};
use dbproto::{ProtocolError, Refuse, SILENCE_LIMIT, state};
use futures::{SinkExt as _, StreamExt as _};
use pgwire::messages::copy::CopyData;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::clients::SessionEntry;
use crate::environment::Environment;
use crate::wire::ClientStream;
use crate::wire::codec::{Request, WireError};

/// How long a message may wait for the other side to read. A dbrepl with a limit reads the next one when it has sent
/// this one, which may have a whole group of pages.
const SEND_LIMIT: Duration = Duration::from_mins(10);

/// How often a side that is at work gives a sign of life.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// Why a conversation is over before its purpose was reached.
#[derive(Debug)]
pub(super) enum Ended {
    /// This side refuses: the other one is to be told.
    Refused(Refuse),
    /// The other side has refused, or has left.
    Left(String),
    /// The connection is lost.
    Lost(WireError),
}

impl From<Refuse> for Ended {
    fn from(refuse: Refuse) -> Self {
        Self::Refused(refuse)
    }
}

impl From<WireError> for Ended {
    fn from(error: WireError) -> Self {
        Self::Lost(error)
    }
}

impl From<ProtocolError> for Ended {
    fn from(error: ProtocolError) -> Self {
        Self::Refused(Refuse::from(&error))
    }
}

/// A message that goes out.
pub(super) trait Outgoing {
    /// As the message of the protocol does it.
    fn parts(&self, out: &mut BytesMut) -> Bytes;
}

impl Outgoing for Given {
    fn parts(&self, out: &mut BytesMut) -> Bytes {
        self.encode_parts(out)
    }
}

impl Outgoing for Asked {
    fn parts(&self, out: &mut BytesMut) -> Bytes {
        self.encode_parts(out)
    }
}

/// One connection.
pub(super) struct Line<'a> {
    pub(super) stream: &'a mut ClientStream,
    pub(super) environment: &'a Environment,
    pub(super) entry: &'a SessionEntry,
}

impl Line<'_> {
    /// The next message; `None`: the other side has finished.
    ///
    /// Errors: nothing has come for 30 seconds, somebody has ended the connection, the server stops.
    pub(super) async fn receive(&mut self) -> Result<Option<Bytes>, Ended> {
        self.receive_with(|_here| None).await
    }

    /// The same. Each second `sign` is told how many bytes of the message are here, which may come slowly, and gives the
    /// sign of life that is due.
    pub(super) async fn receive_with(
        &mut self,
        mut sign: impl FnMut(usize) -> Option<Box<dyn Sign>>,
    ) -> Result<Option<Bytes>, Ended> {
        let silent = sleep_until(Instant::now() + SILENCE_LIMIT);
        let mut look = interval(SIGN_OF_LIFE);
        let mut here = 0;
        tokio::pin!(silent);
        loop {
            tokio::select! {
                biased;
                message = self.stream.next() => return Ok(taken(message.transpose()?)?),
                () = self.entry.wake.notified() => {
                    return Err(Refuse::new(state::ADMIN_SHUTDOWN, "an operator has ended the connection").into());
                }
                () = &mut silent => {
                    return Err(Refuse::new(state::CANNOT_CONNECT_NOW, "dbrepl has fallen silent").into());
                }
                _ = look.tick() => {
                    self.check_stopping()?;
                    let before = std::mem::replace(&mut here, self.stream.read_buffer().len());
                    if here > before {
                        silent.as_mut().reset(Instant::now() + SILENCE_LIMIT);
                    }
                    if let Some(sign) = sign(here) {
                        self.send(&sign).await?;
                    }
                }
            }
        }
    }

    fn check_stopping(&self) -> Result<(), Refuse> {
        check_stopping(self.environment)
    }

    /// Sends a message, once there is room.
    pub(super) async fn send(&mut self, message: &impl Outgoing) -> Result<(), Ended> {
        let mut bytes = BytesMut::new();
        let tail = message.parts(&mut bytes);
        bytes.extend_from_slice(&tail);
        let copy = PgWireBackendMessage::CopyData(CopyData::new(bytes.freeze()));
        let environment = self.environment;
        let unread = sleep_until(Instant::now() + SEND_LIMIT);
        let mut look = interval(SIGN_OF_LIFE);
        let sending = self.stream.send(copy);
        tokio::pin!(unread, sending);
        loop {
            tokio::select! {
                biased;
                sent = &mut sending => return Ok(sent?),
                () = &mut unread => {
                    let unread = io::Error::other("dbrepl does not read what it is sent");
                    return Err(WireError::from(unread).into());
                }
                _ = look.tick() => check_stopping(environment)?,
            }
        }
    }

    /// Waits for work that takes long, with a sign of life each second.
    pub(super) async fn meanwhile<T>(
        &mut self,
        work: impl Future<Output = T>,
        mut sign: impl FnMut() -> Box<dyn Sign>,
    ) -> Result<T, Ended> {
        let mut ticks = interval(SIGN_OF_LIFE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                _ = ticks.tick() => {
                    self.check_stopping()?;
                    self.send(&sign()).await?;
                }
            }
        }
    }
}

fn check_stopping(environment: &Environment) -> Result<(), Refuse> {
    if environment.is_stopping() {
        return Err(Refuse::new(state::ADMIN_SHUTDOWN, "the server was stopped"));
    }
    Ok(())
}

/// A sign of life of either side.
pub(super) trait Sign: Outgoing {}

impl<T: Outgoing> Sign for T {}

impl Outgoing for Box<dyn Sign> {
    fn parts(&self, out: &mut BytesMut) -> Bytes {
        (**self).parts(out)
    }
}

/// The payload of a message; `None`: the other side has finished.
fn taken(message: Option<Request>) -> Result<Option<Bytes>, Refuse> {
    match message {
        Some(Request::Message(PgWireFrontendMessage::CopyData(copy))) => Ok(Some(copy.data)),
        None
        | Some(Request::Message(
            PgWireFrontendMessage::CopyDone(_) | PgWireFrontendMessage::Terminate(_),
        )) => Ok(None),
        Some(_) => Err(Refuse::new(
            state::PROTOCOL_VIOLATION,
            "only CopyData belongs here",
        )),
    }
}
