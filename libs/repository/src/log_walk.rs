//! Log that is read byte after byte, and proved as it comes.

use bytes::{Buf as _, Bytes, BytesMut};
use fwlog::{
    BLOCK_HEAD_SIZE, Block, BlockHead, EnvironmentId, HEADER_SIZE, LogPoint, Position, SEAL_SIZE,
    Seal, SegmentHeader, SegmentId,
};

use crate::part::{Border, take_block};

/// What comes next of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// A segment begins.
    Header(Bytes, SegmentHeader),
    /// A block.
    Block(Block),
    /// The segment ends.
    Seal(Bytes),
}

/// Proves a log that is given piece by piece, from the beginning of a segment on.
///
/// Each block goes on from what stands before it, by chain hash and number; each segment from the one before, or from the point of
/// it that its generation leaves it at.
#[derive(Debug)]
pub struct LogWalk {
    environment: EnvironmentId,
    /// The segment that bytes are of; `None` before the first one.
    header: Option<SegmentHeader>,
    /// Where what was proved ends.
    at: Option<Border>,
    sealed: bool,
    /// Where the next byte belongs; `None`: nothing has come.
    next_byte: Option<Position>,
    /// Bytes behind what was proved.
    ahead: BytesMut,
}

impl LogWalk {
    /// Of a log of this environment, from wherever it begins.
    pub fn new(environment: EnvironmentId) -> Self {
        Self {
            environment,
            header: None,
            at: None,
            sealed: false,
            next_byte: None,
            ahead: BytesMut::new(),
        }
    }

    /// Where what was proved ends; `None`: nothing was.
    pub fn end(&self) -> Option<Border> {
        self.at
    }

    /// Whether the segment is sealed there.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// The header of the segment that it is in.
    pub fn header(&self) -> Option<&SegmentHeader> {
        self.header.as_ref()
    }

    /// Whether bytes have come that are no whole block yet.
    pub fn is_inside(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// Takes the next bytes: they follow the last ones, or begin another segment.
    pub fn take(&mut self, start: Position, bytes: &[u8]) -> Result<(), String> {
        match self.next_byte {
            Some(next) if next == start && !self.sealed => {}
            Some(next) if start.offset == 0 && start.segment != next.segment => {
                self.begin(next.segment, start.segment)?;
            }
            None if start.offset == 0 => {}
            _ => return Err(format!("{start} does not follow what came before")),
        }
        let length = bytes.len() as u64;
        self.next_byte = Some(Position::new(
            start.segment,
            start.offset.saturating_add(length),
        ));
        self.ahead.extend_from_slice(bytes);
        Ok(())
    }

    fn begin(&mut self, before: SegmentId, segment: SegmentId) -> Result<(), String> {
        if self.is_inside() {
            return Err(format!(
                "segment {segment} begins in the middle of a block of the one before"
            ));
        }
        if !segment.may_follow(before) {
            return Err(format!("segment {segment} does not follow {before}"));
        }
        self.header = None;
        self.sealed = false;
        Ok(())
    }

    /// The next item that is whole.
    pub fn next_item(&mut self) -> Result<Option<LogItem>, String> {
        let Some(header) = &self.header else {
            return self.next_header();
        };
        let Some(at) = self.at.filter(|_| !self.ahead.is_empty() && !self.sealed) else {
            return Ok(None);
        };
        if self.ahead.len() >= SEAL_SIZE
            && let Some(bytes) = self.ahead.get(..SEAL_SIZE)
            && let Ok(seal) = Seal::decode(bytes)
        {
            let expected = Seal {
                length: at.point.position.offset,
                first_commit: header.last_commit.next(),
                last_commit: at.commit,
                chain: at.point.hash,
            };
            if seal != expected {
                return Err(format!("the seal of segment {} does not fit it", header.id));
            }
            self.sealed = true;
            return Ok(Some(LogItem::Seal(self.ahead.split_to(SEAL_SIZE).freeze())));
        }
        let Some(head) = self.ahead.get(..BLOCK_HEAD_SIZE) else {
            return Ok(None);
        };
        let head =
            BlockHead::decode(head).map_err(|damage| format!("{}: {damage}", at.point.position))?;
        if self.ahead.len() < head.block_size() {
            return Ok(None);
        }
        let mut bytes = self.ahead.split_to(head.block_size()).freeze();
        let block =
            take_block(at, &mut bytes).map_err(|why| format!("{}: {why}", at.point.position))?;
        self.at = Some(Border::behind_block(&block));
        Ok(Some(LogItem::Block(block)))
    }

    fn next_header(&mut self) -> Result<Option<LogItem>, String> {
        let Some(bytes) = self.ahead.get(..HEADER_SIZE) else {
            return Ok(None);
        };
        let header = SegmentHeader::decode(bytes).map_err(|damage| damage.to_string())?;
        if header.environment != self.environment {
            return Err(format!(
                "segment {} is of environment {}",
                header.id, header.environment
            ));
        }
        if self.next_byte.is_none_or(|next| next.segment != header.id) {
            return Err(format!(
                "segment {} stands in the place of another",
                header.id
            ));
        }
        if let Some(before) = self.at
            && (header.previous != before.point.hash || header.last_commit != before.commit)
        {
            return Err(format!(
                "segment {} does not go on from {}",
                header.id, before.point.position
            ));
        }
        self.at = Some(Border::behind_header(&header));
        let bytes = Bytes::copy_from_slice(bytes);
        self.ahead.advance(HEADER_SIZE);
        self.header = Some(header.clone());
        Ok(Some(LogItem::Header(bytes, header)))
    }

    /// Whether this border is one of the point.
    pub fn is_at(&self, point: LogPoint) -> bool {
        self.at.is_some_and(|at| at.point == point)
    }
}
