//! Takes a copy of a server into a repository: what the messages of the base conversation become.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use dbproto::base::{CutOffer, Given, Kept, PageSum, StageStatus, Taker, TakerAction};
use dbproto::{Refuse, state};
use fwlog::{HistoryLine, Timestamp};
use pagehash::Root;
use repository::{
    BackedUpDatabase, BackupId, BackupWriter, Cost, Found, Manifest, PackId, Previous, Repository,
    StoredObject,
};

use crate::base_line::Ends;
use crate::error::{CommandError, Result};

/// What the operator wants of a backup.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) label: String,
    pub(super) full: bool,
    /// The generations of the server's log.
    pub(super) branch: Vec<HistoryLine>,
}

/// A backup that was made.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) manifest: Manifest,
    /// The one that it was compared with.
    pub(super) compared: Option<BackupId>,
    /// What was there already of it, from one that was broken off.
    pub(super) found: Found,
}

/// Takes until all is stored. Blocks, on a thread of its own.
pub(super) fn take(
    repository: &Repository,
    wish: &Wish,
    mut ends: Ends,
    progress: &mut dyn FnMut(StageStatus),
) -> Result<Taken> {
    let mut taking = Taking {
        repository,
        wish,
        taker: Taker::new(),
        writer: None,
        compared: None,
        found: Found::default(),
        done: None,
    };
    while let Some(given) = ends.given.blocking_recv() {
        let outcome = taking.hear(given?, &ends);
        let status = taking.taker.status();
        *ends.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        progress(status);
        match outcome {
            Ok(Some(manifest)) => {
                return Ok(Taken {
                    manifest,
                    compared: taking.compared,
                    found: taking.found,
                });
            }
            Ok(None) => {}
            Err(failure) => {
                let told = Refuse::new(state::CANNOT_CONNECT_NOW, &failure.message);
                // The server has left where it can't be told.
                drop(ends.asked.send(dbproto::base::Asked::Refuse(told)));
                return Err(failure);
            }
        }
    }
    Err(CommandError::unreachable(
        "the connection to the server is lost",
    ))
}

struct Taking<'a> {
    repository: &'a Repository,
    wish: &'a Wish,
    taker: Taker,
    writer: Option<BackupWriter>,
    compared: Option<BackupId>,
    found: Found,
    done: Option<Manifest>,
}

