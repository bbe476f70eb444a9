//! The pages of one database while a run of commits is applied: each page is made once, however
//! often the run touches it.

use std::sync::Arc;

use fwlog::{Commit, DecodeError, PageBody, PageChange, Position};
use pagestore::{CommitNumber, PAGE_SIZE, PageData, PageImage, PageNumber, Snapshot};
use rustc_hash::FxHashMap;

use crate::apply::disk_retry::{DiskRetry, with_retry};
use crate::apply::parts::{PartPages, page_number};
use crate::apply::rules;
use crate::apply::scratch::Scratch;
use crate::databases::database::Database;
use crate::databases::replication_use::ReplicationUse;
use crate::error::EngineError;

/// Pages of a run that stay in memory while it is held back.
const HELD_PAGES: usize = 4096;

/// A page that the run has changed.
#[derive(Debug)]
struct Working {
    /// Copied from the version before with the first change.
    data: Arc<PageData>,
    crc: u32,
}

impl Working {
    /// Its checksum is proved when the run is published, not after each change.
    fn change(&mut self, change: &PageChange<'_>) -> Result<(), DecodeError> {
        self.crc = change.crc;
        let data = Arc::make_mut(&mut self.data);
        match change.body {
            PageBody::Full(image) => *data = *image,
            PageBody::Delta(delta) => delta.apply(data)?,
        }
        Ok(())
    }
}

/// Proves a page by its checksum.
fn check(
    database: &Database,
    last: CommitNumber,
    page: PageNumber,
    working: &Working,
) -> Result<(), EngineError> {
    if fwlog::page_crc(&working.data) == working.crc {
        return Ok(());
    }
    Err(EngineError::Corrupt(format!(
        "page {} of database \"{}\" does not fit its checksum at commit {}: the data file or the log is damaged",
        page.get(),
        database.name(),
        last.get()
    )))
}

/// A run of commits of one database, not published yet.
#[derive(Debug)]
pub(crate) struct Batch {
    database: Arc<Database>,
    before: Snapshot,
    pages: FxHashMap<PageNumber, Working>,
    whole: PartPages,
    page_count: u32,
    /// Fewest pages that the database had in this run.
    lowest: u32,
    last: CommitNumber,
    /// A commit of the run needed the database alone.
    exclusive: bool,
    /// Who waits when a page can't be read.
    retry: Option<Arc<dyn DiskRetry>>,
    zeros: Arc<PageData>,
}

impl Batch {
    /// An empty run on top of the database's newest state.
    pub(crate) fn new(database: Arc<Database>, retry: Option<Arc<dyn DiskRetry>>) -> Self {
        let before = database.store().snapshot_latest();
        Self {
            page_count: before.page_count(),
            lowest: before.page_count(),
            last: before.commit(),
            exclusive: false,
            pages: FxHashMap::default(),
            whole: PartPages::new(),
            zeros: Arc::new([0; PAGE_SIZE]),
            before,
            database,
            retry,
        }
    }

    /// Whose it is.
    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// What to show it means for the sessions of the database.
    pub(crate) fn replication_use(&self) -> ReplicationUse {
        if self.exclusive {
            ReplicationUse::WritesAlone
        } else {
            ReplicationUse::Writes
        }
    }

    /// The run is not shown for the time being: what is much does not stay in memory.
    pub(crate) fn hold(&mut self, scratch: &mut Scratch) -> Result<(), EngineError> {
        if self.pages.len() <= HELD_PAGES {
            return Ok(());
        }
        for (number, working) in std::mem::take(&mut self.pages) {
            check(&self.database, self.last, number, &working)?;
            self.whole.insert(number, scratch.store(&working.data)?);
        }
        Ok(())
    }

