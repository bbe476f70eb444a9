//! What must be there: every transaction that was given to the server, and what became of it.

use std::collections::BTreeMap;

use crate::content::Print;

/// Content of a page from a commit on; `None`: the database ended before the page.
type Version = (u64, Option<Print>);

/// One database through all its commits.
#[derive(Debug, Default)]
struct History {
    /// (commit, pages of the database from there on), ascending.
    sizes: Vec<(u64, u32)>,
    pages: BTreeMap<u32, Vec<Version>>,
    /// The last commit before it was dropped.
    dropped: Option<u64>,
}

/// What became of the transactions. Commit numbers have no gaps, so three numbers say it all:
/// `acknowledged <= newest`, and what is visible on any server lies between.
#[derive(Debug, Default)]
pub(crate) struct Model {
    databases: BTreeMap<u32, History>,
    /// The newest commit that was given to the server and not taken back.
    newest: u64,
    /// The newest commit that a client was told is committed.
    acknowledged: u64,
}

/// What a transaction writes.
#[derive(Debug)]
pub(crate) struct Change {
    /// Database number.
    pub(crate) database: u32,
    /// Pages of the database afterwards.
    pub(crate) page_count: u32,
    /// The pages written.
    pub(crate) pages: Vec<(u32, Print)>,
}

impl Model {
    /// The commits of the server itself, before clients come.
    pub(crate) fn begin(&mut self, commit: u64) {
        self.newest = commit;
        self.acknowledged = commit;
    }

    /// The server itself may have made so many more commits, behind those of all clients.
    pub(crate) fn server_may_commit(&mut self, count: u64) {
        self.newest += count;
    }

    /// The newest commit that was given to the server and not taken back.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Takes in the next transaction; its number must be the next one.
    pub(crate) fn commit(&mut self, number: u64, change: &Change) -> Result<(), String> {
        if number != self.newest + 1 {
            return Err(format!(
                "commit {number} was given after commit {}",
                self.newest
            ));
        }
        self.newest = number;
        let history = self.databases.entry(change.database).or_default();
        let before = history.page_count(u64::MAX);
        if change.page_count != before {
            history.sizes.push((number, change.page_count));
        }
        for (page, versions) in history.pages.range_mut(change.page_count + 1..) {
            if *page <= before {
                versions.push((number, None));
            }
        }
        // What is added without content is zeros.
        for page in before + 1..=change.page_count {
            let versions = history.pages.entry(page).or_default();
            versions.push((number, Some(Print::zeros())));
        }
        for (page, print) in &change.pages {
            let versions = history.pages.entry(*page).or_default();
            if versions.last().is_some_and(|(commit, _)| *commit == number) {
                versions.pop();
            }
            versions.push((number, Some(*print)));
        }
        Ok(())
    }

    /// Clients were told that everything up to this commit is committed.
    pub(crate) fn acknowledge(&mut self, commit: u64) {
        self.acknowledged = self.acknowledged.max(commit);
    }

    /// Nobody holds the server to what clients were told: it was said to be lost by design, as with
    /// SyncMode = 0, or by the choice of another master.
    pub(crate) fn forget_acknowledged(&mut self) {
        self.acknowledged = 0;
    }

    /// After a crash or a failure of the log: commits above `last` are gone. An error when one of
    /// them was acknowledged, or when there is one that nobody gave.
    pub(crate) fn settle(&mut self, last: u64) -> Result<(), String> {
        if last < self.acknowledged {
            return Err(format!(
                "commit {} was acknowledged, and the server knows only {last}",
                self.acknowledged
            ));
        }
        if last > self.newest {
            return Err(format!(
                "the server knows commit {last}, and only {} were given",
                self.newest
            ));
        }
        self.newest = last;
        for history in self.databases.values_mut() {
            history.sizes.retain(|(commit, _)| *commit <= last);
            for versions in history.pages.values_mut() {
                versions.retain(|(commit, _)| *commit <= last);
            }
        }
        Ok(())
    }

    /// The database is gone, from the newest commit on.
    pub(crate) fn drop_database(&mut self, database: u32) {
        let newest = self.newest;
        self.databases.entry(database).or_default().dropped = Some(newest);
    }

    /// Pages of a database at a commit.
    pub(crate) fn page_count(&self, database: u32, commit: u64) -> u32 {
        self.databases
            .get(&database)
            .map_or(0, |history| history.page_count(commit))
    }

    /// What a page of a database holds at a commit; `None` beyond its end.
    pub(crate) fn page(&self, database: u32, page: u32, commit: u64) -> Option<Print> {
        let versions = self.databases.get(&database)?.pages.get(&page)?;
        versions.iter().rev().find(|(at, _)| *at <= commit)?.1
    }
}

impl History {
    fn page_count(&self, commit: u64) -> u32 {
        let size = self.sizes.iter().rev().find(|(at, _)| *at <= commit);
        size.map_or(0, |(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(page_count: u32, pages: &[u32]) -> Change {
        let print = Print::of(&[7; pagestore::PAGE_SIZE]);
        Change {
            database: 2,
            page_count,
            pages: pages.iter().map(|page| (*page, print)).collect(),
        }
    }

    #[test]
    fn a_lost_acknowledged_commit_and_an_invented_one_are_found() {
        let mut model = Model::default();
        for number in 1..=3 {
            model.commit(number, &change(1, &[1])).unwrap();
        }
        model.acknowledge(2);
        assert!(model.settle(1).is_err());
        assert!(model.settle(4).is_err());
        model.settle(2).unwrap();
        assert_eq!(model.newest(), 2);
        assert!(model.commit(4, &change(1, &[1])).is_err());
    }

    #[test]
    fn pages_that_were_cut_and_came_back_without_content_are_zeros() {
        let mut model = Model::default();
        model.commit(1, &change(3, &[1, 2, 3])).unwrap();
        model.commit(2, &change(1, &[1])).unwrap();
        model.commit(3, &change(3, &[2])).unwrap();
        assert_eq!(model.page(2, 3, 2), None);
        assert_eq!(model.page(2, 3, 3), Some(Print::zeros()));
        assert_ne!(model.page(2, 2, 3), Some(Print::zeros()));
        assert_ne!(model.page(2, 3, 1), Some(Print::zeros()));
        assert_eq!(model.page_count(2, 2), 1);
    }
}
