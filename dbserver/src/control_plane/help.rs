//! `help [COMMAND]`

use crate::control_plane::{COMMANDS, Call, Table};
use crate::error::EngineError;

/// All commands, or those that begin with the given words.
pub(crate) fn help(call: &Call<'_>) -> Result<Table, EngineError> {
    let mut table = Table::new(&["command", "what it does"]);
    for command in COMMANDS {
        let wanted = call
            .arguments
            .iter()
            .zip(command.words)
            .all(|(a, b)| a.eq_ignore_ascii_case(b));
        if wanted && call.arguments.len() <= command.words.len() {
            table.row(vec![command.usage.to_owned(), command.what.to_owned()]);
        }
    }
    if table.rows.is_empty() {
        return Err(EngineError::Usage(format!(
            "there is no command '{}'; 'help' lists all",
            call.arguments.join(" ")
        )));
    }
    Ok(table)
}
