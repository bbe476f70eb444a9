//! The message loop of one connection.

use std::time::Duration;

use futures::StreamExt;
use pgtypes::SqlState;
use pgwire::messages::PgWireFrontendMessage as Frontend;
use pgwire::messages::response::TransactionStatus;

use crate::failure::Failure;
use crate::pg::startup;
use crate::session::{Session, terminated};
use crate::wire::ClientStream;
use crate::wire::codec::{Request, WireError, has_frame};
use crate::wire::output;

/// How long a client may take to read why its session ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connected client and its session.
pub struct Client {
    pub(super) stream: ClientStream,
    pub(super) session: Session,
    /// After an error in the extended protocol: everything up to Sync is for nothing.
    skipping: bool,
}

/// Why the loop ends.
enum End {
    /// The client said goodbye, or went away.
    Gone,
    /// The client is told why.
    Told(Failure),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

impl Client {
    /// A client that is in.
    pub fn new(stream: ClientStream, session: Session) -> Self {
        Self {
            stream,
            session,
            skipping: false,
        }
    }

    /// Serves it until it leaves.
    pub async fn run(mut self) {
        loop {
            let served = match self.next().await {
                Ok(request) => self.serve(request).await,
                Err(end) => Err(end),
            };
            match served {
                Ok(()) => {}
                Err(End::Gone) => return,
                Err(End::Told(failure)) => {
                    output::error(self.stream.write_buffer_mut(), &failure);
                    let told = startup::flush(&mut self.stream);
                    match tokio::time::timeout(FAREWELL, told).await {
                        Ok(Ok(())) => {}
                        Ok(Err(failure)) => {
                            tracing::debug!(%failure, "the client was gone before its session");
                        }
                        Err(_) => tracing::debug!("the client does not read why it has to go"),
                    }
                    return;
                }
            }
        }
    }

    /// The next message. What is unsent goes out before there is a wait.
    async fn next(&mut self) -> Result<Request, End> {
        if !self.stream.write_buffer().is_empty() && !has_frame(self.stream.read_buffer()) {
            self.flush().await.map_err(|_| End::Gone)?;
        }
        if self.session.status() == TransactionStatus::Idle && self.session.env.is_stopping() {
            return Err(End::Told(terminated()));
        }
        let entry = &self.session.registered.entry;
        let limit = self.idle_limit();
        let message = tokio::select! {
            biased;
            message = self.stream.next() => message,
            () = entry.wake.notified() => return Err(End::Told(terminated())),
            failure = expire(limit) => return Err(End::Told(failure)),
        };
        match message {
            Some(Ok(request)) => Ok(request),
            None | Some(Err(WireError::Io(_))) => Err(End::Gone),
            Some(Err(WireError::Violation(why))) => {
                Err(End::Told(Failure::fatal(SqlState::PROTOCOL_VIOLATION, why)))
            }
        }
    }

    /// How long the client may let the session wait, and what it is told then.
    fn idle_limit(&self) -> Option<(Duration, Failure)> {
        let settings = &self.session.settings;
        if self.session.status() == TransactionStatus::Idle {
            let limit = settings.idle_timeout()?;
            return Some((
                limit,
                Failure::fatal(
                    SqlState::IDLE_SESSION_TIMEOUT,
                    "terminating connection due to idle-session timeout",
                ),
            ));
        }
        let limit = settings.idle_transaction_timeout()?;
        Some((
            limit,
            Failure::fatal(
                SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle-in-transaction timeout",
            ),
        ))
    }

