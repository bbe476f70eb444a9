//! `fwlog list | dump | verify`: forward-log files, read without a server. Nothing here writes.

mod dump;
mod files;
mod list;
mod twins;
mod verify;

use ::fwlog::ReadError;

use crate::args::FwlogCommand;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

pub(crate) fn run(invocation: &Invocation, command: FwlogCommand) -> Result<()> {
    match command {
        FwlogCommand::List(arguments) => list::run(invocation, &arguments),
        FwlogCommand::Dump(arguments) => dump::run(invocation, &arguments),
        FwlogCommand::Verify(arguments) => verify::run(invocation, &arguments),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn read_failure(error: ReadError) -> CommandError {
    CommandError::error(error.to_string())
}
