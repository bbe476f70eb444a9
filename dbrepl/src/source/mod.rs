//! The master's log: who it belongs to, where a slave's point is in it, and what follows.

mod borders;
mod history;
mod life;
mod locate;
mod pace;
mod piece;
mod reach;
mod ring;
mod shared;
mod tailer;
mod watch;

use std::path::Path;

use dbproto::state::COPY;
use dbproto::{Greeting, Identify, PROTOCOL_VERSION, Progress, Standing};
use fwlog::{
    Above, DurableEnd, EnvironmentId, FollowError, HistoryLine, LogDirectory, LogKind, LogLocation,
    POSITION_FILE, ReadError, SERVED_HISTORY_FILE, SERVED_PATH_FILE, SERVED_SETTLED_FILE,
    ServedHistory, SettledForks, Speaker, generations_in, layout,
};

pub use borders::collect as borders;
pub use life::{Life, Sign};
pub use locate::{Located, is_there, locate};
pub use reach::reaches_back;
pub use shared::SharedLog;
pub use tailer::{TailItem, Tailer};

use crate::error::{ExitCode, ShipError};
use crate::served_log::Source;

/// What to do about a file that does not belong to the log.
const MOVE_AWAY: &str =
    "move it out of the log directory, or give it a name that does not look like a segment's";

/// Forward logging was switched off on the master, and the slave has all that was logged before.
pub fn switched_off() -> ShipError {
    ShipError::new(
        ExitCode::NoSynchronizationPoint,
        "forward logging was switched off on the master: the slave has all that was logged before, and gets nothing that is committed since",
    )
    .hint(format!("once forward logging is on again ('dbctl forwardlog enable', or a restart of the master), {COPY}"))
    .standing(Standing::LogOff)
}

/// What the source says of itself. Reads the newest segment's header and the durable end.
pub fn introduce(source: &Source, pack: bool) -> Result<Identify, ShipError> {
    let LogLocation {
        disk, directory, ..
    } = &source.location;
    let end = DurableEnd::read(disk, directory).map_err(|error| unreadable(error.into()))?;
    let segments = LogDirectory::scan(&source.location).map_err(unreadable)?;
    let newest = segments.segments().last();
    if let (None, Some(damaged)) = (newest, segments.damaged().first()) {
        return Err(unreadable(damaged.error.clone()));
    }
    if let Some(end) = &end {
        refuse_foreign(&segments, end.environment)?;
    }
    if let (Some(end), None) = (&end, newest)
        && end.switched_off
    {
        return Err(switched_off());
    }
    let (Some(end), Some(newest)) = (end, newest) else {
        return Err(no_log(directory));
    };
    if newest.header.kind != LogKind::Forward {
        return Err(ShipError::new(
            ExitCode::NoSynchronizationPoint,
            format!(
                "{} is of {}: nothing can be replicated from it",
                newest.path.display(),
                newest.header.kind
            ),
        )
        .hint("name the configuration of a server with a forward log"));
    }
    Ok(Identify {
        protocol: PROTOCOL_VERSION,
        format: layout::header::FORMAT_VERSION,
        environment: end.environment,
        instance: newest.header.origin.clone(),
        role: source.role,
        page_size: newest.header.page_size,
        volume_limit: source.volume_limit,
        durable: Some(Progress::from(&end.durable)),
        pack,
        greeting: None,
    })
}

/// Who the source is, and the history of its log, as its server has left it beside the log; `None`: it is an older one.
/// What the log has gone on since is added.
pub fn greeting(source: &Source) -> Result<Option<Greeting>, String> {
    let served = served_history(source)?;
    Ok(served.map(|it| Greeting::new(it.speaker, &it.history)))
}

/// The generations of the log, the oldest first, also those whose segments are gone, where its server tells them.
pub fn branch(source: &Source) -> Result<Vec<HistoryLine>, String> {
    if let Some(served) = served_history(source)? {
        return Ok(served.history.branch().to_vec());
    }
    let location = &source.location;
    let end = DurableEnd::read(&location.disk, &location.directory);
    let end = end.map_err(|error| error.to_string())?;
    let Some(end) = end.map(|end| end.durable.point.position) else {
        return Ok(Vec::new());
    };
    generations_in(location, None, end).map_err(|error| error.to_string())
}

fn served_history(source: &Source) -> Result<Option<ServedHistory>, String> {
    let location = &source.location;
    let path = location.directory.join(SERVED_HISTORY_FILE);
    let read = ServedHistory::read(&location.disk, &path).map_err(|error| error.to_string())?;
    let Some(mut served) = read else {
        return Ok(None);
    };
    let end = DurableEnd::read(&location.disk, &location.directory);
    let end = end.map_err(|error| error.to_string())?;
    if let Some(end) = end.map(|end| end.durable.point.position) {
        let newest = served.history.newest().map(|line| line.number);
        let found = generations_in(location, newest, end).map_err(|error| error.to_string())?;
        served
            .history
            .take_in(&found, end)
            .map_err(|why| why.to_string())?;
    }
    Ok(Some(served))
}

