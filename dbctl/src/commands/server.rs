//! Commands that the server carries out: its words are sent as `DBCTL '<words>'`.

use peers::command::statement;

use crate::connection::{Answer, command_failure};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{Table, text};
use crate::server_commands::ServerCommand;

/// Sends a command and prints its result.
pub(crate) async fn run(invocation: &mut Invocation, command: &[String]) -> Result<()> {
    let mut damaged = false;
    for answer in send(invocation, command).await? {
        print(invocation, &answer)?;
        damaged |= has_damage(&answer);
    }
    if damaged {
        let failure = CommandError::error("there is damage");
        return Err(failure.with_hint("docs/recovery.md says what to do"));
    }
    Ok(())
}

/// Whether a command that verifies has found damage: a list has a line for it, a table a column.
fn has_damage(answer: &Answer) -> bool {
    const DAMAGE: &str = "damage";
    let Answer::Rows(table) = answer else {
        return false;
    };
    let is_list = table.columns == ["name", "value"];
    let column = table.columns.iter().position(|name| name == DAMAGE);
    table.rows.iter().any(|row| {
        let named = row
            .first()
            .is_some_and(|name| name.as_deref() == Some(DAMAGE));
        let known = column
            .and_then(|column| row.get(column))
            .is_some_and(Option::is_some);
        known || (is_list && named)
    })
}

/// Sends a command.
pub(crate) async fn send(invocation: &mut Invocation, command: &[String]) -> Result<Vec<Answer>> {
    let statement = statement(command, invocation.output.json);
    let connection = invocation.control().await?;
    connection.query(&statement).await.map_err(|error| {
        let mut failure = command_failure(&error);
        if let Some(usage) = ServerCommand::at_dbctl(&failure.message) {
            failure.message = usage;
        }
        failure
    })
}

/// The JSON text of an answer that has it: then its values have types.
pub(crate) fn typed_json(table: &Table) -> Option<&str> {
    match (table.columns.as_slice(), table.rows.as_slice()) {
        ([name], [row]) if name == "json" => row.first()?.as_deref(),
        _ => None,
    }
}

/// Prints an answer. A command without result has none, and with `--json` an empty object.
pub(crate) fn print(invocation: &Invocation, answer: &Answer) -> Result<()> {
    match answer {
        Answer::Rows(table) => match typed_json(table) {
            Some(json) => text(&format!("{json}\n")),
            None => invocation.output.result(table),
        },
        Answer::Done(_) if invocation.output.json => {
            invocation.output.result(&Table::new(&["name", "value"]))
        }
        Answer::Done(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_found_in_a_list_and_in_a_table() {
        let answer = |columns: [&str; 2], cells: [Option<&str>; 2]| {
            Answer::Rows(Table {
                columns: columns.map(str::to_owned).to_vec(),
                rows: vec![cells.map(|cell| cell.map(str::to_owned)).to_vec()],
            })
        };
        let (list, table) = (["name", "value"], ["database", "damage"]);
        assert!(has_damage(&answer(list, [Some("damage"), Some("page 2")])));
        assert!(has_damage(&answer(table, [Some("shop"), Some("page 2")])));
        assert!(!has_damage(&answer(list, [Some("result"), Some("ok")])));
        assert!(!has_damage(&answer(table, [Some("damage"), None])));
        assert!(!has_damage(&Answer::Done(1)));
    }
}
