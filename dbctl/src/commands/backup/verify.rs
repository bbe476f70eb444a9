//! `backup verify`

use repository::{BackupsReport, Depth, Finding, verify_backups};
use serde_json::{Value, json};

use super::open::Opened;
use super::scratch;
use crate::backup_args::VerifyArguments;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

pub(super) fn run(invocation: &Invocation, arguments: &VerifyArguments) -> Result<()> {
    let place = &arguments.place;
    let (environment, history) = (&place.environment, &place.history);
    let opened = Opened::open(&place.url, environment.as_deref(), history.as_deref())?;
    let wanted = arguments.backup.as_deref();
    let wanted = wanted.map(|name| opened.backup(name)).transpose()?;
    if let Some(directory) = &arguments.restore {
        return scratch::run(invocation, &opened, wanted, directory);
    }
    let depth = if arguments.quick {
        Depth::Quick
    } else {
        Depth::Data
    };
    let mut line = ProgressLine::new();
    let mut progress = |all: u64, done: u64| {
        line.show(|| format!("{} of {} MiB", done >> 20, all >> 20));
    };
    let looked_at = (&opened.backups, &opened.catalog);
    let report = verify_backups(looked_at, wanted, depth, &mut progress)?;
    line.clear();
    if invocation.output.json {
        output::json(&of(&opened, &report))?;
    } else {
        tell(invocation, &report, depth)?;
    }
    if report.is_good() {
        return Ok(());
    }
    let bad = report.backups.iter().filter(|it| !it.findings.is_empty());
    let bad: Vec<String> = bad.map(|it| it.id.to_string()).collect();
    let failure = match bad.as_slice() {
        [] => CommandError::error("something is wrong in the repository, and no backup needs it"),
        bad => CommandError::error(format!("not whole: {}", bad.join(", "))),
    };
    Err(failure.with_hint(
        "'dbctl backup create --full' makes one that needs nothing of what is there; bring damaged objects back from a copy of the repository",
    ))
}

fn tell(invocation: &Invocation, report: &BackupsReport, depth: Depth) -> Result<()> {
    let mut table = Table::new(&["backup", "state"]);
    for seen in &report.backups {
        let state = match (seen.findings.len(), depth) {
            (0, Depth::Quick) => "all is there".to_owned(),
            (0, Depth::Data) => "every byte is good".to_owned(),
            (1, _) => "1 object is not as it should be".to_owned(),
            (several, _) => format!("{several} objects are not as they should be"),
        };
        table.push([seen.id.to_string(), state]);
    }
    for id in &report.unfinished {
        table.push([id.to_string(), "unfinished".to_owned()]);
    }
    invocation.output.result(&table)?;
    let mut told: Vec<&Finding> = Vec::new();
    let all = report.backups.iter().flat_map(|it| &it.findings);
    for found in all.chain(&report.others) {
        if !told.contains(&found) {
            told.push(found);
            let line = format_args!("{}: {}", found.object, found.what);
            invocation.output.line(line)?;
        }
    }
    Ok(())
}

fn of(opened: &Opened, report: &BackupsReport) -> Value {
    let findings = |all: &[Finding]| -> Vec<Value> {
        let each = all.iter();
        each.map(|it| json!({ "object": it.object, "what": it.what }))
            .collect()
    };
    let backups = report.backups.iter();
    let backups = backups
        .map(|it| json!({ "backup": it.id.to_string(), "findings": findings(&it.findings) }));
    json!({
        "environment": opened.backups.environment().to_string(),
        "backups": backups.collect::<Vec<_>>(),
        "findings": findings(&report.others),
        "unfinished": report.unfinished.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