    async fn serve(&mut self, request: Request) -> Result<(), End> {
        let message = match request {
            Request::Message(message) => message,
            Request::BadText { extended } => return self.refuse_text(extended),
            Request::Encryption => {
                return Err(
                    Failure::fatal(SqlState::PROTOCOL_VIOLATION, "unexpected request").into(),
                );
            }
        };
        match message {
            Frontend::Query(query) => self.query(&query.query).await.map_err(End::from),
            Frontend::Terminate(_) => Err(End::Gone),
            Frontend::Sync(_) => self.sync().map_err(End::from),
            Frontend::Flush(_) => self.flush().await.map_err(|_| End::Gone),
            // A COPY that has failed leaves its stream behind.
            Frontend::CopyData(_) | Frontend::CopyDone(_) | Frontend::CopyFail(_) => Ok(()),
            Frontend::Parse(_)
            | Frontend::Bind(_)
            | Frontend::Describe(_)
            | Frontend::Execute(_)
            | Frontend::Close(_) => self.extended(message).await.map_err(End::from),
            _ => Err(Failure::fatal(SqlState::PROTOCOL_VIOLATION, "unexpected message").into()),
        }
    }

    async fn extended(&mut self, message: Frontend) -> Result<(), Failure> {
        if self.skipping {
            return Ok(());
        }
        let watched = self.session.begin_statement();
        let done = match message {
            Frontend::Parse(parse) => self.parse(parse),
            Frontend::Bind(bind) => self.bind(bind),
            Frontend::Describe(describe) => self.describe(&describe),
            Frontend::Execute(execute) => self.execute(execute).await,
            Frontend::Close(close) => self.close(&close),
            _ => Ok(()),
        };
        drop(watched);
        self.session.end_statement();
        match done {
            Ok(()) => Ok(()),
            Err(failure) => {
                self.skipping = true;
                self.failed(failure)
            }
        }
    }

    async fn query(&mut self, sql: &str) -> Result<(), Failure> {
        self.skipping = false;
        let watched = self.session.begin_statement();
        let done = self.simple(sql).await;
        let done = match done {
            Ok(()) => self.session.finish_implicit(),
            failed => failed,
        };
        drop(watched);
        self.session.end_statement();
        if let Err(failure) = done {
            self.failed(failure)?;
        }
        self.ready();
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.skipping) {
            self.session.registered.entry.begin_statement();
            let done = self.session.finish_implicit();
            self.session.end_statement();
            if let Err(failure) = done {
                self.failed(failure)?;
            }
        }
        self.ready();
        Ok(())
    }

    fn refuse_text(&mut self, extended: bool) -> Result<(), End> {
        if extended && self.skipping {
            return Ok(());
        }
        let failure = Failure::new(
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\"",
        );
        self.failed(failure)?;
        self.skipping = extended;
        if !extended {
            self.ready();
        }
        Ok(())
    }

    /// Tells the client of a failed statement; a fatal failure goes up.
    fn failed(&mut self, failure: Failure) -> Result<(), Failure> {
        let failure = self.session.explained(failure);
        self.session.fail();
        self.send_notices();
        if failure.is_fatal() {
            return Err(failure);
        }
        output::error(self.stream.write_buffer_mut(), &failure);
        Ok(())
    }

    /// Parameters that changed, and `ReadyForQuery`. It goes out before the next wait.
    fn ready(&mut self) {
        let out = self.stream.write_buffer_mut();
        for (name, value) in self.session.settings.take_changed() {
            output::parameter_status(out, name, &value);
        }
        output::ready_for_query(out, self.session.status());
    }

    pub(super) fn send_notices(&mut self) {
        let out = self.stream.write_buffer_mut();
        for notice in self.session.take_notices() {
            output::notice(out, notice.severity, notice.sqlstate, &notice.message);
        }
    }

    /// Sends what is in the write buffer. A client that does not read keeps its session waiting, and
    /// does not keep it from being ended.
    pub(super) async fn flush(&mut self) -> Result<(), Failure> {
        let entry = &self.session.registered.entry;
        tokio::select! {
            biased;
            sent = startup::flush(&mut self.stream) => sent,
            () = entry.wake.notified() => Err(terminated()),
        }
    }
}

/// Ready when the limit is over; never without one.
async fn expire(limit: Option<(Duration, Failure)>) -> Failure {
    match limit {
        Some((limit, failure)) => {
            tokio::time::sleep(limit).await;
            failure
        }
        None => std::future::pending().await,
    }
}
