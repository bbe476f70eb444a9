//! `archive`: the archive of a log in a repository, without a server.

mod fetch;
mod init;
mod list;
mod named;
mod open;
mod status;
mod verify;

use std::io::ErrorKind;

use repository::{ArchiveError, StoreError};

pub(super) use named::Named;
pub(super) use open::{environment_of, store_of};

use crate::archive_args::{ArchiveCommand, RepositoryArguments};
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;

pub(crate) fn run(invocation: &Invocation, command: ArchiveCommand) -> Result<()> {
    match command {
        ArchiveCommand::Init { url, name } => init::run(invocation, &url, name.as_deref()),
        ArchiveCommand::Status {
            archive,
            warn_behind,
        } => status::run(invocation, archive, warn_behind.as_deref()),
        ArchiveCommand::List(archive) => list::run(invocation, &placed(invocation, archive)?),
        ArchiveCommand::Verify(archive) => verify::run(invocation, &placed(invocation, archive)?),
        ArchiveCommand::Fetch {
            archive,
            segments,
            directory,
        } => {
            let archive = placed(invocation, archive)?;
            fetch::run(invocation, &archive, &segments, &directory)
        }
    }
}

/// The same with a place instead of a name.
pub(super) fn placed(
    invocation: &Invocation,
    mut repository: RepositoryArguments,
) -> Result<RepositoryArguments> {
    repository.url = Named::of(invocation, &repository.url)?.place;
    Ok(repository)
}

impl From<ArchiveError> for CommandError {
    fn from(error: ArchiveError) -> Self {
        let hint = match &error {
            ArchiveError::NoRepository { .. } => {
                "is its disk mounted? 'dbctl archive init URL' makes a place a repository"
            }
            ArchiveError::Damaged { .. } | ArchiveError::Store(StoreError::Missing { .. }) => {
                "'dbctl archive verify' shows all that is wrong with the archive"
            }
            ArchiveError::Store(_)
            | ArchiveError::Newer { .. }
            | ArchiveError::Sent(_)
            | ArchiveError::NotThere(_) => "",
        };
        let failure = match &error {
            ArchiveError::NoRepository { .. } => Self::unreachable(error.to_string()),
            ArchiveError::Store(StoreError::Failed {
                kind: ErrorKind::PermissionDenied,
                ..
            }) => Self::refused(error.to_string()),
            _ => Self::error(error.to_string()),
        };
        if hint.is_empty() {
            failure
        } else {
            failure.with_hint(hint)
        }
    }
}
