//! What the owner of a log does at start-up: verify, redo, and cut off what a crash left.
//!
//! Blocks are given to the caller in the order of the log; what they mean is the caller's business.
//! None is given before it is on the disk: redo makes and removes files, and must not do so for a block
//! that the next recovery may not find. No file is changed before all of them were good.
//! A crash at any point leaves a log that the next recovery treats in the same way, and to recover a
//! recovered log changes nothing.

mod segments;

use std::error::Error;

use disk::DiskFile;

use crate::block::Block;
use crate::cut_tail::Torn;
use crate::damage::{Damage, During, IoFailure, ReadError};
use crate::durable_end::{Durable, DurableEnd};
use crate::header::{HEADER_SIZE, SegmentHeader};
use crate::identity::EnvironmentId;
use crate::numbers::{CommitNumber, Sequence};
use crate::position::{LogPoint, Position, SegmentId};
use crate::reader::{EndKind, ReadItem, SegmentReader};
use crate::recover::segments::Segments;
use crate::seal::SEAL_SIZE;
use crate::segment_end::SegmentEnd;
use crate::store::SegmentStore;
use crate::tail::Tail;
use crate::timestamp::Timestamp;

/// Blocks are written again in pieces of this size.
const PIECE: usize = 1 << 20;

/// Whether recovery ends with a sealed segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealNewest {
    /// A master seals it, and begins the next one.
    Yes,
    /// A slave leaves it open, and goes on with it.
    No,
}

/// What to recover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverOptions {
    /// Blocks behind this point are redone; `None` for all there are. The point may be the end of a
    /// segment that is elsewhere, when the one that follows it is here.
    pub from: Option<LogPoint>,
    /// Whether the newest segment is sealed.
    pub seal: SealNewest,
    /// After a failure of the writer in this process: its durable end. What it wrote behind that, and
    /// behind `fw.position`, was never acknowledged, and is cut off even where it is whole.
    pub discard_behind: Option<Position>,
}

/// The log as recovery has left it: whole, and durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The environment that the log belongs to.
    pub environment: EnvironmentId,
    /// Its end.
    pub end: LogPoint,
    /// Bytes of log up to there.
    pub log_bytes: u64,
    /// Newest commit.
    pub last_commit: CommitNumber,
    /// Time of the last block.
    pub time: Timestamp,
    /// Whether the newest segment is sealed.
    pub sealed: bool,
    /// What was cut off.
    pub cut: Option<Torn>,
}

impl Recovered {
    /// The same as a durable end.
    pub fn durable(&self) -> Durable {
        Durable {
            point: self.end,
            commit: self.last_commit,
            time: self.time,
            log_bytes: self.log_bytes,
            sealed: self.sealed,
        }
    }
}

/// What the caller of [`recover`] could not do with a block.
pub type ApplyError = Box<dyn Error + Send + Sync>;

/// Why a log could not be recovered. Nothing was changed, unless it is an I/O failure, or the caller's.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// There is no segment.
    #[error("there is no forward log")]
    NoLog,
    /// The point to redo from is not in the log.
    #[error("the log does not have the point {0} to redo from")]
    NoStart(LogPoint),
    /// The log is damaged, or can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something could not be written.
    #[error(transparent)]
    Io(#[from] IoFailure),
    /// The caller could not apply a block.
    #[error("can't apply the block at {at}")]
    Apply {
        /// Where the block begins.
        at: Position,
        /// What the caller said.
        source: ApplyError,
    },
}

