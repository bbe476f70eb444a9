//! The point that a position means in the slave's own log.

use fwlog::{LogLocation, LogPoint, Position, SegmentReader};

use crate::databases::control::RedoPoint;
use crate::error::EngineError;

/// Reads the mirror's segment by block heads up to the position.
pub(crate) fn redo_point_at(
    location: &LogLocation,
    position: Position,
) -> Result<RedoPoint, EngineError> {
    let corrupt = |error: fwlog::ReadError| EngineError::Corrupt(error.to_string());
    let mut reader =
        SegmentReader::open(&location.disk, &location.path(position.segment)).map_err(corrupt)?;
    let hash = reader
        .skip_to(position.offset)
        .map_err(corrupt)?
        .ok_or_else(|| {
            EngineError::Corrupt(format!(
                "the master's checkpoint names {position}, which is no block border in {}",
                reader.path().display()
            ))
        })?;
    Ok(RedoPoint {
        point: LogPoint::new(position, hash),
        log_bytes: reader.header().log_bytes + position.offset,
        commit: reader.last_commit(),
    })
}
