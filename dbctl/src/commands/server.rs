//! Commands that the server carries out: its words are sent as `DBCTL '<words>'`.

use crate::connection::{Answer, command_failure};
use crate::failure::Result;
use crate::output::Table;
use crate::session::Session;
use crate::words;

/// Sends a command and prints its result.
pub(crate) async fn run(session: &mut Session, command: &[String]) -> Result<()> {
    for answer in send(session, command).await? {
        print(session, &answer)?;
    }
    Ok(())
}

/// Sends a command.
pub(crate) async fn send(session: &mut Session, command: &[String]) -> Result<Vec<Answer>> {
    let statement = statement(command);
    let connection = session.control().await?;
    connection
        .query(&statement)
        .await
        .map_err(|error| command_failure(&error))
}

/// Prints an answer. A command without result has none, and with `--json` an empty object.
pub(crate) fn print(session: &Session, answer: &Answer) -> Result<()> {
    match answer {
        Answer::Rows(table) => session.output.result(table),
        Answer::Done(_) if session.output.json => {
            session.output.result(&Table::new(&["name", "value"]))
        }
        Answer::Done(_) => Ok(()),
    }
}

/// The SQL statement of a command.
fn statement(command: &[String]) -> String {
    format!("DBCTL {}", words::literal(&words::join(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_the_command_and_then_for_sql() {
        let words = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            statement(&words("forwardlog|status")),
            "DBCTL 'forwardlog status'"
        );
        assert_eq!(
            statement(&words("user|create|o'hara")),
            "DBCTL 'user create ''o''''hara'''"
        );
    }
}
