//! A process of the simulated machine, and how it sees the disk.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use super::file::{SimulatedFile, identity_of};
use super::names::Entry;
use super::operation::{Kind, Operation, ProcessId};
use super::simulated::SimulatedDisk;
use super::state::{DiskState, normal};
use crate::{Access, Disk, DiskFile, FileIdentity, FileSystem};

/// Directories are not told from each other.
const DIRECTORY: u64 = u64::MAX;

/// A process of the simulated machine. It lives until it is killed, or the power is cut.
#[derive(Clone, Debug)]
pub struct Process {
    view: View,
    disk: Disk,
}

impl Process {
    pub(crate) fn new(machine: SimulatedDisk, id: ProcessId) -> Self {
        let view = View {
            machine,
            process: id,
        };
        let disk = Disk::new(Arc::new(view.clone()));
        Self { view, disk }
    }

    /// The disk as this process uses it.
    pub fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// Its number, as operations show it.
    pub fn id(&self) -> ProcessId {
        self.view.process
    }

    /// Ends it: whatever it does from now on fails, its locks are free. What it wrote stays, synced
    /// or not.
    pub fn kill(&self) {
        self.view.machine.state().kill(self.view.process);
    }
}

/// The disk as one process sees it.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) machine: SimulatedDisk,
    pub(crate) process: ProcessId,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.machine, self.process)
    }
}

/// An operation that may go ahead: the locked disk, and the error that it is to end with.
pub(crate) type Begun<'s> = (MutexGuard<'s, DiskState>, Option<io::Error>);

