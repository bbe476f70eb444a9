//! A write set as records of the log.

use fwlog::{CommitHead, DatabaseId, PageNumber, RecordBuffer, TransactionId};
use pagestore::{PageData, PageImage, Snapshot};

use crate::commit::touched::PageSet;
use crate::error::EngineError;

/// Encodes a whole transaction as one `Commit` record.
///
/// `before` is the newest state of the database, against which deltas are made; `touched` learns
/// which pages are in the log now.
pub(crate) fn commit(
    buffer: &mut RecordBuffer,
    head: CommitHead,
    before: &Snapshot,
    pages: &[(pagestore::PageNumber, PageImage)],
    touched: &mut PageSet,
) -> Result<(), EngineError> {
    let mut record = buffer.begin_commit(head);
    let mut spilled: PageData = [0; pagestore::PAGE_SIZE];
    let mut old: PageData = [0; pagestore::PAGE_SIZE];
    for (number, image) in pages {
        let page = PageNumber::new(number.get());
        let new = content(image, &mut spilled)?;
        // A page beyond the old end has no predecessor, whatever was there before a shrink.
        let first = touched.insert(page) || number.get() > before.page_count();
        if first {
            record.page_full(page, new);
        } else {
            before.read(*number, &mut old)?;
            record.page_delta(page, &old, new);
        }
    }
    record.finish();
    Ok(())
}

/// Encodes some pages of a transaction that is too large for one block: always full images, so
/// that redo may start between them and the transaction's `Commit`.
pub(crate) fn part(
    buffer: &mut RecordBuffer,
    transaction: TransactionId,
    database: DatabaseId,
    pages: &[(pagestore::PageNumber, PageImage)],
) -> Result<(), EngineError> {
    let mut record = buffer.begin_part(transaction, database);
    let mut spilled: PageData = [0; pagestore::PAGE_SIZE];
    for (number, image) in pages {
        record.page_full(PageNumber::new(number.get()), content(image, &mut spilled)?);
    }
    record.finish();
    Ok(())
}

fn content<'a>(
    image: &'a PageImage,
    spilled: &'a mut PageData,
) -> Result<&'a PageData, EngineError> {
    match image {
        PageImage::Memory(page) => Ok(page),
        PageImage::Scratch(_) => {
            image.read_into(spilled).map_err(|error| {
                EngineError::Storage(format!("cannot read back a spilled page: {error}"))
            })?;
            Ok(spilled)
        }
    }
}
