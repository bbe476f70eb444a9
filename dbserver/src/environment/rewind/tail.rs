//! What a log has behind a point: how much of it a person would miss, which pages it has written, and what it has done to the
//! list of databases.

use std::collections::{BTreeMap, BTreeSet};

use fwlog::{
    CommitNumber, DatabaseId, LogPoint, Pages, Position, Record, SegmentStore, Timestamp,
    TransactionId,
};
use lost::Met;
use rustc_hash::FxHashSet;

use crate::databases::control::DatabaseEntry;
use crate::environment::left_behind::read_behind;
use crate::error::EngineError;

/// The pages of one database that were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) pages: BTreeSet<u32>,
    /// Behind the smallest size that it had, all pages are others.
    pub(super) smallest: Option<u32>,
}

/// A change of the list of databases.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Made(DatabaseId),
    Removed(DatabaseId, String),
    Renamed(DatabaseId, String),
}

/// See the module's page.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// Commits, and databases made, removed or renamed.
    pub(super) transactions: u64,
    /// Of those the commits.
    pub(super) commits: u64,
    /// Where the block of the first of them begins.
    pub(super) first: Option<Position>,
    /// The newest commit.
    pub(super) last: Option<CommitNumber>,
    /// Where the log ends.
    pub(super) end: LogPoint,
    /// When the newest of its commits was made; without one, zero.
    pub(super) time: Timestamp,
    /// By database, also of those that were made there.
    pub(super) written: BTreeMap<DatabaseId, Written>,
    changes: Vec<Change>,
    /// Transactions whose parts may stand before the point, though their commit is behind it.
    in_parts: FxHashSet<TransactionId>,
}

impl Tail {
    /// Reads all that the log has behind this point of it.
    ///
    /// Errors: it is no border of this log, or what is behind it can't be read.
    pub(super) fn read(store: &SegmentStore, at: LogPoint) -> Result<Self, EngineError> {
        let mut tail = Self {
            transactions: 0,
            commits: 0,
            first: None,
            last: None,
            end: at,
            time: Timestamp::from_micros(0),
            written: BTreeMap::new(),
            changes: Vec::new(),
            in_parts: FxHashSet::default(),
        };
        tail.end = read_behind(store, at, &mut |record, block| tail.note(record, block))?;
        Ok(tail)
    }

    fn note(&mut self, record: &Record<'_>, block: Position) -> Result<(), EngineError> {
        match record {
            Record::Commit(commit) => {
                self.commits += 1;
                self.last = Some(commit.number);
                self.time = commit.time;
                self.in_parts.extend(commit.transaction);
                let written = self.written.entry(commit.database).or_default();
                let smallest = written.smallest.unwrap_or(u32::MAX);
                written.smallest = Some(smallest.min(commit.page_count));
                note_pages(written, commit.pages, block)?;
            }
            Record::Part(part) => {
                // Void without a commit, and nothing is lost by taking it for written.
                return note_pages(
                    self.written.entry(part.database).or_default(),
                    part.pages,
                    block,
                );
            }
            Record::CreateDatabase { id, .. } => self.changes.push(Change::Made(*id)),
            Record::DropDatabase { id, name } | Record::RestoreDatabase { id, name, .. } => {
                self.changes.push(Change::Removed(*id, (*name).to_owned()));
            }
            Record::RenameDatabase { id, old_name, .. } => {
                self.changes
                    .push(Change::Renamed(*id, (*old_name).to_owned()));
            }
            Record::Generation(_)
            | Record::Checkpoint { .. }
            | Record::Access { .. }
            | Record::Audit(_)
            | Record::Copied { .. } => return Ok(()),
        }
        self.transactions += 1;
        self.first.get_or_insert(block);
        Ok(())
    }

    /// Notes the pages of parts that stand before the point, of transactions whose commit is behind it: a data file may have
    /// them. `Some`: why the log does not tell all of them.
    ///
    /// Errors: the log can't be read.
    pub(super) fn note_parts_before(
        &mut self,
        store: &SegmentStore,
        at: LogPoint,
    ) -> Result<Option<String>, EngineError> {
        let written = &mut self.written;
        let missing = lost::parts_before(store, at, &self.in_parts, &mut |met| match met {
            Met::Part(part) => {
                let written = written.entry(part.database).or_default();
                note_pages(written, part.pages, at.position).map_err(|error| error.to_string())
            }
            // What is void was never written, and nothing is lost by taking it for that.
            Met::Void | Met::EndOfSegment => Ok(()),
        });
        let missing = missing.map_err(|error| EngineError::Corrupt(error.to_string()))?;
        Ok(missing.map(|why| {
            format!(
                "a transaction that was under way at {} is not whole in the log: {why}",
                at.position
            )
        }))
    }

