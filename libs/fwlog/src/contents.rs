//! What is in a block: whether all of it can be read, and how much it is.

use crate::block::{Block, BlockDecoder};
use crate::damage::{Damage, DecodeError};
use crate::header::HEADER_SIZE;
use crate::log_kind::LogKind;
use crate::numbers::Sequence;
use crate::position::Position;
use crate::record::{GenerationReason, PageBody, Pages, Record};

/// Good records of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) records: u64,
    pub(crate) commits: u64,
    /// Why a generation begins here, where one does.
    pub(crate) generation: Option<GenerationReason>,
    /// Whether a record among them acts on files when it is applied: makes or removes a database's, or
    /// lets redo start later.
    pub(crate) acts_on_files: bool,
}

impl Contents {
    /// Reads every record and page of a block, and checks all that can be checked without the state
    /// of the databases.
    pub(crate) fn read(
        decoder: &mut BlockDecoder,
        block: &Block,
        kind: LogKind,
    ) -> Result<Self, Damage> {
        let mut contents = Self {
            records: 0,
            commits: 0,
            generation: None,
            acts_on_files: false,
        };
        let mut expected = block.head.first_commit;
        let first_place = Position::new(block.start.segment, HEADER_SIZE as u64);
        for record in decoder.records(block)? {
            let record = record?;
            check_kind(&record, kind)?;
            match record {
                // Only what was before it can be a checkpoint's place to redo from.
                Record::Checkpoint { redo } if redo > block.start => {
                    return Err(DecodeError::Invalid("checkpoint record").into());
                }
                Record::Checkpoint { .. }
                | Record::CreateDatabase { .. }
                | Record::DropDatabase { .. }
                | Record::RenameDatabase { .. }
                | Record::RestoreDatabase { .. } => contents.acts_on_files = true,
                Record::Generation(_)
                    if contents.records > 0
                        || block.start != first_place
                        || block.start.segment.sequence != Sequence::FIRST =>
                {
                    return Err(DecodeError::Invalid("place for a generation record").into());
                }
                Record::Commit(commit) => {
                    if commit.number != expected {
                        return Err(Damage::CommitOrder);
                    }
                    expected = expected.next();
                    contents.commits += 1;
                    check_pages(commit.pages, true)?;
                }
                Record::Part(part) => check_pages(part.pages, false)?,
                Record::Generation(start) => contents.generation = Some(start.reason),
                Record::Access { .. } | Record::Audit(_) | Record::Copied { .. } => {}
            }
            contents.records += 1;
        }
        if expected == block.head.last_commit.next() {
            Ok(contents)
        } else {
            Err(Damage::CommitOrder)
        }
    }
}

/// A log of audit records has no pages, and only that one is copied from another log.
fn check_kind(record: &Record<'_>, kind: LogKind) -> Result<(), DecodeError> {
    let fits = match (kind, record) {
        (LogKind::Forward, record) => !matches!(record, Record::Copied { .. }),
        (LogKind::Audit, Record::Commit(commit)) => commit.pages.into_iter().next().is_none(),
        (LogKind::Audit, Record::Checkpoint { .. } | Record::Part(_) | Record::Access { .. }) => {
            false
        }
        (LogKind::Audit, _) => true,
    };
    if fits {
        Ok(())
    } else {
        Err(DecodeError::Invalid("record for this kind of log"))
    }
}

/// A full image has its checksum, a delta stays inside its page; a part has full images only.
fn check_pages(pages: Pages<'_>, deltas: bool) -> Result<(), DecodeError> {
    for change in pages {
        let change = change?;
        match change.body {
            PageBody::Full(image) => change.check(image)?,
            PageBody::Delta(delta) if deltas => delta.check()?,
            PageBody::Delta(_) => return Err(DecodeError::Invalid("page of a part")),
        }
    }
    Ok(())
}
