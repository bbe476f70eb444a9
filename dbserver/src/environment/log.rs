//! The log of a server that writes it: started, moved to another place, brought back after a
//! failure.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use dbconfig::{Compression as ConfigCompression, Config, SyncMode};
use fwlog::{
    Begin, BlockDecoder, Compression, Durable, DurableEnd, EndKind, EnvironmentId,
    GenerationReason, Linger, LogIdentity, LogLocation, ReadError, ReadItem, Record, RecoverError,
    RecoverOptions, SealNewest, SegmentId, SegmentReader, SegmentStore, SyncPolicy, Writer,
    WriterOptions,
};

use crate::commit::checkpointer::Checkpointer;
use crate::commit::release::Release;
use crate::databases::control::{LogPlace, RedoPoint};
use crate::databases::host::{Drive, Host};
use crate::databases::layout::Layout;
use crate::environment::audit_log::AuditLog;
use crate::error::EngineError;

/// Longest time that a small group waits for more transactions.
const LINGER: Duration = Duration::from_micros(200);
/// Largest block before compression.
const MAX_BLOCK: usize = 1 << 20;
/// Queued records after which committers wait for the disk.
const MAX_QUEUED: usize = 32 << 20;

/// Where the segments are, given the place that the log is in.
pub(crate) fn location(
    config: &Config,
    layout: &Layout,
    place: LogPlace,
) -> Result<LogLocation, EngineError> {
    let pattern = match (place, &config.forward_log.location) {
        (LogPlace::Journal, _) => layout.journal_pattern(),
        (LogPlace::ForwardLog, Some(pattern)) => pattern.clone(),
        (LogPlace::ForwardLog, None) => {
            return Err(EngineError::state(
                "the log of this environment is a forward log, but FwLog is not set",
                "Set FwLog in section [ForwardLog] to where the segments are; after a start with it, 'dbctl forwardlog disable' ends forward logging.",
            ));
        }
    };
    LogLocation::parse(&pattern)
        .map(|location| location.on(layout.disk().clone()))
        .map_err(|error| EngineError::Usage(error.to_string()))
}

/// Where the audit records are, where they have a log of their own (`AuditOnly`).
pub(crate) fn audit_location(
    config: &Config,
    layout: &Layout,
) -> Result<Option<LogLocation>, EngineError> {
    let Some(pattern) = config.forward_log.audit_location() else {
        return Ok(None);
    };
    LogLocation::parse(&pattern)
        .map(|location| Some(location.on(layout.disk().clone())))
        .map_err(|error| EngineError::Usage(error.to_string()))
}

/// Where a server with this configuration is meant to log.
pub(crate) fn wanted_place(config: &Config) -> LogPlace {
    if config.forward_log.location.is_some() && !config.forward_log.audit_only {
        LogPlace::ForwardLog
    } else {
        LogPlace::Journal
    }
}

/// The segment files of a place, with the file mode that the configuration asks for.
pub(crate) fn store_of(
    config: &Config,
    layout: &Layout,
    place: LogPlace,
) -> Result<Arc<SegmentStore>, EngineError> {
    segment_store(config, &location(config, layout, place)?)
}

/// The same for recovery: older segments may be in the other place.
pub(crate) fn whole_log(
    config: &Config,
    layout: &Layout,
    place: LogPlace,
) -> Result<SegmentStore, EngineError> {
    let store = plain_store(config, &location(config, layout, place)?)?;
    Ok(match location(config, layout, place.other()) {
        Ok(elsewhere) => store.with_older_in(elsewhere),
        Err(_) => store,
    })
}

/// The segment files at a location.
pub(crate) fn segment_store(
    config: &Config,
    location: &LogLocation,
) -> Result<Arc<SegmentStore>, EngineError> {
    plain_store(config, location).map(Arc::new)
}

/// Mode of the files beside the log.
pub(crate) fn file_mode(config: &Config) -> u32 {
    if config.forward_log.group_read_access {
        0o640
    } else {
        0o600
    }
}