/// Reads the log from `options.from` to its end, cuts off a torn tail of the newest segment, makes
/// everything before it durable, and gives each block to `on_block`.
///
/// What `fw.position` says is durable is given while it is read; the rest, which is little, is read
/// twice.
///
/// Segments that are not here are taken from the directory of older ones, see
/// [`SegmentStore::with_older_in`].
///
/// Only what lies behind the durable end of `fw.position` is ever cut. Damage before it, and damage
/// in any segment but the newest, is an error that says where.
pub fn recover(
    store: &SegmentStore,
    options: RecoverOptions,
    on_block: &mut dyn FnMut(&Block) -> Result<(), ApplyError>,
) -> Result<Recovered, RecoverError> {
    let position = store
        .read_position()
        .during("read", &store.position_path())?;
    let durable = position.and_then(|content| DurableEnd::decode(&content));
    let here = store
        .list()
        .during("list the directory of", &store.position_path())?;
    let mut segments = Segments::find(store, here, options.from)?;
    let newest = segments.newest().ok_or(RecoverError::NoLog)?;
    let mut options = options;
    if let (Some(behind), Some(end)) = (&mut options.discard_behind, &durable) {
        // What `fw.position` has was synced before, and may be on slaves.
        *behind = end.durable.point.position.max(*behind);
    }
    let mut scan = Scan {
        store,
        options,
        durable,
        newest,
        on_block,
        cut: None,
        held_back: None,
    };
    let mut previous: Option<SegmentReader> = None;
    while let Some(reader) = segments.open_next(&scan, previous.as_ref())? {
        let id = reader.header().id;
        let (mut reader, sealed) = scan.read(reader)?;
        if id == newest {
            scan.check_durable_end(&reader)?;
            let recovered = scan.complete(&reader, sealed)?;
            scan.give_held_back(&mut reader, recovered.end)?;
            return Ok(recovered);
        }
        if !sealed {
            // Where the one behind has no place here, that is what is wrong.
            let strange = segments.open_next(&scan, Some(&reader)).err();
            return Err(strange
                .filter(has_no_place)
                .unwrap_or_else(|| corrupt(&reader, Damage::NotSealed)));
        }
        previous = Some(reader);
    }
    Err(RecoverError::NoLog)
}

struct Scan<'a> {
    store: &'a SegmentStore,
    options: RecoverOptions,
    durable: Option<DurableEnd>,
    newest: SegmentId,
    on_block: &'a mut dyn FnMut(&Block) -> Result<(), ApplyError>,
    cut: Option<Damage>,
    /// Where the blocks begin that are not known to be durable.
    held_back: Option<SegmentEnd>,
}

