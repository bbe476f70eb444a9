//! `fwlog list`

use std::path::Path;

use fwlog::SegmentInfo;

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::{DamagedFile, Files, numbers};
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output::{self, Table};

const COLUMNS: [&str; 8] = [
    "segment",
    "state",
    "bytes",
    "first commit",
    "last commit",
    "created",
    "origin",
    "file",
];

pub(crate) fn run(invocation: &Invocation, arguments: &FwlogFiles) -> Result<()> {
    let files = Files::collect(invocation, arguments)?;
    let log = &files.log;
    let mut table = Table::new(&COLUMNS);
    table.rows.extend(log.segments().iter().map(row));
    table.rows.extend(files.damaged.iter().map(unreadable));
    table.rows.sort_by_cached_key(|row| {
        let file = row.last().and_then(Option::as_deref);
        numbers(Path::new(file.unwrap_or_default()))
    });
    invocation.output.result(&table)?;
    for gap in log.gaps() {
        output::note(format_args!(
            "gap: {} does not go on from {}",
            gap.behind, gap.before
        ));
    }
    files.undamaged().map(drop)
}

/// A file without a header that can be read, or with the segment of another, is listed, too: it is there.
fn unreadable(file: &DamagedFile) -> Vec<Option<String>> {
    let cell = |column| match column {
        "state" if file.twin.is_some() => Some("twice".to_owned()),
        "state" => Some("unreadable".to_owned()),
        "file" => Some(file.path.display().to_string()),
        _ => None,
    };
    COLUMNS.into_iter().map(cell).collect()
}

/// The commits of an open segment are not known without reading it: they are left out, as are those of a
/// segment that has none.
fn row(info: &SegmentInfo) -> Vec<Option<String>> {
    let state = if info.sealed.is_some() {
        "sealed"
    } else {
        "open"
    };
    let commits = info
        .sealed
        .filter(|seal| seal.first_commit <= seal.last_commit);
    vec![
        Some(info.id.to_string()),
        Some(state.to_owned()),
        Some(
            info.sealed
                .map_or(info.file_length, |seal| seal.length)
                .to_string(),
        ),
        commits.map(|seal| seal.first_commit.to_string()),
        commits.map(|seal| seal.last_commit.to_string()),
        Some(info.header.created.to_string()),
        Some(info.header.origin.clone()),
        Some(info.path.display().to_string()),
    ]
}
