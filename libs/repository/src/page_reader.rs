//! Reads pages out of packs.

use std::collections::BTreeMap;
use std::sync::Arc;

use fwlog::EnvironmentId;
use pagehash::{GROUP_PAGES, GroupNumber, GroupParts, PAGE_SIZE, PageIndex, PageSet, page_value};

use crate::backup_name::PackId;
use crate::error::ArchiveError;
use crate::name::ObjectName;
use crate::pack::{Frame, HEAD_SIZE, PackHead, PackIndex, PageFacts};
use crate::page_table::{FrameRef, StoredGroup};
use crate::store::Store;

/// Indexes that are kept: groups are read in order, and those of one pack follow one another.
const KEPT: usize = 32;

/// What is known of a page of a group, and the frame that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownPage {
    pub(crate) facts: PageFacts,
    pub(crate) frame: FrameRef,
}

/// Reads pages out of the packs of an environment.
#[derive(Debug)]
pub(crate) struct PageReader {
    store: Arc<dyn Store>,
    environment: EnvironmentId,
    indexes: BTreeMap<PackId, Arc<PackIndex>>,
    /// Their names, the oldest first.
    order: std::collections::VecDeque<PackId>,
    fetched: u64,
}

impl PageReader {
    pub(crate) fn new(store: Arc<dyn Store>, environment: EnvironmentId) -> Self {
        Self {
            store,
            environment,
            indexes: BTreeMap::new(),
            order: std::collections::VecDeque::new(),
            fetched: 0,
        }
    }

    fn index(&mut self, id: PackId) -> Result<Arc<PackIndex>, ArchiveError> {
        if let Some(known) = self.indexes.get(&id) {
            return Ok(Arc::clone(known));
        }
        let name = ObjectName::Pack(self.environment, id);
        let head = self.store.get_range(&name, 0, HEAD_SIZE)?;
        let damaged = |why: &str| ArchiveError::damaged(name, why);
        let head = PackHead::decode(self.environment, &head).map_err(damaged)?;
        let index = self.store.get_range(&name, HEAD_SIZE as u64, head.index)?;
        let index = Arc::new(PackIndex::decode(&head, &index).map_err(damaged)?);
        if self.order.len() == KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.indexes.remove(&oldest);
        }
        self.order.push_back(id);
        self.indexes.insert(id, Arc::clone(&index));
        Ok(index)
    }

    /// The frame at this place, which must be of this group.
    fn frame(
        index: &PackIndex,
        environment: EnvironmentId,
        (at, group): (FrameRef, GroupNumber),
    ) -> Result<&Frame, ArchiveError> {
        let frame = usize::try_from(at.frame).ok();
        let frame = frame.and_then(|place| index.frames.get(place));
        frame.filter(|frame| frame.group == group).ok_or_else(|| {
            ArchiveError::damaged(
                ObjectName::Pack(environment, at.pack),
                format!("its frame {} is not of group {group}", at.frame),
            )
        })
    }

    /// What is known of the pages of a group, without reading them: by their places in it.
    pub(crate) fn known(
        &mut self,
        number: GroupNumber,
        group: &StoredGroup,
    ) -> Result<BTreeMap<u32, KnownPage>, ArchiveError> {
        let mut known = BTreeMap::new();
        for at in &group.frames {
            let index = self.index(at.pack)?;
            let frame = Self::frame(&index, self.environment, (*at, number))?;
            for (place, facts) in frame.set.iter().zip(&frame.pages) {
                known.entry(place).or_insert(KnownPage {
                    facts: *facts,
                    frame: *at,
                });
            }
        }
        Ok(known)
    }

    /// The content of a group of so many pages, proved by its value. `here` is what somebody has in its place: pages that are
    /// right there are taken from it, and a frame that has no other one is not read.
    pub(crate) fn read(
        &mut self,
        number: GroupNumber,
        pages: u32,
        group: &StoredGroup,
        here: &[u8],
    ) -> Result<Vec<u8>, ArchiveError> {
        let mut content = vec![0; pages.min(GROUP_PAGES) as usize * PAGE_SIZE];
        let mut missing = PageSet::first(pages);
        for at in &group.frames {
            let index = self.index(at.pack)?;
            let frame = Self::frame(&index, self.environment, (*at, number))?;
            let needed = wanted(frame, missing, here, &mut content);
            if !needed.is_empty() {
                let name = ObjectName::Pack(self.environment, at.pack);
                let length = frame.place.end - frame.place.start;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let stored = self.store.get_range(&name, frame.place.start, length)?;
                self.fetched += stored.len() as u64;
                let raw = frame
                    .open(&stored)
                    .map_err(|why| ArchiveError::damaged(name, why))?;
                for (place, page) in frame.set.iter().zip(raw.chunks(PAGE_SIZE)) {
                    if needed.contains(place) {
                        put(&mut content, place, page);
                    }
                }
            }
            missing = missing
                .iter()
                .filter(|place| !frame.set.contains(*place))
                .collect();
        }
        let newest = group.frames.first().map(|at| at.pack);
        let damaged = |why: String| match newest {
            Some(pack) => ArchiveError::damaged(ObjectName::Pack(self.environment, pack), why),
            None => ArchiveError::NotThere(why),
        };
        if !missing.is_empty() {
            return Err(damaged(format!(
                "{} pages of group {number} are in none of its packs",
                missing.len()
            )));
        }
        if content.is_empty() || GroupParts::of(number, &content).value() != group.value {
            return Err(damaged(format!(
                "the pages of group {number} do not come to its value"
            )));
        }
        Ok(content)
    }

    /// Bytes of pages, as they are stored, that were read.
    pub(crate) fn fetched(&self) -> u64 {
        self.fetched
    }
}

/// Those of the missing pages that a frame has, and `here` has not; what that has goes into `content`.
fn wanted(frame: &Frame, missing: PageSet, here: &[u8], content: &mut [u8]) -> PageSet {
    let first = frame.group.first().page();
    let mut needed = PageSet::EMPTY;
    for (place, facts) in frame.set.iter().zip(&frame.pages) {
        if !missing.contains(place) {
            continue;
        }
        let at = place as usize * PAGE_SIZE;
        let known = here.get(at..at + PAGE_SIZE).filter(|page| {
            let index = PageIndex::of_page(first + place);
            index.is_some_and(|index| page_value(index, page) == facts.value)
        });
        match known {
            Some(page) => put(content, place, page),
            None => needed.insert(place),
        }
    }
    needed
}

fn put(content: &mut [u8], place: u32, page: &[u8]) {
    let at = place as usize * PAGE_SIZE;
    if let Some(to) = content.get_mut(at..at + PAGE_SIZE) {
        to.copy_from_slice(page);
    }
}
