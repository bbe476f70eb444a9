//! Input mode (`-i`): commands from standard input, one a line, over one connection.

use std::io::{self, IsTerminal as _};

use clap::Parser as _;

use crate::args::Line;
use crate::commands;
use crate::failure::{Failure, Result};
use crate::output;
use crate::session::Session;
use crate::words;

/// Runs the lines until `exit` or the end. A person goes on after a mistake; a script ends at the
/// first one, because what follows was written for the case that it worked.
pub(crate) async fn run(session: &mut Session, echo: bool) -> Result<()> {
    let person = io::stdin().is_terminal();
    let json = session.output.json;
    for number in 1.. {
        let mut line = String::new();
        // Not `lines()`: a command may want standard input for itself.
        let length = io::stdin()
            .read_line(&mut line)
            .map_err(|error| Failure::error(format!("cannot read commands: {error}")))?;
        if length == 0 {
            break;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.eq_ignore_ascii_case("exit") {
            break;
        }
        if echo && !person {
            session.output.line(format_args!("> {line}"))?;
        }
        session.output.json = json;
        match Box::pin(run_line(session, line)).await {
            Err(failure) if person => output::note(format_args!("dbctl: {failure}")),
            Err(failure) => return Err(failure.at(&format!("line {number}"))),
            Ok(()) => {}
        }
    }
    Ok(())
}

async fn run_line(session: &mut Session, line: &str) -> Result<()> {
    let words = words::split(line).map_err(Failure::usage)?;
    let line = Line::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Failure::usage(first.trim_start_matches("error: ")).with_hint("help shows the commands")
    })?;
    session.output.json |= line.json;
    commands::run(session, line.command).await
}
