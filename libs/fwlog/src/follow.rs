//! Following a log that is being written: what a shipper sends to a slave.

use std::io;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};

use crate::block::Block;
use crate::damage::{Damage, ReadError};
use crate::directory::{LogDirectory, SegmentInfo};
use crate::durable_end::{Durable, DurableEnd, PositionReader};
use crate::follow_error::{FollowError, NoSyncPoint};
use crate::location::LogLocation;
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position, SegmentId};
use crate::reader::{EndKind, ReadItem, SegmentReader};
use crate::timestamp::Timestamp;

/// How many bytes of blocks are given at a time, unless the caller wants otherwise.
const BATCH: usize = 1 << 20;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowItem {
    /// A segment begins.
    Segment {
        /// Its number.
        id: SegmentId,
        /// Its file.
        path: PathBuf,
        /// Its header, as it is in the file.
        header_bytes: Bytes,
    },
    /// Whole blocks.
    Blocks {
        /// The blocks, as they are in the file.
        bytes: Bytes,
        /// Where they end.
        last: LogPoint,
        /// Newest commit at their end.
        last_commit: CommitNumber,
        /// Time of the last one.
        time: Timestamp,
        /// Bytes of log up to their end.
        log_bytes: u64,
    },
    /// The segment ends.
    Seal {
        /// The seal, as it is in the file.
        bytes: Bytes,
    },
    /// There is nothing more that is durable. Wait for a change of `fw.position`, then ask again.
    UpToDate(Durable),
    /// The next block is later than the time up to which to follow.
    Until(LogPoint),
}

/// Reads a log from a position on, across segments and generations, and never beyond what is
/// durable.
#[derive(Debug)]
pub struct Follow {
    location: LogLocation,
    position: PositionReader,
    /// Somebody says when a name in the directory has changed.
    names_watched: bool,
    reader: SegmentReader,
    at: At,
    durable: Durable,
    switched_off: bool,
    /// Read already, but not given yet.
    held: Option<ReadItem>,
    /// End of what was given.
    given: LogPoint,
    batch: usize,
    until: Option<Timestamp>,
}

/// What has become of the name of the segment that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reopened {
    /// It is still that file's, or nothing's.
    Not,
    /// Another file with the same history has it, and is read from now on.
    Same,
    /// A file with another history has it.
    Other,
}

/// Where in its segment the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Header,
    Blocks,
    Sealed,
}

impl Follow {
    /// Begins at a point of the log's history. [`LogPoint::ORIGIN`] is where an empty slave begins.
    pub fn start(location: LogLocation, at: LogPoint) -> Result<Self, FollowError> {
        let mut position = PositionReader::of(&location.disk, &location.directory);
        let DurableEnd {
            durable,
            switched_off,
            ..
        } = read_durable(&mut position)?;
        let directory = LogDirectory::scan(&location)?;
        let (reader, place) = find(&directory, at, &durable)?;
        let (held, batch, until) = (None, BATCH, None);
        Ok(Self {
            location,
            position,
            names_watched: false,
            reader,
            at: place,
            durable,
            switched_off,
            held,
            given: at,
            batch,
            until,
        })
    }

    /// Gives about so many bytes of blocks at a time; a larger block is given alone.
    pub fn set_batch(&mut self, bytes: usize) {
        self.batch = bytes;
    }

    /// Follows up to this time, inclusive.
    pub fn set_until(&mut self, time: Option<Timestamp>) {
        self.until = time;
    }

    /// From now on the caller says when a file of the directory may have got another name, by
    /// [`Follow::names_changed`]: `fw.position` need not be opened each time that it is read.
    pub fn names_are_watched(&mut self) {
        self.names_watched = true;
    }

    /// `fw.position` may be another file by now.
    pub fn names_changed(&mut self) {
        self.position.close();
    }

    /// The segment that is being read, and its file.
    pub fn segment(&self) -> (SegmentId, &Path) {
        (self.reader.header().id, self.reader.path())
    }

    /// The durable end as it was last seen.
    pub fn durable(&self) -> Durable {
        self.durable
    }

    /// Forward logging was switched off at that end: nothing ever comes behind it.
    pub fn switched_off(&self) -> bool {
        self.switched_off
    }

    /// Where what was given ends, and whether the seal that stands there was given, too.
    pub fn given(&self) -> (LogPoint, bool) {
        (self.given, self.at == At::Sealed)
    }

