//! Records of the log become page versions; no SQLite on this way.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dbconfig::Apply;
use fwlog::{
    Block, BlockDecoder, Commit, CommitNumber, DatabaseAccess, DatabaseId, Position, Record,
    Records,
};
use pagestore::Horizon;

use crate::apply::batch::Batch;
use crate::apply::disk_retry::{DiskRetry, with_retry};
use crate::apply::history::{History, Undo};
use crate::apply::parts::{PartPages, Parts};
use crate::apply::readers::{self, ReaderWatch, Readers};
use crate::apply::rules;
use crate::apply::scratch::Scratch;
use crate::databases::control::DatabaseEntry;
use crate::databases::database::Database;
use crate::databases::files::DatabaseFiles;
use crate::databases::list::Databases;
use crate::databases::openings::Claim;
use crate::databases::replication_use::{Bearing, ReplicationUse};
use crate::error::EngineError;

/// Bytes of records that are applied before the pages are published: each page is made once a run,
/// however often the run touches it, and the run's pages are in memory until then.
const PUBLISH_BYTES: u64 = 16 << 20;

/// Applies whole blocks in log order.
#[derive(Debug)]
pub struct Applier {
    databases: Arc<Databases>,
    /// Which of them get pages.
    apply: Apply,
    files: DatabaseFiles,
    horizon: Arc<Horizon>,
    parts: Parts,
    batches: HashMap<DatabaseId, Batch>,
    /// Where pages go while there are too many versions in memory.
    scratch: Scratch,
    /// Bytes of records since the last `publish`.
    unpublished: u64,
    last: CommitNumber,
    /// Who waits when a disk is full or fails.
    retry: Option<Arc<dyn DiskRetry>>,
    readers: Readers,
    decoder: BlockDecoder,
    /// The last `Checkpoint` record's redo position, and the databases as they were there.
    checkpoint: Option<(Position, Vec<DatabaseEntry>)>,
    /// Changes of the list of databases since the last `Checkpoint` record's redo point.
    history: History,
    /// During redo: see [`Applier::begin_redo`].
    redo: Option<Redo>,
}

/// Databases that redo has met commits of and does not have, with the first place: they must be dropped later on.
type Redo = BTreeMap<DatabaseId, Position>;

impl Applier {
    /// An applier that goes on after commit `last`. A database that is made gets pages where `apply` says so.
    pub fn new(
        (databases, apply): (Arc<Databases>, Apply),
        files: DatabaseFiles,
        horizon: Arc<Horizon>,
        scratch_dir: PathBuf,
        last: CommitNumber,
    ) -> Self {
        Self {
            databases,
            apply,
            parts: Parts::new(Scratch::new(files.disk().clone(), scratch_dir.clone())),
            scratch: Scratch::new(files.disk().clone(), scratch_dir),
            unpublished: 0,
            files,
            horizon,
            batches: HashMap::new(),
            last,
            retry: None,
            readers: Readers::default(),
            decoder: BlockDecoder::new(),
            checkpoint: None,
            history: History::default(),
            redo: None,
        }
    }

    /// What comes now is redo, which may begin before the list of databases that it has: where a transaction was
    /// in the log in parts when a checkpoint began, redo starts at its parts, and the list is that of the checkpoint. What
    /// was dropped, made or renamed in between is dropped, made and named once more.
    pub fn begin_redo(&mut self) {
        self.redo = Some(Redo::default());
    }

    /// Redo is over.
    ///
    /// Errors: a database that it has met commits of is not there, and was not dropped later on.
    pub fn end_redo(&mut self) -> Result<(), EngineError> {
        let missing = self.redo.take().unwrap_or_default();
        match missing.into_iter().next() {
            Some((id, at)) => Err(no_database(id, at)),
            None => Ok(()),
        }
    }

    /// From now on a disk that is full or fails is waited for, and does not end applying.
    pub fn wait_for(&mut self, retry: &Arc<dyn DiskRetry>) {
        self.parts.wait_for(Arc::clone(retry));
        self.scratch.wait_for(Arc::clone(retry));
        self.retry = Some(Arc::clone(retry));
    }

    /// From now on readers are waited for, and do not end applying; so long at most, if there is a limit.
    pub fn wait_for_readers(&mut self, watch: Arc<dyn ReaderWatch>, limit: Option<Duration>) {
        self.readers.wait_for(watch, limit);
    }

    /// Whether readers hold back some of what was applied: [`Applier::publish`] tries again.
    pub fn is_held_back(&self) -> bool {
        self.readers.hold_back()
    }

    /// Does what belongs to applying; a disk that is full or fails is waited for, where somebody waits.
    pub fn retried<T>(
        &self,
        work: impl FnMut() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        with_retry(self.retry.as_ref(), work)
    }

