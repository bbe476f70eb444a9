//! The log behind the fork as lines: transactions with their rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use disk::Disk;
use fwlog::{Block, Commit, DatabaseId, GenerationId, Part, Record, TransactionId};
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::broken::Broken;
use crate::collect::Collect;
use crate::description::{Description, FileProof};
use crate::error::Error;
use crate::facts::{Facts, ForkState};
use crate::hashed_file::HashedFile;
use crate::line::{End, Event, EventKind};
use crate::parts::{Parts, Under};
use crate::scratch::Scratch;
use crate::script::Script;
use crate::state::{Database, Written, keep_part};
use crate::tail::Take;
use crate::transaction::{AuditLine, Transaction};

/// A database behind the fork.
struct Known<'a> {
    name: String,
    /// Its rows, or why they can't be told from here on.
    rows: Result<Box<Database<'a>>, String>,
}

/// Reads the log, and writes `lost.jsonl` and `lost.sql`.
pub(crate) struct Replay<'a> {
    description: Description,
    generation: GenerationId,
    databases: BTreeMap<DatabaseId, Known<'a>>,
    scratch: Rc<Scratch>,
    /// Transactions whose commit is still to come.
    under_way: FxHashMap<TransactionId, Under>,
    /// Those of before the fork.
    earlier: Parts,
    broken: Vec<Broken>,
    audit: Vec<AuditLine>,
    lines: HashedFile,
    script: Script,
}

/// What came of it.
pub(crate) struct Told {
    pub(crate) description: Description,
    pub(crate) broken: Vec<Broken>,
    pub(crate) lines: FileProof,
    pub(crate) script: FileProof,
}

impl<'a> Replay<'a> {
    pub(crate) fn begin(
        (disk, directory): (&Disk, &Path),
        facts: &Facts,
        state: &ForkState<'a>,
        (earlier, scratch): (Parts, Rc<Scratch>),
    ) -> Result<Self, Error> {
        let mut description = Description::begin(facts);
        let mut databases = BTreeMap::new();
        match state {
            ForkState::Known(all) => {
                for database in all {
                    let known = Known {
                        name: database.name.clone(),
                        rows: Ok(Box::new(Database::of(database.pages, &scratch))),
                    };
                    databases.insert(database.id, known);
                }
            }
            ForkState::Unknown { why, names } => {
                description.doubt(why);
                for (id, name) in names {
                    let known = Known {
                        name: name.clone(),
                        rows: Err(why.clone()),
                    };
                    databases.insert(*id, known);
                }
            }
        }
        Ok(Self {
            generation: facts.fork.generation,
            lines: HashedFile::create(disk, directory.join("lost.jsonl"))?,
            script: Script::create(disk, directory.join("lost.sql"), &description)?,
            description,
            databases,
            scratch,
            under_way: FxHashMap::default(),
            earlier,
            broken: Vec::new(),
            audit: Vec::new(),
        })
    }

    /// All was read.
    pub(crate) fn end(mut self) -> Result<Told, Error> {
        self.void();
        let end = End {
            end: self.description.transactions,
            blake3: self.lines.hash(),
        };
        self.line(&end)?;
        self.description.broken = self.broken.len() as u64;
        Ok(Told {
            lines: self.lines.end()?,
            script: self.script.end()?,
            description: self.description,
            broken: self.broken,
        })
    }

    fn line<T: Serialize>(&mut self, line: &T) -> Result<(), Error> {
        let mut text = serde_json::to_string(line).map_err(|error| Error::Block {
            at: fwlog::Position::ORIGIN,
            why: format!("a line of lost.jsonl can't be written: {error}"),
        })?;
        text.push('\n');
        self.lines.put(text.as_bytes())
    }

    /// Transactions whose commit does not come any more.
    fn void(&mut self) {
        for (id, under) in self.under_way.drain() {
            let known = self.databases.get(&under.database);
            self.broken.push(Broken {
                transaction: id.get(),
                database: known.map_or_else(|| unnamed(under.database), |it| it.name.clone()),
                pages: under.written.len() as u64,
                first: under.first.to_string(),
            });
        }
        self.broken.sort_by_key(|broken| broken.transaction);
    }

