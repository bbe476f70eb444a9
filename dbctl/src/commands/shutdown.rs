//! `shutdown [seconds|cancel]`: dbctl returns when the server has stopped, so that a script may go
//! on with its files.

use crate::commands::server::{self, print};
use crate::failure::{Exit, Result};
use crate::session::Session;

pub(crate) async fn run(session: &mut Session, words: &[String], wait: bool) -> Result<()> {
    match server::send(session, words).await {
        Ok(answers) => {
            for answer in &answers {
                print(session, answer)?;
            }
        }
        // The server was faster: it ended the connection before it answered on it.
        Err(failure) if wait && failure.exit == Exit::Unreachable && session.is_connected() => {}
        Err(failure) => return Err(failure),
    }
    if wait && let Some(connection) = session.take_control() {
        connection.wait_for_end().await;
        session.output.line("the server has stopped")?;
    }
    Ok(())
}
