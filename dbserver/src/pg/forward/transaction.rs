//! The beginning and the end of a transaction that the master runs.

use std::sync::Arc;

use dialect::StatementKind;
use pgtypes::SqlState;
use postgres_protocol::message::frontend;

use crate::failure::Failure;
use crate::peer::Peer;
use crate::pg::connection::Connection;
use crate::pg::forward::answer::Answer;
use crate::pg::forward::line::{Broken, Line, Watch};
use crate::pg::forward::{Open, Stop, login, lost, put_back, settings, statement, take_line};
use crate::pg::perform::Ending;
use crate::session::Session;
use crate::session::backend::terminated;
use crate::wire::ProxyHeader;

/// The transaction begins there, on a connection that is alive.
pub(super) async fn begin(connection: &mut Connection) -> Result<(), Failure> {
    // One that was lost while nothing was going on is nobody's loss.
    let known = connection.forward().line.take();
    let known = match known {
        Some(line) => line.if_alive().await,
        None => None,
    };
    let mut line = match known {
        Some(line) => line,
        None => open(connection).await?,
    };
    let session = connection.session();
    let wanted = session.settings().carried();
    let mut sql = settings::difference(line.settings.as_ref(), &wanted);
    let explicit = session.transaction().is_explicit();
    let remembered = session.forwarding().take_remembered();
    if explicit {
        sql.push_str(&begin_text(session));
        for text in &remembered {
            sql.push_str("; ");
            sql.push_str(text.trim().trim_end_matches(';'));
        }
    }
    let entry = session.backend().entry();
    entry.set_forwards_to(Some(Arc::clone(&line.target)));
    let mut watch = Watch::of(entry);
    line.settings = None;
    let begun = if sql.is_empty() {
        Ok(())
    } else {
        command(&mut line, &mut watch, &sql).await.map(drop)
    };
    if begun.is_ok() {
        line.settings = Some(wanted);
    }
    connection.forward().open = Open::Yes;
    put_back(connection, line, begun)
}

/// BEGIN with the modes that the transaction has here.
fn begin_text(session: &Session) -> String {
    let transaction = session.transaction();
    let deferrable = if transaction.is_deferrable() {
        "DEFERRABLE"
    } else {
        "NOT DEFERRABLE"
    };
    let isolation = transaction.isolation().name().to_uppercase();
    format!("BEGIN ISOLATION LEVEL {isolation}, READ WRITE, {deferrable}")
}

/// Logs in for the session's user.
async fn open(connection: &mut Connection) -> Result<Line, Failure> {
    let called = connection.called();
    let session = connection.session();
    let environment = Arc::clone(session.backend().env());
    let entry = Arc::clone(session.backend().entry());
    let Some(forward) = environment.config().replication.forward_writes.clone() else {
        return Err(Failure::new(
            SqlState::INTERNAL_ERROR,
            "nothing is forwarded by this server",
        ));
    };
    if let Peer::Local { .. } = entry.address {
        return Err(not_from_here());
    }
    let application = entry.application();
    let person = login::Person {
        user: &entry.user,
        database: &entry.database,
        application: &application,
        header: ProxyHeader {
            addresses: entry.address.address().zip(called),
            hops: 1,
        },
    };
    let work = login::open(&environment, &forward, &person);
    let opened = tokio::select! {
        biased;
        opened = work => opened,
        failure = stopped(session) => Err(failure),
    };
    let (host, user) = (entry.address.host(), &entry.user);
    match &opened {
        Ok(line) => {
            let (session, target) = (entry.pid, &line.target);
            tracing::info!(session, user, target = %target, "a connection to the master is opened for writes");
        }
        Err(failure) => {
            let why = failure.fields().detail.as_deref().unwrap_or_default();
            tracing::warn!(%host, user, %failure, "writes can't be forwarded to the master: {why}");
        }
    }
    opened
}

/// Nobody is acted for on a master who may be in here without a password.
fn not_from_here() -> Failure {
    Failure::new(
        SqlState::READ_ONLY_SQL_TRANSACTION,
        "this server is a slave, and does not forward writes of a session of the Unix socket",
    )
    .hint("Connect to this server, or to the master, by the network, where a password says who writes.")
}

/// Ready when the statement is to be stopped.
async fn stopped(session: &Session) -> Failure {
    let entry = session.backend().entry();
    loop {
        if let Err(error) = entry.interrupt.check() {
            return error.into();
        }
        entry.stopped.notified().await;
    }
}

/// Runs statements by the simple protocol; gives the tag of the last.
pub(super) async fn command(line: &mut Line, watch: &mut Watch, sql: &str) -> Result<String, Stop> {
    frontend::query(sql, line.out()).map_err(|error| too_long(&error))?;
    line.flush(watch).await?;
    let mut tag = String::new();
    let mut refused = None;
    loop {
        match line.answer(watch).await?.0 {
            Answer::Complete(last) => tag = last,
            Answer::Refused(failure) => refused = refused.or(Some(failure)),
            Answer::Ready => break,
            _ => {}
        }
    }
    match refused {
        Some(failure) => Err(Stop::Refused(failure.without_position())),
        None => Ok(tag),
    }
}

/// What a message can't hold: a zero byte, or more than its length can say.
pub(super) fn too_long(error: &std::io::Error) -> Stop {
    Stop::Refused(Failure::new(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        format!("the statement can't be sent to the master: {error}"),
    ))
}