    fn was_made(&self, id: DatabaseId) -> bool {
        self.changes.contains(&Change::Made(id))
    }

    /// A database that there was before, and that was removed: its pages are gone.
    pub(super) fn removed(&self) -> Option<&str> {
        self.changes.iter().find_map(|change| match change {
            Change::Removed(id, name) if !self.was_made(*id) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Of these databases those that were made there.
    pub(super) fn made<'a>(
        &'a self,
        entries: &'a [DatabaseEntry],
    ) -> impl Iterator<Item = &'a DatabaseEntry> {
        entries.iter().filter(|entry| self.was_made(entry.id))
    }

    /// The list as it was at the point, from how it is at the end; databases that were removed are not in it.
    pub(super) fn before(&self, mut entries: Vec<DatabaseEntry>) -> Vec<DatabaseEntry> {
        for change in self.changes.iter().rev() {
            match change {
                Change::Made(id) => entries.retain(|entry| entry.id != *id),
                Change::Removed(..) => {}
                Change::Renamed(id, old_name) => {
                    let renamed = entries.iter_mut().find(|entry| entry.id == *id);
                    if let Some(entry) = renamed {
                        entry.name.clone_from(old_name);
                    }
                }
            }
        }
        entries
    }
}

fn note_pages(written: &mut Written, pages: Pages<'_>, block: Position) -> Result<(), EngineError> {
    for change in pages {
        let change =
            change.map_err(|why| EngineError::Corrupt(format!("block at {block}: {why}")))?;
        written.pages.insert(change.page.get());
    }
    Ok(())
}

impl Written {
    /// The pages that are others than at the point, where there were `count`.
    pub(super) fn of(&self, count: u32) -> Vec<u32> {
        let cut = self.smallest.unwrap_or(u32::MAX).saturating_add(1)..=count;
        let mut pages = self.pages.clone();
        pages.extend(cut);
        pages.range(..=count).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: u32, name: &str) -> DatabaseEntry {
        DatabaseEntry {
            id: DatabaseId::new(id),
            name: name.into(),
            file: format!("{id}.db"),
            applied: true,
        }
    }

    #[test]
    fn the_list_is_as_it_was_before() {
        let (one, two, three) = (1, 2, 3);
        let [one, two, three] = [one, two, three].map(DatabaseId::new);
        let tail = Tail {
            transactions: 5,
            commits: 0,
            first: None,
            last: None,
            end: LogPoint::ORIGIN,
            time: Timestamp::from_micros(0),
            written: BTreeMap::new(),
            in_parts: FxHashSet::default(),
            changes: vec![
                Change::Renamed(one, "a".into()),
                Change::Made(two),
                Change::Made(three),
                Change::Removed(three, "c".into()),
                Change::Renamed(one, "b".into()),
                Change::Renamed(two, "d".into()),
            ],
        };
        let now = vec![entry(1, "x"), entry(2, "e")];
        assert_eq!(tail.removed(), None, "it was made there, too");
        assert_eq!(tail.made(&now).collect::<Vec<_>>(), [&now[1]]);
        assert_eq!(tail.before(now), [entry(1, "a")]);
        let removed = Tail {
            changes: vec![Change::Removed(one, "a".into())],
            ..tail
        };
        assert_eq!(removed.removed(), Some("a"));
    }

    #[test]
    fn pages_that_were_cut_off_and_came_back_are_others() {
        let written = Written {
            pages: [2, 9, 20].into(),
            smallest: Some(7),
        };
        assert_eq!(written.of(10), [2, 8, 9, 10]);
        assert_eq!(written.of(5), [2]);
        let grown = Written {
            pages: [2, 20].into(),
            smallest: Some(20),
        };
        assert_eq!(grown.of(10), [2]);
    }
}
