//! The borders of the log, for finding a fork point.

use dbproto::{Border, BorderKind};
use fwlog::{DurableEnd, LogDirectory, LogLocation, Position, ReadItem, SegmentId, SegmentReader};

use super::unreadable;
use crate::error::ShipError;

/// The borders of one kind between two positions, both included, as far as the log is durable.
pub fn collect(
    location: &LogLocation,
    of: BorderKind,
    from: Option<Position>,
    to: Position,
) -> Result<Vec<Border>, ShipError> {
    let end = DurableEnd::read(&location.disk, &location.directory)
        .map_err(|error| ShipError::passing(error.to_string()))?
        .map(|end| end.durable.point.position);
    let to = end.map_or(to, |end| end.min(to));
    let directory = LogDirectory::scan(location).map_err(unreadable)?;
    let mut borders = match of {
        BorderKind::Segments => segments(&directory),
        BorderKind::Blocks(id) => blocks(&directory, id, to)?,
    };
    borders.retain(|border| {
        let position = border.point.position;
        from.is_none_or(|from| from <= position) && position <= to
    });
    Ok(borders)
}

fn segments(directory: &LogDirectory) -> Vec<Border> {
    let border = |header: &fwlog::SegmentHeader| Border {
        point: header.start(),
        commit: Some(header.last_commit),
        time: Some(header.created),
    };
    directory
        .segments()
        .iter()
        .map(|info| border(&info.header))
        .collect()
}

fn blocks(directory: &LogDirectory, id: SegmentId, to: Position) -> Result<Vec<Border>, ShipError> {
    let Some(info) = directory.need(id).map_err(unreadable)? else {
        return Ok(Vec::new());
    };
    // Only the newest segment has a limit: what is behind the durable end may be half written.
    let limit = (to.segment == id && info.sealed.is_none()).then_some(to.offset);
    let mut reader = SegmentReader::open(directory.disk(), &info.path).map_err(unreadable)?;
    let mut borders = vec![border(&reader)];
    while let ReadItem::Block(_) = reader.next(limit).map_err(unreadable)? {
        if reader.point().position > to {
            break;
        }
        borders.push(border(&reader));
    }
    Ok(borders)
}

fn border(reader: &SegmentReader) -> Border {
    Border {
        point: reader.point(),
        commit: Some(reader.last_commit()),
        time: Some(reader.time()),
    }
}
