//! The backups of one environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fwlog::{EnvironmentId, Position};
use pagehash::GroupNumber;

use crate::backup_name::{BackupId, BackupObject, PackId};
use crate::error::ArchiveError;
use crate::manifest::{Manifest, StoredLog, StoredObject};
use crate::name::ObjectName;
use crate::page_reader::PageReader;
use crate::page_table::{PageTable, StoredGroup};
use crate::store::{Store, StoreError};

/// The backups of one environment in a store.
#[derive(Clone, Debug)]
pub struct Backups {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) environment: EnvironmentId,
}

/// What there is of backups, by the names of their objects alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupCatalog {
    /// Those whose manifest is there.
    pub complete: BTreeSet<BackupId>,
    /// Those that were begun, and have none.
    pub begun: BTreeSet<BackupId>,
    /// All objects of backups, with their bytes.
    pub objects: BTreeMap<(BackupId, BackupObject), u64>,
    /// Packs, with their bytes.
    pub packs: BTreeMap<PackId, u64>,
    /// Names of objects that this version does not read.
    pub unknown: Vec<String>,
}

impl Backups {
    /// The environment that they are of.
    pub fn environment(&self) -> EnvironmentId {
        self.environment
    }

    /// Where they are.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// The name of an object of a backup.
    pub fn name(&self, id: BackupId, object: BackupObject) -> ObjectName {
        ObjectName::Backup(self.environment, id, object)
    }

    /// All that is there. Two listings.
    pub fn catalog(&self) -> Result<BackupCatalog, ArchiveError> {
        let mut catalog = BackupCatalog::default();
        let backups = ObjectName::backup_prefix(self.environment);
        let packs = ObjectName::pack_prefix(self.environment);
        for prefix in [backups, packs] {
            for listed in self.store.list(&prefix)? {
                match listed.name.parse() {
                    Ok(ObjectName::Backup(_, id, object)) => {
                        catalog.begun.insert(id);
                        if object == BackupObject::Manifest {
                            catalog.complete.insert(id);
                        }
                        catalog.objects.insert((id, object), listed.length);
                    }
                    Ok(ObjectName::Pack(_, id)) => {
                        catalog.packs.insert(id, listed.length);
                    }
                    _ => catalog.unknown.push(listed.name),
                }
            }
        }
        let complete = &catalog.complete;
        catalog.begun.retain(|id| !complete.contains(id));
        Ok(catalog)
    }

    /// What a backup is.
    pub fn manifest(&self, id: BackupId) -> Result<Manifest, ArchiveError> {
        let name = self.name(id, BackupObject::Manifest);
        let bytes = match self.store.get(&name) {
            Err(StoreError::Missing { place, .. }) => {
                return Err(ArchiveError::NotThere(format!(
                    "there is no backup {id} in {place}"
                )));
            }
            other => other?,
        };
        Manifest::decode(&name, (self.environment, id), &bytes)
    }

    /// Where its pages are.
    pub fn table(&self, manifest: &Manifest) -> Result<PageTable, ArchiveError> {
        let name = self.name(manifest.id, BackupObject::Pages);
        let bytes = self.whole(name, manifest.pages)?;
        let table = PageTable::decode(&bytes).map_err(|why| ArchiveError::damaged(name, why))?;
        let listed = table.databases.iter();
        let listed = listed.map(|(number, database)| (*number, database.pages));
        let known = manifest.databases.iter().map(|it| (it.number, it.pages));
        if !listed.eq(known) {
            return Err(ArchiveError::damaged(
                name,
                "it has other databases than the backup",
            ));
        }
        Ok(table)
    }

    /// A piece of the log that belongs to it.
    pub fn log(&self, id: BackupId, piece: &StoredLog) -> Result<Vec<u8>, ArchiveError> {
        let object = BackupObject::Log(piece.segment, piece.offset);
        self.whole(self.name(id, object), piece.object)
    }

    fn whole(&self, name: ObjectName, known: StoredObject) -> Result<Vec<u8>, ArchiveError> {
        let bytes = self.store.get(&name)?;
        if StoredObject::of(&bytes) == known {
            return Ok(bytes);
        }
        let why = if bytes.len() as u64 == known.length {
            "its hash does not match".to_owned()
        } else {
            format!("it has {} bytes, not {}", bytes.len(), known.length)
        };
        Err(ArchiveError::damaged(name, why))
    }

    /// Reads pages.
    pub fn pages(&self) -> Pages {
        Pages(PageReader::new(Arc::clone(&self.store), self.environment))
    }
}

/// Reads pages of backups. What it gives is proved.
#[derive(Debug)]
pub struct Pages(PageReader);

impl Pages {
    /// The content of a group of a database of so many pages.
    pub fn group(
        &mut self,
        number: GroupNumber,
        page_count: u32,
        group: &StoredGroup,
    ) -> Result<Vec<u8>, ArchiveError> {
        self.group_over(number, page_count, group, &[])
    }

    /// The same, where somebody has something in its place, which may be short: pages that are right there are not fetched.
    pub fn group_over(
        &mut self,
        number: GroupNumber,
        page_count: u32,
        group: &StoredGroup,
        here: &[u8],
    ) -> Result<Vec<u8>, ArchiveError> {
        let pages = number.pages(page_count).count();
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        self.0.read(number, pages, group, here)
    }

    /// Bytes of pages that were fetched, as they are stored.
    pub fn fetched(&self) -> u64 {
        self.0.fetched()
    }
}

impl StoredLog {
    /// Where it begins.
    pub fn start(&self) -> Position {
        Position::new(self.segment, self.offset)
    }
}
