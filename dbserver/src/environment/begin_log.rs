//! The log of an environment begins, or begins again.

use std::sync::Arc;

use fwlog::{Begin, Durable, GenerationReason, SegmentId, SegmentReader, SegmentStore, Writer};

use crate::commit::checkpointer::Checkpointer;
use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::interrupted;
use crate::environment::log;
use crate::environment::redo::segments_of;
use crate::error::EngineError;

/// How the log goes on behind `end`, to which all is applied, and what is in the way goes.
pub(super) fn way_on(
    core: &Core,
    place: LogPlace,
    end: &Durable,
    promoted: bool,
) -> Result<Begin, EngineError> {
    let moves = place != core.log_place();
    let breaks = !moves && has_lost(core.log_store(place)?.as_ref(), end)?;
    if moves {
        // FwLog was set or removed since the last run, or a slave's forward log was off.
        core.write_data_files(None)?;
        if place == LogPlace::ForwardLog && !promoted {
            tracing::warn!(
                "forward logging was off and begins again: slaves must be re-synchronized"
            );
        }
    }
    if breaks {
        tracing::warn!(
            at = %end.point.position,
            "the data files have commits that the log has lost: slaves that lack some of them must be re-synchronized"
        );
    }
    if moves || breaks {
        make_way(core, place, end)?;
    }
    Ok(if promoted {
        Begin::NewGeneration {
            reason: GenerationReason::Promote,
            after: *end,
        }
    } else if moves || breaks {
        log::begin_in(place, *end)
    } else {
        Begin::NextSegment { after: *end }
    })
}

/// Whether the segment of this end is here, and does not reach as far.
fn has_lost(store: &SegmentStore, end: &Durable) -> Result<bool, EngineError> {
    let at = end.point.position;
    if !segments_of(store)?.contains(&at.segment) {
        return Ok(false);
    }
    let reader = SegmentReader::open_in(store, at.segment);
    let hash = reader.and_then(|mut reader| reader.skip_to(at.offset));
    Ok(hash.map_err(log::read_error)? != Some(end.point.hash))
}

/// Before the log, which ends at `end`, goes on in the other place: what an attempt before this one has left
/// there goes, and a log that was left there gets an end.
pub(super) fn make_way(core: &Core, place: LogPlace, end: &Durable) -> Result<(), EngineError> {
    let store = core.log_store(place)?;
    match place {
        LogPlace::Journal => {
            remove_from(&store, end.point.position.segment)?;
            interrupted::forget_end(&store)
        }
        LogPlace::ForwardLog => {
            remove_unused(&store)?;
            let open = Durable {
                sealed: false,
                ..*end
            };
            let ended = log::end_there(&store, store.location(), &open)
                .map(drop)
                // It does not reach as far.
                .or_else(|_| log::end_left_log(core.config(), store.location()));
            if let Err(error) = ended {
                tracing::warn!(%error, "the log of before cannot be given an end");
            }
            match interrupted::say_switched_off(&store, core.known_id()?) {
                // What stands there is nobody's before a person has looked at it.
                Err(error @ EngineError::LogDamaged(_)) => {
                    tracing::warn!(%error, "where the log of before ends cannot be said");
                    Ok(())
                }
                other => other,
            }
        }
    }
}

/// The journal is the server's own, and redo needs nothing of it: the log up to here is elsewhere.
fn remove_from(store: &SegmentStore, first: SegmentId) -> Result<(), EngineError> {
    for id in segments_of(store)?.into_iter().filter(|id| *id >= first) {
        remove(store, id)?;
    }
    Ok(())
}

/// A log that was left is sealed, as far as it has anything.
fn remove_unused(store: &SegmentStore) -> Result<(), EngineError> {
    for id in segments_of(store)?.into_iter().rev() {
        let is_open = SegmentReader::open_in(store, id).is_ok_and(|it| it.sealed().is_none());
        if !is_open || !log::is_unused(store, id)? {
            return Ok(());
        }
        tracing::warn!(
            "{} has nothing in it and is removed",
            store.path(id).display()
        );
        remove(store, id)?;
    }
    Ok(())
}

fn remove(store: &SegmentStore, id: SegmentId) -> Result<(), EngineError> {
    let removed = store.remove(id);
    removed.map_err(|error| EngineError::file("remove", store.path(id), &error))
}

/// Starts the writer of an environment.
pub(super) fn start_writer(
    core: &Core,
    checkpointer: &Arc<Checkpointer>,
    place: LogPlace,
    begin: Begin,
) -> Result<Arc<Writer>, EngineError> {
    let start = log::WriterStart {
        config: core.config(),
        host: core.host(),
        layout: core.layout(),
        environment: core.known_id()?,
        under_way: core.files().under_way(),
        release: core.release(),
        checkpointer,
        audit_log: core.audit_log(),
    };
    start.start(place, begin)
}
