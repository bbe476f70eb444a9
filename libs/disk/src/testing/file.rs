//! An open file of a simulated disk.

use std::fmt;
use std::io;

use super::operation::Kind;
use super::process::{Begun, View};
use crate::{Access, DiskFile, FileIdentity};

/// An open file of a simulated disk.
pub(crate) struct SimulatedFile {
    view: View,
    number: u64,
    handle: u64,
    writable: bool,
}

impl SimulatedFile {
    pub(crate) fn new(view: View, number: u64, handle: u64, access: Access) -> Self {
        Self {
            view,
            number,
            handle,
            writable: access != Access::Read,
        }
    }

    /// Locks the file with this handle; `false` while another holds the lock.
    pub(crate) fn lock(&self) -> bool {
        let mut state = self.view.machine.state();
        let node = state.node_mut(self.number);
        let free = node.lock.is_none();
        if free {
            node.lock = Some((self.view.process, self.handle));
        }
        free
    }

    fn begin(&self, kind: Kind, offset: u64, length: usize) -> io::Result<Begun<'_>> {
        if kind != Kind::Read && !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let path = self.view.machine.state().node(self.number).path.clone();
        let mut operation = self.view.operation(kind, path);
        (operation.offset, operation.length) = (offset, length);
        self.view.begin(operation)
    }
}

impl DiskFile for SimulatedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.begin(Kind::Read, offset, buffer.len())? {
            (state, None) => Ok(state.node(self.number).read(place(offset)?, buffer)),
            (_, Some(error)) => Err(error),
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut state, failure) = self.begin(Kind::Write, offset, bytes.len())?;
        state.write(self.number, place(offset)?, bytes, failure)
    }

    fn sync(&self) -> io::Result<()> {
        let (mut state, failure) = self.begin(Kind::Sync, 0, 0)?;
        state.sync(self.number, failure)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let (mut state, failure) = self.begin(Kind::SetLength, length, 0)?;
        if failure.is_none() || state.random.coin() {
            state.node_mut(self.number).set_length(place(length)?);
        }
        failure.map_or(Ok(()), Err)
    }

    fn length(&self) -> io::Result<u64> {
        let state = self.view.machine.state();
        state.check(self.view.process)?;
        Ok(state.node(self.number).length() as u64)
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.view.machine.state().check(self.view.process)?;
        Ok(Some(identity_of(self.number)))
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut state = self.view.machine.state();
        state.close(self.number, self.view.process, self.handle);
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedFile")
            .field("view", &self.view)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// There is one file system.
pub(crate) fn identity_of(number: u64) -> FileIdentity {
    FileIdentity {
        device: 1,
        inode: number,
    }
}

/// Larger than any file that fits into memory.
const LARGEST: u64 = 1 << 40;

fn place(offset: u64) -> io::Result<usize> {
    if offset > LARGEST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    usize::try_from(offset).map_err(io::Error::other)
}