    /// What comes next. After [`FollowItem::UpToDate`] and [`FollowItem::Until`] it may be asked
    /// again at any time; after an error it may not.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, and it can fail"
    )]
    pub fn next(&mut self) -> Result<FollowItem, FollowError> {
        loop {
            let item = match self.at {
                At::Header => Some(self.give_header()),
                At::Blocks => self.next_of_segment()?,
                At::Sealed => self.next_segment()?,
            };
            if let Some(item) = item {
                return Ok(item);
            }
            let before = self.durable;
            if !self.names_watched {
                self.position.close();
            }
            let end = read_durable(&mut self.position)?;
            (self.durable, self.switched_off) = (end.durable, end.switched_off);
            let (point, known) = (self.durable.point, before.point);
            if point.position < known.position
                || (point.position == known.position && point.hash != known.hash)
            {
                return Err(self.replaced());
            }
            if self.durable == before {
                return Ok(FollowItem::UpToDate(before));
            }
        }
    }

    fn give_header(&mut self) -> FollowItem {
        self.at = At::Blocks;
        self.given = self.reader.point();
        FollowItem::Segment {
            id: self.reader.header().id,
            path: self.reader.path().to_owned(),
            header_bytes: self.reader.header_bytes(),
        }
    }

    /// Blocks, or the seal; `None` when there is nothing more that is known to be durable.
    fn next_of_segment(&mut self) -> Result<Option<FollowItem>, FollowError> {
        match self.take()? {
            None => Ok(None),
            Some(ReadItem::Block(block)) if self.is_too_late(&block) => {
                self.held = Some(ReadItem::Block(block));
                Ok(Some(FollowItem::Until(self.given)))
            }
            Some(ReadItem::Block(block)) => self.batch(block).map(Some),
            Some(ReadItem::Seal(bytes)) => {
                self.at = At::Sealed;
                Ok(Some(FollowItem::Seal { bytes }))
            }
            Some(ReadItem::End(end)) => {
                let why = match end {
                    EndKind::Clean => Damage::NotSealed,
                    EndKind::Torn { why, .. } => why,
                };
                let offset = self.reader.point().position.offset;
                Err(ReadError::corrupt(self.reader.path(), offset, why).into())
            }
        }
    }

    /// What was held back, or what stands next in the segment, as far as it is durable.
    fn take(&mut self) -> Result<Option<ReadItem>, FollowError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let here = self.reader.point().position;
        let end = self.durable.point.position;
        // A segment before the durable one, and one that is durably sealed, is read to its seal.
        let limit = if here.segment < end.segment || (here == end && self.durable.sealed) {
            None
        } else if here < end {
            Some(end.offset)
        } else {
            return Ok(None);
        };
        let item = self.read(limit)?;
        if let ReadItem::Block(block) = &item
            && block.end.position > end
        {
            // The file goes on where its owner has sealed it.
            let offset = block.start.offset;
            return Err(
                ReadError::corrupt(self.reader.path(), offset, Damage::TrailingData).into(),
            );
        }
        Ok(Some(item))
    }

    /// Reads on. Where the file does not have what it should, its owner may have written the segment
    /// once more because somebody had taken its name away: then from the file of that name.
    fn read(&mut self, limit: Option<u64>) -> Result<ReadItem, FollowError> {
        let result = self.reader.next(limit);
        let unexpected = matches!(
            result,
            Ok(ReadItem::End(_)) | Err(ReadError::Corrupt { .. })
        );
        if !unexpected {
            return Ok(result?);
        }
        match self.reopened()? {
            Reopened::Not => Ok(result?),
            Reopened::Same => Ok(self.reader.next(limit)?),
            Reopened::Other => Err(self.replaced()),
        }
    }

    /// A durable end never goes back, and a segment is never written otherwise.
    fn replaced(&self) -> FollowError {
        FollowError::Replaced(self.location.directory.clone())
    }

    /// Goes on in the file that has the segment's name now, if that is another one and has the same
    /// history.
    fn reopened(&mut self) -> Result<Reopened, FollowError> {
        let disk = &self.location.disk;
        if self.reader.has_name(disk)? {
            return Ok(Reopened::Not);
        }
        let mut reader = match SegmentReader::open(disk, self.reader.path()) {
            Err(ReadError::Io(failure)) if failure.kind == io::ErrorKind::NotFound => {
                return Ok(Reopened::Not);
            }
            // It may not be whole yet.
            Err(ReadError::Corrupt { .. }) => return Ok(Reopened::Other),
            other => other?,
        };
        let here = self.reader.point();
        let same = reader.header() == self.reader.header()
            && reader.skip_to(here.position.offset)? == Some(here.hash);
        if !same {
            return Ok(Reopened::Other);
        }
        self.reader = reader;
        Ok(Reopened::Same)
    }

    fn is_too_late(&self, block: &Block) -> bool {
        self.until.is_some_and(|until| block.head.time > until)
    }

    /// `first`, and what else fits behind it.
    fn batch(&mut self, first: Block) -> Result<FollowItem, FollowError> {
        let mut last = first;
        let mut bytes = BytesMut::new();
        loop {
            let next = self.take()?;
            match next {
                Some(ReadItem::Block(block))
                    if !self.is_too_late(&block)
                        && bytes.len() + last.bytes.len() + block.bytes.len() <= self.batch =>
                {
                    bytes.extend_from_slice(&last.bytes);
                    last = block;
                }
                other => {
                    self.held = other;
                    break;
                }
            }
        }
        self.given = last.end;
        let bytes = if bytes.is_empty() {
            last.bytes
        } else {
            bytes.extend_from_slice(&last.bytes);
            bytes.freeze()
        };
        let before = self.reader.header().log_bytes;
        Ok(FollowItem::Blocks {
            bytes,
            last: last.end,
            last_commit: last.head.last_commit,
            time: last.head.time,
            log_bytes: before.saturating_add(last.end.position.offset),
        })
    }

    /// Opens the segment behind the sealed one; `None` while it is not durable.
    fn next_segment(&mut self) -> Result<Option<FollowItem>, FollowError> {
        let id = self.reader.header().id;
        if self.durable.point.position.segment <= id {
            return Ok(None);
        }
        let directory = LogDirectory::scan(&self.location)?;
        let next = directory.need_after(id)?;
        let next = next.filter(|next| self.goes_on_in(next));
        let next = next.ok_or(FollowError::Gap(id))?;
        self.reader = SegmentReader::open(&self.location.disk, &next.path)?;
        Ok(Some(self.give_header()))
    }

    /// Whether this segment follows the one that was read to its seal. That one may be gone meanwhile.
    fn goes_on_in(&self, next: &SegmentInfo) -> bool {
        let here = self.reader.header();
        next.id.may_follow(here.id)
            && next.header.environment == here.environment
            && next.header.previous == self.reader.point().hash
            && next.header.last_commit == self.reader.last_commit()
    }
}

