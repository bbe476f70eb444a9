//! The rollback journal of one connection: bytes in memory, beyond a limit in a scratch file.

use std::io;
use std::path::PathBuf;

use disk::{Disk, DiskFile};

/// Bytes of a journal that stay in memory: before-images of about 250 pages.
const MEMORY_LIMIT: usize = 1 << 20;

/// What a journal keeps allocated between transactions.
const KEEP: usize = 64 << 10;

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Disk,
    directory: PathBuf,
    /// The first `MEMORY_LIMIT` bytes.
    memory: Vec<u8>,
    /// What comes after them, at the same offsets.
    file: Option<Box<dyn DiskFile>>,
    len: u64,
}

impl Journal {
    pub(crate) fn new(disk: Disk, directory: PathBuf) -> Self {
        Self {
            disk,
            directory,
            memory: Vec::new(),
            file: None,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Fills `buffer` from `offset` on; answers how many bytes there were.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let available = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(available);
        let (wanted, rest) = buffer.split_at_mut(count);
        rest.fill(0);
        let split = Self::in_memory(offset, count);
        let (head, tail) = wanted.split_at_mut(split);
        if !head.is_empty() {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            head.fill(0);
            let stored = self.memory.get(from..).unwrap_or_default();
            let stored = &stored[..stored.len().min(split)];
            head[..stored.len()].copy_from_slice(stored);
        }
        if let (Some(file), false) = (&self.file, tail.is_empty()) {
            file.read_exact_at(offset + split as u64, tail)?;
        }
        Ok(count)
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (head, tail) = bytes.split_at(Self::in_memory(offset, bytes.len()));
        if !head.is_empty() {
            let from = usize::try_from(offset).unwrap_or(usize::MAX);
            if from == self.memory.len() {
                self.memory.extend_from_slice(head);
            } else {
                let end = from + head.len();
                if self.memory.len() < end {
                    self.memory.resize(end, 0);
                }
                self.memory[from..end].copy_from_slice(head);
            }
        }
        if !tail.is_empty() {
            let file = match &mut self.file {
                Some(file) => file,
                none => none.insert(self.disk.scratch(&self.directory)?),
            };
            file.write_at(offset + head.len() as u64, tail)?;
        }
        self.len = self.len.max(offset + bytes.len() as u64);
        Ok(())
    }

    pub(crate) fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.len = self.len.min(len);
        if len == 0 {
            self.memory.clear();
            self.memory.shrink_to(KEEP);
            self.file = None;
        } else if len < MEMORY_LIMIT as u64 {
            self.memory
                .truncate(usize::try_from(len).unwrap_or(usize::MAX));
            self.file = None;
        } else if let Some(file) = &self.file {
            file.set_length(len)?;
        }
        Ok(())
    }

    /// How many of `count` bytes from `offset` on are in memory.
    fn in_memory(offset: u64, count: usize) -> usize {
        let room = (MEMORY_LIMIT as u64).saturating_sub(offset);
        usize::try_from(room).map_or(count, |room| room.min(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_reads_back_what_was_written_across_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let mut journal = Journal::new(Disk::real(), directory.path().to_owned());
        let mut expected = Vec::new();
        for step in 0..400_u32 {
            let record: Vec<u8> = (0..4104)
                .map(|i| u8::try_from((i + step) % 251).unwrap())
                .collect();
            journal.write(expected.len() as u64, &record).unwrap();
            expected.extend_from_slice(&record);
        }
        assert!(journal.file.is_some());
        let at = MEMORY_LIMIT - 100;
        let mut buffer = [0; 300];
        assert_eq!(journal.read(at as u64, &mut buffer).unwrap(), 300);
        assert_eq!(buffer, expected[at..at + 300]);
        let end = expected.len() - 10;
        assert_eq!(journal.read(end as u64, &mut buffer).unwrap(), 10);
        assert_eq!(buffer[..10], expected[end..]);
        assert_eq!(buffer[10..], [0; 290]);
        journal.truncate(0).unwrap();
        assert_eq!(journal.len(), 0);
        assert!(journal.file.is_none() && journal.memory.capacity() <= KEEP);
    }

    #[test]
    fn a_gap_in_the_journal_reads_as_zeros() {
        let mut journal = Journal::new(Disk::real(), PathBuf::new());
        journal.write(10, &[1; 4]).unwrap();
        let mut buffer = [9; 14];
        assert_eq!(journal.read(0, &mut buffer).unwrap(), 14);
        assert_eq!(buffer[..10], [0; 10]);
        assert_eq!(buffer[10..], [1; 4]);
    }
}
