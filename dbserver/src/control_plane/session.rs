//! `session list | kill`

use crate::control_plane::{Call, Table};
use crate::environment::session_status::SessionStatus;
use crate::error::EngineError;

/// Who is connected.
pub(crate) fn list(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("session list")?;
    let mut table = Table::new(&[
        "session",
        "user",
        "database",
        "mode",
        "application",
        "address",
        "since",
        "state",
        "target",
        "bytes to target",
        "bytes to client",
        "via",
    ]);
    let known = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for session in SessionStatus::all(call.environment) {
        let count = |bytes: Option<u64>| known(bytes.map(|bytes| bytes.to_string()));
        table.row(vec![
            session.session.to_string(),
            session.user,
            session.database,
            known(session.mode.map(|mode| mode.to_string())),
            session.application,
            session.address,
            session.since.to_string(),
            session.state.to_owned(),
            known(session.target),
            count(session.bytes_to_target),
            count(session.bytes_to_client),
            known(session.via),
        ]);
    }
    Ok(table)
}

/// Ends a session.
pub(crate) fn kill(call: &Call<'_>) -> Result<Table, EngineError> {
    let usage = "session kill NUMBER";
    let number = call.one(usage)?;
    let pid = number
        .parse()
        .map_err(|_| EngineError::Usage(format!("usage: {usage}")))?;
    if call.environment.sessions().kill(pid) {
        Ok(Table::done(format!("session {pid} is told to end")))
    } else {
        Err(EngineError::state(
            format!("there is no session {pid}"),
            "'session list' shows the sessions.",
        ))
    }
}
