//! The pages of one database that come in, over those that are here.

use std::io;
use std::path::{Path, PathBuf};

use dbproto::base::{PageSet, Pages};
use disk::{Access, Disk, DiskFile};
use pagehash::{
    GROUP_PAGES, GroupHasher, GroupNumber, GroupValue, PAGE_SIZE, PageHash, PageIndex, Root,
    TreeHasher, page_hash,
};
use pagestore::{CommitNumber, sum_of, write_sum_file};

use super::altered;
use crate::error::EngineError;

/// A data file that is here, and its pages.
type Base = (Box<dyn DiskFile>, u32);

/// A database on its way.
pub(super) struct Arriving {
    disk: Disk,
    number: u32,
    /// Pages in the cut.
    pages: u32,
    /// Its data file, where it has one here, and the pages of that.
    base: Option<Base>,
    /// Without the ending.
    path: PathBuf,
    staged: Box<dyn DiskFile>,
    /// Pages that were here at the beginning, in the data file or staged.
    here: u32,
    /// Which pages are staged, from page 1 on.
    is_staged: Vec<bool>,
}

impl Arriving {
    /// What is here of database `number`: in its data file `base`, and in `directory`.
    pub(super) fn open(
        disk: &Disk,
        directory: &Path,
        (number, pages): (u32, u32),
        base: Option<&Path>,
    ) -> Result<Self, EngineError> {
        let path = directory.join(number.to_string());
        let base = base.and_then(|path| open_base(disk, path).transpose());
        let base = base.transpose()?;
        let staged = path.with_extension("new");
        let failed = |what, error| EngineError::file(what, &staged, &error);
        let file = disk
            .open(&staged, Access::Create(0o600))
            .map_err(|error| failed("make", error))?;
        let length = file.length().map_err(|error| failed("look at", error))?;
        let staged_pages = pages_of(length);
        let here = base.as_ref().map_or(0, |(_, pages)| *pages);
        let mut arriving = Self {
            disk: disk.clone(),
            number,
            pages,
            here: here.max(staged_pages),
            base,
            path,
            staged: file,
            is_staged: vec![false; pages as usize],
        };
        arriving.find_staged(staged_pages)?;
        Ok(arriving)
    }

    /// What an earlier conversation has staged: pages with content. One of zeros is taken for a hole, compared as the
    /// data file has it, and fetched again. They are written once more: after a sync that has failed the system may show
    /// what the disk never gets, and a later sync would say nothing.
    fn find_staged(&mut self, staged_pages: u32) -> Result<(), EngineError> {
        for group in GroupNumber::all(staged_pages.min(self.pages)) {
            let pages = group.pages(self.pages);
            let first = *pages.start();
            let content = self.read_staged(group)?;
            for (page, bytes) in pages.zip(content.chunks(PAGE_SIZE)) {
                self.is_staged[page as usize - 1] = bytes.iter().any(|byte| *byte != 0);
            }
            self.write_again(first, &content)?;
        }
        Ok(())
    }

    /// Writes the pages among these that are staged; the others stay holes.
    fn write_again(&self, first: u32, content: &[u8]) -> Result<(), EngineError> {
        let pages: Vec<_> = (first..).zip(content.chunks(PAGE_SIZE)).collect();
        let is_staged = |page: u32| self.is_staged[page as usize - 1];
        for run in pages.chunk_by(|one, next| is_staged(one.0) == is_staged(next.0)) {
            let Some((start, _)) = run.first().filter(|(page, _)| is_staged(*page)) else {
                continue;
            };
            let begin = (start - first) as usize * PAGE_SIZE;
            let bytes = &content[begin..begin + run.len() * PAGE_SIZE];
            let written = self.staged.write_at(offset(*start), bytes);
            written.map_err(|error| self.failed("write", &error))?;
        }
        Ok(())
    }

    /// Pages that there were at the beginning.
    pub(super) fn here(&self) -> u32 {
        self.here
    }

    fn failed(&self, what: &'static str, error: &io::Error) -> EngineError {
        EngineError::file(what, self.path.with_extension("new"), error)
    }

    fn read_staged(&self, group: GroupNumber) -> Result<Vec<u8>, EngineError> {
        let pages = group.pages(self.pages);
        let mut content = vec![0; pages.clone().count() * PAGE_SIZE];
        let at = offset(*pages.start());
        // Behind its end are pages that have not come.
        let read = self.staged.read_at(at, &mut content);
        read.map_err(|error| self.failed("read", &error))?;
        Ok(content)
    }

    /// A group as it is here, in the size that it has in the cut: zeros where there is nothing.
    fn read(&self, group: GroupNumber) -> Result<Vec<u8>, EngineError> {
        let pages = group.pages(self.pages);
        let mut content = self.read_staged(group)?;
        let Some((base, known)) = &self.base else {
            return Ok(content);
        };
        let missing = |page: u32| !self.is_staged[page as usize - 1] && page <= *known;
        if !pages.clone().any(missing) {
            return Ok(content);
        }
        let mut old = vec![0; content.len()];
        base.read_at(offset(*pages.start()), &mut old)
            .map_err(|error| EngineError::file("read", "the data file", &error))?;
        let places = content.chunks_mut(PAGE_SIZE).zip(old.chunks(PAGE_SIZE));
        for (page, (new, old)) in pages.zip(places) {
            if missing(page) {
                new.copy_from_slice(old);
            }
        }
        Ok(content)
    }