fn read_durable(position: &mut PositionReader) -> Result<DurableEnd, FollowError> {
    position.read()?.ok_or(FollowError::NoDurableEnd)
}

/// Finds the point `at` in the log.
fn find(
    directory: &LogDirectory,
    at: LogPoint,
    durable: &Durable,
) -> Result<(SegmentReader, At), FollowError> {
    let position = at.position;
    let end = durable.point.position;
    let Some(info) = directory.need(position.segment)? else {
        return find_outside(directory, at, end);
    };
    if position > end {
        return Err(NoSyncPoint::AheadOfMaster { durable: end }.into());
    }
    let mut reader = SegmentReader::open(directory.disk(), &info.path)?;
    let (hash, place) = if position.offset == 0 {
        (Some(info.header.previous), At::Header)
    } else {
        (reader.skip_to(position.offset)?, At::Blocks)
    };
    if hash == Some(at.hash) {
        Ok((reader, place))
    } else {
        Err(NoSyncPoint::Diverged { at: position }.into())
    }
}

/// The segment of `at` is not there. That does no harm where `at` is the end of it, and the next
/// segment is there.
fn find_outside(
    directory: &LogDirectory,
    at: LogPoint,
    end: Position,
) -> Result<(SegmentReader, At), FollowError> {
    let wanted = at.position.segment;
    if let Some(next) = directory.need_after(wanted)?
        && next.header.previous == at.hash
        && next.id.may_follow(wanted)
    {
        return Ok((
            SegmentReader::open(directory.disk(), &next.path)?,
            At::Header,
        ));
    }
    let segments = directory.segments();
    let Some(first) = segments.first() else {
        return Err(NoSyncPoint::Missing(wanted).into());
    };
    let known = segments
        .iter()
        .any(|info| info.id.generation == wanted.generation);
    Err(if wanted < first.id {
        NoSyncPoint::LogBeginsLater {
            first: first.header.before().position,
        }
        .into()
    } else if !known && !is_gap_around(segments, wanted) {
        NoSyncPoint::UnknownGeneration(wanted.generation).into()
    } else if wanted > end.segment {
        NoSyncPoint::AheadOfMaster { durable: end }.into()
    } else if is_unbroken_around(segments, wanted) {
        // This history never had such a segment: it left the other one before.
        NoSyncPoint::Diverged { at: at.position }.into()
    } else {
        NoSyncPoint::Missing(wanted).into()
    })
}

/// Whether something is missing between the segments before and behind the place of this one.
fn is_gap_around(segments: &[SegmentInfo], id: SegmentId) -> bool {
    let behind = segments.iter().any(|info| info.id > id);
    behind && !is_unbroken_around(segments, id)
}

/// Whether the segments before and behind the place of this one follow each other.
fn is_unbroken_around(segments: &[SegmentInfo], id: SegmentId) -> bool {
    let place = segments.partition_point(|info| info.id < id);
    let (before, behind) = segments.split_at(place);
    match (before.last(), behind.first()) {
        (Some(before), Some(behind)) => behind.follows(before),
        _ => false,
    }
}