    /// The newest commit applied.
    pub fn last(&self) -> CommitNumber {
        self.last
    }

    /// Takes in a block. Nothing is visible before `publish`.
    pub fn apply(&mut self, block: &Block) -> Result<(), EngineError> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let at = block.start;
        self.unpublished += u64::from(block.head.raw_length);
        let result = match decoder.records(block) {
            Ok(records) => self.records(records, at),
            Err(why) => Err(EngineError::Corrupt(format!("block at {at}: {why}"))),
        };
        self.decoder = decoder;
        result?;
        let (here, told) = (self.last, block.head.last_commit);
        if here != told {
            let why = format!("block at {at}: commit {here} is its last one, not {told}");
            return Err(EngineError::Corrupt(why));
        }
        Ok(())
    }

    /// Whether a `Checkpoint` record was applied that was not taken yet.
    pub fn has_checkpoint(&self) -> bool {
        self.checkpoint.is_some()
    }

    /// The last `Checkpoint` record's redo position, and the databases as they were there: a slave that shows all
    /// before it may make its own checkpoint.
    pub fn take_checkpoint(&mut self) -> Option<(Position, Vec<DatabaseEntry>)> {
        self.checkpoint.take()
    }

    /// Whether so much was applied that it should be published, however much is to come.
    pub fn is_due(&self) -> bool {
        self.unpublished >= PUBLISH_BYTES
    }

    /// Shows all that was applied since the last call, as one step; but for databases that readers hold back.
    pub fn publish(&mut self) -> Result<(), EngineError> {
        self.unpublished = 0;
        let memory_budget = self.files.memory_budget();
        let full = memory_budget.full().load(Ordering::Relaxed);
        let mut pages = 0;
        for (id, mut batch) in std::mem::take(&mut self.batches) {
            let database = Arc::clone(batch.database());
            let used = batch.replication_use();
            let claim = database.openings().claim(used);
            match claim {
                Ok(_claim) => {
                    pages += batch.publish(full.then_some(&mut self.scratch))?;
                    database.store().release();
                    self.readers.over(id);
                }
                Err(by) => {
                    // The others go on: the horizon must not show what is half of a database's history.
                    database.store().hold();
                    self.readers.note(&database, used, *by);
                    batch.hold(&mut self.scratch)?;
                    self.batches.insert(id, batch);
                }
            }
        }
        self.readers.tell();
        if memory_budget.note(pages) {
            memory_budget.count(self.databases.memory_bytes());
        }
        if !full {
            self.scratch.let_go();
        }
        let last = pagestore::CommitNumber::new(self.last.get());
        assert!(
            last >= self.horizon.durable(),
            "what is visible was applied before (invariants 2 and 3)"
        );
        self.horizon.advance(last);
        Ok(())
    }

    fn records(&mut self, records: Records<'_>, at: Position) -> Result<(), EngineError> {
        for record in records {
            let record =
                record.map_err(|why| EngineError::Corrupt(format!("block at {at}: {why}")))?;
            match record {
                Record::Commit(commit) => self.commit(&commit, at)?,
                Record::Part(part) if self.databases.is_left_out(part.database) => {}
                Record::Part(part) => self.parts.collect(&part, at)?,
                Record::Checkpoint { redo } => {
                    rules::check_checkpoint(redo, at)?;
                    self.parts.forget_before(redo);
                    let databases = self.history.before(redo, self.databases.entries());
                    self.checkpoint = Some((redo, databases));
                }
                Record::CreateDatabase { id, name, .. } => self.create(id, name, at)?,
                Record::DropDatabase { id, .. } => self.drop_database(id, at)?,
                Record::RenameDatabase { id, name, .. } => self.rename(id, name, at)?,
                Record::RestoreDatabase { .. } => {
                    return Err(EngineError::Corrupt(format!(
                        "block at {at}: a restore record, which this version does not write"
                    )));
                }
                Record::Access { id, access } => self.note_access(id, access),
                Record::Generation(_) | Record::Audit(_) => {}
                Record::Copied { .. } => {
                    return Err(EngineError::Corrupt(format!(
                        "block at {at}: a record of a log of audit records alone"
                    )));
                }
            }
        }
        Ok(())
    }

    /// A session of the master takes a database for itself, or leaves it.
    fn note_access(&self, id: DatabaseId, access: DatabaseAccess) {
        if let Some(database) = self.databases.by_id(id) {
            database.openings().note_master(access);
        }
    }

    fn commit(&mut self, commit: &Commit<'_>, at: Position) -> Result<(), EngineError> {
        if commit.number != self.last.next() {
            return Err(EngineError::Corrupt(format!(
                "block at {at}: commit {} follows commit {}",
                commit.number.get(),
                self.last.get()
            )));
        }
        if self.databases.is_left_out(commit.database) {
            self.last = commit.number;
            return Ok(());
        }
        let parts = match commit.transaction {
            Some(transaction) => self.parts.take(transaction, commit.database, at)?,
            None => PartPages::new(),
        };
        if !self.batches.contains_key(&commit.database) {
            match (self.databases.by_id(commit.database), &mut self.redo) {
                (Some(database), _) => {
                    let batch = Batch::new(database, self.retry.clone());
                    self.batches.insert(commit.database, batch);
                }
                (None, Some(missing)) => {
                    missing.entry(commit.database).or_insert(at);
                }
                (None, None) => return Err(no_database(commit.database, at)),
            }
        }
        if let Some(batch) = self.batches.get_mut(&commit.database) {
            batch.add(commit, parts, at)?;
        }
        self.last = commit.number;
        Ok(())
    }

    /// Whatever a crash has left of the file, all that belongs in it is in the log from here on.
    fn create(&mut self, id: DatabaseId, name: &str, at: Position) -> Result<(), EngineError> {
        // What was before a change of the list is shown.
        self.publish()?;
        if self.databases.file_of(id).is_none() {
            let entries = self.databases.entries();
            rules::check_create(id, name, entries.len(), at)?;
            let entry = DatabaseEntry {
                id,
                name: name.to_owned(),
                file: self.databases.file_for(id, name),
                applied: self.apply.takes(name),
            };
            self.history.note(at, Undo::Remove(id));
            if !entry.applied {
                // It may have had pages before the last crash or stop.
                self.files.discard(&entry.file);
                tracing::info!(database = name, "this database is not applied here");
                self.databases.leave_out(entry);
                return Ok(());
            }
            let database: Database = with_retry(self.retry.as_ref(), || {
                Ok(self.files.create(entry.clone(), &self.horizon)?)
            })?;
            self.databases.insert(Arc::new(database));
        } else if self.redo.is_some() {
            // It has its last name already, and goes through all of them again, as the others do.
            self.databases.rename(id, name);
        }
        Ok(())
    }

    fn drop_database(&mut self, id: DatabaseId, at: Position) -> Result<(), EngineError> {
        rules::check_change(id, at)?;
        let Some(database) = self.databases.by_id(id) else {
            if let Some(missing) = &mut self.redo {
                missing.remove(&id);
            }
            if let Some(left_out) = self.databases.forget_left_out(id) {
                self.history.note(at, Undo::Add(left_out));
            }
            return self.publish();
        };
        let claim = self.claim_alone(&database)?;
        self.databases.remove(id);
        self.history.note(at, Undo::Add(database.entry()));
        self.files.remove(&database);
        claim.remove();
        Ok(())
    }

    /// Shows all that was before a change of the list, and waits until nobody has the database open whom it takes by
    /// surprise. Who only looks has to leave.
    fn claim_alone<'d>(&mut self, database: &'d Database) -> Result<Claim<'d>, EngineError> {
        let used = ReplicationUse::Removes;
        loop {
            self.publish()?;
            if !self.batches.contains_key(&database.id()) {
                let last_word = readers::removed(&database.name());
                let openings = database.openings();
                openings.end(used, Bearing::Leaves, &last_word);
                match openings.claim(used) {
                    Ok(claim) => {
                        self.readers.over(database.id());
                        self.readers.tell();
                        return Ok(claim);
                    }
                    Err(by) => self.readers.note(database, used, *by),
                }
                self.readers.tell();
            }
            if !self.readers.wait() {
                return Err(EngineError::ShuttingDown);
            }
        }
    }

    fn rename(&mut self, id: DatabaseId, name: &str, at: Position) -> Result<(), EngineError> {
        rules::check_change(id, at)?;
        rules::check_name(name, at)?;
        if let Some(left_out) = self.databases.left_out().into_iter().find(|it| it.id == id) {
            self.history.note(at, Undo::Rename(id, left_out.name));
            self.databases.rename(id, name);
            return self.publish();
        }
        let Some(database) = self.databases.by_id(id) else {
            return self.publish();
        };
        let _claim = self.claim_alone(&database)?;
        self.history.note(at, Undo::Rename(id, database.name()));
        self.databases.rename(id, name);
        Ok(())
    }
}

fn no_database(id: DatabaseId, at: Position) -> EngineError {
    EngineError::Corrupt(format!(
        "block at {at}: a commit in database number {}, which does not exist",
        id.get()
    ))
}