    /// Adds a commit; `parts` are its pages from earlier records, `at` is the start of its block.
    pub(crate) fn add(
        &mut self,
        commit: &Commit<'_>,
        parts: PartPages,
        at: Position,
    ) -> Result<(), EngineError> {
        let given = parts.len() + commit.pages.size() / PAGE_SIZE;
        rules::check_growth(self.page_count, commit.page_count, given, at)?;
        for (number, image) in parts {
            self.pages.remove(&number);
            self.whole.insert(number, image);
        }
        for change in commit.pages {
            let change = change.map_err(|why| self.corrupt(at, &why.to_string()))?;
            self.change(&change, at)?;
        }
        if commit.page_count < self.page_count {
            self.pages
                .retain(|number, _| number.get() <= commit.page_count);
            self.whole
                .retain(|number, _| number.get() <= commit.page_count);
        }
        let number = CommitNumber::new(commit.number.get());
        assert!(
            number > self.last,
            "commits are applied in their order (invariant 3)"
        );
        self.exclusive |= commit.exclusive;
        self.page_count = commit.page_count;
        self.lowest = self.lowest.min(commit.page_count);
        self.last = number;
        Ok(())
    }

    /// Proves every page by its checksum, then publishes the run as one step; gives the number of
    /// pages. With `scratch` they go there instead of into memory.
    pub(crate) fn publish(self, mut scratch: Option<&mut Scratch>) -> Result<usize, EngineError> {
        // The run may have cut the database and let it grow again: what came back without content
        // is zeros, as it is where the commits are published one by one.
        let regrown: Vec<_> = (self.lowest + 1..=self.page_count.min(self.before.page_count()))
            .filter_map(PageNumber::new)
            .filter(|number| !self.pages.contains_key(number) && !self.whole.contains_key(number))
            .map(|number| (number, PageImage::zeros()))
            .collect();
        let mut pages = Vec::with_capacity(self.pages.len() + self.whole.len() + regrown.len());
        for (number, working) in self.pages {
            check(&self.database, self.last, number, &working)?;
            let image = match &mut scratch {
                Some(scratch) => scratch.store(&working.data)?,
                None => PageImage::Memory(working.data),
            };
            pages.push((number, image));
        }
        pages.extend(self.whole);
        pages.extend(regrown);
        pages.sort_unstable_by_key(|(number, _)| *number);
        assert!(
            pages.is_sorted_by(|(one, _), (other, _)| one < other),
            "a run brings one version of each page (invariant 3)"
        );
        let count = pages.len();
        self.database
            .store()
            .publish(self.last, self.page_count, pages);
        Ok(count)
    }

    fn change(&mut self, change: &PageChange<'_>, at: Position) -> Result<(), EngineError> {
        let number = page_number(change.page, at)?;
        if let Some(working) = self.pages.get_mut(&number) {
            let changed = working.change(change);
            return changed.map_err(|why| self.corrupt(at, &why.to_string()));
        }
        let mut working = Working {
            data: self.start(number, &change.body, at)?,
            crc: change.crc,
        };
        let changed = working.change(change);
        changed.map_err(|why| self.corrupt(at, &why.to_string()))?;
        self.pages.insert(number, working);
        Ok(())
    }

    /// The page as it is before its first change in this run.
    fn start(
        &mut self,
        number: PageNumber,
        body: &PageBody<'_>,
        at: Position,
    ) -> Result<Arc<PageData>, EngineError> {
        let whole = self.whole.remove(&number);
        let PageBody::Delta(_) = body else {
            return Ok(Arc::clone(&self.zeros));
        };
        let read = |image: &PageImage| {
            image.clone().into_memory().map_err(|error| {
                EngineError::Storage(format!("cannot read back a spilled page: {error}"))
            })
        };
        if let Some(image) = whole {
            with_retry(self.retry.as_ref(), || read(&image))
        } else if number.get() <= self.lowest {
            with_retry(self.retry.as_ref(), || read(&self.before.image(number)?))
        } else if number.get() <= self.page_count {
            Ok(Arc::clone(&self.zeros))
        } else {
            let why = format!("a delta for page {}, which is beyond the end", number.get());
            Err(self.corrupt(at, &why))
        }
    }

    fn corrupt(&self, at: Position, why: &str) -> EngineError {
        EngineError::Corrupt(format!(
            "database \"{}\", block at {at}: {why}",
            self.database.name()
        ))
    }
}
