//! Room on the disks that the server writes to.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::environment::core::Core;

/// Below this much room TmpDir is short of it, in bytes: large transactions go there.
const SCRATCH: u64 = 256 << 20;
/// Below this part of a file system's size it is short of room.
const PART: u64 = 20;
/// A large file system is not short of room while it has this much, in bytes.
const HEADROOM: u64 = 4 << 30;

/// What the directory of the log is for.
pub(crate) const LOG: &str = "log";

/// What the directory of the audit log is for.
pub(crate) const AUDIT_LOG: &str = "audit log";

/// What the directory of scratch files is for.
pub(crate) const SCRATCH_DIRECTORY: &str = "TmpDir";

/// How much room there is in one directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// What the directory is for.
    pub what: &'static str,
    /// The directory.
    pub directory: PathBuf,
    /// Bytes that the server may still write.
    pub free: u64,
    /// Size of the file system in bytes.
    pub size: u64,
    /// Bytes below which there is little room.
    pub enough: u64,
    /// Which file system it is.
    device: u64,
}

impl Space {
    /// Whether somebody should make room before it is too late.
    pub fn is_low(&self) -> bool {
        self.free < self.enough
    }

    /// One that is short of room.
    #[cfg(test)]
    pub(crate) fn low(what: &'static str) -> Self {
        Self {
            what,
            directory: PathBuf::from("/x"),
            free: 0,
            size: 1000,
            enough: 100,
            device: 1,
        }
    }

    /// Looks at a directory; `needed` bytes are soon written there.
    fn of(what: &'static str, directory: &Path, needed: u64) -> io::Result<Self> {
        let found = rustix::fs::statvfs(directory)?;
        let size = found.f_blocks.saturating_mul(found.f_frsize);
        Ok(Self {
            what,
            directory: directory.to_owned(),
            free: found.f_bavail.saturating_mul(found.f_frsize),
            size,
            enough: enough(needed, size),
            device: directory.metadata()?.dev(),
        })
    }
}

/// Bytes below which a file system of that size has little room; `needed` bytes are soon written there.
fn enough(needed: u64, size: u64) -> u64 {
    needed.max(HEADROOM.min(size / PART))
}

impl Core {
    /// Room for the log, the data files and scratch files. A directory that is not there is left out:
    /// others tell of that.
    pub fn space(&self) -> Vec<Space> {
        let config = self.config();
        let log = self.log_location().map(|location| location.directory).ok();
        let audit = self.audit_location().map(|audit| audit.directory).ok();
        let wanted = [
            audit.map(|audit| (AUDIT_LOG, audit, 2 * config.forward_log.max_size)),
            log.map(|log| (LOG, log, 2 * config.forward_log.max_size)),
            Some((
                "data",
                config.server.data_dir.clone(),
                config.server.checkpoint_size,
            )),
            Some((
                SCRATCH_DIRECTORY,
                config.replication.tmp_dir.clone(),
                SCRATCH,
            )),
        ];
        wanted
            .into_iter()
            .flatten()
            .filter_map(|(what, directory, needed)| Space::of(what, &directory, needed).ok())
            .collect()
    }
}

/// What was said last of each file system.
#[derive(Debug, Default)]
pub(crate) struct SpaceWatch {
    low: BTreeMap<u64, bool>,
}

/// News of a file system.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// There is little room for these.
    Low(Vec<Space>),
    /// There is enough again.
    Enough(Vec<Space>),
}

impl SpaceWatch {
    /// What is new since the last look: one word a file system, and none while nothing changes.
    pub(crate) fn look(&mut self, spaces: Vec<Space>) -> Vec<News> {
        let mut devices: BTreeMap<u64, Vec<Space>> = BTreeMap::new();
        for space in spaces {
            devices.entry(space.device).or_default().push(space);
        }
        let mut news = Vec::new();
        for (device, spaces) in devices {
            let was_low = self.low.get(&device).copied().unwrap_or_default();
            // Not at once above the border again: a disk that stays around it is told of once.
            let enough = |space: &Space| space.free >= space.enough + space.enough / 10;
            if !was_low && spaces.iter().any(Space::is_low) {
                self.low.insert(device, true);
                news.push(News::Low(spaces));
            } else if was_low && spaces.iter().all(enough) {
                self.low.insert(device, false);
                news.push(News::Enough(spaces));
            }
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space(what: &'static str, device: u64, free: u64) -> Space {
        Space {
            what,
            directory: PathBuf::from("/x"),
            free,
            size: 1000,
            enough: 100,
            device,
        }
    }

    #[test]
    fn a_file_system_is_told_of_once_when_it_runs_low_and_once_when_it_has_room_again() {
        let mut watch = SpaceWatch::default();
        let mut look = |free: u64| {
            let told = watch.look(vec![
                space("log", 1, free),
                space("data", 1, free),
                space("TmpDir", 2, 900),
            ]);
            assert!(told.len() <= 1, "{told:?}");
            told.first().map(|news| match news {
                News::Low(spaces) => (true, spaces.len()),
                News::Enough(spaces) => (false, spaces.len()),
            })
        };
        assert_eq!(look(500), None);
        assert_eq!(look(99), Some((true, 2)));
        assert_eq!(look(10), None);
        assert_eq!(look(105), None, "around the border nothing is told");
        assert_eq!(look(95), None);
        assert_eq!(look(110), Some((false, 2)));
        assert_eq!(look(99), Some((true, 2)));
    }

    #[test]
    fn a_large_file_system_need_not_have_a_twentieth_free() {
        assert_eq!(enough(0, 40 << 30), 2 << 30);
        assert_eq!(enough(3 << 30, 40 << 30), 3 << 30, "what is written soon");
        assert_eq!(enough(0, 10 << 40), HEADROOM);
    }

    #[test]
    fn the_room_of_a_directory_is_what_its_file_system_has() {
        let directory = tempfile::tempdir().unwrap();
        let found = Space::of("log", directory.path(), 1).unwrap();
        assert!(found.free <= found.size && found.size > 0, "{found:?}");
        assert_eq!(found.enough, enough(1, found.size));
        let most = Space::of("log", directory.path(), u64::MAX).unwrap();
        assert!(most.is_low());
        assert!(Space::of("log", Path::new("/no/such/place"), 1).is_err());
    }
}
