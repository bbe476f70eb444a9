//! The one ordered way of transactions into the log: number, encode, publish, queue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fwlog::{
    CommitHead, CommitNumber, DatabaseId, Durable, Mark, RecordBuffer, TransactionId, Writer,
    WriterError,
};
use pagestore::Snapshot;
use sqlitevfs::WriteSet;

use crate::commit::encode;
use crate::commit::touched::Touched;
use crate::databases::database::Database;
use crate::databases::permit::Permit;
use crate::error::EngineError;

/// Commit order of the whole environment.
///
/// Everything that goes into the log goes through the one lock in here, so log order, commit order
/// and the order of publication are the same by construction.
#[derive(Debug)]
pub struct Committer {
    order: Mutex<Order>,
    /// A transaction of more pages goes into the log in parts.
    part_pages: usize,
}

/// Bytes of the record of most transactions, at most.
const SMALL_COMMIT: usize = 512;

#[derive(Debug)]
struct Order {
    last: CommitNumber,
    touched: Touched,
    writer: Arc<Writer>,
    next_transaction: u64,
    /// Marks before the first `Part` of transactions whose `Commit` is not queued yet.
    in_parts: BTreeMap<TransactionId, Arc<Mark>>,
    /// The log is closed for good: another side of the log has the databases now.
    closed: bool,
}

/// What a transaction changes.
struct Changes {
    write_set: WriteSet,
    /// The newest state of its database, on which it is made.
    before: Snapshot,
    /// Its pages are queued already, under this number.
    transaction: Option<TransactionId>,
    /// Who does it: what stands before the commit.
    audit: RecordBuffer,
}

/// A transaction on its way to the disk: visible to the next writer, not yet to readers.
#[derive(Debug, Clone)]
#[must_use = "a transaction is committed only when wait() has returned"]
pub struct Queued {
    commit: CommitNumber,
    // The writer that took it: after a failure its successor gives the number again.
    writer: Arc<Writer>,
}

impl Queued {
    /// The transaction's number.
    pub fn commit(&self) -> CommitNumber {
        self.commit
    }

    /// Blocks until the transaction is durable. An error means: it is not committed.
    pub fn wait(&self) -> Result<CommitNumber, EngineError> {
        self.writer
            .wait_durable(self.commit)
            .map_err(|reason| EngineError::CommitLost {
                commit: self.commit,
                reason,
            })?;
        Ok(self.commit)
    }
}

/// Borders in the log that are on their way to the disk. Of a checkpoint: redo may start at the
/// earliest of them when it is complete.
#[derive(Debug)]
pub struct MarkSet {
    marks: Vec<Arc<Mark>>,
}

impl MarkSet {
    /// Waits until all that was queued before is on the disk; gives the earliest border, where redo
    /// must start, and the newest.
    pub fn wait(self) -> Result<Borders, EngineError> {
        let mut borders: Option<Borders> = None;
        for mark in &self.marks {
            let at = mark.wait().map_err(EngineError::LogFailed)?;
            let known = borders.get_or_insert(Borders {
                earliest: at,
                newest: at,
            });
            if at.point.position < known.earliest.point.position {
                known.earliest = at;
            }
            if at.point.position > known.newest.point.position {
                known.newest = at;
            }
        }
        borders.ok_or_else(|| EngineError::Internal("a checkpoint without a mark".into()))
    }
}

/// Block borders that are on the disk.
#[derive(Debug, Clone, Copy)]
pub struct Borders {
    /// Before the parts of every transaction that was under way.
    pub earliest: Durable,
    /// Where the checkpoint began.
    pub newest: Durable,
}

impl Committer {
    /// Goes on after `last` with a fresh writer; see [`Host`] for the pages of a part.
    ///
    /// [`Host`]: crate::databases::host::Host
    pub fn new(writer: Arc<Writer>, last: CommitNumber, part_pages: usize) -> Self {
        check_goes_on(&writer, last);
        let next_transaction = first_transaction(&writer);
        Self {
            part_pages,
            order: Mutex::new(Order {
                last,
                touched: Touched::default(),
                writer,
                next_transaction,
                in_parts: BTreeMap::new(),
                closed: false,
            }),
        }
    }

