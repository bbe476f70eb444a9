//! The log of a backup, as it comes: proved and stored piece by piece.

use bytes::BytesMut;
use fwlog::{LogPoint, Position};

use crate::backup_name::{BackupId, BackupObject};
use crate::backups::Backups;
use crate::error::ArchiveError;
use crate::log_walk::{LogItem, LogWalk};
use crate::manifest::{StoredLog, StoredObject};
use crate::part::Border;
use crate::store::Put;

/// Bytes of a piece.
const LOG_PIECE: usize = 8 << 20;

/// Stores the log of a backup.
#[derive(Debug)]
pub(crate) struct BackupLog {
    walk: LogWalk,
    redo: LogPoint,
    has_redo: bool,
    /// Where the bytes begin that are not stored, and these.
    start: Position,
    bytes: BytesMut,
    stored: Vec<StoredLog>,
}

impl BackupLog {
    pub(crate) fn new(backups: &Backups, redo: LogPoint) -> Self {
        Self {
            walk: LogWalk::new(backups.environment()),
            redo,
            has_redo: false,
            start: Position::ORIGIN,
            bytes: BytesMut::new(),
            stored: Vec::new(),
        }
    }

    /// Takes the next bytes of the log.
    pub(crate) fn keep(
        &mut self,
        backups: &Backups,
        id: BackupId,
        start: Position,
        bytes: &[u8],
    ) -> Result<(), ArchiveError> {
        let wrong = |why| ArchiveError::Sent(format!("the log that came with the cut: {why}"));
        self.walk.take(start, bytes).map_err(wrong)?;
        while let Some(item) = self.walk.next_item().map_err(wrong)? {
            let before = match &item {
                LogItem::Header(_, header) => header.previous == self.redo.hash,
                LogItem::Block(_) | LogItem::Seal(_) => false,
            };
            self.has_redo |= before || self.walk.is_at(self.redo);
        }
        if start.segment != self.start.segment || self.bytes.is_empty() {
            self.flush(backups, id)?;
            self.start = start;
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= LOG_PIECE {
            self.flush(backups, id)?;
        }
        Ok(())
    }

    fn flush(&mut self, backups: &Backups, id: BackupId) -> Result<(), ArchiveError> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let piece = StoredLog {
            segment: self.start.segment,
            offset: self.start.offset,
            object: StoredObject::of(&self.bytes),
        };
        let name = backups.name(id, BackupObject::Log(piece.segment, piece.offset));
        if backups.store.put_if_absent(&name, &self.bytes)? == Put::Exists {
            return Err(ArchiveError::Sent(format!(
                "{name} is there already: somebody else writes backup {id}"
            )));
        }
        self.start.offset += piece.object.length;
        self.bytes.clear();
        self.stored.push(piece);
        Ok(())
    }

    /// All has come: gives where it ends.
    pub(crate) fn finish(
        mut self,
        backups: &Backups,
        id: BackupId,
    ) -> Result<(Vec<StoredLog>, Option<Border>), ArchiveError> {
        self.flush(backups, id)?;
        let Some(end) = self.walk.end() else {
            return Ok((Vec::new(), None));
        };
        if self.walk.is_inside() || !self.has_redo {
            return Err(ArchiveError::Sent(format!(
                "the log that came with the cut ends in the middle of a block, or has not its redo point {}",
                self.redo
            )));
        }
        Ok((self.stored, Some(end)))
    }
}
