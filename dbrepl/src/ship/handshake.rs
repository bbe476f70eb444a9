//! The start of a conversation: who is who, and where the slave's point is in the log.

use std::collections::VecDeque;

use dbproto::{Identity, Message, PARTIAL, Refusal, Refuse, Shipper, ShipperAction, state};
use fwlog::Follow;
use tokio::time::timeout;

use super::{Destination, LAST_WORD, blocking, tell_slave};
use crate::connection::{Connection, Incoming, Outgoing};
use crate::error::ShipError;
use crate::note::SlaveNote;
use crate::options::Goal;
use crate::peers::Named;
use crate::source::{self, Located};

/// Talks until the slave's point is found. What the slave must be told has been told on return.
pub(super) async fn handshake(
    mut shipper: Shipper,
    connection: &mut Connection,
    to: &Destination,
    note: &mut SlaveNote,
) -> Result<(Shipper, Box<Follow>, Option<Named>), ShipError> {
    let (options, reporter) = (&to.options, &to.reporter);
    connection.send(&shipper.begin()).await?;
    let mut actions = VecDeque::new();
    let mut named = None;
    loop {
        let Some(action) = actions.pop_front() else {
            let message = connection.receive().await?;
            to.stats.received(&message);
            if let Message::Identity(slave) = &message {
                as_expected(connection, slave, to).await?;
                named = said(connection, name(slave, to, note)).await?;
                note.meet(slave, shipper.environment());
                note.is_partial(connection.can(PARTIAL));
                let is_empty = slave.environment.is_none();
                let copies = options.copies.clone();
                let location = options.source.location.clone();
                if is_empty
                    && options.gate.is_off()
                    && let Some(failure) = copies.before_the_log(&location)
                {
                    return said(connection, Err(failure)).await;
                }
            }
            let result = shipper.handle(message);
            actions.extend(told(connection, result).await?);
            continue;
        };
        match action {
            ShipperAction::Send(message) => connection.send(&message).await?,
            ShipperAction::Locate(at) => {
                let location = options.source.location.clone();
                let next = shipper.left_the_slaves_generation().cloned();
                let located = blocking(move || source::locate(&location, at, next.as_ref())).await;
                match said(connection, located).await? {
                    Located::Here(follow) => {
                        if let Goal::Until(until) = options.goal {
                            let has = shipper.slave().and_then(|slave| slave.durable);
                            let location = options.source.location.clone();
                            let reached =
                                blocking(move || source::reaches_back(&location, has, until)).await;
                            said(connection, reached).await?;
                        }
                        let (_, path) = follow.segment();
                        reporter
                            .progress(&format!("processing forward-log file: {}", path.display()));
                        reporter.progress("found synchronization point with slave server");
                        connection.send(&shipper.located()).await?;
                        return Ok((shipper, follow, named));
                    }
                    Located::Elsewhere => {
                        let result = shipper.not_located();
                        actions.extend(told(connection, result).await?);
                    }
                    Located::Missing(refuse, retry) => {
                        let result = told(connection, Err(Refusal::Ours(refuse))).await;
                        result.map_err(|failure| failure.retry(retry))?;
                    }
                }
            }
            ShipperAction::Borders { of, from, to } => {
                let location = options.source.location.clone();
                let borders = blocking(move || source::borders(&location, of, from, to)).await;
                let result = shipper.borders(said(connection, borders).await?);
                actions.extend(told(connection, result).await?);
            }
            ShipperAction::Acknowledged(_) | ShipperAction::Below(_) | ShipperAction::Lost(_) => {}
        }
    }
}

/// A source that a server runs is for the slave of one name.
async fn as_expected(
    connection: &Connection,
    slave: &Identity,
    to: &Destination,
) -> Result<(), ShipError> {
    let Some(expected) = to.teller.expected().filter(|it| *it != slave.instance) else {
        return Ok(());
    };
    let refuse = Refuse::new(
        state::NOT_EXPECTED,
        format!(
            "the slave calls itself {}, this source is for {expected}",
            slave.instance
        ),
    )
    .detail(format!("at {}", to.slave))
    .hint(format!(
        "give the source the address of {expected}, or the name of that slave: 'dbctl source start {} {}'; names of Sources stand in section [Replication] of the eloqdb.cfg here",
        slave.instance, to.slave
    ));
    let refused = told(connection, Err(Refusal::Ours(refuse))).await;
    refused.map(drop).map_err(|mut failure| {
        // What is written under a name is said of the one that has it.
        failure.standing = None;
        failure
    })
}

/// The slave's name belongs to it as long as it is fed. Whatever else of the tree of instances is to be compared when
/// they meet has its place here.
fn name(slave: &Identity, to: &Destination, note: &SlaveNote) -> Result<Option<Named>, ShipError> {
    let Some(greeting) = slave.greeting.as_deref() else {
        return Ok(None);
    };
    let speaker = &greeting.speaker;
    let taken = |at: String| {
        let refuse = Refuse::new(
            state::NAME_TAKEN,
            format!("two slaves are called {}", speaker.name),
        )
        .detail(format!("the one at {at}, which is fed, and the one at {}", to.slave))
        .hint(format!("give each a name of its own, Instance in section [Server] of its eloqdb.cfg, and restart it; where the other one is a copy of this one's DataDir, stop one of them. A slave that is gone: 'dbctl replication forget {}' on the source", speaker.name));
        let mut failure = ShipError::from_refuse(&refuse);
        // The note is that of the one which is fed.
        failure.standing = None;
        failure
    };
    if let Some(address) = note.named_elsewhere(speaker) {
        return Err(taken(address));
    }
    let named = to.peers.name(speaker, &to.slave);
    named.map(Some).map_err(|at| taken(at.to_string()))
}

/// Tells the slave why this side can't go on, if so.
async fn said<T>(connection: &Connection, result: Result<T, ShipError>) -> Result<T, ShipError> {
    match result {
        Ok(good) => Ok(good),
        Err(failure) => {
            tell_slave(connection, &failure).await;
            Err(failure)
        }
    }
}

/// Passes a refusal of ours on to the slave, whose log then has the reason, too.
pub(super) async fn told(
    connection: &Connection,
    result: Result<Vec<ShipperAction>, Refusal>,
) -> Result<Vec<ShipperAction>, ShipError> {
    let refusal = match result {
        Ok(actions) => return Ok(actions),
        Err(refusal) => refusal,
    };
    if let Refusal::Ours(refuse) = &refusal {
        let message = Message::Refuse(refuse.clone());
        let sent = connection.out.send(Outgoing::message(&message, false));
        // If the connection is gone, the refusal itself still is what the operator must know.
        drop(timeout(LAST_WORD, sent).await);
    }
    Err(ShipError::from_refuse(refusal.refuse()))
}

impl Connection {
    /// Sends a message; waits while the socket is busy.
    pub(super) async fn send(&self, message: &Message) -> Result<(), ShipError> {
        let sent = self.out.send(Outgoing::message(message, false)).await;
        sent.map_err(|_| ShipError::unreachable("the connection to the slave was lost"))
    }

    /// The next message of the slave.
    async fn receive(&mut self) -> Result<Message, ShipError> {
        match self.incoming.recv().await {
            Some(Incoming::Message(message)) => Ok(*message),
            Some(Incoming::Lost(failure)) => Err(failure),
            Some(Incoming::Done) | None => {
                Err(ShipError::unreachable("the slave closed the connection"))
            }
        }
    }
}