    /// Gives the write set its number, publishes it to the next writer and queues it for the log, behind its audit records.
    /// The caller gives the permit on when that is done, before it waits for the disk.
    ///
    /// Errors leave the database as it was: the log has failed, or the write set was made on a
    /// state that no longer exists because the log failed meanwhile.
    pub fn commit(
        &self,
        database: &Database,
        permit: &Permit,
        write_set: WriteSet,
        audit: RecordBuffer,
    ) -> Result<Queued, EngineError> {
        // The permit keeps it the newest, unless the log fails, which is looked at with the order in hand.
        let before = database.store().snapshot_latest();
        let reshapes = write_set
            .reshapes(&before)
            .map_err(|error| EngineError::from(&error))?;
        let transaction = if write_set.pages.len() > self.part_pages {
            Some(self.queue_parts(database, &write_set)?)
        } else {
            None
        };
        let changes = Changes {
            write_set,
            before,
            transaction,
            audit,
        };
        let queued = self.queue_commit(database, permit, changes)?;
        if reshapes {
            database.note_reshaped(pagestore::CommitNumber::new(queued.commit.get()));
        }
        Ok(queued)
    }

    /// Queues records that are no transaction, or that belong before one (database created …).
    pub fn append(&self, records: RecordBuffer) -> Result<(), EngineError> {
        self.order()
            .writer
            .append(records, None)
            .map_err(EngineError::LogFailed)
    }

    /// The same, with a mark behind them: wait for it to have them durable. An error says that they are
    /// not, and that nobody will find them: whoever goes on does so from the durable end.
    pub fn append_marked(&self, records: RecordBuffer) -> Result<MarkSet, EngineError> {
        let mark = self
            .order()
            .writer
            .append_marked(records)
            .map_err(EngineError::LogFailed)?;
        Ok(MarkSet {
            marks: vec![Arc::new(mark)],
        })
    }

    /// Begins a checkpoint: from here on every page is logged as a full image once more.
    /// `capture` runs at the same point of the commit order.
    pub fn begin_checkpoint<T>(
        &self,
        capture: impl FnOnce() -> T,
    ) -> Result<(MarkSet, T), EngineError> {
        let mut order = self.order();
        let mark = order.writer.mark().map_err(EngineError::LogFailed)?;
        let mut marks: Vec<_> = order.in_parts.values().cloned().collect();
        marks.push(Arc::new(mark));
        order.touched.clear();
        Ok((MarkSet { marks }, capture()))
    }

    /// The writer at present.
    pub fn writer(&self) -> Arc<Writer> {
        Arc::clone(&self.order().writer)
    }

    /// The database is gone.
    pub fn forget(&self, database: DatabaseId) {
        self.order().touched.forget(database);
    }

    /// Stops all commits, lets `replace` bring a new writer, goes on behind its last commit.
    ///
    /// `replace` gets the old writer; it must have made sure that nothing after the returned
    /// number is published. On an error the old writer stays.
    pub fn replace_writer(
        &self,
        replace: impl FnOnce(&Arc<Writer>) -> Result<(Arc<Writer>, CommitNumber), EngineError>,
    ) -> Result<(), EngineError> {
        let mut order = self.order();
        let (writer, last) = replace(&order.writer)?;
        check_goes_on(&writer, last);
        order.next_transaction = order.next_transaction.max(first_transaction(&writer));
        order.writer = writer;
        order.last = last;
        order.touched.clear();
        order.in_parts.clear();
        Ok(())
    }

    /// Takes no commit any more, and seals the log; gives its end.
    pub fn close(&self) -> Result<Durable, WriterError> {
        let mut order = self.order();
        order.closed = true;
        order.writer.close()
    }

