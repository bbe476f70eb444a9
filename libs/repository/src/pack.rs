//! A pack: pages of some groups as they were read, each group's compressed by itself, behind an index that is read alone.
//!
//! ```text
//!  head │ index: per frame its group, its pages, and their values │ frame │ frame │ …
//! ```

use std::io;
use std::ops::Range;

use fwlog::EnvironmentId;
use pagehash::{GroupNumber, PAGE_SIZE, PageIndex, PageSet, PageValue, page_value};

use crate::backup_name::PackId;
use crate::fields::Fields;
use crate::pack_layout as at;

/// Bytes of the head of a pack.
pub(crate) const HEAD_SIZE: usize = at::SIZE;

/// A pack is stored when its frames have so many bytes.
pub const PACK_SIZE: usize = 8 << 20;

/// A pack ends behind a group whose number is the last one of so many, once its frames have so many bytes.
const PACK_GROUPS: u32 = 8;
const LEAST_PACK_SIZE: usize = 2 << 20;

/// Most frames of a pack. What an index of them takes is bounded by that: 19 KiB each.
pub const MAX_FRAMES: u32 = 4096;

/// Fast, and half the size for most pages.
const LEVEL: i32 = 1;

/// What is known of a page without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageFacts {
    /// Its chaining value at its place.
    pub(crate) value: PageValue,
    /// Its CRC-32C.
    pub(crate) crc: u32,
}

/// What is known of pages of a group, one after the other.
pub(crate) fn facts_of(group: GroupNumber, set: PageSet, raw: &[u8]) -> Vec<PageFacts> {
    let first = group.first().page();
    let pages = set.iter().zip(raw.chunks(PAGE_SIZE));
    pages
        .filter_map(|(place, page)| {
            Some(PageFacts {
                value: page_value(PageIndex::of_page(first + place)?, page),
                crc: crc32c::crc32c(page),
            })
        })
        .collect()
}

/// Pages of one group in a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The group.
    pub(crate) group: GroupNumber,
    /// Which of its pages.
    pub(crate) set: PageSet,
    /// Where they are in the pack.
    pub(crate) place: Range<u64>,
    /// BLAKE3 of what stands there.
    pub(crate) hash: [u8; 32],
    /// Of each page, in order.
    pub(crate) pages: Vec<PageFacts>,
}

impl Frame {
    /// The pages, one after the other, from what stands at its place.
    pub(crate) fn open(&self, stored: &[u8]) -> Result<Vec<u8>, String> {
        if blake3::hash(stored).as_bytes() != &self.hash {
            return Err(format!("the hash of group {} does not match", self.group));
        }
        let length = self.pages.len() * PAGE_SIZE;
        let raw = zstd::bulk::decompress(stored, length)
            .map_err(|error| format!("group {} can't be unpacked: {error}", self.group))?;
        if raw.len() == length {
            Ok(raw)
        } else {
            Err(format!("group {} has not all its pages", self.group))
        }
    }
}

/// What a pack has, without the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackIndex {
    pub(crate) frames: Vec<Frame>,
}

/// What a reader must know to read an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackHead {
    frames: u32,
    /// Bytes of the index, which follows.
    pub(crate) index: usize,
    hash: [u8; 32],
}

impl PackHead {
    /// Reads the head of a pack of this environment.
    pub(crate) fn decode(environment: EnvironmentId, bytes: &[u8]) -> Result<Self, &'static str> {
        let mut fields = Fields(bytes);
        if fields.array()? != at::MAGIC_BYTES {
            return Err("it is no pack");
        }
        if fields.u32()? != at::FORMAT_VERSION {
            return Err("its format is not known here; use the newer program");
        }
        let frames = fields.u32()?;
        let of = EnvironmentId::from_bytes(fields.array()?);
        let (index, hash) = (fields.u64()?, fields.array()?);
        fields.take(at::CRC_AT - at::RESERVED_AT)?;
        let covered = bytes.get(..at::CRC_AT).unwrap_or_default();
        if fields.u32()? != crc32c::crc32c(covered) {
            return Err("the checksum of its head does not match");
        }
        if of != environment {
            return Err("it is of another environment");
        }
        let all = u64::from(frames) * at::FRAME_SIZE as u64;
        let most = all + u64::from(frames) * MOST_PAGES;
        if frames > MAX_FRAMES || !(all..=most).contains(&index) {
            return Err("its head has an impossible length");
        }
        Ok(Self {
            frames,
            index: usize::try_from(index).unwrap_or(usize::MAX),
            hash,
        })
    }
}

const MOST_PAGES: u64 = (pagehash::GROUP_PAGES as usize * at::PAGE_ENTRY_SIZE) as u64;

