//! What the beginning of a log says of a slave that stands before it.

use dbproto::Standing;
use dbproto::state::RESYNCHRONIZE;
use fwlog::{
    BlockDecoder, HistoryLine, LogDirectory, LogLocation, LogPoint, ReadItem, Record, SegmentInfo,
    SegmentReader,
};

use super::unreadable;
use crate::error::{ExitCode, ShipError};

/// A slave that has commits of its own must not be taken for one that is only behind: where the log begins with another
/// generation than the slave's, it has to tell where that left the slave's history. `None`: the slave is behind.
///
/// `next` is where the source's history says that this generation was left, where it knows: then no segment has to tell.
pub(super) fn refuse_diverged(
    location: &LogLocation,
    slave: LogPoint,
    next: Option<&HistoryLine>,
) -> Result<Option<ShipError>, ShipError> {
    let directory = LogDirectory::scan(location).map_err(unreadable)?;
    let generation = slave.position.segment.generation;
    // The first generation that the slave's log is not in, as far as the log here has it.
    let mut segments = directory.segments().iter();
    let Some(first) = segments.next().filter(|it| it.id.generation > generation) else {
        return Ok(None);
    };
    // A file that cannot be read for the moment may be the one that tells: nothing is concluded without it.
    directory
        .undamaged(|damaged| damaged < first.id)
        .map_err(unreadable)?;
    let begins = first.id.sequence.get() == 1;
    let parent = match next {
        Some(next) => Some((next.number, next.parent)),
        None if begins => parent(location, first)?.map(|parent| (first.id.generation, parent)),
        None => None,
    };
    Ok(match parent {
        Some((_, parent)) if slave.position <= parent.position => None,
        Some((number, parent)) => Some(diverged(format!(
            "diverged: the slave's log differs from the master's after {}: generation {number} of the master's begins there, and the slave is at {}",
            parent.position, slave.position
        ))),
        None => Some(diverged(format!(
            "the master's log begins with {}, and does not tell any more where it left generation {generation}, which the slave is in, at {}: whether the slave has commits of its own can't be known",
            first.path.display(),
            slave.position
        ))),
    })
}

fn diverged(message: String) -> ShipError {
    ShipError::new(ExitCode::NoSynchronizationPoint, message)
        .hint(RESYNCHRONIZE)
        .standing(Standing::Diverged)
}

/// The point that the generation of this segment, its first, goes on from.
fn parent(location: &LogLocation, first: &SegmentInfo) -> Result<Option<LogPoint>, ShipError> {
    let mut reader = SegmentReader::open(&location.disk, &first.path).map_err(unreadable)?;
    let ReadItem::Block(block) = reader.next(None).map_err(unreadable)? else {
        return Ok(None);
    };
    let mut decoder = BlockDecoder::new();
    let Ok(records) = decoder.records(&block) else {
        return Ok(None);
    };
    Ok(records.flatten().find_map(|record| match record {
        Record::Generation(start) => Some(start.parent),
        _ => None,
    }))
}
