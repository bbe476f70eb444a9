//! Transactions that are so large that parts of them stand before the fork, and their commit behind it.
//!
//! The redo point of a checkpoint lies before all parts that are under way, so no log before that of the newest
//! checkpoint up to the fork is needed; nor any before the generation of the fork, which voids what is under way.

use std::rc::Rc;

use fwlog::{
    Block, BlockDecoder, DatabaseId, EndKind, LogPoint, Position, ReadItem, Record, SegmentId,
    SegmentReader, SegmentStore, TransactionId,
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
        if wanted.is_empty() {
            return Ok(parts);
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
                scratch,
                redo: None,
                begins: false,
                found: FxHashMap::default(),
            };
            search.segment(store, id, limit)?;
            // What is nearer to the fork is newer.
            for (transaction, older) in search.found {
                let newer = parts.found.entry(transaction).or_default();
                for (page, held) in older {
                    newer.entry(page).or_insert(held);
                }
            }
            let is_before = |redo: Position| redo.segment >= id;
            if search.begins || search.redo.is_some_and(is_before) {
                return Ok(parts);
            }
            let sequence = id.sequence.get();
            if sequence <= 1 {
                return Ok(parts);
            }
            expected = Some(SegmentId::new(id.generation.get(), sequence - 1));
        }
        let from = expected.unwrap_or(fork.position.segment);
        parts.missing = Some(format!(
            "parts of it may stand in segment {from}, which is not there any more"
        ));
        Ok(parts)
    }

    /// The parts of a transaction, and why some may be missing.
    pub(crate) fn take(&mut self, id: TransactionId) -> (Written, Option<String>) {
        (
            self.found.remove(&id).unwrap_or_default(),
            self.missing.clone(),
        )
    }
}

struct Search<'a> {
    wanted: &'a FxHashSet<TransactionId>,
    scratch: &'a Rc<Scratch>,
    /// That of the newest checkpoint.
    redo: Option<Position>,
    /// A generation begins here.
    begins: bool,
    found: FxHashMap<TransactionId, Written>,
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
        loop {
            match reader.next(limit)? {
                ReadItem::Block(block) => self.block(&block, &mut decoder)?,
                ReadItem::Seal(_) | ReadItem::End(EndKind::Clean) => return Ok(()),
                ReadItem::End(EndKind::Torn { offset, why }) => {
                    return Err(Error::Block {
                        at: Position::new(id, offset),
                        why: why.to_string(),
                    });
                }
            }
        }
    }

    fn block(&mut self, block: &Block, decoder: &mut BlockDecoder) -> Result<(), Error> {
        let failed = |why: String| Error::Block {
            at: block.start,
            why,
        };
        let records = decoder.records(block);
        for record in records.map_err(|error| failed(error.to_string()))? {
            match record.map_err(|error| failed(error.to_string()))? {
                Record::Part(part) if self.wanted.contains(&part.transaction) => {
                    let written = self.found.entry(part.transaction).or_default();
                    keep_part(&part, written, self.scratch).map_err(failed)?;
                }
                Record::Checkpoint { redo } => self.redo = Some(redo),
                Record::Generation(_) => {
                    self.begins = true;
                    self.found.clear();
                }
                _ => {}
            }
        }
        Ok(())
    }
}
