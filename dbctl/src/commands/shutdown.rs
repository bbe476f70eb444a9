//! `shutdown [seconds|cancel]`: dbctl returns when the server has stopped, so that a script may go
//! on with its files, and fails where the stop was not clean.

use crate::commands::server::{self, print};
use crate::error::{Exit, Result};
use crate::invocation::Invocation;

pub(crate) async fn run(invocation: &mut Invocation, words: &[String], wait: bool) -> Result<()> {
    match server::send(invocation, words).await {
        Ok(answers) => {
            for answer in &answers {
                print(invocation, answer)?;
            }
        }
        // The server was faster: it ended the connection before it answered on it.
        Err(failure) if wait && failure.exit == Exit::Unreachable && invocation.is_connected() => {}
        Err(failure) => return Err(failure),
    }
    if wait && let Some(connection) = invocation.take_control() {
        connection.wait_for_end().await?;
        invocation.output.line("the server has stopped")?;
    }
    Ok(())
}
