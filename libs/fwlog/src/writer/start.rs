//! Where a writer begins.

use std::sync::Arc;

use crate::block::Compression;
use crate::damage::During;
use crate::header::{Follows, SegmentHeader};
use crate::identity::{LogIdentity, MAX_INSTANCE};
use crate::numbers::CommitNumber;
use crate::position::{LogPoint, Position, SegmentId};
use crate::reader::SegmentReader;
use crate::record::{GenerationReason, PAGE_SIZE};
use crate::store::SegmentStore;
use crate::tail::{ResumeAt, Tail};
use crate::writer::error::WriterError;
use crate::writer::group::Group;
use crate::writer::shared::Shared;
use crate::writer::worker::Worker;
use crate::writer::{Begin, Observer, WriterOptions};

/// What a writer works with from start to end.
pub(crate) struct Setting {
    pub(crate) store: Arc<dyn SegmentStore>,
    pub(crate) identity: LogIdentity,
    pub(crate) options: WriterOptions,
    pub(crate) observer: Observer,
}

/// Makes the first segment of this writer, and what its thread needs.
pub(crate) fn start(
    setting: Setting,
    begin: Begin,
    last_commit: CommitNumber,
) -> Result<(Arc<Shared>, Worker), WriterError> {
    let identity = &setting.identity;
    let named = (1..=MAX_INSTANCE).contains(&identity.instance.len());
    if !named || identity.page_size as usize != PAGE_SIZE {
        return Err(WriterError::Identity);
    }
    let store = setting.store.as_ref();
    let (id, parent, log_bytes, reason) = match begin {
        Begin::Create => (
            SegmentId::FIRST,
            LogPoint::ORIGIN,
            0,
            Some(GenerationReason::Create),
        ),
        Begin::NextSegment { after, log_bytes } => (
            after.position.segment.next_sequence(),
            after,
            log_bytes,
            None,
        ),
        Begin::NewGeneration {
            reason,
            after,
            log_bytes,
        } => (
            after.position.segment.next_generation(),
            after,
            log_bytes,
            Some(reason),
        ),
    };
    if begin != Begin::Create {
        seal_end(store, parent)?;
    }
    let follows = Follows {
        hash: parent.hash,
        log_bytes,
        last_commit,
    };
    let header = SegmentHeader::new(&setting.identity, id, &follows);
    let tail = Tail::create(store, header, setting.options.preallocate)?;
    let group = group(setting.options.compression, &tail, store)?;
    let shared = Arc::new(Shared::new(tail.durable(), setting.options.max_queued));
    let mut worker = Worker::new(setting, tail, group, Arc::clone(&shared));
    match reason {
        Some(reason) => worker.begin_generation(reason, parent)?,
        None => worker.publish_synced()?,
    }
    Ok((shared, worker))
}

fn group(
    compression: Compression,
    tail: &Tail,
    store: &dyn SegmentStore,
) -> Result<Group, WriterError> {
    let path = store.path(tail.header().id);
    Ok(Group::new(compression, tail).during("set up compression for", &path)?)
}

/// Seals the segment of `end` there, if that was not done yet. A segment that is not in the store
/// belongs to a history that was kept elsewhere.
fn seal_end(store: &dyn SegmentStore, end: LogPoint) -> Result<(), WriterError> {
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
        Some(seal) if seal == reader.seal_here() => Ok(()),
        Some(_) => Err(WriterError::NotTheEnd(end)),
        None => {
            let at = ResumeAt {
                end,
                last_commit: reader.last_commit(),
                time: reader.time(),
                sealed: false,
            };
            Ok(Tail::resume(store, reader.header().clone(), at, 0)?.seal()?)
        }
    }
}
