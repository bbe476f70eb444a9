//! A directory of a disk as a store.
//!
//! ```text
//! root/eloqdb.repository
//! root/<name of an object>
//! root/tmp/<random>         an object that is being written; locked by its writer
//! ```
//! An object is written under a temporary name, synced, renamed, and the names are synced. What a crash leaves in `tmp`
//! has no lock any more, and is removed by the next writer.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::io;
use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};

use crate::name::ObjectName;
use crate::store::{Listed, Put, Store, StoreError};

/// They are their owner's alone, as the files in them: those have all that the databases have.
const DIRECTORY_MODE: u32 = 0o700;

/// Objects that are being written.
const TEMPORARY: &str = "tmp";

/// A directory of a disk as a store.
#[derive(Clone, Debug)]
pub struct Directory {
    disk: Disk,
    root: PathBuf,
}

impl Directory {
    /// The store in this directory, which need not be there.
    pub fn new(disk: Disk, root: impl Into<PathBuf>) -> Self {
        Self {
            disk,
            root: root.into(),
        }
    }

    fn path(&self, name: &ObjectName) -> PathBuf {
        self.root.join(name.to_string())
    }

    /// An object under a temporary name. The file is locked as long as it is open.
    fn write(&self, content: &[u8]) -> io::Result<(PathBuf, Box<dyn DiskFile>)> {
        let directory = self.root.join(TEMPORARY);
        self.disk.make_directory(&directory, DIRECTORY_MODE)?;
        self.sweep(&directory)?;
        loop {
            let path = directory.join(format!("{:016x}", RandomState::new().hash_one(0_u8)));
            // Whoever sweeps may have had the lock first, or the name.
            let Some(file) = self.disk.lock(&path)? else {
                continue;
            };
            if !self.disk.has_name(file.as_ref(), &path)? || file.length()? > 0 {
                continue;
            }
            file.write_at(0, content)?;
            return Ok((path, file));
        }
    }

    /// Removes what writers have left that are gone.
    fn sweep(&self, directory: &Path) -> io::Result<()> {
        for name in self.disk.list(directory)? {
            let path = directory.join(name);
            // A writer that is faster renames or removes it.
            let is_there = match self.disk.open(&path, Access::Read) {
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            if is_there && let Some(_lock) = self.disk.lock(&path)? {
                self.disk.remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// Writes an object and gives it its name.
    fn store(
        &self,
        name: &ObjectName,
        content: &[u8],
        rename: impl FnOnce(&Disk, &Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.path(name);
        // A directory without it may be the place where the disk of the repository is to be mounted.
        if *name != ObjectName::Marker && !self.disk.exists(&self.path(&ObjectName::Marker))? {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "there is no repository any more; is its disk mounted?",
            ));
        }
        if let Some(parent) = path.parent() {
            self.disk.make_directory(parent, DIRECTORY_MODE)?;
        }
        let (temporary, _locked) = self.write(content)?;
        let renamed = rename(&self.disk, &temporary, &path);
        if renamed.is_err() {
            // Where that fails, too, the next writer does it.
            drop(self.disk.remove_if_there(&temporary));
        }
        renamed?;
        self.sync_names(name)
    }

    /// Makes the name of an object durable, and those of the directories that it is in: one that was made by a call that
    /// failed may be on no disk yet.
    fn sync_names(&self, name: &ObjectName) -> io::Result<()> {
        let path = self.path(name);
        let inside = path
            .ancestors()
            .skip(1)
            .take_while(|directory| directory.starts_with(&self.root));
        for directory in inside {
            self.disk.sync_directory(directory)?;
        }
        // The root is made with this object alone.
        let above = self.root.ancestors().skip(1);
        for directory in above.filter(|it| *name == ObjectName::Marker && *it != Path::new("")) {
            match self.disk.sync_directory(directory) {
                // Nothing was made by us where we may not even look.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
                other => other?,
            }
        }
        Ok(())
    }

    fn open(&self, name: &ObjectName) -> Result<Box<dyn DiskFile>, StoreError> {
        let opened = self.disk.open(&self.path(name), Access::Read);
        opened.map_err(|error| self.failed("read", &name.to_string(), &error))
    }

    fn failed(&self, during: &'static str, name: &str, error: &io::Error) -> StoreError {
        let (name, place) = (name.to_owned(), self.place());
        if during == "read" && error.kind() == io::ErrorKind::NotFound {
            return StoreError::Missing { name, place };
        }
        StoreError::Failed {
            during,
            name,
            place,
            kind: error.kind(),
            why: disk::reason(error),
        }
    }

    fn list_into(&self, directory: &Path, found: &mut Vec<Listed>) -> io::Result<()> {
        for name in self.disk.list(directory)? {
            let path = directory.join(&name);
            if path == self.root.join(TEMPORARY) {
                continue;
            }
            match self.list_into(&path, found) {
                Ok(()) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
                // Somebody has removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            let length = match self.disk.open(&path, Access::Read) {
                Ok(file) => file.length()?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let name = path.strip_prefix(&self.root).unwrap_or(&path);
            found.push(Listed {
                name: name.to_string_lossy().into_owned(),
                length,
            });
        }
        Ok(())
    }
}

impl Store for Directory {
    fn place(&self) -> String {
        format!("file://{}", self.root.display())
    }

    fn put_if_absent(&self, name: &ObjectName, content: &[u8]) -> Result<Put, StoreError> {
        let failed = |error: &io::Error| self.failed("write", &name.to_string(), error);
        // Most of those that are there need not be written to be known.
        if self
            .disk
            .exists(&self.path(name))
            .map_err(|error| failed(&error))?
        {
            self.sync_names(name).map_err(|error| failed(&error))?;
            return Ok(Put::Exists);
        }
        match self.store(name, content, Disk::rename_new) {
            Ok(()) => Ok(Put::Stored),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.sync_names(name).map_err(|error| failed(&error))?;
                Ok(Put::Exists)
            }
            Err(error) => Err(failed(&error)),
        }
    }

    fn put(&self, name: &ObjectName, content: &[u8]) -> Result<(), StoreError> {
        self.store(name, content, Disk::rename)
            .map_err(|error| self.failed("write", &name.to_string(), &error))
    }

    fn get(&self, name: &ObjectName) -> Result<Vec<u8>, StoreError> {
        let content = self.disk.read(&self.path(name));
        content.map_err(|error| self.failed("read", &name.to_string(), &error))
    }

    fn get_range(
        &self,
        name: &ObjectName,
        offset: u64,
        length: usize,
    ) -> Result<Vec<u8>, StoreError> {
        let file = self.open(name)?;
        let mut bytes = vec![0; length];
        let read = file
            .read_at(offset, &mut bytes)
            .map_err(|error| self.failed("read", &name.to_string(), &error))?;
        if read < length {
            return Err(StoreError::Short {
                name: name.to_string(),
                place: self.place(),
                length: offset.saturating_add(read as u64),
            });
        }
        Ok(bytes)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let mut found = Vec::new();
        match self.list_into(&self.root.join(prefix), &mut found) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|error| self.failed("list", prefix, &error))?,
        }
        found.sort_unstable();
        Ok(found)
    }

    fn delete(&self, name: &ObjectName) -> Result<(), StoreError> {
        match self.disk.remove(&self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(|error| self.failed("remove", &name.to_string(), &error)),
        }
    }
}
