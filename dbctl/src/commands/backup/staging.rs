//! What a restore puts beside the state that there will be: `DIR/incoming`, which dbserver makes the state of it.
//!
//! ```text
//!  DIR/incoming/N.new      the pages of database N
//!  DIR/incoming/G-S        segments of the log
//!  DIR/incoming/partial    the block behind them, of which some commits are wanted
//!  DIR/incoming/manifest   what the backup is
//!  DIR/incoming/restore    where the log ends, and what is to become of it: written last
//! ```

use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};
use fwlog::{Position, SegmentId};
use pagehash::{GROUP_PAGES, GroupNumber, GroupParts, PAGE_SIZE};
use repository::{BackedUpDatabase, Manifest, Pages, RestoreNote, RestoredLog, StoredDatabase};

use super::older::Older;
use crate::error::{CommandError, Result};

/// The directory of what a restore brings.
pub(super) struct Staging {
    disk: Disk,
    directory: PathBuf,
    segment: Option<(SegmentId, Box<dyn DiskFile>)>,
    /// Where pages may be that need not be fetched.
    older: Older,
    /// That of the environment, which a server takes, too: it goes with this.
    _lock: Box<dyn DiskFile>,
}

impl Staging {
    /// In this DataDir, which is made where it is not there. Nothing else of it is touched.
    ///
    /// Errors: a server runs there, or another restore.
    pub(super) fn lock(data_dir: &Path) -> Result<Self> {
        let disk = Disk::real();
        let made = disk.make_directory(data_dir, 0o700);
        made.map_err(|error| CommandError::io("make", data_dir, &error))?;
        let path = data_dir.join("lock");
        let lock = disk.lock(&path);
        let lock = lock.map_err(|error| CommandError::io("lock", &path, &error))?;
        let lock = lock.ok_or_else(|| {
            CommandError::error(format!(
                "another server runs the environment in {}, or something is restored into it",
                data_dir.display()
            ))
            .with_hint("stop it, or wait until that has ended; nothing was changed")
        })?;
        Ok(Self {
            disk,
            directory: data_dir.join("incoming"),
            segment: None,
            older: Older::default(),
            _lock: lock,
        })
    }

    /// The same; pages that are right in an older state are not fetched.
    pub(super) fn over(self, older: Older) -> Self {
        Self { older, ..self }
    }

    /// Makes room. What an interrupted restore has left of pages is of use, its log is not.
    pub(super) fn begin(&self) -> Result<()> {
        let made = self.disk.make_directory(&self.directory, 0o700);
        made.map_err(|error| CommandError::io("make", &self.directory, &error))?;
        // It counts as long as it is there.
        self.remove(RestoreNote::FILE)?;
        for name in self.names()? {
            let of_pages = name
                .strip_suffix(".new")
                .is_some_and(|number| number.parse::<u32>().is_ok());
            if !of_pages {
                self.remove(&name)?;
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        let names = self.disk.list(&self.directory);
        let names = names.map_err(|error| CommandError::io("list", &self.directory, &error))?;
        let names = names.into_iter().filter_map(|name| name.into_string().ok());
        Ok(names.collect())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let path = self.directory.join(name);
        let removed = self.disk.remove_if_there(&path);
        removed
            .map(drop)
            .map_err(|error| CommandError::io("remove", &path, &error))
    }

    /// Keeps log: the bytes of a segment follow one another.
    pub(super) fn keep_log(&mut self, start: Position, bytes: &[u8]) -> Result<()> {
        let path = self.directory.join(start.segment.to_string());
        let failed = |error: std::io::Error| CommandError::io("write", &path, &error);
        let open = self.segment.take().filter(|(id, _)| *id == start.segment);
        let (id, file) = if let Some(open) = open {
            open
        } else {
            let file = self.disk.open(&path, Access::CreateNew(0o600));
            (start.segment, file.map_err(failed)?)
        };
        file.write_at(start.offset, bytes).map_err(failed)?;
        self.segment = Some((id, file));
        Ok(())
    }

    /// Puts the pages of a database into their places, but for groups that are there already. `told` gets the pages of each group.
    pub(super) fn keep_pages(
        &self,
        database: &BackedUpDatabase,
        stored: &StoredDatabase,
        pages: &mut Pages,
        told: &mut dyn FnMut(u32),
    ) -> Result<()> {
        let path = self.directory.join(format!("{}.new", database.number));
        let failed = |error: std::io::Error| CommandError::io("write", &path, &error);
        let file = self
            .disk
            .open(&path, Access::CreateBulk(0o600))
            .map_err(failed)?;
        let is_new = file.length().map_err(failed)? == 0;
        let mut room = vec![0; GROUP_PAGES as usize * PAGE_SIZE];
        for (number, group) in GroupNumber::all(stored.pages).zip(&stored.groups) {
            let range = number.pages(stored.pages);
            let at = u64::from(range.start() - 1) * PAGE_SIZE as u64;
            let count = range.count();
            let here = room.get_mut(..count * PAGE_SIZE).unwrap_or_default();
            let is_there = !is_new
                && file.read_at(at, here).map_err(failed)? == here.len()
                && GroupParts::of(number, here).value() == group.value;
            if !is_there {
                let here = self.older.read(database.number, at, here)?;
                let content = pages.group_over(number, stored.pages, group, here)?;
                file.write_at(at, &content).map_err(failed)?;
            }
            told(u32::try_from(count).unwrap_or(u32::MAX));
        }
        file.set_length(u64::from(stored.pages) * PAGE_SIZE as u64)
            .and_then(|()| file.sync())
            .map_err(failed)
    }

    /// All is there: dbserver may make it the state.
    pub(super) fn finish(
        self,
        manifest: &Manifest,
        log: &RestoredLog,
        note: &RestoreNote,
    ) -> Result<()> {
        if let Some((block, _)) = &log.partial {
            self.write("partial", &block.bytes)?;
        }
        self.write("manifest", &manifest.encode())?;
        self.write(RestoreNote::FILE, &note.encode())
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.directory.join(name);
        let written = self.disk.write_atomic(&path, content, 0o600);
        written.map_err(|error| CommandError::io("write", &path, &error))
    }
}
