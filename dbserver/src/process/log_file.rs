//! The server's log file, which may be opened again or change while the server runs.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The log file. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LogFile(Arc<Mutex<Opened>>);

#[derive(Debug)]
struct Opened {
    file: File,
    path: PathBuf,
}

impl LogFile {
    /// Opens a file, or makes it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = options().create(true).open(path)?;
        let path = path.to_owned();
        Ok(Self(Arc::new(Mutex::new(Opened { file, path }))))
    }

    /// Opens the file again under its name, or goes on in `new`, which must not exist yet. Gives
    /// the path; an error leaves the old file in use.
    pub fn switch(&self, new: Option<&Path>) -> Result<PathBuf, (PathBuf, io::Error)> {
        let mut opened = self.opened();
        let path = new.map_or_else(|| opened.path.clone(), Path::to_path_buf);
        let mut options = options();
        let options = if new.is_some() {
            options.create_new(true)
        } else {
            options.create(true)
        };
        match options.open(&path) {
            Ok(file) => {
                *opened = Opened {
                    file,
                    path: path.clone(),
                };
                Ok(path)
            }
            Err(error) => Err((path, error)),
        }
    }

    pub(super) fn write(&self, event: &[u8]) -> io::Result<()> {
        self.opened().file.write_all(event)
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o640);
    options
}
