//! placeholder
use crate::args::FwlogCommand;
use crate::failure::{Failure, Result};
use crate::session::Session;
pub(crate) fn run(_session: &Session, _command: FwlogCommand) -> Result<()> {
    Err(Failure::error("x"))
}
