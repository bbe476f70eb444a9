//! `status --wait running [--timeout TIME]`: comes back when the server serves its databases; a slave when it has a state to
//! serve and gets no copy.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::commands::server::{self, typed_json};
use crate::connection::Answer;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;

/// How often the server is asked.
const ASK: Duration = Duration::from_millis(500);

const USAGE: &str = "usage: status --wait running [--timeout TIME]; TIME is a number of seconds, or has a unit: 90, 30s, 5m";

/// Asks until it runs, or the time is up.
pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let limit = limit(words)?;
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

/// How long it waits, by the words behind `--wait`; for ever where they say nothing.
fn limit(words: &[String]) -> Result<Option<Duration>> {
    let usage = || CommandError::usage(USAGE);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let time = match words[..] {
        ["running"] => return Ok(None),
        // As it was before there was an option.
        ["running", time] if !time.starts_with('-') => time,
        ["running", "--timeout", time] => time,
        ["running", option] => option.strip_prefix("--timeout=").ok_or_else(usage)?,
        _ => return Err(usage()),
    };
    let seconds = time.parse().map(Duration::from_secs);
    let limit = seconds.or_else(|_| dbconfig::value::duration(time));
    limit.map(Some).map_err(|_why| usage())
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
    fn a_limit_is_a_number_of_seconds_or_a_time_with_a_unit() {
        let of = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let limit = limit(&words).map_err(|error| error.message);
            limit.map(|limit| limit.map(|it| it.as_millis()))
        };
        assert_eq!(of("running"), Ok(None));
        for words in ["1", "--timeout 1", "--timeout 1s", "--timeout=1000ms"] {
            assert_eq!(of(&format!("running {words}")), Ok(Some(1000)), "{words}");
        }
        assert_eq!(of("running --timeout 5m"), Ok(Some(300_000)));
        for words in [
            "stopped",
            "running soon",
            "running --timeout",
            "running --timeout x",
            "running --limit 1",
            "running 1 2",
        ] {
            assert_eq!(of(words), Err(USAGE.to_owned()), "{words}");
        }
    }

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
