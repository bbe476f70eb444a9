//! A part: some blocks of a segment as they stand there, with a head that says which.

use bytes::Bytes;
use fwlog::{
    Block, CommitNumber, EnvironmentId, HEADER_SIZE, LogPoint, Position, SEAL_SIZE, Seal,
    SegmentHeader, Timestamp,
};

use crate::part_head::{HEAD_SIZE, PartHead};

/// Most bytes of payload: those of an archiver's largest part, and a block and a seal that just did not fit any more.
pub const MAX_PAYLOAD: usize = 48 << 20;

/// A place in the log where one may stop: before a segment, behind its header, behind a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Border {
    /// The place, and the chain hash there.
    pub point: LogPoint,
    /// Newest commit before it.
    pub commit: CommitNumber,
    /// Time of the last block before it, or of the segment where there is none.
    pub time: Timestamp,
}

impl Border {
    /// Behind the header of a segment.
    pub fn behind_header(header: &SegmentHeader) -> Self {
        Self {
            point: header.start(),
            commit: header.last_commit,
            time: header.created,
        }
    }

    /// Behind a block.
    pub fn behind_block(block: &Block) -> Self {
        Self {
            point: block.end,
            commit: block.head.last_commit,
            time: block.head.time,
        }
    }
}

/// Why a segment does not go on as it should, in words.
pub(crate) type Wrong = String;

/// Takes the header of a segment that goes on from a border.
pub(crate) fn take_header(
    environment: EnvironmentId,
    before: Border,
    bytes: &[u8],
) -> Result<SegmentHeader, Wrong> {
    let header = SegmentHeader::decode(bytes).map_err(|damage| damage.to_string())?;
    let goes_on = header.environment == environment
        && header.id == before.point.position.segment
        && header.previous == before.point.hash
        && header.last_commit == before.commit;
    goes_on
        .then_some(header)
        .ok_or_else(|| "the segment header does not go on from what stands before".to_owned())
}

/// Takes the block that goes on from a border off the front of `bytes`.
pub(crate) fn take_block(before: Border, bytes: &mut Bytes) -> Result<Block, Wrong> {
    let block = Block::split_from(bytes, before.point.position).map_err(|it| it.to_string())?;
    block
        .continues(before.point.hash, before.commit)
        .map_err(|damage| damage.to_string())?;
    Ok(block)
}

/// A part, proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is of.
    pub head: PartHead,
    /// Bytes of the segment: its header, where it begins there; blocks; its seal, where that ends it.
    pub payload: Bytes,
    /// Where each of its blocks ends; the header's end before them, where it has that.
    pub borders: Vec<Border>,
}

impl Part {
    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        [&self.head.encode()[..], &self.payload].concat()
    }

    /// Reads an object: head, hash of the payload, the chain hash of each block from the beginning to the end, and the
    /// seal.
    pub fn decode(bytes: &Bytes) -> Result<Self, Wrong> {
        let head = PartHead::decode(bytes)?;
        let payload = bytes.slice(HEAD_SIZE.min(bytes.len())..);
        if payload.len() as u64 != head.length() {
            return Err(format!(
                "it has {} bytes of payload instead of {}",
                payload.len(),
                head.length()
            ));
        }
        if blake3::hash(&payload).as_bytes() != &head.hash {
            return Err("the hash of its payload does not match".to_owned());
        }
        let borders = borders(&head, payload.clone())?;
        Ok(Self {
            head,
            payload,
            borders,
        })
    }

    /// The header of the segment, where the part begins with it.
    pub fn header(&self) -> Option<SegmentHeader> {
        let at_start = self.head.from.point.position.offset == 0;
        let header = at_start.then(|| SegmentHeader::decode(&self.payload).ok());
        header.flatten()
    }

    /// What stands at this place of the log, if that is a border of this part.
    pub fn border_at(&self, position: Position) -> Option<Border> {
        let ends = self.borders.iter();
        let mut all = [self.head.from].into_iter().chain(ends.copied());
        all.find(|border| border.point.position == position)
    }
}

/// Walks over the payload; it has to end where the head says.
fn borders(head: &PartHead, mut rest: Bytes) -> Result<Vec<Border>, Wrong> {
    let mut at = head.from;
    let mut borders = Vec::new();
    let seal = if head.sealed {
        let length = rest.len().saturating_sub(SEAL_SIZE);
        Some(rest.split_off(length))
    } else {
        None
    };
    if at.point.position.offset == 0 && !rest.is_empty() {
        let bytes = rest.split_to(HEADER_SIZE.min(rest.len()));
        let header = take_header(head.environment, at, &bytes)?;
        at = Border::behind_header(&header);
        borders.push(at);
    }
    while !rest.is_empty() {
        at = Border::behind_block(&take_block(at, &mut rest)?);
        borders.push(at);
    }
    if at != head.to {
        return Err("it does not end where its head says".to_owned());
    }
    if let Some(bytes) = seal {
        let seal = Seal::decode(&bytes).map_err(|damage| damage.to_string())?;
        let fits = seal.length == at.point.position.offset
            && seal.chain == at.point.hash
            && seal.last_commit == at.commit;
        if !fits {
            return Err("its seal does not fit".to_owned());
        }
    }
    Ok(borders)
}
