//! A statement's answer as text, by the simple protocol.

use dbtests::Client;
use dbtests::client::Refusal;
use tokio_postgres::{Error, SimpleQueryMessage};

use crate::script::Case;

/// Runs the statements until one is refused.
pub(crate) fn ask(client: &Client, case: &Case) -> String {
    let mut answers = Vec::new();
    for sql in &case.statements {
        let answer = one(client, sql);
        let refused = answer.is_err();
        answers.push(answer.unwrap_or_else(|refusal| refusal));
        if refused {
            break;
        }
    }
    answers.join("\n")
}

/// The answer to one statement.
pub(crate) fn ask_whole(client: &Client, sql: &str) -> String {
    one(client, sql).unwrap_or_else(|refusal| refusal)
}

fn one(client: &Client, sql: &str) -> Result<String, String> {
    let messages = client
        .wait(client.driver().simple_query(sql))
        .map_err(|error| refusal(&error))?;
    let mut lines = Vec::new();
    for message in &messages {
        match message {
            SimpleQueryMessage::RowDescription(_) => lines.push(columns(client, sql)?),
            SimpleQueryMessage::Row(row) => {
                let fields: Vec<String> = (0..row.len()).map(|at| shown(row.get(at))).collect();
                lines.push(fields.join(" | "));
            }
            SimpleQueryMessage::CommandComplete(rows) => lines.push(format!("({rows})")),
            _ => {}
        }
    }
    Ok(lines.join("\n"))
}

/// Names and types of the columns, which only a prepared statement tells; a second look at what has succeeded.
fn columns(client: &Client, sql: &str) -> Result<String, String> {
    let kept = sql.split_whitespace().next().unwrap_or_default();
    if ["EXECUTE", "FETCH", "SHOW"].contains(&kept) {
        return Ok(format!("{kept} gives"));
    }
    let statement = client
        .wait(client.driver().prepare(sql))
        .map_err(|error| refusal(&error))?;
    let columns = statement.columns().iter();
    let shown = columns.map(|column| format!("{} {}", column.name(), column.type_()));
    Ok(shown.collect::<Vec<_>>().join(" | "))
}

/// NULL is told from a text, and a line stays one.
fn shown(value: Option<&str>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(text) => format!("{text:?}"),
    }
}

/// SQLSTATE and message.
pub(crate) fn refusal(error: &Error) -> String {
    match Refusal::of(error) {
        Some(refusal) => format!("ERROR {}: {}", refusal.code, refusal.message),
        None => format!("the connection failed: {error}"),
    }
}
