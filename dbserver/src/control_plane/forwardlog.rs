//! `forwardlog status | enable | disable | switch`

use fwlog::LogDirectory;

use crate::control_plane::{Call, Table};
use crate::databases::control::LogPlace;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::process::bytes;

/// The forward log: place, position, segments.
pub(crate) fn status(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog status")?;
    let mut table = Table::list();
    describe(call.environment, &mut table)?;
    Ok(table)
}

/// Begins a new generation in the directory of FwLog.
pub(crate) fn enable(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog enable")?;
    refuse_on_slave(call)?;
    if call.environment.config().forward_log.location.is_none() {
        return Err(EngineError::state(
            "FwLog is not set in the configuration",
            "Set it ('dbctl config set ForwardLog.FwLog /path/fw-%N') and restart the server.",
        ));
    }
    call.environment
        .master("forwardlog")?
        .move_log(LogPlace::ForwardLog)?;
    Ok(Table::done("forward logging is enabled"))
}

/// Goes on with a journal that is recycled.
pub(crate) fn disable(call: &Call<'_>) -> Result<Table, EngineError> {
    call.none("forwardlog disable")?;
    refuse_on_slave(call)?;
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
    let segment = master.writer().switch().map_err(EngineError::LogFailed)?;
    let mut table = Table::list();
    table.entry("segment", segment);
    Ok(table)
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
pub(crate) fn describe(environment: &Environment, table: &mut Table) -> Result<(), EngineError> {
    let place = environment.core().log_place();
    let location = environment.core().log_location()?;
    table.entry(
        "forward log",
        if place == LogPlace::ForwardLog {
            "enabled"
        } else {
            "disabled"
        },
    );
    table.entry("directory", location.directory.display());
    let durable = match environment.slave() {
        None => environment.durable().map(|d| (d.point.position, d.time)),
        Some(slave) => slave.progress().durable.map(|d| (d.point.position, d.time)),
    };
    table.maybe(
        "segment",
        durable.map(|(position, _)| location.naming.file_name(position.segment)),
    );
    table.maybe("position", durable.map(|(position, _)| position));
    table.maybe(
        "durable",
        durable.map(|(position, time)| format!("{position}  ({time})")),
    );
    table.maybe(
        "log trouble",
        environment
            .log_trouble()
            .map(|trouble| format!("since {}: {}", trouble.since, trouble.text)),
    );
    match LogDirectory::scan(&location) {
        Ok(directory) => segments(&directory, table),
        // The rest is worth showing, and this most of all.
        Err(error) => table.entry("segments kept", format!("unknown: {error}")),
    }
    Ok(())
}

fn segments(directory: &LogDirectory, table: &mut Table) {
    let newest = directory.segments().last();
    let first = newest.and_then(|newest| {
        let same = |s: &&fwlog::SegmentInfo| s.id.generation == newest.id.generation;
        directory.segments().iter().find(same)
    });
    table.maybe(
        "generation since",
        first.map(|segment| segment.header.created),
    );
    let size: u64 = directory
        .segments()
        .iter()
        .map(|segment| segment.file_length)
        .sum();
    let kept = directory.segments().len();
    table.entry("segments kept", format!("{kept} ({})", bytes(size)));
    for damaged in directory.damaged() {
        table.entry("damaged", &damaged.error);
    }
}
