//! Stores a backup as its pages come: only those that the one before it has not.
//!
//! ```text
//!  values of the backup before ─► the giver compares ─► sums ─► pages that differ ─► a frame ─► a pack ─► … ─► list of groups ─► manifest
//! ```
//! A group is kept as frames in packs. What is known of each page without reading it, its chaining value, is in the index
//! of a pack; so the value of a group of which some pages are new is made, and held against what the giver says, without one old
//! page being read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fwlog::{Position, Timestamp};
use pagehash::{
    GroupNumber, GroupValue, PAGE_SIZE, PageSet, Root, TreeHasher, group_of_pages, root_of,
    root_of_pages,
};

use crate::backup_log::BackupLog;
use crate::backup_name::{BackupId, BackupObject, PackId};
use crate::backups::Backups;
use crate::error::ArchiveError;
use crate::manifest::{Manifest, StoredObject};
use crate::name::ObjectName;
use crate::pack::{PackBuilder, PageFacts, facts_of};
use crate::page_reader::{KnownPage, PageReader};
use crate::page_table::{FrameRef, MAX_GROUP_FRAMES, PageTable, StoredDatabase, StoredGroup};
use crate::prune::at;
use crate::store::Put;

/// A group on its way.
#[derive(Clone, Debug)]
struct Group {
    stored: StoredGroup,
    /// The checksum of a database that has no other group.
    root: Option<Root>,
}

/// A database on its way.
#[derive(Debug)]
struct Growing {
    pages: u32,
    groups: Vec<Option<Group>>,
}

/// Pages that are in the pack that is being put together.
#[derive(Debug)]
struct Pending {
    place: (u32, GroupNumber),
    frame: u32,
    value: GroupValue,
    root: Option<Root>,
    /// Frames that the group needs beside it.
    older: Vec<FrameRef>,
}

/// The backup that a new one is compared with.
#[derive(Clone, Debug)]
pub struct Previous {
    /// What it is.
    pub manifest: Manifest,
    /// Where its pages are.
    pub table: PageTable,
}

/// Packs that need not be sent, since an earlier backup has stored the same ones: mostly one that was broken off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Stores one backup.
#[derive(Debug)]
pub struct BackupWriter {
    backups: Backups,
    manifest: Manifest,
    databases: BTreeMap<u32, Growing>,
    reader: PageReader,
    /// What is known of groups whose pages are on their way.
    compared: BTreeMap<(u32, GroupNumber), BTreeMap<u32, KnownPage>>,
    builder: PackBuilder,
    /// Those that were there in the beginning.
    packs: BTreeSet<PackId>,
    found: Found,
    pending: Vec<Pending>,
    log: BackupLog,
}

impl BackupWriter {
    /// Begins a backup: `draft` is what is known of it, without the places of pages and log. Its name is taken when this returns.
    /// `packs` are those that are there: a group in another one is stored anew.
    pub fn begin(
        backups: Backups,
        mut draft: Manifest,
        previous: Option<&Previous>,
        packs: &BTreeSet<PackId>,
    ) -> Result<Self, ArchiveError> {
        draft.id = take_name(
            &backups,
            BackupId::new(draft.begun, draft.commit),
            draft.begun,
        )?;
        let databases = draft.databases.iter().map(|database| {
            let known = previous.and_then(|it| {
                let stored = it.table.databases.get(&database.number)?;
                let listed = it.manifest.databases.iter();
                let root = listed.clone().find(|it| it.number == database.number);
                Some((stored, root.map(|it| it.root)))
            });
            (database.number, Growing::new(database.pages, known, packs))
        });
        Ok(Self {
            databases: databases.collect(),
            reader: PageReader::new(Arc::clone(&backups.store), backups.environment),
            compared: BTreeMap::new(),
            builder: PackBuilder::default(),
            packs: packs.clone(),
            found: Found::default(),
            pending: Vec::new(),
            log: BackupLog::new(&backups, draft.redo),
            manifest: draft,
            backups,
        })
    }

    /// Its name.
    pub fn id(&self) -> BackupId {
        self.manifest.id
    }

    /// Bytes of packs that were stored.
    pub fn stored(&self) -> u64 {
        self.manifest.cost.stored
    }

    /// What need not be sent so far.
    pub fn found(&self) -> Found {
        self.found
    }

    /// How many pages of each database the backup before has.
    pub fn here(&self) -> BTreeMap<u32, u32> {
        let here = self.databases.iter().filter_map(|(number, growing)| {
            let known = growing.groups.iter().rposition(Option::is_some)? + 1;
            let last = GroupNumber::new(u32::try_from(known - 1).ok()?)?;
            Some((*number, *last.pages(growing.pages).end()))
        });
        here.collect()
    }

    /// The values of groups as the backup before has them; one that it has not is told as one that no group has.
    pub fn values(&self, database: u32, first: GroupNumber, count: u32) -> Vec<GroupValue> {
        let groups = (first.get()..).take(count as usize);
        let of = |group: u32| {
            let growing = self.databases.get(&database)?;
            let group = growing.groups.get(group as usize)?.as_ref()?;
            Some(group.stored.value)
        };
        groups
            .map(|group| of(group).unwrap_or(GroupValue::from_bytes([0; 32])))
            .collect()
    }

