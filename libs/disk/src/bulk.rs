//! Files that are written in bulk: past the system's page cache where that can be.
//!
//! A copy of a database writes all of it once, and reads it once to see that it is there. In the page cache it
//! would push out what the machine works with, and the system's fresh memory for it costs more than the disk does
//! (`docs/benchmarks.md`, *Copies*). Large pieces whose place and length are multiples of a page go to the disk
//! as they are (`O_DIRECT`, the Linux manual page `open(2)`), all else as in any file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::real::RealFile;
use crate::{DiskFile, FileIdentity};

/// What places, lengths and memory are multiples of: no disk of today asks for more.
const ALIGNMENT: usize = 4096;
/// Smaller pieces are waited for longer than they cost in the page cache, in bytes.
const LARGE: usize = 256 << 10;
/// What goes to the disk at once, in bytes.
const PIECE: usize = 1 << 20;

/// A file that takes large pieces past the page cache.
#[derive(Debug)]
pub(crate) struct BulkFile {
    file: RealFile,
    /// `None`: the file system can't.
    direct: Option<File>,
    /// The disk wants another alignment.
    refused: AtomicBool,
    piece: Mutex<Piece>,
}

/// Memory that a disk takes bytes from and puts them into.
#[derive(Debug, Default)]
struct Piece(Vec<u8>);

impl Piece {
    fn bytes(&mut self, length: usize) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = vec![0; PIECE + ALIGNMENT];
        }
        let at = self.0.as_ptr().align_offset(ALIGNMENT);
        self.0.get_mut(at..at + length).unwrap_or_default()
    }
}

impl BulkFile {
    /// The file of that name, which is open already.
    pub(crate) fn new(file: RealFile, path: &Path) -> Self {
        let flags = rustix::fs::OFlags::DIRECT.bits().cast_signed();
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).custom_flags(flags);
        Self {
            file,
            direct: options.open(path).ok(),
            refused: AtomicBool::new(false),
            piece: Mutex::default(),
        }
    }

    /// Where such a piece goes, if it goes past the page cache.
    fn direct(&self, offset: u64, length: usize) -> Option<&File> {
        let is_aligned =
            offset.is_multiple_of(ALIGNMENT as u64) && length.is_multiple_of(ALIGNMENT);
        let may = length >= LARGE && is_aligned && !self.refused.load(Ordering::Relaxed);
        self.direct.as_ref().filter(|_| may)
    }

    fn piece(&self) -> MutexGuard<'_, Piece> {
        self.piece.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is lost where a disk refuses: the same bytes go by the page cache then.
    fn unless_refused<T>(&self, done: io::Result<T>) -> io::Result<Option<T>> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn write_direct(file: &File, piece: &mut Piece, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut offset = offset;
    for part in bytes.chunks(PIECE) {
        let aligned = piece.bytes(part.len());
        aligned.copy_from_slice(part);
        file.write_all_at(aligned, offset)?;
        offset += part.len() as u64;
    }
    Ok(())
}

/// Fewer bytes only at the end of the file.
fn read_direct(
    file: &File,
    piece: &mut Piece,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    for part in buffer.chunks_mut(PIECE) {
        let aligned = piece.bytes(part.len());
        let count = loop {
            match file.read_at(aligned, offset + filled as u64) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let (read, rest) = (aligned.get(..count), part.get_mut(..count));
        if let (Some(read), Some(place)) = (read, rest) {
            place.copy_from_slice(read);
        }
        filled += count;
        if count < part.len() {
            break;
        }
    }
    Ok(filled)
}

impl DiskFile for BulkFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        if let Some(file) = self.direct(offset, buffer.len()) {
            let read = read_direct(file, &mut self.piece(), offset, buffer);
            filled = self.unless_refused(read)?.unwrap_or_default();
        }
        // A piece may end early in the middle of a file, and only nothing is its end.
        let rest = buffer.get_mut(filled..).unwrap_or_default();
        Ok(filled + self.file.read_at(offset + filled as u64, rest)?)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = self.direct(offset, bytes.len()) {
            let written = write_direct(file, &mut self.piece(), offset, bytes);
            if self.unless_refused(written)?.is_some() {
                return Ok(());
            }
        }
        self.file.write_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn identity(&self) -> io::Result<Option<FileIdentity>> {
        self.file.identity()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Access, Disk};

    use super::*;

    fn content(length: usize, of: u8) -> Vec<u8> {
        (0..=250)
            .cycle()
            .take(length)
            .map(|byte: u8| byte ^ of)
            .collect()
    }

    #[test]
    fn what_goes_past_the_page_cache_and_what_does_not_is_one_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bulk");
        let file = Disk::real().open(&path, Access::CreateBulk(0o600)).unwrap();
        let mut whole = content(3 * PIECE + LARGE, 0);
        file.write_at(0, &whole).unwrap();
        // A small piece over large ones, a large one over that, one at no border, and one at the end.
        for (at, length, of) in [
            (ALIGNMENT, ALIGNMENT, 1),
            (0, LARGE, 2),
            (LARGE + 5, LARGE, 3),
            (whole.len(), 2 * ALIGNMENT, 4),
        ] {
            let bytes = content(length, of);
            file.write_at(at as u64, &bytes).unwrap();
            whole.resize(whole.len().max(at + length), 0);
            whole[at..at + length].copy_from_slice(&bytes);
        }
        file.sync().unwrap();
        assert_eq!(file.length().unwrap(), whole.len() as u64);
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        let mut read = vec![9; 4 * PIECE + LARGE];
        let count = file.read_at(0, &mut read).unwrap();
        assert_eq!((count, &read[..count]), (whole.len(), &whole[..]));
        let mut middle = vec![9; LARGE];
        file.read_exact_at(ALIGNMENT as u64, &mut middle).unwrap();
        assert_eq!(middle, whole[ALIGNMENT..ALIGNMENT + LARGE]);
    }

    #[test]
    fn a_disk_that_refuses_gets_it_by_the_page_cache() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("bulk");
        let plain = RealFile::open(&path, Access::Create(0o600)).unwrap();
        let file = BulkFile::new(plain, &path);
        file.unless_refused::<()>(Err(io::ErrorKind::InvalidInput.into()))
            .unwrap();
        assert!(file.direct(0, LARGE).is_none());
        file.write_at(0, &content(LARGE, 0)).unwrap();
        let mut read = vec![9; LARGE];
        file.read_exact_at(0, &mut read).unwrap();
        assert_eq!(read, content(LARGE, 0));
    }
}
