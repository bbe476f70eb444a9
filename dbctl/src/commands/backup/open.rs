//! Which repository is meant, and which environment of it.

use repository::{
    BackupCatalog, BackupId, Backups, Catalog, HistoryId, Line, LogArchive, Repository,
};

use crate::commands::archive::{environment_of, store_of};
use crate::error::{CommandError, Result};

/// The backups of an environment that are looked at, and the archive of its log.
pub(super) struct Opened {
    pub(super) repository: Repository,
    pub(super) backups: Backups,
    pub(super) catalog: BackupCatalog,
    pub(super) archive: LogArchive,
    pub(super) log: Catalog,
    history: Option<HistoryId>,
}

impl Opened {
    pub(super) fn open(
        place: &str,
        environment: Option<&str>,
        history: Option<&str>,
    ) -> Result<Self> {
        let history = history.map(str::parse).transpose();
        let history = history.map_err(CommandError::usage)?;
        let repository = Repository::open(store_of(place)?)?;
        let environment = environment_of(&repository, environment)?;
        let backups = repository.backups(environment);
        let catalog = backups.catalog()?;
        let archive = repository.log(environment);
        let log = archive.catalog()?;
        Ok(Self {
            repository,
            backups,
            catalog,
            archive,
            log,
            history,
        })
    }

    /// The line of the archive that is meant; `None`: there is no archive.
    pub(super) fn line(&self) -> Result<Option<Line>> {
        if self.log.histories.is_empty() && self.history.is_none() {
            return Ok(None);
        }
        let newest = match self.history {
            Some(history) => history,
            None => (self.log.newest())
                .map_err(|error| CommandError::from(error).with_hint("give it with --history"))?,
        };
        Ok(Some(Line::to(&self.archive, &self.log, newest)?))
    }

    /// The backup with this name, which is there.
    pub(super) fn backup(&self, name: &str) -> Result<BackupId> {
        let id: BackupId = name.parse().map_err(CommandError::usage)?;
        if self.catalog.complete.contains(&id) {
            return Ok(id);
        }
        let place = self.repository.place();
        let failure = if self.catalog.begun.contains(&id) {
            CommandError::error(format!("backup {id} in {place} was never completed"))
        } else {
            CommandError::error(format!("there is no backup {id} in {place}"))
        };
        Err(failure.with_hint("'dbctl backup list' shows what there is"))
    }
}

/// Bytes for people.
pub(super) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut rest, mut unit) = (bytes, 0, None);
    for name in UNITS {
        if whole < 1024 {
            break;
        }
        rest = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit = Some(name);
    }
    match unit {
        None => format!("{whole} bytes"),
        Some(unit) => format!("{whole}.{rest} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_in_units_of_1024() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1023), "1023 bytes");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(5 << 30), "5.0 GiB");
    }
}