impl PackIndex {
    /// Reads the index that follows this head.
    pub(crate) fn decode(head: &PackHead, bytes: &[u8]) -> Result<Self, &'static str> {
        if blake3::hash(bytes).as_bytes() != &head.hash {
            return Err("the hash of its index does not match");
        }
        let mut fields = Fields(bytes);
        let mut frames = Vec::new();
        let mut end = (at::SIZE + head.index) as u64;
        for _ in 0..head.frames {
            let group = GroupNumber::new(fields.u32()?).ok_or("it has an impossible group")?;
            let set = PageSet::from_bytes(fields.array()?);
            let (offset, length) = (fields.u64()?, fields.u32()?);
            let hash = fields.array()?;
            if offset != end || set.is_empty() {
                return Err("its frames do not follow one another");
            }
            end = offset.saturating_add(u64::from(length));
            let mut pages = Vec::with_capacity(set.len() as usize);
            for _ in 0..set.len() {
                pages.push(PageFacts {
                    value: PageValue::from_bytes(fields.array()?),
                    crc: fields.u32()?,
                });
            }
            let place = offset..end;
            frames.push(Frame {
                group,
                set,
                place,
                hash,
                pages,
            });
        }
        fields.end()?;
        Ok(Self { frames })
    }

    /// Of a whole pack that has this name: every frame is unpacked, too.
    pub(crate) fn prove(
        environment: EnvironmentId,
        id: PackId,
        bytes: &[u8],
    ) -> Result<Self, String> {
        if PackId::of(bytes) != id {
            return Err("its hash is not its name".to_owned());
        }
        let head = PackHead::decode(environment, bytes)?;
        let index = bytes.get(at::SIZE..at::SIZE + head.index);
        let index = Self::decode(&head, index.ok_or(crate::fields::CUT_SHORT)?)?;
        for frame in &index.frames {
            let place = usize::try_from(frame.place.start).unwrap_or(usize::MAX)
                ..usize::try_from(frame.place.end).unwrap_or(usize::MAX);
            let raw = frame.open(bytes.get(place).ok_or(crate::fields::CUT_SHORT)?)?;
            if facts_of(frame.group, frame.set, &raw) != frame.pages {
                return Err(format!(
                    "its index is not that of the pages of group {}",
                    frame.group
                ));
            }
        }
        Ok(index)
    }
}

/// How many frames a pack of this environment has, whose name is the hash of its bytes.
///
/// Errors: why it is none.
pub fn prove_pack(environment: EnvironmentId, bytes: &[u8]) -> Result<usize, String> {
    let proved = PackIndex::prove(environment, PackId::of(bytes), bytes);
    proved.map(|index| index.frames.len())
}

/// Puts a pack together.
#[derive(Debug, Default)]
pub(crate) struct PackBuilder {
    frames: u32,
    /// Entries, with offsets from the first frame on.
    entries: Vec<Frame>,
    body: Vec<u8>,
}

impl PackBuilder {
    /// Adds pages of a group; gives the number of the frame.
    pub(crate) fn add(
        &mut self,
        group: GroupNumber,
        set: PageSet,
        facts: Vec<PageFacts>,
        raw: &[u8],
    ) -> io::Result<u32> {
        assert_eq!(raw.len(), set.len() as usize * PAGE_SIZE, "pages are whole");
        assert_eq!(facts.len(), set.len() as usize, "each page is known");
        let stored = zstd::bulk::compress(raw, LEVEL)?;
        let start = self.body.len() as u64;
        let hash = blake3::hash(&stored).into();
        self.body.extend_from_slice(&stored);
        let place = start..self.body.len() as u64;
        self.entries.push(Frame {
            group,
            set,
            place,
            hash,
            pages: facts,
        });
        let frame = self.frames;
        self.frames += 1;
        Ok(frame)
    }

    /// Whether it is to be stored before more is added. The groups themselves say where most packs end, so that one page that
    /// has changed makes one pack another one, and not all that follow: what a backup that was broken off has stored is found by the next.
    pub(crate) fn is_full(&self) -> bool {
        let ends_here = |frame: &Frame| (frame.group.get() + 1).is_multiple_of(PACK_GROUPS);
        self.body.len() >= PACK_SIZE
            || self.frames == MAX_FRAMES
            || (self.body.len() >= LEAST_PACK_SIZE && self.entries.last().is_some_and(ends_here))
    }

    /// Whether there is nothing to be stored.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    /// The pack, and its name. The builder is empty after it.
    pub(crate) fn finish(&mut self, environment: EnvironmentId) -> (PackId, Vec<u8>) {
        let Self {
            frames,
            entries,
            body,
        } = std::mem::take(self);
        let pages: usize = entries.iter().map(|entry| entry.pages.len()).sum();
        let length = entries.len() * at::FRAME_SIZE + pages * at::PAGE_ENTRY_SIZE;
        let first = (at::SIZE + length) as u64;
        let mut index = Vec::with_capacity(length);
        for entry in entries {
            let place = entry.place;
            let bytes = u32::try_from(place.end - place.start).unwrap_or(u32::MAX);
            index.extend_from_slice(&entry.group.get().to_le_bytes());
            index.extend_from_slice(entry.set.as_bytes());
            index.extend_from_slice(&(first + place.start).to_le_bytes());
            index.extend_from_slice(&bytes.to_le_bytes());
            index.extend_from_slice(&entry.hash);
            for page in entry.pages {
                index.extend_from_slice(page.value.as_bytes());
                index.extend_from_slice(&page.crc.to_le_bytes());
            }
        }
        let mut pack = Vec::with_capacity(at::SIZE + index.len() + body.len());
        pack.extend_from_slice(&at::MAGIC_BYTES);
        pack.extend_from_slice(&at::FORMAT_VERSION.to_le_bytes());
        pack.extend_from_slice(&frames.to_le_bytes());
        pack.extend_from_slice(&environment.to_bytes());
        pack.extend_from_slice(&(index.len() as u64).to_le_bytes());
        pack.extend_from_slice(blake3::hash(&index).as_bytes());
        pack.resize(at::CRC_AT, 0);
        pack.extend_from_slice(&crc32c::crc32c(&pack).to_le_bytes());
        pack.extend_from_slice(&index);
        pack.extend_from_slice(&body);
        (PackId::of(&pack), pack)
    }
}
