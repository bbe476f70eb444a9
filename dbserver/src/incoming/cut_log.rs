//! A log that ends earlier from now on: what it had behind that point is kept as files.
//!
//! ```text
//!  1-3 ────────────┬── seal   1-4 ──── seal   1-5 ──▶       the log
//!                  at         └──────────────────┴─▶ ASIDE/1-4, 1-5
//!                  └─ a copy of 1-3 ──▶ ASIDE; then it ends here
//! ```
//! May be done again after a crash: each step finds what was done before.

use std::io;
use std::path::Path;

use fwlog::{LogLocation, LogPoint, SegmentId, SegmentReader, SegmentStore};

use crate::error::EngineError;

/// A reader of the segment that the point is in, which stands there.
///
/// Errors: the log does not have the point, or can't be read.
pub(crate) fn reader_at(store: &SegmentStore, at: LogPoint) -> Result<SegmentReader, EngineError> {
    let mut reader =
        SegmentReader::open_in(store, at.position.segment).map_err(EngineError::from)?;
    let hash = reader
        .skip_to(at.position.offset)
        .map_err(EngineError::from)?;
    if hash == Some(at.hash) {
        Ok(reader)
    } else {
        Err(EngineError::Corrupt(format!(
            "the log in {} does not have the point {at} any more",
            store.location().directory.display()
        )))
    }
}

/// Has the log end at this point; all behind it goes to `aside`.
pub(crate) fn cut_log(
    store: &SegmentStore,
    at: LogPoint,
    aside: &LogLocation,
) -> Result<(), EngineError> {
    let disk = &store.location().disk;
    let failed = |what: &'static str, path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| EngineError::file(what, path, &error)
    };
    let directory = &aside.directory;
    disk.make_directory(directory, 0o700)
        .map_err(failed("make the directory", directory))?;
    // It tells of a log that is longer.
    let position = store.position_path();
    match disk.remove(&position) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove", &position)(error));
        }
        _ => {}
    }
    let segment = at.position.segment;
    for id in later(store, segment)?.into_iter().rev() {
        let from = store.path(id);
        disk.rename(&from, &aside.path(id))
            .map_err(failed("rename", &from))?;
    }
    let reader = reader_at(store, at)?;
    let (path, length) = (store.path(segment), at.position.offset);
    let file_length = reader.file_length().map_err(EngineError::from)?;
    let is_sealed_there = reader.sealed().is_some_and(|seal| seal.length == length);
    if is_sealed_there || file_length == length {
        return Ok(());
    }
    let file = store.open(segment).map_err(failed("open", &path))?;
    SegmentStore::at(aside.clone(), 0o600)
        .create_copy(segment, file.as_ref(), file_length)
        .map_err(failed("copy", &path))?;
    file.set_length(length)
        .and_then(|()| file.sync())
        .map_err(failed("cut", &path))
}

/// The segments behind this one.
fn later(store: &SegmentStore, segment: SegmentId) -> Result<Vec<SegmentId>, EngineError> {
    let directory = &store.location().directory;
    let segments = store.list();
    let segments = segments.map_err(|error| EngineError::file("list", directory, &error))?;
    Ok(segments.into_iter().filter(|id| *id > segment).collect())
}
