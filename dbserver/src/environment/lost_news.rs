//! What this instance and those below it have lost behind forks, until the root knows of it; and which of that is settled.
//!
//! ```text
//!  source ◀─ Lost ─ Link ◀─ LostNews ◀─ DataDir/lost, slave-*.lost ◀─ dbrepl ◀─ Lost ─ each slave
//!  source ─ settled ─▶ Link   LostNews ─▶ fw.settled ─▶ dbrepl ─ settled ─▶ each slave
//! ```
//! Who keeps lost transactions tells so whoever feeds it, again and again, until what comes down the log says that the root
//! knows: `system/lost_news.rs` looks each second, and is who notes it at the root. So no step of a person is needed, and none
//! of a crash matters.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fwlog::{
    CommitNumber, LogPoint, LostFork, LostForkId, LostForks, MAX_LOST_GENERATIONS, POSITION_FILE,
    SERVED_SETTLED_FILE, SettledForks,
};
use lost::{Description, Directory, MadeBy, Standing};

use crate::databases::control::LogPlace;
use crate::environment::core::Core;
use crate::environment::log;
use crate::environment::replication_status::forward_log_of;
use crate::error::EngineError;

/// What is known of lost transactions.
#[derive(Debug, Default)]
pub(crate) struct LostNews(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The directories of this instance; none for one that is no news.
    own: BTreeMap<OsString, Option<LostFork>>,
    /// What the root does not know of yet.
    open: Arc<LostForks>,
    settled: SettledForks,
    /// What dbrepl finds beside the log, and where that is.
    served: Option<(PathBuf, SettledForks)>,
    /// Forks that are none of this log: said once.
    strange: BTreeSet<LostForkId>,
}

impl LostNews {
    /// What whoever feeds this instance is to be told.
    pub(crate) fn open(&self) -> Arc<LostForks> {
        Arc::clone(&self.known().open)
    }

    /// What this instance has lost as the root, of which nobody has said that all is done.
    pub(crate) fn unsettled(&self) -> Vec<LostFork> {
        let known = self.known();
        let own = known.own.values().flatten();
        own.filter(|fork| fork.was_root && !known.settled.contains(fork.id()))
            .cloned()
            .collect()
    }

    /// A fork that this log does not have; tells whether that is new.
    pub(crate) fn is_strange(&self, fork: LostForkId) -> bool {
        self.known().strange.insert(fork)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// What this instance keeps, and what those below it have told.
    ///
    /// Errors: a directory can't be read.
    pub(crate) fn gather_lost_forks(&self) -> Result<LostForks, EngineError> {
        let mut forks = self.own_lost_forks()?;
        if let Some(location) = forward_log_of(self)? {
            let (disk, directory) = (&location.disk, &location.directory);
            for name in list(disk, directory)? {
                if !name.to_str().is_some_and(LostForks::is_file_name) {
                    continue;
                }
                // One that can't be read is told again.
                match LostForks::read(disk, &directory.join(name)) {
                    Ok(told) => forks.extend(told.iter().flat_map(|it| it.all().iter().cloned())),
                    Err(error) => tracing::debug!("what a slave has lost is not known: {error}"),
                }
            }
        }
        Ok(LostForks::of(forks))
    }

    /// Each directory is read once.
    fn own_lost_forks(&self) -> Result<Vec<LostFork>, EngineError> {
        let (disk, lost) = (self.layout().disk(), self.layout().data_dir().join("lost"));
        let names = list(disk, &lost)?;
        let mut known = self.forks().lost.known();
        known.own.retain(|name, _| names.contains(name));
        for name in names {
            if known.own.contains_key(&name) {
                continue;
            }
            let directory = lost.join(&name);
            let file = directory.join("lost.json");
            let is_complete = disk.exists(&file);
            if !is_complete.map_err(|error| EngineError::file("look for", &file, &error))? {
                continue;
            }
            let fork = match Directory::open(disk, &directory) {
                Ok(opened) => self.fork_of(opened.description()),
                Err(error) => {
                    tracing::warn!("lost transactions that the root will not know of: {error}");
                    None
                }
            };
            known.own.insert(name, fork);
        }
        Ok(known.own.values().flatten().cloned().collect())
    }

    /// `None`: it was brought here from elsewhere, or nothing is lost with it.
    fn fork_of(&self, told: &Description) -> Option<LostFork> {
        let own = self.instance().speaker();
        let is_own = told.instance_id == own.id.to_string()
            && self.id().map(|id| id.to_string()).as_deref() == Some(&*told.environment);
        // What a person has taken back or kept by hand may be in the root's log still.
        if !is_own || told.transactions == 0 || told.made_by == MadeBy::To {
            return None;
        }
        let generations = told.generations.iter().take(MAX_LOST_GENERATIONS);
        Some(LostFork {
            id: own.id,
            instance: told.instance.clone(),
            was_root: told.role == Standing::Primary,
            fork: LogPoint::new(
                told.fork.position.parse().ok()?,
                told.fork.hash.parse().ok()?,
            ),
            commit: CommitNumber::new(told.fork.commit),
            transactions: told.transactions,
            generations: generations.filter_map(|id| id.parse().ok()).collect(),
        })
    }

    /// What the root knows of by now: of those gathered, what it does not know is told on; what is settled is told those below.
    ///
    /// Errors: they can't be told.
    pub(crate) fn tell_lost_forks(
        &self,
        gathered: &LostForks,
        known: &BTreeSet<LostForkId>,
        settled: SettledForks,
    ) -> Result<(), EngineError> {
        let open = gathered.all().iter();
        let open = LostForks::of(open.filter(|fork| !known.contains(&fork.id())).cloned());
        let mut news = self.forks().lost.known();
        if *news.open != open {
            news.open = Arc::new(open);
        }
        news.settled = settled.clone();
        drop(news);
        self.serve_settled(settled)
    }

    /// Leaves it for dbrepl where the log is written.
    fn serve_settled(&self, settled: SettledForks) -> Result<(), EngineError> {
        if self.log_place() != LogPlace::ForwardLog {
            return Ok(());
        }
        let location = self.log_location()?;
        let disk = &location.disk;
        let path = location.directory.join(SERVED_SETTLED_FILE);
        let is_there = |path: &PathBuf| {
            let there = disk.exists(path);
            there.map_err(|error| EngineError::file("look for", path, &error))
        };
        let is_told = |(there, told): &(PathBuf, SettledForks)| *there == path && *told == settled;
        let is_served = self
            .forks()
            .lost
            .known()
            .served
            .as_ref()
            .is_some_and(is_told);
        // A directory without a log may be the place where its disk is to be mounted.
        if !is_there(&location.directory.join(POSITION_FILE))? || is_served && is_there(&path)? {
            return Ok(());
        }
        let written = settled.write(disk, &path, log::file_mode(self.config()));
        self.forks().lost.known().served = written.is_ok().then_some((path, settled));
        written.map_err(|error| {
            EngineError::state(
                format!("dbrepl can't be told which lost transactions are settled: {error}"),
                "Look after the directory of the forward log; it is tried again.",
            )
        })
    }
}

fn list(disk: &disk::Disk, directory: &std::path::Path) -> Result<BTreeSet<OsString>, EngineError> {
    match disk.list(directory) {
        Ok(names) => Ok(names.into_iter().collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(EngineError::file("list", directory, &error)),
    }
}
