//! Looking at backups, for `dbctl backup verify`.

use std::collections::BTreeMap;
use std::sync::Arc;

use pagehash::{GroupNumber, Root, TreeHasher, group_of_pages, root_of};

use crate::backup_name::{BackupId, BackupObject, PackId};
use crate::backups::{BackupCatalog, Backups};
use crate::error::ArchiveError;
use crate::log_walk::{LogItem, LogWalk};
use crate::manifest::{BackedUpDatabase, Manifest};
use crate::name::ObjectName;
use crate::pack::PackIndex;
use crate::page_reader::PageReader;
use crate::page_table::{PageTable, StoredDatabase};
use crate::store::StoreError;
use crate::text::Lines;
use crate::verify::Finding;

/// How closely backups are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// That all is there which they name, as long as it should be.
    Quick,
    /// Every byte.
    Data,
}

/// What was seen of one backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// Which one.
    pub id: BackupId,
    /// What is wrong with it, and with what it is made of.
    pub findings: Vec<Finding>,
}

/// What was seen of the backups of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupsReport {
    /// Each that was looked at.
    pub backups: Vec<BackupReport>,
    /// What is wrong, and of no backup that was looked at.
    pub others: Vec<Finding>,
    /// Backups that were begun, and never completed.
    pub unfinished: Vec<BackupId>,
}

impl BackupsReport {
    /// Whether anything is wrong.
    pub fn is_good(&self) -> bool {
        self.others.is_empty() && self.backups.iter().all(|it| it.findings.is_empty())
    }
}

const MISSING: &str = "missing";

/// Looks at these backups; `None` at all, and at what belongs to none. `progress` is told of bytes: all that there are to read, and how
/// many of them have been.
pub fn verify_backups(
    (backups, catalog): (&Backups, &BackupCatalog),
    wanted: Option<BackupId>,
    depth: Depth,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupsReport, ArchiveError> {
    let mut looking = Looking {
        backups,
        catalog,
        depth,
        packs: BTreeMap::new(),
        reader: PageReader::new(Arc::clone(&backups.store), backups.environment()),
        all: catalog.packs.values().sum(),
        done: 0,
        progress,
    };
    let mut report = BackupsReport::default();
    let chosen = catalog.complete.iter();
    for id in chosen.filter(|id| wanted.is_none_or(|wanted| wanted == **id)) {
        let mut findings = Vec::new();
        looking.backup(*id, &mut findings)?;
        report.backups.push(BackupReport { id: *id, findings });
    }
    if wanted.is_none() {
        looking.others(&mut report)?;
    }
    Ok(report)
}

struct Looking<'a> {
    backups: &'a Backups,
    catalog: &'a BackupCatalog,
    depth: Depth,
    /// Those that were looked at: what is wrong with them.
    packs: BTreeMap<PackId, Option<String>>,
    reader: PageReader,
    all: u64,
    done: u64,
    progress: &'a mut dyn FnMut(u64, u64),
}

type Findings = Vec<Finding>;

#[expect(clippy::needless_pass_by_value, reason = "it becomes text here")]
fn find(findings: &mut Findings, object: impl ToString, what: impl ToString) {
    let finding = Finding {
        object: object.to_string(),
        what: what.to_string(),
    };
    if !findings.contains(&finding) {
        findings.push(finding);
    }
}

/// `Ok(None)`: the object is not as it should be, which is noted. What can't be read at all ends the look.
fn note<T>(
    findings: &mut Findings,
    object: ObjectName,
    read: Result<T, ArchiveError>,
) -> Result<Option<T>, ArchiveError> {
    match read {
        Ok(good) => Ok(Some(good)),
        Err(ArchiveError::Store(error @ StoreError::Failed { .. })) => Err(error.into()),
        Err(ArchiveError::Store(StoreError::Missing { name, .. })) => {
            find(findings, name, MISSING);
            Ok(None)
        }
        Err(ArchiveError::Store(StoreError::Short { name, length, .. })) => {
            find(
                findings,
                name,
                format!("damaged: cut short to {length} bytes"),
            );
            Ok(None)
        }
        Err(ArchiveError::Damaged { name, why }) => {
            find(findings, name, format!("damaged: {why}"));
            Ok(None)
        }
        Err(other) => {
            find(findings, object, other);
            Ok(None)
        }
    }
}

