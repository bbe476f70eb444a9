//! The pages of one database that come in, over those that are here.

use std::collections::BTreeMap;
use std::io;
use std::mem;
use std::ops::Range;
use std::path::{Path, PathBuf};

use dbproto::base::{Kept, PageSet, PageSum, Pages};
use disk::{Access, Disk, DiskFile};
use pagehash::{
    GROUP_PAGES, GroupNumber, GroupParts, GroupValue, GrowingTree, PAGE_SIZE, PART_PAGES,
};
use pagestore::sum_of;

use super::altered;
use crate::error::EngineError;

/// A data file that is here, and its pages.
pub(super) type Base = (Box<dyn DiskFile>, u32);

/// Room for the content of a group, used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Room(Vec<u8>);

impl Room {
    /// So many pages of it.
    pub(super) fn pages(&mut self, count: usize) -> &mut [u8] {
        if self.0.is_empty() {
            self.0 = vec![0; GROUP_PAGES as usize * PAGE_SIZE];
        }
        self.0.get_mut(..count * PAGE_SIZE).unwrap_or_default()
    }
}

/// What is known of a group.
#[derive(Debug, Default)]
pub(super) struct KnownGroup {
    /// Which of its pages are staged.
    pub(super) staged: PageSet,
    /// What it has here with those, once it was read or proved.
    content: Option<Content>,
}

impl KnownGroup {
    /// The sum of each page, in order; none where it was not read.
    pub(super) fn sums(&self) -> &[u32] {
        self.content.as_ref().map_or(&[], |content| &content.sums)
    }
}

/// What is known of the bytes of a group: 3 KiB at most.
#[derive(Clone, Debug)]
struct Content {
    /// The sum of each page, in order.
    sums: Vec<u32>,
    parts: GroupParts,
}

impl Content {
    fn of(group: GroupNumber, bytes: &[u8]) -> Self {
        Self {
            sums: bytes.chunks(PAGE_SIZE).map(sum_of).collect(),
            parts: GroupParts::of(group, bytes),
        }
    }
}

