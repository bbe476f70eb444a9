//! A client that is in: its stream, and the session behind it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures::StreamExt;
use pgtypes::SqlState;

use crate::failure::Failure;
use crate::pg::forward::Forward;
use crate::pg::perform::Ending;
use crate::pg::slow::SlowLog;
use crate::pg::startup;
use crate::session::Session;
use crate::session::backend::terminated;
use crate::session::prepared::Prepared;
use crate::wire::ClientStream;
use crate::wire::codec::{Request, WireError, has_frame};
use crate::wire::output;

/// Both of them.
pub(super) struct Connection {
    stream: ClientStream,
    session: Session,
    /// Its transactions that the master runs.
    forward: Forward,
    slow: SlowLog,
}

impl Connection {
    /// The stream of a client, and its session.
    pub(super) fn new(stream: ClientStream, session: Session) -> Self {
        Self {
            stream,
            session,
            forward: Forward::default(),
            slow: SlowLog::default(),
        }
    }

    /// What the master runs for it.
    pub(super) fn forward(&mut self) -> &mut Forward {
        &mut self.forward
    }

    /// The address that the client has called, where it has come by the network, as far as the system still knows.
    pub(super) fn called(&self) -> Option<SocketAddr> {
        self.stream.get_ref().local_addr().ok().flatten()
    }

    /// Whether nothing more of the client is here.
    pub(super) fn is_drained(&self) -> bool {
        !has_frame(self.stream.read_buffer())
    }

    /// A statement begins. Gives the time, where it is measured.
    pub(super) fn begin_measured(&mut self) -> Instant {
        self.slow.begin(&self.session)
    }

    /// The statement has ended; `text`: what the client has sent of it.
    pub(super) fn end_measured(
        &mut self,
        began: Instant,
        statement: (&Prepared, &str),
        ending: &Result<Ending, Failure>,
    ) {
        self.slow.end(&self.session, began, statement, ending);
    }

    /// What ran outside a transaction block is committed now. Gives the time, where it is measured.
    pub(super) fn begin_commit(&self) -> Option<Instant> {
        self.slow.is_measured().then(Instant::now)
    }

    /// It is, or it is not: that belongs to the last statement.
    pub(super) fn end_commit(&mut self, began: Option<Instant>, failure: Option<&Failure>) {
        let spent = began.map_or(Duration::ZERO, |began| began.elapsed());
        self.slow.committed(&self.session, spent, failure);
    }

    /// No statement of this message comes any more.
    pub(super) fn end_of_message(&mut self) {
        self.slow.committed(&self.session, Duration::ZERO, None);
    }

    /// The session.
    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Where messages for the client go, to be sent by a flush.
    pub(super) fn out(&mut self) -> &mut BytesMut {
        self.stream.write_buffer_mut()
    }

    /// Whether something is to be sent and nothing more is here: it has to go out before the wait.
    pub(super) fn is_due(&self) -> bool {
        !self.stream.write_buffer().is_empty() && self.is_drained()
    }

    /// The next message; `None` when the client went away. A session that is ended stops waiting.
    pub(super) async fn receive(&mut self) -> Result<Option<Request>, Failure> {
        let message = tokio::select! {
            biased;
            message = self.stream.next() => message,
            () = self.session.backend().entry().wake.notified() => {
                let last_word = self.session.backend().entry().last_word();
                return Err(last_word.unwrap_or_else(terminated));
            }
        };
        match message {
            Some(Ok(request)) => Ok(Some(request)),
            None | Some(Err(WireError::Io(_))) => Ok(None),
            Some(Err(WireError::Violation(why))) => {
                Err(Failure::fatal(SqlState::PROTOCOL_VIOLATION, why))
            }
        }
    }

    /// Sends what is in the write buffer. A client that does not read keeps its session waiting, and
    /// does not keep it from being ended.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        tokio::select! {
            biased;
            sent = startup::flush(&mut self.stream) => sent,
            () = self.session.backend().entry().wake.notified() => Err(terminated()),
        }
    }

    /// Sends what is in the write buffer, also of a session that is ended.
    pub(super) async fn send_last(&mut self) -> Result<(), Failure> {
        startup::flush(&mut self.stream).await
    }

    /// Appends what other sessions have told this one, which is in no transaction.
    pub(super) fn add_notifications(&mut self) {
        for told in self.session.backend().listening().mailbox().take() {
            output::notification(self.stream.write_buffer_mut(), &told);
        }
    }

    /// Appends the session's messages that are no errors.
    pub(super) fn add_notices(&mut self) {
        for notice in self.session.take_notices() {
            let out = self.stream.write_buffer_mut();
            let text = (notice.message.as_str(), notice.detail.as_deref());
            output::notice(out, notice.severity, notice.sqlstate, text);
        }
    }
}
