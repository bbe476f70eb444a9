//! The log behind a point.

use fwlog::{
    Block, BlockDecoder, EndKind, LogPoint, Position, ReadError, ReadItem, Record, SegmentId,
    SegmentReader, SegmentStore,
};

use crate::error::Error;

/// Takes the records of a log.
pub(crate) trait Take {
    /// A record of this block.
    fn record(&mut self, record: &Record<'_>, block: &Block) -> Result<(), Error>;

    /// The block ends: none of its records belongs to those of the next one.
    fn block_ends(&mut self, _block: &Block) -> Result<(), Error> {
        Ok(())
    }
}

/// How a log ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TailEnd {
    /// Up to here it can be read.
    pub(crate) point: LogPoint,
    /// Where bytes are behind that of a block that was never complete, and why it is none.
    pub(crate) torn: Option<(Position, String)>,
    /// Why what is behind can't be read, though it was complete once.
    pub(crate) damaged: Option<String>,
}

/// The segments that have bytes behind a point, in order; the first is the one that it is in.
pub(crate) fn segments_behind(
    store: &SegmentStore,
    from: LogPoint,
) -> Result<Vec<SegmentId>, Error> {
    let directory = &store.location().directory;
    let all = store.list().map_err(Error::io("list", directory))?;
    let behind = all.into_iter();
    Ok(behind.filter(|id| *id >= from.position.segment).collect())
}

/// Hands over all records behind a point of a log.
///
/// Errors: the log does not have the point; what the taker says. Where the log is damaged, it ends.
pub(crate) fn each(
    store: &SegmentStore,
    from: LogPoint,
    take: &mut dyn Take,
) -> Result<TailEnd, Error> {
    let mut reader = reader_at(store, from)?;
    let mut later = segments_behind(store, from)?.into_iter();
    later.next();
    let mut decoder = BlockDecoder::new();
    loop {
        let end = |torn, damaged, point| {
            Ok(TailEnd {
                point,
                torn,
                damaged,
            })
        };
        let point = reader.point();
        match reader.next(None) {
            Ok(ReadItem::Block(block)) => {
                if let Some(why) = records(&block, &mut decoder, take)? {
                    return end(None, Some(why), point);
                }
            }
            Ok(ReadItem::End(EndKind::Torn { offset, why })) => {
                let at = Position::new(point.position.segment, offset);
                return match later.next() {
                    None => end(Some((at, why.to_string())), None, point),
                    // Behind it the log goes on: it was complete once.
                    Some(_) => end(None, Some(format!("{at}: {why}")), point),
                };
            }
            Ok(ReadItem::Seal(_) | ReadItem::End(EndKind::Clean)) => {
                let Some(next) = later.next() else {
                    return end(None, None, point);
                };
                match SegmentReader::open_in(store, next) {
                    Ok(opened) if opened.header().previous == point.hash => reader = opened,
                    Ok(_) => {
                        let why = format!("segment {next} does not go on from {point}");
                        return end(None, Some(why), point);
                    }
                    Err(error) => return end(None, Some(damage(error)?), point),
                }
            }
            Err(error) => return end(None, Some(damage(error)?), point),
        }
    }
}

/// What a damaged log is told as; a log that can't be read for another reason is an error.
fn damage(error: ReadError) -> Result<String, Error> {
    match error {
        ReadError::Corrupt { .. } => Ok(error.to_string()),
        ReadError::Io(_) => Err(Error::Log(error)),
    }
}

fn reader_at(store: &SegmentStore, from: LogPoint) -> Result<SegmentReader, Error> {
    let mut reader = SegmentReader::open_in(store, from.position.segment)?;
    if reader.skip_to(from.position.offset)? == Some(from.hash) {
        return Ok(reader);
    }
    Err(Error::NotThere {
        directory: store.location().directory.clone(),
        at: from,
    })
}

/// Hands over the records of a block; tells what is wrong with it.
fn records(
    block: &Block,
    decoder: &mut BlockDecoder,
    take: &mut dyn Take,
) -> Result<Option<String>, Error> {
    let told = |why: fwlog::DecodeError| Some(format!("block at {}: {why}", block.start));
    let records = match decoder.records(block) {
        Ok(records) => records,
        Err(why) => return Ok(told(why)),
    };
    for record in records {
        match record {
            Ok(record) => take.record(&record, block)?,
            Err(why) => return Ok(told(why)),
        }
    }
    take.block_ends(block)?;
    Ok(None)
}
