//! Every page of the data file against its sum.

use std::fmt;

use disk::DiskFile;

use crate::base::BaseReadError;
use crate::mend::{RUN_PAGES, Tries};
use crate::sums::sum_of;
use crate::{LOCK_PAGE, PAGE_SIZE, PageData, PageNumber, PageSource, PageStore, Progress};

/// Damaged pages that are looked at together once more, while no checkpoint runs.
const MENDED_TOGETHER: usize = 16 << 10;

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Every page.
    Pages,
    /// Only whether the file is long enough.
    Length,
}

/// What is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Its content does not fit its sum.
    Sum,
    /// The data file ends before it.
    Beyond,
    /// The system can't read it.
    Unreadable(String),
    /// The page is right, its sum in the file is not: the next start would refuse the page.
    StoredSum,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum => out.write_str("does not fit its checksum"),
            Self::Beyond => out.write_str("is missing: the file is too short"),
            Self::Unreadable(why) => write!(out, "can't be read: {why}"),
            Self::StoredSum => out.write_str("has a damaged checksum in the sum file"),
        }
    }
}

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Pages read.
    pub pages: u64,
    /// Damaged pages, ascending.
    pub damaged: Vec<(PageNumber, Fault)>,
    /// Pages that were damaged, and were made again, ascending.
    pub mended: Vec<(PageNumber, Fault)>,
}

impl PageStore {
    /// Reads the pages of the data file that are in use, in runs, and compares each with its sum; the
    /// sums in their file are compared with those in memory. Pages that the next checkpoint writes
    /// anyway are left out: nobody reads them from the file before. A checkpoint waits for at most
    /// one run. What is damaged is made again, where the store has a source ([`PageStore::mend_from`]); also what
    /// could not be made again before.
    pub fn verify(&self, depth: Depth, progress: &dyn Fn(Progress)) -> VerifyReport {
        let mut report = self.look(depth, progress);
        if let Some(source) = self.source() {
            self.mend_found(source, Tries::Again, &mut report);
        }
        report
    }

    /// The same with another source.
    pub fn repair(&self, source: &dyn PageSource, progress: &dyn Fn(Progress)) -> VerifyReport {
        let mut report = self.look(Depth::Pages, progress);
        self.mend_found(source, Tries::Again, &mut report);
        report
    }

    /// Only some pages, from `first` on, for who passes over the file slowly: what was found, and the page to go on
    /// with. `None` behind the last page.
    pub fn verify_from(&self, first: PageNumber) -> Option<(VerifyReport, PageNumber)> {
        let mut report = VerifyReport::default();
        let mut buffer = Vec::new();
        let (next, _in_use) = self.look_at_run(first.get(), &mut buffer, &mut report)?;
        if let Some(source) = self.source() {
            self.mend_found(source, Tries::Once, &mut report);
        }
        Some((report, PageNumber::known(next)))
    }

    fn look(&self, depth: Depth, progress: &dyn Fn(Progress)) -> VerifyReport {
        let mut report = VerifyReport::default();
        let mut first = match depth {
            Depth::Pages => 1,
            // What the file has room for is not looked at.
            Depth::Length => {
                let length = self.file().length().unwrap_or(0);
                u32::try_from(length / PAGE_SIZE as u64).map_or(u32::MAX, |pages| pages + 1)
            }
        };
        let mut buffer = Vec::new();
        while let Some((next, in_use)) = self.look_at_run(first, &mut buffer, &mut report) {
            first = next;
            progress(Progress {
                done: u64::from(first - 1),
                total: u64::from(in_use),
            });
        }
        report
    }

    /// Gives the page behind the run, and the number of pages in use.
    fn look_at_run(
        &self,
        first: u32,
        buffer: &mut Vec<u8>,
        report: &mut VerifyReport,
    ) -> Option<(u32, u32)> {
        let _no_checkpoint = self.checkpoint_lock();
        let in_use = self.pages_in_use();
        if first > in_use {
            return None;
        }
        let count = RUN_PAGES.min(in_use - first + 1);
        buffer.resize(RUN_PAGES as usize * PAGE_SIZE, 0);
        self.verify_run(first, count, buffer, report);
        Some((first + count, in_use))
    }