pub(crate) fn plain_store(
    config: &Config,
    location: &LogLocation,
) -> Result<SegmentStore, EngineError> {
    let mode = file_mode(config);
    let not_opened =
        |error| EngineError::file("open the log directory", &location.directory, &error);
    if location
        .disk
        .exists(&location.directory)
        .map_err(not_opened)?
    {
        Ok(SegmentStore::at(location.clone(), mode))
    } else {
        Err(not_opened(io::ErrorKind::NotFound.into()))
    }
}

/// The writer's settings from the configuration.
pub(super) fn writer_options(config: &Config, host: &Host) -> WriterOptions {
    WriterOptions {
        max_segment_size: config.forward_log.max_size,
        compression: match config.forward_log.compress {
            ConfigCompression::Zstd => Compression::Zstd,
            ConfigCompression::None => Compression::None,
        },
        sync: match config.server.sync_mode {
            SyncMode::EveryCommit => SyncPolicy::Always,
            SyncMode::Interval => SyncPolicy::Interval(config.server.sync_interval),
        },
        preallocate: host.preallocate,
        max_block: MAX_BLOCK,
        max_queued: MAX_QUEUED,
        clock: host.clock.clone(),
    }
}

/// How the log goes on in a place where it was not before: forward logging begins a generation.
pub(crate) fn begin_in(place: LogPlace, after: Durable) -> Begin {
    match place {
        LogPlace::ForwardLog => Begin::NewGeneration {
            reason: GenerationReason::Enable,
            after,
        },
        LogPlace::Journal => Begin::NextSegment { after },
    }
}

/// Ends a log at its durable end, cut and sealed there: after a failure there may be anything behind.
pub(crate) fn end_there(
    store: &SegmentStore,
    location: &LogLocation,
    end: &Durable,
) -> Result<Durable, EngineError> {
    remove_strays(store, end)?;
    if end.sealed {
        return Ok(*end);
    }
    let options = RecoverOptions {
        from: Some(end.point),
        seal: SealNewest::Yes,
        discard_behind: Some(end.point.position),
    };
    let recovered = fwlog::recover(store, options, &mut |_| Ok(()))
        .map_err(|error| recovery_error(error, location))?;
    Ok(recovered.durable())
}

/// A segment that failed when it was to be made may be there all the same, with nothing in it but the
/// record that begins a generation. The log that goes on elsewhere gives its number again.
fn remove_strays(store: &SegmentStore, end: &Durable) -> Result<(), EngineError> {
    let segment = end.point.position.segment;
    let failed = |what, id| {
        let path = store.path(id);
        move |error: io::Error| EngineError::file(what, path, &error)
    };
    let segments = store.list().map_err(failed("list", segment))?;
    for id in [segment.next_sequence(), segment.next_generation()] {
        if segments.contains(&id) && is_unused(store, id)? {
            tracing::warn!(
                "{} has nothing in it and is removed",
                store.path(id).display()
            );
            store.remove(id).map_err(failed("remove", id))?;
        }
    }
    Ok(())
}

/// Whether a segment has nothing in it but the record that begins a generation.
pub(super) fn is_unused(store: &SegmentStore, id: SegmentId) -> Result<bool, EngineError> {
    let mut reader = SegmentReader::open_in(store, id).map_err(EngineError::LogDamaged)?;
    let mut decoder = BlockDecoder::new();
    loop {
        match reader.next(None).map_err(EngineError::LogDamaged)? {
            ReadItem::Block(block) => {
                let Ok(records) = decoder.records(&block) else {
                    return Ok(false);
                };
                for record in records {
                    if !matches!(record, Ok(Record::Generation(_))) {
                        return Ok(false);
                    }
                }
            }
            ReadItem::Seal(_) => return Ok(false),
            ReadItem::End(end) => return Ok(matches!(end, EndKind::Clean)),
        }
    }
}

/// The same for a log that was left without: as far as it is known to be durable.
pub(super) fn end_left_log(config: &Config, location: &LogLocation) -> Result<(), EngineError> {
    let known = DurableEnd::read(&location.disk, &location.directory);
    let Some(end) = known.map_err(EngineError::LogUnusable)? else {
        return Ok(());
    };
    let store = segment_store(config, location)?;
    end_there(&store, location, &end.durable).map(drop)
}

