//! Removes backups that nobody keeps, in two steps: one that is to go is marked, and goes a while later if nobody keeps it then. Whoever restores
//! it has that time to end.

use std::collections::BTreeSet;
use std::time::Duration;

use fwlog::Timestamp;

use crate::backup_name::{BackupId, BackupObject, PackId};
use crate::backups::{BackupCatalog, Backups};
use crate::error::ArchiveError;
use crate::keep::{KeepReason, KeepRules, KeptBackup, keep};
use crate::name::ObjectName;
use crate::text::{Lines, begin};

/// What becomes of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays; a mark that it has goes.
    Kept(KeepReason),
    /// It can't be read: a person has to look.
    Unreadable,
    /// Nobody has completed it yet, and somebody may.
    UnderWay,
    /// It is to go, and gets its mark.
    Marked,
    /// It is marked, and goes at this time.
    Waits(Timestamp),
    /// It goes.
    Removed,
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrunePlan {
    /// Each backup, complete or not, by name.
    pub backups: Vec<(BackupId, Fate)>,
    /// Packs that no backup which stays has, with their bytes.
    pub packs: Vec<(PackId, u64)>,
    /// Why packs that no backup has stay all the same.
    pub packs_stay: Option<String>,
}

/// What becomes of all that there is. Changes nothing.
pub fn plan_prune(
    (backups, catalog): (&Backups, &BackupCatalog),
    rules: &KeepRules,
    now: Timestamp,
    grace: Duration,
) -> Result<PrunePlan, ArchiveError> {
    let grace = u64::try_from(grace.as_micros()).unwrap_or(u64::MAX);
    let mut plan = PrunePlan::default();
    let (mut known, mut unreadable) = (Vec::new(), BTreeSet::new());
    for id in &catalog.complete {
        match backups.manifest(*id) {
            Ok(manifest) => known.push(KeptBackup {
                id: *id,
                begun: manifest.begun,
                time: manifest.time,
            }),
            Err(ArchiveError::Damaged { .. } | ArchiveError::Newer { .. }) => {
                unreadable.insert(*id);
            }
            Err(error) => return Err(error),
        }
    }
    let kept = keep(&known, now, rules);
    for id in &catalog.complete {
        let fate = match kept.get(id) {
            None => Fate::Unreadable,
            Some(Some(reason)) => Fate::Kept(*reason),
            Some(None) => match marked_at(backups, catalog, *id)? {
                None => Fate::Marked,
                Some(at) => due(at, grace, now),
            },
        };
        plan.backups.push((*id, fate));
    }
    let mut under_way = false;
    for id in &catalog.begun {
        let fate = match begun_at(backups, catalog, *id)? {
            Some(at) if due(at, grace, now) == Fate::Removed => Fate::Removed,
            _ => Fate::UnderWay,
        };
        under_way |= fate == Fate::UnderWay;
        plan.backups.push((*id, fate));
    }
    if under_way {
        plan.packs_stay = Some("a backup is under way, or was broken off not long ago".to_owned());
    } else if !unreadable.is_empty() {
        plan.packs_stay = Some("a backup can't be read: what it needs is not known".to_owned());
    } else {
        plan.packs = unused(backups, catalog, &plan.backups)?;
    }
    plan.backups.sort_unstable_by_key(|(id, _)| *id);
    Ok(plan)
}

fn due(since: Timestamp, grace: u64, now: Timestamp) -> Fate {
    let at = Timestamp::from_micros(since.micros().saturating_add(grace));
    if at <= now {
        Fate::Removed
    } else {
        Fate::Waits(at)
    }
}

/// When a backup was marked. One whose mark can't be read is marked anew.
fn marked_at(
    backups: &Backups,
    catalog: &BackupCatalog,
    id: BackupId,
) -> Result<Option<Timestamp>, ArchiveError> {
    time_in(backups, catalog, (id, BackupObject::Doomed))
}

