//! Input mode (`-i`): commands from standard input, one a line, over one connection.

use std::io::{self, IsTerminal as _};

use clap::Parser as _;

use crate::args::Line;
use crate::commands;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output;
use crate::words;

/// Runs the lines until `exit` or the end. A person goes on after a mistake; a script ends at the
/// first one, because what follows was written for the case that it worked.
pub(crate) async fn run(invocation: &mut Invocation, echo: bool) -> Result<()> {
    let person = io::stdin().is_terminal();
    let json = invocation.output.json;
    invocation.one_server();
    for number in 1.. {
        let mut line = String::new();
        // Not `lines()`: a command may want standard input for itself.
        let length = io::stdin()
            .read_line(&mut line)
            .map_err(|error| CommandError::error(format!("cannot read commands: {error}")))?;
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
            invocation.output.line(format_args!("> {line}"))?;
        }
        invocation.output.json = json;
        match Box::pin(run_line(invocation, line)).await {
            Err(failure) if person => output::note(format_args!("dbctl: {failure}")),
            Err(failure) => return Err(failure.at(&format!("line {number}"))),
            Ok(()) => {}
        }
    }
    Ok(())
}

async fn run_line(invocation: &mut Invocation, line: &str) -> Result<()> {
    let words = words::split(line).map_err(CommandError::usage)?;
    let line = Line::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        CommandError::usage(first.trim_start_matches("error: "))
            .with_hint("help shows the commands")
    })?;
    invocation.output.json |= line.json;
    commands::run(invocation, line.command).await
}
