//! What ends archiving, or one attempt of it.

use std::io;

use dbproto::{Standing, state};
use fwlog::{FollowError, LogLocation, LogPoint, NoSyncPoint};
use repository::{ArchiveError, ArchiverError, StoreError};

use crate::error::{ExitCode, MissingLog, Retry, ShipError};
use crate::source::{not_followed, unreadable};

/// What to do about an archive that is of another history.
const NEW_REPOSITORY: &str = "nothing was written. An archive keeps one history: begin another repository for this log ('dbctl archive init'), or archive from the server whose log it is; 'dbctl archive list' shows what it has";

/// What an error of the archiver means.
pub(super) fn failed(error: ArchiverError) -> ShipError {
    match error {
        ArchiverError::Log(error) => unreadable(error),
        ArchiverError::NoLog => ShipError::passing("there are no segments of the log")
            .hint("is its disk mounted? A dbrepl that follows goes on by itself"),
        ArchiverError::Archive(error) => not_archived(error),
        error @ ArchiverError::UnknownGeneration(_) => {
            ShipError::new(ExitCode::Error, error.to_string()).hint(
                "start the master once: it leaves the history of its log beside it, in fw.history",
            )
        }
        error @ (ArchiverError::Diverged(_) | ArchiverError::OtherGeneration(_)) => {
            diverged(&error.to_string())
        }
    }
}

fn diverged(why: &str) -> ShipError {
    ShipError::new(
        ExitCode::NoSynchronizationPoint,
        format!("log and archive differ ({}): {why}", state::DIVERGED),
    )
    .hint(NEW_REPOSITORY)
    .standing(Standing::Diverged)
}

fn not_archived(error: ArchiveError) -> ShipError {
    let failure = match &error {
        ArchiveError::NoRepository { .. } => {
            return ShipError::unreachable(error.to_string())
                .hint("is its disk mounted? 'dbctl archive init URL' makes a place a repository");
        }
        ArchiveError::Store(StoreError::Failed { kind, .. }) => {
            let code = match kind {
                io::ErrorKind::PermissionDenied => ExitCode::Access,
                _ => ExitCode::Error,
            };
            return ShipError::new(code, error.to_string())
                .retry(Retry::WhenFollowing)
                .hint("look at the disk or the bucket of the repository; the master keeps its log meanwhile");
        }
        ArchiveError::Newer { .. } => return ShipError::new(ExitCode::Error, error.to_string()),
        ArchiveError::Store(_)
        | ArchiveError::Damaged { .. }
        | ArchiveError::Sent(_)
        | ArchiveError::NotThere(_) => error,
    };
    ShipError::new(ExitCode::Error, failure.to_string())
        .hint("'dbctl archive verify' shows all that is wrong with the archive")
}

/// Why the log can't be read from where the archive ends.
pub(super) fn not_found(location: &LogLocation, at: LogPoint, error: FollowError) -> ShipError {
    let why = match error {
        FollowError::NoSynchronizationPoint { why } => why,
        error => return not_followed(location, error),
    };
    match why {
        NoSyncPoint::AheadOfMaster { durable } => ShipError::passing(format!(
            "the archive ends at {}, the log is known to be durable only up to {durable}",
            at.position
        ))
        .hint("start the master: its recovery finds the end of its log"),
        NoSyncPoint::Diverged { .. } | NoSyncPoint::UnknownGeneration(_) => {
            diverged(&format!("the archive ends at {at}, and {why}"))
        }
        NoSyncPoint::LogBeginsLater { .. } | NoSyncPoint::Missing(_) => ShipError::new(
            ExitCode::NoSynchronizationPoint,
            format!(
                "the log no longer holds what the archive needs next: it ends at {}, and {why}",
                at.position
            ),
        )
        .hint("put the missing segments back, those of a slave are the same; or begin another repository ('dbctl archive init')")
        .standing(Standing::LogMissing)
        .retry(Retry::OnceBack(MissingLog::Point(Some(at)))),
    }
}

/// Nothing more comes.
pub(super) fn switched_off() -> ShipError {
    ShipError::new(
        ExitCode::NoSynchronizationPoint,
        "forward logging was switched off on the master: the archive has all that was logged before, and gets nothing that is committed since",
    )
    .hint("once forward logging is on again, begin another repository for the log from there on ('dbctl archive init')")
    .standing(Standing::LogOff)
}
