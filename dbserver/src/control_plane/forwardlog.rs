//! `forwardlog status | enable | disable | switch | remove`

use crate::control_plane::{Call, Table};
use crate::databases::control::LogPlace;
use crate::environment::replication_status::ReplicationStatus;
use crate::environment::status::{KeptSegments, LogStatus};
use crate::error::EngineError;
use crate::process::bytes;

/// The forward log: place, position, segments.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog status")?;
    let log = LogStatus::of(call.environment)?;
    let mut table = Table::list();
    describe(&log, &mut table);
    table.typed(&log)
}

/// Begins a new generation in the directory of FwLog; on a slave writes there from the master's next segment on.
pub(crate) fn enable(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog enable")?;
    refuse_audit_only(call)?;
    if call.environment.config().forward_log.location.is_none() {
        return Err(EngineError::state(
            "FwLog is not set in the configuration",
            "Set it ('dbctl config set ForwardLog.FwLog /path/fw-%N') and restart the server.",
        ));
    }
    if let Some(slave) = call.environment.slave() {
        call.environment.switch_mirrored_log(&slave, true)?;
        let is_written = call.environment.core().log_place() == LogPlace::ForwardLog;
        return Ok(Table::done(if is_written {
            "forward logging is enabled"
        } else {
            "forward logging is enabled: it begins with the master's next segment"
        }));
    }
    call.environment
        .master("forwardlog")?
        .move_log(LogPlace::ForwardLog)?;
    Ok(Table::done("forward logging is enabled"))
}

/// Goes on with a journal that is recycled, on a slave too.
pub(crate) fn disable(call: &Call<'_>) -> Result<Table, EngineError> {
    let sure = match call.arguments.as_slice() {
        [] => false,
        ["--yes"] => true,
        _ => {
            let usage = "usage: forwardlog disable [--yes]";
            return Err(EngineError::Usage(usage.into()));
        }
    };
    refuse_audit_only(call)?;
    if !sure {
        refuse_with_slaves(call)?;
    }
    if let Some(slave) = call.environment.slave() {
        call.environment.switch_mirrored_log(&slave, false)?;
        return Ok(Table::done(
            "forward logging is disabled, until it is enabled or the server is restarted",
        ));
    }
    call.environment
        .master("forwardlog")?
        .move_log(LogPlace::Journal)?;
    Ok(Table::done(
        "forward logging is disabled; slaves must be re-synchronized",
    ))
}

/// Seals the segment and begins the next one.
pub(crate) fn switch(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog switch")?;
    refuse_on_slave(call)?;
    let master = call.environment.master("forwardlog switch")?;
    let segment = if call.environment.core().audit_log().is_some() {
        call.environment.core().switch_audit()?
    } else {
        master.writer().switch().map_err(EngineError::LogFailed)?
    };
    let mut table = Table::list();
    table.entry("segment", segment);
    Ok(table)
}

/// Removes the segments that nobody needs; says of each of the others why it stays.
pub(crate) fn remove(call: &Call<'_>) -> Result<Table, EngineError> {
    const USAGE: &str = "usage: forwardlog remove [--keep all|SIZE|TIME] [--dry-run] [--yes]";
    let (mut keep, mut dry_run, mut sure) = (None, false, false);
    let mut words = call.arguments.iter();
    while let Some(word) = words.next() {
        let asked = match *word {
            "--dry-run" => {
                dry_run = true;
                continue;
            }
            "--yes" => {
                sure = true;
                continue;
            }
            "--keep" => words.next().copied(),
            word => word.strip_prefix("--keep="),
        };
        let asked = asked.ok_or_else(|| EngineError::Usage(USAGE.into()))?;
        keep = Some(asked.parse().map_err(EngineError::Usage)?);
    }
    let removed = call.environment.remove_segments(keep, dry_run, sure)?;
    let mut table = Table::new(&["segment", "size", "result", "reason"]);
    for segment in &removed.segments {
        let result = match (segment.removed, dry_run) {
            (true, true) => "would be removed",
            (true, false) => "removed",
            (false, _) => "kept",
        };
        let loses = segment.loses.join(", ");
        let loses = (!loses.is_empty()).then(|| format!("the slot of {loses} is lost"));
        table.rows.push(vec![
            Some(segment.segment.to_string()),
            Some(bytes(segment.bytes)),
            Some(result.to_owned()),
            segment.reason.clone().or(loses),
        ]);
    }
    table.typed(&removed)
}

/// Slaves that could go on from this log lose it at once.
fn refuse_with_slaves(call: &Call<'_>) -> Result<(), EngineError> {
    const HINT: &str = "'forwardlog disable --yes' does it all the same; 'replication forget NAME' is for a slave that is gone for good.";
    let slaves = ReplicationStatus::on_this_log(call.environment).map_err(|error| {
        EngineError::state(
            format!("it is not known which slaves live on this log: {error}"),
            HINT,
        )
    })?;
    let following: Vec<String> = slaves
        .iter()
        .map(|(slave, standing)| format!("{slave} ({standing})"))
        .collect();
    if following.is_empty() {
        return Ok(());
    }
    Err(EngineError::state(
        format!(
            "slaves live on this log, and would have to be re-synchronized: {}",
            following.join(", ")
        ),
        HINT,
    ))
}

/// Whoever may give a command must not be able to do something without a record.
fn refuse_audit_only(call: &Call<'_>) -> Result<(), EngineError> {
    if call.environment.core().audit_log().is_none() {
        return Ok(());
    }
    Err(EngineError::state(
        "AuditOnly = 1: the audit log is written as long as the server runs",
        "Set AuditOnly in the configuration, and restart the server; 'forwardlog switch' begins its next segment.",
    ))
}

/// A slave's log is its master's, byte for byte.
fn refuse_on_slave(call: &Call<'_>) -> Result<(), EngineError> {
    if call.environment.is_read_only() {
        return Err(EngineError::state(
            "the log of a slave follows its master's",
            "Give the command on the master: its segments begin and end here as they do there.",
        ));
    }
    Ok(())
}

/// The lines about the log, for `status` too.
pub(crate) fn describe(log: &LogStatus, table: &mut Table) {
    let word = match (log.enabled, log.begins_with_next_segment) {
        (false, _) if log.audit_only => "audit only, given up",
        (true, _) if log.audit_only => "audit only",
        (false, _) => "disabled",
        (true, false) => "enabled",
        (true, true) => "enabled, from the master's next segment on",
    };
    table.entry("forward log", word);
    table.entry("directory", log.directory.display());
    table.maybe("segment", log.segment.as_ref());
    table.maybe("position", log.position);
    let durable = log.position.zip(log.durable_at);
    table.maybe(
        "durable",
        durable.map(|(position, time)| format!("{position}  ({time})")),
    );
    let trouble = log.trouble_since.zip(log.trouble.as_ref());
    table.maybe(
        "log trouble",
        trouble.map(|(since, text)| format!("since {since}: {text}")),
    );
    if let Some(kept) = &log.kept {
        segments(kept, table);
    }
    if let Some(error) = &log.kept_error {
        table.entry("segments kept", format!("unknown: {error}"));
    }
}

fn segments(kept: &KeptSegments, table: &mut Table) {
    table.maybe("generation since", kept.generation_since);
    table.entry(
        "segments kept",
        format!("{} ({})", kept.segments, bytes(kept.bytes)),
    );
    for damaged in &kept.damaged {
        table.entry("damaged", damaged);
    }
}
