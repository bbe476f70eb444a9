//! A file that is written from its beginning to its end, and hashed meanwhile.

use std::path::{Path, PathBuf};

use disk::{Access, Disk, DiskFile};

use crate::description::FileProof;
use crate::error::Error;

/// Bytes that are collected for one write.
const PIECE: usize = 1 << 20;

pub(crate) struct HashedFile {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    hasher: blake3::Hasher,
}

impl HashedFile {
    /// A new file that only its owner reads.
    pub(crate) fn create(disk: &Disk, path: PathBuf) -> Result<Self, Error> {
        let file = disk.open(&path, Access::CreateNew(0o600));
        Ok(Self {
            file: file.map_err(Error::io("create", &path))?,
            path,
            buffer: Vec::new(),
            written: 0,
            hasher: blake3::Hasher::new(),
        })
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hasher.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < PIECE {
            return Ok(());
        }
        self.flush()
    }

    /// The hash of all that was put so far.
    pub(crate) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write_at(self.written, &self.buffer);
        written.map_err(Error::io("write", &self.path))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// All is on the disk, but for the name.
    pub(crate) fn end(mut self) -> Result<FileProof, Error> {
        self.flush()?;
        self.file.sync().map_err(Error::io("sync", &self.path))?;
        Ok(FileProof {
            bytes: self.written,
            blake3: self.hash(),
        })
    }
}

/// What a file that is there has to be proved by.
pub(crate) fn proof_of(disk: &Disk, path: &Path) -> Result<FileProof, Error> {
    let file = disk.open(path, Access::Read);
    let file = file.map_err(Error::io("open", path))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; PIECE];
    let mut bytes = 0;
    loop {
        let count = file.read_at(bytes, &mut buffer);
        let count = count.map_err(Error::io("read", path))?;
        hasher.update(buffer.get(..count).unwrap_or_default());
        bytes += count as u64;
        if count < buffer.len() {
            return Ok(FileProof {
                bytes,
                blake3: hasher.finalize().to_hex().to_string(),
            });
        }
    }
}
