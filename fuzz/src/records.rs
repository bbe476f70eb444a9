//! The records of a block: whatever they are, they are read, shown, or refused.

use std::fmt::Write;

use fwlog::{CommitHead, PAGE_SIZE, PageBody, Pages, Record, RecordBuffer, Records};

/// Takes the bytes as the decompressed payload of a block.
pub fn check(data: &[u8]) {
    let good = walk(Records::new(data));
    // A record takes four bytes at least.
    assert!(good <= data.len() / 4);
}

/// Reads all records; gives how many were good.
pub fn walk(records: Records<'_>) -> usize {
    let mut good = 0;
    let mut failed = false;
    for record in records {
        assert!(!failed, "nothing comes after an error");
        match record {
            Ok(record) => {
                show(&record);
                again(&record);
                good += 1;
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                failed = true;
            }
        }
    }
    good
}

/// A person reads one line for each record, with nothing in it that a terminal would obey.
fn show(record: &Record<'_>) {
    let mut length = Length(0);
    assert!(write!(length, "{record}").is_ok());
}

struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        assert!(!text.contains(char::is_control), "shown as {text:?}");
        self.0 += text.len();
        Ok(())
    }
}

/// What was read is written, and reads back as the same.
fn again(record: &Record<'_>) {
    let mut buffer = RecordBuffer::new();
    match *record {
        Record::Commit(commit) => {
            if apply(commit.pages) {
                let mut encoder = buffer.begin_commit(CommitHead {
                    number: commit.number,
                    database: commit.database,
                    time: commit.time,
                    exclusive: commit.exclusive,
                    page_count: commit.page_count,
                    transaction: commit.transaction,
                });
                put_pages(commit.pages, &mut |page, image| {
                    encoder.page_full(page, image);
                });
                encoder.finish();
            }
        }
        Record::Part(part) => {
            if apply(part.pages) {
                let mut encoder = buffer.begin_part(part.transaction, part.database);
                put_pages(part.pages, &mut |page, image| {
                    encoder.page_full(page, image);
                });
                encoder.finish();
            }
        }
        Record::Generation(start) => buffer.generation(&start),
        Record::Checkpoint { redo } => buffer.checkpoint(redo),
        Record::CreateDatabase { id, name, options } => buffer.create_database(id, name, options),
        Record::DropDatabase { id, name } => buffer.drop_database(id, name),
        Record::RenameDatabase { id, old_name, name } => {
            buffer.rename_database(id, old_name, name);
        }
        Record::RestoreDatabase { id, name, options } => buffer.restore_database(id, name, options),
        Record::Access { id, access } => buffer.access(id, access),
        Record::Audit(audit) => buffer.audit(&audit),
        Record::Copied { up_to } => buffer.copied(up_to),
    }
    if buffer.is_empty() {
        return;
    }
    let mut read = Records::new(buffer.as_bytes());
    assert_eq!(read.next(), Some(Ok(*record)));
    assert!(read.next().is_none());
}

/// Applies every page; true when all are full images that fit their checksums.
fn apply(pages: Pages<'_>) -> bool {
    let mut page = [0x5a; PAGE_SIZE];
    let mut whole = true;
    for change in pages {
        let Ok(change) = change else { return false };
        assert_ne!(change.page.get(), 0);
        let applied = change.apply(&mut page).is_ok();
        if applied {
            assert_eq!(fwlog::page_crc(&page), change.crc);
        }
        whole &= applied && matches!(change.body, PageBody::Full(_));
    }
    whole
}

fn put_pages(pages: Pages<'_>, put: &mut dyn FnMut(fwlog::PageNumber, &[u8; PAGE_SIZE])) {
    for change in pages.into_iter().flatten() {
        if let PageBody::Full(image) = change.body {
            put(change.page, image);
        }
    }
}
