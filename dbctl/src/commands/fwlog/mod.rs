//! `fwlog list | dump | verify | audit | rows`: forward-log files, read without a server. Nothing here writes.

mod audit;
mod audited;
mod blocks;
mod dump;
mod files;
mod list;
mod printer;
mod rows;
mod selection;
mod twins;
mod verify;

use ::fwlog::ReadError;

pub(super) use rows::base::Bases;

use crate::args::FwlogCommand;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

pub(crate) async fn run(invocation: &Invocation, command: FwlogCommand) -> Result<()> {
    match command {
        FwlogCommand::List(arguments) => list::run(invocation, &arguments),
        FwlogCommand::Dump(arguments) => dump::run(invocation, &arguments),
        FwlogCommand::Verify(arguments) => verify::run(invocation, &arguments),
        FwlogCommand::Audit(arguments) => audit::run(invocation, &arguments).await,
        FwlogCommand::Rows(arguments) => rows::run(invocation, &arguments).await,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn read_failure(error: ReadError) -> CommandError {
    CommandError::error(error.to_string())
}