/// A statement that belongs to the session on both servers: a savepoint, a setting, BEGIN.
pub(super) async fn mark(
    connection: &mut Connection,
    kind: &StatementKind,
    text: &str,
) -> Result<(), Failure> {
    let session = connection.session();
    if matches!(kind, StatementKind::Begin(_)) && session.transaction().is_explicit() {
        // A warning is all that comes of it.
        return Ok(());
    }
    let sets = matches!(
        kind,
        StatementKind::Set { .. }
            | StatementKind::Reset { .. }
            | StatementKind::SetCharacteristics(_)
    );
    let mut line = take_line(connection)?;
    if sets {
        // What is left of it behind the transaction, only the master knows.
        line.settings = None;
    }
    let done = statement::run_text(connection, &mut line, text).await;
    put_back(connection, line, done)
}

/// COMMIT or ROLLBACK of a transaction that the master runs; the transaction's end here is the caller's, but where
/// the master has ended it otherwise.
pub(super) async fn end(
    connection: &mut Connection,
    commit: bool,
) -> Result<Option<Ending>, Failure> {
    let session = connection.session();
    if !session.transaction().is_explicit() {
        if commit {
            finish_there(connection).await?;
        } else {
            abandon(connection).await;
        }
        return Ok(None);
    }
    if connection.forward().open == Open::Lost {
        over(connection);
        return Ok(None);
    }
    if !commit || connection.session().transaction().is_failed() {
        roll_back(connection).await;
        return Ok(None);
    }
    let mut line = take_line(connection)?;
    if !line.is_alive().await {
        let why = Broken::Lost("it has closed the connection".into());
        let failure = lost(connection, &line, why);
        over(connection);
        connection.session().rollback();
        return Err(failure);
    }
    let mut watch = Watch::of(connection.session().backend().entry());
    let done = command(&mut line, &mut watch, "COMMIT").await;
    let tag = committed(connection, line, done).inspect_err(|_| connection.session().rollback())?;
    if tag == "COMMIT" {
        return Ok(None);
    }
    // It had failed there.
    connection.session().rollback();
    Ok(Some(Ending::Complete(tag)))
}

/// The end of a simple query or Sync: commits what runs on the master outside a transaction block, and then what runs
/// here.
pub(in crate::pg) async fn finish_implicit(connection: &mut Connection) -> Result<(), Failure> {
    if !connection.session().transaction().is_explicit() {
        finish_there(connection).await?;
    }
    connection.session().finish_implicit()
}

async fn finish_there(connection: &mut Connection) -> Result<(), Failure> {
    if connection.forward().open != Open::Yes {
        return Ok(());
    }
    let mut line = take_line(connection)?;
    if !line.is_alive().await {
        let why = Broken::Lost("it has closed the connection".into());
        let failure = lost(connection, &line, why);
        over(connection);
        return Err(failure);
    }
    let mut watch = Watch::of(connection.session().backend().entry());
    frontend::sync(line.out());
    let done = ready(&mut line, &mut watch).await;
    committed(connection, line, done)
}

/// Sends what is to be sent, and reads up to `ReadyForQuery`.
pub(super) async fn ready(line: &mut Line, watch: &mut Watch) -> Result<(), Stop> {
    line.flush(watch).await?;
    let mut refused = None;
    loop {
        match line.answer(watch).await?.0 {
            Answer::Refused(failure) => refused = refused.or(Some(failure)),
            Answer::Ready => break,
            _ => {}
        }
    }
    refused.map_or(Ok(()), |failure| Err(Stop::Refused(failure)))
}

/// What has become of a commit that was asked for. Where there is no answer, nobody knows.
fn committed<T>(
    connection: &mut Connection,
    line: Line,
    done: Result<T, Stop>,
) -> Result<T, Failure> {
    let result = match done {
        Ok(value) => {
            if let Some(seen) = line.seen {
                connection.session().forwarding().has_seen(seen);
            }
            Ok(value)
        }
        Err(Stop::Refused(failure)) => Err(failure),
        Err(Stop::Broken(broken)) => {
            let failure = unknown(connection, &line, broken);
            over(connection);
            return Err(failure);
        }
    };
    connection.forward().line = Some(line);
    over(connection);
    result
}

fn unknown(connection: &mut Connection, line: &Line, broken: Broken) -> Failure {
    let backend = connection.session().backend();
    let (user, target) = (backend.user(), &line.target);
    let why = match broken {
        Broken::GivenUp(failure) => return failure,
        Broken::Ended => return backend.entry().last_word().unwrap_or_else(terminated),
        Broken::Lost(why) => why,
    };
    tracing::warn!(target = %target, user, "the answer to a forwarded COMMIT is lost: {why}");
    Failure::new(
        SqlState::TRANSACTION_RESOLUTION_UNKNOWN,
        format!("the connection to the master {target} was lost in a COMMIT: {why}"),
    )
    .detail("Whether the transaction is committed is not known.")
    .hint("Look at what it was to write before you run it again.")
}

/// Undoes what runs on the master outside a transaction block: the statement has failed here.
pub(in crate::pg) async fn abandon(connection: &mut Connection) {
    if connection.forward().open == Open::Yes && !connection.session().transaction().is_explicit() {
        roll_back(connection).await;
    }
}

/// Where the master does not answer, it undoes the transaction with the connection.
async fn roll_back(connection: &mut Connection) {
    if let Ok(mut line) = take_line(connection) {
        let mut watch = Watch::of(connection.session().backend().entry());
        // By the extended protocol, which goes on with what runs outside a block; a simple query would end that first.
        let put = statement::put_text(&mut line, "ROLLBACK");
        frontend::sync(line.out());
        if put.is_ok() && ready(&mut line, &mut watch).await.is_ok() {
            connection.forward().line = Some(line);
        }
    }
    over(connection);
}

/// The master has no transaction of this session any more.
pub(super) fn over(connection: &mut Connection) {
    connection.forward().open = Open::No;
    connection.session().backend().entry().set_forwards_to(None);
}
