//! The files `instances` and `history` of DataDir, when they are read and when the log is replaced.

use std::path::{Path, PathBuf};

use disk::Disk;
use fwlog::sealed_text::{SealedFileError, set_aside};
use fwlog::{History, LogPoint, Position, Timestamp};

use crate::databases::layout::Layout;
use crate::error::EngineError;

/// What was read; a file that is damaged is set aside, as if it were lost.
pub(crate) fn readable<T>(
    read: Result<Option<T>, SealedFileError>,
    disk: &Disk,
    now: Timestamp,
) -> Result<Option<T>, EngineError> {
    match read {
        Ok(content) => Ok(content),
        Err(SealedFileError::Damaged { what, path, why }) => {
            let aside = aside(disk, &path, now)?;
            tracing::warn!(
                "{what} file {} is damaged: {why}; it is made anew, and kept as {}",
                path.display(),
                aside.display()
            );
            Ok(None)
        }
        Err(error) => Err(refused(error)),
    }
}

fn aside(disk: &Disk, path: &Path, now: Timestamp) -> Result<PathBuf, EngineError> {
    set_aside(disk, path, now).map_err(|error| EngineError::file("set aside", path, &error))
}

fn refused(error: SealedFileError) -> EngineError {
    match error {
        SealedFileError::Io {
            during,
            path,
            error,
        } => EngineError::file(during, path, &error),
        SealedFileError::Damaged { .. } | SealedFileError::Version { .. } => {
            EngineError::History(error.to_string())
        }
    }
}

/// The log ends at `end` from now on: generations that had begun behind it are none of it. May be done twice.
pub(crate) fn forget_behind(layout: &Layout, end: Position) -> Result<(), EngineError> {
    let (disk, path) = (layout.disk(), layout.history());
    let history = match History::read(disk, &path) {
        Ok(history) => history,
        // The next start tells, and sets it aside.
        Err(SealedFileError::Damaged { .. }) => return Ok(()),
        Err(error) => return Err(refused(error)),
    };
    let Some(mut history) = history else {
        return Ok(());
    };
    if history.forget_behind(end) {
        history.write(disk, &path).map_err(refused)?;
    }
    Ok(())
}

/// The log that was here up to `end` is replaced by another server's: what it was is kept as an abandoned branch. May be
/// done twice.
pub(crate) fn abandon(layout: &Layout, end: LogPoint) -> Result<(), EngineError> {
    let (disk, path) = (layout.disk(), layout.history());
    let history = match History::read(disk, &path) {
        Ok(history) => history,
        // The next start tells, and sets it aside.
        Err(SealedFileError::Damaged { .. }) => return Ok(()),
        Err(error) => return Err(refused(error)),
    };
    match history {
        Some(mut history) if !history.branch().is_empty() => {
            history.abandon(end);
            history.write(disk, &path).map_err(refused)
        }
        Some(_) | None => Ok(()),
    }
}
