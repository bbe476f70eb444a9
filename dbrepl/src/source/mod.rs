//! The master's log: who it belongs to, where a slave's point is in it, and what follows.

mod borders;
mod locate;
mod tailer;

use dbproto::{Identify, PROTOCOL_VERSION, Progress};
use fwlog::{DurableEnd, FollowError, LogDirectory, LogLocation, ReadError, layout};

pub use borders::collect as borders;
pub use locate::{Located, locate};
pub use tailer::{TailItem, Tailer};

use crate::failure::{ExitCode, Failure};
use crate::options::Source;

/// What the source says of itself. Reads the newest segment's header and the durable end.
pub fn introduce(source: &Source, pack: bool) -> Result<Identify, Failure> {
    let LogLocation {
        disk, directory, ..
    } = &source.location;
    let end =
        DurableEnd::read(disk, directory).map_err(|error| Failure::passing(error.to_string()))?;
    let segments = LogDirectory::scan(&source.location).map_err(unreadable)?;
    let newest = segments.segments().last();
    let (Some(end), Some(newest)) = (end, newest) else {
        return Err(Failure::passing(format!(
            "there is no forward log in {}",
            directory.display()
        ))
        .hint("has the master been started with this configuration, and may dbrepl read the directory?"));
    };
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
    })
}

/// An error of a read: damage needs a person; the rest may come right.
fn unreadable(error: ReadError) -> Failure {
    match error {
        ReadError::Corrupt { .. } => {
            Failure::new(ExitCode::Error, format!("the master's log is damaged: {error}"))
                .hint("dbctl fwlog verify shows all damage; a slave that is beyond it still has the log")
        }
        ReadError::Io(failure) if failure.kind == std::io::ErrorKind::PermissionDenied => {
            Failure::new(ExitCode::Error, failure.to_string()).hint(
                "run dbrepl as the owner of the log, or set GroupReadAccess = 1 in section [ForwardLog] and add its user to the group",
            )
        }
        ReadError::Io(failure) => Failure::passing(failure.to_string()),
    }
}

/// An error of following the log from a point that was in it.
fn not_followed(error: FollowError) -> Failure {
    match error {
        FollowError::Read(error) => unreadable(error),
        FollowError::NoDurableEnd => {
            Failure::passing("the durable end of the master's log is not known")
                .hint("start the master")
        }
        FollowError::Gap(id) => Failure::new(
            ExitCode::NoSynchronizationPoint,
            format!("the master's log has a gap: the segment after {id} is gone"),
        )
        .hint(locate::GO_ON),
        error @ FollowError::NoSynchronizationPoint { .. } => {
            Failure::new(ExitCode::NoSynchronizationPoint, error.to_string())
        }
    }
}
