//! The state at a point of a log that has all from the creation of its environment on.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use disk::Disk;
use fwlog::{
    Block, DatabaseId, LogPoint, Position, Record, SegmentId, SegmentReader, SegmentStore,
    TransactionId,
};
use rustc_hash::FxHashMap;

use crate::error::Error;
use crate::facts::ForkDatabase;
use crate::scratch::Scratch;
use crate::state::{State, Written, keep_part};
use crate::tail::{self, Take};

/// All databases as they were at a point, made from the log alone: it is read from its beginning, so this takes as long as
/// a recovery of all of it. Pages beyond 128 MiB are in a file without a name.
pub struct LogState {
    databases: BTreeMap<DatabaseId, (String, State<'static>)>,
}

impl LogState {
    /// Reads the log up to a point. `None`: it does not begin with its environment, so others have to say the state.
    ///
    /// Errors: the log can't be read, is damaged, or does not have the point.
    pub fn read(
        log: &SegmentStore,
        up_to: LogPoint,
        (disk, scratch): (&Disk, &Path),
    ) -> Result<Option<Self>, Error> {
        let directory = &log.location().directory;
        let all = log.list().map_err(Error::io("list", directory))?;
        if all.first() != Some(&SegmentId::FIRST) {
            return Ok(None);
        }
        let scratch = Scratch::create(disk, scratch).map_err(Error::io("write in", scratch))?;
        let reader = SegmentReader::open_in(log, SegmentId::FIRST)?;
        let mut reading = Reading {
            up_to,
            last: reader.point(),
            scratch: Rc::new(scratch),
            databases: BTreeMap::new(),
            under_way: FxHashMap::default(),
        };
        let begin = reader.point();
        // A log that begins behind a state has no commits of it.
        if reader.header().last_commit.get() != 0 {
            return Ok(None);
        }
        tail::each(log, begin, &mut reading)?;
        if reading.last != up_to {
            return Err(Error::NotThere {
                directory: directory.clone(),
                at: up_to,
            });
        }
        Ok(Some(Self {
            databases: reading.databases,
        }))
    }

    /// The databases, as [`ForkState::Known`](crate::ForkState::Known) takes them.
    pub fn databases(&self) -> Vec<ForkDatabase<'_>> {
        let all = self.databases.iter();
        all.map(|(id, (name, state))| ForkDatabase {
            id: *id,
            name: name.clone(),
            pages: state,
        })
        .collect()
    }
}

struct Reading {
    up_to: LogPoint,
    /// The newest border up to the point.
    last: LogPoint,
    scratch: Rc<Scratch>,
    databases: BTreeMap<DatabaseId, (String, State<'static>)>,
    under_way: FxHashMap<TransactionId, Written>,
}

impl Reading {
    fn take(&mut self, record: &Record<'_>, at: Position) -> Result<(), Error> {
        let failed = |why| Error::Block { at, why };
        match record {
            Record::CreateDatabase { id, name, .. } | Record::RestoreDatabase { id, name, .. } => {
                let state = State::on(None, &self.scratch);
                self.databases.insert(*id, ((*name).to_owned(), state));
            }
            Record::RenameDatabase { id, name, .. } => {
                if let Some((known, _)) = self.databases.get_mut(id) {
                    (*name).clone_into(known);
                }
            }
            Record::DropDatabase { id, .. } => {
                self.databases.remove(id);
            }
            Record::Part(part) => {
                let written = self.under_way.entry(part.transaction).or_default();
                keep_part(part, written, &self.scratch).map_err(failed)?;
            }
            Record::Commit(commit) => {
                let parts = commit.transaction.and_then(|id| self.under_way.remove(&id));
                if let Some((_, state)) = self.databases.get_mut(&commit.database) {
                    let done = state.advance(commit, parts.unwrap_or_default());
                    done.map_err(failed)?;
                }
            }
            Record::Generation(_) => self.under_way.clear(),
            Record::Checkpoint { .. }
            | Record::Access { .. }
            | Record::Audit(_)
            | Record::Copied { .. } => {}
        }
        Ok(())
    }
}

impl Take for Reading {
    fn record(&mut self, record: &Record<'_>, block: &Block) -> Result<(), Error> {
        if block.end.position > self.up_to.position {
            return Ok(());
        }
        self.take(record, block.start)
    }

    fn block_ends(&mut self, block: &Block) -> Result<(), Error> {
        if block.end.position <= self.up_to.position {
            self.last = block.end;
        }
        Ok(())
    }
}