/// When it was begun.
fn begun_at(
    backups: &Backups,
    catalog: &BackupCatalog,
    id: BackupId,
) -> Result<Option<Timestamp>, ArchiveError> {
    if catalog.objects.contains_key(&(id, BackupObject::Begun)) {
        return time_in(backups, catalog, (id, BackupObject::Begun));
    }
    // It goes last: this one was about to be removed.
    Ok(Some(Timestamp::ZERO))
}

fn time_in(
    backups: &Backups,
    catalog: &BackupCatalog,
    object: (BackupId, BackupObject),
) -> Result<Option<Timestamp>, ArchiveError> {
    if !catalog.objects.contains_key(&object) {
        return Ok(None);
    }
    let name = backups.name(object.0, object.1);
    let bytes = backups.store.get(&name)?;
    let read = Lines::read(&name, &bytes).and_then(|lines| lines.get("at"));
    match read {
        Ok(micros) => Ok(Some(Timestamp::from_micros(micros))),
        Err(ArchiveError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The content of an object that says when something was.
pub(crate) fn at(time: Timestamp) -> String {
    let mut body = begin();
    body.line("at", time.micros());
    body.seal()
}

/// Packs that no backup which stays has.
fn unused(
    backups: &Backups,
    catalog: &BackupCatalog,
    fates: &[(BackupId, Fate)],
) -> Result<Vec<(PackId, u64)>, ArchiveError> {
    let mut used = BTreeSet::new();
    let stays = fates.iter().filter(|(_, fate)| *fate != Fate::Removed);
    for (id, _) in stays {
        let manifest = backups.manifest(*id)?;
        used.extend(backups.table(&manifest)?.packs());
    }
    let packs = catalog.packs.iter();
    let unused = packs.filter(|(id, _)| !used.contains(id));
    Ok(unused.map(|(id, bytes)| (*id, *bytes)).collect())
}

/// Does what the plan says. It may be broken off at any time: the next one finds what is left.
pub fn prune(
    (backups, catalog): (&Backups, &BackupCatalog),
    plan: &PrunePlan,
    now: Timestamp,
) -> Result<(), ArchiveError> {
    for (id, fate) in &plan.backups {
        let mark = backups.name(*id, BackupObject::Doomed);
        match fate {
            Fate::Kept(_) if catalog.objects.contains_key(&(*id, BackupObject::Doomed)) => {
                backups.store.delete(&mark)?;
            }
            Fate::Marked => backups.store.put(&mark, at(now).as_bytes())?,
            Fate::Removed => remove(backups, catalog, *id)?,
            Fate::Kept(_) | Fate::Unreadable | Fate::UnderWay | Fate::Waits(_) => {}
        }
    }
    // Somebody may have begun one meanwhile, and have found its pages in a pack that is about to go.
    let now_there = backups.catalog()?;
    let is_new = |id: &BackupId| !catalog.begun.contains(id) && !catalog.complete.contains(id);
    if now_there
        .begun
        .iter()
        .chain(&now_there.complete)
        .any(is_new)
    {
        return Ok(());
    }
    for (pack, _) in &plan.packs {
        let name = ObjectName::Pack(backups.environment(), *pack);
        backups.store.delete(&name)?;
    }
    Ok(())
}

/// The manifest goes first: from then on the backup does not exist. That it was begun is known until the end.
fn remove(backups: &Backups, catalog: &BackupCatalog, id: BackupId) -> Result<(), ArchiveError> {
    let own = catalog.objects.keys().filter(|(of, _)| *of == id);
    let mut objects: Vec<BackupObject> = own.map(|(_, object)| *object).collect();
    objects.sort_by_key(|object| match object {
        BackupObject::Manifest => 0,
        BackupObject::Pages | BackupObject::Log(..) => 1,
        BackupObject::Doomed => 2,
        BackupObject::Begun => 3,
    });
    for object in objects {
        backups.store.delete(&backups.name(id, object))?;
    }
    Ok(())
}
