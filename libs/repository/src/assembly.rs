//! What of a log is not archived yet, cut into parts; no I/O.
//!
//! ```text
//!          from                            another archiver may be ahead of this one
//!  archived │ header? block block block seal?   ┊
//! ──────────┼───────────────────────────────────┊────▶ log
//!           └──── payload, with its borders
//! ```

use bytes::{Bytes, BytesMut};
use fwlog::{ChainHash, EnvironmentId, HEADER_SIZE, LogPoint, MAX_BLOCK_SIZE, Position, SEAL_SIZE};

use crate::part::{Border, MAX_PAYLOAD, Part, Wrong, take_block, take_header};
use crate::part_head::PartHead;

/// The log and the archive differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Diverged {
    /// Both have this place, with another history each.
    #[error("at {at} the log has the chain hash {ours}, and the archive {theirs}")]
    Hash {
        /// The place.
        at: Position,
        /// The log's.
        ours: ChainHash,
        /// The archive's.
        theirs: ChainHash,
    },
    /// The archive stops at a place where the log does not.
    #[error("the archive has the log up to {at}, where this log has no border of blocks")]
    NoBorder {
        /// The place.
        at: Position,
    },
    /// The segment ends at another place.
    #[error("in the archive the segment ends at {at}, and in this log it does not")]
    Sealed {
        /// The place.
        at: Position,
    },
    /// The archive goes further than this point of the log, and has not had it.
    #[error("the archive goes up to {theirs}, and has not the log's {ours}")]
    NotThere {
        /// The point.
        ours: LogPoint,
        /// The end of the archive.
        theirs: Position,
    },
    /// What comes does not go on from what there is.
    #[error("the log does not go on from {at}: {why}")]
    Broken {
        /// The place.
        at: Position,
        /// Why.
        why: String,
    },
}

/// What of one log is not archived yet.
#[derive(Debug)]
pub struct Assembly {
    environment: EnvironmentId,
    from: Border,
    /// The segment is sealed there in the archive.
    sealed: bool,
    /// Where the newest part ends, and whether with a seal: `from` may be the beginning of the segment behind it.
    archived: (Border, bool),
    payload: BytesMut,
    borders: Vec<Border>,
    seal: Option<Bytes>,
    /// Another archiver has stored up to there.
    ahead: Option<(Border, bool)>,
}

impl Assembly {
    /// The archive ends there; `sealed`: with the seal of the segment.
    pub fn new(environment: EnvironmentId, archived: Border, sealed: bool) -> Self {
        Self {
            environment,
            from: archived,
            sealed,
            archived: (archived, sealed),
            payload: BytesMut::new(),
            borders: Vec::new(),
            seal: None,
            ahead: None,
        }
    }

    /// Where the archive ends, and whether the segment is sealed there.
    pub fn archived(&self) -> (Border, bool) {
        self.archived
    }

    /// Where what has come ends.
    pub fn end(&self) -> Border {
        self.borders.last().copied().unwrap_or(self.from)
    }

    /// Bytes that are not archived.
    pub fn length(&self) -> usize {
        self.payload.len() + self.seal.as_ref().map_or(0, Bytes::len)
    }

    /// Whether all that has come is archived, but for the header of a segment that has nothing yet.
    pub fn is_settled(&self) -> bool {
        self.length() <= HEADER_SIZE && self.part(usize::MAX).is_none() && self.ahead.is_none()
    }

    /// Whether the segment ends with what is here.
    pub fn is_segment_end(&self) -> bool {
        self.seal.is_some()
    }

    /// The next segment begins.
    pub fn take_header(&mut self, bytes: &[u8]) -> Result<(), Diverged> {
        if self.length() > 0 || self.ahead.is_some() {
            return Err(self.broken("a segment begins before the one before it is archived".into()));
        }
        let header = fwlog::SegmentHeader::decode(bytes)
            .map_err(|damage| self.broken(damage.to_string()))?;
        let mut before = self.from;
        before.point.position = header.before().position;
        let header =
            take_header(self.environment, before, bytes).map_err(|why| self.broken(why))?;
        (self.from, self.sealed) = (before, false);
        self.payload.extend_from_slice(bytes);
        self.borders.push(Border::behind_header(&header));
        Ok(())
    }

    /// The next blocks.
    pub fn take_blocks(&mut self, mut bytes: Bytes) -> Result<(), Diverged> {
        if self.sealed {
            return Err(Diverged::Sealed {
                at: self.from.point.position,
            });
        }
        while !bytes.is_empty() {
            let block =
                take_block(self.end(), &mut bytes).map_err(|why: Wrong| self.broken(why))?;
            self.payload.extend_from_slice(&block.bytes);
            self.borders.push(Border::behind_block(&block));
        }
        self.catch_up()
    }

