//! `fwlog list | dump | verify`: forward-log files, read without a server. Nothing here writes.

mod dump;
mod files;
mod list;
mod verify;

use ::fwlog::ReadError;

use crate::args::FwlogCommand;
use crate::failure::{Failure, Result};
use crate::session::Session;

pub(crate) fn run(session: &Session, command: FwlogCommand) -> Result<()> {
    match command {
        FwlogCommand::List(arguments) => list::run(session, &arguments),
        FwlogCommand::Dump(arguments) => dump::run(session, &arguments),
        FwlogCommand::Verify(arguments) => verify::run(session, &arguments),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn read_failure(error: ReadError) -> Failure {
    Failure::error(error.to_string())
}
