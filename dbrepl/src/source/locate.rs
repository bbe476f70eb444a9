//! Finding the slave's point in the master's log.

use dbproto::state::COPY;
use dbproto::{Refuse, Standing, state};
use fwlog::{
    DurableEnd, Follow, FollowError, HistoryLine, LogDirectory, LogLocation, LogPoint, NoSyncPoint,
    Position, SegmentId, hash_at,
};

use super::{history, not_followed, unreadable};
use crate::error::{ExitCode, MissingLog, Retry, ShipError};

/// What to do when the log has nothing to go on from.
pub(super) fn go_on() -> String {
    format!("put the missing segments back, or {COPY}")
}

/// Where the slave's point is.
#[derive(Debug)]
pub enum Located {
    /// In the log; this reads on from there.
    Here(Box<Follow>),
    /// Not in the log: the two differ somewhere.
    Elsewhere,
    /// The log doesn't hold what the slave needs next; it may come back.
    Missing(Refuse, Retry),
}

/// Whether what was missing from the log is there.
pub fn is_there(location: &LogLocation, missing: MissingLog) -> Result<bool, ShipError> {
    match missing {
        MissingLog::Point(at) => {
            let point = at.unwrap_or(LogPoint::ORIGIN);
            Ok(Follow::start(location.clone(), point).is_ok())
        }
        MissingLog::After(id) => {
            let directory = LogDirectory::scan(location).map_err(unreadable)?;
            Ok(directory.successor(id).is_some())
        }
    }
}

/// Names what is missing behind a segment that another one should follow.
pub(super) fn gap(location: &LogLocation, after: SegmentId) -> ShipError {
    let next = LogDirectory::scan(location).ok().and_then(|directory| {
        let next = directory.segments().iter().find(|info| info.id > after)?;
        Some((next.id, next.path.clone()))
    });
    let failure = |message: String| {
        ShipError::new(ExitCode::NoSynchronizationPoint, message)
            .hint(go_on())
            .standing(Standing::LogMissing)
    };
    match next {
        Some((id, path)) if id.generation != after.generation => failure(format!(
            "the master's log goes on with {}, which does not follow segment {after}: forward logging was off in between, or segments are gone",
            path.display()
        )),
        _ => failure(format!(
            "the master's log has a gap: the segment after {after} is gone: {}",
            location.path(after.next_sequence()).display()
        ))
        .retry(Retry::OnceBack(MissingLog::After(after))),
    }
}

/// Looks for the slave's point; `None` is the log's beginning. `next`: the generation that goes on where the slave's was
/// left, where the histories of both tell that it is the same.
pub fn locate(
    location: &LogLocation,
    at: Option<LogPoint>,
    next: Option<&HistoryLine>,
) -> Result<Located, ShipError> {
    let point = at.unwrap_or(LogPoint::ORIGIN);
    let why = match Follow::start(location.clone(), point) {
        Ok(follow) => return Ok(Located::Here(Box::new(follow))),
        Err(FollowError::NoSynchronizationPoint { why }) => why,
        Err(error) => return Err(not_followed(location, error)),
    };
    match why {
        NoSyncPoint::AheadOfMaster { durable } => {
            // After a power cut fw.position may be older than the log is, until the master has
            // recovered. The blocks themselves tell.
            let hash = hash_at(location, point.position).map_err(unreadable)?;
            if hash == Some(point.hash) {
                return Err(ShipError::passing(format!(
                    "the slave is at {}, the master's log is known to be durable only up to {durable}",
                    point.position
                ))
                .hint("start the master: its recovery finds the end of its log"));
            }
            if is_switched_off(location)? {
                return Err(switched_off_before(point.position, durable));
            }
            Ok(Located::Elsewhere)
        }
        NoSyncPoint::LogBeginsLater { .. } | NoSyncPoint::Missing(_) => {
            match history::refuse_diverged(location, point, next)?.filter(|_| at.is_some()) {
                Some(diverged) => Err(diverged),
                None => missing(location, at),
            }
        }
        NoSyncPoint::Diverged { .. } if at.is_none() => missing(location, at),
        NoSyncPoint::Diverged { .. } | NoSyncPoint::UnknownGeneration(_) => Ok(Located::Elsewhere),
    }
}

fn is_switched_off(location: &LogLocation) -> Result<bool, ShipError> {
    let end = DurableEnd::read(&location.disk, &location.directory);
    let end = end.map_err(|error| unreadable(error.into()))?;
    Ok(end.is_some_and(|end| end.switched_off))
}

/// A log that was interrupted keeps whole segments only: the slave had more of it.
fn switched_off_before(slave: Position, durable: Position) -> ShipError {
    ShipError::new(
        ExitCode::NoSynchronizationPoint,
        format!(
            "forward logging was switched off on the server that this dbrepl reads from: its log ends at {durable}, and the slave is at {slave}"
        ),
    )
    .hint("feed the slave from another server that has a forward log; or, once forward logging is on again here ('dbctl forwardlog enable', or a restart of that server), start dbrepl again, which goes on if all that the slave needs is there")
    .standing(Standing::LogOff)
}

/// Names the segments that the slave needs and that are gone.
fn missing(location: &LogLocation, at: Option<LogPoint>) -> Result<Located, ShipError> {
    let directory = LogDirectory::scan(location).map_err(unreadable)?;
    let wanted = at.map_or(SegmentId::FIRST, |point| point.position.segment);
    let behind = directory
        .segments()
        .iter()
        .map(|info| info.id)
        .find(|id| *id > wanted);
    let gone = match behind {
        Some(next) if next == wanted.next_sequence() => {
            format!("segment {} is gone", location.path(wanted).display())
        }
        Some(next) if next.generation == wanted.generation => {
            let last = SegmentId::new(next.generation.get(), next.sequence.get() - 1);
            format!(
                "segments {} to {last} are gone",
                location.path(wanted).display()
            )
        }
        Some(next) => format!(
            "segment {} and those after it up to {} are gone",
            location.path(wanted).display(),
            location.path(next).display()
        ),
        None => format!(
            "segment {} and those after it are gone",
            location.path(wanted).display()
        ),
    };
    let detail = match at {
        Some(point) => format!("{gone}; the slave is at {}", point.position),
        None => format!("{gone}; an empty slave needs the log from its beginning"),
    };
    let message = match at {
        Some(_) => "the master's log no longer holds what the slave needs next",
        None => "the master's log no longer begins at the beginning",
    };
    let refuse = Refuse::new(state::LOG_MISSING, message)
        .detail(detail)
        .hint(go_on());
    // What another generation has left out never was in this directory.
    let in_sequence = behind.is_none_or(|next| next.generation == wanted.generation);
    let retry = if in_sequence {
        Retry::OnceBack(MissingLog::Point(at))
    } else {
        Retry::Never
    };
    Ok(Located::Missing(refuse, retry))
}
