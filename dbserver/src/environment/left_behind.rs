//! The log of a root that was left behind, behind the point where it was: what is in it, and how it goes to `lost/TIME`.
//!
//! The control file says so first (`Tail::Cutting`), so each step finds what was done before a crash.

use fwlog::{
    BlockDecoder, CommitNumber, LogPoint, Position, ReadItem, Record, SegmentReader, SegmentStore,
    Timestamp,
};

use crate::databases::fence::{Fence, Tail};
use crate::environment::core::Core;
use crate::environment::log;
use crate::environment::redo::segments_of;
use crate::error::EngineError;
use crate::incoming::{cut_log, reader_at};

/// What a log has behind a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Commits, and databases made, removed, renamed or replaced.
    transactions: u64,
    /// Where the block of the first of them begins.
    first: Option<Position>,
}

impl Behind {
    /// The same as what a fence says; `lost` names the directory for what is no transaction.
    pub(super) fn tail(self, lost: impl FnOnce() -> String) -> Tail {
        match self.first {
            Some(first) => Tail::Transactions {
                count: self.transactions,
                first,
            },
            None => Tail::Cutting(lost()),
        }
    }

    fn note(&mut self, record: &Record<'_>, block: Position) {
        match record {
            Record::Commit(_)
            | Record::CreateDatabase { .. }
            | Record::DropDatabase { .. }
            | Record::RenameDatabase { .. }
            | Record::RestoreDatabase { .. } => {
                self.transactions += 1;
                self.first.get_or_insert(block);
            }
            // Parts without a commit behind them are void; who has read what stays in the files.
            Record::Generation(_)
            | Record::Checkpoint { .. }
            | Record::Part(_)
            | Record::Access { .. }
            | Record::Audit(_)
            | Record::Copied { .. } => {}
        }
    }
}

/// Looks at all that the log has behind this point of it.
///
/// Errors: it is no border of this log, or what is behind it can't be read.
pub(super) fn behind(store: &SegmentStore, at: LogPoint) -> Result<Behind, EngineError> {
    let mut found = Behind::default();
    read_behind(store, at, &mut |record, block| {
        found.note(record, block);
        Ok(())
    })?;
    Ok(found)
}

/// Gives each record behind this point of the log, with the start of its block; comes back with where the log ends.
///
/// Errors: the same.
pub(super) fn read_behind(
    store: &SegmentStore,
    at: LogPoint,
    give: &mut dyn FnMut(&Record<'_>, Position) -> Result<(), EngineError>,
) -> Result<LogPoint, EngineError> {
    let mut reader = reader_at(store, at)?;
    let mut decoder = BlockDecoder::new();
    let later = segments_of(store)?.into_iter();
    let mut later = later.filter(|id| *id > at.position.segment);
    loop {
        match reader.next(None).map_err(log::read_error)? {
            ReadItem::Block(block) => {
                let damaged =
                    |why: String| EngineError::Corrupt(format!("block at {}: {why}", block.start));
                let records = decoder.records(&block);
                for record in records.map_err(|error| damaged(error.to_string()))? {
                    let record = record.map_err(|error| damaged(error.to_string()))?;
                    give(&record, block.start)?;
                }
            }
            ReadItem::Seal(_) | ReadItem::End(_) => match later.next() {
                Some(next) => {
                    reader = SegmentReader::open_in(store, next).map_err(log::read_error)?;
                }
                None => return Ok(reader.point()),
            },
        }
    }
}

/// Where nothing would be missed the log is cut. A start goes on with what was begun, before it reads the log.
pub(super) fn go_on(core: &Core) -> Result<(), EngineError> {
    let fence = core.control().fence.clone();
    match fence {
        Some(fence) => match &fence.tail {
            Tail::Cutting(name) => cut(core, &fence, name),
            Tail::Unknown | Tail::Transactions { .. } | Tail::GivenUp { .. } | Tail::Nothing => {
                Ok(())
            }
        },
        None => Ok(()),
    }
}

/// All behind the point of the fence goes to `lost/NAME` beside the log, and the fence says so. May be done again.
fn cut(core: &Core, fence: &Fence, name: &str) -> Result<(), EngineError> {
    let (store, at) = (core.log_store(core.log_place())?, fence.at.point);
    let mut aside = store.location().clone();
    aside.directory = aside.directory.join("lost").join(name);
    cut_log(&store, at, &aside)?;
    core.instance().forget_behind(core, at.position);
    core.update_control(|control| {
        control.fence = Some(Fence {
            tail: Tail::Nothing,
            ..fence.clone()
        });
    })?;
    tracing::warn!(
        at = %at.position,
        to = %aside.directory.display(),
        "what the log had behind the point where it was left held no transaction, and is set aside"
    );
    Ok(())
}

/// The data files have no commit behind this one: what is cut off the log was in none of them.
pub(super) fn prove_data_files(core: &Core, commit: CommitNumber) -> Result<(), EngineError> {
    let newer = |visible: u64| visible > commit.get();
    let mut newest = core.databases().all().into_iter();
    let strange = newest.find(|database| newer(database.store().newest_commit().get()));
    if let Some(database) = strange {
        return Err(EngineError::Corrupt(format!(
            "{} has pages of commit {}, and the log was left at commit {commit}: it is not cut",
            database.store().path().display(),
            database.store().newest_commit()
        )));
    }
    let visible = core.newest_visible_commit();
    if newer(visible) {
        return Err(EngineError::Corrupt(format!(
            "commit {visible} is visible, and the log was left at commit {commit}: it is not cut"
        )));
    }
    Ok(())
}

/// The name of the directory for what is set aside at this time, without what shells dislike.
pub(super) fn name_of(now: Timestamp) -> String {
    let now = now.to_string();
    let seconds = now.split('.').next().unwrap_or_default();
    seconds
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

#[cfg(test)]
#[path = "left_behind/tests.rs"]
mod tests;