    fn commit(&mut self, commit: &Commit<'_>, block: &Block) -> Result<(), Error> {
        let (written, missing) = self.parts_of(commit);
        let id = commit.database;
        let mut line = Transaction {
            id: format!("{}/{}", self.generation, commit.number),
            time: commit.time.to_string(),
            database: unnamed(id),
            block: block.start.to_string(),
            untold: None,
            audit: std::mem::take(&mut self.audit),
            ddl: Vec::new(),
            renumbered: Vec::new(),
            tables: Vec::new(),
            changes: Vec::new(),
        };
        let untold = match self.databases.get_mut(&id) {
            None => {
                Err("the database was not there at the fork, and was not made behind it".into())
            }
            Some(known) => {
                line.database.clone_from(&known.name);
                let mut done = match &mut known.rows {
                    Err(why) => Err(why.clone()),
                    Ok(_) if missing.is_some() => Err(missing.unwrap_or_default()),
                    Ok(database) => {
                        let mut collect = Collect::new(&mut line);
                        let done = database.commit(commit, written, &mut |change| {
                            collect.take(change);
                            Ok(())
                        });
                        collect.end();
                        done
                    }
                };
                if let Err(why) = &mut done {
                    // What comes behind it builds upon it.
                    known.rows = Err(why.clone());
                }
                done
            }
        };
        if let Err(why) = untold {
            self.description.doubt(&why);
            line.ddl.clear();
            line.renumbered.clear();
            line.tables.clear();
            line.changes.clear();
            line.untold = Some(why);
        }
        let named = self.description.databases.contains(&line.database);
        if !named {
            self.description.databases.push(line.database.clone());
        }
        let generation = self.generation.to_string();
        if !self.description.generations.contains(&generation) {
            self.description.generations.push(generation);
        }
        self.description.transactions += 1;
        self.description.changes += (line.changes.len() + line.ddl.len()) as u64;
        self.description.end.commit = commit.number.get();
        self.description.end.time = Some(commit.time.to_string());
        self.script.transaction(&line)?;
        self.line(&line)
    }

    /// The pages that came before the commit of a large transaction, and what of them is missing.
    fn parts_of(&mut self, commit: &Commit<'_>) -> (Written, Option<String>) {
        let Some(id) = commit.transaction else {
            return (Written::default(), None);
        };
        let (mut written, missing) = self.earlier.take(id);
        let behind = self.under_way.remove(&id);
        written.extend(behind.map(|under| under.written).unwrap_or_default());
        (written, missing)
    }

    fn part(&mut self, part: &Part<'_>, block: &Block) {
        let under = self
            .under_way
            .entry(part.transaction)
            .or_insert_with(|| Under {
                database: part.database,
                first: block.start,
                written: Written::default(),
            });
        if let Err(why) = keep_part(part, &mut under.written, &self.scratch)
            && let Some(known) = self.databases.get_mut(&part.database)
            && known.rows.is_ok()
        {
            known.rows = Err(why);
        }
    }

    fn event(
        &mut self,
        event: EventKind,
        database: &str,
        formerly: Option<&str>,
        block: &Block,
    ) -> Result<(), Error> {
        let event = Event {
            event,
            database: database.to_owned(),
            formerly: formerly.map(str::to_owned),
            block: block.start.to_string(),
        };
        self.script.event(&event)?;
        self.line(&event)
    }

    /// A database without content.
    fn made(&mut self, id: DatabaseId, name: &str) {
        let known = Known {
            name: name.to_owned(),
            rows: Ok(Box::new(Database::empty(&self.scratch))),
        };
        self.databases.insert(id, known);
    }
}

/// A database whose name nobody has told.
fn unnamed(id: DatabaseId) -> String {
    format!("database number {id}")
}

impl Take for Replay<'_> {
    fn record(&mut self, record: &Record<'_>, block: &Block) -> Result<(), Error> {
        match record {
            Record::Audit(audit) => self.audit.push(AuditLine {
                user: audit.user.to_owned(),
                client: audit.client.to_owned(),
                statement: audit.statement.to_owned(),
            }),
            Record::Commit(commit) => self.commit(commit, block)?,
            Record::Part(part) => self.part(part, block),
            Record::Generation(_) => {
                self.void();
                self.generation = GenerationId::new(block.end.hash);
            }
            Record::CreateDatabase { id, name, .. } => {
                self.made(*id, name);
                self.event(EventKind::Create, name, None, block)?;
            }
            Record::RestoreDatabase { id, name, .. } => {
                self.made(*id, name);
                self.event(EventKind::Restore, name, None, block)?;
            }
            Record::RenameDatabase { id, old_name, name } => {
                if let Some(known) = self.databases.get_mut(id) {
                    (*name).clone_into(&mut known.name);
                }
                self.event(EventKind::Rename, name, Some(old_name), block)?;
            }
            Record::DropDatabase { id, name } => {
                self.databases.remove(id);
                self.event(EventKind::Drop, name, None, block)?;
            }
            Record::Checkpoint { .. } | Record::Access { .. } | Record::Copied { .. } => {}
        }
        Ok(())
    }

    fn block_ends(&mut self, block: &Block) -> Result<(), Error> {
        self.audit.clear();
        self.description.end.position = block.end.position.to_string();
        self.description.end.hash = block.end.hash.to_string();
        Ok(())
    }
}
