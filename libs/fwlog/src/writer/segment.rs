//! Making the segment that is written next.

use crate::damage::During;
use crate::header::{Follows, SegmentHeader};
use crate::position::{LogPoint, SegmentId};
use crate::record::{GenerationReason, GenerationStart, RecordBuffer};
use crate::tail::Tail;
use crate::writer::error::WriterError;
use crate::writer::group::Group;
use crate::writer::start::Setting;

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
    setting: &Setting,
    group: &mut Group,
    id: SegmentId,
    follows: &Follows,
    generation: Option<NewGeneration>,
) -> Result<Tail, WriterError> {
    let store = setting.store.as_ref();
    let header = SegmentHeader::new(&setting.identity, id, setting.time.now(), follows);
    let created = header.created;
    group.move_to(header.start());
    if let Some(NewGeneration { reason, parent }) = generation {
        let origin = &setting.identity.instance;
        let mut records = RecordBuffer::new();
        records.generation(&GenerationStart {
            reason,
            origin,
            time: setting.time.now(),
            parent,
        });
        group.push(records.as_bytes(), None);
        group
            .end_block()
            .during("compress a block of", &store.path(id))?;
    }
    let preallocate = setting.options.preallocate;
    let mut tail = Tail::create(store, header, &group.blocks, preallocate)?;
    tail.end = group.end;
    tail.time = if generation.is_some() {
        group.time
    } else {
        created
    };
    group.blocks.clear();
    Ok(tail)
}