    /// The value of a group over the pages that are here, in the size that it has in the cut.
    pub(super) fn value(&self, group: GroupNumber) -> Result<GroupValue, EngineError> {
        Ok(value_of(group, &self.read(group)?))
    }

    /// The pages that have another hash.
    pub(super) fn differ(
        &self,
        group: GroupNumber,
        hashes: &[PageHash],
    ) -> Result<PageSet, EngineError> {
        let content = self.read(group)?;
        let pages = content.chunks(PAGE_SIZE).zip(group.pages(self.pages));
        let own = pages.map(|(bytes, page)| {
            let index = PageIndex::of_page(page)?;
            Some(page_hash(index, bytes.try_into().ok()?))
        });
        let places = (0..GROUP_PAGES).zip(own.zip(hashes));
        let differ = places.filter(|(_, (own, theirs))| own.as_ref() != Some(*theirs));
        Ok(differ.map(|(place, _)| place).collect())
    }

    /// Keeps pages, and checks that their group is with them what it must be.
    pub(super) fn keep(&mut self, pages: &Pages) -> Result<(), EngineError> {
        let raw = pages.open().map_err(|error| altered(error.to_string()))?;
        let first = pages.group.first().page();
        let places: Vec<u32> = pages.pages.iter().collect();
        let mut rest: &[u8] = &raw;
        for run in places.chunk_by(|one, next| one + 1 == *next) {
            let Some(start) = run.first() else { continue };
            let (bytes, later) = rest.split_at(run.len() * PAGE_SIZE);
            rest = later;
            let written = self.staged.write_at(offset(first + start), bytes);
            written.map_err(|error| self.failed("write", &error))?;
        }
        for place in &places {
            self.is_staged[(first + place) as usize - 1] = true;
        }
        let whole = places.len() == pages.group.pages(self.pages).count();
        let value = if whole {
            value_of(pages.group, &raw)
        } else {
            self.value(pages.group)?
        };
        if value != pages.value {
            return Err(altered(format!(
                "group {} of database {} is not what was sent",
                pages.group, self.number
            )));
        }
        Ok(())
    }

    /// Reads all back from the disk, and makes what the switch needs. The root must be this.
    pub(super) fn prove(&self, root: Root, commit: CommitNumber) -> Result<(), EngineError> {
        if self.base.is_none() {
            // It becomes the data file as it is: pages of zeros at its end, too.
            let length = u64::from(self.pages) * PAGE_SIZE as u64;
            let cut = self.staged.set_length(length);
            cut.map_err(|error| self.failed("cut", &error))?;
        }
        let synced = self.staged.sync();
        synced.map_err(|error| self.failed("sync", &error))?;
        let mut tree = TreeHasher::new();
        // The lock page has no sum: nobody reads it.
        let mut sums = vec![0; self.pages as usize];
        for group in GroupNumber::all(self.pages) {
            let content = self.read(group)?;
            tree.update(&content);
            for (page, bytes) in group.pages(self.pages).zip(content.chunks(PAGE_SIZE)) {
                sums[page as usize - 1] = sum_of(bytes);
            }
        }
        let here = tree.finish().root;
        if here != root {
            return Err(altered(format!(
                "the copy of database {} is not the original: checksum {here}, not {root}",
                self.number
            )));
        }
        self.write_pages()?;
        let sum = self.path.with_extension("sum");
        write_sum_file(&self.disk, &sum, self.number, commit, &sums)?;
        Ok(())
    }

    /// Which pages are to go to the data file; without one the staged file becomes it.
    fn write_pages(&self) -> Result<(), EngineError> {
        if self.base.is_none() {
            return Ok(());
        }
        let bits: Vec<u8> = self
            .is_staged
            .chunks(8)
            .map(|eight| {
                let bits = eight.iter().zip(0..);
                bits.fold(0, |byte, (set, bit)| byte | (u8::from(*set) << bit))
            })
            .collect();
        let path = self.path.with_extension("pages");
        let written = self.disk.write_atomic(&path, &bits, 0o600);
        written.map_err(|error| EngineError::file("write", path, &error))
    }
}

/// A data file and its pages; `None` where there is none.
fn open_base(disk: &Disk, path: &Path) -> Result<Option<Base>, EngineError> {
    match disk.open(path, Access::Read) {
        Ok(file) => {
            let length = file.length();
            let length = length.map_err(|error| EngineError::file("look at", path, &error))?;
            Ok(Some((file, pages_of(length))))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::file("open", path, &error)),
    }
}

fn pages_of(length: u64) -> u32 {
    u32::try_from(length / PAGE_SIZE as u64).unwrap_or(u32::MAX)
}

/// Where a page stands in its file.
pub(super) fn offset(page: u32) -> u64 {
    u64::from(page - 1) * PAGE_SIZE as u64
}

fn value_of(group: GroupNumber, content: &[u8]) -> GroupValue {
    let mut hasher = GroupHasher::new(group);
    hasher.update(content);
    hasher.finish()
}