/// A database on its way.
///
/// What was read once is remembered: for each group that was looked at its value, those of its parts, and the sum of each
/// page. So a group that is as in the cut is read once, of one of which some pages come only the parts that they are in are read
/// again, and what is proved by its value needs no second look before the switch: its pages are those of the data file, which
/// does not change, or staged, and then they are compared with their sums (`proof`).
pub(super) struct Arriving {
    pub(super) disk: Disk,
    pub(super) number: u32,
    /// Pages in the cut.
    pub(super) pages: u32,
    /// Its data file, where it has one here, and the pages of that.
    pub(super) base: Option<Base>,
    /// Without the ending.
    pub(super) path: PathBuf,
    pub(super) staged: Box<dyn DiskFile>,
    /// Pages that were here at the beginning, in the data file or staged.
    here: u32,
    pub(super) groups: BTreeMap<GroupNumber, KnownGroup>,
    pub(super) tree: GrowingTree,
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
            .open(&staged, Access::CreateBulk(0o600))
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
            groups: BTreeMap::new(),
            tree: GrowingTree::new(pages),
        };
        arriving.find_staged(staged_pages)?;
        Ok(arriving)
    }

    /// What an earlier conversation has staged: pages with content. One of zeros is taken for a hole, compared as the
    /// data file has it, and fetched again. They are written once more: after a sync that has failed the system may show
    /// what the disk never gets, and a later sync would say nothing.
    fn find_staged(&mut self, staged_pages: u32) -> Result<(), EngineError> {
        let mut room = Room::default();
        for group in GroupNumber::all(staged_pages.min(self.pages)) {
            let content = room.pages(self.pages_in(group) as usize);
            // Behind its end are pages that have not come.
            content.fill(0);
            let read = self.staged.read_at(start(group), content);
            read.map_err(|error| self.failed("read", &error))?;
            let has_content = |(_, page): &(u32, &[u8])| page.iter().any(|byte| *byte != 0);
            let places = (0..).zip(content.chunks(PAGE_SIZE)).filter(has_content);
            let staged: PageSet = places.map(|(place, _)| place).collect();
            for (at, bytes) in runs(staged, content) {
                self.write_staged(group, at, bytes)?;
            }
            if !staged.is_empty() {
                self.groups.entry(group).or_default().staged = staged;
            }
        }
        Ok(())
    }

    fn write_staged(&self, group: GroupNumber, at: usize, bytes: &[u8]) -> Result<(), EngineError> {
        let written = self.staged.write_at(start(group) + at as u64, bytes);
        written.map_err(|error| self.failed("write", &error))
    }

    /// Pages that there were at the beginning.
    pub(super) fn here(&self) -> u32 {
        self.here
    }

    pub(super) fn failed(&self, what: &'static str, error: &io::Error) -> EngineError {
        EngineError::file(what, self.path.with_extension("new"), error)
    }

    /// How many pages a group has in the cut.
    fn pages_in(&self, group: GroupNumber) -> u32 {
        let pages = group.pages(self.pages);
        pages.end().saturating_add(1).saturating_sub(*pages.start())
    }

    fn staged_of(&self, group: GroupNumber) -> PageSet {
        let known = self.groups.get(&group);
        known.map_or(PageSet::EMPTY, |known| known.staged)
    }

    /// Pages of a group, by their places in it, as they are here: zeros where there is nothing.
    fn read<'r>(
        &self,
        group: GroupNumber,
        places: Range<u32>,
        room: &'r mut Room,
    ) -> Result<&'r mut [u8], EngineError> {
        let content = room.pages(places.len());
        let at = start(group) + u64::from(places.start) * PAGE_SIZE as u64;
        let staged = self.staged_of(group);
        let staged = staged.iter().filter(|place| places.contains(place));
        let staged: PageSet = staged.map(|place| place - places.start).collect();
        let mut here = 0;
        if let Some((base, known)) = &self.base
            && (staged.len() as usize) < places.len()
        {
            let has = group.pages(self.pages.min(*known)).count();
            let has = has.saturating_sub(places.start as usize).min(places.len());
            let content = content.get_mut(..has * PAGE_SIZE).unwrap_or_default();
            let read = base.read_at(at, content);
            here = read.map_err(|error| EngineError::file("read", "the data file", &error))?;
        }
        content.get_mut(here..).unwrap_or_default().fill(0);
        for (inside, bytes) in runs_mut(staged, content) {
            let read = self.staged.read_exact_at(at + inside as u64, bytes);
            read.map_err(|error| self.failed("read", &error))?;
        }
        Ok(content)
    }

    /// Reads a group as it is here, and remembers what that tells. The value is of the size that the group has in the cut.
    pub(super) fn look_at(
        &mut self,
        group: GroupNumber,
        room: &mut Room,
    ) -> Result<GroupValue, EngineError> {
        let all = 0..self.pages_in(group);
        let content = Content::of(group, self.read(group, all, room)?);
        let value = self.tree.learn(&content.parts);
        self.groups.entry(group).or_default().content = Some(content);
        Ok(value)
    }

    /// The pages that have another sum, in a group that was looked at.
    pub(super) fn differ(
        &self,
        group: GroupNumber,
        sums: &[PageSum],
    ) -> Result<PageSet, EngineError> {
        let known = self.looked_at(group)?;
        let known = Some(known).filter(|known| known.sums.len() == sums.len());
        let known = known.ok_or_else(|| self.not_compared(group))?;
        let places = (0..).zip(known.sums.iter().zip(sums));
        let differ = places.filter(|(_, (own, theirs))| PageSum::of_crc(**own) != **theirs);
        Ok(differ.map(|(place, _)| place).collect())
    }

    fn looked_at(&self, group: GroupNumber) -> Result<&Content, EngineError> {
        let known = self.groups.get(&group);
        let content = known.and_then(|known| known.content.as_ref());
        content.ok_or_else(|| self.not_compared(group))
    }

    fn not_compared(&self, group: GroupNumber) -> EngineError {
        altered(format!(
            "group {group} of database {} was not compared",
            self.number
        ))
    }

    /// Keeps pages if their group has its value with them.
    pub(super) fn keep(&mut self, pages: &Pages, room: &mut Room) -> Result<Kept, EngineError> {
        let (group, set) = (pages.group, pages.pages);
        let raw = pages.open().map_err(|error| altered(error.to_string()))?;
        let content = if set.len() == self.pages_in(group) {
            Content::of(group, &raw)
        } else {
            self.with(group, set, &raw, room)?
        };
        if content.parts.value() != pages.value {
            return Ok(Kept::Differs);
        }
        let mut rest: &[u8] = &raw;
        for (at, length) in spans(set) {
            let (bytes, later) = rest.split_at(length);
            self.write_staged(group, at, bytes)?;
            rest = later;
        }
        self.tree.learn(&content.parts);
        let known = self.groups.entry(group).or_default();
        set.iter().for_each(|place| known.staged.insert(place));
        known.content = Some(content);
        Ok(Kept::Proved)
    }

    /// A group that was looked at, with these pages over what is here. Parts that none of them is in are as they were.
    fn with(
        &self,
        group: GroupNumber,
        set: PageSet,
        raw: &[u8],
        room: &mut Room,
    ) -> Result<Content, EngineError> {
        let mut known = self.looked_at(group)?.clone();
        let end = self.pages_in(group);
        let places: Vec<u32> = set.iter().collect();
        let mut raw = raw.chunks(PAGE_SIZE);
        for run in places.chunk_by(|one, next| one / PART_PAGES == next / PART_PAGES) {
            let part = run.first().map_or(0, |place| place / PART_PAGES);
            let first = part * PART_PAGES;
            let content = self.read(group, first..end.min(first + PART_PAGES), room)?;
            for (place, page) in run.iter().zip(&mut raw) {
                let at = (place - first) as usize * PAGE_SIZE;
                let here = content.get_mut(at..at + PAGE_SIZE);
                here.unwrap_or_default().copy_from_slice(page);
                if let Some(sum) = known.sums.get_mut(*place as usize) {
                    *sum = sum_of(page);
                }
            }
            known.parts.replace(part, content);
        }
        Ok(known)
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

/// Where a group stands in its file.
pub(super) fn start(group: GroupNumber) -> u64 {
    offset(group.first().page())
}

/// Pages of a group that follow one another: where they begin in it, in bytes, and how many bytes they are.
pub(super) fn spans(set: PageSet) -> Vec<(usize, usize)> {
    let places: Vec<u32> = set.iter().collect();
    let runs = places.chunk_by(|one, next| one + 1 == *next);
    runs.filter_map(|run| Some((*run.first()? as usize * PAGE_SIZE, run.len() * PAGE_SIZE)))
        .collect()
}

/// The same with the bytes.
fn runs(set: PageSet, content: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let spans = spans(set).into_iter();
    spans.filter_map(|(at, length)| Some((at, content.get(at..at + length)?)))
}

fn runs_mut(set: PageSet, content: &mut [u8]) -> impl Iterator<Item = (usize, &mut [u8])> {
    let (mut rest, mut passed) = (content, 0);
    spans(set).into_iter().filter_map(move |(at, length)| {
        let (_, later) = mem::take(&mut rest).split_at_mut_checked(at - passed)?;
        let (run, later) = later.split_at_mut_checked(length)?;
        (rest, passed) = (later, at + length);
        Some((at, run))
    })
}
