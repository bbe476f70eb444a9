//! Making the segment that is written next.

use crate::damage::During;
use crate::durable_end::Durable;
use crate::header::SegmentHeader;
use crate::position::{LogPoint, SegmentId};
use crate::record::{GenerationReason, GenerationStart, RecordBuffer};
use crate::segment_end::SegmentEnd;
use crate::tail::Tail;
use crate::writer::error::WriterError;
use crate::writer::group::Group;
use crate::writer::start::WriterContext;

/// A generation that begins with a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewGeneration {
    pub(crate) reason: GenerationReason,
    /// What it goes on from.
    pub(crate) parent: LogPoint,
}

/// Makes segment `id`; durable on return. The record that begins a generation is in the file before
/// that has its name, so no crash leaves a generation without it.
pub(crate) fn begin(
    context: &WriterContext,
    group: &mut Group,
    id: SegmentId,
    previous: &Durable,
    generation: Option<NewGeneration>,
) -> Result<Tail, WriterError> {
    let store = context.store.as_ref();
    let now = context.time.now();
    let header = SegmentHeader::new(store.kind(), &context.identity, id, now, previous);
    group.move_to(SegmentEnd::of_header(&header));
    if let Some(NewGeneration { reason, parent }) = generation {
        let origin = &context.identity.instance;
        let mut records = RecordBuffer::new();
        records.generation(&GenerationStart {
            reason,
            origin,
            time: context.time.now(),
            parent,
        });
        group.push(records.as_bytes(), None);
        group
            .end_block()
            .during("compress a block of", &store.path(id))?;
    }
    let preallocate = context.options.preallocate;
    let tail = Tail::create(store, header, &group.blocks, group.end, preallocate)?;
    group.blocks.clear();
    Ok(tail)
}
