//! A slave's copy of the log, byte for byte.

mod place;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::{Block, BlockDecoder};
use crate::chain::ChainHash;
use crate::contents::Contents;
use crate::damage::{Damage, During, IoFailure};
use crate::durable_end::{Durable, DurableEnd};
use crate::header::{HEADER_SIZE, SegmentHeader};
use crate::identity::EnvironmentId;
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position, SegmentId};
use crate::reader::SegmentReader;
use crate::recover::Recovered;
use crate::seal::{SEAL_SIZE, Seal};
use crate::segment_end::SegmentEnd;
use crate::store::SegmentStore;
use crate::tail::{PendingSync, Tail};

pub use place::MirrorCopy;

/// Bytes of decompressed records that go on with the blocks of one [`Mirror::blocks`], at most: a
/// message of a usual load has some 2 MiB of them, a hostile one could have a thousand times its size.
const KEPT_RECORDS: usize = 2 << 20;

/// Why the mirror did not take something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorError {
    /// It does not go on from what is here. Nothing of it was written.
    #[error("what was sent does not continue the log at {at}: {why}")]
    Refused {
        /// The end of the log here.
        at: Position,
        /// What does not fit.
        why: Damage,
    },
    /// An operation on a file failed. This is kept: the mirror writes no more.
    #[error(transparent)]
    Io(#[from] IoFailure),
    /// The segment that was to be continued can't be read.
    #[error(transparent)]
    Read(#[from] crate::ReadError),
}

/// Whole blocks that were taken: written, and not durable yet.
#[derive(Clone, Debug)]
pub struct Taken {
    /// In log order.
    pub blocks: Vec<Block>,
    /// Whether applying them acts on files: a database's is made or removed, or redo starts later. That
    /// must wait until they are durable; commits alone may be shown before.
    pub acts_on_files: bool,
}

/// Writes what a master sends, after having checked it: never anything that does not chain, nor a
/// record that cannot be read. What is in the log stays there, so nobody could apply it, ever.
///
/// ```text
/// segment ─► blocks … ─► seal ─► segment …     sync makes what was written durable
/// ```
pub struct Mirror {
    store: Arc<SegmentStore>,
    environment: EnvironmentId,
    preallocate: u64,
    tail: Option<Tail>,
    durable: Option<Durable>,
    failure: Option<IoFailure>,
    restored: Vec<PathBuf>,
    decoder: BlockDecoder,
}

impl Mirror {
    /// Goes on from `end`, which recovery found; `None` takes the first segment that comes.
    ///
    /// `preallocate` is the number of zero bytes to write ahead of the end.
    pub fn open(
        store: Arc<SegmentStore>,
        environment: EnvironmentId,
        preallocate: u64,
        end: Option<&Recovered>,
    ) -> Result<Self, MirrorError> {
        let tail = match end {
            None => None,
            Some(end) => {
                let reader = SegmentReader::open_in(store.as_ref(), end.end.position.segment)?;
                let header = reader.header().clone();
                let at = SegmentEnd {
                    point: end.end,
                    last_commit: end.last_commit,
                    time: end.time,
                };
                let tail = Tail::resume(store.as_ref(), header, at, end.sealed, preallocate)?;
                Some(tail)
            }
        };
        let durable = tail.as_ref().map(Tail::durable);
        Ok(Self {
            store,
            environment,
            preallocate,
            tail,
            durable,
            failure: None,
            restored: Vec::new(),
            decoder: BlockDecoder::new(),
        })
    }

    /// The environment whose log this is.
    pub fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// The first failure. After it nothing more is taken: only recovery knows what is in the files.
    pub fn failure(&self) -> Option<&IoFailure> {
        self.failure.as_ref()
    }

    /// The end of what was written, durable or not.
    pub fn received(&self) -> Option<Durable> {
        self.tail.as_ref().map(Tail::durable)
    }

    /// The durable end.
    pub fn durable(&self) -> Option<Durable> {
        self.durable
    }

    /// Begins the segment with this header; durable on return. An open segment before it is sealed:
    /// the header proves that it ended here.
    pub fn segment(&mut self, header: &[u8]) -> Result<Durable, MirrorError> {
        self.check_failure()?;
        let new = self.check_header(header)?;
        self.keep(|mirror| {
            mirror.seal_open()?;
            mirror.create(new)
        })
    }

    fn create(&mut self, header: SegmentHeader) -> Result<Durable, IoFailure> {
        let (store, end) = (self.store.as_ref(), SegmentEnd::of_header(&header));
        self.tail = Some(Tail::create(store, header, &[], end, self.preallocate)?);
        self.publish_all()
    }

    /// Seals the segment that is still open, if there is one.
    fn seal_open(&mut self) -> Result<(), IoFailure> {
        match &mut self.tail {
            Some(tail) if !tail.is_sealed() => tail.seal(),
            _ => Ok(()),
        }
    }

    fn check_header(&self, bytes: &[u8]) -> Result<SegmentHeader, MirrorError> {
        if bytes.len() != HEADER_SIZE {
            return Err(self.refused(Damage::NotASegment));
        }
        let header = SegmentHeader::decode(bytes).map_err(|why| self.refused(why))?;
        if header.kind != self.store.kind() {
            return Err(self.refused(Damage::OtherKind(header.kind)));
        }
        if header.environment != self.environment {
            return Err(self.refused(Damage::Impossible("environment in the segment header")));
        }
        let Some(tail) = &self.tail else {
            // A log that begins has nothing before it.
            let begins = header.log_bytes == 0
                && header.last_commit == CommitNumber::ZERO
                && header.previous == ChainHash::ZERO;
            if header.id == SegmentId::FIRST && !begins {
                return Err(self.refused(Damage::Impossible("first segment header")));
            }
            return Ok(header);
        };
        if !header.id.may_follow(tail.header().id) || header.log_bytes != tail.durable().log_bytes {
            return Err(self.refused(Damage::Impossible("place for this segment header")));
        }
        if header.previous != tail.end().point.hash {
            return Err(self.refused(Damage::Chain));
        }
        if header.last_commit != tail.end().last_commit {
            return Err(self.refused(Damage::CommitOrder));
        }
        Ok(header)
    }

    /// Checks and writes whole blocks; returns them. Not durable before [`Mirror::sync`].
    pub fn blocks(&mut self, bytes: &Bytes) -> Result<Taken, MirrorError> {
        self.check_failure()?;
        let taken = self.check_blocks(bytes.clone())?;
        let Some((last, tail)) = taken.blocks.last().zip(self.tail.as_mut()) else {
            return Ok(taken);
        };
        let written = tail.write(bytes, SegmentEnd::of_block(&last.head, last.end));
        self.keep(|_| written)?;
        Ok(taken)
    }

    fn check_blocks(&mut self, mut bytes: Bytes) -> Result<Taken, MirrorError> {
        let (mut blocks, mut acts_on_files) = (Vec::new(), false);
        let Some(tail) = self.tail.as_ref().filter(|tail| !tail.is_sealed()) else {
            return Err(self.refused(Damage::TrailingData));
        };
        let (mut end, mut last_commit) = (tail.end().point, tail.end().last_commit);
        let mut room = KEPT_RECORDS;
        while !bytes.is_empty() {
            let block = Block::split_from(&mut bytes, end.position)
                .and_then(|mut block| {
                    block.continues(end.hash, last_commit)?;
                    // The applier needs them next.
                    if let Some(rest) = room.checked_sub(block.head.raw_length as usize) {
                        self.decoder.keep_records(&mut block)?;
                        room = rest;
                    }
                    let contents = Contents::read(&mut self.decoder, &block, self.store.kind())?;
                    acts_on_files |= contents.acts_on_files;
                    Ok(block)
                })
                .map_err(|why| MirrorError::Refused {
                    at: end.position,
                    why,
                })?;
            (end, last_commit) = (block.end, block.head.last_commit);
            blocks.push(block);
        }
        Ok(Taken {
            blocks,
            acts_on_files,
        })
    }

    /// Ends the segment with the master's seal, and cuts the file to its exact size; durable on
    /// return. A seal that is there already is taken again.
    pub fn seal(&mut self, bytes: &[u8]) -> Result<Durable, MirrorError> {
        self.check_failure()?;
        let sent = Seal::decode(bytes).map_err(|why| self.refused(why))?;
        let fits = self
            .tail
            .as_ref()
            .is_some_and(|tail| tail.end().seal(tail.header()) == sent);
        if !fits || bytes.len() != SEAL_SIZE {
            return Err(self.refused(Damage::SealMismatch));
        }
        self.keep(|mirror| {
            mirror.seal_open()?;
            mirror.keep_name()?;
            mirror.publish_all()
        })
    }

    /// Makes everything durable that was written.
    pub fn sync(&mut self) -> Result<Option<Durable>, MirrorError> {
        match self.begin_sync()? {
            Some(sync) => self.end_sync(&sync, sync.run()).map(Some),
            None => Ok(self.durable),
        }
    }

    /// Begins a sync of all that was written up to now; `None` where that is durable. Blocks may be taken
    /// until [`Mirror::end_sync`] is told how it ended: nothing is durable before.
    pub fn begin_sync(&self) -> Result<Option<PendingSync>, MirrorError> {
        self.check_failure()?;
        let tail = self.tail.as_ref();
        Ok(tail
            .filter(|_| self.received() != self.durable)
            .map(Tail::pending_sync))
    }

    /// A sync has ended. When it has failed, nobody knows what the disk has, and a later sync would
    /// not say: the mirror has failed.
    pub fn end_sync(
        &mut self,
        sync: &PendingSync,
        result: Result<(), IoFailure>,
    ) -> Result<Durable, MirrorError> {
        self.check_failure()?;
        let segment = |durable: Durable| durable.point.position.segment;
        assert_eq!(
            self.received().map(segment),
            Some(segment(sync.durable)),
            "no segment begins before the one before it is durable (invariant 1)"
        );
        self.keep(|mirror| {
            result?;
            mirror.keep_name()?;
            mirror.publish(sync.durable)
        })
    }

    /// Sees whether the open segment and `fw.position` still have their names, and writes them once
    /// more where they have not. The same happens with the segment at every sync.
    pub fn look_after_files(&mut self) -> Result<(), MirrorError> {
        self.check_failure()?;
        self.keep(|mirror| {
            // What was not synced is not told of, but belongs to the file.
            mirror.tail.as_ref().map_or(Ok(()), Tail::sync)?;
            mirror.keep_name()?;
            let path = mirror.store.position_path();
            if mirror.store.keep_position().during("write", &path)? {
                mirror.restored.push(path);
            }
            Ok(())
        })
    }

    /// The files that were written once more since this was asked last.
    pub fn take_restored(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.restored)
    }

    /// Nothing is durable that a crash would not find under the segment's name.
    fn keep_name(&mut self) -> Result<(), IoFailure> {
        let Some(tail) = &mut self.tail else {
            return Ok(());
        };
        if tail.keep_name(self.store.as_ref())? {
            self.restored.push(self.store.path(tail.header().id));
        }
        Ok(())
    }

    /// Everything written is durable: tells the readers of the files.
    fn publish_all(&mut self) -> Result<Durable, IoFailure> {
        let durable = self.received().ok_or_else(|| {
            let none = io::ErrorKind::NotFound.into();
            IoFailure::new("sync", &self.store.position_path(), &none)
        })?;
        self.publish(durable)
    }

    /// The log is durable up to there: tells the readers of the files.
    fn publish(&mut self, durable: Durable) -> Result<Durable, IoFailure> {
        assert!(
            self.durable
                .is_none_or(|known| known.point.position <= durable.point.position
                    && known.commit <= durable.commit),
            "what is durable stays durable (invariant 1)"
        );
        self.durable = Some(durable);
        let end = self.durable_end(durable);
        let written = self.store.write_position(&end.encode());
        written.during("write", &self.store.position_path())?;
        Ok(durable)
    }

    fn durable_end(&self, durable: Durable) -> DurableEnd {
        DurableEnd {
            environment: self.environment,
            durable,
            switched_off: false,
            stopped: false,
        }
    }

    fn refused(&self, why: Damage) -> MirrorError {
        let at = self
            .tail
            .as_ref()
            .map_or(LogPoint::ORIGIN, |tail| tail.end().point)
            .position;
        MirrorError::Refused { at, why }
    }

    /// Recovery is about to change the files under this mirror: it takes nothing any more, and tells
    /// nobody that what it wrote is durable.
    pub fn give_up(&mut self) {
        let path = self.store.position_path();
        let gone = io::Error::other("its files are being recovered");
        self.failure
            .get_or_insert_with(|| IoFailure::new("go on in the log of", &path, &gone));
    }

    fn check_failure(&self) -> Result<(), MirrorError> {
        self.failure
            .clone()
            .map_or(Ok(()), |failure| Err(MirrorError::Io(failure)))
    }

    /// Does `work`, and keeps its failure.
    fn keep<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, IoFailure>,
    ) -> Result<T, MirrorError> {
        work(self).map_err(|failure| {
            self.failure = Some(failure.clone());
            MirrorError::Io(failure)
        })
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror")
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
