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

mod backlog;
mod beat;
mod handshake;
mod outstanding;
mod stream;

use std::time::Duration;

use crate::connection::Connection;
use crate::credentials::Credentials;
use crate::error::{ExitCode, Retry, ShipError, is_in_use};
use crate::managed::Teller;
use crate::note::SlaveNote;
use crate::options::{Goal, Options};
use crate::peers::{Fed, Named, Peers};
use crate::report::Reporter;
use crate::served_log::Source;
use crate::shutdown::ShutdownRequest;
use crate::source::{self, SharedLog};
use crate::stats::Stats;

use std::sync::Arc;

use dbconfig::{ConnectParams, HostService};
use dbproto::managed::TaskState;
use dbproto::{Greeting, HISTORY, LOST, Message, Shipper, Standing, TREE};
use fwlog::Follow;
use handshake::handshake;
use stream::LogStream;
use tokio::time::{Instant, timeout};

/// A last word to the slave goes within this time, or not at all.
const LAST_WORD: Duration = Duration::from_secs(1);

/// One slave, and what it shares with the others of this process.
#[derive(Debug)]
pub struct Destination {
    /// What was asked for.
    pub options: Arc<Options>,
    /// The slave.
    pub slave: HostService,
    /// Who logs in there.
    pub credentials: Credentials,
    /// How it is reached.
    pub connect: ConnectParams,
    /// Tells of this slave.
    pub reporter: Reporter,
    /// The log for all slaves.
    pub log: Arc<SharedLog>,
    /// The slaves that are fed.
    pub peers: Peers,
    /// Tells the server that runs this dbrepl, if one does.
    pub teller: Teller,
    /// Statistics.
    pub stats: Stats,
}

/// How a connection ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The goal was reached.
    Reached,
    /// The operator asked for it.
    Stopped,
}

impl Ending {
    /// For the master's operator, where dbrepl was started by hand.
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
    /// The operator was told that the trouble is over.
    pub told_again: bool,
}

impl<'a> Attempt<'a> {
    /// One more, after some that have failed.
    pub fn after(known: Option<&'a ShipError>, failed: u64) -> Self {
        Self {
            known,
            failed,
            shipping: None,
            told_again: false,
        }
    }

    /// Whether the log was shipped for so long.
    pub fn has_shipped_for(&self, time: Duration) -> bool {
        self.shipping.is_some_and(|since| since.elapsed() >= time)
    }

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
            1 => "connected to slave server again; it had failed once more".to_owned(),
            times => format!("connected to slave server again; it had failed {times} times more"),
        })
    }
}

/// Runs one connection from start to end.
pub async fn ship(
    to: &mut Destination,
    stop: &mut ShutdownRequest,
    note: &mut SlaveNote,
    attempt: &mut Attempt<'_>,
) -> Result<Ending, ShipError> {
    let goal = to.options.goal;
    let (mut connection, shipper, follow, _fed, _named) = tokio::select! {
        begun = begin(to, note, attempt) => begun?,
        () = stop.requested() => return stopped(goal),
    };
    to.teller.state(TaskState::Shipping, None);
    let mut stream = LogStream::start(to, shipper, follow, note);
    stream.again = attempt.ships();
    stream.tell_backlog();
    let result = stream.run(&mut connection, stop).await;
    let result = result.map_err(ShipError::behind_a_common_point);
    stream.end();
    attempt.told_again = attempt.known.is_some() && stream.again.is_none();
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

/// The way to where the log is shipped.
type Begun = (Connection, Shipper, Box<Follow>, Fed, Option<Named>);

/// Connects, and finds the synchronization point. Whoever wants to stop need not wait for it.
async fn begin(
    to: &Destination,
    note: &mut SlaveNote,
    attempt: &Attempt<'_>,
) -> Result<Begun, ShipError> {
    let (source, pack) = (to.options.source.clone(), to.options.compress);
    let identify = match blocking(move || source::introduce(&source, pack)).await {
        Ok(identify) => identify,
        Err(failure) => {
            if attempt.is_news(&failure) {
                tell_slave_alone(to, &failure).await;
            }
            return Err(failure);
        }
    };
    let mut connection = Connection::open(to).await?;
    to.teller.state(TaskState::Meeting, None);
    let is_mirror = identify.instance != to.options.source.instance;
    let mut identify = identify;
    if connection.can(HISTORY) {
        let (source, can) = (
            to.options.source.clone(),
            [TREE, LOST].map(|it| connection.can(it)),
        );
        identify.greeting = match blocking(move || Ok(greeting(&source, can))).await? {
            Ok(greeting) => greeting.map(Box::new),
            Err(why) => {
                // Without it all goes on as with an older source.
                if attempt.known.is_none() {
                    let warning = format!("the slave can't be told whose log this is: {why}");
                    to.reporter.warning(&warning);
                }
                None
            }
        };
    }
    let shipper = Shipper::new(identify, WINDOW);
    match handshake(shipper, &mut connection, to, note).await {
        Ok((shipper, follow, named)) => {
            let fed = to.peers.feed(connection.from, &to.slave);
            Ok((connection, shipper, follow, fed, named))
        }
        Err(failure) => {
            connection.close().await;
            let failure = same_server(to, failure);
            Err(if is_mirror {
                may_come(failure)
            } else {
                failure
            })
        }
    }
}

/// Who the source is; where the slave can take that, with its place in the tree, and with what is settled of what was lost.
fn greeting(source: &Source, [tree, lost]: [bool; 2]) -> Result<Option<Greeting>, String> {
    let mut greeting = source::greeting(source)?;
    if let Some(greeting) = &mut greeting {
        if tree {
            let above = source::above_of(source, &greeting.speaker);
            greeting.above = Some(Box::new(above));
        }
        if lost {
            greeting.settled = source::settled(source);
        }
    }
    Ok(greeting)
}

/// Where the source has its log from another server, what the slave has more may still come.
fn may_come(mut failure: ShipError) -> ShipError {
    if failure.standing == Some(Standing::Ahead) {
        failure.retry = Retry::WhenFollowing;
    }
    failure
}

/// What a wish to stop means before the log is shipped, and then.
fn stopped(goal: Goal) -> Result<Ending, ShipError> {
    if goal == Goal::Follow {
        return Ok(Ending::Stopped);
    }
    Err(ShipError::new(
        ExitCode::Error,
        "interrupted before the slave had everything",
    )
    .hint("start dbrepl again: it goes on where the slave is"))
}

/// A server that is fed already may be fed by this process, under another address.
fn same_server(to: &Destination, failure: ShipError) -> ShipError {
    let other = is_in_use(&failure).then(|| to.peers.named_in(&failure.message));
    let Some(other) = other.flatten() else {
        return failure;
    };
    let slave = &to.slave;
    let mut same = ShipError::usage(format!(
        "{slave} and {other} are the same server, which this dbrepl feeds as {other}"
    ))
    .hint("give each slave once");
    // Its note says how it is under the other address.
    same.standing = None;
    same
}

/// The slave's operator wants to know why nothing comes any more.
async fn tell_slave(connection: &Connection, failure: &ShipError) {
    if let Some(refuse) = failure.for_slave() {
        // A connection that is gone can't be told, nor a slave that does not read.
        let message = Message::Refuse(refuse);
        drop(timeout(LAST_WORD, connection.send(&message)).await);
    }
}

/// The same where there was nothing to connect for: a log that can't even be begun to read.
async fn tell_slave_alone(to: &Destination, failure: &ShipError) {
    if failure.for_slave().is_none() {
        return;
    }
    // A slave that can't be reached can't be told.
    if let Ok(connection) = Connection::open(to).await {
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