impl View {
    /// Announces an operation. The hook is called without the lock.
    pub(crate) fn begin(&self, mut operation: Operation) -> io::Result<Begun<'_>> {
        let mut state = self.machine.state();
        state.check(self.process)?;
        state.count(&mut operation);
        if let Some(hook) = state.hook.clone() {
            drop(state);
            hook(&self.machine, &operation);
            // What it holds may use the disk when it is dropped.
            drop(hook);
            state = self.machine.state();
            state.check(self.process)?;
        }
        let failure = state.failure(&operation);
        Ok((state, failure))
    }

    pub(crate) fn operation(&self, kind: Kind, path: Arc<Path>) -> Operation {
        Operation {
            number: 0,
            process: self.process,
            kind,
            path,
            to: None,
            offset: 0,
            length: 0,
        }
    }

    /// An operation that does nothing where it fails.
    fn look(&self, kind: Kind, path: &Arc<Path>) -> io::Result<MutexGuard<'_, DiskState>> {
        match self.begin(self.operation(kind, Arc::clone(path)))? {
            (state, None) => Ok(state),
            (_, Some(error)) => Err(error),
        }
    }

    /// Opens the file, which may have to be made.
    fn open_or_create(
        &self,
        kind: Kind,
        path: &Arc<Path>,
        access: Access,
    ) -> io::Result<SimulatedFile> {
        let (mut state, failure) = self.begin(self.operation(kind, Arc::clone(path)))?;
        let opened = if failure.is_none() || state.random.coin() {
            find_or_create(&mut state, path, access)
        } else {
            Err(io::ErrorKind::NotFound.into())
        };
        let number = failure.map_or(opened, Err)?;
        let handle = state.open(number, self.process);
        drop(state);
        let view = self.clone();
        Ok(SimulatedFile::new(view, number, handle, access))
    }

    /// Renames a file; `allowed` is told which file has the new name.
    fn give_name(
        &self,
        from: &Path,
        to: &Path,
        allowed: impl FnOnce(Option<u64>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (from, to): (Arc<Path>, Arc<Path>) = (normal(from).into(), normal(to).into());
        let mut operation = self.operation(Kind::Rename, Arc::clone(&from));
        operation.to = Some(Arc::clone(&to));
        let check = |state: &DiskState| {
            state.check_directory(to.parent().unwrap_or(&to))?;
            allowed(state.find(&to)?)?;
            state
                .find(&from)?
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let change = |state: &mut DiskState, number| state.rename(&from, &to, number);
        self.change(operation, check, change)
    }

    /// Does a change of names. Where it fails it may be done all the same.
    fn change(
        &self,
        operation: Operation,
        check: impl FnOnce(&DiskState) -> io::Result<u64>,
        change: impl FnOnce(&mut DiskState, u64),
    ) -> io::Result<()> {
        let (mut state, failure) = self.begin(operation)?;
        match (check(&state), failure) {
            (Ok(number), None) => {
                change(&mut state, number);
                Ok(())
            }
            (Err(error), None) => Err(error),
            (checked, Some(failure)) => {
                if let Ok(number) = checked
                    && state.random.coin()
                {
                    change(&mut state, number);
                }
                Err(failure)
            }
        }
    }
}

fn find_or_create(state: &mut DiskState, path: &Arc<Path>, access: Access) -> io::Result<u64> {
    match (state.find(path)?, access) {
        (Some(_), Access::CreateNew(_)) => Err(io::ErrorKind::AlreadyExists.into()),
        (Some(number), _) => Ok(number),
        (None, Access::Read | Access::Write) => Err(io::ErrorKind::NotFound.into()),
        (None, Access::Create(_) | Access::CreateBulk(_) | Access::CreateNew(_)) => {
            state.check_directory(path.parent().unwrap_or(path))?;
            Ok(state.create(path))
        }
    }
}

impl FileSystem for View {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let path: Arc<Path> = normal(path).into();
        let makes = match access {
            Access::Read | Access::Write => false,
            Access::Create(_) | Access::CreateBulk(_) => {
                self.machine.state().names.get(&path).is_none()
            }
            Access::CreateNew(_) => true,
        };
        let kind = if makes { Kind::Create } else { Kind::Open };
        Ok(Box::new(self.open_or_create(kind, &path, access)?))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn DiskFile>>> {
        let path = normal(path).into();
        let file = self.open_or_create(Kind::Lock, &path, Access::Create(0o600))?;
        Ok(file.lock().then(|| Box::new(file) as Box<dyn DiskFile>))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let directory = normal(directory).into();
        let state = self.look(Kind::List, &directory)?;
        state.check_directory(&directory)?;
        Ok(state.names.list(&directory))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let path = normal(path).into();
        let state = self.look(Kind::Exists, &path)?;
        Ok(state.names.get(&path).is_some())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.give_name(from, to, |_| Ok(()))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.give_name(from, to, |there| match there {
            None => Ok(()),
            Some(_) => Err(io::ErrorKind::AlreadyExists.into()),
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let path: Arc<Path> = normal(path).into();
        let check = |state: &DiskState| {
            state
                .find(&path)?
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let change = |state: &mut DiskState, number| state.remove(&path, number);
        let operation = self.operation(Kind::Remove, Arc::clone(&path));
        self.change(operation, check, change)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let path = normal(path).into();
        let mut state = self.look(Kind::Remove, &path)?;
        state.check_directory(&path)?;
        if !state.names.list(&path).is_empty() {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.names.remove(&path);
        Ok(())
    }

    fn make_directory(&self, path: &Path, _mode: u32) -> io::Result<()> {
        let path = normal(path).into();
        self.look(Kind::MakeDirectory, &path)?.make_directory(&path)
    }

    fn identity(&self, path: &Path) -> io::Result<Option<FileIdentity>> {
        let path = normal(path).into();
        let state = self.look(Kind::Exists, &path)?;
        match state.names.get(&path) {
            Some(Entry::File(number)) => Ok(Some(identity_of(number))),
            Some(Entry::Directory) => Ok(Some(identity_of(DIRECTORY))),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let path: Arc<Path> = normal(path).into();
        let operation = self.operation(Kind::SyncDirectory, Arc::clone(&path));
        let (mut state, failure) = self.begin(operation)?;
        state.check_directory(&path)?;
        let at_most = if failure.is_none() {
            usize::MAX
        } else {
            let pending = state.names.pending_in(&path) as u64;
            usize::try_from(state.random.below(pending + 1)).unwrap_or_default()
        };
        state.names.sync(&path, at_most);
        failure.map_or(Ok(()), Err)
    }
}
