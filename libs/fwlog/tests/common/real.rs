//! Logs in directories of the machine.

use std::path::Path;
use std::sync::Arc;

use fwlog::{
    Begin, CommitHead, CommitNumber, DatabaseId, Durable, LogLocation, RecordBuffer, SegmentStore,
    Timestamp, Writer, WriterError, WriterOptions,
};

/// Where a log is in this directory.
pub(crate) fn location(directory: &Path) -> LogLocation {
    LogLocation::parse(directory.join("fw-%N")).unwrap()
}

/// A writer that begins a log there.
pub(crate) fn start(directory: &Path) -> Writer {
    let store = Arc::new(SegmentStore::at(location(directory), 0o600));
    let options = WriterOptions {
        preallocate: 5000,
        ..WriterOptions::default()
    };
    let observer = Box::new(|_: &Durable| {});
    Writer::start(store, super::identity(), options, Begin::Create, observer).unwrap()
}

/// Commits one transaction, in a block of its own.
pub(crate) fn commit(writer: &Writer) -> Result<CommitNumber, WriterError> {
    let number = writer.durable().commit.next();
    let mut records = RecordBuffer::new();
    let encoder = records.begin_commit(CommitHead {
        number,
        database: DatabaseId::new(1),
        time: Timestamp::now(),
        exclusive: false,
        page_count: 1,
        transaction: None,
    });
    encoder.finish();
    writer.append(records, Some((number, number)))?;
    writer.wait_durable(number)?;
    Ok(number)
}
