//! The pages that were written behind the fork, as they were there: for the data files, and for those who are told which rows
//! are lost.

use std::sync::Arc;

use fwlog::{CommitNumber, DatabaseId};
use pagestore::{PAGE_SIZE, PageNumber, Snapshot};

use super::choose::Plan;
use super::pages::{NotGiven, count_pages, count_pages_of_files, give_pages};
use super::survey::Planned;
use crate::environment::core::Core;
use crate::error::EngineError;
use crate::incoming::{Rewinding, StagedDatabase, Whole};

/// A database as it was at the fork: what was not written since is as it is today.
pub(super) struct AtFork {
    pub(super) id: DatabaseId,
    /// Its name there.
    pub(super) name: String,
    count: u32,
    today: Snapshot,
    staged: StagedDatabase,
}

/// Stages all of them. Those whose data files have pages of later get them from there when the plan is carried out.
pub(super) fn stage(
    core: &Core,
    planned: &Planned,
    rewinding: &mut Rewinding,
) -> Result<Vec<AtFork>, NotGiven> {
    let commit = planned.fork.at.commit;
    let files_are_older = planned.plan == Plan::Cut;
    let mut all = Vec::new();
    for (database, written) in planned.written(core) {
        let (id, sums) = (database.id(), database.store().base_sums());
        // What was made since redo begins comes out of the log as a whole.
        let is_placed = planned.plan == Plan::Log && planned.is_at_redo(id);
        let behind = written.map(|written| (commit, written));
        let count = match behind {
            Some(behind) if files_are_older => count_pages_of_files(core, &database, behind)?,
            Some(behind) => count_pages(core, &database, behind)?,
            None => u32::try_from(sums.len()).unwrap_or(u32::MAX),
        };
        let commit = match behind {
            Some((commit, _)) => commit,
            // What is newer than the file comes out of the log.
            None => commit.min(CommitNumber::new(database.store().base_commit().get())),
        };
        let mut staged = rewinding.database(id, Whole { count, commit }, sums);
        if let Some(behind) = behind {
            let put = &mut |page, content: &_| staged.put(page, content);
            give_pages(core, &database, behind, (count, files_are_older), put)?;
        }
        if is_placed {
            rewinding.place(&staged)?;
        }
        let name = planned.name_of(id).unwrap_or_else(|| database.name());
        let today = database.store().snapshot_durable();
        all.push(AtFork {
            id,
            name,
            count: behind.map_or_else(|| today.page_count(), |_| count),
            today,
            staged,
        });
    }
    Ok(all)
}

impl rowdiff::Pages for AtFork {
    fn count(&self) -> u32 {
        self.count
    }

    fn page(&self, number: u32) -> Result<rowdiff::Image, rowdiff::Error> {
        let failed = |error: EngineError| rowdiff::Error::Io {
            page: number,
            source: std::io::Error::other(error.to_string()),
        };
        let mut page = [0; PAGE_SIZE];
        if self.staged.read(number, &mut page).map_err(failed)? {
            return Ok(Arc::new(page));
        }
        let known = PageNumber::new(number).filter(|_| number <= rowdiff::Pages::count(self));
        let known = known.ok_or(rowdiff::Error::Missing { page: number })?;
        let read = self.today.read(known, &mut page);
        read.map_err(|error| failed(error.into()))?;
        Ok(Arc::new(page))
    }
}
