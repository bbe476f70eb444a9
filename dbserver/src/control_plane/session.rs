//! `session list | kill`

use fwlog::Timestamp;

use crate::clients::Redirected;
use crate::control_plane::{Call, Table};
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
    let is_read_only = call.environment.is_read_only();
    for session in call.environment.sessions().list() {
        let redirected = session.redirected.clone();
        let of = |value: &dyn Fn(&Redirected) -> String| {
            redirected.as_deref().map_or_else(|| "-".to_owned(), value)
        };
        let mode = session.open_mode(is_read_only);
        let mode = mode.map_or_else(|| "-".to_owned(), |mode| mode.to_string());
        table.row(vec![
            session.pid.to_string(),
            session.user,
            session.database,
            mode,
            session.application,
            session.address.to_string(),
            timestamp(session.started).to_string(),
            session.state.to_owned(),
            session.forwards_to.as_deref().map_or_else(
                || of(&|redirected| redirected.target.clone()),
                str::to_owned,
            ),
            of(&|redirected| redirected.to_master().to_string()),
            of(&|redirected| redirected.to_client().to_string()),
            session
                .via
                .map_or_else(|| "-".to_owned(), |via| via.to_string()),
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

fn timestamp(time: std::time::SystemTime) -> Timestamp {
    let since = time
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}