impl Looking<'_> {
    fn backup(&mut self, id: BackupId, findings: &mut Findings) -> Result<(), ArchiveError> {
        let begun = self.backups.name(id, BackupObject::Begun);
        note(findings, begun, self.text(begun))?;
        let doomed = BackupObject::Doomed;
        if self.catalog.objects.contains_key(&(id, doomed)) {
            let doomed = self.backups.name(id, doomed);
            note(findings, doomed, self.text(doomed))?;
        }
        let name = self.backups.name(id, BackupObject::Manifest);
        let Some(manifest) = note(findings, name, self.backups.manifest(id))? else {
            return Ok(());
        };
        self.log(&manifest, findings)?;
        let name = self.backups.name(id, BackupObject::Pages);
        let Some(table) = note(findings, name, self.backups.table(&manifest))? else {
            return Ok(());
        };
        for pack in table.packs() {
            let name = ObjectName::Pack(self.backups.environment(), pack);
            if let Some(what) = self.pack(pack)? {
                find(findings, name, what);
            }
        }
        if self.depth == Depth::Data {
            self.pages(&manifest, &table, findings)?;
        }
        Ok(())
    }

    fn text(&self, name: ObjectName) -> Result<(), ArchiveError> {
        let bytes = self.backups.store.get(&name)?;
        Lines::read(&name, &bytes).map(drop)
    }

    /// What is wrong with a pack, which is read once.
    fn pack(&mut self, id: PackId) -> Result<Option<String>, ArchiveError> {
        if let Some(known) = self.packs.get(&id) {
            return Ok(known.clone());
        }
        let wrong = self.read_pack(id)?;
        self.packs.insert(id, wrong.clone());
        Ok(wrong)
    }

    fn read_pack(&mut self, id: PackId) -> Result<Option<String>, ArchiveError> {
        let Some(length) = self.catalog.packs.get(&id) else {
            return Ok(Some(MISSING.to_owned()));
        };
        if self.depth == Depth::Quick {
            return Ok(None);
        }
        let environment = self.backups.environment();
        let name = ObjectName::Pack(environment, id);
        let bytes = match self.backups.store.get(&name) {
            Err(StoreError::Missing { .. }) => return Ok(Some(MISSING.to_owned())),
            other => other?,
        };
        self.done += length;
        (self.progress)(self.all, self.done);
        let proved = PackIndex::prove(environment, id, &bytes);
        Ok(proved.err().map(|why| format!("damaged: {why}")))
    }

    fn log(&self, manifest: &Manifest, findings: &mut Findings) -> Result<(), ArchiveError> {
        let mut walk = LogWalk::new(self.backups.environment());
        let (mut has_redo, mut is_whole) = (manifest.log.is_empty(), true);
        for piece in &manifest.log {
            let object = BackupObject::Log(piece.segment, piece.offset);
            let name = self.backups.name(manifest.id, object);
            let length = self.catalog.objects.get(&(manifest.id, object));
            if length != Some(&piece.object.length) && self.depth == Depth::Quick {
                let what = length.map_or_else(
                    || MISSING.to_owned(),
                    |it| format!("damaged: it has {it} bytes, not {}", piece.object.length),
                );
                find(findings, name, what);
                continue;
            }
            if self.depth == Depth::Quick {
                continue;
            }
            let Some(bytes) = note(findings, name, self.backups.log(manifest.id, piece))? else {
                is_whole = false;
                continue;
            };
            if !is_whole {
                continue;
            }
            let walked = walk.take(piece.start(), &bytes).and_then(|()| {
                while let Some(item) = walk.next_item()? {
                    let before = match &item {
                        LogItem::Header(_, header) => header.previous == manifest.redo.hash,
                        LogItem::Block(_) | LogItem::Seal(_) => false,
                    };
                    has_redo |= before || walk.is_at(manifest.redo);
                }
                Ok(())
            });
            if let Err(why) = walked {
                find(findings, name, format!("damaged: {why}"));
                is_whole = false;
            }
        }
        let ends_well = walk.end() == manifest.log_end && !walk.is_inside();
        if self.depth == Depth::Data && is_whole && !(has_redo && ends_well) {
            let name = self.backups.name(manifest.id, BackupObject::Manifest);
            find(findings, name, "its log is not what it says of it");
        }
        Ok(())
    }

    /// The pages of all databases, by what the indexes of packs say, which was held against the pages.
    fn pages(
        &mut self,
        manifest: &Manifest,
        table: &PageTable,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let name = self.backups.name(manifest.id, BackupObject::Pages);
        for database in &manifest.databases {
            let Some(stored) = table.databases.get(&database.number) else {
                continue;
            };
            let is_bad = |pack: &PackId| self.packs.get(pack).is_none_or(Option::is_some);
            let mut frames = stored.groups.iter().flat_map(|group| &group.frames);
            if frames.any(|frame| is_bad(&frame.pack)) {
                continue;
            }
            let root = self.root(database, stored);
            match note(findings, name, root)? {
                Some(root) if root != database.root => find(
                    findings,
                    name,
                    format!("damaged: database {} has another checksum", database.name),
                ),
                _ => {}
            }
        }
        Ok(())
    }

    fn root(
        &mut self,
        database: &BackedUpDatabase,
        stored: &StoredDatabase,
    ) -> Result<Root, ArchiveError> {
        let mut values = Vec::new();
        for (number, group) in GroupNumber::all(stored.pages).zip(&stored.groups) {
            let pages = u32::try_from(number.pages(stored.pages).count()).unwrap_or(u32::MAX);
            if stored.groups.len() == 1 {
                let content = self.reader.read(number, pages, group, &[])?;
                let mut tree = TreeHasher::new();
                tree.update(&content);
                return Ok(tree.finish().root);
            }
            let known = self.reader.known(number, group)?;
            let facts: Option<Vec<_>> = (0..pages)
                .map(|place| known.get(&place).map(|it| it.facts.value))
                .collect();
            if facts.and_then(|all| group_of_pages(&all)) != Some(group.value) {
                return Err(ArchiveError::NotThere(format!(
                    "damaged: group {number} of database {} does not come to its value",
                    database.name
                )));
            }
            values.push(group.value);
        }
        Ok(root_of(&values).unwrap_or_else(|| TreeHasher::new().finish().root))
    }

    /// What is there beside the backups.
    fn others(&mut self, report: &mut BackupsReport) -> Result<(), ArchiveError> {
        for name in &self.catalog.unknown {
            let what = "not an object that this version reads";
            find(&mut report.others, name, what);
        }
        for id in &self.catalog.begun {
            let has = |object| self.catalog.objects.contains_key(&(*id, object));
            if has(BackupObject::Pages) && !has(BackupObject::Doomed) {
                let name = self.backups.name(*id, BackupObject::Manifest);
                let what =
                    "missing: it is gone, or the backup ended a moment before it was complete";
                find(&mut report.others, name, what);
            }
            report.unfinished.push(*id);
        }
        let packs: Vec<PackId> = self.catalog.packs.keys().copied().collect();
        let depth = self.depth;
        for pack in packs.into_iter().filter(|_| depth == Depth::Data) {
            let is_told = self.packs.contains_key(&pack);
            if let Some(what) = self.pack(pack)?.filter(|_| !is_told) {
                let name = ObjectName::Pack(self.backups.environment(), pack);
                find(&mut report.others, name, what);
            }
        }
        Ok(())
    }
}
