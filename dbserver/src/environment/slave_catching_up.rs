//! What came while the applier waited for a reader lies in the slave's log, and is applied from there.

use bytes::Bytes;
use dbproto::Progress;
use fwlog::{Block, Follow, FollowError, FollowItem, LogPoint, NoSyncPoint, Position};

use crate::apply::applier::Applier;
use crate::environment::log::read_error;
use crate::environment::slave::Slave;
use crate::error::EngineError;

/// What the log has next.
enum Read {
    /// Blocks, and where they end.
    Blocks(Bytes, LogPoint),
    /// Nothing more: the end of what is on its disk, unless more than that was applied.
    End(Option<Progress>),
}

impl Slave {
    /// Applies and shows what the log has on its disk behind all that was applied.
    pub(super) fn apply_log(&self, applier: &mut Applier) -> Result<(), EngineError> {
        let progress = self.progress();
        let taken = progress.taken.or(progress.applied);
        let mut here = taken.map_or(LogPoint::ORIGIN, |at| at.point);
        let mut follow = None;
        // What an operator holds meanwhile is read once more.
        while !self.log().is_held() {
            match applier.retried(|| self.read_log(&mut follow, here))? {
                Read::Blocks(bytes, end) => {
                    let blocks = blocks(bytes, end)?;
                    self.apply_blocks(applier, &blocks)?;
                    if let Some(last) = blocks.last() {
                        self.show_to(applier, Progress::from(last))?;
                    }
                    here = end;
                }
                Read::End(end) => {
                    if let Some(end) = end {
                        self.show_to(applier, end)?;
                        here = end.point;
                    }
                    if !self.log().queue().has_read(here.position) {
                        // The rest is on its way to the disk, or will be sent once more.
                        self.log().wait_a_moment();
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads on behind `from`. Where the log was interrupted it lies in two directories: what one does not have is in
    /// the other.
    fn read_log(&self, follow: &mut Option<Follow>, from: LogPoint) -> Result<Read, EngineError> {
        let mut end: Option<Progress> = None;
        if let Some(reading) = follow.take()
            && let Read::Blocks(bytes, last) = read_on(reading, follow)?
        {
            return Ok(Read::Blocks(bytes, last));
        }
        let mut missing = None;
        for location in self.core().log_locations() {
            let reading = match Follow::start(location, from) {
                // Commits are shown before the disk has them.
                Err(FollowError::NoSynchronizationPoint {
                    why: NoSyncPoint::AheadOfMaster { .. },
                }) => continue,
                Err(
                    error
                    @ (FollowError::NoSynchronizationPoint { .. } | FollowError::NoDurableEnd),
                ) => {
                    missing = missing.or(Some(error));
                    continue;
                }
                started => started.map_err(follow_error)?,
            };
            match read_on(reading, follow)? {
                Read::Blocks(bytes, last) => return Ok(Read::Blocks(bytes, last)),
                Read::End(here) => {
                    let position = |at: &Option<Progress>| at.map(|at| at.point.position);
                    if position(&here) > position(&end) {
                        end = here;
                    }
                }
            }
        }
        match (end, missing) {
            (None, Some(error)) => Err(follow_error(error)),
            (end, _) => Ok(Read::End(end)),
        }
    }
}

/// The next blocks, after which it goes on to read; or where what is on the disk ends.
fn read_on(mut reading: Follow, follow: &mut Option<Follow>) -> Result<Read, EngineError> {
    loop {
        match reading.next().map_err(follow_error)? {
            FollowItem::Segment { .. } | FollowItem::Seal { .. } => {}
            FollowItem::Blocks { bytes, last, .. } => {
                *follow = Some(reading);
                return Ok(Read::Blocks(bytes, last));
            }
            FollowItem::UpToDate(durable) => return Ok(Read::End(Some((&durable).into()))),
            FollowItem::Until(_) => return Ok(Read::End(None)),
        }
    }
}

/// The blocks in these bytes, which end there.
fn blocks(mut bytes: Bytes, end: LogPoint) -> Result<Vec<Block>, EngineError> {
    let Position { segment, offset } = end.position;
    let mut start = Position::new(segment, offset.saturating_sub(bytes.len() as u64));
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let block = Block::split_from(&mut bytes, start)
            .map_err(|why| EngineError::Corrupt(format!("block at {start}: {why}")))?;
        start = block.end.position;
        blocks.push(block);
    }
    Ok(blocks)
}

/// Why a log of this server can't be followed.
pub(super) fn follow_error(error: FollowError) -> EngineError {
    match error {
        FollowError::Read(error) => read_error(error),
        FollowError::NoSynchronizationPoint { .. }
        | FollowError::NoDurableEnd
        | FollowError::Gap(_)
        | FollowError::Replaced(_) => EngineError::Corrupt(error.to_string()),
    }
}
