//! `help [COMMAND]`

use crate::control_plane::{Call, Table, commands};
use crate::error::EngineError;

/// All commands, or those that begin with the given words.
pub(crate) fn help(call: &Call<'_>) -> Result<Table, EngineError> {
    let mut table = Table::new(&["command", "what it does"]);
    for command in commands() {
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

#[cfg(test)]
mod tests {
    use std::env;
    use std::path::Path;

    use super::*;

    /// dbctl has the list for its help, its manual page and its completions, which need no server.
    #[test]
    fn dbctl_has_the_list_of_all_commands() {
        let lines = commands().map(|command| format!("{}\t{}\n", command.usage, command.what));
        let list = lines.collect::<Vec<_>>().concat();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dbctl/src/server_commands.txt");
        if env::var_os("ELOQDB_RENEW").is_some() {
            disk::Disk::real()
                .write_atomic(&path, list.as_bytes(), 0o644)
                .unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            list,
            "renew it: ELOQDB_RENEW=1 cargo test -p dbserver list_of_all_commands"
        );
    }

    #[test]
    fn a_usage_begins_with_the_words_of_its_command_and_goes_on_in_other_letters() {
        for command in commands() {
            let words: Vec<_> = command
                .usage
                .split(' ')
                .take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()))
                .collect();
            assert_eq!(words, command.words, "{}", command.usage);
        }
    }
}
