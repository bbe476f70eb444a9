//! Pages that are too many for memory: an unlinked temporary file with slots of one page. The checksum
//! of each page stays in memory: what a disk has damaged is not read back.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk::{Disk, DiskFile};

use crate::sums::sum_of;
use crate::{PAGE_SIZE, PageData};

/// A scratch file; lives as long as one of its pages does.
#[derive(Debug)]
pub struct ScratchFile {
    file: Box<dyn DiskFile>,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    free: Vec<u32>,
    /// Slots ever handed out = size of the file in pages.
    end: u32,
}

impl ScratchFile {
    /// An empty scratch file in `directory`.
    pub fn create(disk: &Disk, directory: &Path) -> io::Result<Arc<Self>> {
        let file = disk.scratch(directory)?;
        Ok(Arc::new(Self {
            file,
            slots: Mutex::default(),
        }))
    }

    /// Stores a page; its slot is free again when the last clone of the answer is dropped.
    pub fn store(self: &Arc<Self>, page: &PageData) -> io::Result<ScratchPage> {
        let slot = self.take_slot()?;
        // From here on dropping `owned` gives the slot back, also when the write fails.
        let owned = Slot {
            file: Arc::clone(self),
            number: slot,
            sum: sum_of(page),
        };
        self.file.write_at(owned.offset(), page)?;
        Ok(ScratchPage(Arc::new(owned)))
    }

    /// Pages stored now.
    pub fn pages_in_use(&self) -> usize {
        let slots = self.slots();
        slots.end as usize - slots.free.len()
    }

    fn take_slot(&self) -> io::Result<u32> {
        let mut slots = self.slots();
        if let Some(slot) = slots.free.pop() {
            return Ok(slot);
        }
        let slot = slots.end;
        slots.end = slot.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(slot)
    }

    fn give_back(&self, slot: u32) {
        let mut slots = self.slots();
        assert!(
            slots.free.len() < slots.end as usize,
            "a slot is given back once: two pages never share one"
        );
        slots.free.push(slot);
        if slots.free.len() == slots.end as usize && self.file.set_length(0).is_ok() {
            // Nothing is stored: give the disk space back. Where that fails the slots are reused.
            *slots = Slots::default();
        }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Slot {
    file: Arc<ScratchFile>,
    number: u32,
    sum: u32,
}

impl Slot {
    fn offset(&self) -> u64 {
        u64::from(self.number) * PAGE_SIZE as u64
    }

    fn read(&self, page: &mut PageData) -> io::Result<()> {
        self.file.file.read_exact_at(self.offset(), page)?;
        if sum_of(page) == self.sum {
            Ok(())
        } else {
            Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "what is in the scratch file is not what was written",
            ))
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.file.give_back(self.number);
    }
}

/// A page in a scratch file. Cloning shares the slot.
#[derive(Clone, Debug)]
pub struct ScratchPage(Arc<Slot>);

impl ScratchPage {
    /// Copies the bytes from `offset` on into `buffer`; see [`crate::PageImage::read_at`].
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        if let Ok(page) = <&mut PageData>::try_from(&mut *buffer) {
            return self.0.read(page);
        }
        let mut page = [0; PAGE_SIZE];
        self.0.read(&mut page)?;
        buffer.copy_from_slice(&page[offset..offset + buffer.len()]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_free_again_when_its_last_handle_drops() {
        let directory = tempfile::tempdir().unwrap();
        let file = ScratchFile::create(&Disk::real(), directory.path()).unwrap();
        let first = file.store(&[1; PAGE_SIZE]).unwrap();
        let second = file.store(&[2; PAGE_SIZE]).unwrap();
        let again = first.clone();
        drop(first);
        assert_eq!(file.pages_in_use(), 2);
        drop(again);
        assert_eq!(file.pages_in_use(), 1);
        let third = file.store(&[3; PAGE_SIZE]).unwrap();
        assert_eq!(file.file.length().unwrap(), 2 * PAGE_SIZE as u64);
        let mut page = [0; PAGE_SIZE];
        second.read_at(0, &mut page).unwrap();
        assert_eq!(page, [2; PAGE_SIZE]);
        third.read_at(0, &mut page).unwrap();
        assert_eq!(page, [3; PAGE_SIZE]);
    }

    #[test]
    fn what_the_disk_has_damaged_is_not_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = ScratchFile::create(&Disk::real(), directory.path()).unwrap();
        let pages: Vec<_> = [1, 2].map(|i| file.store(&[i; PAGE_SIZE]).unwrap()).into();
        file.file.write_at(PAGE_SIZE as u64 + 100, &[3]).unwrap();
        let mut page = [0; PAGE_SIZE];
        pages[0].read_at(0, &mut page).unwrap();
        pages[0].read_at(4000, &mut page[..96]).unwrap();
        for length in [PAGE_SIZE, 10] {
            let error = pages[1].read_at(0, &mut page[..length]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn an_empty_scratch_file_gives_its_disk_space_back() {
        let directory = tempfile::tempdir().unwrap();
        let file = ScratchFile::create(&Disk::real(), directory.path()).unwrap();
        let pages: Vec<_> = (0..10)
            .map(|i| file.store(&[i; PAGE_SIZE]).unwrap())
            .collect();
        drop(pages);
        assert_eq!(file.file.length().unwrap(), 0);
        assert_eq!(file.pages_in_use(), 0);
    }
}
