//! `shutdown [seconds|cancel]`: dbctl returns when the server has stopped, so that a script may go
//! on with its files, and fails where the stop was not clean.

use std::time::{Duration, Instant};

use crate::commands::server::{self, print};
use crate::connection::{Connection, WORD_AFTER, told_after};
use crate::error::{Exit, Result};
use crate::invocation::Invocation;
use crate::output;

pub(crate) async fn run(invocation: &mut Invocation, words: &[String], waits: bool) -> Result<()> {
    match server::send(invocation, words).await {
        Ok(answers) => {
            for answer in &answers {
                print(invocation, answer)?;
            }
        }
        // The server was faster: it ended the connection before it answered on it.
        Err(failure) if waits && failure.exit == Exit::Unreachable && invocation.is_connected() => {
        }
        Err(failure) => return Err(failure),
    }
    if waits && let Some(connection) = invocation.take_control() {
        let seconds = words.get(1).and_then(|seconds| seconds.parse().ok());
        wait(connection, Duration::from_secs(seconds.unwrap_or(0))).await?;
        invocation.output.line("the server has stopped")?;
    }
    Ok(())
}

/// Waits for the end of the server, which begins to stop after `delay`. Who gives up must know that the server
/// does not.
async fn wait(connection: Connection, delay: Duration) -> Result<()> {
    let asked = Instant::now();
    let ended = told_after(delay + WORD_AFTER, connection.wait_for_end(), || {
        output::note(
            "still waiting for the server to stop; Ctrl-C gives up, and the server goes on stopping, unless somebody has cancelled that ('dbctl status' shows it)",
        );
    });
    tokio::select! {
        ended = ended => ended,
        _ = tokio::signal::ctrl_c() => {
            output::note(if asked.elapsed() >= delay {
                "dbctl: the server goes on stopping"
            } else {
                "dbctl: the stop stays scheduled; 'dbctl shutdown cancel' takes it back"
            });
            output::interrupted();
        }
    }
}
