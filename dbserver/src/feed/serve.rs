//! The replication connection on its socket.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use dbproto::{Message, Refuse, Standing, state};
use futures::{FutureExt as _, SinkExt as _, StreamExt as _};
use pgwire::messages::copy::{CopyBothResponse, CopyData, CopyDone};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use crate::clients::{Registered, SessionEntry};
use crate::environment::Environment;
use crate::feed::link::Link;
use crate::feed::root;
use crate::wire::ClientStream;
use crate::wire::codec::{Request, WireError};

/// How long a message may wait for a source that does not read: thousands fit between the two.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// How long a dbrepl waits for the place of another one that is about to leave, and how often it is looked.
const PLACE_LIMIT: Duration = Duration::from_secs(2);
const LOOK_FOR_PLACE: Duration = Duration::from_millis(50);

/// Serves one dbrepl until it leaves or the server stops. The caller has authenticated it, checked
/// its privilege and told it that the server is ready.
pub async fn serve_replication(
    mut stream: ClientStream,
    environment: Arc<Environment>,
    registered: &Registered,
) {
    let entry = &registered.entry;
    if let Err(error) = serve(&mut stream, &environment, entry).await {
        tracing::debug!(%error, address = %entry.address, "a dbrepl could not be told that it is refused");
    }
}

/// A dbrepl that can't feed the slave is told why; that is one line of the log, however often it
/// tries.
async fn serve(
    stream: &mut ClientStream,
    environment: &Arc<Environment>,
    entry: &SessionEntry,
) -> Result<(), WireError> {
    let response = CopyBothResponse::new(1, 0, Vec::new());
    stream
        .send(PgWireBackendMessage::CopyBothResponse(response))
        .await?;
    let result = match open_link(environment).await {
        Ok(mut link) => {
            link.comes_from(entry.address);
            feed(stream, &mut link, entry).await
        }
        Err(refuse) => {
            let refuse = root::meet(stream, environment, entry, refuse).await?;
            tell_refusal(&refuse, entry);
            Err(refuse)
        }
    };
    if let Err(refuse) = result {
        send(stream, &Message::Refuse(refuse)).await?;
    }
    stream
        .send(PgWireBackendMessage::CopyDone(CopyDone::new()))
        .await
}

/// What the one before has sent may still be on its way to the disk: its place is free in a moment.
async fn open_link(environment: &Arc<Environment>) -> Result<Link, Refuse> {
    root::look_at_own_log(environment)?;
    let begun = Instant::now();
    loop {
        match Link::open(environment) {
            Err(refuse)
                if refuse.sqlstate == state::IN_USE.as_str() && begun.elapsed() < PLACE_LIMIT =>
            {
                tokio::time::sleep(LOOK_FOR_PLACE).await;
            }
            other => return other,
        }
    }
}

/// The conversation with a dbrepl that has the mirror. An error is still to be said to it.
async fn feed(
    stream: &mut ClientStream,
    link: &mut Link,
    entry: &SessionEntry,
) -> Result<(), Refuse> {
    let (user, address) = (&entry.user, entry.address);
    // After a refusal it is news only when it gets somewhere.
    if link.was_refused() {
        tracing::debug!(user, %address, "dbrepl is connected");
    } else {
        tracing::info!(user, %address, "dbrepl is connected");
    }
    let result = converse(stream, link, entry).await;
    // What has come stays, whatever the end: the applier may have shown it.
    let synced = link.sync();
    let result = result.map(|ended| ended.and(synced));
    link.rests();
    match result {
        Ok(Ok(())) => {
            link.ends(
                Standing::NotConnected,
                "dbrepl was stopped, or has sent what it was asked to; start it again on its machine to go on",
            );
            tracing::info!(user, %address, "dbrepl has left");
            Ok(())
        }
        Ok(Err(refuse)) => {
            let standing = Standing::of_refusal(&refuse).unwrap_or(Standing::NotConnected);
            link.ends(standing, refuse.in_full());
            link.is_refused(!is_stop(&refuse));
            tell_refusal(&refuse, entry);
            Err(refuse)
        }
        Err(error) => {
            link.ends(
                Standing::NotConnected,
                format!("the connection to dbrepl is lost: {error}; look after dbrepl and the line to it"),
            );
            tracing::warn!(%error, user, %address, "the connection to dbrepl is lost");
            Ok(())
        }
    }
}

/// A stop of this server, or of the connection by an operator: nothing is wrong.
fn is_stop(refuse: &Refuse) -> bool {
    refuse.sqlstate == state::ADMIN_SHUTDOWN.as_str()
}

/// By weight, and without the port: what is said again and again is counted.
fn tell_refusal(refuse: &Refuse, entry: &SessionEntry) {
    let (user, host) = (&entry.user, entry.address.host());
    if is_stop(refuse) {
        tracing::info!(%refuse, user, %host, "replication is ended");
    } else {
        tracing::warn!(%refuse, user, %host, "replication is refused");
    }
}

enum Event {
    Message(Option<Result<Request, WireError>>),
    /// Something is due, or a bell has rung.
    Report,
    Killed,
}

/// When a source was last heard.
struct Heard {
    last: Instant,
    /// Bytes of a message that is not whole.
    arrived: usize,
}

impl Heard {
    fn now() -> Self {
        let last = Instant::now();
        Self { last, arrived: 0 }
    }

