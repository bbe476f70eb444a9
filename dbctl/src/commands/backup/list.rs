//! `backup list`

use repository::{Join, Manifest, Span};
use serde_json::{Value, json};

use super::open::{Opened, bytes};
use crate::archive_args::RepositoryArguments;
use crate::error::Result;
use crate::invocation::Invocation;
use crate::output::{self, Table};

const COLUMNS: [&str; 8] = [
    "backup", "instance", "commit", "time", "size", "stored", "state", "label",
];

/// A backup, as far as it can be read.
struct Seen {
    id: String,
    read: std::result::Result<Manifest, String>,
}

pub(super) fn run(invocation: &Invocation, arguments: &RepositoryArguments) -> Result<()> {
    let (environment, history) = (&arguments.environment, &arguments.history);
    let opened = Opened::open(&arguments.url, environment.as_deref(), history.as_deref())?;
    let seen: Vec<Seen> = opened
        .catalog
        .complete
        .iter()
        .map(|id| Seen {
            id: id.to_string(),
            read: opened.backups.manifest(*id).map_err(|it| it.to_string()),
        })
        .collect();
    let restorable = restorable(&opened, &seen);
    if invocation.output.json {
        let unfinished = opened.catalog.begun.iter().map(ToString::to_string);
        return output::json(&json!({
            "environment": opened.backups.environment().to_string(),
            "backups": seen.iter().map(of).collect::<Vec<_>>(),
            "unfinished": unfinished.collect::<Vec<_>>(),
            "restorable": restorable?.map(|it| it.json()),
        }));
    }
    let mut table = Table::new(&COLUMNS);
    for one in &seen {
        table.rows.push(row(one));
    }
    for id in &opened.catalog.begun {
        let mut row = vec![Some(id.to_string())];
        row.resize(COLUMNS.len(), None);
        if let Some(state) = row.get_mut(6) {
            *state = Some("unfinished".to_owned());
        }
        table.rows.push(row);
    }
    invocation.output.result(&table)?;
    match restorable? {
        None => invocation.output.line("restorable: nothing"),
        Some(range) => invocation.output.line(range.in_words()),
    }
}

fn row(seen: &Seen) -> Vec<Option<String>> {
    match &seen.read {
        Ok(manifest) => vec![
            Some(seen.id.clone()),
            Some(manifest.instance.clone()),
            Some(manifest.commit.to_string()),
            Some(manifest.time.to_string()),
            Some(bytes(manifest.page_count() * pagehash::PAGE_SIZE as u64)),
            Some(bytes(manifest.cost.stored)),
            Some("complete".to_owned()),
            Some(manifest.label.clone()),
        ],
        Err(why) => {
            let mut row = vec![Some(seen.id.clone()), None, None, None, None, None];
            row.extend([Some("damaged".to_owned()), Some(why.clone())]);
            row
        }
    }
}

fn of(seen: &Seen) -> Value {
    match &seen.read {
        Ok(manifest) => json!({
            "backup": seen.id,
            "state": "complete",
            "instance": manifest.instance,
            "label": manifest.label,
            "begun": manifest.begun.to_string(),
            "commit": manifest.commit.get(),
            "time": manifest.time.to_string(),
            "log_end": manifest.log_end.map(|end| end.point.position.to_string()),
            "pages": manifest.page_count(),
            "bytes_stored": manifest.cost.stored,
            "databases": manifest.databases.iter().map(|it| it.name.clone()).collect::<Vec<_>>(),
        }),
        Err(why) => json!({ "backup": seen.id, "state": "damaged", "why": why }),
    }
}

/// From when to when every moment can be had back.
struct Restorable {
    from: Manifest,
    /// Commit, time and position of the end.
    to: (u64, String, Option<String>),
    gaps: Vec<String>,
    /// Backups that the archive does not go on from: their own moment can be had back alone.
    alone: Vec<String>,
}

impl Restorable {
    fn in_words(&self) -> String {
        let (commit, time, position) = &self.to;
        let at = position.as_ref().map(|it| format!(", {it}"));
        let gaps = if self.gaps.is_empty() {
            "no gap".to_owned()
        } else {
            format!("missing between: {}", self.gaps.join(", "))
        };
        let alone = if self.alone.is_empty() {
            String::new()
        } else {
            format!("; only their own moment: {}", self.alone.join(", "))
        };
        format!(
            "restorable: {} (commit {}) to {time} (commit {commit}{}), {gaps}{alone}",
            self.from.time,
            self.from.commit,
            at.unwrap_or_default()
        )
    }

    fn json(&self) -> Value {
        let (commit, time, position) = &self.to;
        json!({
            "from": { "commit": self.from.commit.get(), "time": self.from.time.to_string() },
            "to": { "commit": commit, "time": time, "position": position },
            "gaps": self.gaps,
            "alone": self.alone,
        })
    }
}

/// What the line has from its oldest backup on.
fn restorable(opened: &Opened, seen: &[Seen]) -> Result<Option<Restorable>> {
    let line = opened.line()?;
    let (mut from, mut alone, mut newest): (Option<Manifest>, _, Option<Manifest>) =
        (None, Vec::new(), None);
    for manifest in seen.iter().filter_map(|it| it.read.as_ref().ok()) {
        let joined = match (&line, manifest.log_end) {
            (Some(line), Some(end)) => line.join(&opened.archive, &opened.log, end.point)?,
            _ => Join::Not,
        };
        match joined {
            Join::Has | Join::Ahead => {
                from = from.or_else(|| Some(manifest.clone()));
                newest = Some(manifest.clone());
            }
            Join::Not => alone.push(manifest.id.to_string()),
        }
    }
    let Some(from) = from else {
        // Without an archive each backup is one moment.
        let newest = seen.iter().rev().find_map(|it| it.read.as_ref().ok());
        return Ok(newest.map(|newest| {
            let own = newest.id.to_string();
            Restorable {
                to: end_of(newest),
                from: newest.clone(),
                gaps: Vec::new(),
                alone: alone.into_iter().filter(|id| *id != own).collect(),
            }
        }));
    };
    let span = match &line {
        Some(line) => Span::of(&opened.archive, line)?,
        None => None,
    };
    let mut to = newest.as_ref().map_or_else(|| end_of(&from), end_of);
    let mut gaps = Vec::new();
    if let Some(span) = span {
        let end = span.to.border;
        if end.commit.get() >= to.0 {
            let position = end.point.position.to_string();
            to = (end.commit.get(), end.time.to_string(), Some(position));
        }
        let begins = from.log_end.map(|end| end.point.position);
        let behind = span.gaps.iter().filter(|(_, to)| Some(*to) > begins);
        gaps = behind.map(|(from, to)| format!("{from} to {to}")).collect();
    }
    Ok(Some(Restorable {
        from,
        to,
        gaps,
        alone,
    }))
}

fn end_of(manifest: &Manifest) -> (u64, String, Option<String>) {
    let position = manifest.log_end.map(|end| end.point.position.to_string());
    let commit = manifest.commit.get();
    (commit, manifest.time.to_string(), position)
}
