//! Copies the audit records of the journal into a log of their own (`AuditOnly`).
//!
//! ```text
//! journal: block = audit records, commits with pages … ─▶ durable ─▶ acknowledged
//!                                     │ this, always behind what is durable
//!                                     ▼
//! audit log: block = audit records, commits without pages …, "copied up to"
//! ```
//!
//! So a record is never there before its commit is durable, and what a crash has kept from being copied is still
//! in the journal: that goes only where this has been.

use std::path::Path;
use std::sync::Arc;

use fwlog::{
    Begin, Block, BlockDecoder, CommitHead, CommitNumber, Durable, Follow, FollowError, FollowItem,
    GenerationReason, HEADER_SIZE, LogIdentity, LogLocation, LogPoint, NoSyncPoint, Position,
    ReadItem, Record, RecordBuffer, RecoverOptions, Recovered, SealNewest, SegmentReader,
    SegmentStore, SyncPolicy, Writer, WriterOptions,
};

use crate::databases::control::LogPlace;
use crate::databases::host::Drive;
use crate::environment::core::Core;
use crate::environment::log::{self, read_error, recovery_error};
use crate::environment::redo::segments_of;
use crate::environment::slave_catching_up::follow_error;
use crate::error::EngineError;

/// First and last commit of a block.
type Commits = Option<(CommitNumber, CommitNumber)>;

/// The one author of the audit log, while it can be written.
pub(super) struct Copier {
    journal: Follow,
    /// Where the next block of the journal begins.
    at: Position,
    decoder: BlockDecoder,
    writer: Writer,
    /// The end of the journal when this server began.
    began: Durable,
    /// All records before this point of the journal are durable in the audit log.
    covered: LogPoint,
}

/// What an audit log has.
struct Known {
    end: Recovered,
    /// How far the journal was copied, where it says so.
    up_to: Option<LogPoint>,
}

impl Copier {
    /// Goes on where the audit log ends, or begins one behind this end of the journal. `discard_behind` is the
    /// durable end of a writer that has failed in this process.
    ///
    /// Errors: it can't be written or read; it is not this environment's, or of another history of it.
    pub(super) fn resume(
        core: &Core,
        journal: &Durable,
        discard_behind: Option<Position>,
    ) -> Result<Self, EngineError> {
        let store = store_of(core)?;
        let known = known(core, &store, discard_behind)?;
        let source = match &known {
            None => None,
            Some(known) => source(core, &store, known, journal, discard_behind.is_some())?,
        };
        let begin = match (&known, &source) {
            (Some(known), Some(_)) => Begin::NextSegment {
                after: known.end.durable(),
            },
            (Some(known), None) => Begin::NewGeneration {
                reason: GenerationReason::Enable,
                after: Durable {
                    commit: journal.commit,
                    ..known.end.durable()
                },
            },
            (None, _) => Begin::Behind {
                commit: journal.commit,
                time: journal.time,
            },
        };
        let follow = match source {
            Some(follow) => follow,
            None => Follow::start(journal_of(core)?, journal.point).map_err(follow_error)?,
        };
        let covered = follow.given().0;
        let writer = start_writer(core, store, begin)?;
        let mut copier = Self {
            at: covered.position,
            journal: follow,
            decoder: BlockDecoder::new(),
            writer,
            began: *journal,
            covered,
        };
        copier.say_names(core)?;
        // From now on the next start has to find it.
        core.update_control(|control| control.audit_open = true)?;
        Ok(copier)
    }

    /// Files that begin here name the databases.
    fn say_names(&mut self, core: &Core) -> Result<(), EngineError> {
        let mut records = RecordBuffer::new();
        for entry in core.databases().entries() {
            records.create_database(entry.id, &entry.name, "");
        }
        records.copied(self.covered);
        let written = self.writer.append_marked(records);
        written
            .and_then(|mark| mark.wait())
            .map(drop)
            .map_err(EngineError::LogFailed)
    }

    /// Copies all that is durable in the journal; durable on return.
    pub(super) fn copy(&mut self) -> Result<(), EngineError> {
        let mut appended = false;
        loop {
            match self.journal.next().map_err(follow_error)? {
                FollowItem::Segment { id, .. } => self.at = Position::new(id, HEADER_SIZE as u64),
                FollowItem::Blocks { mut bytes, .. } => {
                    while !bytes.is_empty() {
                        let damaged =
                            |at, why| EngineError::Corrupt(format!("block at {at}: {why}"));
                        let block = Block::split_from(&mut bytes, self.at)
                            .map_err(|why| damaged(self.at, why.to_string()))?;
                        self.at = block.end.position;
                        appended |= self.block(&block)?;
                    }
                }
                FollowItem::Seal { .. } => {}
                FollowItem::UpToDate(_) | FollowItem::Until(_) => break,
            }
        }
        if appended {
            let durable = self.writer.mark().and_then(|mark| mark.wait());
            durable.map_err(EngineError::LogFailed)?;
        }
        self.covered = self.journal.given().0;
        Ok(())
    }