impl Taking<'_> {
    /// What a message leads to. The backup, once it is stored.
    fn hear(&mut self, given: Given, ends: &Ends) -> Result<Option<Manifest>> {
        let mut actions = self
            .taker
            .handle(given)
            .map_err(|refuse| refused(&refuse))?;
        while !actions.is_empty() {
            let mut more = Vec::new();
            for action in actions {
                more.extend(self.act(action, ends)?);
            }
            actions = more;
        }
        Ok(self.done.take())
    }

    fn writer(&mut self) -> Result<&mut BackupWriter> {
        let missing =
            || CommandError::error("the server sent pages before it had told what it has");
        self.writer.as_mut().ok_or_else(missing)
    }

    fn act(&mut self, action: TakerAction, ends: &Ends) -> Result<Vec<TakerAction>> {
        match action {
            TakerAction::Send(asked) => {
                let lost = |_| CommandError::unreachable("the connection to the server is lost");
                ends.asked.send(asked).map_err(lost)?;
                Ok(Vec::new())
            }
            TakerAction::Meet(cut) => self.meet(&cut),
            TakerAction::Value {
                database,
                first,
                count,
            } => {
                let values = self.writer()?.values(database, first, count);
                Ok(self.taker.valued(database, first, values))
            }
            TakerAction::Compare {
                database,
                group,
                sums,
            } => {
                let is_equal = |place: u32, crc| {
                    let sum = usize::try_from(place).ok().and_then(|at| sums.get(at));
                    sum == Some(&PageSum::of_crc(crc))
                };
                let pages = self.writer()?.differ(database, group, is_equal);
                Ok(vec![self.taker.differ(database, group, pages)])
            }
            TakerAction::Keep(pages) => {
                let raw = pages.open().map_err(|error| {
                    CommandError::error(format!("the server broke the protocol: {error}"))
                })?;
                let place = (pages.database, pages.group);
                let writer = self.writer()?;
                let kept = if writer.keep(place, pages.pages, pages.value, &raw)? {
                    Kept::Proved
                } else {
                    Kept::Differs
                };
                let next = self.taker.kept(pages.database, pages.group, kept);
                next.map_err(|refuse| refused(&refuse))
            }
            TakerAction::KeepLog { start, bytes } => {
                self.writer()?.keep_log(start, &bytes)?;
                Ok(Vec::new())
            }
            TakerAction::Prove(roots) => self.prove(&roots),
            TakerAction::Complete => Ok(Vec::new()),
            TakerAction::Refused(refuse) => Err(refused(&refuse)),
        }
    }

    fn meet(&mut self, cut: &CutOffer) -> Result<Vec<TakerAction>> {
        let backups = self.repository.backups(cut.environment);
        let catalog = backups.catalog()?;
        let mut previous = None;
        // One that can't be read is no reason to make none: what it has is stored anew, or is in one before it.
        for id in catalog.complete.iter().rev().filter(|_| !self.wish.full) {
            let read = backups.manifest(*id).and_then(|manifest| {
                let table = backups.table(&manifest)?;
                Ok(Previous { manifest, table })
            });
            match read {
                Ok(read) => {
                    previous = Some(read);
                    break;
                }
                Err(error) => crate::output::note(format_args!(
                    "warning: backup {id} can't be compared with: {error}"
                )),
            }
        }
        self.compared = previous.as_ref().map(|it| it.manifest.id);
        let packs: BTreeSet<PackId> = catalog.packs.keys().copied().collect();
        let draft = draft(cut, self.wish)?;
        let writer = BackupWriter::begin(backups, draft, previous.as_ref(), &packs)?;
        let here = writer.here();
        self.writer = Some(writer);
        Ok(self.taker.begin(here))
    }

    fn prove(&mut self, roots: &[(u32, Root)]) -> Result<Vec<TakerAction>> {
        let missing = || CommandError::error("the server sent checksums twice");
        let writer = self.writer.take().ok_or_else(missing)?;
        let status = self.taker.status();
        let pages = (status.equal, status.taken);
        let (manifest, found) = writer.finish(roots, pages, Timestamp::now())?;
        (self.done, self.found) = (Some(manifest), found);
        Ok(self.taker.proved())
    }
}

fn refused(refuse: &Refuse) -> CommandError {
    let failure = CommandError::error(refuse.to_string());
    if refuse.hint.is_empty() {
        failure
    } else {
        failure.with_hint(&refuse.hint)
    }
}

/// What is known of a backup when the cut is.
fn draft(cut: &CutOffer, wish: &Wish) -> Result<Manifest> {
    let names = cut.databases.iter().map(|it| it.name.as_str());
    let texts = names.chain([cut.instance.as_str(), wish.label.as_str()]);
    if let Some(odd) = texts
        .into_iter()
        .find(|text| text.contains(char::is_control))
    {
        return Err(CommandError::error(format!(
            "{odd:?} has a control character, which no backup can keep"
        )));
    }
    let begun = Timestamp::now();
    Ok(Manifest {
        id: BackupId::new(begun, cut.commit),
        environment: cut.environment,
        instance: cut.instance.clone(),
        begun,
        ended: begun,
        label: wish.label.clone(),
        commit: cut.commit,
        time: cut.time,
        redo: cut.redo.point,
        redo_log_bytes: cut.redo.log_bytes,
        redo_commit: cut.redo.commit,
        next_database: cut.next_database,
        log_end: None,
        log: Vec::new(),
        databases: cut
            .databases
            .iter()
            .map(|database| BackedUpDatabase {
                number: database.number,
                pages: database.pages,
                root: Root::from_bytes([0; 32]),
                name: database.name.clone(),
            })
            .collect(),
        branch: wish.branch.clone(),
        pages: StoredObject::of(&[]),
        cost: Cost::default(),
    })
}
