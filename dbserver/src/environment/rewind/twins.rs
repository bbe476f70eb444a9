//! Two logs that have both written one generation, each for itself: their histories do not tell where they part. A root that
//! was brought back from an older copy, or has lost the end of its log, and a slave that still has it; two servers on copies
//! of one DataDir. What both have is found by asking the other one for its chain hashes.
//!
//! ```text
//!  own borders    =  =  =  =  ≠  ≠  ≠       equal hashes prove all before them, so half of what is left is asked for each time
//! ```

use fwlog::{
    ChainHash, CommitNumber, LogPoint, Position, ReadItem, SegmentReader, SegmentStore, layout,
    newest_common,
};
use lost::{MadeBy, Root};

use super::fork::{Fork, apart};
use crate::databases::handover::HandoverPoint;
use crate::environment::fence::OtherLog;
use crate::environment::log::read_error;
use crate::environment::redo::segments_of;
use crate::environment::state::Environment;
use crate::error::EngineError;

/// Asks for the chain hash of the other log at a position; `None`: no block ends there.
pub(crate) type AskHash<'a> = &'a mut dyn FnMut(Position) -> Result<Option<ChainHash>, EngineError>;

/// A border of the own log.
#[derive(Clone, Copy)]
struct Border {
    point: LogPoint,
    commit: CommitNumber,
}

impl Environment {
    /// Where its log has left that one, within a generation. `None`: it is the beginning of it.
    ///
    /// Errors: the other one can't be asked, or has nothing in the place of what this one has.
    pub(crate) fn fork_among_twins(
        &self,
        other: &OtherLog,
        ask: AskHash<'_>,
    ) -> Result<Option<Fork>, EngineError> {
        let core = self.core();
        let (own, name) = (&core.config().server.instance, &other.instance);
        let end = self.branch_end().ok_or(EngineError::ChangingRole)?;
        let history = core.instance().history();
        let common = newest_common((history.branch(), end), (&other.branch, other.end));
        let Some(common) = common else {
            return Err(apart(format!(
                "the histories of {own} and {name} do not reach back to a common point"
            )));
        };
        let store = core.log_store(core.log_place())?;
        let segments = segment_borders(&store, common.position)?;
        let Some(segment) = last_common(&segments, ask)? else {
            return Err(apart(format!(
                "the log of {own} does not reach back to where it has left that of {name}"
            )));
        };
        let blocks = block_borders(&store, segment, common.position)?;
        let at = last_common(&blocks, ask)?.unwrap_or(segment);
        if at.point.position == end.point.position {
            return Ok(None);
        }
        if at.point.position == other.end.point.position {
            return Err(EngineError::state(
                format!(
                    "the log of {name} ends at {}, and has nothing in the place of what {own} has behind that",
                    at.point.position
                ),
                "It is behind, and nothing is taken back for it. Give --from the address of the root.",
            ));
        }
        let number = at.point.position.segment.generation;
        let line = other.branch.iter().find(|line| line.number == number);
        Ok(Some(Fork {
            at: HandoverPoint {
                point: at.point,
                commit: at.commit,
            },
            by: name.clone(),
            was_root: self.has_written()?,
            root: line.map(|line| Root {
                instance: name.clone(),
                generation: line.number,
                id: line.id,
            }),
            begins_generation: false,
            made_by: MadeBy::Rejoin,
        }))
    }
}

/// The last one that the other log has, too.
fn last_common(borders: &[Border], ask: AskHash<'_>) -> Result<Option<Border>, EngineError> {
    let (mut common, mut different) = (0, borders.len());
    while common < different {
        let middle = usize::midpoint(common, different);
        let Some(border) = borders.get(middle) else {
            break;
        };
        if ask(border.point.position)? == Some(border.point.hash) {
            common = middle + 1;
        } else {
            different = middle;
        }
    }
    Ok(common
        .checked_sub(1)
        .and_then(|last| borders.get(last))
        .copied())
}

/// Where the first block of each segment of the generation begins.
fn segment_borders(store: &SegmentStore, to: Position) -> Result<Vec<Border>, EngineError> {
    let mut borders = Vec::new();
    let is_asked =
        |id: &fwlog::SegmentId| id.generation == to.segment.generation && *id <= to.segment;
    for id in segments_of(store)?.into_iter().filter(is_asked) {
        let reader = SegmentReader::open_in(store, id).map_err(read_error)?;
        borders.push(Border {
            point: LogPoint::new(
                Position::new(id, layout::header::SIZE as u64),
                reader.point().hash,
            ),
            commit: reader.last_commit(),
        });
    }
    Ok(borders)
}

/// Where each block of that segment ends.
fn block_borders(
    store: &SegmentStore,
    segment: Border,
    to: Position,
) -> Result<Vec<Border>, EngineError> {
    let mut borders = Vec::new();
    let id = segment.point.position.segment;
    let mut reader = SegmentReader::open_in(store, id).map_err(read_error)?;
    while let ReadItem::Block(block) = reader.next(None).map_err(read_error)? {
        if block.end.position > to {
            break;
        }
        borders.push(Border {
            point: block.end,
            commit: block.head.last_commit,
        });
    }
    Ok(borders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_common_border_is_found_wherever_it_is() {
        let border = |number: u8| Border {
            point: LogPoint::new(
                Position::new(fwlog::SegmentId::FIRST, u64::from(number)),
                ChainHash::from_bytes([number; 32]),
            ),
            commit: CommitNumber::new(number.into()),
        };
        let borders: Vec<Border> = (0..100).map(border).collect();
        for fork in 0..=100 {
            let mut asked = 0;
            let found = last_common(&borders, &mut |position| {
                asked += 1;
                let number = u8::try_from(position.offset).unwrap();
                Ok((number < fork).then(|| ChainHash::from_bytes([number; 32])))
            });
            let commit = found.unwrap().map(|border| border.commit.get());
            assert_eq!(commit, u64::from(fork).checked_sub(1));
            assert!(asked <= 7, "{asked} questions");
        }
        let failed = last_common(&borders, &mut |_| Err(EngineError::ChangingRole));
        assert!(failed.is_err());
    }
}