    /// Makes again what was found to be damaged, and moves it to what was mended.
    fn mend_found(&self, source: &dyn PageSource, tries: Tries, report: &mut VerifyReport) {
        for found in std::mem::take(&mut report.damaged).chunks(MENDED_TOGETHER) {
            let _no_checkpoint = self.checkpoint_lock();
            // What was written by a checkpoint meanwhile, or will be, is not damaged any more.
            let in_use = self.pages_in_use();
            let found: Vec<_> = found
                .iter()
                .filter(|(page, _)| page.get() <= in_use && !self.is_replaced(*page))
                .cloned()
                .collect();
            let pages: Vec<_> = found.iter().map(|(page, _)| *page).collect();
            self.mend_pages(source, &pages, tries);
            for (page, fault) in found {
                match self.fault(page) {
                    None => report.mended.push((page, fault)),
                    Some(fault) => report.damaged.push((page, fault)),
                }
            }
        }
    }

    fn fault(&self, page: PageNumber) -> Option<Fault> {
        let stored = || !self.base().sums().is_stored(page);
        self.verify_page(page)
            .or_else(|| stored().then_some(Fault::StoredSum))
    }

    /// Pages of the data file that a new snapshot may read.
    fn pages_in_use(&self) -> u32 {
        let durable = self.horizon().durable().get();
        let active = self.active();
        let count = active.page_count_at(active.visible(durable));
        drop(active);
        count.min(self.base().sums().page_count())
    }

    fn verify_run(&self, first: u32, count: u32, buffer: &mut [u8], report: &mut VerifyReport) {
        let start = PageNumber::known(first);
        let buffer = &mut buffer[..count as usize * PAGE_SIZE];
        let whole = read_all(self.file(), start, buffer);
        let stored = self.base().sums().stored(start, count as usize);
        let stored = stored.unwrap_or_default();
        let pages = buffer.chunks_exact(PAGE_SIZE).map(Some);
        let pages = pages.map(|page| page.filter(|_| whole));
        for (number, page) in (first..).zip(pages) {
            let number = PageNumber::known(number);
            if number == LOCK_PAGE || self.is_replaced(number) {
                continue;
            }
            report.pages += 1;
            let sum = self.base().sums().get(number);
            let in_file = stored.get((number.get() - first) as usize).copied();
            let fault = match page {
                Some(page) if Some(sum_of(page)) == sum => None,
                // A neighbour may be what can't be read; and what was read is read again, so that a
                // fault on the way is not taken for one of the file.
                _ => self.verify_page(number),
            };
            let fault = fault.or((in_file != sum).then_some(Fault::StoredSum));
            report.damaged.extend(fault.map(|fault| (number, fault)));
        }
    }

    fn verify_page(&self, page: PageNumber) -> Option<Fault> {
        let mut data: PageData = [0; PAGE_SIZE];
        match self.base().read(page, &mut data) {
            Ok(()) => None,
            Err(BaseReadError::Sum) => Some(Fault::Sum),
            Err(BaseReadError::Beyond) => Some(Fault::Beyond),
            Err(BaseReadError::Io(error)) => Some(Fault::Unreadable(error.to_string())),
        }
    }

    /// Whether the next checkpoint writes the page anew.
    pub(crate) fn is_replaced(&self, page: PageNumber) -> bool {
        let chains = self.shards().read(page.get());
        chains.get(&page.get()).is_some_and(|chain| {
            let durable = self.horizon().durable().get();
            chain.unwritten_at(durable).is_some()
        })
    }
}

fn read_all(file: &dyn DiskFile, first: PageNumber, buffer: &mut [u8]) -> bool {
    file.read_exact_at(first.offset(), buffer).is_ok()
}
