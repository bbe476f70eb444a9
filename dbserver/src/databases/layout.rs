//! Where things lie in an environment's directory.

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

    /// What is said where there is no control file.
    pub(crate) fn no_environment(&self) -> EngineError {
        EngineError::state(
            format!("there is no environment in {}", self.data_dir.display()),
            "Make one with 'dbctl -c CONFIG init', or set DataDir to where it is.",
        )
    }
}

/// File name of the database that holds users and privileges.
pub const SYSTEM_FILE: &str = "system.db";
