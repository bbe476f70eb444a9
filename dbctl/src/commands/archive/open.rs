//! Which archive of a repository is meant.

use std::sync::Arc;

use fwlog::EnvironmentId;
use objects::store_at;
use repository::{Catalog, HistoryId, Line, LogArchive, Repository, Store, is_url};

use crate::archive_args::RepositoryArguments;
use crate::error::{CommandError, Result};

/// The store of a place: a URL, or a directory by its path.
pub(in crate::commands) fn store_of(place: &str) -> Result<Arc<dyn Store>> {
    if is_url(place) {
        return store_at(place).map_err(CommandError::usage);
    }
    let path = std::path::absolute(place);
    let path = path.map_err(|error| CommandError::io("find", place.as_ref(), &error))?;
    let url = format!("file://{}", path.display());
    store_at(&url).map_err(CommandError::usage)
}

/// An archive that is looked at.
pub(super) struct Opened {
    pub(super) repository: Repository,
    pub(super) archive: LogArchive,
    pub(super) catalog: Catalog,
    history: Option<HistoryId>,
}

impl Opened {
    pub(super) fn open(arguments: &RepositoryArguments) -> Result<Self> {
        let history = arguments.history.as_deref().map(str::parse).transpose();
        let history = history.map_err(CommandError::usage)?;
        let store = store_of(&arguments.url)?;
        let repository = Repository::open(store)?;
        let environment = environment_of(&repository, arguments.environment.as_deref())?;
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

/// The environment that is meant: that which was named, or the only one.
pub(in crate::commands) fn environment_of(
    repository: &Repository,
    named: Option<&str>,
) -> Result<EnvironmentId> {
    match named {
        Some(id) => id.parse().map_err(|why| {
            CommandError::usage(format!("--environment: '{id}' is no environment: {why}"))
        }),
        None => only(repository),
    }
}

/// The environment that the repository has, where it has one.
fn only(repository: &Repository) -> Result<EnvironmentId> {
    let environments = repository.environments()?;
    match environments.as_slice() {
        [only] => Ok(*only),
        [] => Err(
            CommandError::error(format!("{} has no log, and no backup", repository.place()))
                .with_hint(format!(
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_place_by_its_path() {
        let place = |text| store_of(text).map(|store| store.place()).ok();
        assert_eq!(place("/backup/x").as_deref(), Some("file:///backup/x"));
        assert_eq!(
            place("file:///backup/x").as_deref(),
            Some("file:///backup/x")
        );
        let here = std::env::current_dir().unwrap();
        let relative = format!("file://{}", here.join("backup/x").display());
        assert_eq!(place("backup/x"), Some(relative));
        assert_eq!(place("ftp://backup/x"), None);
    }
}