    /// Copies a block; tells whether it had anything for the audit log.
    fn block(&mut self, block: &Block) -> Result<bool, EngineError> {
        let damaged = |why| EngineError::Corrupt(format!("block at {}: {why}", block.start));
        let mut out = RecordBuffer::new();
        let mut commits: Commits = None;
        for record in self.decoder.records(block).map_err(damaged)? {
            put(&mut out, &mut commits, &record.map_err(damaged)?);
        }
        if out.is_empty() {
            return Ok(false);
        }
        out.copied(block.end);
        self.writer.not_before(block.head.time);
        let queued = self.writer.append(out, commits);
        queued.map_err(EngineError::LogFailed)?;
        Ok(true)
    }

    /// All before this point of the journal is durable here.
    pub(super) fn covered(&self) -> Position {
        self.covered.position
    }

    /// The end of the journal when this server began.
    pub(super) fn began(&self) -> Durable {
        self.began
    }

    /// The log that it writes.
    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }
}

/// What an audit log has of a record: no pages, and nothing of what redo and slaves need alone.
fn put(out: &mut RecordBuffer, commits: &mut Commits, record: &Record<'_>) {
    match record {
        Record::Audit(audit) => out.audit(audit),
        Record::Commit(commit) => {
            let head = CommitHead {
                number: commit.number,
                database: commit.database,
                time: commit.time,
                exclusive: commit.exclusive,
                page_count: commit.page_count,
                transaction: None,
            };
            out.begin_commit(head).finish();
            let first = commits.map_or(commit.number, |(first, _)| first);
            *commits = Some((first, commit.number));
        }
        Record::CreateDatabase { id, name, options } => out.create_database(*id, name, options),
        Record::DropDatabase { id, name } => out.drop_database(*id, name),
        Record::RenameDatabase { id, old_name, name } => out.rename_database(*id, old_name, name),
        Record::RestoreDatabase { id, name, options } => out.restore_database(*id, name, options),
        Record::Generation(_)
        | Record::Checkpoint { .. }
        | Record::Part(_)
        | Record::Access { .. }
        | Record::Copied { .. } => {}
    }
}

/// The segments of the audit log. Its directory is made once; where it was there and is gone, its disk may not be
/// mounted.
fn store_of(core: &Core) -> Result<Arc<SegmentStore>, EngineError> {
    let location = core.audit_location()?;
    let (disk, directory) = (&location.disk, location.directory.as_path());
    let open = core.config().forward_log.group_read_access;
    let is_there = |path: &Path| {
        disk.exists(path)
            .map_err(|error| EngineError::file("look for", path, &error))
    };
    if !is_there(directory)? {
        let above = directory.parent().unwrap_or(directory);
        let missing = if core.control().audit_open {
            Some(directory)
        } else if is_there(above)? {
            None
        } else {
            Some(above)
        };
        if let Some(missing) = missing {
            let error = std::io::ErrorKind::NotFound.into();
            return Err(EngineError::file("open the directory", missing, &error));
        }
        let made = disk.make_directory(directory, if open { 0o750 } else { 0o700 });
        made.map_err(|error| EngineError::file("make the directory", directory, &error))?;
    }
    let mode = if open { 0o640 } else { 0o600 };
    Ok(Arc::new(SegmentStore::at(location, mode).of_audit()))
}

fn journal_of(core: &Core) -> Result<LogLocation, EngineError> {
    log::location(core.config(), core.layout(), LogPlace::Journal)
}

/// Recovers the audit log as any other; `None` where there is none yet.
fn known(
    core: &Core,
    store: &SegmentStore,
    discard_behind: Option<Position>,
) -> Result<Option<Known>, EngineError> {
    let segments = segments_of(store)?;
    let Some(newest) = segments.last() else {
        if core.control().audit_open {
            let error = std::io::ErrorKind::NotFound.into();
            let directory = &store.location().directory;
            return Err(EngineError::file(
                "find the audit log in",
                directory,
                &error,
            ));
        }
        return Ok(None);
    };
    let header = SegmentReader::open_in(store, *newest)
        .map_err(read_error)?
        .header()
        .clone();
    if Some(header.environment) != core.id() {
        return Err(strange(store, "is of another environment"));
    }
    let (mut decoder, mut up_to) = (BlockDecoder::new(), None);
    let options = RecoverOptions {
        from: Some(header.before()),
        seal: SealNewest::Yes,
        discard_behind,
    };
    let end = fwlog::recover(store, options, &mut |block| {
        note_copied(&mut decoder, block, &mut up_to).map_err(Into::into)
    })
    .map_err(|error| recovery_error(error, store.location()))?;
    // A segment may have ended before anything was copied into it.
    for id in segments.iter().rev().skip(1) {
        if up_to.is_some() {
            break;
        }
        let mut reader = SegmentReader::open_in(store, *id).map_err(read_error)?;
        while let ReadItem::Block(block) = reader.next(None).map_err(read_error)? {
            note_copied(&mut decoder, &block, &mut up_to)?;
        }
    }
    Ok(Some(Known { end, up_to }))
}

