//! Data files are looked at before anybody is served from them.
//!
//! A file that can't be used is no error as long as redo has not ended: the log may say that its
//! database is dropped. Until then an empty store stands in for it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use dbconfig::VerifyData;
use fwlog::{CommitNumber, DatabaseId};
use pagestore::{Depth, Fault, PAGE_SIZE, PageNumber, PageStore, StoreError};

use crate::databases::list::Databases;
use crate::error::EngineError;

/// Damaged pages that a message names; the rest are counted.
const NAMED: usize = 5;
/// Pages between two lines in the server's log: 4 GiB.
const TELL_EVERY: u64 = (4 << 30) / PAGE_SIZE as u64;

/// Data files that could not be opened.
#[derive(Debug, Default)]
pub(crate) struct Suspects(Vec<(DatabaseId, StoreError)>);

impl Suspects {
    /// Notes the file of a database; only damage is noted, all else is an error at once.
    pub(crate) fn note(&mut self, id: DatabaseId, error: StoreError) -> Result<(), EngineError> {
        match error {
            StoreError::Damaged { .. } => {
                self.0.push((id, error));
                Ok(())
            }
            other => Err(other.into()),
        }
    }
}

/// Called when redo has ended at commit `last`: refuses to go on with a damaged data file.
pub(crate) fn check(
    databases: &Databases,
    suspects: &Suspects,
    how: VerifyData,
    last: CommitNumber,
) -> Result<(), EngineError> {
    let (mut found, mut other_files) = (Vec::new(), true);
    for database in databases.all() {
        log_reaches(database.store(), last)?;
    }
    for database in databases.all() {
        let suspect = suspects.0.iter().find(|(id, _)| *id == database.id());
        if let Some((_, error)) = suspect {
            other_files &=
                matches!(error, StoreError::Damaged { damage, .. } if damage.is_other_file());
            found.push(error.to_string());
        } else {
            let damage = check_store(database.store(), how);
            other_files &= damage.is_none();
            found.extend(damage);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let found = found.join("; ");
    Err(if other_files {
        EngineError::WrongFile(found)
    } else {
        EngineError::Damaged(found)
    })
}

/// No page goes to a data file before its commit is in the log, on the disk. Where one is newer than the
/// log, the log is not all there, and to go on without its end would lose what was acknowledged.
fn log_reaches(store: &PageStore, last: CommitNumber) -> Result<(), EngineError> {
    let (commit, last) = (store.newest_commit().get(), last.get());
    if commit <= last {
        return Ok(());
    }
    Err(EngineError::state(
        format!(
            "history ends at commit {last}, the data files have pages of commit {commit} ({}): the end of the log is lost or damaged, the log is an old copy, or the file is of another environment",
            store.path().display()
        ),
        "Bring the newest segments of the log back: a slave or a copy has the same bytes. Only a data file that was copied from elsewhere is to blame itself: bring its own back.",
    ))
}

fn check_store(store: &PageStore, how: VerifyData) -> Option<String> {
    let depth = match how {
        VerifyData::Start => Depth::Pages,
        VerifyData::Read => Depth::Length,
    };
    let begun = Instant::now();
    let report = store.verify(depth, &|progress| {
        if progress.total > TELL_EVERY && progress.done % TELL_EVERY == 0 {
            tracing::info!(
                file = %store.path().display(),
                pages = progress.done,
                of = progress.total,
                "verifying"
            );
        }
    });
    let (pages, took) = (report.pages, begun.elapsed());
    if pages >= TELL_EVERY {
        tracing::info!(file = %store.path().display(), pages, ?took, "verified");
    } else {
        tracing::debug!(file = %store.path().display(), pages, ?took, "verified");
    }
    (!report.damaged.is_empty()).then(|| describe_pages(store.path(), &report.damaged))
}

/// Damaged pages of a file, the first few by number.
pub(crate) fn describe_pages(path: &Path, pages: &[(PageNumber, Fault)]) -> String {
    let mut text = format!("{}: ", path.display());
    for (place, (page, fault)) in pages.iter().take(NAMED).enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        write!(text, "{comma}{}", describe_page(*page, fault)).expect("a String takes all");
    }
    if pages.len() > NAMED {
        let more = pages.len() - NAMED;
        write!(text, ", and {more} more pages").expect("a String takes all");
    }
    text
}

/// One damaged page, with its place in the file.
pub(crate) fn describe_page(page: PageNumber, fault: &Fault) -> String {
    format!("page {page} at byte offset {} {fault}", page.offset())
}

#[cfg(test)]
mod tests {
    use disk::testing::SimulatedDisk;
    use pagestore::{Horizon, PageImage, StoreOptions};

    use super::*;

    #[test]
    fn a_file_with_pages_from_beyond_the_end_of_the_log_is_refused() {
        let horizon = Horizon::new(pagestore::CommitNumber::new(3));
        let options = StoreOptions {
            disk: SimulatedDisk::new(1).process().disk(),
            scratch_dir: "/".into(),
            database: 2,
            pinned_limit: 0,
        };
        let path = Path::new("/shop.db");
        let store = PageStore::create(path, horizon, options).unwrap();
        let page = (PageNumber::new(1).unwrap(), PageImage::zeros());
        store.publish(pagestore::CommitNumber::new(4), 1, vec![page]);
        store.horizon().advance(pagestore::CommitNumber::new(4));
        store.checkpoint(&|_progress| {}).unwrap();
        log_reaches(&store, CommitNumber::new(4)).unwrap();
        let refused = log_reaches(&store, CommitNumber::new(3)).unwrap_err();
        assert!(
            refused.to_string().starts_with(
                "history ends at commit 3, the data files have pages of commit 4 (/shop.db)"
            ),
            "{refused}"
        );
        assert!(refused.hint().unwrap().contains("a slave"));
    }
}
