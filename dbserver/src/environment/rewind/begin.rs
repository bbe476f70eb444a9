//! Where redo begins when the log ends at the fork.

use fwlog::{BlockDecoder, Position, ReadItem, Record, SegmentReader, SegmentStore};

use super::fork::Fork;
use super::tail::Tail;
use crate::databases::control::{DatabaseEntry, RedoPoint};
use crate::environment::core::Core;
use crate::environment::log::read_error;
use crate::environment::redo::{redo_point_at, segments_of};
use crate::error::EngineError;

/// The point, the databases there, and why none is right, if so.
pub(super) struct Begin {
    pub(super) redo: RedoPoint,
    pub(super) databases: Vec<DatabaseEntry>,
    pub(super) obstacle: Option<String>,
}

/// Where the other log begins a generation at the fork, each page that it writes comes as a whole first: redo begins where it
/// does today, or, where that is behind the fork, there. Elsewhere it begins no later than the newest checkpoint before the
/// fork says, as on the other side.
pub(super) fn begin(
    core: &Core,
    store: &SegmentStore,
    fork: &Fork,
    at_fork: &[DatabaseEntry],
) -> Result<Begin, EngineError> {
    let at = fork.at.point.position;
    let today = core.identity().filter(|it| it.redo.point.position <= at);
    let today = today.map(|identity| Begin {
        redo: identity.redo,
        databases: identity.databases,
        obstacle: None,
    });
    if fork.begins_generation {
        return match today {
            Some(today) => Ok(today),
            None => Ok(Begin {
                redo: redo_point_at(&core.log_locations(), at)?,
                databases: at_fork.to_vec(),
                obstacle: None,
            }),
        };
    }
    let checkpoint = newest_checkpoint(store, at)?;
    match (today, checkpoint) {
        (Some(today), _) if today.redo == RedoPoint::BEGINNING => Ok(today),
        (Some(today), Some(newest)) if today.redo.point.position <= newest => Ok(today),
        (_, Some(newest)) => from_checkpoint(core, store, newest),
        (_, None) => Ok(none_is_right(
            "the log does not have a checkpoint before that point any more".to_owned(),
        )),
    }
}

/// That of a checkpoint that was made before the newest one of this server.
fn from_checkpoint(
    core: &Core,
    store: &SegmentStore,
    newest: Position,
) -> Result<Begin, EngineError> {
    let Ok(redo) = redo_point_at(&core.log_locations(), newest) else {
        return Ok(none_is_right(format!(
            "the log does not have {newest} any more, where redo would begin"
        )));
    };
    let tail = Tail::read(store, redo.point)?;
    if let Some(name) = tail.removed() {
        return Ok(none_is_right(format!(
            "database \"{name}\" was removed behind {newest}, where redo would begin"
        )));
    }
    Ok(Begin {
        redo,
        databases: tail.before(core.databases().entries()),
        obstacle: None,
    })
}

fn none_is_right(why: String) -> Begin {
    Begin {
        redo: RedoPoint::BEGINNING,
        databases: Vec::new(),
        obstacle: Some(why),
    }
}

/// Where redo begins by the newest checkpoint that the log has before a border.
fn newest_checkpoint(store: &SegmentStore, at: Position) -> Result<Option<Position>, EngineError> {
    let segments = segments_of(store)?.into_iter().rev();
    for id in segments.filter(|id| *id <= at.segment) {
        let mut reader = SegmentReader::open_in(store, id).map_err(read_error)?;
        let mut decoder = BlockDecoder::new();
        let mut newest = None;
        while let ReadItem::Block(block) = reader.next(None).map_err(read_error)? {
            if block.end.position > at {
                break;
            }
            let damaged =
                |why: String| EngineError::Corrupt(format!("block at {}: {why}", block.start));
            let records = decoder.records(&block);
            for record in records.map_err(|error| damaged(error.to_string()))? {
                let record = record.map_err(|error| damaged(error.to_string()))?;
                if let Record::Checkpoint { redo } = record {
                    newest = Some(redo);
                }
            }
        }
        if newest.is_some() {
            return Ok(newest);
        }
    }
    Ok(None)
}
