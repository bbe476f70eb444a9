//! Whether a slave can still be brought to a point in time.

use dbproto::Progress;
use fwlog::{LogDirectory, LogLocation, Position, SegmentId, SegmentInfo, Timestamp};

use super::unreadable;
use crate::error::{ExitCode, ShipError};

/// Refuses a point in time that lies before what the slave has, or before the log's beginning.
pub fn reaches_back(
    location: &LogLocation,
    slave: Option<Progress>,
    until: Timestamp,
) -> Result<(), ShipError> {
    let directory = LogDirectory::scan(location).map_err(unreadable)?;
    let Some(slave) = slave else {
        let first = directory.segments().first();
        return match first.filter(|first| first.header.created > until) {
            None => Ok(()),
            Some(first) => Err(begins_later(first)),
        };
    };
    if slave.time <= until {
        return Ok(());
    }
    // The time of a slave that was made from a copy is not that of its last commit.
    let at = slave.point.position;
    let end = Position::new(SegmentId::new(u32::MAX, u32::MAX), 0);
    let next = directory.commit_time_behind(at, end).map_err(unreadable)?;
    if next.is_some_and(|next| next <= until) {
        return Ok(());
    }
    Err(ShipError::new(
        ExitCode::Error,
        format!(
            "the slave is at {} already (commit {}), after that point in time",
            slave.time,
            slave.commit.get()
        ),
    )
    .hint("replication never goes back: an empty slave takes the log up to a point in time"))
}

fn begins_later(first: &SegmentInfo) -> ShipError {
    let hint = if first.id == SegmentId::FIRST {
        "give a later time"
    } else {
        "bring the segments before it back from a backup, or give a later time"
    };
    let begins = first.header.created;
    ShipError::new(
        ExitCode::Error,
        format!("the log begins at {begins}, after that point in time"),
    )
    .hint(format!(
        "{hint}; 'dbctl fwlog list' shows when each segment begins"
    ))
}
