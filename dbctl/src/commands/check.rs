//! `replication check`: one line and an exit code, whatever state the server is in.

use std::time::Duration;

use serde::Serialize;

use crate::commands::server;
use crate::connection::Answer;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, Table};

/// A server that has not answered by then is as good as none: monitors do not wait.
const LIMIT: Duration = Duration::from_secs(4);

/// A server that can't be asked, as the server's own answer would be.
#[derive(Serialize)]
struct NoAnswer<'a> {
    result: &'a str,
    message: &'a str,
    replication: [(); 0],
}

pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let asked = tokio::time::timeout(LIMIT, server::send(invocation, words)).await;
    let (result, exit, failure) = match asked {
        Ok(Ok(answers)) => return told(invocation, &answers),
        // A question that the server does not understand or does not let one ask says nothing of replication.
        Ok(Err(failure)) if matches!(failure.exit, Exit::Usage | Exit::Refused) => {
            ("unknown", Exit::UNKNOWN, on_one_line(&failure))
        }
        Ok(Err(failure)) => ("critical", Exit::CRITICAL, on_one_line(&failure)),
        Err(_) => (
            "critical",
            Exit::CRITICAL,
            format!(
                "the server does not answer within {} s; look after it",
                LIMIT.as_secs()
            ),
        ),
    };
    // What is still on its way keeps nobody.
    invocation.forget_control();
    if invocation.output.json {
        output::json(&NoAnswer {
            result,
            message: &failure,
            replication: [],
        })?;
    } else {
        invocation
            .output
            .line(format_args!("{result}: {failure}"))?;
    }
    Err(CommandError::told(exit))
}

/// What happened, and the way out.
fn on_one_line(failure: &CommandError) -> String {
    let hint = failure.hint.iter().map(String::as_str);
    let parts: Vec<&str> = [failure.message.as_str()].into_iter().chain(hint).collect();
    parts.join("; ").replace('\n', "; ")
}

/// Prints the server's word; the exit code is that word.
fn told(invocation: &Invocation, answers: &[Answer]) -> Result<()> {
    let mut exit = Some(Exit::CRITICAL);
    for answer in answers {
        let Answer::Rows(table) = answer else {
            continue;
        };
        let (word, message) = if let Some(json) = server::typed_json(table) {
            output::text(&format!("{json}\n"))?;
            let value: serde_json::Value = serde_json::from_str(json)
                .map_err(|error| CommandError::error(format!("the answer is no JSON: {error}")))?;
            let word = value.get("result").and_then(serde_json::Value::as_str);
            (word.unwrap_or_default().to_owned(), None)
        } else {
            (value(table, "result"), Some(value(table, "message")))
        };
        if let Some(message) = message {
            invocation.output.line(format_args!("{word}: {message}"))?;
        }
        exit = match word.as_str() {
            "ok" => None,
            "warning" => Some(Exit::Error),
            _ => Some(Exit::CRITICAL),
        };
    }
    exit.map_or(Ok(()), |exit| Err(CommandError::told(exit)))
}

fn value(table: &Table, name: &str) -> String {
    let mut rows = table.rows.iter();
    let row = rows.find(|row| {
        row.first()
            .is_some_and(|cell| cell.as_deref() == Some(name))
    });
    row.and_then(|row| row.get(1).cloned().flatten())
        .unwrap_or_default()
}
