//! `pg_stat_activity`, `pg_stat_ssl` and `pg_blocking_pids`: what the sessions of the server do, and for whom they wait.

use std::time::UNIX_EPOCH;

use pgtypes::SqlValue as Value;
use serde_json::{Value as Json, json};

use crate::clients::{SessionInfo, SessionState};
use crate::databases::open_mode::OpenMode;
use crate::environment::waiting::Waiting;
use crate::session::functions::facts::{EPOCH_2000, Facts, SessionFunction};
use crate::session::functions::refusal::Refusal;
use crate::system::users::{Privilege, Users};
use crate::wire::Secured;

/// The function of that name.
pub(super) fn find(name: &str) -> Option<SessionFunction> {
    Some(match name {
        "pg_blocking_pids" => blocking,
        _ => return None,
    })
}

/// An array of the sessions that keep one waiting.
#[expect(
    clippy::unnecessary_wraps,
    reason = "in a table with functions that can fail"
)]
fn blocking(facts: &Facts, arguments: &[Value]) -> Result<Value, Refusal> {
    let Some(Value::Integer(pid)) = arguments.first() else {
        return Ok(Value::Null);
    };
    let all = facts.sessions.list();
    let session = all.iter().find(|session| i64::from(session.pid) == *pid);
    let waiting = session.and_then(|session| Waiting::of(&facts.env, session, &all));
    let pids = waiting.map(|waiting| waiting.pids).unwrap_or_default();
    let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
    Ok(Value::Text(format!("{{{}}}", pids.join(","))))
}

/// Whether the user may see what a session does: administrators may, and everybody what his own do.
fn may_see(facts: &Facts) -> Result<impl Fn(&SessionInfo) -> bool, Refusal> {
    let privilege = Users::of(&facts.env)
        .privilege(&facts.user)
        .map_err(|error| Refusal::new(error.sqlstate(), error.to_string()))?;
    Ok(move |session: &SessionInfo| privilege == Privilege::Dba || session.user == facts.user)
}

/// The rows of `pg_stat_activity` as a JSON array of arrays, whose values have their stored forms.
pub(super) fn sessions(facts: &Facts) -> Result<Value, Refusal> {
    let may_see = may_see(facts)?;
    let all = facts.sessions.list();
    let rows = all.iter().map(|session| {
        let may = may_see(session);
        let waiting = Waiting::of(&facts.env, session, &all).filter(|_| may);
        row(facts, session, waiting.as_ref(), may)
    });
    Ok(Value::Text(Json::Array(rows.collect()).to_string()))
}

/// The rows of `pg_stat_ssl`, in the same form. Whose session it is not sees that it is there, and no more, as PostgreSQL
/// has it.
pub(super) fn channels(facts: &Facts) -> Result<Value, Refusal> {
    let may_see = may_see(facts)?;
    let all = facts.sessions.list();
    let rows = all.iter().map(|session| {
        let may = may_see(session);
        let channel = session.secured.as_deref().filter(|_| may);
        let client = channel.and_then(|channel| channel.client.as_ref());
        json!([
            session.pid,
            may.then_some(i32::from(channel.is_some())),
            channel.map(|channel| channel.version),
            channel.map(|channel| channel.cipher.as_str()),
            channel.map(Secured::bits),
            client.map(|client| client.subject.as_str()),
            null,
            client.map(|client| client.issuer.as_str()),
        ])
    });
    Ok(Value::Text(Json::Array(rows.collect()).to_string()))
}

/// The columns of `pg_stat_activity`; `may`: the user may see what the session does.
fn row(facts: &Facts, session: &SessionInfo, waiting: Option<&Waiting>, may: bool) -> Json {
    let objects = facts.objects();
    let replicates = session.state == SessionState::Replication.name();
    let active = session.state == "active";
    let elsewhere = session.redirected.is_some();
    let forwarded = session.forwards_to.as_deref().filter(|_| active && may);
    let forwarded = forwarded.map(|target| format!("forwarding to {target}"));
    let (wait_type, wait) = match waiting {
        Some(waiting) => (Some("Lock"), Some(waiting.event)),
        None if forwarded.is_some() => (Some("IPC"), forwarded.as_deref()),
        None if active || replicates || elsewhere || !may => (None, None),
        None => (Some("Client"), Some("ClientRead")),
    };
    let address = session.address.address();
    let started = session.started.duration_since(UNIX_EPOCH);
    let started = started.unwrap_or_default().as_micros();
    let database = (!replicates).then_some(session.database.as_str());
    let query = if may {
        session.statement.as_str()
    } else {
        "<insufficient privilege>"
    };
    json!([
        database.and_then(|name| objects.database_number(name)),
        database,
        session.pid,
        null,
        objects.role_number(&session.user),
        session.user,
        session.application,
        address
            .filter(|_| may)
            .map(|address| address.ip().to_canonical().to_string()),
        null,
        // What PostgreSQL has for the Unix socket, too.
        may.then(|| address.map_or(-1, |address| i32::from(address.port()))),
        may.then(|| moment(i64::try_from(started).unwrap_or(i64::MAX))),
        session.transaction_start.filter(|_| may).map(moment),
        session.statement_start.filter(|_| may).map(moment),
        may.then(|| moment(session.state_since)),
        wait_type,
        wait,
        may.then_some(if replicates { "active" } else { session.state }),
        null,
        null,
        null,
        query,
        may.then_some(if replicates {
            "walsender"
        } else {
            "client backend"
        }),
        session
            .open_mode(facts.env.is_read_only_in(&session.database))
            .map(OpenMode::number),
    ])
}

/// A time in the stored form of `timestamptz`.
fn moment(since_1970: i64) -> i64 {
    since_1970 - EPOCH_2000
}
