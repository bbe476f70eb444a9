//! The data files take the newest durable pages.
//!
//! One old reader never stops that for good. A checkpoint keeps the old image of each page that an open
//! snapshot still needs, first in memory, then in a scratch file in `TmpDir`. Where that can't be done
//! (`TmpDir` is full, the old image itself can't be read any more), the snapshots that need it are ended:
//! their next read fails with 72000; cuts that somebody copies from end before any other. Nothing of the data is lost, and the log does not grow without end.

use fwlog::CommitNumber;
use pagestore::{CheckpointReport, StoreError};

use crate::databases::Database;
use crate::databases::backup_mode::BackupModeEnd;
use crate::databases::data_mark::DataMark;
use crate::environment::core::Core;
use crate::error::EngineError;

/// How often snapshots are ended for one checkpoint; new ones may begin meanwhile.
const TRIES: usize = 8;

impl Core {
    /// Writes every database's newest durable pages, up to `limit`, and syncs the files.
    pub(crate) fn write_data_files(&self, limit: Option<CommitNumber>) -> Result<(), EngineError> {
        // Whoever comes here has to write them: checkpoints do not come.
        self.end_backup_mode(BackupModeEnd::Written);
        self.note_data_up_to(limit)?;
        for database in self.databases().all() {
            let report = self.write_data_file(&database, limit)?;
            tracing::debug!(
                database = database.name(),
                commit = report.commit.get(),
                pages = report.pages,
                "checkpoint"
            );
        }
        self.files()
            .memory_budget()
            .count(self.databases().memory_bytes());
        // After the writing: redo moves, and a stop is clean, only where the files still have their names.
        self.refuse_lost_files()?;
        let directory = self.layout().databases();
        self.layout()
            .disk()
            .sync_directory(&directory)
            .map_err(|error| EngineError::file("sync", directory, &error))
    }

    /// Notes durably, before any page is written, that the data files may have commits up to `limit`.
    pub(crate) fn note_data_up_to(&self, limit: Option<CommitNumber>) -> Result<(), EngineError> {
        let visible = CommitNumber::new(self.newest_visible_commit());
        let commit = limit.map_or(visible, |limit| limit.min(visible));
        let newest = self
            .instance()
            .with_history(|history| history.newest().map(|line| line.id));
        let mut noted = self.data_mark();
        match newest {
            // Nobody can tell later what a commit of an unknown generation is: an old mark would say too little.
            None => DataMark::forget(self.layout())?,
            Some(generation) => {
                let before = noted.map_or(CommitNumber::ZERO, |known| known.commit);
                let mark = DataMark {
                    commit: commit.max(before),
                    generation,
                };
                if *noted != Some(mark) {
                    mark.write(self.layout())?;
                }
                *noted = Some(mark);
                return Ok(());
            }
        }
        *noted = None;
        Ok(())
    }

    /// Bytes of page versions that are not in the data files.
    pub fn dirty_bytes(&self) -> u64 {
        self.databases()
            .all()
            .iter()
            .map(|database| database.store().dirty_bytes())
            .sum()
    }

    /// Writes a database's newest durable pages, up to `limit`, and syncs its files.
    fn write_data_file(
        &self,
        database: &Database,
        limit: Option<CommitNumber>,
    ) -> Result<CheckpointReport, StoreError> {
        let limit = pagestore::CommitNumber::new(limit.map_or(u64::MAX, CommitNumber::get));
        let store = database.store();
        let mut result = store.checkpoint_up_to(limit, &|_progress| {});
        for _ in 1..TRIES {
            let obstacle = result.as_ref().err();
            let Some((error, commit)) = obstacle.and_then(|e| Some((e, e.snapshots_in_the_way()?)))
            else {
                break;
            };
            // A copy can begin anew from where it is, a session can't: cuts go first.
            if self.cuts().make_way(store) > 0 {
                result = store.checkpoint_up_to(limit, &|_progress| {});
                continue;
            }
            self.tell_readers(database, error);
            let ended = store.end_snapshots_before(commit);
            tracing::warn!(
                database = database.name(),
                snapshots = ended,
                before_commit = commit.get(),
                "old snapshots are ended, so that the checkpoint can go on"
            );
            result = store.checkpoint_up_to(limit, &|_progress| {});
        }
        result
    }

    /// Says why snapshots end, and whose they may be.
    fn tell_readers(&self, database: &Database, why: &StoreError) {
        tracing::error!("{why}");
        let name = database.name();
        let sessions = self.sessions().list();
        for session in sessions
            .iter()
            .filter(|session| session.database == name && session.state != "idle")
        {
            tracing::warn!(
                session = session.pid,
                user = session.user,
                application = session.application,
                address = %session.address,
                state = session.state,
                "this session may hold an old snapshot of \"{name}\": what it reads next may fail with 72000"
            );
        }
    }
}
