//! `source checkhealth` and `receiver checkhealth`: the server's table, and an exit code.

use crate::commands::server;
use crate::connection::Answer;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::Table;

const HEALTH: &str = "health";

pub(crate) async fn run(invocation: &mut Invocation, words: &[String]) -> Result<()> {
    let mut worst = None;
    for answer in server::send(invocation, words).await? {
        server::print(invocation, &answer)?;
        worst = worst.max(health(&answer)?);
    }
    match worst {
        Some(0) => Ok(()),
        Some(3) => Err(CommandError::told(Exit::Unreachable)),
        Some(5) => Err(CommandError::told(Exit::SourceRefused)),
        // Nothing runs.
        Some(_) | None => Err(CommandError::told(Exit::Error)),
    }
}

/// The worst of an answer.
fn health(answer: &Answer) -> Result<Option<u64>> {
    let Answer::Rows(table) = answer else {
        return Ok(None);
    };
    let unreadable = || CommandError::error("the server's answer has no health");
    if let Some(json) = server::typed_json(table) {
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|error| CommandError::error(format!("the answer is no JSON: {error}")))?;
        let health = value.get(HEALTH).and_then(serde_json::Value::as_u64);
        return health.map(Some).ok_or_else(unreadable);
    }
    let cells = in_list(table).or_else(|| in_column(table));
    let cells = cells.ok_or_else(unreadable)?;
    let numbers: Option<Vec<u64>> = cells.into_iter().map(|cell| cell.parse().ok()).collect();
    Ok(numbers.ok_or_else(unreadable)?.into_iter().max())
}

fn in_list(table: &Table) -> Option<Vec<&str>> {
    let is_health = |row: &&Vec<Option<String>>| row.first() == Some(&Some(HEALTH.to_owned()));
    let row = table.rows.iter().find(is_health)?;
    Some(vec![row.get(1)?.as_deref()?])
}

fn in_column(table: &Table) -> Option<Vec<&str>> {
    let column = table.columns.iter().position(|name| name == HEALTH)?;
    let rows = table.rows.iter();
    rows.map(|row| row.get(column)?.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(columns: &[&str], rows: &[&[&str]]) -> Answer {
        let cell = |cell: &&str| Some((*cell).to_owned());
        Answer::Rows(Table {
            columns: columns.iter().map(|it| (*it).to_owned()).collect(),
            rows: rows
                .iter()
                .map(|row| row.iter().map(cell).collect())
                .collect(),
        })
    }

    #[test]
    fn the_worst_source_is_what_counts_in_each_form_of_the_answer() {
        let table = rows(&["source", "health"], &[&["a", "0"], &["b", "3"]]);
        assert_eq!(health(&table).unwrap(), Some(3));
        let list = rows(&["name", "value"], &[&["health", "1"], &["state", "x"]]);
        assert_eq!(health(&list).unwrap(), Some(1));
        let json = rows(&["json"], &[&[r#"{"health":5,"sources":[]}"#]]);
        assert_eq!(health(&json).unwrap(), Some(5));
        let nothing = rows(&["source", "health"], &[]);
        assert_eq!(health(&nothing).unwrap(), None);
        assert!(health(&rows(&["name", "value"], &[&["state", "x"]])).is_err());
    }
}
