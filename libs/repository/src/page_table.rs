//! Where each group of the pages of a backup is.

use std::collections::{BTreeMap, BTreeSet};

use pagehash::{GroupNumber, GroupValue};

use crate::backup_name::PackId;
use crate::fields::Fields;
use crate::pack_layout as at;

/// Frames that a group may be spread over; one more, and it is stored anew.
pub const MAX_GROUP_FRAMES: usize = 8;

/// Some pages of a group in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameRef {
    /// The pack.
    pub pack: PackId,
    /// Its place in the index of that.
    pub frame: u32,
}

/// Where a group of pages is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGroup {
    /// What it comes to.
    pub value: GroupValue,
    /// The newest first: a page is that of the first frame that has it.
    pub frames: Vec<FrameRef>,
}

/// Where the pages of a database are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDatabase {
    /// How many there are.
    pub pages: u32,
    /// Its groups, in order.
    pub groups: Vec<StoredGroup>,
}

/// Where the pages of all databases of a backup are, by the numbers of the databases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageTable {
    /// The databases.
    pub databases: BTreeMap<u32, StoredDatabase>,
}

impl PageTable {
    /// The packs that it names.
    pub fn packs(&self) -> BTreeSet<PackId> {
        self.groups()
            .flat_map(|group| group.frames.iter().map(|frame| frame.pack))
            .collect()
    }

    fn groups(&self) -> impl Iterator<Item = &StoredGroup> {
        self.databases
            .values()
            .flat_map(|database| &database.groups)
    }

    /// The object.
    pub fn encode(&self) -> Vec<u8> {
        let packs: Vec<PackId> = self.packs().into_iter().collect();
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&at::TABLE_MAGIC_BYTES);
        bytes.extend_from_slice(&at::FORMAT_VERSION.to_le_bytes());
        put_count(&mut bytes, packs.len());
        for pack in &packs {
            bytes.extend_from_slice(pack.as_bytes());
        }
        put_count(&mut bytes, self.databases.len());
        for (number, database) in &self.databases {
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&database.pages.to_le_bytes());
            for group in &database.groups {
                bytes.extend_from_slice(group.value.as_bytes());
                bytes.push(u8::try_from(group.frames.len()).unwrap_or(u8::MAX));
                for frame in &group.frames {
                    let place = packs.binary_search(&frame.pack).unwrap_or(usize::MAX);
                    put_count(&mut bytes, place);
                    bytes.extend_from_slice(&frame.frame.to_le_bytes());
                }
            }
        }
        bytes
    }

    /// Reads the object. Takes no more memory than a few times its bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut fields = Fields(bytes);
        if fields.array()? != at::TABLE_MAGIC_BYTES {
            return Err("it is no list of groups");
        }
        if fields.u32()? != at::FORMAT_VERSION {
            return Err("its format is not known here; use the newer program");
        }
        let mut packs = Vec::new();
        for _ in 0..fields.u32()? {
            packs.push(PackId::from_bytes(fields.array()?));
        }
        let mut table = Self::default();
        for _ in 0..fields.u32()? {
            let (number, pages) = (fields.u32()?, fields.u32()?);
            let mut groups = Vec::new();
            for _ in 0..GroupNumber::count(pages) {
                groups.push(group(&mut fields, &packs)?);
            }
            let database = StoredDatabase { pages, groups };
            if table.databases.insert(number, database).is_some() {
                return Err("it has a database twice");
            }
        }
        fields.end()?;
        Ok(table)
    }
}

fn group(fields: &mut Fields<'_>, packs: &[PackId]) -> Result<StoredGroup, &'static str> {
    let value = GroupValue::from_bytes(fields.array()?);
    let mut frames = Vec::new();
    for _ in 0..fields.u8()? {
        let place = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
        frames.push(FrameRef {
            pack: *packs.get(place).ok_or("it names a pack that it has not")?,
            frame: fields.u32()?,
        });
    }
    if frames.is_empty() || frames.len() > MAX_GROUP_FRAMES {
        return Err("it has a group in an impossible number of frames");
    }
    Ok(StoredGroup { value, frames })
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&count.to_le_bytes());
}