    /// Whether the source has spoken. A large block takes its time on a narrow line, or under a limit of bandwidth:
    /// its parts are a sign of life, too.
    fn listen(&mut self, event: &Event, arrived: usize) -> bool {
        let before = std::mem::replace(&mut self.arrived, arrived);
        let speaks = match event {
            Event::Message(_) => true,
            Event::Report => arrived > before,
            Event::Killed => false,
        };
        if speaks {
            self.last = Instant::now();
        }
        speaks
    }
}

/// The outer error is the socket's, the inner one is said to the other side.
async fn converse(
    stream: &mut ClientStream,
    link: &mut Link,
    entry: &SessionEntry,
) -> Result<Result<(), Refuse>, WireError> {
    let mut heard = Heard::now();
    loop {
        let now = Instant::now();
        let wait = [link.next_report(), link.next_sync(now)];
        let wait = wait.into_iter().flatten().min();
        let wait = wait.unwrap_or_else(|| now + dbproto::STATUS_INTERVAL);
        let event = tokio::select! {
            biased;
            () = entry.wake.notified() => Event::Killed,
            message = stream.next() => Event::Message(message),
            () = link.changed() => Event::Report,
            () = tokio::time::sleep_until(wait.into()) => Event::Report,
        };
        if let Some(why) = link.must_leave() {
            return Ok(Err(why));
        }
        let speaks = heard.listen(&event, stream.read_buffer().len());
        if speaks {
            link.source_speaks();
        }
        match event {
            Event::Killed => {
                let why = Refuse::new(
                    state::ADMIN_SHUTDOWN,
                    "an operator has ended the connection",
                )
                .hint("dbrepl tries again by itself; stop it where it is not wanted.");
                return Ok(Err(why));
            }
            // A source that is gone without a word must not keep the mirror from its successor.
            Event::Report if heard.last.elapsed() > dbproto::SILENCE_LIMIT => {
                // One that was only frozen comes again.
                let why = Refuse::new(state::CANNOT_CONNECT_NOW, "dbrepl has fallen silent")
                    .hint("Look after dbrepl, its machine and the line to it.");
                return Ok(Err(why));
            }
            Event::Report if !speaks => link.source_is_silent(heard.last.elapsed()),
            Event::Report | Event::Message(_) => {}
        }
        if let Event::Message(first) = event {
            link.listens(false);
            if let Some(end) = take_arrived(stream, link, first).await? {
                return Ok(end);
            }
            link.listens(true);
        }
        let now = Instant::now();
        if let Err(refuse) = link.keep_pace(now) {
            return Ok(Err(refuse));
        }
        if link.was_refused() && link.gets_on() {
            link.is_refused(false);
            let (user, address) = (&entry.user, entry.address);
            tracing::info!(user, %address, "replication goes on again");
        }
        let reports = [link.report(now), link.report_below(), link.report_lost()];
        for report in reports.into_iter().flatten() {
            send(stream, &report).await?;
        }
    }
}

/// Takes what has arrived, up to some megabytes, and hands it on. `Some`: the conversation is over.
async fn take_arrived(
    stream: &mut ClientStream,
    link: &mut Link,
    first: Option<Result<Request, WireError>>,
) -> Result<Option<Result<(), Refuse>>, WireError> {
    let mut next = first;
    loop {
        match taken(next.transpose()?, link) {
            Ok(Some(answers)) => {
                for answer in answers {
                    send(stream, &answer).await?;
                }
            }
            Ok(None) => return Ok(Some(Ok(()))),
            Err(refuse) => return Ok(Some(Err(refuse))),
        }
        if link.is_full() {
            return Ok(link.make_room().err().map(Err));
        }
        match stream.next().now_or_never() {
            Some(message) => next = message,
            None => return Ok(link.hand_on().err().map(Err)),
        }
    }
}

/// The answers to a message; `None`: the other side has finished.
fn taken(message: Option<Request>, link: &mut Link) -> Result<Option<Vec<Message>>, Refuse> {
    match message {
        Some(Request::Message(PgWireFrontendMessage::CopyData(copy))) => {
            let message = Message::decode(copy.data).map_err(|error| Refuse::from(&error))?;
            link.take(message).map(Some)
        }
        None => {
            link.is_cut_off();
            Ok(None)
        }
        Some(Request::Message(
            PgWireFrontendMessage::CopyDone(_) | PgWireFrontendMessage::Terminate(_),
        )) => Ok(None),
        Some(_) => Err(Refuse::new(
            state::PROTOCOL_VIOLATION,
            "only CopyData belongs here",
        )),
    }
}

/// A source that does not read must not keep the mirror from its successor.
async fn send(stream: &mut ClientStream, message: &Message) -> Result<(), WireError> {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes);
    let copy = CopyData::new(Bytes::from(bytes));
    let sent = stream.send(PgWireBackendMessage::CopyData(copy));
    tokio::time::timeout(SEND_LIMIT, sent)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("dbrepl does not read what it is sent").into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_large_message_are_a_sign_of_life() {
        let mut heard = Heard::now();
        assert!(!heard.listen(&Event::Report, 0));
        let before = heard.last;
        assert!(heard.listen(&Event::Report, 1000));
        assert!(heard.last > before);
        assert!(!heard.listen(&Event::Report, 1000), "nothing more has come");
        assert!(heard.listen(&Event::Report, 1001));
        assert!(heard.listen(&Event::Message(None), 0));
        assert!(!heard.listen(&Event::Killed, 0));
    }
}