    /// The pages of a group that the backup before has not: `is_equal` tells by the place of a page and its CRC-32C. None where the
    /// whole group is to be stored.
    pub fn differ(
        &mut self,
        database: u32,
        group: GroupNumber,
        is_equal: impl Fn(u32, u32) -> bool,
    ) -> PageSet {
        let Some(growing) = self.databases.get(&database) else {
            return PageSet::EMPTY;
        };
        let pages = growing.pages_of(group);
        let Some(stored) = growing.group(group).map(|it| it.stored.clone()) else {
            return PageSet::EMPTY;
        };
        // What can't be read of the backup before is stored once more.
        let Ok(known) = self.reader.known(group, &stored) else {
            return PageSet::EMPTY;
        };
        let is_new = |place: &u32| {
            let crc = known.get(place).map(|known| known.facts.crc);
            !crc.is_some_and(|crc| is_equal(*place, crc))
        };
        let set: PageSet = (0..pages).filter(is_new).collect();
        if stored.frames.len() >= MAX_GROUP_FRAMES || set.len() * 2 > pages {
            return PageSet::EMPTY;
        }
        self.compared.insert((database, group), known);
        set
    }

    /// Keeps pages of a group, one after the other, if it comes to its value with them.
    pub fn keep(
        &mut self,
        (database, group): (u32, GroupNumber),
        set: PageSet,
        value: GroupValue,
        raw: &[u8],
    ) -> Result<bool, ArchiveError> {
        let count = self.databases.get(&database).map(|it| it.pages_of(group));
        let Some(count) = count
            .filter(|count| raw.len() == set.len() as usize * PAGE_SIZE && set.is_within(*count))
        else {
            return Err(ArchiveError::Sent(format!(
                "pages of group {group} of database {database}, which has no such pages"
            )));
        };
        let known = self.compared.get(&(database, group));
        let facts = facts_of(group, set, raw);
        let Some(all) = together(count, known, (set, &facts)) else {
            return Ok(false);
        };
        if group_of_pages(&all) != Some(value) {
            return Ok(false);
        }
        let older: BTreeSet<FrameRef> = (0..count)
            .filter(|place| !set.contains(*place))
            .filter_map(|place| Some(known?.get(&place)?.frame))
            .collect();
        let root = root_of_pages(&all).or_else(|| alone(raw));
        let before = self.databases.get(&database).and_then(|it| it.group(group));
        let order = before.map_or(&[][..], |it| &it.stored.frames);
        let older = order.iter().filter(|frame| older.contains(frame));
        let older = older.copied().collect();
        let frame = self.builder.add(group, set, facts, raw);
        let frame =
            frame.map_err(|error| ArchiveError::Sent(format!("can't compress: {error}")))?;
        self.pending.push(Pending {
            place: (database, group),
            frame,
            value,
            root,
            older,
        });
        self.compared.remove(&(database, group));
        if self.builder.is_full() {
            self.flush()?;
        }
        Ok(true)
    }

    /// Stores the pack that was put together.
    fn flush(&mut self) -> Result<(), ArchiveError> {
        if self.builder.is_empty() {
            return Ok(());
        }
        let (pack, bytes) = self.builder.finish(self.backups.environment);
        let name = ObjectName::Pack(self.backups.environment, pack);
        // One that is there has these bytes: its name is their hash. A backup that was broken off has left them.
        let is_there = self.packs.contains(&pack)
            || self.backups.store.put_if_absent(&name, &bytes)? == Put::Exists;
        if is_there {
            self.found.packs += 1;
            self.found.bytes += bytes.len() as u64;
        } else {
            self.manifest.cost.stored += bytes.len() as u64;
        }
        for pending in self.pending.drain(..) {
            let (database, group) = pending.place;
            let newest = FrameRef {
                pack,
                frame: pending.frame,
            };
            let frames = [newest].into_iter().chain(pending.older).collect();
            let stored = StoredGroup {
                value: pending.value,
                frames,
            };
            let growing = self.databases.get_mut(&database);
            let place = growing.and_then(|it| it.groups.get_mut(group.get() as usize));
            if let Some(place) = place {
                *place = Some(Group {
                    stored,
                    root: pending.root,
                });
            }
        }
        Ok(())
    }

    /// Keeps a piece of the log that belongs to it.
    pub fn keep_log(&mut self, start: Position, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.log.keep(&self.backups, self.manifest.id, start, bytes)
    }

