//! dbctl, the control plane of eloqdb.
//!
//! A command is a file under `commands/`. Results go to standard output, all else to standard
//! error. The exit codes are those of [`error::Exit`], and 0.

mod archive_args;
mod args;
mod backup_args;
mod base_line;
mod commands;
mod config_args;
mod connection;
mod credentials;
mod error;
mod interrupt;
mod invocation;
mod output;
mod place;
mod precedence;
mod script;
mod secure;
mod server_commands;
mod socket_owner;
mod splitter;
mod target;
mod words;

use std::env;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use dbconfig::secrets;

use crate::args::Arguments;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;

/// The program.
pub fn main() -> ExitCode {
    let (words, exposure) = secrets::arguments();
    if let Err(error) = secrets::leave_no_core_dump() {
        output::note(format_args!(
            "dbctl: core dumps can't be turned off: {error}"
        ));
    }
    if let Some(warning) = exposure.warning() {
        output::note(format_args!("dbctl: warning: {warning}"));
    }
    let arguments = match Arguments::try_parse_from(args::normalized(words.into_iter())) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.exit as u8),
    }
}

/// Says why a command failed; with `--json` in one line of JSON.
fn say(failure: &CommandError, json: bool) {
    if failure.is_told() {
        return;
    }
    if !json {
        return output::note(format_args!("dbctl: {failure}"));
    }
    output::note(serde_json::json!({
        "error": {
            "message": failure.message,
            "detail": failure.detail,
            "hint": failure.hint,
            "exit_code": failure.exit as u8,
        }
    }));
}

/// The command line with all commands, the server's too, as its manual page and completions show it.
pub fn command_line() -> clap::Command {
    server_commands::added_to(Arguments::command().after_help(args::NOTES))
}

fn run(arguments: Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::error(format!("cannot start: {error}")))
        .inspect_err(|failure| say(failure, false))?;
    runtime.block_on(async {
        let mut invocation = Invocation::new(arguments.options);
        let done = match arguments.command {
            Some(_) if arguments.input => Err(CommandError::usage(
                "with -i the commands come from standard input",
            )),
            Some(command) => commands::run(&mut invocation, command).await,
            None if arguments.input => {
                commands::input::run(&mut invocation, !arguments.no_echo).await
            }
            None => Err(CommandError::usage("there is no command").with_hint("dbctl help")),
        };
        invocation.close().await;
        done.inspect_err(|failure| say(failure, invocation.output.json))
    })
}

/// A mistake on the command line as all others are told: what is wrong, then tips and usage as the hint.
fn wrong_words(text: &str) -> CommandError {
    let (wrong, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let failure = CommandError::usage(one_line(wrong.trim_start_matches("error: ")));
    let hints: Vec<String> = rest
        .lines()
        .map(str::trim)
        .filter_map(|line| {
            let tip = line.strip_prefix("tip: ").map(str::to_owned);
            tip.or_else(|| {
                let usage = line.strip_prefix("Usage: ")?;
                Some(format!("usage: {usage} (--help shows all)"))
            })
        })
        .collect();
    if hints.is_empty() {
        return failure;
    }
    failure.with_hint(hints.join("; "))
}

/// Help and version are results; a wrong command line is a mistake.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        say(
            &wrong_words(&text),
            env::args_os().any(|word| word == "--json"),
        );
        return ExitCode::from(Exit::Usage as u8);
    }
    match output::text(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.exit as u8),
    }
}