/// What a writer needs, whoever starts it.
pub(crate) struct WriterStart<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What the environment stands on.
    pub host: &'a Host,
    /// Where the journal is.
    pub layout: &'a Layout,
    /// Whose log it is.
    pub environment: EnvironmentId,
    /// Told after each group commit.
    pub(crate) release: &'a Arc<Release>,
    /// Transactions under way: groups wait for them.
    pub(crate) under_way: &'a Arc<AtomicUsize>,
    /// Told of the log's growth.
    pub checkpointer: &'a Arc<Checkpointer>,
    /// Told that there is more to copy, with `AuditOnly`.
    pub(crate) audit_log: Option<&'a Arc<AuditLog>>,
}

impl WriterStart<'_> {
    /// Starts the writer's thread; what it makes durable becomes visible.
    pub(crate) fn start(&self, place: LogPlace, begin: Begin) -> Result<Arc<Writer>, EngineError> {
        let store = store_of(self.config, self.layout, place)?;
        let identity = LogIdentity {
            environment: self.environment,
            instance: self.config.server.instance.clone(),
            page_size: page_size(),
        };
        let (release, checkpointer) = (Arc::clone(self.release), Arc::clone(self.checkpointer));
        let audit_log = self.audit_log.map(Arc::clone);
        let observer = Box::new(move |durable: &Durable| {
            release.wrote(durable);
            checkpointer.note(durable.log_bytes);
            if let Some(audit_log) = &audit_log {
                audit_log.ring();
            }
        });
        let options = writer_options(self.config, self.host);
        let start = match self.host.drive {
            Drive::Threads => Writer::start,
            Drive::Owner => Writer::driven,
        };
        let writer =
            start(store, identity, options, begin, observer).map_err(EngineError::LogFailed)?;
        // Where it has begun: a segment of its own is nothing that it tells of.
        self.release.wrote(&writer.durable());
        writer.linger(Linger {
            under_way: Arc::clone(self.under_way),
            at_most: LINGER,
        });
        Ok(Arc::new(writer))
    }
}

/// Size of a page, as segments say it.
pub(super) fn page_size() -> u32 {
    u32::try_from(fwlog::PAGE_SIZE).expect("a page is small")
}

/// Brings the `fw.position` of this log to the disk, which tells how far the log is known to go. Before
/// pages of those commits go to the data files: else damage at the end of the log could pass for a torn
/// tail after a power cut, and newer pages for those of an older commit.
pub(crate) fn settle(store: &SegmentStore) -> Result<(), EngineError> {
    let settled = store.settle_position();
    settled.map_err(|error| EngineError::file("sync", store.position_path(), &error))
}

/// The same where the log has failed, and the data files are to save what may be in memory alone: it does
/// not keep them from that.
pub(crate) fn try_to_settle(store: &SegmentStore) {
    if let Err(error) = settle(store) {
        tracing::warn!(%error, "the end of the log is not known to be on the disk");
    }
}

/// A durable border as a redo point.
pub(crate) fn redo_point(durable: &Durable) -> RedoPoint {
    RedoPoint {
        point: durable.point,
        log_bytes: durable.log_bytes,
        commit: durable.commit,
    }
}

/// What start-up says when the log cannot be recovered.
pub(crate) fn recovery_error(error: RecoverError, location: &LogLocation) -> EngineError {
    match error {
        RecoverError::Apply { at, source } => match source.downcast::<EngineError>() {
            Ok(cause) => *cause,
            Err(source) => EngineError::Corrupt(format!("block at {at}: {source}")),
        },
        RecoverError::NoLog | RecoverError::NoStart(_) => EngineError::state(
            format!(
                "the log in {} does not have what recovery needs: {error}",
                location.directory.display()
            ),
            "Set FwLog to where the segments are, or bring back the missing ones; the server must not start without them.",
        ),
        RecoverError::Io(failure) => EngineError::LogUnusable(failure),
        RecoverError::Read(error) => read_error(error),
    }
}

/// A disk that does not give the log, or gives what is damaged.
pub(crate) fn read_error(error: ReadError) -> EngineError {
    error.into()
}
