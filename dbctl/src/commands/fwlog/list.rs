//! `fwlog list`

use std::path::Path;

use disk::Disk;
use fwlog::{CommitNumber, LogKind, ReadItem, SegmentInfo, SegmentReader};

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
    for info in log.segments() {
        table.rows.push(row(info, log.disk()));
    }
    table.rows.extend(files.damaged.iter().map(unreadable));
    table.rows.sort_by_cached_key(|row| {
        let file = row.last().and_then(Option::as_deref);
        numbers(Path::new(file.unwrap_or_default()))
    });
    invocation.output.result(&table)?;
    let mut kinds = log.segments().iter().map(|info| info.header.kind);
    if kinds.any(|kind| kind == LogKind::Audit) {
        output::note(format_args!("this is {}", LogKind::Audit));
    }
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

/// The commits of an open segment are not known without reading it.
fn commits(info: &SegmentInfo, disk: &Disk) -> Option<(CommitNumber, CommitNumber)> {
    if let Some(seal) = info.sealed {
        return Some((seal.first_commit, seal.last_commit));
    }
    let mut reader = SegmentReader::open(disk, &info.path).ok()?;
    // What can't be read is told by `verify`; here it is the end.
    while let Ok(ReadItem::Block(_)) = reader.next(None) {}
    Some((info.header.last_commit.next(), reader.last_commit()))
}

/// A segment without commits has no numbers of any.
fn row(info: &SegmentInfo, disk: &Disk) -> Vec<Option<String>> {
    let state = if info.sealed.is_some() {
        "sealed"
    } else {
        "open"
    };
    let commits = commits(info, disk).filter(|(first, last)| first <= last);
    vec![
        Some(info.id.to_string()),
        Some(state.to_owned()),
        Some(
            info.sealed
                .map_or(info.file_length, |seal| seal.length)
                .to_string(),
        ),
        commits.map(|(first, _)| first.to_string()),
        commits.map(|(_, last)| last.to_string()),
        Some(info.header.created.to_string()),
        Some(info.header.origin.clone()),
        Some(info.path.display().to_string()),
    ]
}