    /// The segment ends.
    pub fn take_seal(&mut self, bytes: Bytes) -> Result<(), Diverged> {
        if !self.sealed {
            self.seal = Some(bytes);
        }
        self.catch_up()
    }

    /// The next part: as many whole blocks as there are in so many bytes, and one at least. `None`: there is nothing to
    /// store.
    pub fn part(&self, part_size: usize) -> Option<Part> {
        if self.ahead.is_some() {
            return None;
        }
        let offset = |border: &Border| border.point.position.offset;
        let from = offset(&self.from);
        let limit = from.saturating_add(part_size as u64);
        let fits = self.borders.partition_point(|it| offset(it) <= limit);
        // A header alone is not worth an object, and the first block of a generation says which one it is.
        let least = if from == 0 { 2 } else { 1 };
        let count = fits.max(least).min(self.borders.len());
        let is_all = count == self.borders.len();
        let seal = self.seal.as_ref().filter(|_| is_all);
        if seal.is_none() && count < least {
            return None;
        }
        let borders = self.borders.get(..count)?.to_vec();
        let to = borders.last().copied().unwrap_or(self.from);
        let mut payload = BytesMut::from(self.payload.get(..self.bytes_to(to))?);
        payload.extend_from_slice(seal.map_or(&[][..], |seal| seal));
        let head = PartHead {
            environment: self.environment,
            from: self.from,
            to,
            sealed: seal.is_some(),
            hash: blake3::hash(&payload).into(),
        };
        assert!(payload.len() <= MAX_PAYLOAD, "a part is read again");
        Some(Part {
            head,
            payload: payload.freeze(),
            borders,
        })
    }

    /// A part that begins where the archive ended is stored, by this archiver or by another one, and has this head. The
    /// chain hash at its end proves it, as soon as this log has come as far.
    pub fn is_stored(&mut self, head: &PartHead) -> Result<(), Diverged> {
        if head.from.point != self.from.point {
            return Err(Diverged::Hash {
                at: self.from.point.position,
                ours: self.from.point.hash,
                theirs: head.from.point.hash,
            });
        }
        self.is_behind(head.to, head.sealed)
    }

    /// The archive goes on from where this begins, up to there: in the middle of a part of another archiver.
    pub fn is_behind(&mut self, to: Border, sealed: bool) -> Result<(), Diverged> {
        self.ahead = Some((to, sealed));
        self.catch_up()
    }

    fn bytes_to(&self, border: Border) -> usize {
        let length = border.point.position.offset - self.from.point.position.offset;
        usize::try_from(length).unwrap_or(usize::MAX)
    }

    fn catch_up(&mut self) -> Result<(), Diverged> {
        let Some((theirs, sealed)) = self.ahead else {
            return Ok(());
        };
        let at = theirs.point.position;
        if at > self.end().point.position {
            return match &self.seal {
                // Another one writes on where this segment ends.
                Some(_) => Err(Diverged::NoBorder { at }),
                None => Ok(()),
            };
        }
        let all = [self.from].into_iter().chain(self.borders.iter().copied());
        let ours = all.into_iter().find(|border| border.point.position == at);
        let ours = ours.ok_or(Diverged::NoBorder { at })?;
        if ours != theirs {
            return Err(Diverged::Hash {
                at,
                ours: ours.point.hash,
                theirs: theirs.point.hash,
            });
        }
        if sealed && ours != self.end() {
            return Err(Diverged::Sealed { at });
        }
        let known = self.bytes_to(ours).min(self.payload.len());
        drop(self.payload.split_to(known));
        self.borders.retain(|border| border.point.position > at);
        (self.from, self.sealed, self.ahead) = (ours, sealed, None);
        self.archived = (ours, sealed);
        if sealed {
            self.seal = None;
        }
        Ok(())
    }

    fn broken(&self, why: String) -> Diverged {
        Diverged::Broken {
            at: self.end().point.position,
            why,
        }
    }
}

/// Largest part that an archiver may be asked for.
pub const MAX_PART_SIZE: usize = 24 << 20;

// A part is at most so large, or one block, behind a header and before a seal.
const _: () = assert!(
    HEADER_SIZE + SEAL_SIZE + MAX_PART_SIZE <= MAX_PAYLOAD
        && HEADER_SIZE + SEAL_SIZE + MAX_BLOCK_SIZE <= MAX_PAYLOAD
);
