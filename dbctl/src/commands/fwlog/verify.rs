//! `fwlog verify`: every byte, with chain, checksums and records.

use fwlog::{Damage, Finding, VerifyReport, verify};
use serde::Serialize;

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::{DamagedFile, Files};
use crate::commands::fwlog::read_failure;
use crate::failure::{Failure, Result};
use crate::output::{self, ProgressLine, Table};
use crate::session::Session;

pub(crate) fn run(session: &Session, arguments: &FwlogFiles) -> Result<()> {
    let files = Files::collect(session, arguments)?;
    let total: u64 = files
        .log
        .segments()
        .iter()
        .map(|info| info.file_length)
        .sum();
    let mut line = ProgressLine::new();
    let seen = verify(&files.log, &mut |report| {
        line.show(|| {
            format!(
                "verified {} of {total} bytes, {} commits",
                report.bytes, report.commits
            )
        });
    });
    line.clear();
    let report = seen.map_err(read_failure)?;
    let mut damage: Vec<Place> = files.damaged.iter().map(Place::of_file).collect();
    damage.extend(report.findings.iter().map(Place::of_finding));
    damage.extend(ends_early(&files, &report));
    print(session, &report, &damage)?;
    if damage.is_empty() {
        return Ok(());
    }
    let count = damage.len();
    let noun = if count == 1 { "place" } else { "places" };
    Err(Failure::error(format!(
        "the forward log is damaged at {count} {noun}"
    )))
}

/// One damaged place.
#[derive(Serialize)]
struct Place {
    file: String,
    offset: u64,
    /// Where in the log; null where the file's own header can't be read.
    position: Option<String>,
    damage: String,
}

impl Place {
    fn of_file(file: &DamagedFile) -> Self {
        Self {
            file: file.path.display().to_string(),
            offset: file.offset,
            position: None,
            damage: file.damage.to_string(),
        }
    }

    fn of_finding(finding: &Finding) -> Self {
        Self {
            file: finding.path.display().to_string(),
            offset: finding.position.offset,
            position: Some(finding.position.to_string()),
            damage: finding.kind.to_string(),
        }
    }
}

/// A log that ends before the end that was acknowledged has lost its newest segments or blocks.
fn ends_early(files: &Files, report: &VerifyReport) -> Option<Place> {
    let durable = files.durable?.point.position;
    let end = report.end.map(|end| end.position);
    if end >= Some(durable) {
        return None;
    }
    // The file in which the log ends; the directory when not even its first segment is there.
    let last = end.and_then(|end| files.log.get(end.segment));
    let path = last.map(|info| &info.path).or(files.directory.as_ref())?;
    Some(Place {
        file: path.display().to_string(),
        offset: end.map_or(0, |end| end.offset),
        position: end.map(|end| end.to_string()),
        damage: Damage::EndsEarly(durable).to_string(),
    })
}

#[derive(Serialize)]
struct Shown<'a> {
    segments: u64,
    blocks: u64,
    records: u64,
    commits: u64,
    bytes: u64,
    end: Option<String>,
    torn_tail: Option<Place>,
    damage: &'a [Place],
}

fn print(session: &Session, report: &VerifyReport, damage: &[Place]) -> Result<()> {
    let end = report.end.map(|end| end.position.to_string());
    if session.output.json {
        return output::json(&Shown {
            segments: report.segments,
            blocks: report.blocks,
            records: report.records,
            commits: report.commits,
            bytes: report.bytes,
            end,
            torn_tail: report.torn.as_ref().map(Place::of_finding),
            damage,
        });
    }
    let mut table = Table::new(&["name", "value"]);
    for (name, count) in [
        ("segments", report.segments),
        ("blocks", report.blocks),
        ("records", report.records),
        ("commits", report.commits),
        ("bytes", report.bytes),
    ] {
        table.push([name.to_owned(), count.to_string()]);
    }
    table.push(["end".to_owned(), end.unwrap_or_default()]);
    if let Some(torn) = &report.torn {
        // Only what was never acknowledged is cut off; else recovery refuses, too.
        let then = if damage.is_empty() {
            "; recovery cuts it off"
        } else {
            ""
        };
        let text = format!("at {}: {}{then}", torn.position, torn.kind);
        table.push(["torn tail".to_owned(), text]);
    }
    for place in damage {
        let text = format!(
            "{} at offset {}: {}",
            place.file, place.offset, place.damage
        );
        table.push(["damage".to_owned(), text]);
    }
    if damage.is_empty() {
        table.push(["damage".to_owned(), "none".to_owned()]);
    }
    session.output.result(&table)
}
