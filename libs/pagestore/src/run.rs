//! Many pages at once: most of a database lies in its data file alone, and is read in long runs.

use crate::sums::sum_of;
use crate::{LOCK_PAGE, PAGE_SIZE, PageData, PageNumber, Snapshot, StoreError};

impl Snapshot {
    /// Reads the pages from `first` on, as many as `into` holds, each proved as [`Snapshot::read`] proves it. Those that
    /// are in the data file are read with one call.
    ///
    /// # Panics
    /// Where `into` does not hold whole pages.
    pub fn read_run(&self, first: PageNumber, into: &mut [u8]) -> Result<(), StoreError> {
        let (pages, rest) = into.as_chunks_mut::<PAGE_SIZE>();
        assert!(rest.is_empty(), "whole pages are read");
        let numbers = || (first.get()..=u32::MAX).filter_map(PageNumber::new);
        let Some(last) = numbers().nth(pages.len().saturating_sub(1)) else {
            return Err(self.beyond(first));
        };
        self.check_page(first)?;
        self.check_page(last)?;
        // As for a single page: only what has no version before and after the reading is the file's.
        let alone: Vec<bool> = numbers()
            .take(pages.len())
            .map(|page| page != LOCK_PAGE && !self.has_version(page))
            .collect();
        let file = self.store().file();
        let whole = alone.contains(&true)
            && file
                .read_exact_at(first.offset(), pages.as_flattened_mut())
                .is_ok();
        for ((page, data), alone) in numbers().zip(pages).zip(alone) {
            if !(alone && whole && self.is_proved(page, data)) {
                // A version, the page of locks; else the single read says what is wrong, if it is still.
                self.read(page, data)?;
            }
        }
        self.check()
    }

    /// Whether the bytes that the file gave are the page as this snapshot sees it.
    fn is_proved(&self, page: PageNumber, data: &PageData) -> bool {
        self.store().base().sums().get(page) == Some(sum_of(data)) && !self.has_version(page)
    }

    fn has_version(&self, page: PageNumber) -> bool {
        let chains = self.store().shards().read(page.get());
        let chain = chains.get(&page.get());
        chain.is_some_and(|chain| chain.image_at(self.commit().get()).is_some())
    }

    fn beyond(&self, page: PageNumber) -> StoreError {
        StoreError::BeyondEnd {
            path: self.store().path().to_owned(),
            page,
            page_count: self.page_count(),
            commit: self.commit(),
        }
    }
}
