//! The generations that a log tells of itself.

use std::io;

use crate::block::BlockDecoder;
use crate::damage::{During, ReadError};
use crate::history::{GenerationId, HistoryLine};
use crate::location::LogLocation;
use crate::numbers::{Generation, Sequence};
use crate::position::Position;
use crate::reader::{ReadItem, SegmentReader};
use crate::record::Record;

/// The generations behind `after` whose first block is in a log, in order, as far as that is durable: up to `end`. Reads
/// one block of each.
///
/// A segment that is damaged tells nothing; that it is damaged others tell.
pub fn generations_in(
    location: &LogLocation,
    after: Option<Generation>,
    end: Position,
) -> Result<Vec<HistoryLine>, ReadError> {
    let segments = location.list().during("list", &location.directory)?;
    let first = segments.into_iter().filter(|id| {
        id.sequence == Sequence::FIRST
            && id.generation <= end.segment.generation
            && after.is_none_or(|after| id.generation > after)
    });
    let mut lines = Vec::new();
    for id in first {
        let limit = (id == end.segment).then_some(end.offset);
        match read(location, &location.path(id), limit) {
            Ok(line) => lines.extend(line.filter(|line| line.number == id.generation)),
            Err(ReadError::Corrupt { .. }) => {}
            // Somebody has removed an old segment.
            Err(ReadError::Io(failure)) if failure.kind == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(lines)
}

fn read(
    location: &LogLocation,
    path: &std::path::Path,
    limit: Option<u64>,
) -> Result<Option<HistoryLine>, ReadError> {
    let mut reader = SegmentReader::open(&location.disk, path)?;
    let commit = reader.header().last_commit;
    let number = reader.header().id.generation;
    let ReadItem::Block(block) = reader.next(limit)? else {
        return Ok(None);
    };
    let mut decoder = BlockDecoder::new();
    let Ok(records) = decoder.records(&block) else {
        return Ok(None);
    };
    let id = GenerationId::new(block.end.hash);
    Ok(records.flatten().find_map(|record| match record {
        Record::Generation(start) => Some(HistoryLine::new(number, &start, id, commit)),
        _ => None,
    }))
}
