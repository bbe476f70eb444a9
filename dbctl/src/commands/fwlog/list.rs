//! `fwlog list`

use fwlog::SegmentInfo;

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::Files;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output::{self, Table};

pub(crate) fn run(invocation: &Invocation, arguments: &FwlogFiles) -> Result<()> {
    let log = Files::collect(invocation, arguments)?.undamaged()?;
    let columns = [
        "segment",
        "state",
        "bytes",
        "first commit",
        "last commit",
        "created",
        "origin",
        "file",
    ];
    let mut table = Table::new(&columns);
    table.rows.extend(log.segments().iter().map(row));
    invocation.output.result(&table)?;
    for gap in log.gaps() {
        output::note(format_args!(
            "gap: {} does not go on from {}",
            gap.behind, gap.before
        ));
    }
    Ok(())
}

/// The commits of an open segment are not known without reading it: they are left out.
fn row(info: &SegmentInfo) -> Vec<Option<String>> {
    let state = if info.sealed.is_some() {
        "sealed"
    } else {
        "open"
    };
    vec![
        Some(info.id.to_string()),
        Some(state.to_owned()),
        Some(
            info.sealed
                .map_or(info.file_length, |seal| seal.length)
                .to_string(),
        ),
        info.sealed.map(|seal| seal.first_commit.to_string()),
        info.sealed.map(|seal| seal.last_commit.to_string()),
        Some(info.header.created.to_string()),
        Some(info.header.origin.clone()),
        Some(info.path.display().to_string()),
    ]
}
