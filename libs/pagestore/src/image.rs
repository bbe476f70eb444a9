//! The content of one page version, in memory or in a scratch file.

use std::io;
use std::sync::{Arc, LazyLock};

use crate::{PAGE_SIZE, PageData, ScratchPage};

/// All pages that exist without ever having been written share these zeros.
static ZEROS: LazyLock<Arc<PageData>> = LazyLock::new(|| Arc::new([0; PAGE_SIZE]));

/// The content of a page at one commit. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub enum PageImage {
    /// In memory.
    Memory(Arc<PageData>),
    /// In an unlinked scratch file; the slot is free again when the last clone is dropped.
    Scratch(ScratchPage),
}

impl PageImage {
    /// A page of zeros; takes no memory of its own.
    pub fn zeros() -> Self {
        Self::Memory(Arc::clone(&ZEROS))
    }

    /// Copies `data` into a new image in memory.
    pub fn copy_of(data: &PageData) -> Self {
        // Through a slice: the bytes go straight to the heap, an array would pass over the stack.
        let bytes: Arc<[u8]> = Arc::from(data.as_slice());
        Self::Memory(bytes.try_into().unwrap_or_else(|_| Arc::new(*data)))
    }

    /// A new image in memory, whose bytes `fill` writes over zeros.
    pub fn filled<E>(fill: impl FnOnce(&mut PageData) -> Result<(), E>) -> Result<Self, E> {
        let mut image = Self::copy_of(&ZEROS);
        if let Some(bytes) = image.bytes_mut() {
            fill(bytes)?;
        }
        Ok(image)
    }

    /// The content in memory: shared where it is there already, read from its file else.
    pub fn into_memory(self) -> io::Result<Arc<PageData>> {
        match self {
            Self::Memory(data) => Ok(data),
            Self::Scratch(slot) => {
                let mut data = Arc::clone(&ZEROS);
                slot.read_at(0, Arc::make_mut(&mut data).as_mut_slice())?;
                Ok(data)
            }
        }
    }

    /// The bytes, to be changed: of an image in memory that nobody shares.
    pub fn bytes_mut(&mut self) -> Option<&mut PageData> {
        match self {
            Self::Memory(data) => Arc::get_mut(data),
            Self::Scratch(_) => None,
        }
    }

    /// Copies the page into `page`. Fails only where a scratch file can't be read.
    pub fn read_into(&self, page: &mut PageData) -> io::Result<()> {
        self.read_at(0, page)
    }

    /// Copies the bytes from `offset` on into `buffer`.
    ///
    /// # Panics
    /// Where these bytes do not lie within the page.
    pub fn read_at(&self, offset: usize, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Memory(data) => buffer.copy_from_slice(&data[offset..offset + buffer.len()]),
            Self::Scratch(slot) => slot.read_at(offset, buffer)?,
        }
        Ok(())
    }

    /// Bytes of memory that the image keeps.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Memory(data) if Arc::ptr_eq(data, &ZEROS) => 0,
            Self::Memory(_) => PAGE_SIZE,
            Self::Scratch(_) => 0,
        }
    }

    /// The bytes, where they are in memory.
    pub fn in_memory(&self) -> Option<&PageData> {
        match self {
            Self::Memory(data) => Some(data),
            Self::Scratch(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_page_takes_no_memory_and_a_copy_takes_one_page() {
        assert_eq!(PageImage::zeros().memory_bytes(), 0);
        let image = PageImage::copy_of(&[7; PAGE_SIZE]);
        assert_eq!(image.memory_bytes(), PAGE_SIZE);
        let mut page = [0; PAGE_SIZE];
        image.read_into(&mut page).unwrap();
        assert_eq!(page, [7; PAGE_SIZE]);
    }

    #[test]
    #[should_panic = "out of range"]
    fn reading_outside_the_page_is_a_mistake_of_the_caller() {
        let image = PageImage::zeros();
        assert!(image.read_at(4090, &mut [0; 6]).is_ok());
        drop(image.read_at(4090, &mut [0; 7]));
    }
}
