//! The directory of FwLog while a slave writes its journal: it has whole segments only, and says that
//! nothing follows.

use fwlog::{Durable, DurableEnd, EnvironmentId, SegmentId, SegmentReader, SegmentStore};

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::log::{is_unused, settle};
use crate::error::EngineError;

/// Removes the segment that was interrupted: the journal has it. Nothing to do while the log is in that
/// directory, or where none is configured. May be done again at any time. Gives whether there was one.
pub(super) fn clear(core: &Core) -> Result<bool, EngineError> {
    let Some(environment) = core.id() else {
        return Ok(false);
    };
    if core.log_place() == LogPlace::ForwardLog || core.config().forward_log.location.is_none() {
        return Ok(false);
    }
    let store = core.log_store(LogPlace::ForwardLog)?;
    let journal = core.log_store(LogPlace::Journal)?;
    let (mut end, mut found) = (None, false);
    while let Some(newest) = list(&store)?.last().copied() {
        let mut reader = SegmentReader::open_in(&store, newest).map_err(EngineError::LogDamaged)?;
        if let Some(seal) = reader.sealed() {
            let whole = reader.skip_to(seal.length);
            whole.map_err(EngineError::LogDamaged)?;
            end = Some(end_of(&reader));
            break;
        }
        end = Some(before(&reader));
        put_away(&store, &journal, &reader)?;
        found = true;
    }
    if let Some(end) = end {
        tell_readers(&store, environment, end)?;
    }
    Ok(found)
}

/// Says that nothing follows behind the whole segments of a log that was left. What stood there may have been
/// about a segment that was removed since, and whose number is given again: no crash may bring it back.
pub(super) fn say_switched_off(
    store: &SegmentStore,
    environment: EnvironmentId,
) -> Result<(), EngineError> {
    let Some(newest) = list(store)?.last().copied() else {
        return forget_end(store);
    };
    let mut reader = SegmentReader::open_in(store, newest).map_err(EngineError::LogDamaged)?;
    let Some(seal) = reader.sealed() else {
        return Ok(());
    };
    let whole = reader.skip_to(seal.length);
    whole.map_err(EngineError::LogDamaged)?;
    tell_readers(store, environment, end_of(&reader))
}

/// Nothing is known of where the log in this directory ends.
pub(super) fn forget_end(store: &SegmentStore) -> Result<(), EngineError> {
    let path = store.position_path();
    let disk = &store.location().disk;
    let failed = |error: std::io::Error| EngineError::file("remove", &path, &error);
    if disk.exists(&path).map_err(failed)? {
        disk.remove(&path).map_err(failed)?;
    }
    Ok(())
}

/// Removes what an attempt before this one has left in the journal: as long as the log is in the directory of
/// FwLog, that has the segments that both have.
pub(super) fn clear_journal(core: &Core, journal: &SegmentStore) -> Result<(), EngineError> {
    let left = list(journal)?;
    if left.is_empty() {
        return Ok(());
    }
    let kept = list(core.log_store(LogPlace::ForwardLog)?.as_ref())?;
    for id in left.into_iter().filter(|id| kept.contains(id)) {
        let removed = journal.remove(id);
        removed.map_err(|error| EngineError::file("remove", journal.path(id), &error))?;
    }
    Ok(())
}

/// What the journal has, or has nothing in it, goes. Anything else is somebody's, and is kept under another name.
fn put_away(
    store: &SegmentStore,
    journal: &SegmentStore,
    reader: &SegmentReader,
) -> Result<(), EngineError> {
    let (id, path) = (reader.header().id, reader.path().to_owned());
    let is_in_journal = list(journal)?.contains(&id)
        && SegmentReader::open_in(journal, id).is_ok_and(|other| other.header() == reader.header());
    if is_in_journal || is_unused(store, id)? {
        let removed = store.remove(id);
        return removed.map_err(|error| EngineError::file("remove", path, &error));
    }
    let aside = store.move_aside(id);
    let aside = aside.map_err(|error| EngineError::file("move aside", path, &error))?;
    tracing::warn!(
        "segment {id} was left open in the directory of FwLog, and the journal does not have it: it is kept as {}",
        aside.display()
    );
    Ok(())
}

fn list(store: &SegmentStore) -> Result<Vec<SegmentId>, EngineError> {
    let directory = &store.location().directory;
    let listed = store.list();
    listed.map_err(|error| EngineError::file("list", directory, &error))
}

fn end_of(reader: &SegmentReader) -> Durable {
    let point = reader.point();
    Durable {
        point,
        commit: reader.last_commit(),
        time: reader.time(),
        log_bytes: reader.header().log_bytes + point.position.offset,
        sealed: true,
    }
}

/// Where a segment begins, without it.
fn before(reader: &SegmentReader) -> Durable {
    let header = reader.header();
    Durable {
        point: header.before(),
        commit: header.last_commit,
        time: header.created,
        log_bytes: header.log_bytes,
        sealed: true,
    }
}

fn tell_readers(
    store: &SegmentStore,
    environment: EnvironmentId,
    durable: Durable,
) -> Result<(), EngineError> {
    let end = DurableEnd {
        environment,
        durable,
        switched_off: true,
        stopped: false,
    };
    let (path, content) = (store.position_path(), end.encode());
    let failed = |error: std::io::Error| EngineError::file("write", &path, &error);
    if store.read_position().map_err(failed)?.as_deref() != Some(&content[..]) {
        store.write_position(&content).map_err(failed)?;
    }
    settle(store)
}
