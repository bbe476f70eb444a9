//! `fwlog rows`: the rows that were changed, decoded from the pages of the log.

pub(super) mod base;
mod database;
mod replay;
mod report;
mod scratch;
mod shown;

use crate::args::FwlogRows;
use crate::commands::fwlog::blocks;
use crate::commands::fwlog::rows::base::Bases;
use crate::commands::fwlog::rows::replay::Replay;
use crate::commands::fwlog::rows::report::Report;
use crate::error::Result;
use crate::invocation::Invocation;

/// What a change may be.
const KINDS: [&str; 4] = ["insert", "update", "delete", "schema"];

pub(crate) async fn run(invocation: &Invocation, arguments: &FwlogRows) -> Result<()> {
    let report = Report::new(invocation, arguments)?;
    report.filter.check_kinds(&KINDS)?;
    let bases = Bases::open(&arguments.base, arguments.after)?;
    let mut replay = Replay::new(report, bases)?;
    blocks::each(invocation, &arguments.files, arguments.follow, &mut replay).await
}
