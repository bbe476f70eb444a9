//! Where things lie in an environment's directory.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use disk::{Disk, DiskFile};

use crate::error::EngineError;

/// The paths below `DataDir`, and the disk that they are on.
#[derive(Debug, Clone)]
pub struct Layout {
    disk: Disk,
    data_dir: PathBuf,
}

impl Layout {
    /// The layout of the environment in `data_dir`.
    pub fn new(disk: Disk, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            disk,
            data_dir: data_dir.into(),
        }
    }

    /// The disk.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The environment's directory itself.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The control file: identity, redo position, clean or not.
    pub fn control(&self) -> PathBuf {
        self.data_dir.join("control")
    }

    /// From where on slaves need the log.
    pub fn slots(&self) -> PathBuf {
        self.data_dir.join("slots")
    }

    /// The sources that this server runs, and what operators have said of those who feed it.
    pub(crate) fn sources(&self) -> PathBuf {
        self.data_dir.join("sources")
    }

    /// Pages on their way into the data files, where the log may not have them.
    pub(crate) fn doublewrite(&self) -> PathBuf {
        self.data_dir.join("doublewrite")
    }

    /// Who this instance is.
    pub fn instances(&self) -> PathBuf {
        self.data_dir.join(fwlog::INSTANCES_FILE)
    }

    /// How new the data files may be.
    pub(crate) fn data_mark(&self) -> PathBuf {
        self.data_dir.join("data_up_to")
    }

    /// Which instance wrote the log from which point on.
    pub fn history(&self) -> PathBuf {
        self.data_dir.join(fwlog::HISTORY_FILE)
    }

    /// The directory of the databases that are not replicated, of an environment in this one.
    pub(crate) fn local_of(data_dir: &Path) -> PathBuf {
        data_dir.join("local")
    }

    /// Locked by the one server that runs the environment.
    pub fn lock(&self) -> PathBuf {
        self.data_dir.join("lock")
    }

    /// The directory of the databases.
    pub fn databases(&self) -> PathBuf {
        self.data_dir.join("db")
    }

    /// The data file with that name; system.db stands beside the control file.
    pub fn data_file(&self, file_name: &str) -> PathBuf {
        if file_name == SYSTEM_FILE {
            self.data_dir.join(SYSTEM_FILE)
        } else {
            self.databases().join(file_name)
        }
    }

    /// Log segments while forward logging is off.
    pub fn journal(&self) -> PathBuf {
        self.data_dir.join("journal")
    }

    /// The journal as the location of a log, in the notation of `FwLog`.
    pub fn journal_pattern(&self) -> PathBuf {
        self.journal().join("fw-%N")
    }

    /// One server an environment: the lock goes with the process, however it ends.
    pub(crate) fn take_lock(&self) -> Result<Box<dyn DiskFile>, EngineError> {
        let path = self.lock();
        match self.disk.lock(&path) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(EngineError::state(
                format!(
                    "another server runs the environment in {}",
                    self.data_dir.display()
                ),
                "Stop it first ('dbctl shutdown').",
            )),
            Err(error) => Err(EngineError::file("lock", path, &error)),
        }
    }

    /// Refuses where another server has the lock, before anything else of it is in the way. The lock is
    /// taken for good later.
    pub fn refuse_running(&self) -> Result<(), EngineError> {
        match self.disk.exists(&self.lock()) {
            Ok(true) => self.take_lock().map(drop),
            Ok(false) => Ok(()),
            Err(error) => Err(EngineError::file("look for", self.lock(), &error)),
        }
    }

    /// What is said where there is no control file. Data files without one are an environment all the same,
    /// and a new one must not be made over them.
    pub(crate) fn no_environment(&self) -> EngineError {
        match self.some_data_file() {
            Err(error) => error,
            Ok(Some(file)) => self.control_is_missing(&file),
            Ok(None) => EngineError::state(
                format!("there is no environment in {}", self.data_dir.display()),
                "Make one with 'dbctl -c CONFIG init', or set DataDir to where it is.",
            ),
        }
    }

    /// What is said of data files without a control file.
    pub(crate) fn control_is_missing(&self, file: &Path) -> EngineError {
        EngineError::state(
            format!(
                "{} is missing, and there is {}",
                self.control().display(),
                file.display()
            ),
            "Bring DataDir back from a copy, or make it anew from the log or a slave: see docs/recovery.md, 'control is lost'.",
        )
    }

    /// A data file, if there is one.
    pub(crate) fn some_data_file(&self) -> Result<Option<PathBuf>, EngineError> {
        let system = self.data_file(SYSTEM_FILE);
        let there = self.disk.exists(&system);
        let failed = |error| EngineError::file("look for data files in", &self.data_dir, &error);
        if there.map_err(failed)? {
            return Ok(Some(system));
        }
        self.some_database_file()
    }

    /// The same but for that of the server itself.
    pub(crate) fn some_database_file(&self) -> Result<Option<PathBuf>, EngineError> {
        let databases = self.databases();
        let failed = |error| EngineError::file("look for data files in", &databases, &error);
        let mut names = match self.disk.list(&databases) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            names => names.map_err(failed)?,
        };
        names.sort();
        let is_data = |name: &OsString| Path::new(name).extension() == Some(OsStr::new("db"));
        Ok(names
            .into_iter()
            .find(is_data)
            .map(|name| databases.join(name)))
    }
}

/// File name of the database that holds users and privileges.
pub const SYSTEM_FILE: &str = "system.db";