fn note_copied(
    decoder: &mut BlockDecoder,
    block: &Block,
    up_to: &mut Option<LogPoint>,
) -> Result<(), EngineError> {
    let damaged = |why| EngineError::Corrupt(format!("block at {}: {why}", block.start));
    for record in decoder.records(block).map_err(damaged)? {
        if let Record::Copied { up_to: point } = record.map_err(damaged)? {
            *up_to = Some(point);
        }
    }
    Ok(())
}

/// The journal from where it was copied up to; `None`: a generation begins, behind what is in neither of the two.
fn source(
    core: &Core,
    store: &SegmentStore,
    known: &Known,
    journal: &Durable,
    in_process: bool,
) -> Result<Option<Follow>, EngineError> {
    let (last, now) = (known.end.last_commit, journal.commit);
    if last > now && !in_process {
        return Err(strange(
            store,
            &format!("has commits up to {last}, and this environment ends with commit {now}"),
        ));
    }
    let started = known
        .up_to
        .map(|point| Follow::start(journal_of(core)?, point).map_err(Unfollowed::from));
    if !core.control().audit_open {
        // All of it was copied, and then AuditOnly was off, or the log was given up.
        let here = started.and_then(Result::ok).filter(|_| last == now);
        if let Some(follow) = here.and_then(at_its_end) {
            return Ok(Some(follow));
        }
        tracing::warn!(
            after = last.get(),
            "the audit log begins a generation: what was committed while it was off, up to commit {now}, is not in it"
        );
        return Ok(None);
    }
    match started {
        Some(Ok(follow)) => Ok(Some(follow)),
        Some(Err(Unfollowed::OtherHistory)) => {
            Err(strange(store, "is of another history of this environment"))
        }
        Some(Err(Unfollowed::Failed(error))) => Err(error),
        Some(Err(Unfollowed::Gone)) | None if in_process => Err(EngineError::Corrupt(
            "the journal does not have what is to be copied into the audit log".into(),
        )),
        Some(Err(Unfollowed::Gone)) | None => {
            tracing::error!(
                after = last.get(),
                "the journal does not have what is to be copied into the audit log any more: records of commits up to {now} are lost, and a generation begins"
            );
            Ok(None)
        }
    }
}

/// Why the journal is not read on from where it was copied up to.
enum Unfollowed {
    /// It has another history there.
    OtherHistory,
    /// It does not go back so far.
    Gone,
    Failed(EngineError),
}

impl From<EngineError> for Unfollowed {
    fn from(error: EngineError) -> Self {
        Self::Failed(error)
    }
}

impl From<FollowError> for Unfollowed {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::NoSynchronizationPoint {
                why: NoSyncPoint::Diverged { .. } | NoSyncPoint::AheadOfMaster { .. },
            } => Self::OtherHistory,
            FollowError::NoSynchronizationPoint { .. } => Self::Gone,
            error => Self::Failed(follow_error(error)),
        }
    }
}

/// Passes over what has nothing for the audit log; `None` where that can't be read to its end.
fn at_its_end(mut follow: Follow) -> Option<Follow> {
    loop {
        match follow.next() {
            Ok(FollowItem::UpToDate(_) | FollowItem::Until(_)) => return Some(follow),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "the journal does not go on from the audit log");
                return None;
            }
        }
    }
}

fn strange(store: &SegmentStore, what: &str) -> EngineError {
    EngineError::state(
        format!(
            "the audit log in {} {what}",
            store.location().directory.display()
        ),
        "Move its files to another directory, where they can still be read; a new audit log begins.",
    )
}

/// A writer of its own: each group is on the disk before it counts, whatever SyncMode is.
fn start_writer(
    core: &Core,
    store: Arc<SegmentStore>,
    begin: Begin,
) -> Result<Writer, EngineError> {
    let identity = LogIdentity {
        environment: core.known_id()?,
        instance: core.config().server.instance.clone(),
        page_size: log::page_size(),
    };
    let options = WriterOptions {
        sync: SyncPolicy::Always,
        ..log::writer_options(core.config(), core.host())
    };
    let start = match core.host().drive {
        Drive::Threads => Writer::start,
        Drive::Owner => Writer::driven,
    };
    let nobody = Box::new(|_: &Durable| {});
    start(store, identity, options, begin, nobody).map_err(EngineError::LogFailed)
}
