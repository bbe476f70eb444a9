//! A log in which each commit is durable before it is answered, and commits share a sync.

use std::fs::{File, OpenOptions};
use std::io::{Error, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes of a commit: about what a small transaction takes.
const COMMIT_BYTES: usize = 120;
/// The most that a group writes.
const GROUP_BYTES: usize = 4096;
/// Where writing begins again at the start.
const TURN: u64 = 64 << 20;
/// What is allocated: the last group before the turn fits.
const ALLOCATED: u64 = TURN + (1 << 20);

/// How far the log is. `durable ≤ queued`.
#[derive(Debug, Default)]
struct Progress {
    /// Commits that were asked for.
    queued: u64,
    /// Commits that are on the disk.
    durable: u64,
    /// Where the next group goes.
    position: u64,
    /// A thread is writing for a group.
    has_leader: bool,
    /// A write or a sync has failed: nothing is durable any more.
    failed: bool,
}

/// The file and who waits for it.
#[derive(Debug)]
pub(crate) struct Log {
    file: File,
    progress: Mutex<Progress>,
    group_done: Condvar,
}

impl Log {
    /// Allocates the file by writing all of it.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        let zeros = vec![0; 1 << 20];
        let mut at = 0;
        while at < ALLOCATED {
            file.write_all_at(&zeros, at)?;
            at += 1 << 20;
        }
        file.sync_all()?;
        Ok(Self {
            file,
            progress: Mutex::default(),
            group_done: Condvar::new(),
        })
    }

    /// Returns when this commit is on the disk. Who finds no leader leads.
    pub(crate) fn commit(&self) -> Result<()> {
        let mut progress = self.lock();
        progress.queued += 1;
        let own = progress.queued;
        while progress.durable < own {
            if progress.failed {
                return Err(Error::other("the log has failed"));
            }
            if progress.has_leader {
                progress = self
                    .group_done
                    .wait(progress)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            progress.has_leader = true;
            let group = progress.queued;
            let commits = usize::try_from(group - progress.durable).unwrap_or(usize::MAX);
            let length = commits.saturating_mul(COMMIT_BYTES).min(GROUP_BYTES);
            let at = progress.position % TURN;
            progress.position += length as u64;
            drop(progress);
            let written = self.write(length, at);
            progress = self.lock();
            progress.has_leader = false;
            progress.failed |= written.is_err();
            if !progress.failed {
                progress.durable = group;
            }
            self.group_done.notify_all();
            written?;
        }
        Ok(())
    }

    fn write(&self, length: usize, at: u64) -> Result<()> {
        const PAGE: [u8; GROUP_BYTES] = [0; GROUP_BYTES];
        self.file
            .write_all_at(PAGE.get(..length).unwrap_or(&PAGE), at)?;
        self.file.sync_data()
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_of_many_threads_all_become_durable() {
        let path = std::env::temp_dir().join(format!("limit-log-{}", std::process::id()));
        let log = Log::create(&path).expect("a log");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..50).for_each(|_| log.commit().expect("a commit")));
            }
        });
        std::fs::remove_file(&path).expect("the file");
        let progress = log.lock();
        assert_eq!((progress.queued, progress.durable), (200, 200));
        assert!(progress.position > 0 && progress.position <= 200 * COMMIT_BYTES as u64);
    }
}
