//! Transactions that are so large that parts of them stand before the fork, and their commit behind it.
//!
//! The redo point of a checkpoint lies before all parts that are under way, so no log before that of the newest
//! checkpoint up to the fork is needed; nor any before the generation of the fork, which voids what is under way.

use std::mem;
use std::rc::Rc;

use fwlog::{
    Block, BlockDecoder, DatabaseId, EndKind, LogPoint, Part, Position, ReadItem, Record,
    SegmentId, SegmentReader, SegmentStore, TransactionId,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::Error;
use crate::scratch::Scratch;
use crate::state::{Written, keep_part};

/// A transaction whose commit is still to come.
pub(crate) struct Under {
    pub(crate) database: DatabaseId,
    /// Where the block of its first part begins.
    pub(crate) first: Position,
    pub(crate) written: Written,
}

/// The parts of before the fork.
#[derive(Default)]
pub(crate) struct Parts {
    found: FxHashMap<TransactionId, Written>,
    /// Why some may be missing.
    missing: Option<String>,
}

impl Parts {
    /// Looks for the parts of these transactions before the fork.
    ///
    /// Errors: the log can't be read.
    pub(crate) fn before(
        store: &SegmentStore,
        fork: LogPoint,
        wanted: &FxHashSet<TransactionId>,
        scratch: &Rc<Scratch>,
    ) -> Result<Self, Error> {
        let mut parts = Self::default();
        let mut segment: FxHashMap<TransactionId, Written> = FxHashMap::default();
        let missing = parts_before(store, fork, wanted, &mut |met| match met {
            Met::Part(part) => {
                let written = segment.entry(part.transaction).or_default();
                keep_part(part, written, scratch)
            }
            Met::Void => {
                segment.clear();
                Ok(())
            }
            Met::EndOfSegment => {
                parts.add(mem::take(&mut segment));
                Ok(())
            }
        })?;
        parts.missing = missing;
        Ok(parts)
    }

    /// What is nearer to the fork is newer, and was found before.
    fn add(&mut self, found: FxHashMap<TransactionId, Written>) {
        for (transaction, older) in found {
            let newer = self.found.entry(transaction).or_default();
            for (page, held) in older {
                newer.entry(page).or_insert(held);
            }
        }
    }

    /// The parts of a transaction, and why some may be missing.
    pub(crate) fn take(&mut self, id: TransactionId) -> (Written, Option<String>) {
        (
            self.found.remove(&id).unwrap_or_default(),
            self.missing.clone(),
        )
    }
}

/// What is met before a fork: segments from the newest to the oldest, each from its beginning.
#[derive(Debug)]
pub enum Met<'a, 'b> {
    /// A part of one of the transactions.
    Part(&'a Part<'b>),
    /// What was met in this segment is void: a generation begins.
    Void,
    /// An older segment comes next, or none.
    EndOfSegment,
}

/// Looks for the parts of these transactions before a fork. `Some`: why some of them may be missing.
///
/// Errors: the log can't be read, or `meet` says what is wrong with a part.
#[expect(
    clippy::implicit_hasher,
    reason = "who looks for parts has collected them in such a set"
)]
pub fn parts_before(
    store: &SegmentStore,
    fork: LogPoint,
    wanted: &FxHashSet<TransactionId>,
    meet: &mut dyn FnMut(Met<'_, '_>) -> Result<(), String>,
) -> Result<Option<String>, Error> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let directory = &store.location().directory;
    let segments = store.list().map_err(Error::io("list", directory))?;
    let before = segments.into_iter().rev();
    let mut expected = None;
    for id in before.filter(|id| *id <= fork.position.segment) {
        if expected.is_some_and(|expected: SegmentId| id != expected) {
            break;
        }
        let limit = (id == fork.position.segment).then_some(fork.position.offset);
        let mut search = Search {
            wanted,
            redo: None,
            begins: false,
            meet,
        };
        search.segment(store, id, limit)?;
        let is_before = |redo: Position| redo.segment >= id;
        if search.begins || search.redo.is_some_and(is_before) {
            return Ok(None);
        }
        let sequence = id.sequence.get();
        if sequence <= 1 {
            return Ok(None);
        }
        expected = Some(SegmentId::new(id.generation.get(), sequence - 1));
    }
    let from = expected.unwrap_or(fork.position.segment);
    Ok(Some(format!(
        "parts of it may stand in segment {from}, which is not there any more"
    )))
}

struct Search<'a> {
    wanted: &'a FxHashSet<TransactionId>,
    /// That of the newest checkpoint.
    redo: Option<Position>,
    /// A generation begins here.
    begins: bool,
    meet: &'a mut dyn FnMut(Met<'_, '_>) -> Result<(), String>,
}

impl Search<'_> {
    fn segment(
        &mut self,
        store: &SegmentStore,
        id: SegmentId,
        limit: Option<u64>,
    ) -> Result<(), Error> {
        let mut reader = SegmentReader::open_in(store, id)?;
        let mut decoder = BlockDecoder::new();
        let failed = |at: Position, why: String| Error::Block { at, why };
        loop {
            match reader.next(limit)? {
                ReadItem::Block(block) => self
                    .block(&block, &mut decoder)
                    .map_err(|why| failed(block.start, why))?,
                ReadItem::Seal(_) | ReadItem::End(EndKind::Clean) => {
                    let end = Position::new(id, 0);
                    return (self.meet)(Met::EndOfSegment).map_err(|why| failed(end, why));
                }
                ReadItem::End(EndKind::Torn { offset, why }) => {
                    return Err(failed(Position::new(id, offset), why.to_string()));
                }
            }
        }
    }

    fn block(&mut self, block: &Block, decoder: &mut BlockDecoder) -> Result<(), String> {
        let records = decoder.records(block);
        for record in records.map_err(|error| error.to_string())? {
            match record.map_err(|error| error.to_string())? {
                Record::Part(part) if self.wanted.contains(&part.transaction) => {
                    (self.meet)(Met::Part(&part))?;
                }
                Record::Checkpoint { redo } => self.redo = Some(redo),
                Record::Generation(_) => {
                    self.begins = true;
                    (self.meet)(Met::Void)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}