impl Scan<'_> {
    /// Looks whether a segment goes on where the one before it ends; the first one begins to be read where
    /// the options say.
    fn begin(
        &self,
        mut reader: SegmentReader,
        previous: Option<&SegmentReader>,
    ) -> Result<SegmentReader, RecoverError> {
        let id = reader.header().id;
        if let Some(previous) = previous {
            let (earlier, header) = (previous.header(), reader.header());
            let length = previous.point().position.offset;
            let follows = id.may_follow(earlier.id)
                && header.environment == earlier.environment
                && header.previous == previous.point().hash
                && header.last_commit == previous.last_commit()
                && header.log_bytes == earlier.log_bytes.saturating_add(length);
            return if follows {
                Ok(reader)
            } else {
                Err(corrupt(&reader, why_not_next(earlier, header)))
            };
        }
        let Some(from) = self.options.from else {
            return Ok(reader);
        };
        let hash = match from.position.offset {
            // The log goes on here: the point is the end of what this segment follows.
            _ if id != from.position.segment => Some(reader.header().previous),
            0 => Some(reader.header().previous),
            offset => reader.skip_to(offset)?,
        };
        if hash == Some(from.hash) {
            Ok(reader)
        } else {
            Err(RecoverError::NoStart(from))
        }
    }

    /// Reads a segment to its end; tells whether it is sealed there.
    fn read(&mut self, mut reader: SegmentReader) -> Result<(SegmentReader, bool), RecoverError> {
        loop {
            let before = reader.end();
            match reader.next(None)? {
                ReadItem::Block(block) if self.is_discarded(&block) => {
                    self.cut = Some(Damage::NotAcknowledged);
                    reader.step_back(before);
                    return Ok((reader, false));
                }
                ReadItem::Block(block) => {
                    self.check_durable_hash(&block, &reader)?;
                    if self.is_durable(&block) {
                        self.give(&block)?;
                    } else {
                        self.held_back.get_or_insert(before);
                    }
                }
                ReadItem::Seal(_) => return Ok((reader, true)),
                ReadItem::End(EndKind::Clean) => return Ok((reader, false)),
                ReadItem::End(EndKind::Torn { why, .. }) => {
                    if reader.header().id != self.newest {
                        return Err(corrupt(&reader, why));
                    }
                    self.cut = Some(why);
                    return Ok((reader, false));
                }
            }
        }
    }

    fn give(&mut self, block: &Block) -> Result<(), RecoverError> {
        (self.on_block)(block).map_err(|source| RecoverError::Apply {
            at: block.start,
            source,
        })
    }

    /// No segment begins before the one before it is durable; in the newest, `fw.position` knows.
    fn is_durable(&self, block: &Block) -> bool {
        let end = block.end.position;
        let known = |known: &DurableEnd| end <= known.durable.point.position;
        end.segment != self.newest || self.durable.as_ref().is_some_and(known)
    }

    /// All up to `end` is durable by now.
    fn give_held_back(
        &mut self,
        reader: &mut SegmentReader,
        end: LogPoint,
    ) -> Result<(), RecoverError> {
        let Some(from) = self.held_back.take() else {
            return Ok(());
        };
        reader.begin_again(from);
        while reader.point() != end {
            match reader.next(Some(end.position.offset))? {
                ReadItem::Block(block) => self.give(&block)?,
                ReadItem::Seal(_) | ReadItem::End(_) => {
                    return Err(corrupt(reader, Damage::EndsEarly(end.position)));
                }
            }
        }
        Ok(())
    }

    /// The block with the record that begins a generation belongs to its header: whoever finds the one
    /// looks for the other.
    fn is_discarded(&self, block: &Block) -> bool {
        let start = block.start;
        let begins_generation =
            start.segment.sequence == Sequence::FIRST && start.offset == HEADER_SIZE as u64;
        let behind = self.options.discard_behind;
        start.segment == self.newest
            && !begins_generation
            && behind.is_some_and(|position| {
                // What later segments hold was written by somebody who knew better.
                position.segment == self.newest && block.end.position > position
            })
    }

    fn check_durable_hash(
        &self,
        block: &Block,
        reader: &SegmentReader,
    ) -> Result<(), RecoverError> {
        match self.durable.map(|end| end.durable.point) {
            Some(point) if point.position == block.end.position && point != block.end => {
                Err(corrupt(reader, Damage::Chain))
            }
            _ => Ok(()),
        }
    }

    /// The log must reach as far as it was known to be durable.
    fn check_durable_end(&self, reader: &SegmentReader) -> Result<(), RecoverError> {
        let Some(end) = self.durable else {
            return Ok(());
        };
        let environment = reader.header().environment;
        if end.environment != environment {
            return Err(corrupt(reader, Damage::OtherEnvironment(environment)));
        }
        let position = end.durable.point.position;
        if position <= reader.point().position {
            return Ok(());
        }
        let why = self.cut.clone().filter(|_| position.segment == self.newest);
        Err(corrupt(reader, why.unwrap_or(Damage::EndsEarly(position))))
    }

    /// Writes the blocks behind the durable end once more, as they are; all of the segment where that
    /// end is not known. What a crash of the process alone has left need not be on the disk; and where
    /// a sync failed before that crash, the operating system may hold it for clean, so that another
    /// sync would not write it.
    fn write_again(&self, file: &dyn DiskFile, reader: &SegmentReader) -> Result<(), IoFailure> {
        let end = reader.point().position;
        let mut from = Position::new(end.segment, HEADER_SIZE as u64);
        if let Some(known) = self.durable {
            from = from.max(known.durable.point.position);
        }
        while from < end {
            let left = usize::try_from(end.offset - from.offset).unwrap_or(usize::MAX);
            let mut bytes = vec![0; left.min(PIECE)];
            let read = file
                .read_at(from.offset, &mut bytes)
                .during("read", reader.path())?;
            bytes.truncate(read);
            file.write_at(from.offset, &bytes)
                .during("write", reader.path())?;
            // A file that became shorter meanwhile would be read for ever.
            from.offset += (read as u64).max(1);
        }
        Ok(())
    }

    /// A seal that is there need not be on the disk either.
    fn is_durably_sealed(&self, at: Position) -> bool {
        self.durable
            .is_some_and(|end| end.durable.sealed && end.durable.point.position == at)
    }

    /// All is good up to where `reader` stands: cuts, seals, syncs, and makes the end known.
    fn complete(
        &mut self,
        reader: &SegmentReader,
        mut sealed: bool,
    ) -> Result<Recovered, RecoverError> {
        let (id, end) = (reader.header().id, reader.point());
        assert!(
            self.durable
                .is_none_or(|known| known.durable.point.position <= end.position),
            "recovery keeps everything that was known to be durable (invariant 1)"
        );
        let path = self.store.path(id);
        let seal_size = if sealed { SEAL_SIZE as u64 } else { 0 };
        let behind = reader
            .file_length()?
            .saturating_sub(end.position.offset + seal_size);
        let cut = self
            .cut
            .take()
            .map(|why| Torn::before_cut(self.store, reader, why, behind))
            .transpose()?;
        self.store
            .sync_names()
            .during("sync the directory of", &path)?;
        let file = self.store.open(id).during("open", &path)?;
        if cut.is_some() || (sealed && behind > 0) {
            file.set_length(end.position.offset + seal_size)
                .during("cut", &path)?;
        }
        self.write_again(file.as_ref(), reader)?;
        file.sync().during("sync", &path)?;
        let seal = sealed || self.options.seal == SealNewest::Yes;
        if seal && !self.is_durably_sealed(end.position) {
            let header = reader.header().clone();
            Tail::resume(self.store, header, reader.end(), false, 0)?.seal()?;
            sealed = true;
        }
        let environment = reader.header().environment;
        let durable = reader.end().durable(reader.header(), sealed);
        let content = DurableEnd {
            environment,
            durable,
            switched_off: false,
            stopped: false,
        };
        let written = self.store.write_position(&content.encode());
        written.during("write", &self.store.position_path())?;
        Ok(Recovered {
            environment,
            end,
            log_bytes: durable.log_bytes,
            last_commit: durable.commit,
            time: durable.time,
            sealed,
            cut,
        })
    }
}

fn corrupt(reader: &SegmentReader, kind: Damage) -> RecoverError {
    ReadError::corrupt(reader.path(), reader.point().position.offset, kind).into()
}

fn has_no_place(error: &RecoverError) -> bool {
    matches!(error, RecoverError::Read(ReadError::Corrupt { kind, .. }) if kind.is_misplaced() || kind.is_missing())
}

/// What is wrong with a segment that does not go on where the one before it ends. While forward logging is off,
/// the journal takes the numbers that follow, so the header of a new generation
/// does not say which of the two it was.
pub(crate) fn why_not_next(earlier: &SegmentHeader, later: &SegmentHeader) -> Damage {
    if later.environment != earlier.environment {
        Damage::OtherEnvironment(later.environment)
    } else if later.kind != earlier.kind {
        Damage::OtherKind(later.kind)
    } else if later.id.may_follow(earlier.id) && later.id.generation == earlier.id.generation {
        Damage::OtherHistory(earlier.id)
    } else {
        let (after, missing) = (earlier.id, earlier.id.next_sequence());
        if later.id.sequence == Sequence::FIRST {
            Damage::MissingOrOff { after, missing }
        } else {
            Damage::Missing { after, missing }
        }
    }
}
