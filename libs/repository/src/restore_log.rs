//! The log of a restore: that of the backup, and what the archive has behind it, up to the point that is wanted.

use bytes::Bytes;
use fwlog::{Block, BlockDecoder, CommitNumber, Position, SegmentHeader};

use crate::backups::Backups;
use crate::error::ArchiveError;
use crate::line::Line;
use crate::log_walk::{LogItem, LogWalk};
use crate::manifest::Manifest;
use crate::part::Border;
use crate::repository::LogArchive;
use crate::restore_point::{RestoreTarget, Wanted};

/// Why a log can't be restored up to a point.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError<E> {
    /// The repository can't give it.
    #[error(transparent)]
    Archive(ArchiveError),
    /// Nobody can go there: what is asked for is not in the log.
    #[error("{0}")]
    NotThere(String),
    /// What was read could not be kept.
    #[error("{0}")]
    Keep(E),
}

impl<E> From<ArchiveError> for RestoreError<E> {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

/// The log as it was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredLog {
    /// Where it ends; `None`: the backup has none.
    pub end: Option<Border>,
    /// Whether its last segment is sealed there.
    pub sealed: bool,
    /// The block behind that, of which the records up to this commit are wanted, too.
    pub partial: Option<(Block, CommitNumber)>,
    /// All that there is was read: the target may be behind the end of the log.
    pub exhausted: bool,
    /// Bytes of it.
    pub bytes: u64,
}

/// Keeps a piece of log: where it begins, and its bytes.
pub type KeepLog<'a, E> = dyn FnMut(Position, &[u8]) -> Result<(), E> + 'a;

/// Gives the log of a restore piece by piece, proved, in the order of its segments. `line` is what goes on from the backup.
pub fn restore_log<E>(
    (backups, manifest): (&Backups, &Manifest),
    onward: Option<(&LogArchive, &Line)>,
    target: RestoreTarget,
    keep: &mut KeepLog<'_, E>,
) -> Result<RestoredLog, RestoreError<E>> {
    let mut reading = Reading {
        walk: LogWalk::new(backups.environment()),
        decoder: BlockDecoder::new(),
        target,
        base: manifest.log_end.map(|end| end.point.position),
        pending: None,
        keep,
        log: RestoredLog {
            end: None,
            sealed: false,
            partial: None,
            exhausted: false,
            bytes: 0,
        },
        stopped: false,
    };
    for piece in &manifest.log {
        let bytes = backups.log(manifest.id, piece)?;
        reading.take(piece.start(), &bytes)?;
    }
    if let Some(end) = manifest.log_end
        && !reading.stopped
        && reading.walk.end() != Some(end)
    {
        return Err(RestoreError::Archive(ArchiveError::damaged(
            backups.name(manifest.id, crate::BackupObject::Manifest),
            format!("its log does not end at {}", end.point),
        )));
    }
    if let (Some((archive, line)), Some(end)) = (onward, manifest.log_end) {
        reading.go_on(archive, line, end)?;
    }
    if reading.walk.is_inside() && !reading.stopped {
        return Err(RestoreError::NotThere(
            "the log ends in the middle of a block".to_owned(),
        ));
    }
    reading.log.exhausted = !reading.stopped;
    let log = reading.log;
    let reached = match log.partial {
        Some((_, commit)) => commit,
        None => log.end.map_or(manifest.commit, |end| end.commit),
    };
    if reached < manifest.commit {
        return Err(RestoreError::NotThere(format!(
            "{target} is before commit {}, which backup {} is of: choose an older backup",
            manifest.commit, manifest.id
        )));
    }
    Ok(log)
}

struct Reading<'a, E> {
    walk: LogWalk,
    decoder: BlockDecoder,
    target: RestoreTarget,
    /// Where the log of the backup ends.
    base: Option<Position>,
    /// The header of a segment none of whose blocks is kept yet.
    pending: Option<(Bytes, SegmentHeader)>,
    keep: &'a mut KeepLog<'a, E>,
    log: RestoredLog,
    stopped: bool,
}

impl<E> Reading<'_, E> {
    fn go_on(
        &mut self,
        archive: &LogArchive,
        line: &Line,
        end: Border,
    ) -> Result<(), RestoreError<E>> {
        let at = end.point.position;
        for segment in line.segments.iter().filter(|it| it.id >= at.segment) {
            let is_first = segment.id == at.segment;
            if self.stopped || (is_first && self.walk.is_sealed()) {
                continue;
            }
            let mut offset = if is_first { at.offset } else { 0 };
            segment.read_from(archive, offset, |bytes| {
                if self.stopped {
                    return Ok(());
                }
                let start = Position::new(segment.id, offset);
                offset += bytes.len() as u64;
                self.take(start, bytes)
            })?;
        }
        Ok(())
    }

    fn take(&mut self, start: Position, bytes: &[u8]) -> Result<(), RestoreError<E>> {
        if self.stopped || bytes.is_empty() {
            return Ok(());
        }
        let wrong = |why| RestoreError::NotThere(format!("the log does not go on: {why}"));
        self.walk.take(start, bytes).map_err(wrong)?;
        while let Some(item) = self.walk.next_item().map_err(wrong)? {
            self.item(item)?;
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    fn item(&mut self, item: LogItem) -> Result<(), RestoreError<E>> {
        match item {
            LogItem::Header(bytes, header) => {
                self.pending = Some((bytes, header));
                // Redo may begin behind the header of the backup's last segment.
                let at = self.walk.end().map(|end| end.point.position);
                if at.is_some() && at <= self.base {
                    self.keep_header()?;
                    self.ends_here();
                }
            }
            LogItem::Block(block) => self.block(block)?,
            LogItem::Seal(bytes) => {
                self.keep_header()?;
                let end = self.walk.end().map(|end| end.point.position);
                if let Some(end) = end {
                    self.keep(end, &bytes)?;
                }
                self.ends_here();
            }
        }
        Ok(())
    }

    fn block(&mut self, block: Block) -> Result<(), RestoreError<E>> {
        let wanted = self.target.wants(&block, &mut self.decoder);
        let wanted = wanted.map_err(|why| {
            RestoreError::NotThere(format!("the block at {} can't be read: {why}", block.start))
        })?;
        match wanted {
            Wanted::All => {
                self.keep_header()?;
                self.keep(block.start, &block.bytes)?;
                self.ends_here();
            }
            Wanted::UpTo(commit) => {
                // The block goes on from the header of its segment, which is no first one: that of a generation has no commit.
                if let Some((_, header)) = &self.pending {
                    self.log.end = Some(Border::behind_header(header));
                    self.log.sealed = false;
                }
                self.keep_header()?;
                self.log.partial = Some((block, commit));
                self.stopped = true;
            }
            Wanted::Nothing => self.stopped = true,
            Wanted::Inside => {
                return Err(RestoreError::NotThere(format!(
                    "{} is inside of a block: the next borders are {} and {}",
                    self.target, block.start, block.end.position
                )));
            }
        }
        Ok(())
    }

    fn ends_here(&mut self) {
        self.log.end = self.walk.end();
        self.log.sealed = self.walk.is_sealed();
    }

    fn keep_header(&mut self) -> Result<(), RestoreError<E>> {
        match self.pending.take() {
            Some((bytes, header)) => self.keep(Position::new(header.id, 0), &bytes),
            None => Ok(()),
        }
    }

    fn keep(&mut self, start: Position, bytes: &[u8]) -> Result<(), RestoreError<E>> {
        self.log.bytes += bytes.len() as u64;
        (self.keep)(start, bytes).map_err(RestoreError::Keep)
    }
}
