//! `archive verify`

use repository::{Finding, HistoryReport, VerifyReport, verify};
use serde_json::{Value, json};

use super::open::Opened;
use crate::archive_args::RepositoryArguments;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

pub(super) fn run(invocation: &Invocation, arguments: &RepositoryArguments) -> Result<()> {
    let opened = Opened::open(arguments)?;
    let mut line = ProgressLine::new();
    let mut progress = |all: u64, done: u64| {
        line.show(|| format!("{} of {} MiB", done >> 20, all >> 20));
    };
    let report = verify(&opened.archive, &opened.catalog, &mut progress)?;
    line.clear();
    if invocation.output.json {
        output::json(&json!({
            "environment": opened.archive.environment().to_string(),
            "histories": report.histories.iter().map(history).collect::<Vec<_>>(),
            "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        }))?;
    } else {
        tell(invocation, &report)?;
    }
    let wrong = match report.findings.len() {
        0 => return Ok(()),
        1 => "1 object of the archive is not as it should be".to_owned(),
        several => format!("{several} objects of the archive are not as they should be"),
    };
    Err(CommandError::error(wrong).with_hint(
        "bring them back from a copy of the repository: no other object can stand in their place",
    ))
}

fn tell(invocation: &Invocation, report: &VerifyReport) -> Result<()> {
    let mut table = Table::new(&["history", "begins", "ends", "last commit", "parts", "bytes"]);
    for seen in &report.histories {
        let begins = seen.begins.map(|it| it.point.position.to_string());
        let end = seen.end.map(|end| end.border);
        table.rows.push(vec![
            Some(seen.history.to_string()),
            begins,
            end.map(|it| it.point.position.to_string()),
            end.map(|it| it.commit.to_string()),
            Some(seen.parts.to_string()),
            Some(seen.bytes.to_string()),
        ]);
    }
    invocation.output.result(&table)?;
    for found in &report.findings {
        invocation
            .output
            .line(format_args!("{}: {}", found.object, found.what))?;
    }
    if report.findings.is_empty() {
        let all = "every byte is as it was archived, and nothing is missing";
        invocation.output.line(all)?;
    }
    Ok(())
}

fn history(seen: &HistoryReport) -> Value {
    let end = seen.end.map(|end| end.border);
    json!({
        "history": seen.history.to_string(),
        "begins": seen.begins.map(|it| it.point.position.to_string()),
        "ends": end.map(|it| it.point.position.to_string()),
        "last_commit": end.map(|it| it.commit.to_string()),
        "parts": seen.parts,
        "bytes": seen.bytes,
    })
}

fn finding(found: &Finding) -> Value {
    json!({ "object": found.object, "what": found.what })
}
