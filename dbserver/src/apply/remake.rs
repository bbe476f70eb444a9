//! Single pages made again from the records of the log: what the log says a page was after one commit. No I/O; the
//! rules are those of the applier, for a few pages of one database.
//!
//! Reading may begin anywhere in the log. What a page was before is not known then, until a full image comes, or the
//! page is one that a commit adds to the database without content.

use std::collections::{BTreeMap, HashMap};

use fwlog::{
    Commit, CommitNumber, DatabaseId, PageBody, PageChange, Part, Position, Record, TransactionId,
};
use pagestore::{PAGE_SIZE, PageData, PageNumber};

use crate::apply::parts::page_number;
use crate::error::EngineError;

/// A page, as far as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Page {
    /// What was read does not tell.
    #[default]
    Unknown,
    /// The database had fewer pages.
    Absent,
    /// Its content.
    Known(Box<PageData>),
    /// It was that before a transaction of which not all was read; that may have changed it.
    Doubtful(Box<PageData>),
}

/// Full images of a transaction that has not committed yet.
#[derive(Debug)]
struct Images {
    first: Position,
    pages: BTreeMap<PageNumber, Box<PageData>>,
}

/// See the module's page.
#[derive(Debug)]
pub(crate) struct Remake {
    database: DatabaseId,
    /// What came up to this commit is in the pages already.
    after: CommitNumber,
    up_to: CommitNumber,
    /// Where reading began.
    from: Position,
    /// All parts of the transactions that commit from here on were read.
    has_all_parts: bool,
    pages: BTreeMap<PageNumber, Page>,
    parts: HashMap<TransactionId, Images>,
    page_count: Option<u32>,
    last: Option<CommitNumber>,
}

impl Remake {
    /// Makes these pages of the database as of commit `up_to`, from the log from `from` on.
    pub(crate) fn new(
        database: DatabaseId,
        up_to: CommitNumber,
        from: Position,
        pages: impl IntoIterator<Item = PageNumber>,
    ) -> Self {
        Self {
            database,
            after: CommitNumber::ZERO,
            up_to,
            from,
            has_all_parts: from.segment == Position::ORIGIN.segment,
            pages: pages
                .into_iter()
                .map(|page| (page, Page::Unknown))
                .collect(),
            parts: HashMap::new(),
            page_count: None,
            last: None,
        }
    }

    /// Pages of a database that are known as of commit `after`, when it had so many pages. The log is to be read from
    /// `from` on, where no transaction had begun that commits later.
    pub(crate) fn on_top(
        self,
        after: CommitNumber,
        page_count: u32,
        pages: BTreeMap<PageNumber, Page>,
    ) -> Self {
        Self {
            after,
            has_all_parts: true,
            page_count: Some(page_count),
            pages,
            ..self
        }
    }

    /// Whether all up to the commit was read: later records change nothing.
    pub(crate) fn is_complete(&self) -> bool {
        self.last.is_some_and(|last| last >= self.up_to)
    }

    /// Whether what comes now is behind what the pages have.
    fn is_behind(&self) -> bool {
        self.last.unwrap_or_default() >= self.after
    }

    /// A block ended with this commit being the newest one.
    pub(crate) fn note_last(&mut self, last: CommitNumber) {
        self.last = self.last.max(Some(last));
    }

    /// How many pages the database has; `None`: what was read does not tell.
    pub(crate) fn page_count(&self) -> Option<u32> {
        self.page_count
    }

    /// What is known of the page.
    pub(crate) fn page(&self, page: PageNumber) -> &Page {
        self.pages.get(&page).unwrap_or(&Page::Unknown)
    }

