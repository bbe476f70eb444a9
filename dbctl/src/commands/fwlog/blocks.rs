//! The blocks of a log, one after another: of files that are there, or of a log that is being written.

use std::path::Path;
use std::time::Duration;

use disk::Disk;
use fwlog::{
    Block, BlockDecoder, EndKind, Follow, FollowItem, HEADER_SIZE, LogDirectory, LogLocation,
    LogPoint, Position, ReadItem, Record, SegmentHeader, SegmentReader, Timestamp,
};

use crate::args::FwlogFiles;
use crate::commands::fwlog::files::{Files, configured_location};
use crate::commands::fwlog::read_failure;
use crate::error::{CommandError, Exit, Result};
use crate::interrupt::Wish;
use crate::invocation::Invocation;
use crate::output;

/// How long a log that is followed is left alone when there is nothing new.
const PAUSE: Duration = Duration::from_millis(200);

/// Takes the records of a log.
pub(crate) trait Take {
    /// A segment begins.
    fn segment(&mut self, _header: &SegmentHeader, _file: &Path) -> Result<()> {
        Ok(())
    }

    /// A record of the block at this position.
    fn record(&mut self, record: &Record<'_>, at: Position) -> Result<()>;

    /// The block at this position ends: none of its records belongs to those of the next one.
    fn block_ends(&mut self, at: Position) -> Result<()>;

    /// All that there is was taken, for now.
    fn up_to_date(&mut self) -> Result<()>;

    /// Whether nothing from this time on is wanted.
    fn ends_before(&self, time: Timestamp) -> bool;
}

/// Hands over all records of the files; with `follow` those of the log of a server, for ever.
pub(crate) async fn each(
    invocation: &Invocation,
    files: &FwlogFiles,
    follow: bool,
    take: &mut dyn Take,
) -> Result<()> {
    let wish = Wish::listen()?;
    if follow {
        let location = followed(invocation, files)?;
        return each_followed(location, &wish, take).await;
    }
    let files = Files::collect(invocation, files)?;
    files.refuse_nothing("nothing was read")?;
    let durable = files.durable;
    let log = files.undamaged()?;
    refuse_gaps(&log)?;
    let mut decoder = BlockDecoder::new();
    for info in log.segments() {
        let mut reader = SegmentReader::open(&Disk::real(), &info.path).map_err(read_failure)?;
        take.segment(reader.header(), &info.path)?;
        let position = durable.map(|durable| durable.point.position);
        // What a server that runs has written and not synced may still be lost.
        let limit = position
            .filter(|position| position.segment == info.id && info.sealed.is_none())
            .map(|position| position.offset);
        loop {
            match reader.next(limit).map_err(read_failure)? {
                ReadItem::Block(block) => {
                    if take.ends_before(block.head.time) {
                        return take.up_to_date();
                    }
                    records(&block, &mut decoder, take)
                        .map_err(|error| error.in_file(&info.path))?;
                    if wish.is_there() {
                        return interrupted(take);
                    }
                }
                ReadItem::Seal(_) | ReadItem::End(EndKind::Clean) => break,
                ReadItem::End(EndKind::Torn { offset, why }) => {
                    output::note(format_args!("torn tail at {}:{offset}: {why}", info.id));
                    break;
                }
            }
        }
    }
    take.up_to_date()
}

/// What was read is printed.
fn interrupted(take: &mut dyn Take) -> Result<()> {
    take.up_to_date()?;
    Err(CommandError::told(Exit::Interrupted))
}

fn records(block: &Block, decoder: &mut BlockDecoder, take: &mut dyn Take) -> Result<()> {
    let damaged = |why| CommandError::error(format!("block at {}: {why}", block.start));
    for record in decoder.records(block).map_err(damaged)? {
        take.record(&record.map_err(damaged)?, block.start)?;
    }
    take.block_ends(block.start)
}

/// Rows and whole transactions can only be told from a log without a hole.
fn refuse_gaps(log: &LogDirectory) -> Result<()> {
    match log.gaps().first() {
        None => Ok(()),
        Some(gap) => Err(CommandError::error(format!(
            "{} does not go on from {}: what lies between is missing",
            gap.behind, gap.before
        ))
        .with_hint("name all segments of that part of the log, or only those behind the gap")),
    }
}

/// The log that is followed: segments to come have no files yet, so it is named by the pattern.
fn followed(invocation: &Invocation, files: &FwlogFiles) -> Result<LogLocation> {
    match files.paths.as_slice() {
        [] => configured_location(invocation),
        [pattern] => LogLocation::parse(pattern).map_err(|error| {
            CommandError::usage(format!("{}: {error}", pattern.display()))
                .with_hint("with --follow name the pattern as FwLog has it, as /fwlog/fw-%N")
        }),
        _ => Err(CommandError::usage("--follow takes one log")
            .with_hint("name the pattern as FwLog has it, as /fwlog/fw-%N")),
    }
}

async fn each_followed(location: LogLocation, wish: &Wish, take: &mut dyn Take) -> Result<()> {
    let log = LogDirectory::scan(&location).map_err(read_failure)?;
    let first = log.segments().first().ok_or_else(|| {
        CommandError::error(format!(
            "there are no segments in {}",
            location.directory.display()
        ))
    })?;
    let start = LogPoint::new(Position::new(first.id, 0), first.header.previous);
    let failed = |error: fwlog::FollowError| CommandError::error(error.to_string());
    let mut follow = Follow::start(location, start).map_err(failed)?;
    let mut decoder = BlockDecoder::new();
    let mut at = start.position;
    loop {
        match follow.next().map_err(failed)? {
            FollowItem::Segment {
                id,
                path,
                header_bytes,
            } => {
                at = Position::new(id, HEADER_SIZE as u64);
                let header = SegmentHeader::decode(&header_bytes)
                    .map_err(|why| CommandError::error(format!("{}: {why}", path.display())))?;
                take.segment(&header, &path)?;
            }
            FollowItem::Blocks { mut bytes, .. } => {
                while !bytes.is_empty() {
                    let block = Block::split_from(&mut bytes, at)
                        .map_err(|why| CommandError::error(format!("block at {at}: {why}")))?;
                    at = block.end.position;
                    if take.ends_before(block.head.time) {
                        return take.up_to_date();
                    }
                    records(&block, &mut decoder, take)?;
                    if wish.is_there() {
                        return interrupted(take);
                    }
                }
            }
            FollowItem::Seal { .. } => {}
            FollowItem::UpToDate(_) | FollowItem::Until(_) => {
                take.up_to_date()?;
                if follow.switched_off() {
                    output::note("forward logging was switched off: nothing comes behind this");
                    return Ok(());
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = wish.comes() => return interrupted(take),
                }
            }
        }
    }
}
