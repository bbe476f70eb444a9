//! Pieces of transactions whose `Commit` has not come yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fwlog::{DatabaseId, PageBody, PageChange, Part, Position, TransactionId};
use pagestore::{PageData, PageImage};

use crate::apply::disk_retry::DiskRetry;
use crate::apply::scratch::Scratch;
use crate::error::EngineError;

/// The pages that a transaction has in `Part` records so far.
pub(crate) type PartPages = BTreeMap<pagestore::PageNumber, PageImage>;

#[derive(Debug)]
struct Collected {
    database: DatabaseId,
    first: Position,
    pages: PartPages,
}

/// All unfinished transactions, kept in a scratch file in TmpDir: they may be larger than memory.
#[derive(Debug)]
pub(crate) struct Parts {
    scratch: Scratch,
    transactions: HashMap<TransactionId, Collected>,
}

impl Parts {
    /// Nothing collected yet.
    pub(crate) fn new(scratch: Scratch) -> Self {
        Self {
            scratch,
            transactions: HashMap::new(),
        }
    }

    /// From now on a disk that is full or fails is waited for.
    pub(crate) fn wait_for(&mut self, retry: Arc<dyn DiskRetry>) {
        self.scratch.wait_for(retry);
    }

    /// Takes in one record; `at` is the start of its block.
    pub(crate) fn collect(&mut self, part: &Part<'_>, at: Position) -> Result<(), EngineError> {
        let collected = self
            .transactions
            .entry(part.transaction)
            .or_insert_with(|| Collected {
                database: part.database,
                first: at,
                pages: PartPages::new(),
            });
        if collected.database != part.database {
            return Err(EngineError::Corrupt(format!(
                "transaction {} has parts in two databases (block at {at})",
                part.transaction.get()
            )));
        }
        for change in part.pages {
            let change =
                change.map_err(|why| EngineError::Corrupt(format!("block at {at}: {why}")))?;
            let page = full_image(&change, at)?;
            let image = self.scratch.store(page)?;
            let number = page_number(change.page, at)?;
            collected.pages.insert(number, image);
        }
        Ok(())
    }

    /// The transaction's `Commit` has come: its pages.
    pub(crate) fn take(
        &mut self,
        transaction: TransactionId,
        database: DatabaseId,
        at: Position,
    ) -> Result<PartPages, EngineError> {
        let collected = self.transactions.remove(&transaction).ok_or_else(|| {
            EngineError::Corrupt(format!(
                "commit of transaction {} without its parts (block at {at})",
                transaction.get()
            ))
        })?;
        if collected.database != database {
            return Err(EngineError::Corrupt(format!(
                "transaction {} commits in another database than its parts (block at {at})",
                transaction.get()
            )));
        }
        if self.transactions.is_empty() {
            self.scratch.let_go();
        }
        Ok(collected.pages)
    }

    /// A checkpoint with that redo point is complete: what began before it will never commit.
    pub(crate) fn forget_before(&mut self, redo: Position) {
        self.transactions
            .retain(|_, collected| collected.first >= redo);
    }
}

/// The page store's number for a page of the log.
pub(crate) fn page_number(
    page: fwlog::PageNumber,
    at: Position,
) -> Result<pagestore::PageNumber, EngineError> {
    pagestore::PageNumber::new(page.get())
        .ok_or_else(|| EngineError::Corrupt(format!("block at {at}: page number 0")))
}

fn full_image<'a>(change: &PageChange<'a>, at: Position) -> Result<&'a PageData, EngineError> {
    let PageBody::Full(page) = change.body else {
        return Err(EngineError::Corrupt(format!(
            "a part has a delta (block at {at})"
        )));
    };
    change
        .check(page)
        .map_err(|why| EngineError::Corrupt(format!("block at {at}: {why}")))?;
    Ok(page)
}