    /// All has come: proves that it is what the giver has, and stores what it is. From then on the backup exists.
    pub fn finish(
        mut self,
        roots: &[(u32, Root)],
        (equal, taken): (u64, u64),
        ended: Timestamp,
    ) -> Result<(Manifest, Found), ArchiveError> {
        self.flush()?;
        let found = self.found;
        let mut table = PageTable::default();
        for database in &mut self.manifest.databases {
            let growing = self.databases.remove(&database.number);
            let root = roots.iter().find(|(number, _)| *number == database.number);
            let (Some(growing), Some((_, root))) = (growing, root) else {
                return Err(ArchiveError::Sent(format!(
                    "no checksum of database {}",
                    database.name
                )));
            };
            let stored = growing.prove(*root).map_err(|why| {
                ArchiveError::Sent(format!(
                    "database {} is not the original: {why}",
                    database.name
                ))
            })?;
            database.root = *root;
            table.databases.insert(database.number, stored);
        }
        let (id, backups) = (self.manifest.id, self.backups);
        // What was found in the beginning may have been removed since.
        let there = backups.catalog()?.packs;
        if let Some(gone) = table.packs().iter().find(|pack| !there.contains_key(pack)) {
            return Err(ArchiveError::Sent(format!(
                "pack {gone} is gone, which the backup needs: begin again"
            )));
        }
        (self.manifest.log, self.manifest.log_end) = self.log.finish(&backups, id)?;
        let pages = table.encode();
        self.manifest.pages = StoredObject::of(&pages);
        self.manifest.cost.equal = equal;
        self.manifest.cost.taken = taken;
        self.manifest.ended = ended;
        for (object, content) in [
            (BackupObject::Pages, pages),
            (BackupObject::Manifest, self.manifest.encode()),
        ] {
            let name = backups.name(id, object);
            if backups.store.put_if_absent(&name, &content)? == Put::Exists {
                return Err(ArchiveError::Sent(format!(
                    "{name} is there already: somebody else writes backup {id}"
                )));
            }
        }
        Ok((self.manifest, found))
    }
}

/// Takes a name that nobody has.
fn take_name(
    backups: &Backups,
    mut id: BackupId,
    begun: Timestamp,
) -> Result<BackupId, ArchiveError> {
    let content = at(begun);
    loop {
        let name = backups.name(id, BackupObject::Begun);
        if backups.store.put_if_absent(&name, content.as_bytes())? == Put::Stored {
            return Ok(id);
        }
        id = id.next_attempt().ok_or_else(|| {
            ArchiveError::NotThere(format!("there are too many backups like {id}"))
        })?;
    }
}

/// The values of all pages of a group: those that have come, and those that are known. `None`: one is neither.
fn together(
    count: u32,
    known: Option<&BTreeMap<u32, KnownPage>>,
    (set, facts): (PageSet, &[PageFacts]),
) -> Option<Vec<pagehash::PageValue>> {
    let mut come = facts.iter();
    (0..count)
        .map(|place| {
            if set.contains(place) {
                return come.next().map(|facts| facts.value);
            }
            known?.get(&place).map(|known| known.facts.value)
        })
        .collect()
}

/// The checksum of a database of one page.
fn alone(raw: &[u8]) -> Option<Root> {
    (raw.len() == PAGE_SIZE).then(|| {
        let mut hasher = TreeHasher::new();
        hasher.update(raw);
        hasher.finish().root
    })
}

impl Growing {
    fn new(
        pages: u32,
        known: Option<(&StoredDatabase, Option<Root>)>,
        packs: &BTreeSet<PackId>,
    ) -> Self {
        let count = GroupNumber::count(pages);
        let groups = (0..count).map(|group| {
            let (stored, root) = known?;
            let stored_group = stored.groups.get(group as usize)?;
            let is_there = |frame: &FrameRef| packs.contains(&frame.pack);
            let whole = stored_group.frames.iter().all(is_there);
            whole.then(|| Group {
                stored: stored_group.clone(),
                // As long as its only group is the same, so is the checksum.
                root: root.filter(|_| stored.groups.len() == 1),
            })
        });
        Self {
            pages,
            groups: groups.collect(),
        }
    }

    fn pages_of(&self, group: GroupNumber) -> u32 {
        let pages = group.pages(self.pages);
        u32::try_from(pages.count()).unwrap_or(u32::MAX)
    }

    fn group(&self, group: GroupNumber) -> Option<&Group> {
        self.groups.get(group.get() as usize)?.as_ref()
    }

    /// All its groups, which come to this checksum.
    fn prove(self, root: Root) -> Result<StoredDatabase, String> {
        let groups: Option<Vec<Group>> = self.groups.into_iter().collect();
        let groups = groups.ok_or("a group of it has not come")?;
        let values: Vec<GroupValue> = groups.iter().map(|it| it.stored.value).collect();
        let here = match groups.as_slice() {
            [] => Some(TreeHasher::new().finish().root),
            [only] => only.root,
            _ => root_of(&values),
        };
        if here != Some(root) {
            let here = here.map_or_else(|| "unknown".to_owned(), |here| here.to_string());
            return Err(format!("checksum {here}, not {root}"));
        }
        Ok(StoredDatabase {
            pages: self.pages,
            groups: groups.into_iter().map(|it| it.stored).collect(),
        })
    }
}
