//! The message loop of one connection.

use std::sync::Arc;
use std::time::Duration;

use pgtypes::SqlState;
use pgwire::messages::PgWireFrontendMessage as Frontend;
use pgwire::messages::response::TransactionStatus;

use crate::clients::SessionState;
use crate::failure::Failure;
use crate::peer::Peer;
use crate::pg::connection::Connection;
use crate::pg::perform::complete;
use crate::pg::{extended, forward, simple};
use crate::session::Session;
use crate::session::backend::terminated;
use crate::wire::ClientStream;
use crate::wire::codec::Request;
use crate::wire::output;

/// How long a client may take to read why its session ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connected client and its session.
pub struct Client {
    connection: Connection,
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
            connection: Connection::new(stream, session),
            skipping: false,
        }
    }

    /// Serves it until it leaves.
    pub async fn run(mut self) {
        self.serve_all().await;
        self.connection.end_of_message();
    }

    async fn serve_all(&mut self) {
        loop {
            let served = match self.next().await {
                Ok(request) => self.serve(request).await,
                Err(end) => Err(end),
            };
            match served {
                Ok(()) => {}
                Err(End::Gone) => return,
                Err(End::Told(failure)) => {
                    output::error(self.connection.out(), &failure);
                    let told = self.connection.send_last();
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
        if self.connection.is_due() {
            self.connection.flush().await.map_err(|_| End::Gone)?;
        }
        let session = self.connection.session();
        let idle = session.transaction().status() == TransactionStatus::Idle;
        // Who has asked for the stop waits for its end.
        let waits = session.backend().entry().is_control();
        if idle && !waits && session.backend().env().is_stopping() {
            return Err(End::Told(terminated()));
        }
        let listening = self.connection.session().backend().listening();
        let mailbox = Arc::clone(listening.mailbox());
        let expired = expire(self.idle_limit());
        tokio::pin!(expired);
        loop {
            let unused = self.connection.forward().idle_limit();
            tokio::select! {
                biased;
                received = self.connection.receive() => return received?.ok_or(End::Gone),
                failure = &mut expired => return Err(End::Told(failure)),
                () = mailbox.arrived.notified(), if idle => {
                    self.connection.add_notifications();
                    self.connection.flush().await.map_err(|_| End::Gone)?;
                }
                () = pass(unused) => self.connection.forward().close(),
            }
        }
    }

    /// How long the client may let the session wait, and what it is told then.
    fn idle_limit(&mut self) -> Option<(Duration, Failure)> {
        let session = self.connection.session();
        let settings = session.settings().frequent();
        if session.transaction().status() == TransactionStatus::Idle {
            let limit = settings.idle?;
            return Some((
                limit,
                Failure::fatal(
                    SqlState::IDLE_SESSION_TIMEOUT,
                    "terminating connection due to idle-session timeout",
                ),
            ));
        }
        let limit = settings.idle_in_transaction?;
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
            Request::BadText { extended } => return self.refuse_text(extended).await,
            Request::Proxy(_)
            | Request::Tls
            | Request::Gss
            | Request::Cancel(..)
            | Request::Startup(..) => {
                return Err(
                    Failure::fatal(SqlState::PROTOCOL_VIOLATION, "unexpected request").into(),
                );
            }
        };
        match message {
            Frontend::Query(query) => self.query(&query.query).await.map_err(End::from),
            Frontend::Terminate(_) => Err(End::Gone),
            Frontend::Sync(_) => self.sync().await.map_err(End::from),
            Frontend::Flush(_) => self.connection.flush().await.map_err(|_| End::Gone),
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
        let watched = self.connection.session().begin_statement();
        let done = extended::run(&mut self.connection, message).await;
        drop(watched);
        self.connection.session().end_statement();
        match done {
            Ok(()) => Ok(()),
            Err(failure) => {
                self.skipping = true;
                self.failed(failure).await
            }
        }
    }

    async fn query(&mut self, sql: &str) -> Result<(), Failure> {
        self.skipping = false;
        let session = self.connection.session();
        session.backend().entry().show_statement(sql);
        let watched = session.begin_statement();
        let done = match simple::run(&mut self.connection, sql).await {
            Ok(last) => self.finish_implicit().await.map(|()| last),
            Err(failure) => {
                self.connection.end_of_message();
                Err(failure)
            }
        };
        drop(watched);
        self.connection.session().end_statement();
        match done {
            Ok(last) => {
                if let Some(ending) = last {
                    complete(&mut self.connection, &ending);
                }
            }
            Err(failure) => self.failed(failure).await?,
        }
        self.ready();
        Ok(())
    }

    /// The end of a simple query or Sync: commits what ran outside a transaction block; that belongs to the last
    /// statement.
    async fn finish_implicit(&mut self) -> Result<(), Failure> {
        let began = self.connection.begin_commit();
        let done = forward::finish_implicit(&mut self.connection).await;
        self.connection.end_commit(began, done.as_ref().err());
        done
    }

    async fn sync(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.skipping) {
            self.connection.end_of_message();
        } else {
            self.connection.session().backend().entry().go_on();
            let done = self.finish_implicit().await;
            self.connection.session().end_statement();
            if let Err(failure) = done {
                self.failed(failure).await?;
            }
        }
        self.ready();
        Ok(())
    }

    async fn refuse_text(&mut self, extended: bool) -> Result<(), End> {
        if extended && self.skipping {
            return Ok(());
        }
        let failure = Failure::new(
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            "invalid byte sequence for encoding \"UTF8\"",
        );
        self.failed(failure).await?;
        self.skipping = extended;
        if !extended {
            self.ready();
        }
        Ok(())
    }

    /// Tells the client of a failed statement; a fatal failure goes up.
    async fn failed(&mut self, failure: Failure) -> Result<(), Failure> {
        forward::abandon(&mut self.connection).await;
        let session = self.connection.session();
        session.backend().env().core().counters().failures.add(1);
        let in_transaction = session.transaction().is_explicit();
        let failure = session.backend().explained(failure, in_transaction);
        session.fail();
        if failure.sqlstate() == SqlState::INSUFFICIENT_PRIVILEGE {
            let entry = session.backend().entry();
            tell_denial(&entry.user, entry.address, &failure);
        }
        self.connection.add_notices();
        if failure.is_fatal() {
            return Err(failure);
        }
        output::error(self.connection.out(), &failure);
        Ok(())
    }

    /// Parameters that changed, and `ReadyForQuery`. It goes out before the next wait.
    fn ready(&mut self) {
        let session = self.connection.session();
        let status = session.transaction().status();
        session.backend().entry().set_state(match status {
            TransactionStatus::Idle => SessionState::Idle,
            TransactionStatus::Transaction => SessionState::InTransaction,
            TransactionStatus::Error => SessionState::Failed,
        });
        let changed = session.take_changed_parameters();
        if status == TransactionStatus::Idle {
            self.connection.add_notifications();
        }
        let out = self.connection.out();
        for (name, value) in changed {
            output::parameter_status(out, name, &value);
        }
        output::ready_for_query(out, status);
    }
}

/// Somebody tries what is not for him. Without the port: what is said again and again is counted.
pub(super) fn tell_denial(user: &str, peer: Peer, failure: &Failure) {
    tracing::warn!(host = %peer.host(), user, %failure, "access refused");
}

/// Ready after that time; never without one.
async fn pass(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
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