    fn queue_commit(
        &self,
        database: &Database,
        permit: &Permit,
        changes: Changes,
    ) -> Result<Queued, EngineError> {
        let Changes {
            write_set,
            before,
            transaction,
            audit,
        } = changes;
        let mut order = self.order();
        let order = &mut *order;
        if order.closed {
            return Err(EngineError::ChangingRole);
        }
        // A log failure takes published commits back, and parts do not move to another log;
        // against all else the permit guards.
        let parts_gone = transaction.is_some_and(|id| order.in_parts.remove(&id).is_none());
        if parts_gone || permit.epoch() != database.store().epoch() {
            return Err(lost_base(&order.writer));
        }
        let (newest, _) = database.store().latest();
        assert!(
            write_set.base >= newest,
            "a transaction is made on the newest commit of its database (invariant 3)"
        );
        let last_page = write_set.pages.last().map_or(0, |(page, _)| page.get());
        assert!(
            last_page <= write_set.page_count,
            "no page that is logged lies beyond the end of the database (invariant 5)"
        );
        let number = order.last.next();
        let head = CommitHead {
            number,
            database: database.id(),
            time: order.writer.now(),
            exclusive: permit.is_exclusive() || database.openings().is_written_alone(),
            page_count: write_set.page_count,
            transaction,
        };
        let mut records = if audit.is_empty() {
            RecordBuffer::with_capacity(SMALL_COMMIT)
        } else {
            audit
        };
        let touched = order.touched.database(database.id());
        if transaction.is_some() {
            for (page, _) in &write_set.pages {
                touched.insert(fwlog::PageNumber::new(page.get()));
            }
            records.begin_commit(head).finish();
        } else {
            let encoded = encode::commit(&mut records, head, &before, &write_set.pages, touched);
            if let Err(error) = encoded {
                // Some pages count as logged now and are not: all of them get full images again.
                order.touched.forget(database.id());
                return Err(error);
            }
        }
        // Published before it is queued: once queued it may become durable, hence visible, at any
        // moment.
        let published = pagestore::CommitNumber::new(number.get());
        database
            .store()
            .publish(published, write_set.page_count, write_set.pages);
        if let Err(reason) = order.writer.append(records, Some((number, number))) {
            let durable = database.store().horizon().durable();
            database.store().rewind(before.commit().max(durable));
            return Err(EngineError::LogFailed(reason));
        }
        order.last = number;
        Ok(Queued {
            commit: number,
            writer: Arc::clone(&order.writer),
        })
    }

    /// Queues all pages of a large write set; other databases commit in between.
    fn queue_parts(
        &self,
        database: &Database,
        write_set: &WriteSet,
    ) -> Result<TransactionId, EngineError> {
        let (transaction, writer) = {
            let mut order = self.order();
            let transaction = TransactionId::new(order.next_transaction);
            order.next_transaction += 1;
            let mark = order.writer.mark().map_err(EngineError::LogFailed)?;
            order.in_parts.insert(transaction, Arc::new(mark));
            // A checkpoint may have to start redo at this mark, also one that begins later than
            // other commits behind it: full images begin anew wherever redo may start.
            order.touched.clear();
            (transaction, Arc::clone(&order.writer))
        };
        for pages in write_set.pages.chunks(self.part_pages) {
            let mut records = RecordBuffer::new();
            let queued = encode::part(&mut records, transaction, database.id(), pages)
                .and_then(|()| writer.append(records, None).map_err(EngineError::LogFailed));
            if let Err(error) = queued {
                self.order().in_parts.remove(&transaction);
                return Err(error);
            }
        }
        Ok(transaction)
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_goes_on(writer: &Writer, last: CommitNumber) {
    assert_eq!(
        writer.durable().commit,
        last,
        "commit numbers go on where the log ends (invariant 3)"
    );
}

/// Where a writer's transaction numbers begin: at the bytes of log before it. A number is given with
/// at least one `Part`, which takes more than one byte of log, so the next writer begins above all
/// of them. Parts that a crash has left in the log are never taken for those of another transaction.
fn first_transaction(writer: &Writer) -> u64 {
    writer.durable().log_bytes
}

fn lost_base(writer: &Writer) -> EngineError {
    writer.failure().map_or_else(
        || {
            EngineError::state(
                "the transaction was made on a state that was lost when the log failed",
                "Run the transaction again.",
            )
        },
        EngineError::LogFailed,
    )
}

#[cfg(test)]
mod tests;
