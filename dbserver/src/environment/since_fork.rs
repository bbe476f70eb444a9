//! Pages that were written behind a fork: what tells whether a row may have changed since.
//!
//! The log is read for it, from the fork on and then as it grows, whenever somebody asks: nothing is done for it when a
//! transaction commits.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use fwlog::{Block, BlockDecoder, DatabaseId, Follow, FollowItem, LogPoint, Record};
use pagestore::CommitNumber;

use crate::environment::core::Core;

/// What of the log is known.
#[derive(Default)]
pub(crate) struct SinceFork(Mutex<Option<Known>>);

struct Known {
    /// From here on.
    floor: LogPoint,
    /// Up to here.
    read: LogPoint,
    /// The newest commit up to there.
    commit: u64,
    pages: HashMap<DatabaseId, HashSet<u32>>,
    /// Databases that were made, or replaced, since: every page of them is new.
    whole: HashSet<DatabaseId>,
}

impl Core {
    /// Whether any of these pages of a database was written behind this point of the log, up to a commit at least.
    ///
    /// `None`: it can't be told, because the log does not have all of that (any more).
    pub(crate) fn written_since(
        &self,
        floor: LogPoint,
        database: DatabaseId,
        (pages, commit): (&[u32], CommitNumber),
    ) -> Option<bool> {
        let mut held = self
            .forks()
            .since
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = match held.take() {
            Some(known) if known.floor == floor => known,
            _ => Known::new(floor),
        };
        let known = known.read_on(self)?;
        let told = (known.commit >= commit.get()).then(|| {
            let own = known.pages.get(&database);
            known.whole.contains(&database)
                || own.is_some_and(|own| pages.iter().any(|page| own.contains(page)))
        });
        *held = Some(known);
        told
    }
}

impl Known {
    fn new(floor: LogPoint) -> Self {
        Self {
            floor,
            read: floor,
            commit: 0,
            pages: HashMap::new(),
            whole: HashSet::new(),
        }
    }

    /// Reads what has come to the log. Whatever stands in the way, nothing is known then.
    fn read_on(mut self, core: &Core) -> Option<Self> {
        let location = core.log_location().ok()?;
        let mut follow = Follow::start(location, self.read).ok()?;
        let mut decoder = BlockDecoder::new();
        let mut at = self.read.position;
        loop {
            match follow.next().ok()? {
                FollowItem::Segment {
                    id, header_bytes, ..
                } => at = fwlog::Position::new(id, header_bytes.len() as u64),
                FollowItem::Blocks {
                    mut bytes,
                    last,
                    last_commit,
                    ..
                } => {
                    while !bytes.is_empty() {
                        let block = Block::split_from(&mut bytes, at).ok()?;
                        at = block.end.position;
                        for record in decoder.records(&block).ok()? {
                            self.note(&record.ok()?)?;
                        }
                    }
                    self.read = last;
                    self.commit = last_commit.get();
                }
                FollowItem::Seal { .. } => {}
                FollowItem::UpToDate(durable) => {
                    self.commit = self.commit.max(durable.commit.get());
                    return Some(self);
                }
                FollowItem::Until(_) => return None,
            }
        }
    }

    fn note(&mut self, record: &Record<'_>) -> Option<()> {
        let (database, pages) = match record {
            Record::Commit(commit) => (commit.database, commit.pages),
            Record::Part(part) => (part.database, part.pages),
            Record::CreateDatabase { id, .. } | Record::RestoreDatabase { id, .. } => {
                self.whole.insert(*id);
                return Some(());
            }
            Record::DropDatabase { .. }
            | Record::RenameDatabase { .. }
            | Record::Generation(_)
            | Record::Checkpoint { .. }
            | Record::Access { .. }
            | Record::Audit(_)
            | Record::Copied { .. } => return Some(()),
        };
        let own = self.pages.entry(database).or_default();
        for change in pages {
            own.insert(change.ok()?.page.get());
        }
        Some(())
    }
}
