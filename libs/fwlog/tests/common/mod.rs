//! Logs on simulated disks.

#![allow(dead_code, reason = "each test file uses a part of this")]

pub(crate) mod real;

use std::sync::Arc;

use disk::testing::{Random, SimulatedDisk};
use fwlog::{
    Begin, CommitHead, CommitNumber, DatabaseId, Durable, EnvironmentId, LogIdentity, LogLocation,
    PAGE_SIZE, PageNumber, RecordBuffer, RecoverOptions, SealNewest, SegmentStore, Timestamp,
    Writer, WriterError, WriterOptions,
};

/// Whose log it is.
pub(crate) const ENVIRONMENT: EnvironmentId = EnvironmentId::from_bytes([9; 16]);

/// All of a log is recovered, and sealed.
pub(crate) const WHOLE: RecoverOptions = RecoverOptions {
    from: None,
    seal: SealNewest::Yes,
    discard_behind: None,
};

/// Who writes it.
pub(crate) fn identity() -> LogIdentity {
    LogIdentity {
        environment: ENVIRONMENT,
        instance: "alpha".to_owned(),
        page_size: u32::try_from(PAGE_SIZE).unwrap(),
    }
}

/// Where a log is on this disk, as a new process sees it.
pub(crate) fn location(machine: &SimulatedDisk) -> LogLocation {
    LogLocation::parse("/fw-%N")
        .unwrap()
        .on(machine.process().disk())
}

/// The log there.
pub(crate) fn store(machine: &SimulatedDisk) -> SegmentStore {
    SegmentStore::at(location(machine), 0o600)
}

/// A writer without a thread, of a new process.
pub(crate) fn driven(
    machine: &SimulatedDisk,
    options: WriterOptions,
    begin: Begin,
) -> Result<Writer, WriterError> {
    let observer = Box::new(|_: &Durable| {});
    Writer::driven(
        Arc::new(store(machine)),
        identity(),
        options,
        begin,
        observer,
    )
}

/// A page with so many bytes that do not compress.
pub(crate) fn page(number: u64, bytes: usize) -> [u8; PAGE_SIZE] {
    let mut random = Random::new(number);
    let mut page = [0; PAGE_SIZE];
    for chunk in page[..bytes].chunks_mut(4) {
        chunk.copy_from_slice(&random.next().to_le_bytes()[..chunk.len()]);
    }
    page
}

/// A commit with a page delta of so many bytes that do not compress.
pub(crate) fn commit(
    database: DatabaseId,
    number: u64,
    time: Timestamp,
    bytes: usize,
) -> RecordBuffer {
    let mut records = RecordBuffer::new();
    let mut encoder = records.begin_commit(CommitHead {
        number: CommitNumber::new(number),
        database,
        time,
        exclusive: false,
        page_count: 3,
        transaction: None,
    });
    encoder.page_delta(PageNumber::new(2), &[0; PAGE_SIZE], &page(number, bytes));
    encoder.finish();
    records
}

/// Queues the commit with this number.
pub(crate) fn append(writer: &Writer, number: u64, bytes: usize) -> Result<(), WriterError> {
    let records = commit(DatabaseId::new(1), number, writer.now(), bytes);
    let number = CommitNumber::new(number);
    writer.append(records, Some((number, number)))
}
