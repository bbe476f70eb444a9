//! `shutdown [SECONDS | cancel]`

use std::time::Duration;

use crate::control_plane::{Call, Table};
use crate::error::EngineError;

/// Asks for a clean stop, now or later, or takes that back. It does not wait for the stop.
pub(crate) fn shutdown(call: &Call<'_>) -> Result<Table, EngineError> {
    let request = call.environment.shutdown_request();
    match call.arguments.as_slice() {
        [] => {
            request.ask(Duration::ZERO);
            Ok(Table::done("the server stops"))
        }
        [word]
            if word
                .strip_prefix("--")
                .unwrap_or(word)
                .eq_ignore_ascii_case("cancel") =>
        {
            Ok(Table::done(if request.cancel() {
                "the stop is cancelled"
            } else {
                "no stop was scheduled"
            }))
        }
        [seconds] => {
            let seconds: u32 = seconds.parse().map_err(|_| usage())?;
            request.ask(Duration::from_secs(seconds.into()));
            Ok(Table::done(format!("the server stops in {seconds} s")))
        }
        _ => Err(usage()),
    }
}

fn usage() -> EngineError {
    EngineError::Usage("usage: shutdown [SECONDS | cancel]".into())
}