/// Whether the source's server has left beside the log who it is, and that can be read.
pub fn has_name(source: &Source) -> bool {
    matches!(greeting(source), Ok(Some(_)))
}

/// Where the source is in the tree of instances, as its server has left it beside the log; `None`: an older one has not, or
/// it can't be read, and is written anew before long.
pub fn above(source: &Source) -> Option<Above> {
    let location = &source.location;
    let path = location.directory.join(SERVED_PATH_FILE);
    Above::read(&location.disk, &path)
        .inspect_err(|error| {
            tracing::debug!("where the source is in the tree is not known: {error}");
        })
        .ok()
        .flatten()
}

/// Which forks are settled, as the source's server has left it beside the log; none where it has not looked yet, so that the slave
/// tells what it has lost on a connection that is faster than that. `None`: the file can't be read.
pub fn settled(source: &Source) -> Option<SettledForks> {
    let location = &source.location;
    let path = location.directory.join(SERVED_SETTLED_FILE);
    SettledForks::read(&location.disk, &path)
        .inspect_err(|error| {
            tracing::debug!("what is settled of lost transactions is not known: {error}");
        })
        .ok()
        .map(Option::unwrap_or_default)
}

/// Its place in the tree, for a source that has introduced itself: what another run of its server has left is no news.
pub fn above_of(source: &Source, speaker: &Speaker) -> Above {
    let told = above(source).filter(|above| above.path.own() == speaker);
    told.unwrap_or_else(|| Above::alone(speaker.clone()))
}

/// A directory without a log: the place where its disk is to be mounted, or one that no server has had.
fn no_log(directory: &Path) -> ShipError {
    let position = directory.join(POSITION_FILE);
    let what = if position.exists() {
        format!(
            "there are no segments in {}, or its {POSITION_FILE} can't be read, which the master writes anew when it starts",
            directory.display()
        )
    } else {
        format!("there is no {POSITION_FILE} in {}", directory.display())
    };
    ShipError::passing(what).hint("is its disk mounted, has the master been started with this configuration, and may dbrepl read the directory? A dbrepl that follows goes on by itself")
}

/// A segment of another environment in this directory is somebody's mistake.
fn refuse_foreign(segments: &LogDirectory, environment: EnvironmentId) -> Result<(), ShipError> {
    let foreign = segments
        .segments()
        .iter()
        .find(|info| info.header.environment != environment);
    match foreign {
        None => Ok(()),
        Some(info) => Err(ShipError::passing(format!(
            "{} is a segment of another environment ({})",
            info.path.display(),
            info.header.environment
        ))
        .hint(MOVE_AWAY)),
    }
}

/// An error of a read: damage needs a person; the rest may come right.
pub(crate) fn unreadable(error: ReadError) -> ShipError {
    match error {
        ReadError::Corrupt { ref kind, .. } if kind.is_misplaced() => {
            ShipError::passing(error.to_string()).hint(MOVE_AWAY)
        }
        ReadError::Corrupt { .. } => {
            ShipError::new(ExitCode::Error, format!("the master's log can't be read: {error}"))
                .hint("keep the file, put the segment of a slave that has it or of a backup in its place (they have the same bytes), and start dbrepl again; 'dbctl fwlog verify' shows all damage")
                .standing(Standing::LogDamaged)
        }
        ReadError::Io(failure) if failure.kind == std::io::ErrorKind::PermissionDenied => {
            ShipError::passing(failure.to_string()).hint(
                "run dbrepl as the owner of the log, or set GroupReadAccess = 1 in section [ForwardLog], restart dbserver, and add its user to the group",
            )
        }
        ReadError::Io(failure) if failure.kind == std::io::ErrorKind::NotFound => {
            ShipError::passing(failure.to_string())
                .hint("mount or bring back the directory of FwLog; dbrepl goes on by itself")
        }
        ReadError::Io(failure) => ShipError::passing(failure.to_string()),
    }
}

/// An error of following the log from a point that was in it.
pub fn not_followed(location: &LogLocation, error: FollowError) -> ShipError {
    match error {
        FollowError::Read(error) => unreadable(error),
        FollowError::NoDurableEnd if !location.directory.exists() => {
            let gone = location.directory.display();
            ShipError::passing(format!("the log directory {gone} is not there"))
                .hint("mount it or bring it back; dbrepl goes on by itself")
        }
        FollowError::NoDurableEnd => no_log(&location.directory),
        FollowError::Gap(id) => locate::gap(location, id),
        FollowError::Replaced(directory) => ShipError::passing(format!(
            "the log in {} was replaced by another one",
            directory.display()
        ))
        .hint("a dbrepl that follows looks anew where the slave is in it; start one that does not once more"),
        error @ FollowError::NoSynchronizationPoint { .. } => {
            ShipError::new(ExitCode::NoSynchronizationPoint, error.to_string())
                .hint(COPY)
                .standing(Standing::LogMissing)
        }
    }
}