    /// Takes in a record of the block that starts at `at`.
    pub(crate) fn record(&mut self, record: &Record<'_>, at: Position) -> Result<(), EngineError> {
        if self.is_complete() {
            return Ok(());
        }
        match record {
            Record::Commit(commit) => {
                self.note_last(commit.number);
                if let Some(transaction) = commit.transaction
                    && commit.number <= self.after
                {
                    self.parts.remove(&transaction);
                }
                let range = self.after.next()..=self.up_to;
                if commit.database == self.database && range.contains(&commit.number) {
                    self.commit(commit, at)?;
                }
            }
            Record::Part(part) if part.database == self.database => self.part(part, at)?,
            Record::Checkpoint { redo } => {
                // Redo starts before the parts of whatever commits behind the checkpoint.
                self.has_all_parts |= *redo >= self.from;
                self.parts.retain(|_, images| images.first >= *redo);
            }
            Record::CreateDatabase { id, .. } if *id == self.database && self.is_behind() => {
                // Nothing of it is in the log before.
                self.has_all_parts = true;
                self.page_count = Some(0);
                self.pages
                    .values_mut()
                    .for_each(|page| *page = Page::Absent);
            }
            Record::DropDatabase { id, .. } | Record::RestoreDatabase { id, .. }
                if *id == self.database && self.is_behind() =>
            {
                self.page_count = None;
                self.pages
                    .values_mut()
                    .for_each(|page| *page = Page::Unknown);
            }
            Record::Part(_)
            | Record::CreateDatabase { .. }
            | Record::DropDatabase { .. }
            | Record::RestoreDatabase { .. }
            | Record::RenameDatabase { .. }
            | Record::Access { .. }
            | Record::Generation(_)
            | Record::Audit(_)
            | Record::Copied { .. } => {}
        }
        Ok(())
    }

    fn part(&mut self, part: &Part<'_>, at: Position) -> Result<(), EngineError> {
        for change in part.pages {
            let change = change.map_err(|why| corrupt(at, &why.to_string()))?;
            let number = page_number(change.page, at)?;
            if !self.pages.contains_key(&number) {
                continue;
            }
            let PageBody::Full(image) = change.body else {
                return Err(corrupt(at, "a part has a delta"));
            };
            let checked = change.check(image);
            checked.map_err(|why| corrupt(at, &why.to_string()))?;
            let images = self
                .parts
                .entry(part.transaction)
                .or_insert_with(|| Images {
                    first: at,
                    pages: BTreeMap::new(),
                });
            images.pages.insert(number, Box::new(*image));
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>, at: Position) -> Result<(), EngineError> {
        let parts = commit.transaction.map(|it| self.parts.remove(&it));
        if parts.is_some() || self.page_count != Some(commit.page_count) {
            let doubtful = parts.is_some() && !self.has_all_parts;
            let mut images = parts.flatten().map(|it| it.pages).unwrap_or_default();
            for (number, page) in &mut self.pages {
                let old = std::mem::take(page);
                *page = match images.remove(number) {
                    _ if number.get() > commit.page_count => Page::Absent,
                    Some(image) => Page::Known(image),
                    None => before(old, doubtful),
                };
            }
            self.page_count = Some(commit.page_count);
        }
        for change in commit.pages {
            let change = change.map_err(|why| corrupt(at, &why.to_string()))?;
            let number = page_number(change.page, at)?;
            if number.get() > commit.page_count {
                continue;
            }
            if let Some(page) = self.pages.get_mut(&number) {
                *page = changed(std::mem::take(page), &change);
            }
        }
        Ok(())
    }
}

/// A page before the changes of a commit after which it exists.
fn before(old: Page, doubtful: bool) -> Page {
    let page = match old {
        // It is added without content, if the commit itself does not say more.
        Page::Absent => Page::Known(Box::new([0; PAGE_SIZE])),
        other => other,
    };
    match page {
        Page::Known(data) if doubtful => Page::Doubtful(data),
        other => other,
    }
}

/// A page after a change. What fits the checksum in the record is the page, whatever was doubtful before.
fn changed(old: Page, change: &PageChange<'_>) -> Page {
    let mut data = match (old, change.body) {
        (Page::Known(data) | Page::Doubtful(data), _) => data,
        (Page::Unknown | Page::Absent, PageBody::Full(_)) => Box::new([0; PAGE_SIZE]),
        (old @ (Page::Unknown | Page::Absent), PageBody::Delta(_)) => return old,
    };
    match change.apply(&mut data) {
        Ok(()) => Page::Known(data),
        Err(_) => Page::Unknown,
    }
}

fn corrupt(at: Position, why: &str) -> EngineError {
    EngineError::Corrupt(format!("block at {at}: {why}"))
}

#[cfg(test)]
mod tests;
