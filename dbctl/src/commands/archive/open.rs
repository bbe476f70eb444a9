//! Which archive of a repository is meant.

use fwlog::EnvironmentId;
use repository::{Catalog, HistoryId, Line, LogArchive, Repository, store_at};

use crate::archive_args::ArchiveArguments;
use crate::error::{CommandError, Result};

/// An archive that is looked at.
pub(super) struct Opened {
    pub(super) repository: Repository,
    pub(super) archive: LogArchive,
    pub(super) catalog: Catalog,
    history: Option<HistoryId>,
}

impl Opened {
    pub(super) fn open(arguments: &ArchiveArguments) -> Result<Self> {
        let history = arguments.history.as_deref().map(str::parse).transpose();
        let history = history.map_err(CommandError::usage)?;
        let store = store_at(&arguments.url).map_err(CommandError::usage)?;
        let repository = Repository::open(store)?;
        let environment = match &arguments.environment {
            Some(id) => id.parse().map_err(|why| {
                CommandError::usage(format!("--environment: '{id}' is no environment: {why}"))
            })?,
            None => only(&repository)?,
        };
        let archive = repository.log(environment);
        let catalog = archive.catalog()?;
        Ok(Self {
            repository,
            archive,
            catalog,
            history,
        })
    }

    /// The newest generation of the line that is meant.
    pub(super) fn newest(&self) -> Result<HistoryId> {
        match self.history {
            Some(history) => Ok(history),
            None => (self.catalog.newest())
                .map_err(|error| CommandError::from(error).with_hint("give it with --history")),
        }
    }

    pub(super) fn line(&self) -> Result<Line> {
        Ok(Line::to(&self.archive, &self.catalog, self.newest()?)?)
    }
}

/// The environment that the repository has, where it has one.
fn only(repository: &Repository) -> Result<EnvironmentId> {
    let environments = repository.environments()?;
    match environments.as_slice() {
        [only] => Ok(*only),
        [] => Err(
            CommandError::error(format!("{} has no log", repository.place())).with_hint(format!(
                "archive one: dbrepl -c CFG -S {}",
                repository.place()
            )),
        ),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(CommandError::usage(format!(
                "{} has the logs of several environments: {}",
                repository.place(),
                ids.join(", ")
            ))
            .with_hint("give one with --environment"))
        }
    }
}
