//! Where a writer begins.

use std::sync::Arc;

use crate::damage::{During, ReadError};
use crate::identity::{LogIdentity, MAX_INSTANCE};
use crate::numbers::Sequence;
use crate::position::{LogPoint, Position, SegmentId};
use crate::reader::SegmentReader;
use crate::record::{GenerationReason, PAGE_SIZE};
use crate::store::SegmentStore;
use crate::tail::Tail;
use crate::writer::error::WriterError;
use crate::writer::group::Group;
use crate::writer::segment::{self, NewGeneration};
use crate::writer::shared::Shared;
use crate::writer::time::LogTime;
use crate::writer::worker::Worker;
use crate::writer::{Begin, Observer, SyncPolicy, WriterOptions};

/// What a writer works with from start to end.
pub(crate) struct WriterContext {
    pub(crate) store: Arc<SegmentStore>,
    pub(crate) identity: LogIdentity,
    pub(crate) options: WriterOptions,
    pub(crate) observer: Observer,
    pub(crate) time: Arc<LogTime>,
}

impl WriterContext {
    pub(crate) fn new(
        store: Arc<SegmentStore>,
        identity: LogIdentity,
        options: WriterOptions,
        begin: &Begin,
        observer: Observer,
    ) -> Self {
        let time = LogTime::new(options.clock.clone(), begin.after().time);
        Self {
            store,
            identity,
            options,
            observer,
            time: Arc::new(time),
        }
    }
}

/// Makes the first segment of this writer, and what its thread needs.
pub(crate) fn start(
    context: WriterContext,
    begin: Begin,
) -> Result<(Arc<Shared>, Worker), WriterError> {
    let identity = &context.identity;
    let named = (1..=MAX_INSTANCE).contains(&identity.instance.len());
    if !named || identity.page_size as usize != PAGE_SIZE {
        return Err(WriterError::Identity);
    }
    let after = begin.after();
    let segment = after.point.position.segment;
    let (id, reason) = match begin {
        Begin::Create | Begin::Behind { .. } => (SegmentId::FIRST, Some(GenerationReason::Create)),
        Begin::NextSegment { .. } => (segment.next_sequence(), None),
        Begin::NewGeneration { reason, .. } => {
            let id = free_generation(context.store.as_ref(), after.point)?;
            (id, Some(reason))
        }
        Begin::Restored { generation, .. } => {
            let id = SegmentId {
                generation,
                sequence: Sequence::FIRST,
            };
            assert!(id > segment, "a generation has a number of its own");
            (id, Some(GenerationReason::Restore))
        }
    };
    let store = context.store.as_ref();
    if after.point != LogPoint::ORIGIN && !ends_before(store, reason, after.point)? {
        seal_end(store, after.point)?;
    }
    let generation = reason.map(|reason| NewGeneration {
        reason,
        parent: after.point,
    });
    let mut group = Group::new(
        context.options.compression,
        after.commit,
        Arc::clone(&context.time),
    )
    .during("set up compression for", &store.path(id))?;
    let tail = segment::begin(&context, &mut group, id, &after, generation)?;
    let shared = Arc::new(Shared::new(
        tail.durable(),
        context.options.max_queued,
        matches!(context.options.sync, SyncPolicy::Always),
        Arc::clone(&context.time),
    ));
    let mut worker = Worker::new(context, tail, group, Arc::clone(&shared));
    worker.publish_synced()?;
    Ok((shared, worker))
}

/// The first segment of the next generation whose number is free: an attempt before this one may have left
/// one. Where that one goes on from `end`, too, another beside it would be one too many.
fn free_generation(store: &SegmentStore, end: LogPoint) -> Result<SegmentId, WriterError> {
    let next = end.position.segment.next_generation();
    let path = store.path(next);
    let segments = store.list().during("list the directory of", &path)?;
    let taken = segments.partition_point(|id| *id < next);
    let mut free = next;
    for id in segments.iter().skip(taken) {
        match SegmentReader::open_in(store, *id) {
            Ok(reader) if reader.header().previous == end.hash => return Ok(*id),
            Ok(_) | Err(ReadError::Corrupt { .. }) => free = id.next_generation(),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(free)
}

/// Whether a log that begins again was left before `end`, and is sealed there: what followed was written elsewhere, or
/// was lost. Who reads it finds the gap.
fn ends_before(
    store: &SegmentStore,
    reason: Option<GenerationReason>,
    end: LogPoint,
) -> Result<bool, WriterError> {
    if reason != Some(GenerationReason::Enable) {
        return Ok(false);
    }
    let Position { segment, offset } = end.position;
    let path = store.path(segment);
    let segments = store.list().during("list the directory of", &path)?;
    if !segments.contains(&segment) {
        return Ok(false);
    }
    let reader = SegmentReader::open_in(store, segment)?;
    Ok(reader.sealed().is_some_and(|seal| seal.length < offset))
}

/// Seals the segment of `end` there, if that was not done yet. A segment that is not in the store
/// belongs to a history that was kept elsewhere.
fn seal_end(store: &SegmentStore, end: LogPoint) -> Result<(), WriterError> {
    let Position { segment, offset } = end.position;
    let path = store.path(segment);
    if !store
        .list()
        .during("list the directory of", &path)?
        .contains(&segment)
    {
        return Ok(());
    }
    let mut reader = SegmentReader::open_in(store, segment)?;
    if reader.skip_to(offset)? != Some(end.hash) {
        return Err(WriterError::NotTheEnd(end));
    }
    match reader.sealed() {
        Some(seal) if seal == reader.end().seal(reader.header()) => Ok(()),
        Some(_) => Err(WriterError::NotTheEnd(end)),
        None => {
            let header = reader.header().clone();
            Ok(Tail::resume(store, header, reader.end(), false, 0)?.seal()?)
        }
    }
}
