//! `archive list`

use fwlog::Timestamp;
use repository::{HistoryId, HistoryObjects, Span};

use super::open::Opened;
use crate::archive_args::RepositoryArguments;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output::{self, Table};

const COLUMNS: [&str; 11] = [
    "history",
    "reason",
    "instance",
    "since",
    "goes on from",
    "begins",
    "ends",
    "last commit",
    "last time",
    "parts",
    "bytes",
];

pub(super) fn run(invocation: &Invocation, arguments: &RepositoryArguments) -> Result<()> {
    let opened = Opened::open(arguments)?;
    let mut table = Table::new(&COLUMNS);
    for (history, objects) in &opened.catalog.histories {
        table.rows.push(row(&opened, *history, objects)?);
    }
    invocation.output.result(&table)?;
    let told = restorable(&opened);
    match &told {
        Ok(line) => invocation.output.line(line),
        Err(_) if invocation.output.json => Ok(()),
        // The list has been printed; which line is meant is another question.
        Err(failure) => {
            output::note(&failure.message);
            Ok(())
        }
    }
}

fn row(
    opened: &Opened,
    history: HistoryId,
    objects: &HistoryObjects,
) -> Result<Vec<Option<String>>> {
    let archive = &opened.archive;
    let generation = archive.generation(history)?;
    let end = archive.end(history, objects)?.map(|end| end.border);
    let line = &generation.line;
    Ok(vec![
        Some(history.to_string()),
        Some(line.reason.to_string()),
        Some(line.instance.clone()),
        Some(line.time.to_string()),
        Some(line.parent.position.to_string()),
        Some(generation.begins.to_string()),
        end.map(|end| end.point.position.to_string()),
        end.map(|end| end.commit.to_string()),
        end.map(|end| end.time.to_string()),
        Some(objects.part_count().to_string()),
        Some(objects.bytes().to_string()),
    ])
}

/// What the newest line has, from when to when.
fn restorable(opened: &Opened) -> Result<String> {
    let line = opened.line()?;
    let Some(span) = Span::of(&opened.archive, &line)? else {
        return Ok("archived: nothing yet".to_owned());
    };
    let time = |time: Timestamp| time.to_string();
    let (from, to) = (span.from, span.to.border);
    let gaps: Vec<String> = span
        .gaps
        .iter()
        .map(|(from, to)| format!("{from} to {to}"))
        .collect();
    let gaps = if gaps.is_empty() {
        "no gap".to_owned()
    } else {
        format!("missing between: {}", gaps.join(", "))
    };
    Ok(format!(
        "archived: {} (behind commit {}, {}) to {} (commit {}, {}), {gaps}",
        time(from.time),
        from.commit,
        from.point.position,
        time(to.time),
        to.commit,
        to.point.position,
    ))
}
