//! One connection: introduce, find the synchronization point, ship, follow.
//!
//! ```text
//! Tailer ── pieces ──▶ LogStream ── Outgoing ──▶ send task ──▶ slave
//!                          ▲
//!                          └───── Incoming ──── receive task ◀── slave
//! ```
//! All of it is one thread's: a commit that is durable on the master is on the socket after one wake-up.
//!
//! A piece is taken from the tailer only when the window has room and the bandwidth limit allows,
//! so at most a few pieces are in memory.

mod handshake;
mod outstanding;
mod stream;

use crate::connection::Connection;
use crate::error::ShipError;
use crate::note::SlaveNote;
use crate::options::Options;
use crate::report::Reporter;
use crate::shutdown::ShutdownRequest;
use crate::source;

use dbproto::Message;
use handshake::handshake;
use stream::LogStream;
use tokio::time::Instant;

/// How a connection ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The goal was reached.
    Reached,
    /// The operator asked for it.
    Stopped,
}

impl Ending {
    /// For the master's operator.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Reached => {
                "dbrepl has sent what it was asked to, and has ended; start it without -S, -G and -T to follow"
            }
            Self::Stopped => "dbrepl was stopped; start it again to go on",
        }
    }
}

/// Bytes that may be on their way without an acknowledgement.
const WINDOW: u64 = 16 << 20;

/// One of the attempts to ship, and what the one before has come to.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// The failure that the operator knows of.
    pub known: Option<&'a ShipError>,
    /// How many have failed since that was told.
    pub failed: u64,
    /// Since when the log is shipped.
    pub shipping: Option<Instant>,
}

impl Attempt<'_> {
    /// One line for each change of state, none for each try.
    pub fn is_news(&self, failure: &ShipError) -> bool {
        self.known
            .is_none_or(|known| known.code != failure.code || known.retry != failure.retry)
    }

    /// What to say once the slave has taken something: a connection alone does not mean that all is well again.
    fn ships(&mut self) -> Option<String> {
        self.shipping = Some(Instant::now());
        self.known?;
        Some(match self.failed {
            0 => "connected to slave server again".to_owned(),
            times => format!("connected to slave server again; it had failed {times} times more"),
        })
    }
}

/// Runs one connection from start to end.
pub async fn ship(
    options: &Options,
    reporter: &mut Reporter,
    stop: &mut ShutdownRequest,
    note: &mut SlaveNote,
    attempt: &mut Attempt<'_>,
) -> Result<Ending, ShipError> {
    let (source, pack) = (options.source.clone(), options.compress);
    let identify = match blocking(move || source::introduce(&source, pack)).await {
        Ok(identify) => identify,
        Err(failure) => {
            if attempt.is_news(&failure) {
                tell_slave_alone(options, &failure).await;
            }
            return Err(failure);
        }
    };
    let mut connection = tokio::select! {
        connection = Connection::open(options) => connection?,
        () = stop.requested() => return Ok(Ending::Stopped),
    };
    let shipper = dbproto::Shipper::new(identify, WINDOW);
    let met = tokio::select! {
        met = handshake(shipper, &mut connection, options, reporter, note) => met,
        () = stop.requested() => return Ok(Ending::Stopped),
    };
    let (shipper, follow) = match met {
        Ok(met) => met,
        Err(failure) => {
            connection.close().await;
            return Err(failure);
        }
    };
    let mut stream = LogStream::start(options, reporter, shipper, follow, note);
    stream.again = attempt.ships();
    let result = stream.run(&mut connection, stop).await;
    stream.end();
    let is_silent = stream.slave_is_silent();
    match &result {
        // It would not answer.
        Ok(_) if is_silent => connection.close().await,
        Ok(_) => connection.finish().await,
        Err(failure) => {
            tell_slave(&connection, failure).await;
            connection.close().await;
        }
    }
    result
}

/// The slave's operator wants to know why nothing comes any more.
async fn tell_slave(connection: &Connection, failure: &ShipError) {
    if let Some(refuse) = failure.for_slave() {
        // A connection that is gone can't be told.
        drop(connection.send(&Message::Refuse(refuse)).await);
    }
}

/// The same where there was nothing to connect for: a log that can't even be begun to read.
async fn tell_slave_alone(options: &Options, failure: &ShipError) {
    if failure.for_slave().is_none() {
        return;
    }
    // A slave that can't be reached can't be told.
    if let Ok(connection) = Connection::open(options).await {
        tell_slave(&connection, failure).await;
        connection.close().await;
    }
}

/// Runs what reads files where it holds nobody up.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ShipError> + Send + 'static,
) -> Result<T, ShipError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(ShipError::passing(format!(
                "reading the log failed: {error}"
            )))
        })
}
