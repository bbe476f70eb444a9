//! Pages that a transaction has written, above a snapshot or another layer.

use std::io;
use std::mem;
use std::sync::Arc;

use pagestore::{LOCK_PAGE, PageData, PageImage, PageNumber, ScratchFile};
use rustc_hash::FxHashMap;

/// Where the content of a page is.
pub(crate) enum Found<'a> {
    /// In this layer.
    Image(&'a PageImage),
    /// Cut off and grown again without content.
    Zeros,
    /// Not in this layer.
    Below,
}

/// See the module's page.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    pages: FxHashMap<PageNumber, PageImage>,
    /// Size and smallest size, in pages; set with the first change.
    sizes: Option<Sizes>,
    memory_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sizes {
    now: u32,
    smallest: u32,
}

impl Layer {
    /// Pages of the database, if this layer has changed anything.
    pub(crate) fn page_count(&self) -> Option<u32> {
        self.sizes.map(|sizes| sizes.now)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sizes.is_none()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    pub(crate) fn find(&self, page: PageNumber) -> Found<'_> {
        match (self.pages.get(&page), self.sizes) {
            (Some(image), _) => Found::Image(image),
            (None, Some(sizes)) if page.get() > sizes.smallest => Found::Zeros,
            _ => Found::Below,
        }
    }

    /// Stores a page, in `scratch` where one is given. `below` is the size of the database without
    /// this layer.
    pub(crate) fn write(
        &mut self,
        page: PageNumber,
        data: &PageData,
        below: u32,
        scratch: Option<&Arc<ScratchFile>>,
    ) -> io::Result<()> {
        let sizes = self.sizes.get_or_insert(Sizes {
            now: below,
            smallest: below,
        });
        sizes.now = sizes.now.max(page.get());
        if let Some(PageImage::Memory(old)) = self.pages.get_mut(&page)
            && let Some(old) = Arc::get_mut(old)
        {
            old.copy_from_slice(data);
            return Ok(());
        }
        let image = match scratch {
            None => PageImage::copy_of(data),
            Some(file) => PageImage::Scratch(file.store(data)?),
        };
        self.memory_bytes += image.memory_bytes();
        if let Some(old) = self.pages.insert(page, image) {
            self.memory_bytes -= old.memory_bytes();
        }
        Ok(())
    }

    /// The database has `page_count` pages from now on.
    pub(crate) fn resize(&mut self, page_count: u32, below: u32) {
        let sizes = self.sizes.get_or_insert(Sizes {
            now: below,
            smallest: below,
        });
        let shrinks = page_count < sizes.now;
        sizes.now = page_count;
        sizes.smallest = sizes.smallest.min(page_count);
        if shrinks {
            self.drop_above(page_count);
        }
    }

    fn drop_above(&mut self, page_count: u32) {
        let memory = &mut self.memory_bytes;
        self.pages.retain(|page, image| {
            let keep = page.get() <= page_count;
            if !keep {
                *memory -= image.memory_bytes();
            }
            keep
        });
    }

    /// Puts `above` on top of this layer and leaves it empty.
    pub(crate) fn merge(&mut self, above: &mut Self) {
        if self.is_empty() {
            mem::swap(self, above);
            return;
        }
        let Some(top) = above.sizes.take() else {
            return;
        };
        self.drop_above(top.smallest);
        if let Some(sizes) = &mut self.sizes {
            sizes.smallest = sizes.smallest.min(top.smallest);
            sizes.now = top.now;
        }
        for (page, image) in above.pages.drain() {
            self.memory_bytes += image.memory_bytes();
            if let Some(old) = self.pages.insert(page, image) {
                self.memory_bytes -= old.memory_bytes();
            }
        }
        above.memory_bytes = 0;
    }

    /// The pages in page order: those of the final size, without the lock page, and with zeros for
    /// what was cut off and grew again.
    pub(crate) fn sorted(&self) -> Vec<(PageNumber, PageImage)> {
        let Some(sizes) = self.sizes else {
            return Vec::new();
        };
        let kept = |page: PageNumber| page.get() <= sizes.now && page != LOCK_PAGE;
        let mut pages: Vec<_> = self
            .pages
            .iter()
            .filter(|e| kept(*e.0))
            .map(|(page, i)| (*page, i.clone()))
            .collect();
        let regrown = (sizes.smallest + 1..=sizes.now).filter_map(PageNumber::new);
        let empty = regrown.filter(|page| kept(*page) && !self.pages.contains_key(page));
        pages.extend(empty.map(|page| (page, PageImage::zeros())));
        pages.sort_unstable_by_key(|entry| entry.0);
        pages
    }

    /// Forgets everything; keeps a little memory for the next transaction.
    pub(crate) fn clear(&mut self) {
        const KEEP: usize = 1024;
        self.pages.clear();
        if self.pages.capacity() > KEEP {
            self.pages.shrink_to(KEEP);
        }
        self.sizes = None;
        self.memory_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use pagestore::PAGE_SIZE;

    use super::*;

    fn page(number: u32) -> PageNumber {
        PageNumber::new(number).unwrap()
    }

    fn first_byte(layer: &Layer, number: u32) -> Option<u8> {
        let mut byte = [0];
        match layer.find(page(number)) {
            Found::Image(image) => image.read_at(0, &mut byte).unwrap(),
            Found::Zeros => {}
            Found::Below => return None,
        }
        Some(byte[0])
    }

    #[test]
    fn a_page_that_was_cut_and_grew_again_is_zeros() {
        let mut layer = Layer::default();
        layer.write(page(3), &[3; PAGE_SIZE], 5, None).unwrap();
        layer.resize(2, 5);
        layer.write(page(4), &[4; PAGE_SIZE], 5, None).unwrap();
        assert_eq!(first_byte(&layer, 2), None);
        assert_eq!(first_byte(&layer, 3), Some(0));
        assert_eq!(first_byte(&layer, 4), Some(4));
        let pages: Vec<_> = layer.sorted().iter().map(|e| e.0.get()).collect();
        assert_eq!(pages, [3, 4]);
        assert_eq!(layer.memory_bytes(), PAGE_SIZE);
    }

    #[test]
    fn a_merged_layer_hides_what_it_cut_below() {
        let mut below = Layer::default();
        below.write(page(8), &[8; PAGE_SIZE], 5, None).unwrap();
        below.write(page(2), &[2; PAGE_SIZE], 5, None).unwrap();
        let mut above = Layer::default();
        above.resize(4, 8);
        above.write(page(9), &[9; PAGE_SIZE], 8, None).unwrap();
        below.merge(&mut above);
        assert!(above.is_empty());
        assert_eq!(below.page_count(), Some(9));
        assert_eq!(
            [2, 8, 9].map(|p| first_byte(&below, p)),
            [Some(2), Some(0), Some(9)]
        );
        assert_eq!(first_byte(&below, 4), None);
        assert_eq!(below.memory_bytes(), 2 * PAGE_SIZE);
    }

    #[test]
    fn the_lock_page_is_never_handed_out() {
        let mut layer = Layer::default();
        layer
            .write(LOCK_PAGE, &[1; PAGE_SIZE], LOCK_PAGE.get() - 1, None)
            .unwrap();
        assert!(layer.sorted().is_empty());
    }
}
