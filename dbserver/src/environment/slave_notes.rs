//! The notes that dbrepl keeps beside the log, one a slave.

use std::io;
use std::path::PathBuf;

use dbproto::{SlaveReport, Standing};
use fwlog::{LogLocation, Timestamp};

use crate::error::EngineError;

/// The notes beside a log.
pub(super) fn reports(location: &LogLocation) -> Result<Vec<(PathBuf, SlaveReport)>, EngineError> {
    let (disk, directory) = (&location.disk, &location.directory);
    let failed = |error: &io::Error| EngineError::file("read", directory, error);
    let mut reports = Vec::new();
    let names = match disk.list(directory) {
        Ok(names) => names,
        // Where the log is gone there are no notes either; that it is gone is told elsewhere.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(reports),
        Err(error) => return Err(failed(&error)),
    };
    for name in names {
        if name.to_str().is_some_and(SlaveReport::is_file_name) {
            let path = directory.join(name);
            let bytes = disk.read(&path).map_err(|error| failed(&error))?;
            reports.extend(SlaveReport::decode(&bytes).map(|report| (path, report)));
        }
    }
    reports.sort_by(|(_, a), (_, b)| a.instance.cmp(&b.instance));
    Ok(reports)
}

/// Damage of this log that a dbrepl has met, since when, and what to do; what it has said last holds until
/// it is started again.
///
/// Errors: the directory of the log can't be read.
pub(crate) fn damage_met(
    location: &LogLocation,
) -> Result<Option<(Timestamp, String)>, EngineError> {
    let known = reports(location)?;
    let damaged = known.into_iter().map(|(_, report)| report);
    let met = damaged.filter(|report| report.standing == Standing::LogDamaged);
    let first = met.min_by_key(|report| report.since);
    Ok(first.map(|first| {
        let why = first.reason.unwrap_or_else(|| first.standing.to_string());
        (first.since, format!("as dbrepl has found: {why}"))
    }))
}
