//! `replication status`

use std::fs;
use std::io;
use std::path::Path;

use dbproto::{Progress, SlaveReport};
use fwlog::{Durable, LogDirectory};

use crate::control_plane::{Call, Table};
use crate::environment::Environment;
use crate::error::EngineError;

/// On a slave: source, positions, lag. On a master: each slave that dbrepl has told of.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("replication status")?;
    if call.environment.is_read_only() {
        let mut table = Table::list();
        describe(call.environment, &mut table);
        return Ok(table);
    }
    slaves(call.environment)
}

/// A table of the slaves by the notes that dbrepl keeps beside the log.
fn slaves(environment: &Environment) -> Result<Table, EngineError> {
    let mut table = Table::new(&[
        "slave",
        "address",
        "last heard of",
        "durable",
        "applied",
        "lag in bytes",
        "lag in commits",
        "lag in seconds",
    ]);
    let location = environment.core().log_location()?;
    let directory =
        LogDirectory::scan(&location).map_err(|error| EngineError::Corrupt(error.to_string()))?;
    for report in reports(&location.directory)? {
        let (bytes, commits, seconds) = match environment.durable() {
            Some(durable) => lag(&report, &durable, &directory),
            None => (None, None, None),
        };
        table.rows.push(vec![
            Some(report.instance),
            Some(report.address),
            Some(report.reported.to_string()),
            Some(report.durable.to_string()),
            Some(report.applied.to_string()),
            bytes,
            commits,
            seconds,
        ]);
    }
    Ok(table)
}

type Lag = (Option<String>, Option<String>, Option<String>);

/// Behind the master's durable end; bytes are unknown when the slave's segment is gone here.
fn lag(report: &SlaveReport, durable: &Durable, directory: &LogDirectory) -> Lag {
    let segment = directory.get(report.durable.segment);
    let at = segment.map(|segment| {
        // The slave has said so, and nobody has checked it.
        segment
            .header
            .log_bytes
            .saturating_add(report.durable.offset)
    });
    let bytes = at.map(|at| durable.log_bytes.saturating_sub(at).to_string());
    let commits = durable.commit.get().saturating_sub(report.commit.get());
    let micros = if commits == 0 {
        0
    } else {
        durable
            .time
            .micros()
            .saturating_sub(report.commit_time.micros())
    };
    (bytes, Some(commits.to_string()), Some(seconds(micros)))
}

fn reports(directory: &Path) -> Result<Vec<SlaveReport>, EngineError> {
    let failed = |error: &io::Error| EngineError::file("read", directory, error);
    let mut reports = Vec::new();
    for entry in fs::read_dir(directory).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        if entry
            .file_name()
            .to_str()
            .is_some_and(SlaveReport::is_file_name)
        {
            let bytes = fs::read(entry.path()).map_err(|error| failed(&error))?;
            reports.extend(SlaveReport::decode(&bytes));
        }
    }
    reports.sort_by(|a, b| a.instance.cmp(&b.instance));
    Ok(reports)
}

fn seconds(micros: u64) -> String {
    format!("{}.{:03}", micros / 1_000_000, micros / 1000 % 1000)
}

/// The lines about replication, for `status` too.
pub(crate) fn describe(environment: &Environment, table: &mut Table) {
    let Some(slave) = environment.slave() else {
        return;
    };
    let progress = slave.progress();
    table.entry(
        "replication",
        if progress.source.is_some() {
            "connected"
        } else {
            "waiting for dbrepl"
        },
    );
    table.maybe(
        "source",
        progress
            .source
            .as_ref()
            .map(|source| source.instance.clone()),
    );
    for (name, at) in [
        ("received", &progress.received),
        ("durable in the mirror", &progress.durable),
        ("applied", &progress.applied),
    ] {
        table.maybe(name, at.as_ref().map(show));
    }
    if let (Some(source), Some(applied)) = (&progress.source_durable, &progress.applied) {
        table.entry(
            "lag in commits",
            source.commit.get().saturating_sub(applied.commit.get()),
        );
        let micros = source.time.micros().saturating_sub(applied.time.micros());
        table.entry("lag in seconds", seconds(micros));
    }
    table.maybe("suspended", progress.suspended);
}

fn show(progress: &Progress) -> String {
    format!(
        "{}  commit {}  ({})",
        progress.point.position,
        progress.commit.get(),
        progress.time
    )
}
