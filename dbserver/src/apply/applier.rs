//! Records of the log become page versions; no SQLite on this way.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use fwlog::{Block, BlockDecoder, Commit, CommitNumber, DatabaseId, Position, Record, Records};
use pagestore::Horizon;

use crate::apply::batch::Batch;
use crate::apply::disk_retry::{DiskRetry, with_retry};
use crate::apply::history::{History, Undo};
use crate::apply::parts::{PartPages, Parts};
use crate::apply::rules;
use crate::apply::scratch::Scratch;
use crate::databases::control::DatabaseEntry;
use crate::databases::database::Database;
use crate::databases::files::DatabaseFiles;
use crate::databases::list::Databases;
use crate::error::EngineError;

/// Bytes of records that are applied before the pages are published: each page is made once a run,
/// however often the run touches it, and the run's pages are in memory until then.
const PUBLISH_BYTES: u64 = 16 << 20;

/// What a run of blocks brought beside pages.
#[derive(Debug, Default)]
pub struct Applied {
    /// The last `Checkpoint` record's redo position, and the databases as they were there: a slave
    /// may make its own checkpoint.
    pub checkpoint: Option<(Position, Vec<DatabaseEntry>)>,
}

/// Applies whole blocks in log order.
#[derive(Debug)]
pub struct Applier {
    databases: Arc<Databases>,
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
    decoder: BlockDecoder,
    /// Changes of the list of databases since the last `Checkpoint` record's redo point.
    history: History,
}

impl Applier {
    /// An applier that goes on after commit `last`.
    pub fn new(
        databases: Arc<Databases>,
        files: DatabaseFiles,
        horizon: Arc<Horizon>,
        scratch_dir: PathBuf,
        last: CommitNumber,
    ) -> Self {
        Self {
            databases,
            parts: Parts::new(Scratch::new(files.disk().clone(), scratch_dir.clone())),
            scratch: Scratch::new(files.disk().clone(), scratch_dir),
            unpublished: 0,
            files,
            horizon,
            batches: HashMap::new(),
            last,
            retry: None,
            decoder: BlockDecoder::new(),
            history: History::default(),
        }
    }

    /// From now on a disk that is full or fails is waited for, and does not end applying.
    pub fn wait_for(&mut self, retry: &Arc<dyn DiskRetry>) {
        self.parts.wait_for(Arc::clone(retry));
        self.scratch.wait_for(Arc::clone(retry));
        self.retry = Some(Arc::clone(retry));
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
    pub fn apply(&mut self, block: &Block, applied: &mut Applied) -> Result<(), EngineError> {
        let mut decoder = std::mem::take(&mut self.decoder);
        let at = block.start;
        self.unpublished += u64::from(block.head.raw_length);
        let result = match decoder.records(block) {
            Ok(records) => self.records(records, at, applied),
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

    /// Whether so much was applied that it should be published, however much is to come.
    pub fn is_due(&self) -> bool {
        self.unpublished >= PUBLISH_BYTES
    }

    /// Shows all that was applied since the last call, as one step.
    pub fn publish(&mut self) -> Result<(), EngineError> {
        self.unpublished = 0;
        let memory_budget = self.files.memory_budget();
        let full = memory_budget.full().load(Ordering::Relaxed);
        let mut pages = 0;
        for (_, batch) in self.batches.drain() {
            pages += batch.publish(full.then_some(&mut self.scratch))?;
        }
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

    fn records(
        &mut self,
        records: Records<'_>,
        at: Position,
        applied: &mut Applied,
    ) -> Result<(), EngineError> {
        for record in records {
            let record =
                record.map_err(|why| EngineError::Corrupt(format!("block at {at}: {why}")))?;
            match record {
                Record::Commit(commit) => self.commit(&commit, at)?,
                Record::Part(part) => self.parts.collect(&part, at)?,
                Record::Checkpoint { redo } => {
                    rules::check_checkpoint(redo, at)?;
                    self.parts.forget_before(redo);
                    let databases = self.history.before(redo, self.databases.entries());
                    applied.checkpoint = Some((redo, databases));
                }
                Record::CreateDatabase { id, name, .. } => self.create(id, name, at)?,
                Record::DropDatabase { id, .. } => self.drop_database(id, at)?,
                Record::RenameDatabase { id, name, .. } => self.rename(id, name, at)?,
                Record::RestoreDatabase { .. } => {
                    return Err(EngineError::Corrupt(format!(
                        "block at {at}: a restore record, which this version does not write"
                    )));
                }
                Record::Generation(_) | Record::Access { .. } | Record::Audit(_) => {}
            }
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>, at: Position) -> Result<(), EngineError> {
        if commit.number != self.last.next() {
            return Err(EngineError::Corrupt(format!(
                "block at {at}: commit {} follows commit {}",
                commit.number.get(),
                self.last.get()
            )));
        }
        let parts = match commit.transaction {
            Some(transaction) => self.parts.take(transaction, commit.database, at)?,
            None => PartPages::new(),
        };
        if !self.batches.contains_key(&commit.database) {
            let database = self.databases.by_id(commit.database).ok_or_else(|| {
                EngineError::Corrupt(format!(
                    "block at {at}: a commit in database number {}, which does not exist",
                    commit.database.get()
                ))
            })?;
            self.batches
                .insert(commit.database, Batch::new(database, self.retry.clone()));
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
        if self.databases.by_id(id).is_none() {
            rules::check_create(id, name, self.databases.count(), at)?;
            let entry = DatabaseEntry {
                id,
                name: name.to_owned(),
                file: self.databases.file_for(id, name),
            };
            let database: Database = with_retry(self.retry.as_ref(), || {
                Ok(self.files.create(entry.clone(), &self.horizon)?)
            })?;
            self.databases.insert(Arc::new(database));
            self.history.note(at, Undo::Remove(id));
        }
        Ok(())
    }

    fn drop_database(&mut self, id: DatabaseId, at: Position) -> Result<(), EngineError> {
        rules::check_change(id, at)?;
        self.publish()?;
        if let Some(database) = self.databases.remove(id) {
            self.history.note(at, Undo::Add(database.entry()));
            self.files.remove(&database);
        }
        Ok(())
    }

    fn rename(&mut self, id: DatabaseId, name: &str, at: Position) -> Result<(), EngineError> {
        rules::check_change(id, at)?;
        rules::check_name(name, at)?;
        self.publish()?;
        if let Some(database) = self.databases.by_id(id) {
            self.history.note(at, Undo::Rename(id, database.name()));
            self.databases.rename(id, name);
        }
        Ok(())
    }
}
