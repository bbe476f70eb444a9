//! The files in `DataDir` that somebody removes, renames or replaces under a running server.
//!
//! Data files live on without names as long as the server has them open, and go with it: that a person
//! must know before the server is stopped. What the server knows by itself, the control file and the
//! lock, it makes anew.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use disk::DiskFile;

use crate::environment::core::Core;
use crate::environment::guard::Trouble;
use crate::error::EngineError;

/// Files that a message names, the rest are counted.
const NAMED: usize = 3;
const WAY_OUT: &str = "do not stop this server: it has them open, and they go with it. Take each database out with 'dbctl database dump NAME FILE' first";

/// The lock on the environment, held as long as it is open, and what is known of the other files.
#[derive(Debug)]
pub(super) struct DataWatch {
    /// The newest last. Who has moved the directory away has moved a lock with it: that is held on.
    locks: Mutex<Vec<Box<dyn DiskFile>>>,
    trouble: Mutex<Option<Trouble>>,
}

impl DataWatch {
    /// With the lock that the environment was opened with.
    pub(super) fn new(lock: Box<dyn DiskFile>) -> Self {
        Self {
            locks: Mutex::new(vec![lock]),
            trouble: Mutex::default(),
        }
    }
}

impl Core {
    /// What is wrong with the data files at present.
    pub fn data_trouble(&self) -> Option<Trouble> {
        held(&self.data_watch().trouble).clone()
    }

    /// Writes into the lock file who holds it and where it listens, for people and tools.
    pub fn note_running(&self, text: &str) -> Result<(), EngineError> {
        let locks = held(&self.data_watch().locks);
        let lock = locks.last().ok_or(EngineError::ShuttingDown)?;
        lock.set_length(0)
            .and_then(|()| lock.write_at(0, text.as_bytes()))
            .map_err(|error| EngineError::file("write", self.layout().lock(), &error))
    }

    /// The environment is stopped: its files are free for the next server before anybody hears of it.
    pub(super) fn give_lock_back(&self) {
        held(&self.data_watch().locks).clear();
    }

    /// Looks whether the files still have their names; the guard of the log does it each second.
    pub(super) fn look_after_data(&self) {
        self.look_after_control();
        if let Some(intruder) = self.look_after_lock() {
            // Somebody else has the lock.
            self.set_trouble(format!(
                "{} was removed, and {intruder}: two servers write the same files. Stop one of them at once, and verify all databases",
                self.layout().lock().display()
            ));
            return;
        }
        let lost = self.lost_files();
        if !lost.is_empty() {
            self.set_trouble(format!("{}; {WAY_OUT}", describe_lost(&lost)));
        } else if held(&self.data_watch().trouble).take().is_some() {
            tracing::info!("the data files are back");
        }
    }

    /// Says what is wrong, once; it is so since the first thing was.
    fn set_trouble(&self, text: String) {
        let now = self.host().clock.now();
        let mut trouble = held(&self.data_watch().trouble);
        let known = trouble.as_ref();
        if known.is_some_and(|known| known.text == text) {
            return;
        }
        tracing::error!("{text}");
        let since = known.map_or(now, |known| known.since);
        *trouble = Some(Trouble { since, text });
    }

    /// Where a data file is gone, redo must not move past what only that file had.
    pub(super) fn refuse_lost_files(&self) -> Result<(), EngineError> {
        let lost = self.lost_files();
        if lost.is_empty() {
            return Ok(());
        }
        Err(EngineError::state(
            describe_lost(&lost),
            "Where the server still runs, take each database out with 'dbctl database dump NAME FILE' before it is stopped. Afterwards bring a copy of DataDir back, or make the files anew from the log ('dbserver --rebuild').",
        ))
    }

    /// Files of databases that are gone.
    pub fn lost_files(&self) -> Vec<PathBuf> {
        let databases = self.databases().all();
        databases.iter().flat_map(|one| one.lost_files()).collect()
    }

    /// Without it, the next start finds no environment.
    fn look_after_control(&self) {
        let path = self.layout().control();
        let disk = self.layout().disk();
        // A disk that hangs must not hold up who only asks.
        if !matches!(disk.exists(&path), Ok(false)) {
            return;
        }
        let control = self.control();
        if !matches!(disk.exists(&path), Ok(false)) {
            return;
        }
        match control.write(disk, &path) {
            Ok(()) => tracing::error!("{}", made_anew(&path)),
            Err(error) => tracing::error!(%error, "{} is gone", path.display()),
        }
    }

    /// Without it, another server would start on the same files; gives what says that one has.
    fn look_after_lock(&self) -> Option<EngineError> {
        let watch = self.data_watch();
        let (mut locks, path) = (held(&watch.locks), self.layout().lock());
        let disk = self.layout().disk();
        let newest = locks.last()?;
        if disk.has_name(newest.as_ref(), &path).unwrap_or(true) {
            return None;
        }
        let taken = self.layout().take_lock().and_then(|lock| {
            copy(newest.as_ref(), lock.as_ref())
                .map_err(|error| EngineError::file("write", &path, &error))?;
            Ok(lock)
        });
        match taken {
            Ok(lock) => {
                locks.push(lock);
                tracing::error!("{}", made_anew(&path));
                None
            }
            Err(error @ EngineError::State { .. }) => Some(error),
            Err(error) => {
                tracing::error!(%error, "{} is gone", path.display());
                None
            }
        }
    }
}

fn made_anew(path: &Path) -> String {
    format!(
        "{} was removed or renamed while the server runs; it has been made anew. Leave the files in DataDir alone",
        path.display()
    )
}

/// Who runs the environment, from one lock file to the next.
fn copy(from: &dyn DiskFile, to: &dyn DiskFile) -> std::io::Result<()> {
    let length = usize::try_from(from.length()?).unwrap_or(0).min(1 << 16);
    let mut text = vec![0; length];
    let read = from.read_at(0, &mut text)?;
    text.truncate(read);
    to.set_length(0)?;
    to.write_at(0, &text)
}

/// `/data/system.db, /data/system.db.sum, /data/db/shop.db and 1 more file are gone (removed, renamed or replaced)`
pub(crate) fn describe_lost(lost: &[PathBuf]) -> String {
    let named: Vec<String> = lost
        .iter()
        .take(NAMED)
        .map(|path| path.display().to_string())
        .collect();
    let more = match lost.len().saturating_sub(NAMED) {
        0 => String::new(),
        1 => " and 1 more file".to_owned(),
        more => format!(" and {more} more files"),
    };
    let verb = if lost.len() == 1 { "is" } else { "are" };
    format!(
        "{}{more} {verb} gone (removed, renamed or replaced)",
        named.join(", ")
    )
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
