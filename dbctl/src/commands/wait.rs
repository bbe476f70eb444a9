//! `status --wait running [SECONDS]`: comes back when the server serves its databases; a slave when it has a state to
//! serve and gets no copy.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::commands::server::{self, typed_json};
use crate::connection::Answer;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;

/// How often the server is asked.
const ASK: Duration = Duration::from_millis(500);

const USAGE: &str = "usage: status --wait running [SECONDS]";

/// Asks until it runs, or the time is up.
pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let limit = match words {
        [state] if state == "running" => None,
        [state, seconds] if state == "running" => {
            let seconds = seconds.parse().map_err(|_| CommandError::usage(USAGE))?;
            Some(Duration::from_secs(seconds))
        }
        _ => return Err(CommandError::usage(USAGE)),
    };
    let begun = Instant::now();
    loop {
        let last = match look(invocation).await {
            Ok(None) => return invocation.output.line("running"),
            Ok(Some(how)) => how,
            Err(failure) if failure.exit == Exit::Unreachable => {
                // It may be on its way to begin anew.
                drop(invocation.take_control());
                failure.message
            }
            Err(failure) => return Err(failure),
        };
        if limit.is_some_and(|limit| begun.elapsed() >= limit) {
            let seconds = begun.elapsed().as_secs();
            return Err(CommandError::error(format!(
                "not running after {seconds} s: {last}"
            )));
        }
        tokio::time::sleep(ASK).await;
    }
}

/// `None`: it runs; else how it is.
async fn look(invocation: &mut Invocation) -> Result<Option<String>> {
    let words = ["--json".to_owned(), "status".to_owned()];
    let answers = server::send(invocation, &words).await?;
    let json = answers.iter().find_map(|answer| match answer {
        Answer::Rows(table) => typed_json(table),
        Answer::Done(_) => None,
    });
    let status: Option<Value> = json.and_then(|json| serde_json::from_str(json).ok());
    status
        .map(|status| what_is_missing(&status))
        .ok_or_else(|| CommandError::error("the server's status can't be read"))
}

/// What keeps a server with this status from running.
fn what_is_missing(status: &Value) -> Option<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if word(&status["role"]) != "Slave" {
        return None;
    }
    let own = &status["replication"][0];
    let (state, reason) = (word(&own["state"]), word(&own["reason"]));
    if status["environment"].is_null() || state == "copying" {
        return Some(format!("start pending: {state}: {reason}"));
    }
    (state == "catching up").then_some(state)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slave_runs_once_it_has_a_state_and_has_caught_up() {
        let slave = |environment: Option<&str>, state: &str| {
            let status = json!({
                "role": "Slave", "environment": environment,
                "replication": [{ "state": state, "reason": "43 %" }],
            });
            what_is_missing(&status)
        };
        assert_eq!(what_is_missing(&json!({ "role": "Master" })), None);
        assert_eq!(slave(Some("e"), "following"), None);
        assert_eq!(slave(Some("e"), "not connected"), None);
        assert_eq!(
            slave(Some("e"), "catching up").as_deref(),
            Some("catching up")
        );
        for (environment, state) in [
            (None, "not connected"),
            (None, "copying"),
            (Some("e"), "copying"),
        ] {
            let told = format!("start pending: {state}: 43 %");
            assert_eq!(slave(environment, state), Some(told));
        }
    }
}
